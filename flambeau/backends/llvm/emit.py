"""Kernels as LLVM IR.

A kernel becomes `void f(i64 begin, i64 end, ptr args, ptr bufs, ptr scalars, ptr status)`, which
does the tiles from begin to end. `args` holds, as int64: the index of each operand's buffer, the
index of each scalar slot, then `Kernel.args`. `bufs` are addresses, `scalars` 8 bytes a slot;
`status` is where an index out of range is reported: (1 if any, the index, the size).
"""

from ... import dtypes
from ...compiler.loops import COLUMN_TILE
from ..cpu import get_cpu_capability
from . import math as elementary
from .folds import Folds
from .scalar import OPERATIONS, value_type

__all__ = ["can_emit", "emit"]

# The loops over consecutive elements are marked !2. Where accumulators are wider than the elements,
# LLVM would fit its vectors to the accumulators: those are marked !4, which asks for whole vectors
# of elements.
FLOATS_PER_VECTOR = {"AVX512": 16, "AVX2": 8, "DEFAULT": 4}


def can_emit(node):
    """Whether kernels can compute a node. Of complex numbers and small floats they make copies."""
    if node.kind == "gather":
        return True
    kinds = [node.dtype, *(x.dtype for x in node.inputs if x is not None)]
    if any(d.is_complex or (d.limited and d.is_floating_point) for d in kinds):
        return False
    if node.kind == "map":
        real = node.inputs[-1].dtype.is_floating_point
        return node.op.name in OPERATIONS or (real and node.op.name in elementary.NAMES)
    return node.kind in ("cast", "copy", "reduce", "scatter", "slot")


class _Kernel(Folds):
    """Writes the text of one kernel."""

    def kernel(self, symbol):
        """The whole text of the module."""
        self.load_arguments()
        self.bad = None
        if any(c[0] == "gather" or c[0].startswith("scatter") for c in self.code):
            self.bad = (self.alloca("i64"), self.alloca("i64"), self.alloca("i64"))
            for name in self.bad:
                self.entry.append(f"  store i64 0, ptr {name}")
        self.loop("%end", self.tiles, start="%begin", steps=True)
        if self.bad:
            self.report()
        self.do("ret void")
        head = (
            f"define void @{symbol}(i64 %begin, i64 %end, ptr noalias %args, ptr noalias %bufs, "
            "ptr noalias %scalars, ptr noalias %status) #0 {\nentry:"
        )
        text = [head, *self.entry, "  br label %start", "start:", *self.lines, "}"]
        attributes = (
            'attributes #0 = { nounwind "prefer-vector-width"="512" "no-trapping-math"="true" }'
        )
        marks = ["!0 = !{}", "!1 = distinct !{}", "!2 = distinct !{!2, !3}"]
        marks.append('!3 = !{!"llvm.loop.parallel_accesses", !1}')
        width = FLOATS_PER_VECTOR[get_cpu_capability()]
        marks.append("!4 = distinct !{!4, !3, !5}")
        marks.append(f'!5 = !{{!"llvm.loop.vectorize.width", i32 {width}}}')
        return "\n".join([*self.externals, *text, attributes, *marks])

    def report(self):
        """At the end: tell about an index that was out of range."""
        flag, index, size = self.bad
        found = self.let(f"load i64, ptr {flag}")
        wrong = self.let(f"icmp ne i64 {found}, 0")
        self.do(f"br i1 {wrong}, label %wrong, label %right")
        self.label("wrong")
        for k, name in enumerate((flag, index, size)):
            value = self.let(f"load i64, ptr {name}")
            place = self.let(f"getelementptr i64, ptr %status, i64 {k}")
            self.do(f"store i64 {value}, ptr {place}")
        self.do("br label %right")
        self.label("right")

    def tiles(self, t):
        """The code for tile `t`, and what follow it in the same row: returns how many it did."""
        self.values = {}
        row, step = t, "1"
        if self.mode != "row":
            more = self.let(f"add i64 {self.lane}, {self.tile}")
            more = self.let(f"sub i64 {more}, 1")
            lanes = self.let(f"sdiv i64 {more}, {self.tile}")
            row = self.let(f"sdiv i64 {t}, {lanes}")
            column = self.let(f"srem i64 {t}, {lanes}")
            self.j0 = self.let(f"mul i64 {column}, {self.tile}")
            most = self.tile
            if self.mode == "column":
                step = self.least(
                    str(self.span), f"sub i64 %end, {t}", f"sub i64 {lanes}, {column}"
                )
                most = self.let(f"mul i64 {step}, {self.tile}")
            self.width = self.least(most, f"sub i64 {self.lane}, {self.j0}")
        places = self.decode(row)
        self.here = []
        for k in range(len(self.operands)):
            where = self.base[k]
            steps = list(zip(places, self.steps[k], strict=False))
            if self.mode != "row" and self.step_class(k) != 0:
                steps.append((self.j0, self.steps[k][-1]))
            self.here.append(self.advance(k, where, steps))
        {"elementwise": self.elementwise, "row": self.row, "column": self.column}[self.mode]()
        return step

    def least(self, value, *others):
        """The least of a value and of the results of instructions."""
        for text in others:
            other = self.let(text)
            less = self.let(f"icmp slt i64 {other}, {value}")
            value = self.let(f"select i1 {less}, i64 {other}, i64 {value}")
        return value

    # The three kinds of kernel

    def closure(self, roots, stop):
        """The instructions that `roots` need, in order, not going beyond those in `stop`."""
        needed, stack = set(), list(roots)
        while stack:
            x = stack.pop()
            if x not in needed and not stop(x):
                needed.add(x)
                stack.extend(self.code[x][2])
        return sorted(needed)

    def works(self, level, phase):
        """The stores and reductions of a level and phase."""
        return [
            x
            for x, (name, *_) in enumerate(self.code)
            if self.phases[x] == phase
            and (name == "reduce" and level == "i" and self.mode != "elementwise")
            | ((name == "store" or name.startswith("scatter")) and self.levels[x] == level)
        ]

    def marker(self, works):
        """How the innermost loop with the reductions among `works` is marked."""
        wide = False
        for x in works:
            name, _, operands, extra = self.code[x]
            if name == "reduce":
                if extra[0].startswith("arg"):
                    return "!2"  # LLVM would say aloud that it has no vectors for these
                dtype = dtypes.BY_NAME[self.code[operands[0]][1]]
                kind = self.accumulator(extra[0], dtype)
                wide |= value_type(dtype) == "float" and kind == "double"
        return "!4" if wide and not self.bad else "!2"

    def elementwise(self):
        """for j: body."""
        works = [x for x in range(len(self.code)) if self.is_store(x)]
        needed = self.closure(works, lambda x: False)
        fixed = [x for x in needed if self.levels[x] == "o" and not self.is_store(x)]
        self.compute(fixed, self.values, lambda k: self.here[k], False)
        serial = any(self.code[x][0].startswith("scatter") for x in works)
        inner = [x for x in needed if x not in self.values]

        def body(j):
            place = lambda k: self.inner_place(k, self.here[k], j)  # noqa: E731
            self.compute(inner, dict(self.values), place, not serial)

        if not serial:
            self.loop(self.width, body, marker="!2")
        elif any(self.code[x][0] == "gather" for x in needed):
            self.loop(self.width, body)
        else:
            self.scatters(works, body)

    def scatters(self, works, body):
        """The loop of scatters; all indices are looked at before, which is quicker in vectors."""
        found = self.alloca("i64")
        before = self.let(f"load i64, ptr {self.bad[0]}")
        self.do(f"store i64 {before}, ptr {found}")
        scatters = [x for x in works if self.code[x][0] != "store"]
        indices = self.closure([y for x in scatters for y in self.code[x][2][1:]], lambda x: False)

        def check(j):
            values = dict(self.values)
            place = lambda k: self.inner_place(k, self.here[k], j)  # noqa: E731
            self.compute(indices, values, place, True)
            for x in scatters:
                old = self.let(f"load i64, ptr {found}")
                wrong = self.let(f"or i64 {old}, {self.out_of_range(x, values)}")
                self.do(f"store i64 {wrong}, ptr {found}")

        def quick():
            self.checking = False
            self.loop(self.width, body)
            self.checking = True

        self.loop(self.width, check, marker="!2")
        fine = self.let(f"icmp eq i64 {self.let(f'load i64, ptr {found}')}, 0")
        self.when(fine, quick, lambda: self.loop(self.width, body))

    def is_store(self, x):
        """Whether an instruction writes memory."""
        return self.code[x][0] == "store" or self.code[x][0].startswith("scatter")

    def row(self):
        """for r: reduce; then what follows, phase by phase."""
        last = max(self.phases)
        self.plan_spills(last)
        for phase in range(last + 1):
            works = self.works("i", phase)
            if works:
                if phase == 1 and self.n_fold == 1:
                    self.fetch_next_row()
                self.fixed_values(works)
                self.start(works)
                self.row_loops(works, phase)
            for x, (name, *_) in enumerate(self.code):
                if name == "result" and self.phases[x] == phase + 1:
                    self.values[x] = self.finished(x)
        stores = [x for x in range(len(self.code)) if self.is_store(x) and self.levels[x] != "i"]
        self.fixed_values(stores)
        self.compute(stores, self.values, lambda k: self.here[k], False)

    def fetch_next_row(self):
        """Ask for what the next row starts with, while this one is computed with."""
        first = {
            self.code[x][3][0]
            for x in self.closure(self.works("i", 0), lambda x: False)
            if self.code[x][0] == "load"
        }
        for k in sorted(first):
            if self.step_class(k) != 1:
                continue
            self.external("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
            size = dtypes.BY_NAME[self.operands[k][0]].itemsize
            count = self.let(f"mul i64 {self.fold[0]}, {size}")
            lines = self.let(f"lshr i64 {count}, 6")
            following = self.let(f"getelementptr i8, ptr {self.here[k]}, i64 {count}")

            def fetch(i, following=following):
                place = self.let(f"mul i64 {i}, 64")
                place = self.let(f"getelementptr i8, ptr {following}, i64 {place}")
                self.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")

            self.loop(lines, fetch)

    def fixed_values(self, works):
        """Compute what `works` need that does not depend on the folded loops."""
        needed = self.closure(works, lambda x: x in self.values)
        fixed = [x for x in needed if self.levels[x] != "i" and not self.is_store(x)]
        self.compute(fixed, self.values, lambda k: self.here[k], False)

    def plan_spills(self, last):
        """Give a row on the stack to expensive values that more than one phase needs."""
        if not self.spill or self.spilled:
            return
        seen = {}
        for phase in range(last + 1):
            roots = [y for x in self.works("i", phase) for y in self.code[x][2]]
            for x in self.closure(roots, lambda x: self.levels[x] != "i"):
                if self.code[x][0] in elementary.NAMES:
                    seen.setdefault(x, []).append(phase)
        for x, phases in seen.items():
            if len(phases) > 1:
                kind = value_type(dtypes.BY_NAME[self.code[x][1]])
                self.spilled[x] = (self.alloca(kind, self.fold[0]), kind, phases[0])

    def row_loops(self, works, phase):
        """The loops over the folded dims of one phase."""

        def known(x):
            return x in self.values or (x in self.spilled and self.spilled[x][2] < phase)

        inner = [x for x in self.closure(works, known) if self.levels[x] == "i"]
        inner += [x for x in works if x not in inner]
        inner = sorted(set(inner))
        direct = {y for x in (*inner, *works) for y in self.code[x][2]}

        def body(i, addresses):
            values = dict(self.values)
            for x, (memory, kind, first) in self.spilled.items():
                if first < phase and x in direct:
                    place = self.let(f"getelementptr {kind}, ptr {memory}, i64 {i}")
                    values[x] = self.let(f"load {kind}, ptr {place}, !llvm.access.group !1")
            self.compute(inner, values, lambda k: self.inner_place(k, addresses[k], i), True)
            for x, (memory, kind, first) in self.spilled.items():
                if first == phase and x in values:
                    place = self.let(f"getelementptr {kind}, ptr {memory}, i64 {i}")
                    self.do(f"store {kind} {values[x]}, ptr {place}, !llvm.access.group !1")
            self.accumulate(works, values)

        self.nest(0, self.here, body, self.marker(works))

    def nest(self, depth, addresses, body, marker):
        """Loops over the folded dims; the innermost runs body(i, addresses)."""
        if depth == self.n_fold - 1:
            self.loop(self.fold[depth], lambda i: body(i, addresses), marker=marker)
            return

        def step(i):
            moved = [
                self.advance(k, a, [(i, self.steps[k][self.n_outer + depth])])
                for k, a in enumerate(addresses)
            ]
            self.nest(depth + 1, moved, body, marker)

        self.loop(self.fold[depth], step)

    def column(self):
        """for r: for j: reduce; then what follows, phase by phase, for all j of the tile."""
        last = max(self.phases)
        lanes = lambda body: self.loop(self.width, body, marker="!2")  # noqa: E731
        tiles = {}
        for phase in range(last + 1):
            works = self.works("i", phase)
            self.outer_values(works)
            self.start(works, lanes)
            if works:
                self.column_loops(works, phase, tiles)
            self.keep_lanes(phase + 1, tiles, lanes)
        stores = [x for x in range(len(self.code)) if self.is_store(x) and self.levels[x] != "i"]
        if stores:
            self.outer_values(stores)
            lanes(lambda j: self.lane_values(stores, j, tiles))

    def outer_values(self, works):
        """Compute what depends on neither the folded loops nor the lane."""
        needed = self.closure(works, lambda x: x in self.values)
        fixed = [
            x
            for x in needed
            if self.levels[x] == "o"
            and self.phases[x] == 0
            and not self.is_store(x)
            and self.code[x][0] != "reduce"
        ]
        self.compute(fixed, self.values, lambda k: self.here[k], False)

    def lane_values(self, works, j, tiles):
        """Compute `works`, which do not depend on the folded loops, for one lane."""
        values = dict(self.values)
        self.from_tiles(values, works, j, tiles)
        needed = self.after_results(works, values, j)
        self.compute(needed, values, lambda k: self.inner_place(k, self.here[k], j), True)
        return values

    def after_results(self, works, values, j):
        """Add to `values` the results of folds that `works` need; returns what else they need.

        That is nothing of what was folded: the rows may be none, and then there is nothing to read.
        """
        for x in self.closure(works, lambda x: x in values):
            if self.code[x][0] == "result":
                values[x] = self.finished(x, j)
        return self.closure(works, lambda x: x in values)

    def from_tiles(self, values, works, j, tiles):
        """Read what was kept per lane and is needed."""
        needed = set(self.closure(works, lambda x: x in values or x in tiles))
        direct = {y for x in needed for y in self.code[x][2]} | set(works)
        for x, (memory, kind) in tiles.items():
            if x in direct:
                place = self.let(f"getelementptr {kind}, ptr {memory}, i64 {j}")
                values[x] = self.let(f"load {kind}, ptr {place}, !llvm.access.group !1")

    def keep_lanes(self, phase, tiles, lanes):
        """Keep, per lane, values of a phase that later loops over the folded dims use."""
        later = [x for p in range(phase, max(self.phases) + 1) for x in self.works("i", p)]
        inner = self.closure(later, lambda x: self.levels[x] != "i" and self.code[x][0] != "reduce")
        used = {y for x in inner for y in self.code[x][2] if self.levels[y] != "i"}
        wanted = [
            y
            for y in sorted(used)
            if self.phases[y] == phase and y not in tiles and self.code[y][0] != "reduce"
        ]
        for y in wanted:
            kind = value_type(dtypes.BY_NAME[self.code[y][1]])
            memory = self.alloca(kind, self.span * COLUMN_TILE)

            def body(j, y=y, kind=kind, memory=memory):
                value = self.lane_values([y], j, tiles)[y]
                place = self.let(f"getelementptr {kind}, ptr {memory}, i64 {j}")
                self.do(f"store {kind} {value}, ptr {place}, !llvm.access.group !1")

            lanes(body)
            tiles[y] = (memory, kind)

    def column_loops(self, works, phase, tiles):
        """for r: for j: one phase."""
        reductions = [x for x in works if self.code[x][0] == "reduce"]

        def body(j, addresses):
            values = dict(self.values)
            self.from_tiles(values, works, j, tiles)
            needed = self.after_results(works, values, j)
            self.compute(needed, values, lambda k: self.inner_place(k, addresses[k], j), True)
            self.accumulate(reductions, values, j)

        marker = self.marker(works)

        def over(depth, addresses):
            def step(i):
                moved = [
                    self.advance(k, a, [(i, self.steps[k][self.n_outer + depth])])
                    for k, a in enumerate(addresses)
                ]
                if depth == self.n_fold - 1:
                    self.loop(self.width, lambda j: body(j, moved), marker=marker)
                else:
                    over(depth + 1, moved)

            self.loop(self.fold[depth], step)

        over(0, self.here)


def emit(key, symbol):
    """The text of a module with one kernel of structure `key`, called `symbol`."""
    return _Kernel(key).kernel(symbol)
