"""The same expression evaluated in both libraries, and its results compared in every part."""

import warnings

import numpy as np
import pytest

import flambeau

SETUP = """
i = T.tensor([[0, 1, 1, 0], [2, 0, 2, 2]])
v = T.tensor([3.0, 4.0, 5.0, 1.0])
s = T.sparse_coo_tensor(i, v, (2, 3))
c = s.coalesce()
b = T.tensor([[1.0, 0, 2], [0, 0, 3]]).to_sparse()
d = T.arange(6.0).reshape(2, 3) + 1
m = T.arange(12.0).reshape(3, 4)
row = T.tensor([1.0, 2.0, 3.0])
csr = c.to_sparse_csr()
hybrid = T.sparse_coo_tensor(T.tensor([[0, 2]]), T.arange(6.0).reshape(2, 3), (4, 3))
cube = (T.arange(18.0).reshape(2, 3, 3) - 9).relu().to_sparse()
"""


def evaluate(library, expression):
    """What an expression gives, or the exception that it raises."""
    names = {"T": library}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(SETUP, names)
        try:
            return eval(expression, names)
        except Exception as error:
            return error


def assert_alike(ours, theirs, what):
    """Assert that two results agree: sparse tensors in their parts, exceptions in their class."""
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{what}: {ours!r} is no {type(theirs).__name__}"
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs), what
        for a, b in zip(ours, theirs, strict=True):
            assert_alike(a, b, what)
    elif hasattr(theirs, "layout"):
        assert isinstance(ours, flambeau.Tensor), f"{what}: {ours!r}"
        for name in ("layout", "dtype", "shape", "requires_grad"):
            assert str(getattr(ours, name)) == str(getattr(theirs, name)), f"{what}: {name}"
        for name in PARTS.get(str(theirs.layout), ()):
            assert_alike(getattr(ours, name)(), getattr(theirs, name)(), f"{what}: {name}")
        if str(theirs.layout) == "torch.strided":
            a, b = ours.detach().numpy(), theirs.detach().resolve_conj().numpy()
            np.testing.assert_allclose(a, b, 1e-5, 1e-6, err_msg=what)
    else:
        assert str(ours) == str(theirs), what


PARTS = {
    "torch.sparse_coo": ("_indices", "_values", "is_coalesced", "sparse_dim", "dense_dim"),
    "torch.sparse_csr": ("crow_indices", "col_indices", "values"),
    "torch.sparse_csc": ("ccol_indices", "row_indices", "values"),
}


@pytest.fixture(scope="session")
def same(torch):
    """The function that asserts that an expression gives the same in both libraries."""

    def check(expression):
        ours, theirs = evaluate(flambeau, expression), evaluate(torch, expression)
        if isinstance(ours, Exception) and not isinstance(theirs, Exception):
            raise ours
        assert_alike(ours, theirs, expression)

    return check


@pytest.fixture(scope="session")
def both(torch):
    """The function that evaluates an expression in flambeau and in PyTorch."""
    return lambda expression: (evaluate(flambeau, expression), evaluate(torch, expression))
