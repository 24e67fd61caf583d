"""Equations that do not fit are refused as in PyTorch."""

import pytest

import flambeau


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk", [(2, 3)]),
        ("ij", [(2, 3), (3, 4)]),
        ("ij", [(2, 3, 4)]),
        ("ijk", [(2, 3)]),
        ("ij->k", [(2, 3)]),
        ("ij->ii", [(2, 3)]),
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ii->i", [(2, 3)]),
        ("i1->i", [(2, 3)]),
        ("i..->i", [(2, 3)]),
    ],
)
def test_refusals(torch, equation, shapes):
    """Both libraries raise RuntimeError."""
    for lib in (torch, flambeau):
        with pytest.raises(RuntimeError):
            lib.einsum(equation, *(lib.ones(s) for s in shapes))


def test_of_nothing():
    """At least one operand is needed."""
    with pytest.raises(RuntimeError, match="at least one operand"):
        flambeau.einsum("i")


def test_operands_as_a_list(torch):
    """The operands may come as one list; sizes of 1 broadcast."""
    for lib in (torch, flambeau):
        a, b = lib.ones(2, 3), lib.ones(1, 4)
        assert tuple(lib.einsum("ij,ik->ijk", [a, b]).shape) == (2, 3, 4)
