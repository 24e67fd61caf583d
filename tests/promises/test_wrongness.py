"""What goes wrong is told at the line where it is written, and nothing is silently wrong."""

import os
import pathlib
import subprocess
import sys
import warnings

import pytest

import flambeau
from flambeau import config

F = flambeau.nn.functional
LOSSES = (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)


@pytest.fixture(params=["numpy", "llvm"])
def backend(monkeypatch, request):
    monkeypatch.setattr(config, "backend", request.param)


@pytest.fixture
def strict():
    flambeau.set_strict()
    yield
    flambeau.set_strict(False)


def line():
    """The number of the line that calls."""
    return sys._getframe(1).f_lineno


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_column_against_vector(loss):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        loss(flambeau.zeros(4, 1), flambeau.zeros(4))
        where = line() - 1
    (warning,) = told
    assert warning.category is UserWarning
    assert "[4, 1]" in str(warning.message)
    assert "[4])" in str(warning.message)
    assert (warning.filename, warning.lineno) == (__file__, where)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_column_against_vector_in_strict_mode(strict, loss):
    with pytest.raises(ValueError, match="different to the input size"):
        loss(flambeau.zeros(4, 1), flambeau.zeros(4))


def test_in_place_where_the_gradient_is_well_defined(backend):
    w = flambeau.tensor([1.0, 2.0], requires_grad=True)
    y = w.sigmoid()
    slope = (y * (1 - y)).tolist()
    y.add_(1)  # PyTorch refuses this backward pass
    y.sum().backward()
    assert w.grad.tolist() == pytest.approx(slope)


class Net(flambeau.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = flambeau.nn.Sequential(flambeau.nn.ReLU(), flambeau.nn.Linear(784, 10))

    def forward(self, x):
        return self.body(x)


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((64, 1, 28, 28), "input.flatten(1)"),
        ((784, 5), "input.mT"),
        ((5, 10), "weight.t()"),
        ((5, 30), "nn.Linear(30, 10)"),
    ],
)
def test_layer_of_another_size(shape, fits):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught:
        Net()(flambeau.zeros(shape))
    text = str(caught.value)
    assert str(list(shape)) in text
    assert "[10, 784]" in text
    assert fits in text
    assert "layer 'body.1' of Net: Linear(" in caught.value.__notes__[0]


def vector():
    return flambeau.arange(6.0)


def matrix():
    return flambeau.arange(9.0).reshape(3, 3)


def at(*values):
    return flambeau.tensor(values)


ONE = flambeau.ones(1)
INDEXED = {
    "getitem": lambda i: vector()[at(i)],
    "getitem_two": lambda i: matrix()[at(0), at(i)],
    "setitem": lambda i: vector().index_put((at(i),), ONE),
    "gather": lambda i: vector().gather(0, at(i)),
    "gather_rows": lambda i: matrix().gather(1, at(i).reshape(1, 1)),
    "index_select": lambda i: matrix().index_select(1, at(i)),
    "index_add": lambda i: vector().index_add(0, at(i), ONE),
    "index_copy": lambda i: vector().index_copy(0, at(i), ONE),
    "index_fill": lambda i: vector().index_fill(0, at(i), 2.0),
    "scatter": lambda i: vector().scatter(0, at(i), 1.0),
    "scatter_add": lambda i: vector().scatter_add(0, at(i), ONE),
    "scatter_reduce": lambda i: vector().scatter_reduce(0, at(i), ONE, "amax"),
    "take": lambda i: vector().take(at(i)),
    "embedding": lambda i: F.embedding(at(i), matrix()),
    "one_hot": lambda i: F.one_hot(at(i), 3),
    "cross_entropy": lambda i: F.cross_entropy(flambeau.zeros(2, 3), at(0, i)),
    "nll_loss": lambda i: F.nll_loss(flambeau.zeros(2, 3), at(0, i)),
    "multi_margin_loss": lambda i: F.multi_margin_loss(flambeau.zeros(2, 3), at(0, i)),
}
# An index below zero counts from the end here, and only here.
FROM_THE_END = {"getitem", "getitem_two", "setitem", "index_fill", "take"}


@pytest.mark.parametrize("name", INDEXED)
@pytest.mark.parametrize("index", [6, 1 << 40, -7, -(1 << 40)])
def test_index_out_of_range(backend, name, index):
    result = INDEXED[name](index)
    where = INDEXED[name].__code__.co_firstlineno
    with pytest.raises(IndexError, match=rf"{index} is out of .*test_wrongness.py:{where}\)"):
        result.tolist()


@pytest.mark.parametrize("name", sorted(set(INDEXED) - FROM_THE_END))
def test_negative_index(backend, name):
    result = INDEXED[name](-1)
    with pytest.raises((IndexError, RuntimeError), match="index -1 is out of bounds"):
        result.tolist()


@pytest.mark.parametrize("name", sorted(FROM_THE_END))
def test_index_from_the_end(backend, name):
    last = 2 if name == "getitem_two" else 5
    assert INDEXED[name](-1).tolist() == INDEXED[name](last).tolist()


def test_what_does_not_depend_on_a_failure_is_there(backend):
    x = vector()
    view = x[1:]
    x += 1
    bad = x[at(9)]
    with pytest.raises(IndexError):
        bad.tolist()
    assert view.tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    x.mul_(2)
    assert view.tolist() == [4.0, 6.0, 8.0, 10.0, 12.0]


NUMBERS = """
import hashlib
import flambeau as torch

torch.manual_seed(0)
x = torch.randn(700, 300)
w = (x[:300] * 0.1).clone().requires_grad_()
y = (x @ w).softmax(1)
loss = y.log().sum() + x.cos().sum(0).prod() + x.var()
loss.backward()
parts = [loss.detach(), y.detach(), w.grad, x.sum(0), x.mean(1), x.exp().sum()]
print(hashlib.sha256(b"".join(p.numpy().tobytes() for p in parts)).hexdigest())
"""


def test_numbers_do_not_depend_on_threads():
    root = str(pathlib.Path(flambeau.__file__).parents[1])
    found = set()
    for threads in ("1", "2", "5"):
        settings = {**os.environ, "FLAMBEAU_THREADS": threads, "FLAMBEAU_BACKEND": "llvm"}
        settings["PYTHONPATH"] = root
        found.add(subprocess.check_output([sys.executable, "-c", NUMBERS], env=settings))
    assert len(found) == 1
