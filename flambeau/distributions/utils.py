"""What distributions are written with: broadcasting, logits and probabilities, triangles."""

import functools
import math
import numbers

from ..autograd.modes import enable_grad
from ..dtypes import finfo, get_default_dtype, int64
from ..ops.composite.softmax import softmax
from ..ops.copies import cat
from ..ops.creation import zeros
from ..ops.diagonals import tril_indices
from ..ops.from_data import make_tensor as tensor
from ..ops.movement import broadcast_tensors
from ..ops.random import randn
from ..ops.reduce import logsumexp
from ..recorder.handle import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "lazy_property",
    "logits_to_probs",
    "normalized_logits",
    "probs_to_logits",
    "sum_rightmost",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060


def broadcast_all(*values):
    """Tensors and numbers as tensors of one shape; numbers take the dtype of the first tensor.

    Without a tensor among them they are of the default dtype.
    Raises: ValueError for what is neither a number nor a tensor.
    """
    if not all(isinstance(v, (Tensor, numbers.Number)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            "__torch_function__."
        )
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), get_default_dtype())
    return broadcast_tensors(
        *[v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values]
    )


def sum_rightmost(value, count):
    """The sum over the last `count` dims; a number stays as it is."""
    if count == 0 or not isinstance(value, Tensor):
        return value
    return value.reshape((*value.shape[:-count], -1)).sum(-1)


_sum_rightmost = sum_rightmost  # as libraries that build on PyTorch call it


def _standard_normal(shape, dtype, device):
    """Numbers of the standard normal distribution."""
    return randn(shape, dtype=dtype, device=device)


def clamp_probs(probs):
    """Probabilities kept off 0 and 1 by the dtype's epsilon."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits, is_binary=False):
    """Probabilities of log odds, or along the last dim of log weights."""
    return logits.sigmoid() if is_binary else softmax(logits, -1)


def probs_to_logits(probs, is_binary=False):
    """Log odds of probabilities, or the logarithms of weights along the last dim."""
    safe = clamp_probs(probs)
    return safe.log() - (-safe).log1p() if is_binary else safe.log()


def normalized_logits(logits):
    """Log weights less the logarithm of their sum along the last dim."""
    return logits - logsumexp(logits, -1, True)


class lazy_property:
    """A property that is computed when it is first asked for, and then kept by the instance."""

    def __init__(self, function):
        self.function = function
        functools.update_wrapper(self, function)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        with enable_grad():
            value = instance.__dict__[self.__name__] = self.function(instance)
        return value


def tril_matrix_to_vec(mat, diag=0):
    """The elements of matrices on and below a diagonal, row by row: `(..., n, n)` to `(..., m)`.

    Raises: ValueError for a diagonal that the matrices do not have.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = tril_indices(n, n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec, diag=0):
    """Lower triangular matrices with the elements given row by row: `(..., m)` to `(..., n, n)`.

    Raises: ValueError for a count of elements that fills no triangle.
    """
    count = vec.shape[-1]
    steps = 1 + 2 * diag
    n = (math.sqrt(steps * steps + 4 * abs(diag) * (diag + 1) + 8 * count) - steps) / 2
    if n != int(n):
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    # Every place of the matrix picks an element, or the zero behind them.
    places, size = iter(range(count)), range(int(n))
    table = [[next(places) if j - i <= diag else count for j in size] for i in size]
    padded = cat([vec, zeros((*vec.shape[:-1], 1), dtype=vec.dtype)], -1)
    return padded[..., tensor(table, dtype=int64)]
