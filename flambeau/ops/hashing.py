"""`hash_tensor`: a number that tells tensors of other elements apart."""

import numpy as np

from .. import dtypes
from ..recorder.handle import intern
from .api import cast_to, function
from .core import Host
from .reduce import normalize_dim

__all__ = ["hash_tensor"]


def _infer(operands, attrs):
    shape, dims = operands[0].shape, attrs["dims"]
    kept = [1 if d in dims else n for d, n in enumerate(shape) if attrs["keepdim"] or d not in dims]
    return intern(kept, dtypes.uint64)


def _fold(x, dims, keepdim):
    return np.bitwise_xor.reduce(x.view(np.uint64), axis=dims, keepdims=keepdim)


_hash = Host("hash_tensor", _infer, _fold, differentiable=False)


@function
def hash_tensor(input, dim=(), *, keepdim=False, mode=0):
    """The exclusive or over `dim` of the bits of elements, as float64 or int64; of dtype uint64.

    mode: 0, the only one. Raises NotImplementedError for complex tensors, RuntimeError for an empty
    one without `dim`.

    >>> import flambeau as torch
    >>> torch.hash_tensor(torch.tensor([1, 2, 7]))
    tensor(4, dtype=torch.uint64)
    """
    kind, shape = input._meta.dtype, input._meta.shape
    if mode != 0:
        raise RuntimeError(f"hash_tensor: Unknown reduction mode {mode}")
    if kind.is_complex:
        raise NotImplementedError(f'"hash_tensor" not implemented for {kind.name} tensors')
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if not dims and not input._meta.numel:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    dims = tuple(normalize_dim(d, len(shape)) for d in dims) or tuple(range(len(shape)))
    wide = cast_to(input.detach(), dtypes.float64 if kind.is_floating_point else dtypes.int64)
    return _hash(wide, dims=dims if shape else (), keepdim=bool(keepdim))
