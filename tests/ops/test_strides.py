"""The order in memory of results, against PyTorch."""

import pytest

import flambeau


def inputs(lib):
    """{name: a tensor that is not in row-major order}."""
    a = lib.arange(120.0).reshape(2, 3, 4, 5)
    return {
        "permuted": a.permute(1, 3, 0, 2),
        "swapped": a.transpose(1, 2),
        "every second": a[:, :, ::2],
        "every second, permuted": a[:, :, ::2].permute(3, 1, 0, 2),
        "expanded": a[:, :1].expand(2, 3, 4, 5),
        "expanded, turned": a[0, :1, :, 0].expand(3, 4).t(),
        "matrix": a[0, 0].t(),
        "windows": a.flatten().unfold(0, 4, 2),
        "windows, turned": a.flatten().unfold(0, 4, 2).t(),
        "columns": a[0, 0][:, 1:3].t(),
    }


CALLS = {
    "clone": lambda lib, x: x.clone(),
    "clone in order": lambda lib, x: x.clone(memory_format=lib.contiguous_format),
    "to": lambda lib, x: x.to(lib.float64),
    "zeros_like": lambda lib, x: lib.zeros_like(x),
    "full_like": lambda lib, x: lib.full_like(x, 2),
    "exp": lambda lib, x: x.exp(),
    "sort": lambda lib, x: x.sort(0)[0],
    "argsort": lambda lib, x: x.argsort(-1),
    "flip": lambda lib, x: x.flip(0),
    "amax": lambda lib, x: x.amax(0),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, x.shape[-1:]),
    "logsigmoid": lambda lib, x: lib.nn.functional.logsigmoid(x),
    "masked_fill": lambda lib, x: x.masked_fill(x > 3, 0),
    "masked_scatter": lambda lib, x: x.masked_scatter(x > 3, x),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", inputs(flambeau))
def test_strides(torch, name, call):
    expected, found = (CALLS[call](lib, inputs(lib)[name]) for lib in (torch, flambeau))
    assert tuple(found.shape) == tuple(expected.shape)
    assert _told(found) == _told(expected)


def _told(x):
    """The strides of dims that have more than one element."""
    return [s for s, n in zip(x.stride(), x.shape, strict=True) if n > 1]
