"""Tensors put together and taken apart: stacks, grids, blocks, products of sets, pieces."""

import itertools

import numpy as np

from .. import dtypes
from ..recorder.handle import Size, Tensor
from . import copies
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .core import broadcast_shapes as broadcast
from .core import result_dtype
from .from_data import make_tensor
from .reduce import normalize_dim

__all__ = ["meshgrid"]


def _unpacked(tensors):
    """Tensors given one by one or as one sequence; whether it was a sequence."""
    if len(tensors) == 1 and not isinstance(tensors[0], Tensor):
        return tuple(tensors[0]), True
    return tensors, False


def _at_least(name, ndim, grow):
    def at_least(*tensors):
        tensors, listed = _unpacked(tensors)
        made = tuple(grow(x) if x.ndim < ndim else x for x in tensors)
        return made if listed or len(made) != 1 else made[0]

    at_least.__name__ = name
    at_least.__doc__ = f"Tensors with dims of size 1 added up to {ndim} dims: views."
    return function(at_least, methods=False, out=False)


def _grow_3d(x):
    shape = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim]
    return x.reshape(shape)


atleast_1d = _at_least("atleast_1d", 1, lambda x: x.reshape(1))
atleast_2d = _at_least("atleast_2d", 2, lambda x: x.reshape(1, -1) if x.ndim else x.reshape(1, 1))
atleast_3d = _at_least("atleast_3d", 3, _grow_3d)


@function(methods=False)
def hstack(tensors):
    """Tensors side by side: along dim 1, or dim 0 of vectors."""
    tensors = [atleast_1d(x) for x in tensors]
    if not tensors:
        raise RuntimeError("hstack expects a non-empty TensorList")
    return copies.cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@function(methods=False, aliases=("row_stack",))
def vstack(tensors):
    """Tensors one below the other: along dim 0, vectors as rows."""
    tensors = [atleast_2d(x) for x in tensors]
    if not tensors:
        raise RuntimeError("vstack expects a non-empty TensorList")
    return copies.cat(tensors, 0)


@function(methods=False)
def dstack(tensors):
    """Tensors one behind the other: along dim 2."""
    tensors = [atleast_3d(x) for x in tensors]
    if not tensors:
        raise RuntimeError("dstack expects a non-empty TensorList")
    return copies.cat(tensors, 2)


@function(methods=False)
def column_stack(tensors):
    """Tensors side by side, vectors as columns."""
    if not tensors:
        raise RuntimeError("column_stack expects a non-empty TensorList")
    return hstack([x.reshape(-1, 1) if x.ndim < 2 else x for x in tensors])


@function(methods=False, out=False)
def meshgrid(*tensors, indexing="ij"):
    """The coordinates of a grid: each vector expanded along the others.

    With indexing "xy" the first two dims are swapped, as images have them.
    """
    tensors, _ = _unpacked(tensors)
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for x in tensors:
        if x.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x}"
            )
        if x._meta.dtype is not tensors[0]._meta.dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swapped = indexing == "xy" and len(tensors) > 1
    if swapped:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = [x.numel() for x in tensors]
    grids = []
    for d, x in enumerate(tensors):
        grids.append(x.reshape([-1 if k == d else 1 for k in range(len(shape))]).expand(shape))
    if swapped:
        grids = [grids[1], grids[0], *grids[2:]]
    return tuple(grids)


@function(methods=False, out=False)
def cartesian_prod(*tensors):
    """All tuples of one element of each vector, as rows."""
    tensors, _ = _unpacked(tensors)
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return FUNCTIONS["stack"]([g.reshape(-1) for g in meshgrid(*tensors)], 1)


@function(out=False)
def combinations(input, r=2, with_replacement=False):
    """All ways to take `r` elements of a vector, in order, as rows."""
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty((0,))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    index = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)
    return input[make_tensor(index)]


@function(methods=False, out=False)
def block_diag(*tensors):
    """A matrix with the given ones along its diagonal, zeros elsewhere."""
    tensors, _ = _unpacked(tensors)
    for k, x in enumerate(tensors):
        if x.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{k} has {x.ndim} dimensions"
            )
    tensors = [atleast_2d(x) for x in tensors] or [FUNCTIONS["empty"](1, 0)]
    kind = result_dtype([x._meta for x in tensors])
    width = sum(x.shape[1] for x in tensors)
    rows, start = [], 0
    for x in tensors:
        n, m = x.shape
        left, right = x.new_zeros((n, start), dtype=kind), x.new_zeros((n, width - start - m))
        rows.append(copies.cat([left, cast_to(x, kind), cast_to(right, kind)], 1))
        start += m
    return copies.cat(rows, 0)


@function(methods=False, out=False)
def broadcast_shapes(*shapes):
    """The shape that all `shapes` broadcast to. Raises RuntimeError if they do not."""
    shapes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    for s in shapes:
        if any(n < 0 for n in s):
            raise RuntimeError(
                f"Trying to create tensor with negative dimension ({min(s)}): ({min(s)})"
            )
    return Size(broadcast("broadcast_shapes", shapes) if shapes else ())


# Taken apart


@function(out=False)
def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Pieces along a dim: so many, of nearly equal size, or cut at the given places. Views."""
    places = indices if sections is None else sections
    places = indices_or_sections if places is None else places
    if not input.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    dim = normalize_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(places, Tensor):
        if places.ndim > 1 or places._meta.dtype is not dtypes.int64:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long and be a "
                f"zero-dimensional or one-dimensional tensor, but got {places._meta.dtype} and "
                f"{places.ndim} dims"
            )
        places = places.tolist()
    if isinstance(places, int):
        if places <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {places}")
        size, more = divmod(n, places)
        ends = [size * (k + 1) + min(k + 1, more) for k in range(places)]
        return tuple(_between(input, dim, a, b) for a, b in itertools.pairwise((0, *ends)))
    return tuple(_between(input, dim, a, b) for a, b in itertools.pairwise((0, *places, n)))


def _between(input, dim, start, stop):
    return mv.slice_dim(input, dim, start, stop)


def _named_split(name, dim, least):
    def split(input, indices_or_sections):
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension"
                f"{'s' if least > 1 else ''}, but got a tensor with {input.ndim} dimensions!"
            )
        along = 0 if name == "hsplit" and input.ndim == 1 else dim
        if isinstance(indices_or_sections, int):
            count = indices_or_sections
            if count <= 0 or input.shape[along] % count:
                raise RuntimeError(
                    f"torch.{name} attempted to split along dimension {along}, but the size of the "
                    f"dimension {input.shape[along]} is not divisible by the split_size {count}!"
                )
        return tensor_split(input, indices_or_sections, along)

    split.__name__ = name
    split.__doc__ = f"`tensor_split` along dim {dim}, into equal pieces if a number is given."
    return function(split, out=False)


hsplit = _named_split("hsplit", 1, 1)
vsplit = _named_split("vsplit", 0, 2)
dsplit = _named_split("dsplit", 2, 3)


def _with_sizes(name, doc):
    def split(tensor, split_sizes, dim=0):
        return FUNCTIONS["split"](tensor, split_sizes, dim)

    split.__name__, split.__doc__ = name, doc
    return function(split, out=False)


split_with_sizes = _with_sizes("split_with_sizes", "Pieces of the given sizes along a dim: views.")
unsafe_split = _with_sizes("unsafe_split", "`split`.")
unsafe_split_with_sizes = _with_sizes("unsafe_split_with_sizes", "`split_with_sizes`.")


@function(out=False)
def unsafe_chunk(input, chunks, dim=0):
    """`chunk`."""
    return FUNCTIONS["chunk"](input, chunks, dim)
