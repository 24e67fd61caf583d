"""A program: what a trace computes, as a list of nodes in static single assignment form.

A `Builder` makes the nodes; equal ones are made once, movements are composed, casts to the same
dtype vanish. The kinds of node:

    leaf, slot        memory from before the trace; a run-time number (0-dim)
    const, iota       a constant; the index along a dim
    map               an elementwise op over inputs that broadcast to its shape
    cast              elements converted to another dtype
    copy              the input in memory of its own, row-major
    reduce            dims folded by sum, prod, max, min, any, all, argmax or argmin, kept as 1
    move              affine index map: permute, slice, flip, expand, squeeze, unsqueeze, diagonal
    reshape           the same elements, in row-major order, in another shape
    strided           a 1-d input seen with any shape, strides and offset
    undef             memory whose contents do not matter yet
    bitcast           the bytes of a 1-d input as another dtype
    write             a 1-d input with a value written over a strided region
    gather            input 0 read at the indices of the other inputs along leading dims
    scatter           input 0 with input 1 combined into it at the indices of the other inputs
    matmul            [batch, m, k] times [batch, k, n]
    host, part        a NumPy function; one of its results
"""

from .. import dtypes
from ..geometry import contiguous_strides

__all__ = ["Builder", "Node", "Program", "flatten"]


class Node:
    """A value of a program: how it is computed, its shape and dtype."""

    __slots__ = ("attrs", "dtype", "id", "inputs", "kind", "line", "op", "region", "shape")

    def __init__(self, kind, op, inputs, attrs, shape, dtype, number, line, region=None):
        self.kind, self.op, self.inputs, self.attrs = kind, op, inputs, attrs
        self.shape, self.dtype, self.id, self.line = shape, dtype, number, line
        self.region = region  # where it belongs, while a profile is taken

    @property
    def numel(self):
        """The number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def keeps_order(self):
        """Whether these are the elements of the first input in the same row-major order."""
        if self.kind != "move":
            return self.kind == "reshape"
        kept = []
        for (axis, start, step), size in zip(self.attrs, self.inputs[0].shape, strict=True):
            if axis is None or start or step != 1:
                if size != 1:
                    return False
            elif self.shape[axis] != size:
                return False
            elif size != 1:
                kept.append(axis)
        return kept == [d for d, size in enumerate(self.shape) if size != 1]

    def __repr__(self):
        inputs = ", ".join(f"%{x.id}" if x is not None else "none" for x in self.inputs)
        op = f" {getattr(self.op, 'name', self.op)}" if self.op is not None else ""
        attrs = f" {self.attrs}" if self.attrs else ""
        return (
            f"%{self.id} = {self.kind}{op}({inputs}){attrs} : {self.dtype.name}{list(self.shape)}"
        )


def identity_axes(ndim):
    """The `axes` of a move that changes nothing."""
    return tuple((d, 0, 1) for d in range(ndim))


class Builder:
    """Makes the nodes of one program."""

    def __init__(self):
        self.nodes = []
        self.known = {}
        self.line = self.region = None

    def make(self, kind, op, inputs, attrs, shape, dtype):
        """The node with these properties, new or known."""
        inputs, shape = tuple(inputs), tuple(shape)
        key = (kind, op, tuple(-1 if x is None else x.id for x in inputs), attrs, shape, dtype)
        node = self.known.get(key)
        if node is None:
            made = op, inputs, attrs, shape, dtype, len(self.nodes), self.line, self.region
            node = Node(kind, *made)
            self.nodes.append(node)
            self.known[key] = node
        return node

    def leaf(self, index, shape, dtype):
        """The elements of leaf `index` in the order of its memory."""
        return self.make("leaf", None, (), (index,), shape, dtype)

    def slot(self, index, dtype):
        """The number in scalar slot `index`."""
        return self.make("slot", None, (), (index,), (), dtype)

    def const(self, value, dtype, shape=()):
        """A tensor of one value everywhere."""
        node = self.make("const", None, (), (type(value).__name__, repr(value), value), (), dtype)
        return self.expand(node, shape)

    def iota(self, size):
        """0, 1, ... size - 1 as int64."""
        return self.make("iota", None, (), (), (size,), dtypes.int64)

    def map(self, op, inputs, shape, dtype):
        """An elementwise op; its inputs are expanded to `shape` here."""
        if not op.loops:
            inputs = [self.expand(x, shape) for x in inputs]
            return self.make("host", op, inputs, (), shape, dtype)
        return self.make("map", op, [self.expand(x, shape) for x in inputs], (), shape, dtype)

    def cast(self, x, dtype):
        """Elements converted to `dtype`."""
        if x.dtype is dtype:
            return x
        if x.kind == "move" and x.numel > x.inputs[0].numel:  # cast before expanding
            return self.move(self.cast(x.inputs[0], dtype), x.attrs, x.shape)
        return self.make("cast", None, (x,), (), x.shape, dtype)

    def copy(self, x):
        """The same elements, in memory of their own unless they are those of a leaf."""
        return (
            x
            if x.kind in ("leaf", "const", "copy")
            else self.make("copy", None, (x,), (), x.shape, x.dtype)
        )

    def reduce(self, fold, x, dims, dtype=None):
        """`dims` folded into size 1. Those that have size 1 already need no fold."""
        dims = [d for d in dims if x.shape[d] != 1]
        if not dims:
            if fold.startswith("arg"):
                return self.const(0, dtype, x.shape)
            return self.cast(x, dtype or x.dtype)
        shape = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
        return self.make("reduce", fold, (x,), tuple(sorted(dims)), shape, dtype or x.dtype)

    def move(self, x, axes, shape):
        """Index map: dim d of `x` is read at axes[d] = (dim of the result or None, start, step)."""
        axes, shape = tuple(axes), tuple(shape)
        if x.kind == "move":
            composed = []
            for axis, start, step in x.attrs:
                if axis is None:
                    composed.append((None, start, 1))
                else:
                    outer, start2, step2 = axes[axis]
                    composed.append((outer, start + step * start2, step * step2))
            x, axes = x.inputs[0], tuple(composed)
        if shape == x.shape and axes == identity_axes(len(shape)):
            return x
        # A dim of size 1 is read at 0 whatever stands there: one form for each map.
        axes = tuple(
            (None, start, 1) if axis is None or shape[axis] == 1 else (axis, start, step)
            for axis, start, step in axes
        )
        if shape == x.shape and all(
            a == (d, 0, 1) or (n == 1 and a == (None, 0, 1))
            for d, (a, n) in enumerate(zip(axes, shape, strict=True))
        ):
            return x
        return self.make("move", None, (x,), axes, shape, x.dtype)

    def expand(self, x, shape):
        """Broadcast to `shape`."""
        shape = tuple(shape)
        if x.shape == shape:
            return x
        lead = len(shape) - len(x.shape)
        axes = [
            (None, 0, 1) if n == 1 and shape[lead + d] != 1 else (lead + d, 0, 1)
            for d, n in enumerate(x.shape)
        ]
        return self.move(x, axes, shape)

    def permute(self, x, dims):
        """Dims in another order."""
        axes = [(dims.index(d), 0, 1) for d in range(len(dims))]
        return self.move(x, axes, [x.shape[d] for d in dims])

    def squeeze(self, x, dims):
        """Without `dims`, which have size 1."""
        dims = set(dims)
        axes, shape = [], []
        for d, n in enumerate(x.shape):
            if d in dims:
                axes.append((None, 0, 1))
            else:
                axes.append((len(shape), 0, 1))
                shape.append(n)
        return self.move(x, axes, shape)

    def reshape(self, x, shape):
        """The same elements in row-major order."""
        shape = tuple(shape)
        if x.shape == shape:
            return x
        if x.kind == "reshape" and x.inputs[0].shape == shape:
            return x.inputs[0]
        kept = [n for n in shape if n != 1]
        if kept == [n for n in x.shape if n != 1]:  # only dims of size 1 come or go
            places = [d for d, n in enumerate(shape) if n != 1]
            axes, k = [], 0
            for n in x.shape:
                if n == 1:
                    axes.append((None, 0, 1))
                else:
                    axes.append((places[k], 0, 1))
                    k += 1
            return self.move(x, axes, shape)
        if x.kind == "const" or (x.kind == "move" and not x.inputs[0].shape):
            return self.expand(x.inputs[0] if x.kind == "move" else x, shape)
        if x.kind == "reshape":
            x = x.inputs[0]
        return self.make("reshape", None, (x,), (), shape, x.dtype)

    def bitcast(self, flat, dtype):
        """The bytes of a 1-d value as elements of another dtype."""
        if flat.dtype is dtype:
            return flat
        if flat.kind == "bitcast" and flat.inputs[0].dtype is dtype:
            return flat.inputs[0]
        count = flat.shape[0] * flat.dtype.itemsize // dtype.itemsize
        return self.make("bitcast", None, (flat,), (), (count,), dtype)

    def storage(self, x, meta):
        """The elements of a dense value of geometry `meta`, in the order of its memory."""
        if not meta.contiguous:
            order = sorted(range(len(x.shape)), key=lambda d: (-meta.strides[d], d))
            x = self.permute(x, order)
        return self.reshape(x, (x.numel,))

    def unstorage(self, flat, meta):
        """The dense value of geometry `meta` whose memory is `flat`."""
        if meta.contiguous:
            return self.reshape(flat, meta.shape)
        order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d))
        x = self.reshape(flat, [meta.shape[d] for d in order])
        return self.permute(x, [order.index(d) for d in range(len(order))])

    def strided(self, flat, shape, strides, offset):
        """A 1-d value seen with any shape, strides and offset."""
        if not offset and tuple(strides) == contiguous_strides(shape):
            count = 1
            for n in shape:
                count *= n
            if count == flat.shape[0]:
                return self.reshape(flat, shape)
        attrs = (tuple(strides), offset)
        return self.make("strided", None, (flat,), attrs, shape, flat.dtype)

    def undef(self, size, dtype):
        """1-d memory that writes will fill."""
        return self.make("undef", None, (), (len(self.nodes),), (size,), dtype)

    def write(self, flat, value, strides, offset):
        """A 1-d value with `value` written over the region of those strides."""
        attrs = (tuple(strides), offset)
        return self.make("write", None, (flat, value), attrs, flat.shape, flat.dtype)

    def matmul(self, a, b):
        """[batch, m, k] times [batch, k, n]."""
        shape = (a.shape[0], a.shape[1], b.shape[2])
        if not a.shape[2]:
            return self.const(0, a.dtype, shape)
        return self.make("matmul", None, (a, b), (), shape, a.dtype)

    def gather(self, x, indices, check=True):
        """x[indices[0], indices[1], ...], indices of one shape, over the leading dims of x."""
        shape = indices[0].shape + x.shape[len(indices) :]
        return self.make("gather", None, (x, *indices), (check,), shape, x.dtype)

    def scatter(self, x, value, indices, mode):
        """x with value[...] combined ("set", "sum", ...) at x[indices...], one after another."""
        return self.make("scatter", None, (x, value, *indices), (mode,), x.shape, x.dtype)

    def host(self, op, inputs, attrs, metas):
        """A NumPy function; its result, or a tuple of nodes if `op.multi`."""
        described = tuple((m.shape, m.dtype) for m in metas)
        attrs = tuple(attrs.items())
        if not op.multi:
            shape, dtype = described[0]
            return self.make("host", op, inputs, attrs, shape, dtype)
        call = self.make("host", op, inputs, (*attrs, ("results", described)), (), dtypes.int64)
        return tuple(
            self.make("part", None, (call,), (i,), shape, dtype)
            for i, (shape, dtype) in enumerate(described)
        )


class Program:
    """The nodes that the outputs need, in order. `outputs` are nodes, `aliases` their leaves.

    aliases[i] is the index of the leaf whose memory output i becomes, or None; leaves[k] the
    NumPy dtype of leaf k; `slots` the number of scalar slots.
    """

    __slots__ = ("aliases", "leaves", "nodes", "outputs", "slots")

    def __init__(self, nodes, outputs, aliases, leaves, slots):
        self.outputs, self.aliases, self.slots = outputs, aliases, slots
        self.nodes = live_nodes(nodes, outputs)
        found = {n.attrs[0]: n.dtype.numpy for n in nodes if n.kind == "leaf"}
        self.leaves = [found[k] for k in range(leaves)]

    def __repr__(self):
        lines = [repr(node) for node in self.nodes]
        return "\n".join([*lines, "outputs " + ", ".join(f"%{x.id}" for x in self.outputs)])


def live_nodes(nodes, outputs):
    """Those that an output depends on, in the order in which they were made."""
    needed = bytearray(len(nodes))
    stack = [x.id for x in outputs]
    while stack:
        number = stack.pop()
        if not needed[number]:
            needed[number] = 1
            stack.extend(x.id for x in nodes[number].inputs if x is not None)
    return [node for node in nodes if needed[node.id]]


_SLOT = {float: dtypes.float64, int: dtypes.int64, bool: dtypes.bool_, complex: dtypes.complex128}


def flatten(build, path, leaf_of=None, slot_of=None):
    """Add the nodes of a path of states to `build`.

    Args: leaf_of(k), slot_of(k): the nodes of the k-th leaf and slot of the path; those of the
        program itself unless given, as they are for the expansion of a composite.
    Returns: the node at each position, None where there is none.
    """
    values, metas = [], []
    leaves = 0
    for state in path:
        op = state.op
        if state.line is not None and leaf_of is None:
            build.line = state.line
        if op.__class__.__name__ == "Structure":
            if op.name == "leaf":
                values.append(_leaf(build, state, leaves, leaf_of))
                leaves += 1
            elif state.metas:
                values.append(_structure(build, state, values, metas))
            elif op.name == "region":
                build.region = state.attrs["region"]
            metas.extend(state.metas)
            continue
        inputs, operands = [], []
        slots = state.slots()
        for index, place in enumerate(state.operands):
            if type(place) is int:
                inputs.append(values[place])
                operands.append(metas[place])
            elif place is None:
                inputs.append(None)
                operands.append(None)
            else:
                kind = place if type(place) is type else place.kind
                k = slots[index]
                inputs.append(build.slot(k, _SLOT[kind]) if slot_of is None else slot_of(k))
                operands.append(kind)
        values.extend(_operation(build, state, inputs, operands))
        metas.extend(state.metas)
    return values


def _leaf(build, state, index, leaf_of):
    meta = state.meta
    if leaf_of is not None:
        return leaf_of(index)
    if not meta.is_dense:
        flat = build.leaf(index, (meta.span,), meta.dtype)
        return build.strided(flat, meta.shape, meta.strides, 0)
    flat = build.leaf(index, (meta.numel,), meta.dtype)
    return build.unstorage(flat, meta)


def _structure(build, state, values, metas):
    name, meta = state.op.name, state.meta
    source = values[state.operands[0]]
    if name == "mark":
        return source
    base = metas[state.operands[0]]
    if name == "view":
        if meta.strides == base.strides and meta.shape == base.shape and meta.offset == base.offset:
            return source
        flat = build.bitcast(build.storage(source, base), meta.dtype)
        return build.strided(flat, meta.shape, meta.strides, meta.offset)
    geometry = state.attrs["geometry"]
    value = build.cast(values[state.operands[1]], geometry.dtype)
    value = build.expand(value, geometry.shape)
    if (
        geometry.dtype is meta.dtype
        and geometry.numel == meta.numel
        and geometry.is_dense
        and geometry.shape == meta.shape
    ):
        if geometry.strides == meta.strides:
            return value
    flat = build.bitcast(build.storage(source, base), geometry.dtype)
    flat = build.write(flat, value, geometry.strides, geometry.offset)
    return build.unstorage(build.bitcast(flat, meta.dtype), meta)


def _operation(build, state, inputs, operands):
    op = state.op
    if not op.composite:
        result = op.lower(build, inputs, operands, state.attrs, state.metas)
        return result if op.multi else (result,)
    expansion = state.expansion
    given = [x for x in inputs if x is not None]
    numbers = expansion.scalars
    inner = flatten(
        build,
        expansion.path,
        given.__getitem__,
        lambda k: build.const(numbers[k], _SLOT[type(numbers[k])]),
    )
    return [inner[p] for p in expansion.outputs]
