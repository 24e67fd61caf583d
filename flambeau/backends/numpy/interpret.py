"""The reference: runs a program node by node with NumPy."""

import math

import numpy as np

from ... import dtypes

__all__ = ["REDUCTIONS", "interpret"]

SHORT = 16  # shorter sums are formed one by one in their own dtype, as compiled kernels do


def interpret(program, leaves, scalars, timer=None):
    """The outputs of a program as arrays, for leaf arrays (flat, of storage dtype) and numbers.

    What is coded in memory (bfloat16, complex32) is decoded, and rounded after each node. The
    `timer` is told of each node that is done.
    """
    values = {}
    uses = {}
    for node in program.nodes:
        for x in node.inputs:
            if x is not None:
                uses[x.id] = uses.get(x.id, 0) + 1
    for x in program.outputs:
        uses[x.id] = uses.get(x.id, 0) + 1
    with np.errstate(all="ignore"):
        for node in program.nodes:
            values[node.id] = evaluate(node, values, leaves, scalars)
            if timer is not None:
                timer.evaluated(node)
            for x in node.inputs:
                if x is not None:
                    uses[x.id] -= 1
                    if not uses[x.id]:
                        del values[x.id]
    return [dtypes.encode(values[x.id], x.dtype) for x in program.outputs]


def evaluate(node, values, leaves, scalars):
    """The value of one node."""
    inputs = [None if x is None else values[x.id] for x in node.inputs]
    result = RULES[node.kind](node, inputs, leaves, scalars)
    if node.dtype.coded and node.kind in ("map", "reduce", "matmul", "host", "cast"):
        result = dtypes.decode(dtypes.encode(result, node.dtype), node.dtype)
    return result


def compute_type(dtype):
    """The NumPy dtype that values of `dtype` are computed in."""
    return dtype.compute


def _leaf(node, inputs, leaves, scalars):
    return dtypes.decode(leaves[node.attrs[0]][: node.shape[0]], node.dtype)


def _slot(node, inputs, leaves, scalars):
    return np.asarray(scalars[node.attrs[0]], compute_type(node.dtype))


def _const(node, inputs, leaves, scalars):
    value = node.attrs[2]
    if node.dtype.category == dtypes.INT and isinstance(value, int):
        return np.asarray(value).astype(node.dtype.numpy)
    made = np.asarray(value, compute_type(node.dtype))
    if node.dtype.limited:  # a zero may be no zero there
        made = dtypes.decode(dtypes.encode(made, node.dtype), node.dtype)
    return made


def _iota(node, inputs, leaves, scalars):
    return np.arange(node.shape[0], dtype=np.int64)


def _undef(node, inputs, leaves, scalars):
    return np.empty(node.shape, compute_type(node.dtype))


def _map(node, inputs, leaves, scalars):
    if node.op.name != "where" and node.inputs:
        kind = compute_type(node.inputs[0].dtype)
        inputs = [x if x.dtype == kind else x.astype(kind) for x in inputs]
    result = node.op.numpy(*inputs)
    return np.asarray(result).astype(compute_type(node.dtype), copy=False)


def cast_array(x, source, target):
    """Elements converted as C does on this machine, without NumPy's complaints."""
    kind = compute_type(target)
    if target is dtypes.bool_:
        return x != 0
    if source.is_complex and not target.is_complex:
        x = x.real
    if target.category == dtypes.INT and x.dtype.kind == "f":
        wide = np.trunc(x.astype(np.float64))
        low = np.isfinite(wide) & (np.abs(wide) < 2.0**63)
        return np.where(low, wide, -(2.0**63)).astype(np.int64).astype(kind)
    return x.astype(kind)


def _cast(node, inputs, leaves, scalars):
    return cast_array(inputs[0], node.inputs[0].dtype, node.dtype)


def _argument(fold):
    def reduce(x, axis, keepdims):
        kept = [d for d in range(x.ndim) if d not in axis]
        moved = x.transpose(*kept, *axis)
        flat = moved.reshape(*[x.shape[d] for d in kept], math.prod(x.shape[d] for d in axis))
        found = fold(flat, axis=-1)
        return found.reshape([1 if d in axis else n for d, n in enumerate(x.shape)])

    return reduce


REDUCTIONS = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "any": np.any,
    "all": np.all,
    "argmax": _argument(np.argmax),
    "argmin": _argument(np.argmin),
}


def _one_by_one(combine, x, dims, kind):
    """A fold of few elements in their order, each step rounded."""
    kept = [d for d in range(x.ndim) if d not in dims]
    count = math.prod(x.shape[d] for d in dims)
    moved = x.transpose(*dims, *kept).reshape(count, *[x.shape[d] for d in kept])
    total = np.full(moved.shape[1:], 0 if combine is np.add else 1, kind)
    for part in moved:
        total = combine(total, part, dtype=kind)
    return total.reshape([1 if d in dims else n for d, n in enumerate(x.shape)])


def _reduce(node, inputs, leaves, scalars):
    x = inputs[0]
    kind = compute_type(node.dtype)
    fold = node.op
    if fold in ("sum", "prod") and kind.kind == "f" and node.inputs[0].numel < SHORT * node.numel:
        result = _one_by_one(np.add if fold == "sum" else np.multiply, x, node.attrs, kind)
    elif fold in ("sum", "prod"):
        wide = np.float64 if kind.kind == "f" else kind
        result = REDUCTIONS[fold](x, axis=node.attrs, keepdims=True, dtype=wide)
    else:
        result = REDUCTIONS[fold](x, axis=node.attrs, keepdims=True)
    return result.astype(kind, copy=False)


def _copy(node, inputs, leaves, scalars):
    return inputs[0]


def _move(node, inputs, leaves, scalars):
    x = inputs[0]
    strides = [0] * len(node.shape)
    offset = []
    for d, (axis, start, step) in enumerate(node.attrs):
        if axis is None or node.shape[axis] == 1:
            offset.append(slice(start, start + 1))
        else:
            offset.append(slice(start, None))
        if axis is not None:
            strides[axis] += x.strides[d] * step
    base = x
    if x.size and 0 not in node.shape:
        base = x[tuple(offset)] if x.ndim else x
    else:
        return np.empty(node.shape, x.dtype)
    return np.lib.stride_tricks.as_strided(base, node.shape, strides)


def _reshape(node, inputs, leaves, scalars):
    return inputs[0].reshape(node.shape)


def strided_view(flat, shape, strides, offset):
    """A flat array seen with any shape and strides, counted in elements, which are checked."""
    if 0 in shape:
        return np.empty(shape, flat.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if offset < 0 or last >= flat.size:
        raise IndexError("a view reaches beyond its storage")
    size = flat.itemsize
    return np.ndarray(shape, flat.dtype, flat, offset * size, [s * size for s in strides])


def _strided(node, inputs, leaves, scalars):
    flat = np.ascontiguousarray(inputs[0])
    return strided_view(flat, node.shape, *node.attrs)


def _bitcast(node, inputs, leaves, scalars):
    stored = dtypes.encode(np.ascontiguousarray(inputs[0]), node.inputs[0].dtype)
    return dtypes.decode(stored.view(node.dtype.numpy), node.dtype)


def _write(node, inputs, leaves, scalars):
    flat = inputs[0].copy()
    value = inputs[1]
    if value.size:
        strided_view(flat, value.shape, *node.attrs)[...] = value
    return flat


def _matmul(node, inputs, leaves, scalars):
    return np.matmul(*inputs)


class OutOfRange(IndexError):
    """An index that the data shows to be out of range; `node` is where.

    Where no index may be negative, such ones come 2^62 lower.
    """

    def __init__(self, node, index, size):
        index += 1 << 62 if index < -(1 << 61) else 0
        super().__init__(f"index {index} is out of bounds for dimension with size {size}")
        self.node = node


def checked_indices(node, x, indices):
    """The indices with negative ones counted from the end. Raises IndexError if out of range."""
    result = []
    for index, size in zip(indices, x.shape, strict=False):
        index = index.astype(np.int64, copy=False)
        bad = (index < -size) | (index >= size)
        if bad.any():
            raise OutOfRange(node, int(index[bad].flat[0]), size)
        result.append(np.where(index < 0, index + size, index))
    return tuple(result)


def _gather(node, inputs, leaves, scalars):
    x, *indices = inputs
    return x[checked_indices(node, x, indices)]


def _scatter(node, inputs, leaves, scalars):
    x, value, *indices = inputs
    where = checked_indices(node, x, indices)
    result = x.copy()
    fold = node.attrs[0]
    if fold == "set":
        result[where] = value
    else:
        SCATTERS[fold](result, where, value)
    return result


SCATTERS = {
    "sum": np.add.at,
    "prod": np.multiply.at,
    "max": np.maximum.at,
    "min": np.minimum.at,
}


def _host(node, inputs, leaves, scalars):
    attrs = dict(node.attrs)
    results = attrs.pop("results", None)
    value = node.op.numpy(*inputs, **attrs)
    if results is not None:
        return [
            np.asarray(v).astype(compute_type(d), copy=False)
            for v, (_, d) in zip(value, results, strict=True)
        ]
    return np.asarray(value).astype(compute_type(node.dtype), copy=False)


def _part(node, inputs, leaves, scalars):
    return inputs[0][node.attrs[0]]


RULES = {
    "leaf": _leaf,
    "slot": _slot,
    "const": _const,
    "iota": _iota,
    "undef": _undef,
    "map": _map,
    "cast": _cast,
    "copy": _copy,
    "reduce": _reduce,
    "move": _move,
    "reshape": _reshape,
    "strided": _strided,
    "bitcast": _bitcast,
    "write": _write,
    "matmul": _matmul,
    "gather": _gather,
    "scatter": _scatter,
    "host": _host,
    "part": _part,
}
