"""Complex numbers: their parts, and how they are made."""

import math

import numpy as np

from .. import dtypes
from ..recorder import inplace
from ..recorder.handle import Tensor
from . import elementwise as ew
from . import movement as mv
from . import reinterpret
from .api import FUNCTIONS, METHODS, cast_to, function, require_tensors
from .core import Elementwise, result_dtype

__all__ = ["complex_", "imag", "real"]


class _Complex(Elementwise):
    """operand 0 + i operand 1."""

    def dtypes_for(self, operands):
        kind = result_dtype(operands)
        return kind, kind.to_complex()


def _join(a, b):
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a.dtype, np.complex64))
    out.real, out.imag = a, b
    return out


complex_op = _Complex("complex", _join, loops=False)
complex_op.vjp_rule = lambda g, out, a, b: (real(g), imag(g))
real_op = Elementwise("real", np.real, "real", loops=False)
real_op.vjp_rule = lambda g, out, x: complex_op(g, g * 0)
imag_op = Elementwise("imag", np.imag, "real", loops=False)
imag_op.vjp_rule = lambda g, out, x: complex_op(g * 0, g)


@function(out=False)
def real(input):
    """The real part; a real tensor itself."""
    return real_op(input) if input._meta.dtype.is_complex else input


@function(out=False)
def imag(input):
    """The imaginary part. Raises RuntimeError for real tensors."""
    if not input._meta.dtype.is_complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return imag_op(input)


def _set_real(self, value):
    inplace.check_writable(self, "real")
    part = _fitted(self, value)
    if self._meta.dtype.is_complex:
        part = complex_op(part, imag(self))
    inplace.write(self, part)


def _set_imag(self, value):
    inplace.check_writable(self, "imag")
    imag(self)  # which raises for a real tensor
    inplace.write(self, complex_op(real(self), _fitted(self, value)))


def _fitted(x, value):
    """What is assigned to a part of `x`."""
    made = value if isinstance(value, Tensor) else FUNCTIONS["tensor"](value)
    return mv.expand(cast_to(made, x._meta.dtype.to_real()), x._meta.shape)


METHODS["real"] = property(real, _set_real)
METHODS["imag"] = property(imag, _set_imag)


def complex_(real, imag):
    """The complex tensor of two real ones, of one dtype, which broadcast."""
    require_tensors("complex", real, imag)
    for x in (real, imag):
        if x._meta.dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
            raise RuntimeError(
                "Expected both inputs to be Half, Float or Double tensors but got "
                f"{real._meta.dtype.name} and {imag._meta.dtype.name}"
            )
    if real._meta.dtype is not imag._meta.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real._meta.dtype.name} but got scalar type "
            f"{imag._meta.dtype.name} for second argument"
        )
    return complex_op(real, imag)


complex_.__name__ = "complex"
function(complex_, methods=False, out="exact")


@function(methods=False, out="exact")
def polar(abs, angle):
    """The complex tensor abs * exp(i angle)."""
    require_tensors("polar", abs, angle)
    return complex_(abs * ew.cos(angle), abs * ew.sin(angle))


def _angle(x):
    if x.dtype.kind == "c":
        return np.angle(x)
    return np.where(np.isnan(x), x, np.where(x < 0, math.pi, 0))


def _angle_vjp(g, out, x):
    if not x._meta.dtype.is_complex:
        return g * 0
    a, b = real(x), imag(x)
    size = a * a + b * b
    scale = ew.where(ew.eq(size, 0), 0, g / size)
    return complex_op(-b * scale, a * scale)


class _Angle(Elementwise):
    """The argument of a number; of an integer in the default dtype."""

    def dtypes_for(self, operands):
        kind = result_dtype(operands)
        if kind.category < dtypes.FLOAT:
            kind = dtypes.get_default_dtype()
        return kind, kind.to_real()


angle_op = _Angle("angle", _angle, "real", _angle_vjp, loops=False)


@function
def angle(input):
    """The angle in radians: of a real number 0 or, if it is negative, pi."""
    return angle_op(input)


def conj(input):
    """The complex conjugate; a real tensor itself."""
    return ew.conj(input)


function(conj, out=False)


@function(inplace_too=True)
def conj_physical(input):
    """The complex conjugate; a real tensor itself."""
    return ew.conj(input)


@function(out=False)
def resolve_conj(input):
    """`input` itself: conjugates are never pending."""
    return input


@function(out=False)
def resolve_neg(input):
    """`input` itself: negatives are never pending."""
    return input


@function(out=False)
def is_conj(input):
    """Whether a conjugation is pending: never."""
    return False


@function(out=False)
def is_neg(input):
    """Whether a negation is pending: never."""
    return False


@function(methods=False, out=False)
def view_as_real(input):
    """The parts of complex numbers along a new last dim of size 2."""
    if not input._meta.dtype.is_complex:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return reinterpret.as_real_op(input, dtype=input._meta.dtype.to_real())


@function(methods=False, out=False)
def view_as_complex(input):
    """The complex numbers whose parts lie along the last dim, of size 2."""
    shape = input._meta.shape
    if input._meta.dtype.category != dtypes.FLOAT:
        raise RuntimeError(
            "view_as_complex is only supported for floating point tensors, but got a tensor of "
            f"scalar type: {input._meta.dtype.name}"
        )
    if not shape or shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    return reinterpret.as_complex_op(input, dtype=input._meta.dtype.to_complex())


@function(out=False)
def adjoint(input):
    """The last two dims swapped, conjugated."""
    if input.ndim == 1:
        raise RuntimeError("adjoint() is only for matrices or batches of them. Got a 1-D tensor.")
    return ew.conj(mv.transpose(input, -2, -1))
