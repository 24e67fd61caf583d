"""How a tensor becomes another, against PyTorch."""

import pytest

import flambeau

KINDS = {
    "class": lambda t: t.DoubleTensor,
    "class of integers": lambda t: t.LongTensor,
    "name": lambda t: "torch.HalfTensor",
    "name of a sparse class": lambda t: "torch.sparse.IntTensor",
    "dtype": lambda t: t.int32,
    "Tensor": lambda t: t.Tensor,
    "absent name": lambda t: "torch.NoTensor",
    "name of a dtype": lambda t: "int64",
    "type of numbers": lambda t: float,
    "number": lambda t: 5,
    "name of an absent device": lambda t: "torch.cuda.FloatTensor",
    "class of an absent device": lambda t: t.cuda.FloatTensor,
}


@pytest.mark.parametrize("name", KINDS)
def test_type(torch, name):
    def outcome(t):
        try:
            made = t.tensor([1, 2]).type(KINDS[name](t))
        except (RuntimeError, TypeError, ValueError) as error:
            return type(error).__name__
        return str(made.dtype), made.tolist()

    assert outcome(flambeau) == outcome(torch)
