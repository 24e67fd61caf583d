"""assert_close: accepts and refuses what torch's does, in the same words."""

import numpy as np
import pytest

import flambeau

NAN, INF = float("nan"), float("inf")


def small(lib, *values):
    """A tensor of numbers of 8 bits."""
    return lib.tensor(values).to(lib.float8_e4m3fn)


# Functions of a library that give (actual, expected) and options.
CASES = {
    "equal": lambda t: (t.ones(2), t.ones(2)),
    "close": lambda t: (t.ones(2) + 1e-6, t.ones(2)),
    "far": lambda t: (t.tensor([[1.0, 2.0], [3.0, 4.5]]), t.tensor([[1.0, 2.5], [3.0, 4.0]])),
    "float64": lambda t: (t.ones(2, dtype=t.float64) + 1e-6, t.ones(2, dtype=t.float64)),
    "half": lambda t: (t.tensor([1.0, 1.1]).half(), t.tensor([1.0, 1.0]).half()),
    "integers": lambda t: (t.tensor([1, 2, 0]), t.tensor([1, 3, 5])),
    "to zero": lambda t: (t.tensor([1, 2]), t.tensor([0, 0])),
    "booleans": lambda t: (t.tensor([True, False]), t.tensor([True, True])),
    "small integers": lambda t: (t.tensor([255]).byte(), t.tensor([0]).byte()),
    "small floats": lambda t: (small(t, 1.0, 2.0), small(t, 1.0, 2.0)),
    "small floats differ": lambda t: (small(t, 1.0, 2.0), small(t, 1.0, 3.0)),
    "small float differs": lambda t: (small(t, 1.0, 2.0)[0], small(t, 3.0)[0]),
    "small floats' tolerances": lambda t: (small(t, 1.0), small(t, 1.0), {"rtol": 1, "atol": 1}),
    "unsigned": lambda t: (t.ones(2).to(t.uint16), t.zeros(2).to(t.uint16)),
    "unsigned and not": lambda t: (
        *(t.ones(2).to(t.uint32), t.ones(2)),
        {"check_dtype": False},
    ),
    "complex": lambda t: (t.tensor([1 + 1j, 2j]), t.tensor([1 + 1j, 3j])),
    "scalars": lambda t: (t.tensor(1.0), t.tensor(2.0)),
    "scalar zero": lambda t: (t.tensor(1), t.tensor(0)),
    "empty": lambda t: (t.ones(0), t.ones(0)),
    "nan": lambda t: (t.tensor([NAN, 1.0]), t.tensor([NAN, 1.0])),
    "equal nan": lambda t: (t.tensor([NAN, 1.0]), t.tensor([NAN, 1.0]), {"equal_nan": True}),
    "infinity": lambda t: (t.tensor([INF, 1.0]), t.tensor([INF, INF])),
    "shape": lambda t: (t.ones(2), t.ones(1, 2)),
    "dtype": lambda t: (t.ones(2), t.ones(2).double()),
    "no dtype": lambda t: (t.ones(2), t.ones(2).double(), {"check_dtype": False}),
    "mixed": lambda t: (t.ones(2), t.tensor([1, 2]), {"check_dtype": False}),
    "stride": lambda t: (t.ones(2, 3), t.ones(3, 2).t(), {"check_stride": True}),
    "no stride": lambda t: (t.ones(2, 3), t.ones(3, 2).t()),
    "tolerances": lambda t: (t.ones(2), t.ones(2) * 1.1, {"rtol": 0.0, "atol": 0.2}),
    "zero tolerances": lambda t: (t.ones(2), t.ones(2) * 1.1, {"rtol": 0, "atol": 0}),
    "one tolerance": lambda t: (t.ones(2), t.ones(2), {"rtol": 0.1}),
    "other tolerance": lambda t: (1.0, 1.0, {"atol": 0.1}),
    "message": lambda t: (t.ones(2), t.zeros(2), {"msg": "wrong"}),
    "changed message": lambda t: (t.ones(2), t.zeros(2), {"msg": lambda m: f"[{m}]"}),
    "message of structure": lambda t: ([1], [1, 2], {"msg": "wrong"}),
    "numbers": lambda t: (1.0, 1.5),
    "same numbers": lambda t: (3, 3),
    "close numbers": lambda t: (1.0, 1.0 + 1e-9),
    "number types": lambda t: (1, 1.0),
    "no number types": lambda t: (1, 1.0, {"check_dtype": False}),
    "complex numbers": lambda t: (1 + 1j, 1 + 2j),
    "nan numbers": lambda t: (NAN, NAN),
    "equal nan numbers": lambda t: (NAN, NAN, {"equal_nan": True}),
    "infinite numbers": lambda t: (INF, 1.0),
    "bools": lambda t: (True, False),
    "numpy bools": lambda t: (np.bool_(True), True),
    "none": lambda t: (None, None),
    "none and tensor": lambda t: (None, t.ones(1)),
    "numpy numbers": lambda t: (np.float32(1.5), 1.5),
    "arrays": lambda t: (np.ones(2), np.zeros(2)),
    "array and tensor": lambda t: (np.ones(2), t.ones(2)),
    "list and tensor": lambda t: ([1.0, 2.0], t.tensor([1.0, 2.0])),
    "list and tuple": lambda t: ([1.0, 2.0], (1.0, 2.0)),
    "strings": lambda t: ("a", "a"),
    "objects": lambda t: (object, object),
    "nested": lambda t: ({"a": [t.ones(2), 1]}, {"a": [t.zeros(2), 1]}),
    "lengths": lambda t: ([1, 2], [1, 2, 3]),
    "nested lengths": lambda t: ({"a": [1, 2]}, {"a": [1, 2, 3]}),
    "keys": lambda t: ({"a": 1, "b": 2}, {"b": 2, "c": 3}),
    "odd keys": lambda t: ({1: 1, "b": 2}, {"b": 2, 1: 3}),
    "first of several": lambda t: ([t.ones(1), 1, 2], [t.ones(1), 2, 3]),
    "structure first": lambda t: ([1, [1]], [2, [1, 2]]),
    "gradients": lambda t: (t.ones(2, requires_grad=True), t.zeros(2)),
    "sparse": lambda t: (t.eye(2).to_sparse(), t.eye(2).to_sparse()),
    "sparse values": lambda t: (t.eye(2).to_sparse(), (2 * t.eye(2)).to_sparse()),
    "sparse number": lambda t: (t.eye(2).to_sparse(), t.ones(2, 2).to_sparse()),
    "sparse dims": lambda t: (t.eye(2).to_sparse(1), t.eye(2).to_sparse()),
    "layout": lambda t: (t.eye(2), t.eye(2).to_sparse()),
    "no layout": lambda t: (t.eye(2), t.eye(2).to_sparse(), {"check_layout": False}),
    "csr": lambda t: (t.eye(2).to_sparse_csr(), t.eye(2).to_sparse_csr()),
    "csr values": lambda t: (t.eye(2).to_sparse_csr(), (2 * t.eye(2)).to_sparse_csr()),
    "csr indices": lambda t: (
        t.eye(2).to_sparse_csr(),
        t.tensor([[1.0, 1.0], [0.0, 0.0]]).to_sparse_csr(),
    ),
}


def outcome(lib, make):
    """The class and the message of what assert_close raises, or None."""
    actual, expected, *options = make(lib)
    try:
        lib.testing.assert_close(actual, expected, **(options[0] if options else {}))
    except Exception as error:
        return type(error).__name__, str(error)
    return None


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_outcomes(torch, name):
    ours, theirs = outcome(flambeau, CASES[name]), outcome(torch, CASES[name])
    if theirs is not None:
        theirs = (theirs[0], theirs[1].replace("torch._tensor.Tensor", "torch.Tensor"))
        ours = (ours[0], ours[1].replace("flambeau.recorder.handle.Tensor", "torch.Tensor"))
    assert ours == theirs


def test_subclasses():
    parameter, tensor = flambeau.nn.Parameter(flambeau.ones(2)), flambeau.ones(2)
    flambeau.testing.assert_close(parameter, tensor)
    with pytest.raises(TypeError, match="No comparison pair"):
        flambeau.testing.assert_close(parameter, tensor, allow_subclasses=False)


def test_assert_allclose(torch):
    for lib in (flambeau, torch):
        with pytest.warns(FutureWarning, match="deprecated since 1.12"):
            lib.testing.assert_allclose(lib.ones(2), [1.0, 1.00005])
        with (
            pytest.warns(FutureWarning, match="deprecated since 1.12"),
            pytest.raises(AssertionError, match="far away"),
        ):
            lib.testing.assert_allclose([1.0], lib.tensor([1.1]), msg="far away")
        with pytest.warns(FutureWarning, match="deprecated since 1.12"):
            lib.testing.assert_allclose(lib.tensor([NAN]), lib.tensor([NAN]).double())
