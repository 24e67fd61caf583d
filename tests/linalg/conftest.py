"""What tests of linear algebra share: random matrices, and results of both libraries compared."""

import warnings

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck

KINDS = ("float32", "float64", "complex64", "complex128")


def compare(ours, theirs, tolerance):
    """Assert that results agree in structure, dtype, shape and numbers."""
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for field in getattr(theirs, "_fields", ()):
            assert field in ours._fields
        for a, b in zip(ours, theirs, strict=True):
            compare(a, b, tolerance)
        return
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    a, b = (x.detach().resolve_conj().numpy() for x in (ours, theirs))
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


class Matrices:
    """Random matrices, the same in both libraries, and what is asserted of functions of them."""

    def __init__(self, torch):
        self.torch, self.random = torch, np.random.default_rng(0)

    def array(self, *shape, kind="float64"):
        """An array of normal numbers, with imaginary parts if complex."""
        x = self.random.standard_normal(shape)
        if np.dtype(kind).kind == "c":
            x = x + 1j * self.random.standard_normal(shape)
        return x.astype(kind)

    def positive(self, *shape, kind="float64"):
        """Positive definite matrices."""
        x = self.array(*shape, kind=kind)
        return x @ x.conj().swapaxes(-1, -2) + np.eye(shape[-1], dtype=kind)

    def agree(self, call, *arrays, tolerance=None):
        """Assert that call(library, *tensors) gives the same in both; returns ours."""
        if tolerance is None:
            tolerance = 1e-8 if arrays[0].dtype in (np.float64, np.complex128) else 2e-3
        ours = call(flambeau, *map(flambeau.tensor, arrays))
        with warnings.catch_warnings():  # some of the functions are deprecated there
            warnings.simplefilter("ignore", UserWarning)
            theirs = call(self.torch, *map(self.torch.tensor, arrays))
        compare(ours, theirs, tolerance)
        return ours

    def same_gradients(self, call, *arrays, tolerance=1e-8):
        """Assert that the gradients of a sum of results agree in both libraries."""
        made = []
        for library in (flambeau, self.torch):
            inputs = [library.tensor(x).requires_grad_() for x in arrays]
            call(library, *inputs).sum().abs().backward()
            made.append(tuple(x.grad for x in inputs))
        compare(*made, tolerance)

    def differentiable(self, call, *arrays, twice=True):
        """Assert that derivatives of call(flambeau, *tensors) are what differences say."""
        inputs = tuple(flambeau.tensor(x).requires_grad_() for x in arrays)

        def f(*tensors):
            return call(flambeau, *tensors)

        assert gradcheck(f, inputs)
        if twice:
            assert gradgradcheck(f, inputs)

    def same_errors(self, call, *arrays):
        """Assert that both libraries raise, and say the same in the end."""
        said = []
        for library in (flambeau, self.torch):
            with pytest.raises((RuntimeError, NotImplementedError)) as caught:
                call(library, *map(library.tensor, arrays))
            said.append(str(caught.value))
        assert said[0] == said[1]


@pytest.fixture
def matrices(torch):
    """Random matrices in both libraries."""
    return Matrices(torch)


@pytest.fixture(params=KINDS)
def kind(request):
    """The name of each dtype that has factorizations."""
    return request.param


@pytest.fixture(params=("float64", "complex128"))
def wide(request):
    """The name of each dtype that derivatives are checked in."""
    return request.param
