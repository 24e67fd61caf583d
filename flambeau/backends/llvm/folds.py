"""Reductions within kernels: where they start from, one step, and what they come to."""

from ... import dtypes
from ...compiler.loops import COLUMN_TILE
from .instructions import Instructions, constant
from .scalar import value_type

__all__ = ["Folds"]

FOLD = "reassoc nsz contract "


class Folds(Instructions):
    """Writes reductions, each with its accumulator in memory of the stack."""

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
            return self.let(f"call nsz {kind} {call}")
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
            count = self.span * COLUMN_TILE if self.mode == "column" else None
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

    def out_of_range(self, x, values):
        """Whether an index of a scatter is out of range, as an int64."""
        _, _, (_, *indices), (k,) = self.code[x]
        found = "0"
        for y, (size, _) in zip(indices, self.extra[k], strict=True):
            source = dtypes.BY_NAME[self.code[y][1]]
            wrong = self.from_front(values[y], size, source)[2]
            found = self.let(f"or i64 {found}, {self.let(f'zext i1 {wrong} to i64')}")
        return found

    def scatter(self, fold, k, given, dtype, operands, address):
        """Combine a value into memory at indices; if they are checked, not after a wrong one."""
        sources = [dtypes.BY_NAME[self.code[y][1]] for y in operands[1:]]
        find = self.checked if self.checking else self.unchecked
        address = find(k, given[1:], address, sources)
        old, value = self.read(dtype, address, False), given[0]
        if fold != "set":
            value = self.rounded(self.combine(fold, old, value, dtype, ""), dtype)
        if not self.checking:
            self.write(k, value, dtype, address, False)
            return
        flag = self.let(f"load i64, ptr {self.bad[0]}")
        good = self.let(f"icmp eq i64 {flag}, 0")
        kind = value_type(dtype)
        value = self.let(f"select i1 {good}, {kind} {value}, {kind} {old}")
        self.write(k, value, dtype, address, False)

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


def _suffix(kind):
    return {"float": "f32", "double": "f64"}.get(kind, kind)
