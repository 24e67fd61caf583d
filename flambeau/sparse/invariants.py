"""What the parts of sparse tensors must be to fit each other."""

import functools
import itertools

import numpy as np

from ..recorder.sync import to_array

__all__ = ["check_compressed", "check_sparse_tensor_invariants", "checked_shape"]


class check_sparse_tensor_invariants:
    """Whether new sparse tensors are checked: a context manager, a decorator, or two functions."""

    _on = False

    def __init__(self, enable=True):
        self._state, self._before = enable, []

    @staticmethod
    def is_enabled():
        """Whether new sparse tensors are checked."""
        return check_sparse_tensor_invariants._on

    @staticmethod
    def enable():
        """Check them from now on."""
        check_sparse_tensor_invariants._on = True

    @staticmethod
    def disable():
        """Do not check them from now on."""
        check_sparse_tensor_invariants._on = False

    def __enter__(self):
        self._before.append(self.is_enabled())
        check_sparse_tensor_invariants._on = self._state
        return self

    def __exit__(self, *_):
        check_sparse_tensor_invariants._on = self._before.pop()

    def __call__(self, f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            with type(self)(self._state):
                return f(*args, **kwargs)

        return wrapper


def checked_shape(indices, values, size):
    """The shape of a COO tensor of these parts. Raises RuntimeError if they do not fit."""
    if indices.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    if not values.ndim:
        values = values.reshape(1)
    if indices.shape[1] != values.shape[0]:
        raise RuntimeError(
            "indices and values must have same nnz, but got nnz from indices: "
            f"{indices.shape[1]}, nnz from values: {values.shape[0]}"
        )
    split, dense = indices.shape[0], tuple(values.shape[1:])
    if size is None:
        rows = to_array(indices)
        low = rows.min(1) if rows.size else ()
        for dim, k in enumerate(low):
            if k < 0:
                raise RuntimeError(f"found negative index {k} for dim {dim}")
        return (*(map(int, rows.max(1) + 1) if rows.size else (0,) * split), *dense)
    if len(size) != split + len(dense):
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
            f"sparse_dim = {split}, dense_dim = {len(dense)}"
        )
    if any(n < 0 for n in size):
        raise RuntimeError(f"numel: sizes must not be negative, but got {list(size)}")
    if tuple(size[split:]) != dense:
        raise RuntimeError(
            f"values has incorrect size, expected {[values.shape[0], *size[split:]]}, got "
            f"{list(values.shape)}"
        )
    return size


def check_compressed(x):
    """Raise RuntimeError unless the parts of a compressed tensor make a matrix."""
    names = ("crow", "col", "row") if x._by_rows else ("ccol", "row", "col")
    plain, other, line = f"{names[0]}_indices", f"{names[1]}_indices", f"{names[2]}s"
    if x.ndim != 2 + x.dense_dim():
        raise RuntimeError(
            "tensor dimensionality must be sum of batch, base, and dense dimensionalities (=0 + 2 "
            f"+ {x.dense_dim()}) but got {x.ndim}"
        )
    if x._starts.dtype is not x._others.dtype:
        raise RuntimeError(
            f"{plain} and {other} must have the same dtype, but got {x._starts.dtype} and "
            f"{x._others.dtype}, respectively"
        )
    starts, others = to_array(x._starts), to_array(x._others)
    count, width = (0, 1) if x._by_rows else (1, 0)
    if len(starts) != x.shape[count] + 1:
        raise RuntimeError(
            f"{plain}.shape[-1] must be equal to the number of {line} + 1 (={x.shape[count] + 1}), "
            f"but got {len(starts)}"
        )
    if len(others) != x._nnz():
        raise RuntimeError(
            f"{other}.shape[-1] must be equal to nnz (={x._nnz()}) as defined by values.shape[0], "
            f"but got {len(others)}"
        )
    if starts[0] != 0:
        raise RuntimeError(f"`{plain}[..., 0] == 0` is not satisfied.")
    if starts[-1] != len(others):
        raise RuntimeError(f"`{plain}[..., -1] == nnz` is not satisfied.")
    if others.size and not (others.min() >= 0 and others.max() < x.shape[width]):
        raise RuntimeError(f"`0 <= {other} < n{names[1]}s` is not satisfied.")
    rows = [others[a:b] for a, b in itertools.pairwise(starts)]
    if (np.diff(starts) < 0).any() or any((np.diff(row) <= 0).any() for row in rows):
        raise RuntimeError(
            f"`{other}[..., {plain}[..., i - 1]:{plain}[..., i]] for all i = 1, ..., n{line} are "
            "sorted and distinct along the last dimension values` is not satisfied."
        )
