"""Derivatives compared with difference quotients."""

import warnings

import numpy as np

from .. import dtypes
from ..ops.api import FUNCTIONS
from ..ops.from_data import from_array
from ..recorder import sync
from ..recorder.handle import Tensor
from . import engine
from .modes import enable_grad, no_grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A derivative is not what difference quotients say."""


def _as_tuple(x):
    if isinstance(x, Tensor):
        return (x,)
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _differentiable(outputs):
    return [x for x in outputs if isinstance(x, Tensor) and x.requires_grad]


def _array(x):
    return np.array(dtypes.decode(sync.to_array(x), x._meta.dtype))


def _check_inputs(inputs):
    if not _differentiable(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for k, x in enumerate(inputs):
        if not isinstance(x, Tensor) or not x.requires_grad:
            continue
        if x.dtype not in (dtypes.float64, dtypes.complex128):
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex.",
                stacklevel=3,
            )
        if x._meta.overlaps and x._meta.numel:
            raise RuntimeError(
                f"The {k}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )


def _real_parts(array):
    """The numbers that an array of results consists of, as float64."""
    array = np.asarray(array).reshape(-1)
    if array.dtype.kind == "c":
        return np.concatenate([array.real, array.imag]).astype(np.float64)
    return array.astype(np.float64)


def _numerical(func, inputs, x, eps):
    """For each result d(result)/dx as [elements of x, real parts of the result]."""
    original = _array(x)

    def results_at(values):
        with no_grad():
            x.data.copy_(from_array(dtypes.encode(values, x._meta.dtype), x._meta.dtype))
            return [_real_parts(_array(y)) for y in _as_tuple(func(*inputs))]

    steps = [eps, eps * 1j] if original.dtype.kind == "c" else [eps]
    rows = []
    try:
        for k in range(original.size):
            slopes = []
            for step in steps:
                up, down = original.copy(), original.copy()
                up.reshape(-1)[k] += step
                down.reshape(-1)[k] -= step
                pairs = zip(results_at(up), results_at(down), strict=True)
                slopes.append([(a - b) / (2 * eps) for a, b in pairs])
            if len(slopes) == 2:
                slopes[0] = [a + 1j * b for a, b in zip(*slopes, strict=True)]
            rows.append(slopes[0])
    finally:
        results_at(original)
    return [np.stack(column) for column in zip(*rows, strict=True)] if rows else []


def _analytical(y, x):
    """dy/dx as [elements of x, real parts of y], by one backward pass for each column."""
    size = y._meta.numel
    units = [1, 1j] if y._meta.dtype.is_complex else [1]
    columns = []
    for unit in units:
        for k in range(size):
            seed = np.zeros(tuple(y._meta.shape), y._meta.dtype.numpy)
            seed.reshape(-1)[k] = unit
            (g,) = engine.grad(
                y, x, from_array(seed, y._meta.dtype), retain_graph=True, allow_unused=True
            )
            if g is None:
                columns.append(np.zeros(x._meta.numel))
            else:
                columns.append(_array(g).reshape(-1))
    return np.stack(columns, axis=1) if columns else np.zeros((x._meta.numel, 0))


def _check_dtypes(x, y):
    (g,) = engine.grad(y.sum(), x, retain_graph=True, allow_unused=True)
    if g is not None and g.dtype is not x.dtype:
        raise GradcheckError(f"Expected gradient of dtype {x.dtype}, got {g.dtype}")


def _compare(outputs, index, x, numerical, tolerances, nondet_tol):
    """Raise GradcheckError where the derivatives by input number `index` are wrong."""
    for k, y in enumerate(outputs):
        if not isinstance(y, Tensor) or y._meta.dtype.category < dtypes.FLOAT:
            continue
        expected = numerical[k] if numerical else np.zeros((0, y._meta.numel))
        if not y.requires_grad:
            if np.abs(expected).max(initial=0) > tolerances["atol"]:
                raise GradcheckError(
                    "Numerical gradient for function expected to be zero, but output "
                    f"{k} does not require grad and its derivative is\n{expected}"
                )
            continue
        found = _analytical(y, x)
        if not np.allclose(found, expected, **tolerances, equal_nan=True):
            raise GradcheckError(
                f"Jacobian mismatch for output {k} with respect to input {index},\n"
                f"numerical:{expected}\nanalytical:{found}\n"
            )
        # The second pass may be compiled where the first was interpreted: the last bits differ.
        again = _analytical(y, x)
        if not np.allclose(found, again, rtol=1e-11, atol=nondet_tol + 1e-14, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient. The tolerance for nondeterminism was {nondet_tol}."
            )


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Whether the gradients of `func` by the inputs that require them are difference quotients.

    The inputs should be float64 or complex128. Every entry of the Jacobian is compared by
    |analytical - numerical| <= atol + rtol |numerical|, also in `fast_mode`.
    Raises: GradcheckError where they differ, unless `raise_exception` is False (then False).

    >>> import flambeau as torch
    >>> x = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, (x,))
    True
    """
    inputs = _as_tuple(inputs)
    try:
        _check_inputs(inputs)
        outputs = _as_tuple(func(*inputs))
        for k, x in enumerate(inputs):
            if not isinstance(x, Tensor) or not x.requires_grad or not check_backward_ad:
                continue
            numerical = _numerical(func, inputs, x, eps)
            _compare(outputs, k, x, numerical, {"atol": atol, "rtol": rtol}, nondet_tol)
            if check_grad_dtypes:
                for y in _differentiable(outputs):
                    _check_dtypes(x, y)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """`gradcheck` of the gradients of `func`: of its second derivatives.

    `grad_outputs` are the cotangents of the results, at random unless given.
    """
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        generator = FUNCTIONS["Generator"]().manual_seed(0)
        grad_outputs = tuple(
            FUNCTIONS["randn"](y.shape, dtype=y.dtype, generator=generator).requires_grad_()
            for y in _differentiable(_as_tuple(func(*inputs)))
        )
    grad_outputs = _as_tuple(grad_outputs)
    count = len(inputs)

    def gradients(*args):
        given = args[:count]
        with_grad = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
        outputs = _differentiable(_as_tuple(func(*given)))
        grads = engine.grad(
            outputs, with_grad, list(args[count:]), create_graph=True, allow_unused=True
        )
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        enable_grad()(gradients),
        inputs + grad_outputs,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
    )
