"""Functions that are one record: their results are no views, and `grad_fn` bears their name."""

import numpy as np
import pytest

import flambeau
from flambeau.ops.whole import whole

DATA = np.arange(12.0, dtype="float32").reshape(3, 4)

CALLS = {
    "gather": lambda lib, x: x.gather(1, lib.tensor([[0, 1], [2, 0], [3, 3]])),
    "take": lambda lib, x: x.take(lib.tensor([0, 5])),
    "take_along_dim": lambda lib, x: lib.take_along_dim(x, lib.tensor([[0], [1], [2]]), 1),
    "index_select": lambda lib, x: x.index_select(1, lib.tensor([0, 2])),
    "index_add": lambda lib, x: x.index_add(1, lib.tensor([0]), lib.ones(3, 1), alpha=2.5),
    "index_copy": lambda lib, x: x.index_copy(1, lib.tensor([0]), lib.ones(3, 1)),
    "index_fill": lambda lib, x: x.index_fill(1, lib.tensor([0]), 2.5),
    "index_reduce": lambda lib, x: x.index_reduce(1, lib.tensor([0]), lib.ones(3, 1), "mean"),
    "scatter": lambda lib, x: x.scatter(1, lib.tensor([[1]]), 3.5),
    "scatter_add": lambda lib, x: x.scatter_add(1, lib.tensor([[1]]), lib.ones(1, 1)),
    "scatter_reduce": lambda lib, x: x.scatter_reduce(1, lib.tensor([[1]]), lib.ones(1, 1), "amax"),
    "put": lambda lib, x: x.put(lib.tensor([1]), lib.ones(1)),
    "masked_fill": lambda lib, x: x.masked_fill(x > 3, 2.5),
    "rot90": lambda lib, x: lib.rot90(x, 3),
    "roll": lambda lib, x: x.roll(1, 0),
    "trace": lambda lib, x: x.trace(),
    "stack": lambda lib, x: lib.stack([x, x], 1),
    "diag_embed": lambda lib, x: lib.diag_embed(x, 1, 0, 2),
    "diagflat": lambda lib, x: lib.diagflat(x),
    "diagonal_scatter": lambda lib, x: x.diagonal_scatter(lib.ones(3)),
    "select_scatter": lambda lib, x: x.select_scatter(lib.ones(4), 0, 1),
    "slice_scatter": lambda lib, x: x.slice_scatter(lib.ones(3, 2), 1, 0, 2),
    "pixel_shuffle": lambda lib, x: lib.nn.functional.pixel_shuffle(x.reshape(4, 1, 3), 2),
    "pixel_unshuffle": lambda lib, x: lib.nn.functional.pixel_unshuffle(x.reshape(1, 6, 2), 2),
    "channel_shuffle": lambda lib, x: lib.nn.functional.channel_shuffle(x.reshape(1, 4, 3), 2),
    "conv_transpose1d": lambda lib, x: lib.nn.functional.conv_transpose1d(
        x.reshape(1, 3, 4), lib.ones(3, 2, 2)
    ),
    "max_pool2d": lambda lib, x: lib.nn.functional.max_pool2d(
        x.reshape(1, 1, 3, 4), 2, return_indices=True
    )[0],
    "max_pool3d": lambda lib, x: lib.nn.functional.max_pool3d(x.reshape(1, 1, 3, 2, 2), 2),
    "avg_pool2d": lambda lib, x: lib.nn.functional.avg_pool2d(x.reshape(1, 1, 3, 4), 2),
    "log1p": lambda lib, x: x.log1p(),
    "xlog1py": lambda lib, x: lib.special.xlog1py(x, x),
}


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("name", CALLS)
def test_as_in_torch(torch, name):
    found = []
    for lib in (torch, flambeau):
        x = lib.tensor(DATA, requires_grad=True)
        out = CALLS[name](lib, x)
        (out * out).sum().backward()
        name_of_node = type(out.grad_fn).__name__
        found.append((name_of_node, out._base is None, out.detach().numpy(), x.grad.numpy()))
    expected, found = found
    assert found[:2] == expected[:2]
    for a, b in zip(found[2:], expected[2:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_arguments_that_are_equal_but_of_other_kinds_are_told_apart():
    @whole
    def kind(x, value):
        return x + (2 if value is True else 1 if isinstance(value, int) else 0)

    x = flambeau.zeros(1)
    assert [kind(x, value).item() for value in (1, True, "a", 1)] == [1, 2, 0, 1]
    assert kind(x, value=True).item() == 2
