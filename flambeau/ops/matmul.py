"""Matrix products, all of them on one primitive: [batch, m, k] times [batch, k, n]."""

import math

from .. import dtypes
from ..errors import SparseOperand
from ..formats import strided
from ..recorder import inplace
from ..recorder.handle import Tensor, intern
from ..recorder.trace import autocast_dtype
from . import movement as mv
from .api import (
    FUNCTIONS,
    METHODS,
    binary,
    cast_to,
    function,
    method,
    operator,
    reflected,
    store,
)
from .core import Op, broadcast_shapes, cast_floats, composite
from .elementwise import add_op, conj, mul_op, times_number

__all__ = ["bmm", "linear", "matmul"]


class _Matmul(Op):
    """The batched product."""

    def infer(self, operands, attrs):
        a, b = operands
        return intern((a.shape[0], a.shape[1], b.shape[2]), a.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The matmul node; a sum of few outer products if that is all it is."""
        a, b = inputs
        k, n = b.shape[1:]
        if 0 < k <= THIN and n >= WIDE and a.dtype in (dtypes.float32, dtypes.float64):
            return self._outer_products(build, a, b)
        return build.matmul(a, b)

    def _outer_products(self, build, a, b):
        batch, m, k = a.shape
        n, total = b.shape[2], None
        b = build.copy(b)
        for t in range(k):
            column = build.move(a, ((0, 0, 1), (1, 0, 1), (None, t, 1)), (batch, m, 1))
            row = build.move(b, ((0, 0, 1), (None, t, 1), (2, 0, 1)), (batch, 1, n))
            term = build.map(mul_op, (column, row), (batch, m, n), a.dtype)
            total = term if t == 0 else build.map(add_op, (total, term), term.shape, a.dtype)
        return total


# A library spends more on its preparations than on a product of so few outer products, which can
# also be part of the kernels around them.
THIN, WIDE = 4, 64

bmm_op = _Matmul("bmm")
bmm_op.autocast = "lower"


@bmm_op.vjp
def _(g, out, a, b):
    return bmm_op(g, conj(b).transpose(1, 2)), bmm_op(conj(a).transpose(1, 2), g)


def same_dtype(name, a, b):
    """Raise RuntimeError unless two tensors have one dtype."""
    if a._meta.dtype is not b._meta.dtype and autocast_dtype() is None:
        raise RuntimeError(
            f"{name}: expected m1 and m2 to have the same dtype, but got: {a._meta.dtype.name} != "
            f"{b._meta.dtype.name}"
        )


@composite(name="mm", autocast="lower")
def _mm(a, b):
    return bmm_op(a.unsqueeze(0), b.unsqueeze(0)).squeeze(0)


@_mm.vjp
def _(g, out, a, b):
    return _mm(g, conj(b).t()), _mm(conj(a).t(), g)


def _checked_mm(input, mat2):
    if not isinstance(input, Tensor) or not isinstance(mat2, Tensor):
        bad = mat2 if isinstance(input, Tensor) else input
        raise TypeError(f"mm(): argument must be Tensor, not {type(bad).__name__}")
    a, b = input._meta.shape, mat2._meta.shape
    if len(a) != 2 or len(b) != 2:
        raise RuntimeError(f"mm(): matrices expected, got {len(a)}D, {len(b)}D tensors")
    if a[1] != b[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]}): the "
            f"{a[1]} columns of the first must be as many as the {b[0]} rows of the second"
        )
    same_dtype("mm()", input, mat2)
    return _mm(input, mat2)


_quick_mm = binary(_mm, _checked_mm)


@function
def mm(input, mat2):
    """The product of two matrices, [n, m] and [m, p]."""
    return _quick_mm(input, mat2)


FUNCTIONS["spmm"] = FUNCTIONS["dsmm"] = FUNCTIONS["mm"]  # names for one sparse operand


@function
def bmm(input, mat2):
    """The products of two batches of matrices, [b, n, m] and [b, m, p]."""
    a, b = input._meta.shape, mat2._meta.shape
    if len(a) != 3 or len(b) != 3:
        raise RuntimeError(f"batch1 must be a 3D tensor, got shapes {list(a)} and {list(b)}")
    if a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but "
            f"got: [{b[0]}, {b[1]}]."
        )
    same_dtype("bmm()", input, mat2)
    return bmm_op(input, mat2)


@composite(name="mv", autocast="lower")
def _mv(a, b):
    return bmm_op(a.unsqueeze(0), b.unsqueeze(0).unsqueeze(2)).reshape((a._meta.shape[0],))


@_mv.vjp
def _(g, out, a, b):
    return g.unsqueeze(1) * conj(b), _mv(conj(a).t(), g)


@function(name="mv")
def mv_(input, vec):
    """The product of a matrix [n, m] and a vector [m]."""
    a, b = input._meta.shape, vec._meta.shape
    if len(a) != 2 or len(b) != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {len(a)}, {len(b)}")
    if a[1] != b[0]:
        raise RuntimeError(f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})")
    same_dtype("mv()", input, vec)
    return _mv(input, vec)


@composite(name="dot")
def _dot(a, b):
    return (a * b).sum()


@function
def dot(input, tensor):
    """The sum of the products of two vectors' elements."""
    a, b = input._meta.shape, tensor._meta.shape
    if len(a) != 1 or len(b) != 1:
        raise RuntimeError(f"1D tensors expected, but got {len(a)}D and {len(b)}D tensors")
    if a != b:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same "
            f"number of elements, but got {a[0]} and {b[0]} elements respectively"
        )
    if input._meta.dtype is not tensor._meta.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{input._meta.dtype.name} and {tensor._meta.dtype.name}"
        )
    return _dot(input, tensor)


@function
def vdot(input, other):
    """`dot` with the first vector conjugated."""
    return dot(conj(input), other)


@function(aliases=("ger",))
def outer(input, vec2):
    """All products of the elements of two vectors, [n] and [m], as [n, m]."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(
            f"outer: Expected 1-D arguments self and vec2, but got {input.ndim}-D and {vec2.ndim}-D"
        )
    return input.unsqueeze(1) * vec2


@function
def inner(input, other):
    """Sums of products over the last dims."""
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return FUNCTIONS["tensordot"](input, other, ([-1], [-1]))


def _checked_matmul(input, other):
    if not isinstance(other, Tensor) or not isinstance(input, Tensor):
        bad = other if isinstance(input, Tensor) else input
        raise TypeError(f"matmul(): argument must be Tensor, not {type(bad).__name__}")
    a, b = input._meta.shape, other._meta.shape
    if not a or not b:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D"
        )
    if len(a) == 2 and len(b) == 2:
        return _checked_mm(input, other)
    if len(a) == 1 and len(b) == 1:
        return dot(input, other)
    if len(a) == 2 and len(b) == 1:
        return FUNCTIONS["mv"](input, other)
    same_dtype("matmul()", input, other)
    return _matmul(input, other)


def _columns(shape):
    return shape[-2] if len(shape) > 1 else shape[0]


@composite(name="matmul", autocast="lower")
def _matmul(a, b):
    left, right = a._meta.shape, b._meta.shape
    if left[-1] != _columns(right):
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied: matmul() of {list(left)} and "
            f"{list(right)} needs {left[-1]} == {_columns(right)}"
        )
    x = a.unsqueeze(0) if len(left) == 1 else a
    y = b.unsqueeze(1) if len(right) == 1 else b
    n, k, m = x._meta.shape[-2], x._meta.shape[-1], y._meta.shape[-1]
    if y.ndim == 2:
        lead = x._meta.shape[:-2]
        flat = bmm_op(x.reshape((1, math.prod(lead) * n, k)), y.unsqueeze(0))
    else:
        lead = broadcast_shapes("matmul", [x._meta.shape[:-2], y._meta.shape[:-2]])
        count = math.prod(lead)
        left = x.expand((*lead, n, k)).reshape((count, n, k))
        flat = bmm_op(left, y.expand((*lead, k, m)).reshape((count, k, m)))
    out = flat.reshape((*lead, n, m))
    if a.ndim == 1:
        out = out.squeeze(-2)
    return out.squeeze(-1) if b.ndim == 1 else out


_quick_matmul = binary(_mm, binary(_matmul, _checked_matmul), "matmul")


@function
def matmul(input, other):
    """The matrix product: of vectors, matrices, and batches of them that broadcast."""
    return _quick_matmul(input, other)


METHODS["__matmul__"] = operator(_quick_matmul)
METHODS["__rmatmul__"] = reflected(lambda a, b: matmul(a, b))


def _lowered(x):
    """What is added to a product, in the dtype that autocast chooses for that."""
    kind = autocast_dtype()
    return x if kind is None else cast_floats(x, kind)


def _scaled(x, factor):
    """`x` times a number that does not change its dtype."""
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT:
        factor = bool(factor) if kind is dtypes.bool_ else int(factor)
    return x if factor == 1 else times_number(x, factor)


@composite(name="addmm", autocast="lower")
def _addmm(bias, a, b):
    product = bmm_op(a.unsqueeze(0), b.unsqueeze(0)).squeeze(0)
    return product + bias


@_addmm.vjp
def _(g, out, bias, a, b):
    return g, _mm(g, conj(b).t()), _mm(conj(a).t(), g)


@function(inplace_too=True)
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2)."""
    if mat1.layout is not strided or mat2.layout is not strided:
        sparse = mat2 if mat1.layout is strided else mat1
        return sparse._form("addmm", (input, mat1, mat2), {"beta": beta, "alpha": alpha})
    a, b = mat1._meta.shape, mat2._meta.shape
    if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
        return input * beta + mm(mat1, mat2) * alpha  # which raises
    if beta == 1 and alpha == 1 and input._meta.dtype is mat1._meta.dtype is mat2._meta.dtype:
        broadcast_shapes("addmm", [(a[0], b[1]), input._meta.shape])
        return _addmm(input, mat1, mat2)
    product = _scaled(mm(mat1, mat2), alpha)
    return product if beta == 0 else _scaled(input, beta) + product


@function(inplace_too=True)
def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * (batch1 @ batch2), by batches."""
    product = _scaled(bmm(batch1, batch2), alpha)
    return product if beta == 0 else _scaled(_lowered(input), beta) + product


@function
def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * the sum over batches of batch1 @ batch2."""
    product = _scaled(bmm(batch1, batch2).sum(0), alpha)
    return product if beta == 0 else _scaled(_lowered(input), beta) + product


@method
def addbmm_(self, batch1, batch2, *, beta=1, alpha=1):
    """In-place version of `addbmm`; as in PyTorch, what is smaller than the result grows to it."""
    inplace.check_writable(self, "addbmm_")
    result = addbmm(self, batch1, batch2, beta=beta, alpha=alpha)
    if self._meta.shape != result._meta.shape:
        METHODS["resize_"](self, result._meta.shape)
    return store(self, result, "addbmm_")


@function(inplace_too=True)
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * (mat @ vec)."""
    product = _scaled(FUNCTIONS["mv"](mat, vec), alpha)
    return product if beta == 0 else _scaled(input, beta) + product


@function(inplace_too=True)
def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta * input + alpha * outer(vec1, vec2)."""
    product = _scaled(outer(vec1, vec2), alpha)
    return product if beta == 0 else _scaled(input, beta) + product


@composite(name="linear", autocast="lower")
def _linear(x, weight, bias):
    lead, k = x._meta.shape[:-1], x._meta.shape[-1]
    rows = math.prod(lead)
    out = bmm_op(x.reshape((1, rows, k)), weight.t().unsqueeze(0))
    if bias is not None:
        out = out + bias
    return out.reshape((*lead, weight._meta.shape[0]))


@_linear.vjp
def _(g, out, x, weight, bias):
    n, k = weight._meta.shape
    rows = math.prod(x._meta.shape[:-1])
    flat = g.reshape((rows, n))
    by_weight = _mm(flat.t(), conj(x).reshape((rows, k)))
    by_input = _mm(flat, conj(weight)).reshape(x._meta.shape)
    return by_input, by_weight, None if bias is None else flat.sum(0)


def linear(input, weight, bias=None):
    """input @ weight.T + bias: [..., in], [out, in] and [out] give [..., out].

    Raises: RuntimeError naming both shapes where the features do not fit.
    """
    try:
        x, w = input._meta, weight._meta
    except SparseOperand as sparse:
        return sparse.instead("linear", (input, weight, bias), {})
    if len(w.shape) == 2 and x.shape and x.shape[-1] == w.shape[1] and x.dtype is w.dtype:
        if bias is None or (bias._meta.shape == w.shape[:1] and bias._meta.dtype is x.dtype):
            return _linear(input, weight, bias)
    return _general_linear(input, weight, bias)


def _what_fits(shape, weight):
    """What to change where the last dim of an input is not what a weight expects."""
    if len(weight) != 2 or not shape:
        return ""
    outputs, expected = weight
    fitting = [
        f"input.flatten({d})" for d in range(len(shape) - 1) if math.prod(shape[d:]) == expected
    ]
    if len(shape) > 1 and shape[-2] == expected:
        fitting.append("input.mT")
    if shape[-1] == outputs and outputs != expected:
        fitting.append("weight.t()")
    fitting.append(f"nn.Linear({shape[-1]}, {outputs})")
    return f"; {' or '.join(fitting)} would fit"


def _general_linear(input, weight, bias):
    x, w = input._meta, weight._meta
    if len(w.shape) == 1 and x.shape and x.shape[-1] == w.shape[0]:
        out = matmul(input, weight)
        return out if bias is None else out + bias
    if len(w.shape) != 2 or not x.shape or x.shape[-1] != w.shape[-1]:
        features = x.shape[-1] if x.shape else 0
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied: linear(): input {list(x.shape)} has "
            f"{features} features, weight {list(w.shape)} expects {w.shape[-1]}"
            f"{_what_fits(x.shape, w.shape)}"
        )
    if autocast_dtype() is not None and (bias is None or bias._meta.shape == w.shape[:1]):
        return _linear(input, weight, bias)
    if x.dtype is not w.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {x.dtype.name} and {w.dtype.name} "
            "(linear())"
        )
    raise RuntimeError(
        f"linear(): bias {bias._meta.dtype.name}{list(bias._meta.shape)} does not fit weight "
        f"{w.dtype.name}{list(w.shape)}, which expects {[w.shape[0]]}"
    )


@function(methods=False)
def tensordot(a, b, dims=2):
    """Products summed over `dims`: a number of last and first dims, or two lists of dims."""
    if isinstance(dims, int):
        left, right = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
        left = [d % max(a.ndim, 1) for d in left]
        right = [d % max(b.ndim, 1) for d in right]
    for i, j in zip(left, right, strict=True):
        if a.shape[i] == 1 != b.shape[j]:  # a dim of size 1 broadcasts
            b = b.sum(j, keepdim=True)
        elif b.shape[j] == 1 != a.shape[i]:
            a = a.sum(i, keepdim=True)
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[j]} in dim {j}"
            )
    rest_a = [d for d in range(a.ndim) if d not in left]
    rest_b = [d for d in range(b.ndim) if d not in right]
    k = math.prod(a.shape[d] for d in left)
    x = a.permute(rest_a + left).reshape(math.prod(a.shape[d] for d in rest_a), k)
    y = b.permute(right + rest_b).reshape(k, math.prod(b.shape[d] for d in rest_b))
    shape = [a.shape[d] for d in rest_a] + [b.shape[d] for d in rest_b]
    return mm(x, y).reshape(shape)


_ = (mv, cast_to)
