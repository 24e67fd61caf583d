"""Cuts a program into steps: fused kernels, and what is done by a library or the interpreter.

Which values get memory of their own is decided first (`Partition.stored`); all others are computed
where they are used. Stores and reductions over the same index space, where one needs what the
other computes or both read the same memory, then share a kernel: a `Group`.
"""

from ..geometry import contiguous_strides, view_strides
from .program import identity_axes

__all__ = ["Group", "Partition", "Step", "compose", "is_product", "partition"]

INLINE = frozenset(("map", "cast", "move", "gather", "const", "slot", "iota"))
FUSED = frozenset(("map", "cast", "copy", "reduce", "gather"))
LARGEST = 96  # operations computed inline before a value is stored
MANY = 24  # stores and reductions in one kernel
LONGEST_TABLE = 1 << 22  # entries, of the places of rows or columns of an operand


def compose(inner, outer):
    """The index map `inner` (dims of a value read at dims of a node) after `outer`.

    `outer[d]` says where dim d of the node is read in the index space.
    """
    result = []
    for axis, start, step in inner:
        if axis is None:
            result.append((None, start, 1))
        else:
            axis2, start2, step2 = outer[axis]
            result.append((axis2, start + step * start2, step * step2 if axis2 is not None else 1))
    return tuple(result)


def is_product(node):
    """Whether a node is a matrix product that native functions compute."""
    return node.kind == "matmul" and node.dtype.name in ("float32", "float64")


def _turns(axes):
    """Whether a move changes no more than the order of a matrix: not that of a batch."""
    if not axes or any(start != 0 or step != 1 for _, start, step in axes):
        return False
    return axes[0][0] in (0, None) and 0 not in [axis for axis, *_ in axes[1:]]


def group_dims(inner, outer):
    """For each dim of the shape `outer`, which dims of `inner` it consists of, in order.

    None if one of `inner` belongs to two.

    >>> group_dims((32, 3, 3, 8, 8), (32, 9, 64)), group_dims((6, 4), (3, 8))
    ([[0], [1, 2], [3, 4]], None)
    """
    groups, d = [], 0
    for size in outer:
        group, total = [], 1
        while total < size and d < len(inner):
            total *= inner[d]
            group.append(d)
            d += 1
        if total != size:
            return None
        groups.append(group)
    return groups


class Step:
    """Something the runtime does as one: a node handled by a library or the interpreter.

    reads: the ids of the stored nodes it reads. before: bits of the steps that come before.
    """

    def __init__(self, kind, node, number):
        self.kind, self.node, self.number = kind, node, number
        self.reads = set()
        self.before = 0


class Group(Step):
    """A kernel to be: an index space, the dims of it that are folded, and its sinks.

    sinks: (node, map from the dims of the stored value to the index space), reductions among them.
    """

    def __init__(self, domain, folded, number):
        super().__init__("loops", None, number)
        self.domain, self.folded = domain, folded
        self.sinks = []
        self.members = {}  # id of a sink's node -> its map


class Partition:
    """The steps of a program, and which nodes have memory."""

    def __init__(self, program, can_inline):
        self.program, self.can_inline = program, can_inline
        self.stored, self.for_products = set(), set()
        self.affine = {}
        self.frontiers = {}
        self.steps = []
        self.maker = {}  # id of a stored node -> its step

    def is_stored(self, node):
        """Whether a node has memory of its own."""
        return node.id in self.stored

    def opaque(self, node):
        """Whether a node is a step by itself."""
        kind = node.kind
        if kind in ("leaf", "const", "iota", "move", "reshape", "strided", "undef"):
            return False
        if kind == "slot":
            return not self.can_inline(node)
        return kind not in FUSED or not self.can_inline(node)

    # Which values get memory

    def store(self, node):
        """Give a node memory of its own."""
        self.stored.add(node.id)
        self.affine.pop(node.id, None)

    def ensure(self, node):
        """Make a node readable as a strided view of stored memory."""
        if node.id in self.stored:
            return
        kind = node.kind
        if kind == "move":
            self.ensure(node.inputs[0])
        elif kind == "reshape":
            source = node.inputs[0]
            self.ensure(source)
            if self._viewed(source, node.shape) is None and not self._in_groups(node):
                self.store(source)
        elif kind == "strided":
            source = node.inputs[0]
            self.ensure(source)
            if self.access(source)[2] not in ((1,), ()) and source.numel > 1:
                self.store(source)
        else:
            self.store(node)

    def _viewed(self, source, shape):
        return view_strides(source.shape, self.access(source)[2], shape)

    def _in_groups(self, node):
        """Whether a reshape can be read as it is: each dim is a group of dims of the source.

        Products do so, by tables; the dim of the batch has one stride.
        """
        source = node.inputs[0]
        if node.id not in self.for_products or max(node.shape) > LONGEST_TABLE:
            return False
        groups = group_dims(source.shape, node.shape)
        if groups is None:
            return False
        strides = self.access(source)[2]
        batch = [source.shape[d] for d in groups[0]]
        return bool(view_strides(batch, [strides[d] for d in groups[0]], node.shape[:1]))

    def access(self, node):
        """(stored node, offset, strides) of a node that `ensure` was called for.

        There are no strides but None if it is read in groups of dims (see `factors`).
        """
        if node.id in self.stored:
            return node, 0, contiguous_strides(node.shape)
        return self.source(node)

    def source(self, node):
        """What a view reads, as `access` tells it, also if the view has memory of its own."""
        found = self.affine.get(node.id)
        if found is None:
            found = self._source(node)
            if found[2] is not None:  # a source that gets memory later may have strides for it
                self.affine[node.id] = found
        return found

    def _source(self, node):
        root, offset, strides = self.access(node.inputs[0])
        if strides is None:
            return root, offset, None
        if node.kind == "move":
            result = [0] * len(node.shape)
            for (axis, start, step), stride in zip(node.attrs, strides, strict=True):
                offset += start * stride
                if axis is not None:
                    result[axis] += step * stride
            return root, offset, tuple(result)
        if node.kind == "reshape":
            viewed = self._viewed(node.inputs[0], node.shape)
            return root, offset, None if viewed is None else tuple(viewed)
        steps, start = node.attrs
        return root, offset + start, steps

    def factors(self, node):
        """The (size, stride) pairs that each dim of an operand of a product consists of."""
        strides = self.access(node)[2]
        if strides is not None:
            return [[pair] for pair in zip(node.shape, strides, strict=True)]
        shape, dims = node.shape, list(range(len(node.shape)))
        while node.kind == "move":
            below = {axis: d for d, (axis, _, _) in enumerate(node.attrs)}
            dims = [below.get(d) for d in dims]
            node = node.inputs[0]
        source = node.inputs[0]
        pairs = list(zip(source.shape, self.access(source)[2], strict=True))
        groups = group_dims(source.shape, node.shape)
        found = [[] if d is None else [pairs[k] for k in groups[d]] for d in dims]
        return [f or [(size, 0)] for f, size in zip(found, shape, strict=True)]

    def _only_for_products(self):
        """The ids of reshapes that matrix products, and nobody else, read."""
        users = {}
        for node in self.program.nodes:
            for x in node.inputs:
                if x is not None:
                    users.setdefault(x.id, []).append(node)
        outputs = {x.id for x in self.program.outputs}
        found, turned = set(), set()
        for node in reversed(self.program.nodes):
            if node.kind == "reshape" or (node.kind == "move" and _turns(node.attrs)):
                above = () if node.id in outputs else users.get(node.id, ())
                if above and all(is_product(x) or x.id in turned for x in above):
                    (found if node.kind == "reshape" else turned).add(node.id)
        return found

    def choose(self):
        """Decide which values get memory."""
        nodes = self.program.nodes
        self.for_products = self._only_for_products()
        for node in nodes:
            if node.kind in ("leaf", "copy", "reduce") or self.opaque(node):
                self.stored.add(node.id)
        for x in self.program.outputs:
            while x.keeps_order:
                x = x.inputs[0]
            self.store(x)
        cost = {}
        for node in nodes:
            self._requirements(node)
            if node.id in self.stored or node.kind in ("reshape", "strided"):
                cost[node.id] = 1
                continue
            total = (node.kind != "move") + sum(
                cost.get(x.id, 1) for x in node.inputs if x.id not in self.stored
            )
            if total > LARGEST and node.kind in INLINE:
                self.store(node)
                total = 1
            cost[node.id] = total

    def _requirements(self, node):
        if self.opaque(node):
            for k, x in enumerate(node.inputs):
                if x is None or (node.kind == "write" and k == 1) or self._scatter_inline(node, k):
                    continue
                if x.kind == "undef":
                    continue
                if k == 0 and (node.kind == "write" or self._scatter_inline(node, 1)):
                    continue
                if node.kind == "matmul":
                    self.ensure(x)
                    if not self._fits_product(x):
                        self.store(x)
                else:
                    self._ensure_contiguous(x)
        elif node.kind == "gather":
            self.ensure(node.inputs[0])
        elif node.kind in ("reshape", "strided"):
            self.ensure(node)

    def _scatter_inline(self, node, k):
        return node.kind == "scatter" and k >= 1 and self.can_inline(node)

    def _ensure_contiguous(self, x):
        while x.kind == "reshape" and x.id not in self.stored:
            x = x.inputs[0]
        if x.id not in self.stored:
            self.store(x)

    def _fits_product(self, x):
        """Whether rows or columns of an operand are without gaps, as products pack them."""
        _, _, strides = self.access(x)
        return strides is None or 1 in strides[1:] or 1 in x.shape[1:]

    # Steps

    def cut(self):
        """Make the steps."""
        for node in self.program.nodes:
            if node.kind in ("leaf", "undef"):
                continue
            if self.opaque(node):
                self._add_opaque(node)
            elif node.id in self.stored:
                self._add_sink(node)

    def _new(self, step):
        self.steps.append(step)
        return step

    def _add_opaque(self, node):
        step = self._new(Step(node.kind, node, len(self.steps)))
        self.maker[node.id] = step
        before = 0
        for x in node.inputs:
            if x is not None:
                here = identity_axes(len(x.shape))
                for number, _ in self.frontier(x, here, x.id not in self.stored):
                    step.reads.add(number)
                    before |= self._with_ancestors(number)
        step.before = before

    def _with_ancestors(self, number):
        maker = self.maker.get(number)
        return 0 if maker is None else maker.before | (1 << maker.number)

    def frontier(self, node, axes, inside=False):
        """{(id of a stored node, map)} that reading a node at a map, or computing it, reads."""
        key = node.id, axes, inside
        found = self.frontiers.get(key)
        if found is None:
            found = self.frontiers[key] = self._frontier(node, axes, inside)
        return found

    def _frontier(self, node, axes, inside):
        found, seen, stack = {}, set(), [(node, axes, inside)]
        while stack:
            x, where, inside = stack.pop()
            if (x.id, where) in seen:
                continue
            seen.add((x.id, where))
            if x.id in self.stored and not inside:
                found[x.id, where] = x
                continue
            kind = x.kind
            if kind == "move":
                stack.append((x.inputs[0], compose(x.attrs, where), False))
            elif kind in ("reshape", "strided"):
                root = self.source(x)[0]
                found[root.id, None] = root
            elif kind == "gather":
                root = self.access(x.inputs[0])[0]
                found[root.id, None] = root
                width = len(x.inputs[1].shape)
                stack.extend((i, where[:width], False) for i in x.inputs[1:])
            elif kind == "reduce":
                stack.append((x.inputs[0], identity_axes(len(x.inputs[0].shape)), False))
            else:
                stack.extend((y, where, False) for y in x.inputs)
        return found

    def _add_sink(self, node):
        source = node.inputs[0] if node.kind == "reduce" else node
        domain = source.shape
        folded = frozenset(node.attrs) if node.kind == "reduce" else frozenset()
        here = identity_axes(len(domain))
        reads = self.frontier(source, here, source is node)
        for group in self._candidates(reads, domain, folded):
            places = self._placement(group, node, domain, folded)
            for where in places:
                if self._joins(group, node, source, where):
                    return
        group = self._new(Group(domain, folded, len(self.steps)))
        self._join(group, node, here, reads)

    def _candidates(self, reads, domain, folded):
        wanted = {number for number, _ in reads}
        found = []
        for number in wanted:
            maker = self.maker.get(number)
            if isinstance(maker, Group) and maker not in found:
                found.append(maker)
        for step in reversed(self.steps[-32:]):
            if isinstance(step, Group) and step not in found and step.reads & wanted:
                found.append(step)
        return [g for g in found if len(g.sinks) < MANY]

    def _placement(self, group, node, domain, folded):
        """The maps from the dims of a sink's index space to that of the group, best first."""
        full = [d for d, n in enumerate(group.domain) if n != 1]
        mine = [d for d, n in enumerate(domain) if n != 1]
        places = []
        if [domain[d] for d in mine] == [group.domain[d] for d in full]:
            pairs = dict(zip(mine, full, strict=True))
            mapped = frozenset(pairs[d] for d in folded if d in pairs)
            theirs = frozenset(d for d in group.folded if group.domain[d] != 1)
            if not folded or not theirs or mapped == theirs:
                places.append(self._as_map(pairs, len(domain)))
        if not folded and group.folded:
            kept = [d for d in full if d not in group.folded]
            if [domain[d] for d in mine] == [group.domain[d] for d in kept]:
                places.append(self._as_map(dict(zip(mine, kept, strict=True)), len(domain)))
        return places

    def _as_map(self, pairs, ndim):
        return tuple((pairs[d], 0, 1) if d in pairs else (None, 0, 1) for d in range(ndim))

    def _joins(self, group, node, source, where):
        reads = self.frontier(source, where, source is node)
        bit = 1 << group.number
        before = 0
        for number, at in reads:
            maker = self.maker.get(number)
            if maker is None:
                continue
            if maker is group:
                if at is None or not self._same_place(group, number, at):
                    return False
            elif maker.before & bit:
                return False
            else:
                before |= maker.before | (1 << maker.number)
        if node.kind == "reduce" and not group.folded:
            axes = [where[d][0] for d in node.attrs]
            folded = frozenset(a for a in axes if a is not None)
            if not self._may_fold(group, folded):
                return False
            group.folded = folded
        self._join(group, node, where, reads)
        return True

    def _may_fold(self, group, folded):
        return True

    def _same_place(self, group, number, at):
        """Whether a value made in the group is read just where it was made."""
        there = group.members[number]
        for (axis, start, step), (axis2, _, _) in zip(at, there, strict=True):
            if start or step != 1:
                return False
            if axis != axis2 and axis2 is not None:
                return False
            if axis2 is None and axis is not None and group.domain[axis] != 1:
                return False
        return True

    def _join(self, group, node, where, reads):
        if node.kind == "reduce":
            made = tuple((None, 0, 1) if d in node.attrs else a for d, a in enumerate(where))
        else:
            made = where
        group.sinks.append((node, where))
        group.members[node.id] = made
        self.maker[node.id] = group
        before = group.before
        for number, _ in reads:
            maker = self.maker.get(number)
            group.reads.add(number)
            if maker is not None and maker is not group:
                before |= maker.before | (1 << maker.number)
        if before != group.before:
            group.before = before
            bit = 1 << group.number
            for step in self.steps:
                if step.before & bit:
                    step.before |= before

    def ordered(self, last=frozenset()):
        """The steps, each after those it needs; those numbered in `last` as late as can be."""
        done, result = 0, []
        waiting = [s for s in self.steps if s.number not in last]
        late = [s for s in self.steps if s.number in last]
        while waiting or late:
            rest = []
            for step in waiting:
                if step.before & ~done:
                    rest.append(step)
                else:
                    done |= 1 << step.number
                    result.append(step)
            if len(rest) == len(waiting):
                ready = next((s for s in late if not s.before & ~done), None)
                if ready is None:
                    raise AssertionError("the steps of a program depend on each other in a circle")
                late.remove(ready)
                done |= 1 << ready.number
                result.append(ready)
            waiting = rest
        return result


EXPENSIVE = frozenset(
    ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "tanh", "pow")
    + ("sigmoid", "erf", "erfc", "asin", "acos", "atan", "sinh", "cosh", "atan2", "hash_uniform")
)


def partition(program, can_inline):
    """The `Partition` of a program. can_inline(node): whether kernels can compute a node."""
    first = Partition(program, can_inline)
    first.choose()
    first.cut()
    shared = _computed_twice(first)
    if not shared:
        return first
    second = Partition(program, can_inline)
    second.choose()
    for node in shared:
        second.store(node)
    second.affine.clear()
    second.cut()
    return second


def _computed_twice(found):
    """Expensive values that more than one step would compute."""
    users = {}
    for step in found.steps:
        for node in _inlined(found, step):
            if node.kind == "map" and node.op.name in EXPENSIVE and node.numel > 1:
                users.setdefault(node.id, (node, set()))[1].add(step.number)
    return [node for node, steps in users.values() if len(steps) > 1]


def _inlined(found, step):
    roots = [n for n, _ in step.sinks] if isinstance(step, Group) else [step.node]
    seen, stack = set(), []
    for root in roots:
        stack.extend(x for x in root.inputs if x is not None)
        if root.kind == "map":
            yield root
    while stack:
        x = stack.pop()
        if x.id in seen or x.id in found.stored:
            continue
        seen.add(x.id)
        yield x
        stack.extend(y for y in x.inputs if y is not None)
