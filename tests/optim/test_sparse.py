"""Gradients for some rows only: `SparseAdam`, and the optimizers that also take them."""

import pytest

import flambeau


def test_dense_gradients_are_refused():
    p = flambeau.ones(2, requires_grad=True)
    p.grad = flambeau.ones(2)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please"):
        flambeau.optim.SparseAdam([p]).step()


def test_complex_parameters_are_refused():
    p = flambeau.ones(2, requires_grad=True)
    q = flambeau.zeros(2, dtype=flambeau.complex64, requires_grad=True)
    with pytest.raises(ValueError, match=r"Complex params at indices \[\[0, 1\]\]: Sparse"):
        flambeau.optim.SparseAdam([p, q])


def test_nothing_happens_without_gradients():
    p = flambeau.ones(2, requires_grad=True)
    optimizer = flambeau.optim.SparseAdam([p])
    assert optimizer.step(lambda: 5) == 5
    assert not optimizer.state
