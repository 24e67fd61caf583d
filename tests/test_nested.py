"""Nested tensors against PyTorch's."""

import warnings

import numpy as np
import pytest

import flambeau

RNG = np.random.default_rng(0)
ROWS = [RNG.standard_normal((n, 3)).astype("float32") for n in (2, 4, 1)]
WEIGHT = RNG.standard_normal((3, 5)).astype("float32")

BOTH = {
    "itself": lambda lib, x: x,
    "number": lambda lib, x: x * 2 + 1,
    "itself added": lambda lib, x: x + x,
    "minus": lambda lib, x: -x / 3,
    "cosine": lambda lib, x: lib.cos(x),
    "relu": lambda lib, x: x.relu(),
    "softmax": lambda lib, x: x.softmax(-1),
    "copy": lambda lib, x: x.clone(),
    "cut off": lambda lib, x: x.detach(),
    "doubles": lambda lib, x: x.to(lib.float64),
}
STRIDED = {
    "product": lambda lib, x: lib.matmul(x, x.transpose(1, 2)),
    "sums": lambda lib, x: x.sum(-1, keepdim=True),
    "swapped": lambda lib, x: x.transpose(1, 2),
    "reshaped": lambda lib, x: x.reshape(3, -1, 3, 1),
}
JAGGED = {
    "exp": lambda lib, x: x.exp(),
    "power": lambda lib, x: x**2,
    "product": lambda lib, x: x @ lib.from_numpy(WEIGHT),
    "last sums": lambda lib, x: x.sum(-1),
    "of rows": lambda lib, x: x + lib.arange(3.0),
    "of constituents": lambda lib, x: x * lib.arange(1.0, 4.0).reshape(3, 1, 1),
}
CASES = [
    *((name, call, layout) for name, call in BOTH.items() for layout in ("strided", "jagged")),
    *((name, call, "strided") for name, call in STRIDED.items()),
    *((name, call, "jagged") for name, call in JAGGED.items()),
]


@pytest.fixture(autouse=True)
def no_warnings():
    """PyTorch says of strided ones that they are a prototype."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def nested(lib, layout, **options):
    """The nested tensor of a library."""
    rows = [lib.from_numpy(x.copy()) for x in ROWS]
    return lib.nested.nested_tensor(rows, layout=getattr(lib, layout), **options)


def same(found, expected):
    """Two nested tensors must have the same constituents."""
    assert found.is_nested
    assert str(found.dtype) == str(expected.dtype)
    assert found.dim() == expected.dim()
    assert found.size(0) == expected.size(0)
    for a, b in zip(found.unbind(), expected.unbind(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]} {c[2]}")
def test_as_in_torch(torch, case):
    _, call, layout = case
    same(call(flambeau, nested(flambeau, layout)), call(torch, nested(torch, layout)))


@pytest.mark.parametrize("layout", ["strided", "jagged"])
def test_padding_and_gradients(torch, layout):
    found = []
    for lib in (torch, flambeau):
        leaves = [lib.tensor(x, requires_grad=True) for x in ROWS]
        x = lib.nested.as_nested_tensor(leaves, layout=getattr(lib, layout))
        out = lib.nested.to_padded_tensor(x * x, 0.5)
        (out * out).sum().backward()
        found.append([out.detach().numpy(), *(p.grad.numpy() for p in leaves)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5)


def test_output_size_of_padding(torch):
    for lib in (torch, flambeau):
        x = nested(lib, "strided")
        assert tuple(x.to_padded_tensor(0.0, (3, 5, 4)).shape) == (3, 5, 4)
        with pytest.raises(RuntimeError):
            x.to_padded_tensor(0.0, (3, 1, 4))
        with pytest.raises(NotImplementedError):
            lib.ones(2).to_padded_tensor(0.0)


def test_a_leaf_gets_a_nested_gradient(torch):
    for lib in (torch, flambeau):
        x = nested(lib, "strided", requires_grad=True)
        assert x.is_leaf
        (x * 2).to_padded_tensor(0.0).sum().backward()
        assert [g.tolist() for g in x.grad.unbind()] == [np.full(a.shape, 2).tolist() for a in ROWS]


def test_jagged_parts_and_sums(torch):
    for lib in (torch, flambeau):
        x = nested(lib, "jagged")
        assert x.offsets().tolist() == [0, 2, 6, 7]
        assert x.lengths() is None
        np.testing.assert_array_equal(x.values().numpy(), np.concatenate(ROWS))
        np.testing.assert_allclose(x.sum(1).numpy(), [a.sum(0) for a in ROWS], rtol=1e-5)
        np.testing.assert_allclose(x.mean(1).numpy(), [a.mean(0) for a in ROWS], rtol=1e-5)
        assert (len(x), x.size(2), x.dim()) == (3, 3, 3)
        assert x.layout is lib.jagged
        assert repr(x.shape[1]).startswith("j")
        y = lib.nested.nested_tensor_from_jagged(x.values(), lengths=lib.tensor([1, 6]))
        assert [len(p) for p in y.unbind()] == [1, 6]
        holes = lib.nested.nested_tensor_from_jagged(
            x.values(), lib.tensor([0, 2, 6]), lib.tensor([1, 2])
        )
        assert [len(p) for p in holes.unbind()] == [1, 2]
        with pytest.raises(RuntimeError):
            x + y
        with pytest.raises(RuntimeError):
            lib.nested.nested_tensor_from_jagged(x.values())


def test_strided_sizes_and_text(torch):
    for lib in (torch, flambeau):
        x = nested(lib, "strided")
        assert (x.size(0), x.size(2)) == (3, 3)
        assert x.numel() == 21
        for call in (lambda x=x: x.size(1), lambda x=x: x.shape):
            with pytest.raises(RuntimeError):
                call()
        with pytest.raises(RuntimeError):
            lib.nested.nested_tensor([lib.ones(2), lib.ones(2, 2)])
    expected, found = (repr(nested(lib, "strided")) for lib in (torch, flambeau))
    assert found == expected
    assert repr(flambeau.nested.nested_tensor([])) == repr(torch.nested.nested_tensor([]))


def test_what_the_cpu_has_not(torch):
    for lib in (torch, flambeau):
        assert not hasattr(lib.ones(2), "__cuda_array_interface__")
        for name, args in (("graphsafe_get_state", ()), ("graphsafe_set_state", (None,))):
            with pytest.raises((NotImplementedError, TypeError)):
                getattr(lib.Generator(), name)(*args)
