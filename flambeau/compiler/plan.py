"""Orders the steps of a partition and gives every stored value its place in memory.

Places are numbered: the leaves, then the outputs, then temporaries, which share one arena.
A temporary's bytes are free again after the last step that reads it.
"""

import math

from ..geometry import contiguous_strides
from .arena import arena
from .fuse import Group, compose, is_product
from .loops import build_kernel, scatter_kernel

__all__ = ["Call", "Plan", "plan"]

EPILOGUE_SIZE = 1 << 16  # elements of a product at least


_NO_OPERATION = frozenset(("slot", "const", "iota", "undef", "move", "reshape", "strided"))


def _number(node):
    return node.id


class Call:
    """One entry of a plan.

    kind: "loops" (a Kernel), "matmul" or "host" (a node). reads, writes: the memories it uses.
    epilogue: of a matmul, the call to make for each tile of rows while that is in cache.
    origin: where the machine code came from: "compiled", "disk" or "memory"; None before.
    sinks: the nodes whose values it stores, or folds on the way.
    fills: it copies a leaf to the output that becomes the memory of the leaf, for others to change
        parts of it: nothing to do where that is the memory of the leaf already.
    """

    __slots__ = (
        *("epilogue", "fills", "kernel", "kind", "node", "origin", "reads", "sinks", "writes"),
    )

    def __init__(self, kind, node, kernel, reads, writes):
        self.kind, self.node, self.kernel = kind, node, kernel
        self.reads, self.writes, self.epilogue = reads, writes, None
        self.fills, self.origin = False, None
        self.sinks = () if node is None else (node,)

    def computed(self, part):
        """(the operations fused into the call, in order; the stored values and leaves it reads)."""
        sinks = {x.id for x in self.sinks}
        found, read, seen = [], {}, set()
        stack = list(self.sinks)
        while stack:
            node = stack.pop()
            if node is None or node.id in seen:
                continue
            seen.add(node.id)
            if node.kind == "leaf" or (node.id in part.stored and node.id not in sinks):
                read[node.id] = node
                continue
            if node.kind not in _NO_OPERATION:
                found.append(node)
            stack.extend(node.inputs)
        return sorted(found, key=_number), [read[k] for k in sorted(read)]

    def row_tiles(self):
        """How many tiles of the epilogue belong to a row of the product."""
        batch, m, _ = self.node.shape
        return self.epilogue.kernel.tiles // (batch * m)


class Plan:
    """calls in order; place[memory]: its number; offsets of the temporaries; bytes of the arena.

    memory[id of a stored node]: its memory.
    """

    __slots__ = ("arena", "calls", "memory", "offsets", "partition", "place", "temporaries")


class _Planner:
    def __init__(self, program, part):
        self.program, self.part = program, part
        self.calls = []
        self.memory = {}  # id of a stored node -> memory
        self.binding = {}  # id of a stored node -> output
        self.copies = []  # (node, output) that must be copied
        self.kept = []  # outputs whose leaf is copied aside first
        self.by_id = {n.id: n for n in program.nodes}
        self.leaves = {n.attrs[0]: n.id for n in program.nodes if n.kind == "leaf"}
        self.users = {}
        self.readers = {}  # id of a stored node -> numbers of the steps that read it
        for node in program.nodes:
            for x in node.inputs:
                if x is not None:
                    self.users[x.id] = self.users.get(x.id, 0) + 1

    def bind(self):
        """Let the outputs be the memory of the nodes they are."""
        for i, x in enumerate(self.program.outputs):
            while x.keeps_order:
                x = x.inputs[0]
            taken = x.id in self.binding or x.kind == "leaf"
            if taken or not self._may_bind(x, i):
                self.copies.append((x, i))
            else:
                self.binding[x.id] = i
                self.memory[x.id] = ("out", i)
        for number, i in list(self.binding.items()):
            self._bind_chain(self.by_id[number], ("out", i))

    def _bind_chain(self, node, memory):
        """Let earlier writes of the same memory, which nobody else reads, go there at once."""
        while node.kind in ("write", "scatter"):
            root = self._only_for(node.inputs[0])
            if root is None:
                return
            self.memory[root.id] = memory
            node = root

    def _only_for(self, base):
        """The write or scatter that made `base`, if `base` is all it is used for."""
        root = base
        while root.kind == "reshape" and root.id not in self.part.stored:
            if self.users.get(root.id, 0) != 1:
                return None
            root = root.inputs[0]
        if root.kind not in ("write", "scatter") or self.part.opaque(root) is False:
            return None
        if root.id in self.binding or self.users.get(root.id, 0) != 1:
            return None
        return None if any(n is root for n, _ in self.copies) else root

    def _overwriting(self):
        """The numbers of the steps that make what will be written over a leaf."""
        last = set()
        for x, leaf in zip(self.program.outputs, self.program.aliases, strict=True):
            x = self._stored_below(x)
            step = self.part.maker.get(x.id)
            if leaf is not None and step is not None:
                last |= {self.part.maker[n.id].number for n in (x, *self._changes(x)[0])}
        return last

    def _stored_below(self, x):
        while x.keeps_order and x.id not in self.part.stored:
            x = x.inputs[0]
        return x

    def _changes(self, node):
        """(the writes and scatters, one upon another, that end in `node`; what they start from)."""
        chain = []
        while self._changes_part(node):
            chain.append(node)
            root = self._only_for(node.inputs[0])
            if root is None:
                return chain, self._stored_below(node.inputs[0])
            node = root
        return chain, node

    def _changes_part(self, node):
        return node.kind == "write" or (node.kind == "scatter" and self.part.can_inline(node))

    def _changes_leaf(self, node, leaf):
        """Whether a node is a leaf with parts of it changed, which nobody reads as it was since."""
        chain, start = self._changes(node)
        if not chain or start.kind != "leaf" or start.attrs[0] != leaf:
            return False
        if any(start.id in self._roots(n.inputs[1:]) for n in chain):
            return False
        mine = {self.part.maker[n.id].number for n in chain}
        first = min(self.order[number] for number in mine)
        return all(self.order[n] < first for n in self._readers_of_leaf(leaf) - mine)

    def _may_bind(self, node, i):
        """Whether output `i` can be computed right where it will be.

        Not if it becomes the memory of a leaf that is read afterwards, or elsewhere.
        """
        leaf = self.program.aliases[i]
        if leaf is None:
            return True
        step = self.part.maker.get(node.id)
        if not isinstance(step, Group):
            return step is not None and self._changes_leaf(node, leaf)
        target = dict(step.sinks)[node]
        if any(axis in step.folded and step.domain[axis] != 1 for axis, _, _ in target):
            return False  # written while the folded dims are walked
        for node_id, where in self._leaf_reads(step, leaf):
            if where is None or not self._same_elements(node_id, where, node, step):
                return False
        mine = self.order[step.number]
        others = self._readers_of_leaf(leaf) - {step.number}
        return all(self.order[n] < mine for n in others)

    def _leaf_reads(self, step, leaf):
        """(node, where) of each direct read of a leaf in a group; where is None if unknown."""
        found = []
        stack = [(n, w, True) for n, w in step.sinks]
        seen = set()
        while stack:
            x, where, inside = stack.pop()
            if (x.id, where) in seen:
                continue
            seen.add((x.id, where))
            if x.id in self.part.stored and not inside and x.id not in step.members:
                if x.kind == "leaf" and x.attrs[0] == leaf:
                    found.append((x, where))
                continue
            if x.kind == "move":
                stack.append((x.inputs[0], compose(x.attrs, where), False))
            elif x.kind in ("reshape", "strided"):
                root = self.part.source(x)[0]
                if root.kind == "leaf" and root.attrs[0] == leaf:
                    found.append((x, where))
            elif x.kind == "gather":
                root = self.part.access(x.inputs[0])[0]
                if root.kind == "leaf" and root.attrs[0] == leaf:
                    found.append((x, None))
                width = len(x.inputs[1].shape)
                stack.extend((y, where[:width], False) for y in x.inputs[1:])
            else:
                stack.extend((y, where, False) for y in x.inputs if y is not None)
        return found

    def _same_elements(self, read, where, node, step):
        """Whether a read touches, at each place, just the element that is written there."""
        viewed = read.kind in ("reshape", "strided")
        _, offset, strides = self.part.source(read) if viewed else self.part.access(read)
        mine = contiguous_strides(node.shape)
        target = dict(step.sinks)[node]
        a = self._steps(strides, where, step.domain)
        b = self._steps(mine, target, step.domain)
        return offset == 0 and a == b

    def _steps(self, strides, where, domain):
        result, offset = [0] * len(domain), 0
        for stride, (axis, start, step) in zip(strides, where, strict=True):
            offset += start * stride
            if axis is not None and domain[axis] != 1:
                result[axis] += stride * step
        return offset, result

    def _readers_of_leaf(self, leaf):
        return self.readers.get(self.leaves.get(leaf), frozenset())

    def run(self):
        """Make the calls."""
        part = self.part
        self.steps = part.ordered(self._overwriting())
        self.order = {s.number: k for k, s in enumerate(self.steps)}
        for step in self.steps:
            for x in step.reads:
                self.readers.setdefault(x, set()).add(step.number)
        self.bind()
        self.copied = self._roots([n for n, _ in self.copies])
        waiting = self._copies_of_leaves()
        for step in self.steps:
            if isinstance(step, Group):
                self._group(step)
            else:
                self._opaque(step)
        for node, i in waiting:
            self._copy(node, ("out", i))
        for i in self.kept:
            self._copy_memory(i)
        return self

    def _copies_of_leaves(self):
        """Copy leaves before anything is written over one; returns the copies left for the end."""
        rest = []
        for node, i in self.copies:
            if node.kind != "leaf":
                rest.append((node, i))
            elif self.program.aliases[i] is None:
                self._copy(node, ("out", i))
            else:
                self._copy(node, ("kept", i))
                self.kept.append(i)
        return rest

    def _copy_memory(self, i):
        """Write what was kept of a leaf over another leaf."""
        node = self.program.outputs[i]
        group = Group(node.shape, frozenset(), -1)
        flat = [(node, ("out", i), contiguous_strides(node.shape), 0)]
        kernel = build_kernel(self.part, group, None, flat)
        kernel.memories = [
            ("kept", i) if not x.write else m
            for m, x in zip(kernel.memories, kernel.operands, strict=True)
        ]
        self._add(kernel, [node])

    def memory_of(self, node):
        """Where a stored node is."""
        return self.memory.setdefault(node.id, node.id)

    def _add(self, kernel, sinks):
        kernel.memories = [self.memory.get(m, m) for m in kernel.memories]
        reads = [m for m, o in zip(kernel.memories, kernel.operands, strict=True) if not o.write]
        writes = [m for m, o in zip(kernel.memories, kernel.operands, strict=True) if o.write]
        self.calls.append(Call("loops", None, kernel, reads, writes))
        self.calls[-1].sinks = sinks

    def _group(self, step):
        needed = self._needed_outside(step)

        def memory_of(node):
            return self.memory_of(node) if node.id in needed else None

        last = self.calls[-1] if self.calls else None
        rows = self._rows(last, step)
        kernel = build_kernel(self.part, step, memory_of, rows=rows)
        if not kernel.memories:
            return
        self._add(kernel, [n for n, _ in step.sinks])
        if rows and self._row_by_row(last, kernel, step.domain, rows):
            call = self.calls.pop()
            last.epilogue = call
            last.reads += [m for m in call.reads if m not in last.writes]
            last.writes += call.writes

    def _rows(self, last, step):
        """The number of leading dims of a group that are the rows of the product before it."""
        if last is None or last.kind != "matmul" or last.node.id not in step.reads:
            return 0
        batch, m, n = last.node.shape
        if batch * m * n < EPILOGUE_SIZE or m == 1:
            return 0
        count, d = 1, 0
        while d < len(step.domain) and count < batch * m:
            count *= step.domain[d]
            d += 1
        inside = all(f >= d for f in step.folded)
        return d if count == batch * m and inside and math.prod(step.domain[d:]) == n else 0

    def _row_by_row(self, last, kernel, domain, rows):
        """Whether a kernel reads, for each row, just that row of the product."""
        batch, m, n = last.node.shape
        mode, outer, _, *_ = kernel.key
        sizes = kernel.args[:outer]
        if mode == "column" or math.prod(sizes) != batch * m:
            return False
        for operand, memory in zip(kernel.operands, kernel.memories, strict=True):
            if memory != last.writes[0]:
                continue
            if operand.write or operand.extra or operand.offset:
                return False
            step = n
            for d in reversed(range(rows)):
                if domain[d] != 1 and operand.strides[d] != step:
                    return False
                step *= domain[d]
        return True

    def _needed_outside(self, step):
        """Sinks that somebody else reads, or that are outputs."""
        ids = {n.id for n, _ in step.sinks}
        mine = {step.number}
        read = {x for x in ids if not self.readers.get(x, mine) <= mine}
        return read | (ids & self.copied) | (ids & self.binding.keys())

    def _roots(self, nodes):
        """The stored nodes that computing some nodes reads, directly or through inlined values."""
        found, stack, seen = set(), [x for x in nodes if x is not None], set()
        while stack:
            x = stack.pop()
            if x.id in seen:
                continue
            seen.add(x.id)
            if x.id in self.part.stored:
                found.add(x.id)
            else:
                stack.extend(y for y in x.inputs if y is not None)
        return found

    def _copy(self, node, memory):
        group = Group(node.shape, frozenset(), -1)
        flat = [(node, memory, contiguous_strides(node.shape), 0)]
        self._add(build_kernel(self.part, group, None, flat), [node])

    def _opaque(self, step):
        node = step.node
        if node.kind == "write":
            self._write(node)
        elif node.kind == "scatter" and self.part.can_inline(node):
            memory = self._start_from(node, node.inputs[0])
            kernel = scatter_kernel(self.part, node, memory)
            self._add(kernel, [node])
            self.calls[-1].node = node
        else:
            reads = [self._source(x) for x in node.inputs if x is not None]
            kind = "matmul" if is_product(node) else "host"
            self.calls.append(Call(kind, node, None, reads, [self.memory_of(node)]))

    def _source(self, x):
        return self.memory_of(self.part.access(x)[0])

    def _start_from(self, node, base):
        """The memory of a node that changes part of `base`, filled with it."""
        root = self._only_for(base)
        if root is not None and node.id not in self.memory:
            self.memory[node.id] = self.memory_of(root)
        if root is not None and self.memory_of(root) == self.memory_of(node):
            return self.memory_of(node)
        memory = self.memory_of(node)
        if base.kind != "undef":
            self._copy(base, memory)
            start = self._stored_below(base)
            if start.kind == "leaf" and isinstance(memory, tuple):
                self.calls[-1].fills = self.program.aliases[memory[1]] == start.attrs[0]
        return memory

    def _write(self, node):
        base, value = node.inputs
        memory = self._start_from(node, base)
        strides, offset = node.attrs
        group = Group(value.shape, frozenset(), -1)
        kernel = build_kernel(self.part, group, None, [(value, memory, strides, offset)])
        self._add(kernel, [node])


def plan(program, part):
    """The `Plan` of a program that was cut into steps."""
    planner = _Planner(program, part).run()
    result = Plan()
    result.partition, result.calls = part, planner.calls
    place = {}
    for node in program.nodes:
        if node.kind == "leaf":
            place[planner.memory_of(node)] = node.attrs[0]
    count = len(program.leaves)
    for i in range(len(program.outputs)):
        place["out", i] = count + i
    sizes = {}
    by_id = planner.by_id
    for call in planner.calls:
        for m in (*call.reads, *call.writes):
            if m is not None and m not in place and m not in sizes:
                node = program.outputs[m[1]] if isinstance(m, tuple) else by_id[m]
                sizes[m] = max(node.numel * node.dtype.itemsize, 1)
    result.offsets, result.arena = arena(planner.calls, sizes)
    base = count + len(program.outputs)
    result.temporaries = list(result.offsets)
    for k, m in enumerate(result.temporaries):
        place[m] = base + k
    result.place = place
    result.memory = planner.memory
    return result
