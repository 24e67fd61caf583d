"""Sums, products and functions of elements: what they give for sparse operands."""

import numpy as np

import flambeau

from ..recorder.handle import Tensor
from .base import FORMS, SparseTensor, could_not_run, form, index_tensor, is_dense
from .coo import CooTensor, at_places, flat_places, sum_into
from .csr import CompressedTensor, compress

__all__ = ["broadcast_places", "gather"]


def _as_coo(x):
    return x._coo() if isinstance(x, CompressedTensor) else x


# Sums


@form
def add(input, other, *, alpha=1):
    """input + alpha * other, of two sparse tensors, or of a dense and a sparse one."""
    return _add("add", input, other, alpha)


@form("sub", "subtract")
def sub(input, other, *, alpha=1):
    """input - alpha * other, of two sparse tensors, or of a dense and a sparse one."""
    return _add("sub", input, other, -alpha)


@form
def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return _add("sub", other, input, -alpha)


def _add(name, a, b, alpha):
    csr = isinstance(a, CompressedTensor), isinstance(b, CompressedTensor)
    if name == "sub" and any(csr):
        raise RuntimeError("unsupported tensor layout: SparseCsr")
    if csr[0] and is_dense(b):
        a, b = b, a  # the sum of a dense and a compressed tensor in either order
    if not isinstance(b, SparseTensor) or not isinstance(a, Tensor):
        raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    if is_dense(a):
        return _add_to_dense(a, b, alpha)
    if csr[0] is not csr[1]:
        raise RuntimeError(
            f"{name}(): expected operands of one sparse layout, but got {a.layout} and {b.layout}"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != "
            f"{list(b.shape)}"
        )
    made = _merged(_as_coo(a), _as_coo(b), alpha, f"{name.capitalize()}Backward0")
    return compress(made, like=a) if csr[0] else made


def _add_to_dense(a, b, alpha):
    if a.shape != b.shape:
        raise RuntimeError(
            f"add: expected 'self' and 'other' to have same size, but self has size "
            f"{list(a.shape)} while other has size {list(b.shape)} (FYI: dense-sparse addition "
            "does not currently support broadcasting)"
        )
    return flambeau.add(a, b.to_dense(), alpha=alpha)


def _merged(a, b, alpha, name):
    """a + alpha * b of COO tensors; coalesced if both are."""
    if a.sparse_dim() != b.sparse_dim():
        raise RuntimeError(
            f"add: expected 'self' and 'other' to have the same number of sparse dims, but got "
            f"{a.sparse_dim()} and {b.sparse_dim()}"
        )
    if a.dtype is flambeau.bool and b.dtype is flambeau.bool:
        raise NotImplementedError("\"cadd_sparse\" not implemented for 'Bool'")
    coalesced = a._coalesced and b._coalesced
    left, right = flat_places(a), flat_places(b)
    if np.array_equal(left, right):
        made = a._with(flambeau.add(a._val, b._val, alpha=alpha), name)
        made._coalesced = coalesced
        return made
    kind = flambeau.result_type(a._val, b._val)
    values = b._val.to(kind)
    values = flambeau.cat([a._val.to(kind), values if alpha == 1 else values * alpha])
    places, first = _merge(left.tolist(), right.tolist())
    indices = flambeau.cat([a._ind, b._ind], 1)[:, index_tensor(np.array(first, np.int64))]
    values = sum_into(values, np.array(places, np.int64), len(first))
    return CooTensor.of(indices, values, a.shape, coalesced, name)


def _merge(left, right):
    """How two lists merge: the place of each of their items, and the item first at each place.

    What is equal where the lists meet gets one place. Lists in order are merged in order.
    """
    places, first, i, j = [0] * (len(left) + len(right)), [], 0, 0
    while i < len(left) or j < len(right):
        from_left = j == len(right) or (i < len(left) and left[i] <= right[j])
        from_right = i == len(left) or (j < len(right) and right[j] <= left[i])
        first.append(i if from_left else len(left) + j)
        if from_left:
            places[i] = len(first) - 1
            i += 1
        if from_right:
            places[len(left) + j] = len(first) - 1
            j += 1
    return places, first


# Products


@form("mul", "multiply")
def mul(input, other):
    """input * other: of a sparse tensor and a number, a dense or a sparse tensor."""
    if not isinstance(input, SparseTensor):
        input, other = other, input
    if not isinstance(other, Tensor) or (is_dense(other) and other.ndim == 0):
        return input._with(input._val * other)
    if is_dense(other) and other.numel() == 1 and other.ndim <= input.ndim:
        return input._with(input._val * other.reshape(()))
    if isinstance(input, CompressedTensor):
        return _compressed_product(input, other)
    if isinstance(other, CompressedTensor):
        raise RuntimeError("mul(): expected operands of one sparse layout")
    return _times_dense(input, other) if is_dense(other) else _intersection(input, other)


def _compressed_product(a, b):
    if isinstance(b, CooTensor):
        raise RuntimeError("mul(): expected operands of one sparse layout")
    if is_dense(b):
        made = _times_dense(a._coo(), b)
        return a._with(made._val) if made.shape == a.shape else compress(made, like=a)
    return compress(_intersection(a._coo().coalesce(), b._coo().coalesce()), like=a)


def _times_dense(a, b):
    shape = flambeau.broadcast_shapes(a.shape, b.shape)
    if shape != a.shape:
        a = _broadcast(a, shape)
    return a._with(a._val * gather(b.expand(shape), a))


def _broadcast(a, shape):
    """A COO tensor over more elements: those of the shape that `a` broadcasts to."""
    places = broadcast_places(a, shape)
    return CooTensor.of(
        index_tensor(places), gather(a.to_dense().expand(shape), places), shape, True
    )


def broadcast_places(a, shape):
    """The indices, as an array, of what a COO tensor stores once it is broadcast to a shape."""
    a = a.coalesce()
    split = len(shape) - a.dense_dim()
    known = np.zeros(a.shape[: a.sparse_dim()], bool).reshape(-1)
    known[flat_places(a)] = True
    known = known.reshape(a.shape[: a.sparse_dim()])
    return np.stack(np.nonzero(np.broadcast_to(known, shape[:split])))


def gather(x, where):
    """The elements, or slices, of a dense tensor at the indices of a COO tensor or an array."""
    if isinstance(where, CooTensor):
        flat_places(where)  # checks them
        where = where._ind
    else:
        where = index_tensor(where)
    if not where.shape[0]:
        return x.expand(where.shape[1], *x.shape)
    return x[tuple(where)]


def _intersection(a, b):
    if a.shape != b.shape or a.sparse_dim() != b.sparse_dim():
        raise RuntimeError(
            "mul(): expects sparse inputs with equal dimensionality, number of sparse dimensions, "
            f"and shape of sparse dimensions, but got {list(a.shape)} with {a.sparse_dim()} sparse "
            f"dims and {list(b.shape)} with {b.sparse_dim()}"
        )
    if not a._coalesced or not b._coalesced:
        # The product has the indices of the one that is not coalesced.
        pattern, other = (b, a) if a._coalesced else (a, b.coalesce())
        return pattern._with(pattern._val * at_places(other, flat_places(pattern)))
    _, left, right = np.intersect1d(
        flat_places(a), flat_places(b), assume_unique=True, return_indices=True
    )
    left, right = index_tensor(left), index_tensor(right)
    return CooTensor.of(a._ind[:, left], a._val[left] * b._val[right], a.shape, True)


@form("div", "divide", "true_divide")
def div(input, other, *, rounding_mode=None):
    """input / other, for a sparse tensor and a number or a dense tensor of no dims."""
    if isinstance(other, Tensor) and isinstance(input, Tensor) and other.ndim:
        raise RuntimeError(
            "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
            f"{list(other.shape)} for divisor)"
        )
    if not isinstance(input, SparseTensor):
        raise could_not_run("reciprocal", other.backend)
    _require_coordinates(input)
    if rounding_mode is None:
        return input._with(input._val / other)
    input = input.coalesce()
    return input._with(flambeau.div(input._val, other, rounding_mode=rounding_mode))


@form
def floor_divide(input, other):
    """floor(input / other), for a sparse tensor and a number or a dense tensor of no dims."""
    return div(input, other, rounding_mode="floor")


@form("pow")
def power(input, exponent):
    """input ** exponent, for an exponent that is a number and not zero."""
    if isinstance(exponent, Tensor) or not isinstance(input, SparseTensor):
        sparse = input if isinstance(input, SparseTensor) else exponent
        return sparse._form("pow with a tensor as exponent", (), {})
    _require_coordinates(input)
    if exponent == 0:
        raise RuntimeError(
            "pow: cannot raise to zeroth power on sparse tensor; it would make the result tensor "
            "dense"
        )
    input = input.coalesce()
    return input._with(input._val**exponent)


def _require_coordinates(x):
    if isinstance(x, CompressedTensor):
        raise RuntimeError(f"unsupported tensor layout: {x.kind}")


# Functions of one element that keep zero


def _elementwise(name, compressed=True, coalesces=True):
    def apply(input, *args, **kwargs):
        if not compressed:
            _require_coordinates(input)
        if coalesces and isinstance(input, CooTensor):
            input = input.coalesce()
        return input._with(getattr(input._val, name)(*args, **kwargs))

    apply.__name__, apply.coalesces = name, coalesces
    FORMS[name] = apply


for _name in (
    *("abs", "asin", "asinh", "atan", "atanh", "ceil", "deg2rad", "erf", "erfinv", "expm1"),
    *("floor", "frac", "isinf", "isnan", "isneginf", "isposinf", "log1p", "rad2deg", "relu"),
    *("round", "sgn", "sign", "signbit", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"),
    *("absolute", "arcsin", "arcsinh", "arctan", "arctanh", "fix"),
):
    _elementwise(_name)
for _name in ("nan_to_num", "square"):
    _elementwise(_name, compressed=False)
for _name in ("neg", "negative", "conj", "resolve_conj", "resolve_neg"):
    _elementwise(_name, coalesces=False)


@form
def positive(input):
    """The tensor itself."""
    return input


@form("is_conj", "is_neg")
def _is_lazy(input):
    return False


for _name in ("float", "double", "half", "bfloat16", "long", "int", "short", "char", "byte"):
    FORMS[_name] = lambda input, memory_format=None, _name=_name: input.to(getattr(flambeau, _name))
for _name in ("bool", "cfloat", "cdouble"):
    FORMS[_name] = lambda input, memory_format=None, _name=_name: input.to(getattr(flambeau, _name))


def _component(name):
    def part(input):
        return input._with(getattr(input._val, name))

    return part


for _name in ("real", "imag"):
    FORMS[_name] = _component(_name)
    setattr(SparseTensor, _name, property(_component(_name)))


@form("pow_")
def _power_in_place(input, exponent):
    raise could_not_run("pow_", input.backend)
