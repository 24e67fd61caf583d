"""`grad_fn` is printed under the name that PyTorch gives it."""

import pytest

import flambeau

PROGRAMS = {
    "linear": lambda t, x, w: t.nn.functional.linear(x, w, t.ones(5)),
    "linear of more dims": lambda t, x, w: t.nn.functional.linear(x[None], w, t.ones(5)),
    "linear without bias": lambda t, x, w: t.nn.functional.linear(x, w),
    "cross_entropy": lambda t, x, w: t.nn.functional.cross_entropy(x, t.tensor([0, 1, 2])),
    "mse_loss": lambda t, x, w: t.nn.functional.mse_loss(x, t.zeros(3, 4)),
    "l1_loss": lambda t, x, w: t.nn.functional.l1_loss(x, t.zeros(3, 4)),
    "layer_norm": lambda t, x, w: t.nn.functional.layer_norm(x, (4,)),
    "batch_norm": lambda t, x, w: t.nn.functional.batch_norm(x, None, None, training=True),
    "relu": lambda t, x, w: t.nn.functional.relu(x),
    "dropout": lambda t, x, w: t.nn.functional.dropout(x, 0.5),
    "softmax": lambda t, x, w: t.softmax(x, 1),
    "mm": lambda t, x, w: x @ w.t(),
    "mv": lambda t, x, w: x @ t.ones(4),
    "product of batches": lambda t, x, w: x[None] @ w.t()[None],
    "sum": lambda t, x, w: x.sum(),
    "sum of a dim": lambda t, x, w: x.sum(1),
    "mean": lambda t, x, w: x.mean(),
    "max of a dim": lambda t, x, w: x.max(1)[0],
    "number over": lambda t, x, w: 2 / x,
    "number minus": lambda t, x, w: 2 - x,
    "number to the power": lambda t, x, w: 2**x,
    "power": lambda t, x, w: x**2,
    "select": lambda t, x, w: x[0],
    "slice": lambda t, x, w: x[:, 1:3],
    "index": lambda t, x, w: x[t.tensor([0, 2])],
    "cat": lambda t, x, w: t.cat([x, x]),
    "squeeze": lambda t, x, w: x.unsqueeze(0).squeeze(0),
    "normalize": lambda t, x, w: t.nn.functional.normalize(x),
    "einsum": lambda t, x, w: t.einsum("ij,kj->ik", x, w),
    "in place": lambda t, x, w: x.clone().add_(1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_names(torch, name):
    found = []
    for t in (flambeau, torch):
        x, w = t.ones(3, 4, requires_grad=True), t.ones(5, 4, requires_grad=True)
        found.append(PROGRAMS[name](t, x, w).grad_fn.name())
    assert found[0] == found[1]
