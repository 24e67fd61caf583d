"""Assertions that two values are the same but for rounding: tensors, numbers, nested or not."""

import cmath
import contextlib
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

import flambeau

from ..tensor import Tensor
from .messages import Mismatch, default_tolerances, scalars_differ, tolerances
from .tensors import compare_tensors

__all__ = ["assert_allclose", "assert_close"]

NUMBERS = {int: flambeau.int64, float: flambeau.float64, complex: flambeau.complex128}


class _Options(NamedTuple):
    """What `assert_close` was told."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    r"""Assert that two values are close.

    Elements are if :math:`|a - e| \le \text{atol} + \text{rtol} \cdot |e|`. Sequences and mappings
    are compared item by item; tensors, arrays and numbers are compared with their own kind.

    Args:
        allow_subclasses: compare a tensor with one of a derived class.
        rtol, atol: give both or none; by default they depend on the dtype.
        equal_nan: let two NaNs be equal.
        check_device, check_dtype, check_layout, check_stride: what else has to be the same.
        msg: replaces the message or, if it is a function of it, changes it.

    Raises AssertionError where they differ, TypeError for what can not be compared, ValueError if
    only one tolerance is given.

    >>> import flambeau as torch
    >>> torch.testing.assert_close({"x": torch.ones(2)}, {"x": torch.ones(2) + 1e-7})
    >>> torch.testing.assert_close(torch.tensor([1, 2]), torch.tensor([1, 3]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not equal!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 1 at index (1,)
    Greatest relative difference: 0.3333333432674408 at index (1,)
    """
    __tracebackhide__ = True  # pytest then points at the caller
    options = _Options(
        *(allow_subclasses, rtol, atol, equal_nan),
        *(check_device, check_dtype, check_layout, check_stride),
    )
    try:
        comparisons = _pair_up(actual, expected, (), options)
    except Mismatch as mismatch:
        raise mismatch.for_user() from None
    for compare, path in comparisons:
        try:
            compare()
        except Mismatch as mismatch:
            mismatch.path = path
            raise mismatch.for_user(msg) from None


def _pair_up(actual, expected, path, options):
    """[(function that compares, path)] for all items. Mismatch for structures that differ."""
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            raise Mismatch(
                AssertionError,
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}",
                path,
            )
        keys = range(len(actual))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        keys = _common_keys(actual, expected, path)
    else:
        return [(_pair(actual, expected, path, options), path)]
    return [
        pair for key in keys for pair in _pair_up(actual[key], expected[key], (*path, key), options)
    ]


def _is_sequence(value):
    return isinstance(value, Sequence) and not isinstance(value, str)


def _common_keys(actual, expected, path):
    """The keys of two mappings, in order. Mismatch if they differ."""
    found, wanted = set(actual), set(expected)
    if found != wanted:
        raise Mismatch(
            AssertionError,
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(wanted - found)}\n"
            f"Additional keys in the actual mapping: {sorted(found - wanted)}",
            path,
        )
    with contextlib.suppress(TypeError):  # keys that have no order come in any
        return sorted(found)
    return found


def _pair(actual, expected, path, options):
    """The function that compares two values that are no containers."""
    if actual is None or expected is None:
        return lambda: _compare_none(actual, expected)
    if all(isinstance(x, (bool, np.bool_)) for x in (actual, expected)):
        return lambda: _compare_booleans(bool(actual), bool(expected))
    if all(isinstance(x, (*NUMBERS, np.number)) for x in (actual, expected)):
        a, e = (x.item() if isinstance(x, np.number) else x for x in (actual, expected))
        dtypes = [_dtype_of(x) for x in (a, e)]
        rtol, atol = tolerances(dtypes, options.rtol, options.atol, path)
        return lambda: _compare_numbers(a, e, rtol, atol, options)
    tensors = _as_tensors(actual, expected, options.allow_subclasses)
    if tensors is None:
        raise Mismatch(
            TypeError,
            "No comparison pair was able to handle inputs of type "
            f"{type(actual)} and {type(expected)}.",
            path,
        )
    dtypes = [x.dtype for x in tensors]
    rtol, atol = tolerances(dtypes, options.rtol, options.atol, path)
    return lambda: compare_tensors(*tensors, rtol, atol, options)


def _dtype_of(number):
    return next(dtype for kind, dtype in NUMBERS.items() if isinstance(number, kind))


def _as_tensors(actual, expected, allow_subclasses):
    """Both as tensors, or None where they are not of one kind."""
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not related or not (allow_subclasses or type(actual) is type(expected)):
        return None
    try:
        return [x if isinstance(x, Tensor) else flambeau.as_tensor(x) for x in (actual, expected)]
    except Exception:  # anything at all may have been passed
        return None


def _compare_none(actual, expected):
    if not (actual is None and expected is None):
        raise Mismatch(AssertionError, f"None mismatch: {actual} is not {expected}")


def _compare_booleans(actual, expected):
    if actual is not expected:
        raise Mismatch(AssertionError, f"Booleans mismatch: {actual} is not {expected}")


def _compare_numbers(actual, expected, rtol, atol, options):
    if options.check_dtype and type(actual) is not type(expected):
        raise Mismatch(
            AssertionError, f"The (d)types do not match: {type(actual)} != {type(expected)}."
        )
    if actual == expected:
        return
    if options.equal_nan and cmath.isnan(actual) and cmath.isnan(expected):
        return
    gap = abs(actual - expected)
    if cmath.isfinite(gap) and gap <= atol + rtol * abs(expected):
        return
    raise Mismatch(AssertionError, scalars_differ(actual, expected, rtol, atol))


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """The former `assert_close`, with wider tolerances, for tensors only; deprecated.

    Raises AssertionError where they differ, and gives a FutureWarning.
    """
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a "
        "future release. Please use `torch.testing.assert_close()` instead. You can find detailed "
        "upgrade instructions in https://github.com/pytorch/pytorch/issues/61844.",
        FutureWarning,
        stacklevel=2,
    )
    if not isinstance(actual, Tensor):
        actual = flambeau.tensor(actual)
    if not isinstance(expected, Tensor):
        expected = flambeau.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        precisions = {
            flambeau.float16: (1e-3, 1e-3),
            flambeau.float32: (1e-4, 1e-5),
            flambeau.float64: (1e-5, 1e-8),
        }
        rtol, atol = default_tolerances(actual, expected, precisions=precisions)
    assert_close(
        *(actual, expected),
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_dtype=False,
        msg=msg or None,
    )
