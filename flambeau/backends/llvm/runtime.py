"""Runs planned programs natively: tables of kernels, and NumPy calls between them."""

import copy
import ctypes
import functools
import struct
from sys import getrefcount

import numpy as np

from ... import config, dtypes
from ...compiler.fuse import partition
from ...compiler.plan import plan
from ...compiler.show import show_plan
from ...compiler.verify import verify_plan
from ..memory import Buffer
from ..numpy.interpret import OutOfRange, evaluate, strided_view
from . import jit, native
from .check import Checker
from .emit import can_emit, emit
from .gemm import gemm_address, rows_at_once, spread_address
from .spread import PADDING
from .threads import team, thread_count

__all__ = ["NativeProgram"]

_UNSHARED = 4  # references to a leaf's buffer that only its tensor and its segment hold
PIECES = 2  # of a product that a thread gets, on the average
TILE = 64  # columns of a piece: a multiple of those of a tile, for every kind of number
ROWS = 16  # rows of a piece: a multiple of a vector's lanes, at which `Spread` products start
WORTH_HELP = 1 << 24  # as much, at least, in a program that other threads are woken for
_ENTRY = 40  # bytes of a table's entry
SHARE = 1 << 20  # points times instructions, at least, that are worth a chunk


def _run_table(*args):
    """Walk a table natively; the first call compiles the function that does."""
    global _run_table
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_void_p] * 4)
    _run_table = prototype(native.runner_address())
    _run_table(*args)


class _Frame:
    """What one run of a program hands to native code: addresses, numbers and a status."""

    __slots__ = ("bufs", "numbers", "scalars", "status", "status_address", "table")

    def __init__(self, count, slots):
        self.table = ctypes.create_string_buffer(8 * max(count, 1))
        self.bufs = ctypes.addressof(self.table)
        self.numbers = ctypes.create_string_buffer(8 * max(slots, 1))
        self.scalars = ctypes.addressof(self.numbers)
        self.status = (ctypes.c_int64 * 4)()
        self.status_address = ctypes.addressof(self.status)

    def set_scalars(self, scalars):
        """Put in the numbers of the scalar slots, 8 bytes each."""
        kinds = "".join(["d" if isinstance(x, float) else "q" for x in scalars])
        try:
            struct.pack_into(kinds, self.numbers, 0, *scalars)
        except struct.error:  # complex numbers, which only the interpreter reads, or beyond int64
            plain = [_int64(x) for x in scalars]
            struct.pack_into(kinds, self.numbers, 0, *plain)


def _int64(x):
    if isinstance(x, float):
        return x
    if isinstance(x, complex):
        return 0
    return (int(x) + (1 << 63)) % (1 << 64) - (1 << 63)


class _Native:
    """A stretch of a program without calls of NumPy: a table for the runner.

    in_place: the same for when each output that becomes the memory of a leaf is in that memory.
    """

    def __init__(self, calls, program_plan, origins):
        self.calls = calls
        self.blocks, entries, shared = [], [], 0
        for call in calls:
            before = jit.compiled_count  # that of products, which are not among the origins
            if call.kind == "matmul":
                address, tiles, args = self._product(call, program_plan)
            else:
                address, tiles, args = _kernel_entry(call, program_plan)
            new = jit.compiled_count != before
            call.origin = "compiled" if new else _origin(call, origins)
            block = self._block(args)
            grain, chunks = _shares(call, tiles)
            shared += _work(call) if chunks > 1 else 0
            entries += [address, _address(block), tiles, grain, chunks]
        self.parallel = shared >= WORTH_HELP
        self.table = np.asarray(entries, np.int64)
        self.address, self.count = _address(self.table), len(calls)
        self.in_place = self
        if any(call.fills for call in calls):
            self.in_place = copy.copy(self)
            self.in_place.calls = [call for call in calls if not call.fills]
            rows = [k for k, call in enumerate(calls) if not call.fills]
            self.in_place.table = self.table.reshape(-1, 5)[rows].copy()
            self.in_place.address = _address(self.in_place.table)
            self.in_place.count = len(rows)

    def _block(self, args):
        """The arguments of a call in memory."""
        block = np.asarray(args, np.int64)
        self.blocks.append(block)
        return block

    def _table(self, offsets):
        """The address of a table of offsets."""
        return _address(self._block(np.append(offsets, np.zeros(PADDING, np.int64))))

    def _product(self, call, program_plan):
        """(function, pieces, arguments) of a product, and of the kernel that goes on with it."""
        node, place, part = call.node, program_plan.place, program_plan.partition
        a, b = node.inputs
        kind = "float" if node.dtype is dtypes.float32 else "double"
        batch, m, n = node.shape
        k = a.shape[2]
        (_, offa, sa), (_, offb, sb) = part.access(a), part.access(b)
        turned, flags = False, (0, 0)
        if sa is None or sb is None:
            factors = part.factors(a), part.factors(b)
            batches = [_only_stride(dims[0]) for dims in factors]
            tables = [_offsets(dim) for dims in factors for dim in dims[1:]]
            address, turned = spread_address(kind, m, n, tables)
            steps = [self._table(t) for t in tables]
            runs = [np.mean(np.diff(t) == 1) if len(t) > 1 else 0.0 for t in tables]
            flags = int(runs[0] > runs[1]), int(runs[3] > runs[2])
        else:
            batches, steps = [sa[0], sb[0]], [*_steps(sa, m, k), *_steps(sb, k, n)]
            address, turned = gemm_address(kind, m, n, k, steps)
        rows, columns = _piece(call, turned)
        pieces = batch * -(-m // rows) * -(-n // columns) if n and k else 0
        operands, offsets = [place[x] for x in call.reads[:2]], [offa, offb]
        shape, result, piece = [m, n], (n, 1), [rows, columns]
        if turned:
            result = (1, n)
            for pair in (operands, offsets, shape, steps, batches, piece):
                pair.reverse()
        args = [*operands, place[call.writes[0]], *offsets, *shape, k, *steps, *batches]
        args += [*result, *flags, *piece]
        if call.epilogue is None:
            args += [0, 0, 0, rows]
        else:
            kernel, _, after = _kernel_entry(call.epilogue, program_plan)
            args += [kernel, _address(self._block(after)), call.row_tiles(), rows_at_once(kind, n)]
        return address, pieces, args


def _offsets(factors):
    """The offset of each index of a dim that consists of dims with these sizes and strides.

    >>> _offsets([(2, 10), (3, 1)])
    array([ 0,  1,  2, 10, 11, 12])
    """
    result = np.zeros(1, np.int64)
    for size, stride in factors:
        result = np.add.outer(result, np.arange(size) * stride).reshape(-1)
    return result


def _only_stride(factors):
    """The stride of a dim that consists of dims which are like one."""
    real = [stride for size, stride in factors if size != 1]
    return real[-1] if real else 0


def _origin(call, origins):
    """Where the machine code of a call came from: those of `prepare`, or memory."""
    kernels = (call.kernel, call.epilogue and call.epilogue.kernel)
    found = {origins.get(kernel.key) for kernel in kernels if kernel is not None}
    return "compiled" if "compiled" in found else "disk" if "disk" in found else "memory"


def _kernels(calls):
    """The modules of the kernels of calls, {structure: what makes the text}."""
    found = {}
    for call in calls:
        for part in (call, call.epilogue):
            if part is not None and part.kernel is not None:
                key = part.kernel.key
                found[key] = functools.partial(emit, key)
    return found


def _address(array):
    return array.__array_interface__["data"][0]


def _work(call):
    """About the number of points times instructions that a call computes."""
    if call.kind == "matmul":
        batch, m, n = call.node.shape
        return batch * m * n * call.node.inputs[0].shape[2] // 4
    return 0 if call.kernel.serial else call.kernel.work


def _shares(call, tiles):
    """(tiles of a chunk, chunks) in which threads share a call: by its shape alone.

    Except for columns, whose sums do not depend on which others are done with them.
    """
    chunks = min(tiles, _work(call) // SHARE, 64)
    if call.kernel is not None and call.kernel.key[0] == "column" and chunks < 4 * thread_count():
        chunks = min(chunks, thread_count())
    if chunks < 2:
        return tiles, 1
    grain = -(-tiles // chunks)
    return grain, -(-tiles // grain)


def _kernel_entry(call, program_plan):
    """(function, tiles, arguments) of a kernel."""
    place, kernel = program_plan.place, call.kernel
    address = jit.compiled(kernel.key, functools.partial(emit, kernel.key))
    indices = [0 if m is None else place[m] for m in kernel.memories]
    return address, kernel.tiles, [*indices, *kernel.slots, *kernel.args]


def _steps(strides, rows, columns):
    """How far apart rows and columns of a matrix are; those of a size of 1 are next to each other.

    >>> _steps((0, 5, 7), 3, 1)
    (5, 1)
    """
    return 1 if rows == 1 else strides[1], 1 if columns == 1 else strides[2]


def _piece(call, turned):
    """(rows, columns) of the pieces of a product that threads share; all rows if it is `turned`.

    Each packs what it reads of both operands, so pieces are few, and cut where that costs least.
    """
    batch, m, n = call.node.shape
    wanted = min(PIECES * thread_count(), _work(call) // SHARE) // max(batch, 1)
    if thread_count() == 1 or wanted < 2 or not m * n:
        return max(m, 1), max(n, 1)
    if call.epilogue is not None:
        return (m if turned else min(m, _rounded(m, wanted, ROWS))), n
    cuts = [(down, wanted // down) for down in range(1, wanted + 1) if wanted % down == 0]
    cuts = cuts[:1] if turned else cuts
    down, across = min(cuts, key=lambda cut: cut[0] * n + cut[1] * m)
    # Whole tiles: what is at an edge of the result, and is rounded so, must not depend on threads.
    return min(m, _rounded(m, down, ROWS)), min(n, _rounded(n, across, TILE))


def _rounded(size, parts, step):
    """About an equal share of `size`, a multiple of `step`."""
    return -(-size // min(parts, size) // step) * step


class NativeProgram:
    """A program compiled: what is the same in every run of it."""

    def __init__(self, program):
        self.program = program
        self._by_id = {n.id: n for n in program.nodes}
        part = partition(program, can_emit)
        self.plan = plan(program, part)
        if config.verify:
            verify_plan(program, self.plan)
        if config.show & {"kernels", "plan", "all"}:
            show_plan(self.plan)
        self.origins = jit.prepare(_kernels(self.plan.calls))
        self.sections = []
        waiting = []
        for call in self.plan.calls:
            if call.kind == "host":
                self._flush(waiting)
                waiting = []
                self.sections.append(call)
            else:
                waiting.append(call)
        self._flush(waiting)
        count = len(program.leaves) + len(program.outputs)
        self.count = count
        self.offsets = [self.plan.offsets[m] for m in self.plan.temporaries]
        self.pack = struct.Struct(f"{count + len(self.offsets)}Q").pack_into
        sizes = [max(x.numel * x.dtype.itemsize, 1) for x in program.outputs]
        self.wanted = list(zip(program.aliases, sizes, strict=True))
        self.frames = []
        native = len(self.sections) == 1 and type(self.sections[0]) is _Native
        self.simple = self.sections[0] if native and not config.check else None

    def _flush(self, waiting):
        if waiting:
            self.sections.append(_Native(waiting, self.plan, self.origins))

    def run(self, leaves, scalars, timer=None):
        """The buffers of the outputs; the `timer` is told of each call that is done."""
        outputs, addresses, in_place = [], [b.ptr for b in leaves], True
        for alias, size in self.wanted:
            if alias is not None:
                buffer = leaves[alias]
                if getrefcount(buffer) <= _UNSHARED or buffer.is_shared:
                    outputs.append(buffer)
                    addresses.append(buffer.ptr)
                    continue
                in_place = False
            buffer = Buffer.allocate(size)
            outputs.append(buffer)
            addresses.append(buffer.ptr)
        arena = None
        if self.offsets:
            arena = Buffer.allocate(self.plan.arena)
            start = arena.ptr
            addresses += [start + o for o in self.offsets]
        try:
            frame = self.frames.pop()
        except IndexError:
            frame = _Frame(len(addresses), self.program.slots)
        self.pack(frame.table, 0, *addresses)
        if scalars:
            frame.set_scalars(scalars)
        if timer is not None:
            self._run_timed(leaves, scalars, outputs, arena, frame, in_place, timer)
        elif self.simple is not None:
            self._call(self.simple.in_place if in_place else self.simple, frame)
        elif config.check:
            self._run_checked(leaves, scalars, outputs, arena, frame)
        else:
            self._sections(leaves, scalars, outputs, arena, frame, in_place)
        self.frames.append(frame)
        return outputs

    def _call(self, section, frame, only=None):
        """Run a section, or the call of that number alone."""
        helpers = team() if section.parallel else None
        start, count = section.address, section.count
        if only is not None:
            start, count = start + _ENTRY * only, 1
        if helpers is None:
            _run_table(start, count, frame.bufs, frame.scalars, frame.status_address, None)
        else:
            helpers.run(_run_table, start, count, frame)
        if frame.status[0]:
            self._fail(section.calls[frame.status[3] + (only or 0)], frame.status)

    def _sections(self, leaves, scalars, outputs, arena, frame, in_place):
        values = {}
        for section in self.sections:
            if type(section) is _Native:
                self._call(section.in_place if in_place else section, frame)
            else:
                self._host(section, leaves, outputs, arena, scalars, values)

    def _run_timed(self, leaves, scalars, outputs, arena, frame, in_place, timer):
        """Call by call."""
        values, part = {}, self.plan.partition
        timer.begun()
        for section in self.sections:
            if type(section) is not _Native:
                self._host(section, leaves, outputs, arena, scalars, values)
                timer.called(section, part)
                continue
            section = section.in_place if in_place else section
            for k, call in enumerate(section.calls):
                self._call(section, frame, k)
                timer.called(call, part)

    def _run_checked(self, leaves, scalars, outputs, arena, frame):
        """Call by call, each compared with the interpreter."""
        checker, values = Checker(self.program, leaves, scalars), {}
        nodes = {m: self._by_id[n] for n, m in sorted(self.plan.memory.items())}
        last = {m: k for k, call in enumerate(self.plan.calls) for m in call.writes}
        number = 0
        for section in self.sections:
            if type(section) is not _Native:
                self._host(section, leaves, outputs, arena, scalars, values)
                number += 1
                continue
            for k, call in enumerate(section.calls):
                place = section.address + _ENTRY * k
                _run_table(place, 1, frame.bufs, frame.scalars, frame.status_address, None)
                if frame.status[0]:
                    self._fail(call, frame.status)
                for memory in call.writes:
                    node = nodes.get(memory)
                    if node is not None and last[memory] == number:
                        found = self._array_of(memory, node, leaves, outputs, arena)
                        checker.compare(node, found, call)
                number += 1

    def _fail(self, call, status):
        """Raise for an index out of range, at the first operation with a dim of that size."""
        nodes = [] if call.epilogue is None else call.epilogue.computed(self.plan.partition)[0]
        nodes = call.computed(self.plan.partition)[0] + nodes
        nodes = [n for n in nodes if n.kind in ("gather", "scatter")]
        fitting = [n for n in nodes if status[2] in n.inputs[0].shape] or nodes
        raise OutOfRange(fitting[0], status[1], status[2])

    def _array(self, node, leaves, outputs, arena):
        """The contents of a stored node, or of a view of one, as an array."""
        root, offset, strides = self.plan.partition.access(node)
        place = self.plan.place[self._memory(root)]
        if place < len(leaves):
            buffer, start = leaves[place], 0
        elif place < self.count:
            buffer, start = outputs[place - len(leaves)], 0
        else:
            buffer, start = arena, self.offsets[place - self.count]
        size = root.numel * root.dtype.itemsize
        flat = buffer.array[start : start + size].view(root.dtype.numpy)
        return strided_view(flat, node.shape, strides, offset)

    def _memory(self, node):
        return self.plan.memory.get(node.id, node.id)

    def _host(self, call, leaves, outputs, arena, scalars, values):
        node = call.node
        given = dict(values)
        for x in node.inputs:
            if x is not None and x.id not in values:
                given[x.id] = dtypes.decode(self._array(x, leaves, outputs, arena), x.dtype)
        with np.errstate(all="ignore"):
            result = evaluate(node, given, leaves, scalars)
        if isinstance(result, list):
            values[node.id] = result
            return
        target = self._array_of(call.writes[0], node, leaves, outputs, arena)
        target[...] = dtypes.encode(result, node.dtype).reshape(target.shape)

    def _array_of(self, memory, node, leaves, outputs, arena):
        place = self.plan.place[memory]
        size = node.numel * node.dtype.itemsize
        if place < self.count:
            buffer, start = outputs[place - len(leaves)], 0
        else:
            buffer, start = arena, self.offsets[place - self.count]
        return buffer.array[start : start + size].view(node.dtype.numpy).reshape(node.shape)
