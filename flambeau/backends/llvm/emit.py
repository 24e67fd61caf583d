"""Kernels as LLVM IR.

A kernel becomes `void f(i64 begin, i64 end, ptr args, ptr bufs, ptr scalars, ptr status)`, which
does the tiles from begin to end. `args` holds, as int64: the index of each operand's buffer, the
index of each scalar slot, then `Kernel.args`. `bufs` are addresses, `scalars` 8 bytes a slot;
`status` is where an index out of range is reported: (1 if any, the index, the size).
"""

import struct
import sys

from ... import dtypes
from ...compiler.loops import COLUMN_TILE
from . import math as elementary
from .scalar import OPERATIONS, cast, memory_type, value_type

__all__ = ["can_emit", "emit"]

FOLD = "reassoc nsz contract "


def can_emit(node):
    """Whether kernels can compute a node. Of complex numbers they only make copies."""
    if node.kind == "gather":
        return True
    kinds = [node.dtype, *(x.dtype for x in node.inputs if x is not None)]
    if any(d.is_complex for d in kinds):
        return False
    if node.kind == "map":
        real = node.inputs[-1].dtype.is_floating_point
        return node.op.name in OPERATIONS or (real and node.op.name in elementary.NAMES)
    return node.kind in ("cast", "reduce", "scatter", "slot")


class _Emitter:
    """Writes the text of one kernel."""

    def __init__(self, key):
        self.mode, self.n_outer, self.n_fold, self.operands, self.code, self.order = key[:6]
        self.spill, self.slots, self.numbers, self.short = key[6:]
        self.lines, self.entry = [], []
        self.count = 0
        self.externals = {}
        self.levels = [level for level, _ in self.order]
        self.phases = [phase for _, phase in self.order]
        self.spilled = {}
        self.kept = {}

    # Text

    def name(self):
        """A fresh name."""
        self.count += 1
        return f"%v{self.count}"

    def let(self, text):
        """The name of the result of an instruction."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text):
        """An instruction without a result."""
        self.lines.append("  " + text)

    def label(self, name):
        """Start a block."""
        self.lines.append(f"{name}:")

    def alloca(self, kind, count=None):
        """Stack memory, made in the entry block."""
        name = self.name()
        size = f", i64 {count}" if count else ""
        self.entry.append(f"  {name} = alloca {kind}{size}, align 64")
        return name

    def external(self, definition):
        """Note a declaration or definition that the module needs."""
        self.externals.setdefault(definition)

    def loop(self, limit, body, start="0", marker=None):
        """for i in range(start, limit): body(i)."""
        self.count += 1
        n = self.count
        counter = self.alloca("i64")
        self.do(f"store i64 {start}, ptr {counter}")
        self.do(f"br label %test{n}")
        self.label(f"test{n}")
        i = self.let(f"load i64, ptr {counter}")
        more = self.let(f"icmp slt i64 {i}, {limit}")
        self.do(f"br i1 {more}, label %body{n}, label %end{n}")
        self.label(f"body{n}")
        body(i)
        following = self.let(f"add nsw i64 {i}, 1")
        self.do(f"store i64 {following}, ptr {counter}")
        suffix = f", !llvm.loop {marker}" if marker else ""
        self.do(f"br label %test{n}{suffix}")
        self.label(f"end{n}")

    # Arguments

    def argument(self, index):
        """The int64 at a place of `args`."""
        name = self.name()
        self.entry.append(f"  {name}.p = getelementptr i64, ptr %args, i64 {index}")
        self.entry.append(f"  {name} = load i64, ptr {name}.p, !invariant.load !0")
        return name

    def load_arguments(self):
        """Names for all sizes, strides and base addresses."""
        count = len(self.operands)
        place = count + self.slots + self.numbers
        self.outer = [self.argument(place + k) for k in range(self.n_outer)]
        place += self.n_outer
        self.fold = [self.argument(place + k) for k in range(self.n_fold)]
        place += self.n_fold
        self.lane, self.tile = self.argument(place), self.argument(place + 1)
        place += 2
        self.base, self.steps, self.extra = [], [], []
        width = self.n_outer + self.n_fold + 1
        for k, (kind, _, _, extra, index_only) in enumerate(self.operands):
            offset = self.argument(place)
            self.steps.append([self.argument(place + 1 + d) for d in range(width)])
            place += 1 + width
            self.extra.append(
                [
                    (self.argument(place + 2 * e), self.argument(place + 2 * e + 1))
                    for e in range(extra)
                ]
            )
            place += 2 * extra
            if index_only:
                self.base.append(offset)
                continue
            slot = self.argument(k)
            name = self.name()
            self.entry.append(f"  {name}.q = getelementptr ptr, ptr %bufs, i64 {slot}")
            self.entry.append(f"  {name}.b = load ptr, ptr {name}.q, !invariant.load !0")
            kind = memory_type(dtypes.BY_NAME[kind])
            self.entry.append(f"  {name} = getelementptr {kind}, ptr {name}.b, i64 {offset}")
            self.base.append(name)

    # The kernel

    def kernel(self, symbol):
        """The whole text of the module."""
        self.load_arguments()
        self.bad = None
        if any(c[0] == "gather" or c[0].startswith("scatter") for c in self.code):
            self.bad = (self.alloca("i64"), self.alloca("i64"), self.alloca("i64"))
            for name in self.bad:
                self.entry.append(f"  store i64 0, ptr {name}")
        self.loop("%end", self.one_tile, start="%begin")
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

    def one_tile(self, t):
        """The code for tile `t`."""
        self.values = {}
        row = t
        if self.mode != "row":
            more = self.let(f"add i64 {self.lane}, {self.tile}")
            more = self.let(f"sub i64 {more}, 1")
            lanes = self.let(f"sdiv i64 {more}, {self.tile}")
            row = self.let(f"sdiv i64 {t}, {lanes}")
            column = self.let(f"srem i64 {t}, {lanes}")
            self.j0 = self.let(f"mul i64 {column}, {self.tile}")
            rest = self.let(f"sub i64 {self.lane}, {self.j0}")
            less = self.let(f"icmp slt i64 {rest}, {self.tile}")
            self.width = self.let(f"select i1 {less}, i64 {rest}, i64 {self.tile}")
        places = self.decode(row)
        self.here = []
        for k in range(len(self.operands)):
            where = self.base[k]
            steps = list(zip(places, self.steps[k], strict=False))
            if self.mode != "row" and self.step_class(k) != 0:
                steps.append((self.j0, self.steps[k][-1]))
            self.here.append(self.advance(k, where, steps))
        {"elementwise": self.elementwise, "row": self.row, "column": self.column}[self.mode]()

    def step_class(self, k):
        """0, 1 or "s": how operand k moves along the innermost loop."""
        return self.operands[k][1]

    def decode(self, row):
        """The outer indices of a flat row number."""
        places = []
        for size in reversed(self.outer[1:]):
            places.append(self.let(f"srem i64 {row}, {size}"))
            row = self.let(f"sdiv i64 {row}, {size}")
        if self.outer:
            places.append(row)
        return places[::-1]

    def advance(self, k, where, steps):
        """The address (or index) of operand k after moving along some loops."""
        kind, index_only = self.operands[k][0], self.operands[k][4]
        total = None
        for i, stride in steps:
            term = self.let(f"mul nsw i64 {i}, {stride}")
            total = term if total is None else self.let(f"add nsw i64 {total}, {term}")
        if total is None:
            return where
        if index_only:
            return self.let(f"add nsw i64 {where}, {total}")
        kind = memory_type(dtypes.BY_NAME[kind])
        return self.let(f"getelementptr {kind}, ptr {where}, i64 {total}")

    def inner_place(self, k, where, i):
        """The address of operand k at index `i` of the innermost loop."""
        step = self.step_class(k)
        if step == 0:
            return where
        stride = self.steps[k][-1] if self.mode != "row" else self.steps[k][-2]
        moved = i if step == 1 else self.let(f"mul nsw i64 {i}, {stride}")
        if self.operands[k][4]:
            return self.let(f"add nsw i64 {where}, {moved}")
        kind = memory_type(dtypes.BY_NAME[self.operands[k][0]])
        return self.let(f"getelementptr inbounds {kind}, ptr {where}, i64 {moved}")

    # Instructions

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

    def compute(self, indices, values, place, parallel):
        """Emit instructions, their results put into `values`; place(k): address of operand k."""
        for x in indices:
            name, kind, operands, extra = self.code[x]
            if name in ("reduce", "result") or x in values:
                continue
            dtype = dtypes.BY_NAME[kind]
            given = [values[y] for y in operands]
            if name == "store":
                self.write(extra[0], given[0], dtype, place(extra[0]), parallel)
            elif name.startswith("scatter"):
                self.scatter(name[8:], extra[0], given, dtype, operands, place(extra[0]))
            else:
                values[x] = self.result(x, name, dtype, operands, given, extra, place, parallel)

    def result(self, x, name, dtype, operands, given, extra, place, parallel):
        """The value of an instruction."""
        if name == "load":
            return self.read(dtype, place(extra[0]), parallel)
        if name == "index":
            return place(extra[0])
        if name == "const":
            return constant(extra[1], dtype)
        if name == "slot":
            return self.slot(extra[0], dtype)
        if name == "number":
            return self.number(extra[0], dtype)
        sources = [dtypes.BY_NAME[self.code[y][1]] for y in operands]
        if name == "cast":
            return self.rounded(cast(self, given[0], sources[0], dtype), dtype)
        if name == "gather":
            address = self.checked(extra[0], given, place(extra[0]), sources)
            return self.read(dtype, address, parallel)
        compute = sources[-1] if name == "where" else sources[0]
        return self.rounded(self.operation(name, given, compute, dtype), dtype)

    def operation(self, name, given, compute, dtype):
        """An elementwise operation on values of dtype `compute`."""
        if name in OPERATIONS and (text := OPERATIONS[name](self, given, compute)) is not None:
            return text
        kind = value_type(compute)
        self.need(name, kind)
        suffix = "f32" if kind == "float" else "f64"
        arguments = ", ".join(f"{kind} {x}" for x in given)
        return self.let(f"call {kind} @fb_{name}_{suffix}({arguments})")

    def need(self, name, kind):
        """Include the definition of an elementary function."""
        for part in elementary.definition(name, kind).split("\n\n"):
            self.external(part.strip())

    def rounded(self, value, dtype):
        """float16 and bfloat16 are computed as float and rounded after each operation."""
        if dtype.itemsize != 2 or not dtype.is_floating_point:
            return value
        kind = memory_type(dtype)
        short = self.let(f"fptrunc float {value} to {kind}")
        return self.let(f"fpext {kind} {short} to float")

    def read(self, dtype, address, parallel):
        """Load an element as a value."""
        kind = memory_type(dtype)
        mark = ", !llvm.access.group !1" if parallel else ""
        value = self.let(f"load {kind}, ptr {address}, align {dtype.itemsize}{mark}")
        if dtype is dtypes.bool_:
            return self.let(f"icmp ne i8 {value}, 0")
        if kind in ("half", "bfloat"):
            return self.let(f"fpext {kind} {value} to float")
        return value

    def write(self, k, value, dtype, address, parallel):
        """Store a value as an element."""
        kind = memory_type(dtype)
        if dtype is dtypes.bool_:
            value = self.let(f"zext i1 {value} to i8")
        elif kind in ("half", "bfloat"):
            value = self.let(f"fptrunc float {value} to {kind}")
        mark = ", !llvm.access.group !1" if parallel else ""
        self.do(f"store {kind} {value}, ptr {address}, align {dtype.itemsize}{mark}")

    def slot(self, k, dtype):
        """The number in a scalar slot."""
        index = self.argument(len(self.operands) + k)
        place = self.let(f"getelementptr i64, ptr %scalars, i64 {index}")
        if dtype is dtypes.bool_:
            raw = self.let(f"load i64, ptr {place}, !invariant.load !0")
            return self.let(f"icmp ne i64 {raw}, 0")
        return self.let(f"load {value_type(dtype)}, ptr {place}, !invariant.load !0")

    def number(self, k, dtype):
        """A number among the arguments."""
        bits = self.argument(len(self.operands) + self.slots + k)
        kind = value_type(dtype)
        if not dtype.is_floating_point:
            return bits if kind == "i64" else self.let(f"trunc i64 {bits} to {kind}")
        value = self.let(f"bitcast i64 {bits} to double")
        return value if kind == "double" else self.let(f"fptrunc double {value} to float")

    def checked(self, k, indices, address, sources):
        """The address after moving along indexed dims; notes indices out of range."""
        flag, bad_index, bad_size = self.bad
        total = None
        for index, (size, stride), source in zip(indices, self.extra[k], sources, strict=False):
            index = cast(self, index, source, dtypes.int64)
            negative = self.let(f"icmp slt i64 {index}, 0")
            wrapped = self.let(f"add i64 {index}, {size}")
            real = self.let(f"select i1 {negative}, i64 {wrapped}, i64 {index}")
            wrong = self.let(f"icmp uge i64 {real}, {size}")
            for name, value in ((flag, "1"), (bad_index, index), (bad_size, size)):
                old = self.let(f"load i64, ptr {name}")
                new = self.let(f"select i1 {wrong}, i64 {value}, i64 {old}")
                self.do(f"store i64 {new}, ptr {name}")
            real = self.let(f"select i1 {wrong}, i64 0, i64 {real}")
            term = self.let(f"mul nsw i64 {real}, {stride}")
            total = term if total is None else self.let(f"add nsw i64 {total}, {term}")
        kind = memory_type(dtypes.BY_NAME[self.operands[k][0]])
        return self.let(f"getelementptr {kind}, ptr {address}, i64 {total}")

    def scatter(self, fold, k, given, dtype, operands, address):
        """Combine a value into memory at checked indices."""
        sources = [dtypes.BY_NAME[self.code[y][1]] for y in operands[1:]]
        address = self.checked(k, given[1:], address, sources)
        value = given[0]
        if fold != "set":
            old = self.read(dtype, address, False)
            value = self.rounded(self.combine(fold, old, value, dtype, ""), dtype)
        self.write(k, value, dtype, address, False)

    # Reductions

    def identity(self, fold, dtype):
        """What a reduction starts from."""
        real = dtype.is_floating_point
        if fold in ("any", "all"):
            return "0" if fold == "any" else "1"
        if fold == "sum":
            return "0.0" if real else "0"
        if fold == "prod":
            return "1.0" if real else "1"
        low = fold in ("max", "argmax")
        if real:
            return constant("-inf" if low else "inf", dtype)
        if dtype is dtypes.bool_:
            return "0" if low else "1"
        bits = dtype.itemsize * 8
        if not dtype.is_signed:
            return "0" if low else str(2**bits - 1)
        return str(-(2 ** (bits - 1)) if low else 2 ** (bits - 1) - 1)

    def combine(self, fold, old, new, dtype, flags):
        """One step of a reduction."""
        kind = value_type(dtype)
        if fold in ("any", "all"):
            return self.let(f"{'or' if fold == 'any' else 'and'} i1 {old}, {new}")
        if dtype is dtypes.bool_:
            code = {"max": "or", "min": "and", "sum": "or", "prod": "and"}[fold]
            return self.let(f"{code} i1 {old}, {new}")
        if fold in ("sum", "prod"):
            code = "add" if fold == "sum" else "mul"
            if dtype.is_floating_point:
                return self.let(f"f{code} {flags}{kind} {old}, {new}")
            return self.let(f"{code} {kind} {old}, {new}")
        if dtype.is_floating_point:
            which = "maximum" if fold == "max" else "minimum"
            self.external(f"declare {kind} @llvm.{which}.{_suffix(kind)}({kind}, {kind})")
            call = f"@llvm.{which}.{_suffix(kind)}({kind} {old}, {kind} {new})"
            return self.let(f"call {kind} {call}")
        code = ("s" if dtype.is_signed else "u") + ("gt" if fold == "max" else "lt")
        take = self.let(f"icmp {code} {kind} {new}, {old}")
        return self.let(f"select i1 {take}, {kind} {new}, {kind} {old}")

    def accumulator(self, fold, dtype):
        """The type of an accumulator: double for sums and products of reals, unless short."""
        if fold in ("sum", "prod") and dtype.is_floating_point and not self.short:
            return "double"
        return value_type(dtype)

    def start(self, works, loop=None):
        """Accumulators of the reductions among `works`, set to where they start from."""
        for x in works:
            name, _kind, operands, extra = self.code[x]
            if name != "reduce":
                continue
            fold = extra[0]
            dtype = dtypes.BY_NAME[self.code[operands[0]][1]]
            kinds = [self.accumulator(fold, dtype)] + (["i64"] if fold.startswith("arg") else [])
            count = COLUMN_TILE if self.mode == "column" else None
            self.kept[x] = [self.alloca(k, count) for k in kinds]
            starts = [self.identity(fold, dtype), "0"]
            for address, k, begin in zip(self.kept[x], kinds, starts, strict=False):
                if loop is None:
                    self.do(f"store {k} {begin}, ptr {address}")
                else:
                    loop(
                        lambda j, a=address, k=k, b=begin: self.do(
                            f"store {k} {b}, ptr {self.let(f'getelementptr {k}, ptr {a}, i64 {j}')}"
                            ", !llvm.access.group !1"
                        )
                    )

    def accumulate(self, works, values, j=None):
        """One step of each reduction among `works`."""
        for x in works:
            name, _, operands, extra = self.code[x]
            if name != "reduce":
                continue
            dtype = dtypes.BY_NAME[self.code[operands[0]][1]]
            kind = self.accumulator(extra[0], dtype)
            addresses = [
                self.cell(a, k, j) for a, k in zip(self.kept[x], (kind, "i64"), strict=False)
            ]
            mark = ", !llvm.access.group !1" if j is not None else ""
            old = self.let(f"load {kind}, ptr {addresses[0]}{mark}")
            new = values[operands[0]]
            if extra[0].startswith("arg"):
                self.accumulate_index(extra[0], old, new, values[operands[1]], dtype, addresses)
                continue
            if kind != value_type(dtype):
                new = self.let(f"fpext {value_type(dtype)} {new} to {kind}")
                dtype = dtypes.float64
            result = self.combine(extra[0], old, new, dtype, "" if self.short else FOLD)
            self.do(f"store {kind} {result}, ptr {addresses[0]}{mark}")

    def accumulate_index(self, fold, old, new, index, dtype, addresses):
        """argmax and argmin: the first of the largest, NaN counting as largest."""
        kind = value_type(dtype)
        more = "gt" if fold == "argmax" else "lt"
        if dtype.is_floating_point:
            better = self.let(f"fcmp o{more} {kind} {new}, {old}")
            new_nan = self.let(f"fcmp uno {kind} {new}, 0.0")
            old_real = self.let(f"fcmp ord {kind} {old}, 0.0")
            first_nan = self.let(f"and i1 {new_nan}, {old_real}")
            take = self.let(f"or i1 {better}, {first_nan}")
        else:
            take = self.let(f"icmp {'s' if dtype.is_signed else 'u'}{more} {kind} {new}, {old}")
        was = self.let(f"load i64, ptr {addresses[1]}")
        for k, a, b, address in ((kind, new, old, addresses[0]), ("i64", index, was, addresses[1])):
            chosen = self.let(f"select i1 {take}, {k} {a}, {k} {b}")
            self.do(f"store {k} {chosen}, ptr {address}")

    def cell(self, address, kind, j):
        """The accumulator of lane `j`."""
        return address if j is None else self.let(f"getelementptr {kind}, ptr {address}, i64 {j}")

    def finished(self, x, j=None):
        """The value of a `result` instruction."""
        reduce = self.code[x][2][0]
        _, kind, operands, extra = self.code[reduce]
        which = 1 if extra[0].startswith("arg") else 0
        dtype = dtypes.BY_NAME[self.code[operands[0]][1]]
        kind = "i64" if which else self.accumulator(extra[0], dtype)
        value = self.let(f"load {kind}, ptr {self.cell(self.kept[reduce][which], kind, j)}")
        if which:
            return value
        if kind != value_type(dtype):
            value = self.let(f"fptrunc {kind} {value} to {value_type(dtype)}")
        return self.rounded(value, dtype)

    # The three kinds of kernel

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

        self.loop(self.width, body, marker=None if serial else "!2")

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
                self.fixed_values(works)
                self.start(works)
                self.row_loops(works, phase)
            for x, (name, *_) in enumerate(self.code):
                if name == "result" and self.phases[x] == phase + 1:
                    self.values[x] = self.finished(x)
        stores = [x for x in range(len(self.code)) if self.is_store(x) and self.levels[x] != "i"]
        self.fixed_values(stores)
        self.compute(stores, self.values, lambda k: self.here[k], False)

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
            for x in self.closure(self.works("i", phase), lambda x: self.levels[x] != "i"):
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

        self.nest(0, self.here, body)

    def nest(self, depth, addresses, body):
        """Loops over the folded dims; the innermost runs body(i, addresses)."""
        if depth == self.n_fold - 1:
            self.loop(self.fold[depth], lambda i: body(i, addresses), marker="!2")
            return

        def step(i):
            moved = [
                self.advance(k, a, [(i, self.steps[k][self.n_outer + depth])])
                for k, a in enumerate(addresses)
            ]
            self.nest(depth + 1, moved, body)

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
        needed = self.closure(works, lambda x: x in values)
        for x in needed:
            if self.code[x][0] == "result":
                values[x] = self.finished(x, j)
        self.compute(needed, values, lambda k: self.inner_place(k, self.here[k], j), True)
        return values

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
            memory = self.alloca(kind, COLUMN_TILE)

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
            needed = self.closure(works, lambda x: x in values)
            for x in needed:
                if self.code[x][0] == "result":
                    values[x] = self.finished(x, j)
            self.compute(needed, values, lambda k: self.inner_place(k, addresses[k], j), True)
            self.accumulate(reductions, values, j)

        def over(depth, addresses):
            def step(i):
                moved = [
                    self.advance(k, a, [(i, self.steps[k][self.n_outer + depth])])
                    for k, a in enumerate(addresses)
                ]
                if depth == self.n_fold - 1:
                    self.loop(self.width, lambda j: body(j, moved), marker="!2")
                else:
                    over(depth + 1, moved)

            self.loop(self.fold[depth], step)

        over(0, self.here)


def _suffix(kind):
    return {"float": "f32", "double": "f64"}.get(kind, kind)


def constant(text, dtype):
    """A literal of a dtype from the repr of a Python number."""
    if dtype.is_complex:
        parts = complex(text)
        half = "f" if dtype.itemsize == 8 else "d"
        return str(int.from_bytes(struct.pack(2 * half, parts.real, parts.imag), sys.byteorder))
    if dtype.is_floating_point:
        value = float(text) if text not in ("True", "False") else float(text == "True")
        if value_type(dtype) == "float":
            value = struct.unpack("f", struct.pack("f", _within_float(value)))[0]
        return f"0x{struct.pack('>d', value).hex().upper()}"
    if dtype is dtypes.bool_:
        return "0" if text in ("False", "0", "0.0") else "1"
    value = (
        int(text == "True")
        if text in ("True", "False")
        else int(float(text))
        if ("." in text or "e" in text or "inf" in text or "nan" in text)
        else int(text)
    )
    bits = dtype.itemsize * 8
    value &= (1 << bits) - 1
    return str(value - (1 << bits) if value >> (bits - 1) else value)


def _within_float(value):
    limit = 3.4028235677973366e38
    if value != value or abs(value) < limit:
        return value
    return float("inf") if value > 0 else float("-inf")


def emit(key, symbol):
    """The text of a module with one kernel of structure `key`, called `symbol`."""
    return _Emitter(key).kernel(symbol)
