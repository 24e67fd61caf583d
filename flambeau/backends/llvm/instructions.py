"""The instructions of kernels as LLVM IR: arguments, addresses, memory and arithmetic."""

import struct
import sys

from ... import dtypes
from . import math as elementary
from .scalar import OPERATIONS, cast, memory_type, value_type
from .writer import Writer

__all__ = ["Instructions", "constant"]

COLUMN_SPAN = 4  # tiles of columns that are done at once, if there is one accumulator per lane


class Instructions(Writer):
    """Writes what does not depend on the kind of kernel."""

    def __init__(self, key):
        super().__init__()
        self.mode, self.n_outer, self.n_fold, self.operands, self.code, self.order = key[:6]
        self.spill, self.slots, self.numbers, self.short = key[6:]
        self.levels = [level for level, _ in self.order]
        self.phases = [phase for _, phase in self.order]
        folds = sum(name == "reduce" for name, *_ in self.code)
        self.span = max(COLUMN_SPAN // max(folds, 1), 1)
        self.spilled = {}
        self.kept = {}
        self.checking = True  # whether scatters check their indices

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

    # Addresses

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
        if name == "exp" and self.is_below_largest(operands[0]):
            name = "exp_negative"
        return self.rounded(self.operation(name, given, compute, dtype), dtype)

    def is_below_largest(self, x):
        """Whether a value is a difference to the largest one: what a softmax takes e^x of."""
        name, _, operands, _ = self.code[x]
        if name != "sub" or self.code[operands[1]][0] != "result":
            return False
        _, _, reduced, extra = self.code[self.code[operands[1]][2][0]]
        return extra[0] == "max" and reduced[0] == operands[0]

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
        if dtype is dtypes.float16:
            short = self.let(f"fptrunc float {value} to half")
            return self.let(f"fpext half {short} to float")
        if dtype is dtypes.bfloat16:
            bits = self.let(f"and i32 {self._bfloat_bits(value)}, -65536")
            return self.let(f"bitcast i32 {bits} to float")
        return value

    def _bfloat_bits(self, value):
        """An integer whose upper half is a float as a bfloat16, rounded to nearest even."""
        bits = self.let(f"bitcast float {value} to i32")
        last = self.let(f"lshr i32 {bits}, 16")
        odd = self.let(f"and i32 {last}, 1")
        step = self.let(f"add i32 {odd}, 32767")
        near = self.let(f"add i32 {bits}, {step}")
        quiet = self.let(f"or i32 {bits}, 4194304")
        is_nan = self.let(f"fcmp uno float {value}, 0.0")
        return self.let(f"select i1 {is_nan}, i32 {quiet}, i32 {near}")

    def read(self, dtype, address, parallel):
        """Load an element as a value."""
        kind = memory_type(dtype)
        mark = ", !llvm.access.group !1" if parallel else ""
        value = self.let(f"load {kind}, ptr {address}, align {dtype.itemsize}{mark}")
        if dtype is dtypes.bool_:
            return self.let(f"icmp ne i8 {value}, 0")
        if dtype is dtypes.float16:
            return self.let(f"fpext half {value} to float")
        if dtype is dtypes.bfloat16:
            wide = self.let(f"zext i16 {value} to i32")
            bits = self.let(f"shl i32 {wide}, 16")
            return self.let(f"bitcast i32 {bits} to float")
        return value

    def write(self, k, value, dtype, address, parallel):
        """Store a value as an element."""
        kind = memory_type(dtype)
        if dtype is dtypes.bool_:
            value = self.let(f"zext i1 {value} to i8")
        elif dtype is dtypes.float16:
            value = self.let(f"fptrunc float {value} to half")
        elif dtype is dtypes.bfloat16:
            bits = self.let(f"lshr i32 {self._bfloat_bits(value)}, 16")
            value = self.let(f"trunc i32 {bits} to i16")
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

    def from_front(self, index, size, source):
        """(an index as int64, the same counted from the front, whether that is out of range)."""
        index = cast(self, index, source, dtypes.int64)
        negative = self.let(f"icmp slt i64 {index}, 0")
        wrapped = self.let(f"add i64 {index}, {size}")
        real = self.let(f"select i1 {negative}, i64 {wrapped}, i64 {index}")
        return index, real, self.let(f"icmp uge i64 {real}, {size}")

    def unchecked(self, k, indices, address, sources):
        """The address after moving along indexed dims, which are known to be in range."""
        steps = []
        for index, (size, stride), source in zip(indices, self.extra[k], sources, strict=False):
            steps.append((self.from_front(index, size, source)[1], stride))
        return self.advance(k, address, steps)

    def checked(self, k, indices, address, sources):
        """The address after moving along indexed dims; notes indices out of range."""
        flag, bad_index, bad_size = self.bad
        total = None
        for index, (size, stride), source in zip(indices, self.extra[k], sources, strict=False):
            index, real, wrong = self.from_front(index, size, source)
            for name, value in ((flag, "1"), (bad_index, index), (bad_size, size)):
                old = self.let(f"load i64, ptr {name}")
                new = self.let(f"select i1 {wrong}, i64 {value}, i64 {old}")
                self.do(f"store i64 {new}, ptr {name}")
            real = self.let(f"select i1 {wrong}, i64 0, i64 {real}")
            term = self.let(f"mul nsw i64 {real}, {stride}")
            total = term if total is None else self.let(f"add nsw i64 {total}, {term}")
        kind = memory_type(dtypes.BY_NAME[self.operands[k][0]])
        return self.let(f"getelementptr {kind}, ptr {address}, i64 {total}")


def constant(text, dtype):
    """A literal of a dtype from the repr of a Python number."""
    if dtype.is_complex:
        parts = complex(text)
        half = "f" if dtype.itemsize == 8 else "d"
        return str(int.from_bytes(struct.pack(2 * half, parts.real, parts.imag), sys.byteorder))
    if dtype.is_floating_point and dtype.limited:
        value = float(text == "True") if text in ("True", "False") else float(text)
        return str(int(dtypes.encode(value, dtype)))
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
