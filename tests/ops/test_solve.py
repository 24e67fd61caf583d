"""Linear equations and inverses: singular matrices, derivatives and what is written into."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck

linalg = flambeau.linalg


def matrices(*shape, kind=flambeau.float64, grad=True):
    """Matrices whose inverse is tame."""
    flambeau.manual_seed(3)
    made = flambeau.randn(*shape, dtype=kind) + 2 * flambeau.eye(shape[-1], dtype=kind)
    return made.requires_grad_(grad)


def singular():
    """The identity, and a matrix of rank 1."""
    return flambeau.stack([flambeau.eye(3), flambeau.ones(3, 3)])


KINDS = pytest.mark.parametrize("kind", [flambeau.float64, flambeau.complex128])


@KINDS
@pytest.mark.parametrize("shape", [(3, 3), (2, 2, 2), (0, 3, 3), (0, 0)])
def test_derivatives_of_inverses(kind, shape):
    """First and second ones, of batches and empty matrices too."""
    a = matrices(*shape, kind=kind)
    assert gradcheck(linalg.inv, (a,))
    assert gradgradcheck(linalg.inv, (a,))


@KINDS
@pytest.mark.parametrize(("left", "b"), [(True, (2, 3, 2)), (False, (2, 3)), (True, (3,))])
def test_derivatives_of_solutions(kind, left, b):
    """With batches that broadcast."""
    a = matrices(3, 3, kind=kind)
    b = flambeau.randn(*b, dtype=kind).requires_grad_()

    def solve(a, b):
        return linalg.solve(a, b, left=left)

    assert gradcheck(solve, (a, b))
    assert gradgradcheck(solve, (a, b))


CALLS = {
    "inv": lambda t, a: t.linalg.inv(a),
    "one inv": lambda t, a: t.linalg.inv(a[1]),
    "inverse": lambda t, a: t.inverse(a),
    "inv_ex": lambda t, a: t.linalg.inv_ex(a, check_errors=True)[0],
    "solve": lambda t, a: t.linalg.solve(a, a),
    "solve_ex": lambda t, a: t.linalg.solve_ex(a, a, check_errors=True)[0],
    "power": lambda t, a: t.linalg.matrix_power(a, -2),
    "tensorinv": lambda t, a: t.linalg.tensorinv(a[1], ind=1),
    "tensorsolve": lambda t, a: t.linalg.tensorsolve(a[1], a[0, 0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_singular_matrices_raise_as_in_pytorch(torch, name):
    """With the class and the words of PyTorch."""
    values = singular().numpy()
    with pytest.raises(torch.linalg.LinAlgError) as theirs:
        CALLS[name](torch, torch.from_numpy(values))
    with pytest.raises(linalg.LinAlgError) as ours:
        CALLS[name](flambeau, flambeau.from_numpy(values)).tolist()
    assert str(theirs.value) in str(ours.value)


def test_info_of_singular_matrices():
    """The place of the zero pivot, and NaN for the result."""
    inverse, info = linalg.inv_ex(singular())
    assert info.dtype is flambeau.int32
    assert info.tolist() == [0, 2]
    assert inverse[0].tolist() == np.eye(3).tolist()
    assert inverse[1].isnan().all()
    made = linalg.solve_ex(singular(), flambeau.ones(3, 1))
    assert made.info.tolist() == [0, 2]
    assert made.result[0].tolist() == [[1.0]] * 3


def test_first_of_several_zero_pivots():
    """The pivot that is named is the first that is zero."""
    a = flambeau.diag(flambeau.tensor([1.0, 2.0, 0.0, 3.0, 0.0]))
    assert linalg.inv_ex(a).info.item() == 3


def test_numbers_that_are_not_finite_pass():
    """They give NaN and no error."""
    a = flambeau.tensor([[float("nan"), 1.0], [0.0, 1.0]])
    inverse, info = linalg.inv_ex(a)
    assert inverse.isnan().any()
    assert info.item() == 0


def test_out():
    """Results are written into tensors of the same dtype, which are resized."""
    a = flambeau.eye(2) * 2
    out, info = flambeau.empty(0), flambeau.empty(0, dtype=flambeau.int32)
    assert linalg.inv(a, out=out) is out
    assert out.tolist() == [[0.5, 0.0], [0.0, 0.5]]
    assert linalg.solve(a, flambeau.ones(2), out=out).tolist() == [0.5, 0.5]
    made = linalg.inv_ex(a, out=(out, info))
    assert made.inverse is out
    assert made.info is info
    assert flambeau.inverse(a, out=a).tolist() == [[0.5, 0.0], [0.0, 0.5]]
    with pytest.raises(RuntimeError, match="dtype"):
        linalg.inv(a, out=flambeau.empty(0, dtype=flambeau.float64))
    with pytest.raises(RuntimeError, match="dtype"):
        linalg.inv_ex(a, out=(out, flambeau.empty(0)))


ERRORS = [
    "T.linalg.inv(T.ones(3))",
    "T.linalg.inv(T.ones(2, 3))",
    "T.linalg.inv(T.ones(2, 2, dtype=T.int64))",
    "T.linalg.inv(T.ones(2, 2, dtype=T.float16))",
    "T.linalg.inv(1)",
    "T.linalg.solve(T.eye(3), T.ones(2, 3))",
    "T.linalg.solve(T.eye(3), T.ones(3), left=False)",
    "T.linalg.solve(T.eye(3), T.tensor(1.0))",
    "T.linalg.solve(T.eye(3), T.ones(3).double())",
    "T.linalg.solve(T.empty(2, 3, 3), T.empty(3, 3, 2))",
    "T.linalg.solve(T.ones(3), T.ones(3))",
    "T.linalg.tensorinv(T.ones(4, 2, 3), ind=1)",
    "T.linalg.tensorinv(T.ones(4, 4), ind=0)",
    "T.linalg.tensorinv(T.ones(3))",
    "T.linalg.tensorsolve(T.ones(6, 2, 3), T.ones(2, 2))",
    "T.linalg.tensorsolve(T.ones(3, 3), T.ones(3), dims=(5,))",
    "T.linalg.vander(T.tensor(2.0))",
    "T.linalg.vander(T.ones(2, dtype=T.bool))",
]


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch, code):
    """What PyTorch refuses is refused, with the same class."""
    with pytest.raises(Exception) as theirs:
        eval(code, {"T": torch})
    with pytest.raises(type(theirs.value)):
        eval(code, {"T": flambeau})


def test_vander_of_one_number():
    """A 0-dim tensor is one row."""
    assert linalg.vander(flambeau.tensor(2.0), N=3).tolist() == [[1.0, 2.0, 4.0]]
