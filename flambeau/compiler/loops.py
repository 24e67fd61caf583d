"""The kernel IR: loops over an index space, with scalar instructions in them.

A `Kernel` is target-neutral and knows no sizes: `key` is its structure, `args` the sizes, strides
and offsets of one use of it. Its index space has outer dims (shared out among threads in tiles),
folded dims (reductions) and, unless the innermost dim is folded, a lane dim `j` that is contiguous:

    elementwise   outer, lane               for o: for j: body
    row           outer, folded             for o: for r: body; then what follows the reduction
    column        outer, folded, lane       for o, tile of j: for r: for j: body; ...

An instruction is a tuple (name, dtype, operands, extra). Its *phase* is the number of reductions
that must be complete before it; its *level* says which loops it depends on: "o", "j" or "i".
"""

import math
import struct
import sys

from .. import dtypes
from ..geometry import contiguous_strides
from .fuse import compose

__all__ = ["Kernel", "build_kernel", "scatter_kernel"]

SMALL_NUMBERS = frozenset((-2, -1, -0.5, 0, 0.5, 1, 2, 3))
SHORT = 16  # shorter sums are formed one by one in their own dtype, as PyTorch's are
LANE_TILE = 4096
SHORT_LANE = 8  # a shorter innermost loop takes longer to start than to run
COLUMN_TILE = 256
BEYOND_CACHE = 1 << 20  # bytes that a kernel waits for
SPILL_LIMIT = 1 << 15  # elements of a row that may be kept on the stack between phases


class Operand:
    """Memory that a kernel reads or writes: a stored node (or an output), where, and how."""

    __slots__ = ("dtype", "extra", "memory", "offset", "strides", "write")

    def __init__(self, memory, offset, strides, dtype, write, extra=()):
        self.memory, self.offset, self.strides = memory, offset, strides
        self.dtype, self.write, self.extra = dtype, write, extra


class Kernel:
    """A kernel and one use of it.

    key: mode, numbers of outer and folded loops, operand descriptions, instructions, their levels
        and phases, whether values may be kept between phases, numbers of slots and of
        numbers, whether sums are short.
    args: int64s: numbers (as bits of an int64 or a double), outer sizes, folded sizes, lane size,
        tile; then for each operand its offset and strides. slots: the scalar slots it reads.
    memories: what each operand refers to. tiles: how many there are. work: about how much there
    is to do: a point of the index space times an instruction, or a byte from beyond the cache.
    """

    __slots__ = ("args", "key", "memories", "operands", "serial", "slots", "tiles", "work")


class _Builder:
    def __init__(self, part, domain, folded, members):
        self.part, self.domain, self.folded, self.members = part, domain, folded, members
        self.instructions, self.axes, self.phases = [], [], []
        self.known, self.operands, self.operand_index = {}, [], {}
        self.slots, self.numbers = [], []
        self.reductions = {}

    def emit(self, name, dtype, operands=(), extra=(), axes=None, phase=None):
        """The index of an instruction, new or known."""
        key = (name, dtype.name, operands, extra)
        index = self.known.get(key)
        if index is None:
            index = self.known[key] = len(self.instructions)
            self.instructions.append(key)
            given = 0 if axes is None else axes
            for x in operands:
                given |= self.axes[x]
            self.axes.append(given)
            self.phases.append(max([phase or 0, *(self.phases[x] for x in operands)]))
        return index

    def operand(self, memory, offset, strides, dtype, write=False, extra=()):
        """The index of an operand, new or known."""
        key = (memory, offset, strides, write, extra)
        index = self.operand_index.get(key)
        if index is None:
            index = self.operand_index[key] = len(self.operands)
            self.operands.append(Operand(memory, offset, strides, dtype, write, extra))
        return index

    def spread(self, offset, strides, where):
        """(offset, stride per dim of the index space) of an access at a map."""
        result = [0] * len(self.domain)
        for stride, (axis, start, step) in zip(strides, where, strict=True):
            offset += stride * start
            if axis is not None:
                result[axis] += stride * step
        result = [s if n != 1 else 0 for s, n in zip(result, self.domain, strict=True)]
        return offset, tuple(result)

    def axes_of(self, strides):
        """The dims of the index space that an access with these strides depends on, as bits."""
        return sum(1 << d for d, s in enumerate(strides) if s)

    def load(self, node, where):
        """Read a stored node, or a view of one, at a map."""
        return self._read(node.dtype, self.part.access(node), where)

    def _read(self, dtype, access, where):
        root, offset, strides = access
        offset, strides = self.spread(offset, strides, where)
        k = self.operand(root.id, offset, strides, root.dtype)
        return self.emit("load", dtype, (), (k,), self.axes_of(strides))

    def value(self, node, where):
        """The instruction that computes a node at a map."""
        key = (node.id, where)
        index = self.known.get(key)
        if index is None:
            index = self.known[key] = self._value(node, where)
        return index

    def _value(self, node, where, inside=False):
        kind = node.kind
        if node.id in self.part.stored and not inside:
            if node.id not in self.members:
                return self.load(node, where)
            if kind == "reduce":
                return self.reductions[node.id]
        if kind in ("map", "cast"):
            operands = tuple(self.value(x, where) for x in node.inputs)
            name = node.op.name if kind == "map" else "cast"
            return self.emit(name, node.dtype, operands)
        if kind == "copy":
            return self.value(node.inputs[0], where)
        if kind == "move":
            return self.value(node.inputs[0], compose(node.attrs, where))
        if kind in ("reshape", "strided"):
            return self._read(node.dtype, self.part.source(node), where)
        if kind == "const":
            return self._constant(node)
        if kind == "slot":
            if node.attrs[0] not in self.slots:
                self.slots.append(node.attrs[0])
            return self.emit("slot", node.dtype, (), (self.slots.index(node.attrs[0]),))
        if kind == "iota":
            return self.index(where, (1,))
        return self._gather(node, where)

    def _constant(self, node):
        """A number: part of the structure if it is a small one, else an argument."""
        value = node.attrs[2]
        if (
            node.dtype.is_complex
            or node.dtype.limited
            or type(value) is bool
            or value in SMALL_NUMBERS
        ):
            return self.emit("const", node.dtype, (), node.attrs[:2])
        whole = node.dtype.category < dtypes.FLOAT
        self.numbers.append(struct.pack("q", _int64(value)) if whole else struct.pack("d", value))
        return self.emit("number", node.dtype, (), (len(self.numbers) - 1,))

    def index(self, where, strides):
        """An integer that depends on the place in the index space."""
        offset, strides = self.spread(0, strides, where)
        k = self.operand(None, offset, strides, dtypes.int64)
        return self.emit("index", dtypes.int64, (), (k,), self.axes_of(strides))

    def _gather(self, node, where):
        source, *indices = node.inputs
        width = len(indices[0].shape)
        root, offset, strides = self.part.access(source)
        count = len(indices)
        rest = where[width:]
        offset, spread = self.spread(offset, strides[count:], rest)
        extra = tuple((source.shape[d], strides[d]) for d in range(count))
        k = self.operand(root.id, offset, spread, root.dtype, False, extra)
        found = tuple(self.value(i, where[:width]) for i in indices)
        return self.emit("gather", node.dtype, found, (k,), self.axes_of(spread))

    def sink(self, node, where, memory):
        """Compute a store or a reduction of the group."""
        if node.kind == "reduce":
            self._reduction(node, where)
            if memory is None:
                return
            value = self.reductions[node.id]
            target = self.members[node.id]
        else:
            value = self._value(node, where, True)
            self.known.setdefault((node.id, where), value)
            target = where
        if memory is not None:
            self.store(memory, node.shape, target, value, node.dtype)

    def store(self, memory, shape, where, value, dtype, strides=None, offset=0):
        """Write a value at a map into memory laid out as `shape`, or with given strides."""
        strides = contiguous_strides(shape) if strides is None else strides
        offset, strides = self.spread(offset, strides, where)
        k = self.operand(memory, offset, strides, dtype, True)
        self.emit("store", dtype, (value,), (k,), self.axes_of(strides))

    def scatter(self, node, memory):
        """Combine a value into memory at computed places, one after another."""
        _, value, *indices = node.inputs
        width = len(indices[0].shape)
        where = tuple((d, 0, 1) for d in range(len(value.shape)))
        strides = contiguous_strides(node.shape)
        count = len(indices)
        offset, spread = self.spread(0, strides[count:], where[width:])
        extra = tuple((node.shape[d], strides[d]) for d in range(count))
        k = self.operand(memory, offset, spread, node.dtype, True, extra)
        found = tuple(self.value(i, where[:width]) for i in indices)
        operands = (self.value(value, where), *found)
        bits = (1 << len(value.shape)) - 1
        self.emit("scatter_" + node.attrs[0], node.dtype, operands, (k,), bits)

    def _reduction(self, node, where):
        source = node.inputs[0]
        value = self.value(source, where)
        operands = (value,)
        if node.op in ("argmax", "argmin"):
            steps, step = [0] * len(source.shape), 1
            for d in reversed(node.attrs):
                steps[d] = step
                step *= source.shape[d]
            operands = (value, self.index(where, steps))
        index = self.emit("reduce", node.dtype, operands, (node.op, node.id))
        self.instructions[index] = ("reduce", node.dtype.name, operands, (node.op,))
        fold_bits = sum(1 << d for d in self.folded)
        self.axes[index] &= ~fold_bits
        self.phases[index] = max(self.phases[x] for x in operands)
        result = len(self.instructions)
        self.instructions.append(("result", node.dtype.name, (index,), ()))
        self.axes.append(self.axes[index])
        self.phases.append(self.phases[index] + 1)
        self.reductions[node.id] = result


def build_kernel(part, group, memory_of, extra_stores=(), rows=0):
    """The `Kernel` of a group.

    Args: memory_of(node): what to store a sink in, None to keep it in the kernel.
        extra_stores: (node, memory, strides, offset): values stored with given strides.
        rows: so many leading dims of the index space stay apart from the others, so that the
            tiles of a row follow one another.
    """
    builder = _Builder(part, group.domain, group.folded, group.members)
    for node, where in group.sinks:
        builder.sink(node, where, memory_of(node))
    for node, memory, strides, offset in extra_stores:
        where = tuple((d, 0, 1) for d in range(len(node.shape)))
        value = builder.value(node, where)
        builder.store(memory, node.shape, where, value, node.dtype, strides, offset)
    return _finish(builder, rows)


def scatter_kernel(part, node, memory):
    """The `Kernel` that combines a scatter node's value into its memory."""
    builder = _Builder(part, node.inputs[1].shape, frozenset(), {})
    builder.scatter(node, memory)
    return _finish(builder)


class _Loop:
    """A loop over dims of the index space that every operand steps through evenly."""

    __slots__ = ("bits", "size", "steps")

    def __init__(self, size, steps, bits):
        self.size, self.steps, self.bits = size, steps, bits


def _merge(dims, sizes, operands, rows=0):
    """The loops over some dims: neighbours are one loop where every operand allows it.

    The first `rows` dims are not made one with later ones.
    """
    loops = []
    for d in dims:
        size, steps = sizes[d], [x.strides[d] for x in operands]
        last = loops[-1] if loops else None
        apart = rows and d >= rows and last and last.bits & ((1 << rows) - 1)
        if (
            last
            and not apart
            and all(a == b * size for a, b in zip(last.steps, steps, strict=True))
        ):
            loops[-1] = _Loop(last.size * size, steps, last.bits | 1 << d)
        else:
            loops.append(_Loop(size, steps, 1 << d))
    return loops


def _put_long_last(loops):
    """Let the innermost loop be a longer one if it is very short: the order does not matter.

    But what it passes must be near, or stay in the cache until the others come to its neighbours.
    """
    if loops[-1].size >= SHORT_LANE:
        return
    for k in range(len(loops) - 2, -1, -1):
        near = all(abs(step) <= 4 for step in loops[k].steps)
        if loops[k].size >= SHORT_LANE and (near or loops[k].size <= LANE_TILE):
            loops.append(loops.pop(k))
            return


def _finish(builder, rows=0):
    domain, folded, operands = builder.domain, builder.folded, builder.operands
    real = [d for d, n in enumerate(domain) if n != 1]
    inner = [d for d in real if d in folded]
    single = _Loop(1, [0] * len(operands), 0)
    if not folded:
        loops = _merge(real, domain, operands, rows) or [single]
        if not rows:
            _put_long_last(loops)
        return _kernel(builder, "elementwise", loops[:-1], [], loops[-1], LANE_TILE)
    if not inner or real[-1] in folded:
        outer = _merge([d for d in real if d not in folded], domain, operands)
        return _kernel(
            builder, "row", outer, _merge(inner, domain, operands) or [single], single, 1
        )
    outer = _merge([d for d in real if d not in folded and d < inner[-1]], domain, operands)
    lanes = _merge([d for d in real if d > inner[-1]], domain, operands)
    fold = _merge(inner, domain, operands)
    return _kernel(builder, "column", outer + lanes[:-1], fold, lanes[-1], COLUMN_TILE)


def _kernel(builder, mode, outer, fold, lane, tile):
    operands = builder.operands
    inner = fold[-1] if mode == "row" else lane
    fold_bits = sum(1 << d for d in builder.folded)
    levels = []
    for axes in builder.axes:
        if axes & fold_bits or (mode == "elementwise" and axes & lane.bits):
            levels.append("i")
        else:
            levels.append("j" if axes & lane.bits else "o")
    kernel = Kernel()
    kernel.key = (
        *(mode, len(outer), len(fold)),
        tuple(
            (x.dtype.name, _step_class(inner.steps[k]), x.write, len(x.extra), x.memory is None)
            for k, x in enumerate(operands)
        ),
        tuple(builder.instructions),
        tuple(zip(levels, builder.phases, strict=True)),
        mode == "row" and len(fold) == 1 and fold[0].size <= SPILL_LIMIT,
        *(len(builder.slots), len(builder.numbers)),
        math.prod(loop.size for loop in fold) < SHORT,
    )
    args = [int.from_bytes(n, sys.byteorder, signed=True) for n in builder.numbers]
    args += [loop.size for loop in (*outer, *fold)] + [lane.size, tile]
    for k, x in enumerate(operands):
        args.append(x.offset)
        args.extend(loop.steps[k] for loop in (*outer, *fold, lane))
        args.extend(n for pair in x.extra for n in pair)
    kernel.args, kernel.slots, kernel.operands = args, list(builder.slots), operands
    kernel.memories = [x.memory for x in operands]
    rows = math.prod(loop.size for loop in outer)
    kernel.tiles = rows * (1 if mode == "row" else -(-lane.size // tile))
    points = rows * lane.size * math.prod(loop.size for loop in fold)
    kernel.work = points * max(len(builder.instructions), 1)
    for k, x in enumerate(operands):
        loops = (loop.size for loop in (*outer, *fold, lane) if loop.steps[k])
        size = math.prod(loops) * x.dtype.itemsize
        kernel.work += size if x.memory is not None and size >= BEYOND_CACHE else 0
    kernel.serial = any(name.startswith("scatter") for name, *_ in builder.instructions)
    return kernel


def _int64(value):
    return (int(value) + (1 << 63)) % (1 << 64) - (1 << 63)


def _step_class(stride):
    return stride if stride in (0, 1) else "s"
