"""Operands of products that are read in groups of dims: permuted, then reshaped to a matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flambeau
from flambeau import config

sizes = st.integers(1, 7)


@pytest.fixture(autouse=True)
def native(monkeypatch):
    """Compile at once."""
    monkeypatch.setattr(config, "backend", "llvm")
    monkeypatch.setattr(config, "verify", True)


def operand(draw, generator, batch, rows, columns):
    """(array, permutation, shape): a permuted array that is reshaped to batches of matrices."""
    shape = [batch, *rows, *columns]
    order = draw(st.permutations(range(len(shape))))
    inverse = np.argsort(order)
    array = generator.uniform(-1, 1, [shape[d] for d in order]).astype(np.float32)
    matrix = (batch, int(np.prod(rows)), int(np.prod(columns)))
    return array, [int(d) for d in inverse], matrix


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_products_of_permuted_tensors(data):
    draw = data.draw
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    batch = draw(st.integers(1, 3))
    m, n, k = ([draw(sizes) for _ in range(draw(st.integers(1, 2)))] for _ in range(3))
    a, b = operand(draw, generator, batch, m, k), operand(draw, generator, batch, k, n)
    computed, seen, turned = (draw(st.booleans()) for _ in range(3))
    expected = np.matmul(*(x.transpose(order).reshape(shape) for x, order, shape in (a, b)))
    found, others = [], []
    for x, order, shape in (a, b):
        t = flambeau.tensor(x)
        t = (t * 2 if computed else t).permute(order)
        if seen:  # the permuted value has memory of its own as well
            others.append(t.reshape(-1, shape[2]))
        found.append(t.reshape(shape))
    left, right = found
    if turned:
        result = (right.transpose(1, 2) @ left.transpose(1, 2)).transpose(1, 2)
    else:
        result = left @ right
    scale = 4 if computed else 1
    np.testing.assert_allclose(result.numpy(), scale * expected, rtol=1e-4, atol=1e-4)
    for t, (x, order, shape) in zip(others, (a, b), strict=False):
        want = (2 if computed else 1) * x.transpose(order).reshape(-1, shape[2])
        np.testing.assert_array_equal(t.numpy(), want)


def test_a_reshape_of_a_reshape():
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    w = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
    found = flambeau.tensor(x).permute(3, 1, 0, 2).reshape(1, 15, 8).transpose(1, 2)
    found = found.reshape(10, 12) @ flambeau.tensor(w)
    want = x.transpose(3, 1, 0, 2).reshape(1, 15, 8).transpose(0, 2, 1).reshape(10, 12) @ w
    np.testing.assert_allclose(found.numpy(), want, rtol=1e-5)


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [1, 2])
def test_windows_are_read_where_they_are(padding, stride):
    """A convolution, whose windows are packed from the image; its gradients as well."""
    generator = np.random.default_rng(1)
    x = flambeau.tensor(generator.uniform(-1, 1, (3, 9, 13, 30)), requires_grad=True)
    w = flambeau.tensor(generator.uniform(-1, 1, (17, 9, 3, 3)), requires_grad=True)
    conv = flambeau.nn.functional.conv2d
    assert flambeau.autograd.gradcheck(
        lambda a, b: conv(a, b, stride=stride, padding=padding).sum((2, 3)),
        (x[:1, :, :5, :20].detach().requires_grad_(), w[:2].detach().requires_grad_()),
    )
    loss = (conv(x, w, stride=stride, padding=padding) ** 2).sum()
    loss.backward()
    step = 1e-6
    for t in (x, w):
        direction = flambeau.sign(t.grad)
        with flambeau.no_grad():
            moved = [t + step * direction if t is u else u for u in (x, w)]
            after = (conv(*moved, stride=stride, padding=padding) ** 2).sum()
            slope = (after - loss) / step
        assert slope.item() == pytest.approx(t.grad.abs().sum().item(), rel=1e-4)


@pytest.mark.parametrize("followed", [False, True])
def test_pieces_of_rows_that_consist_of_runs(followed):
    """Pieces that threads share begin where vectors of rows do."""
    generator = np.random.default_rng(2)
    x = generator.uniform(-1, 1, (64, 1100, 10)).astype(np.float32)
    w = generator.uniform(-1, 1, (64, 16)).astype(np.float32)
    want = x[:, 1:, 1:9].transpose(1, 2, 0).reshape(-1, 64) @ w
    before = flambeau.get_num_threads()
    try:
        for count in (1, 2, 3):
            flambeau.set_num_threads(count)
            a = flambeau.tensor(x)[:, 1:, 1:9].permute(1, 2, 0).reshape(-1, 64)
            found = a @ flambeau.tensor(w)
            found = found.clamp(min=0.0) if followed else found
            expected = np.maximum(want, 0) if followed else want
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)
    finally:
        flambeau.set_num_threads(before)
