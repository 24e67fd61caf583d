"""LLVM IR written as text: scalars with Python's operators, in single-assignment form.

A `Body` collects the lines of one basic block; a `Value` is a scalar in it, and arithmetic on
values appends lines:

    body = Body()
    x = body.argument("float", "%x")
    body.text(fma(x, x, 1.0))      # one llvm.fma.f32 and a ret

Numbers next to a value become literals of its type. Equal lines are written once.
"""

import struct

__all__ = [
    "Body",
    "Table",
    "Value",
    "bits",
    "copysign",
    "fabs",
    "fma",
    "literal",
    "poly",
    "real",
    "rint",
    "select",
    "sqrt",
    "trunc",
]

_SUFFIX = {"float": "f32", "double": "f64"}
_INTEGER = {"float": "i32", "double": "i64"}
_REAL = {"i32": "float", "i64": "double"}


def literal(number, type):
    """`number` as a constant of `type`; a float is rounded to it first.

    >>> literal(0.1, "float"), literal(-1, "i32")
    ('0x3FB99999A0000000', '-1')
    """
    if type not in _SUFFIX:
        return str(int(number))
    if type == "float" and abs(number) < 3.5e38:  # beyond: inf and nan, the same in both formats
        (number,) = struct.unpack("f", struct.pack("f", number))
    return f"0x{struct.pack('>d', number).hex().upper()}"


class Body:
    """The lines of one basic block."""

    def __init__(self, name=""):
        self.name = name
        self.constants = {}
        self.lines = []
        self._names = {}

    def argument(self, type, name):
        """The value that is called `name` outside."""
        return Value(self, name, type)

    def value(self, text, type):
        """The result of an instruction; that of an equal line if there is one."""
        name = self._names.get(text)
        if name is None:
            name = self._names[text] = f"%v{len(self.lines)}"
            self.lines.append(f"  {name} = {text}")
        return Value(self, name, type)

    def text(self, result):
        """The block, ending with the return of `result`."""
        return "\n".join([*self.lines, f"  ret {result.type} {result.name}"])


class Table:
    """A constant array of doubles, private to the function whose body it belongs to."""

    def __init__(self, body, name, numbers):
        self.body = body
        self.name = f"@{body.name}.{name}"
        self.array = f"[{len(numbers)} x double]"
        items = ", ".join(f"double {literal(n, 'double')}" for n in numbers)
        body.constants[name] = f"{self.name} = internal constant {self.array} [{items}]"

    def __getitem__(self, index):
        where = f"getelementptr {self.array}, ptr {self.name}, i64 0, i64 {index.name}"
        pointer = self.body.value(where, "ptr")
        return self.body.value(f"load double, ptr {pointer.name}", "double")


class Value:
    """A scalar: a number or a truth value that is known when the code runs."""

    __slots__ = ("body", "name", "type")

    def __init__(self, body, name, type):
        self.body, self.name, self.type = body, name, type

    @property
    def is_real(self):
        """Is it a float or a double?"""
        return self.type in _SUFFIX

    @property
    def real_type(self):
        """The type of real numbers of its width."""
        return _REAL.get(self.type, self.type)

    def like(self, number):
        """A constant of its type."""
        return Value(self.body, literal(number, self.type), self.type)

    def _operand(self, other):
        if isinstance(other, Value):
            if other.type != self.type:
                raise TypeError(f"{self.type} {self.name} meets {other.type} {other.name}")
            return other.name
        return literal(other, self.type)

    def _arith(self, code, other, swap=False):
        a, b = self.name, self._operand(other)
        if swap:
            a, b = b, a
        return self.body.value(f"{code} {self.type} {a}, {b}", self.type)

    def _compare(self, real_code, integer_code, other):
        code = f"fcmp {real_code}" if self.is_real else f"icmp {integer_code}"
        return self.body.value(f"{code} {self.type} {self.name}, {self._operand(other)}", "i1")

    def __add__(self, other):
        return self._arith("fadd" if self.is_real else "add", other)

    def __radd__(self, other):
        return self._arith("fadd" if self.is_real else "add", other, swap=True)

    def __sub__(self, other):
        return self._arith("fsub" if self.is_real else "sub", other)

    def __rsub__(self, other):
        return self._arith("fsub" if self.is_real else "sub", other, swap=True)

    def __mul__(self, other):
        return self._arith("fmul" if self.is_real else "mul", other)

    def __rmul__(self, other):
        return self._arith("fmul" if self.is_real else "mul", other, swap=True)

    def __truediv__(self, other):
        return self._arith("fdiv", other)

    def __rtruediv__(self, other):
        return self._arith("fdiv", other, swap=True)

    def __neg__(self):
        return self.body.value(f"fneg {self.type} {self.name}", self.type)

    def __and__(self, other):
        return self._arith("and", other)

    def __or__(self, other):
        return self._arith("or", other)

    def __xor__(self, other):
        return self._arith("xor", other)

    def __invert__(self):
        return self._arith("xor", -1)

    def __lshift__(self, other):
        return self._arith("shl", other)

    def __rshift__(self, other):
        return self._arith("lshr", other)

    def __lt__(self, other):
        return self._compare("olt", "slt", other)

    def __gt__(self, other):
        return self._compare("ogt", "sgt", other)

    def __ge__(self, other):
        return self._compare("oge", "sge", other)

    def equals(self, other):
        """Are the two equal? NaN equals nothing."""
        return self._compare("oeq", "eq", other)

    def differs(self, other):
        """Do the two differ? NaN differs from everything."""
        return self._compare("une", "ne", other)

    def to(self, type):
        """The value converted: widened, truncated or rounded to nearest."""
        if type == self.type:
            return self
        code = {
            ("float", "double"): "fpext",
            ("double", "float"): "fptrunc",
            ("i64", "i32"): "trunc",
        }[self.type, type]
        return self.body.value(f"{code} {self.type} {self.name} to {type}", type)


def _call(name, *operands):
    first = next(o for o in operands if isinstance(o, Value))
    names = ", ".join(f"{first.type} {first._operand(o)}" for o in operands)
    text = f"call {first.type} @llvm.{name}.{_SUFFIX[first.type]}({names})"
    return first.body.value(text, first.type)


def fma(a, b, c):
    """a * b + c, rounded once."""
    return _call("fma", a, b, c)


def fabs(x):
    """|x|."""
    return _call("fabs", x)


def copysign(x, sign):
    """|x| with the sign of `sign`."""
    return _call("copysign", x, sign)


def trunc(x):
    """The integer part of x."""
    return _call("trunc", x)


def rint(x):
    """The integer nearest to x, halves to even."""
    return _call("rint", x)


def sqrt(x):
    """The square root, rounded correctly."""
    return _call("sqrt", x)


def select(condition, a, b):
    """a where `condition` holds, else b; both are computed."""
    first = a if isinstance(a, Value) else b
    type = first.type
    operands = f"{type} {first._operand(a)}, {type} {first._operand(b)}"
    return condition.body.value(f"select i1 {condition.name}, {operands}", type)


def bits(x):
    """The bit pattern of a real number, as an integer of its width."""
    type = _INTEGER[x.type]
    return x.body.value(f"bitcast {x.type} {x.name} to {type}", type)


def real(n):
    """The real number with the bit pattern n."""
    type = _REAL[n.type]
    return n.body.value(f"bitcast {n.type} {n.name} to {type}", type)


def poly(x, coefficients):
    """c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule."""
    *rest, result = coefficients
    for c in reversed(rest):
        result = fma(result, x, c)
    return result
