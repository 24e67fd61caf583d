"""Tensors of random numbers, for tests."""

import math
import warnings
from collections.abc import Sequence

import flambeau

__all__ = ["make_tensor"]


def make_tensor(
    *shape,
    dtype,
    device,
    low=None,
    high=None,
    requires_grad=False,
    noncontiguous=False,
    exclude_zero=False,
    memory_format=None,
):
    """A tensor of numbers drawn uniformly from [low, high).

    Args:
        shape: sizes, or a sequence of them.
        low, high: by default -9 and 9 for floating-point and complex numbers (for both parts), -9
            and 10 for integers (0 and 10 if they have no sign), 0 and 2 for booleans. Cut to the
            range of the dtype.
        requires_grad: whether gradients accumulate in it.
        noncontiguous: take every second element of a larger tensor.
        exclude_zero: put 1, or the least normal number, in the place of zeros.
        memory_format: the order in memory; not together with `noncontiguous`.

    Raises ValueError for an empty range, NaN, or flags that exclude each other or do not fit the
    dtype; TypeError for a dtype without negative numbers and zero.

    >>> import flambeau as torch
    >>> x = torch.testing.make_tensor(3, 4, dtype=torch.int32, device="cpu", low=1, high=3)
    >>> x.shape, x.dtype, set(x.flatten().tolist()) <= {1, 2}
    (torch.Size([3, 4]), torch.int32, True)
    """
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = shape[0]
    shape = tuple(shape)
    if dtype is flambeau.float8_e8m0fnu:
        raise TypeError(
            f"The requested dtype '{dtype}' is not supported by torch.testing.make_tensor()."
        )
    is_integral = not (dtype.is_floating_point or dtype.is_complex)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"{noncontiguous=} and {memory_format=}"
        )
    if requires_grad and is_integral:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"{dtype=}"
        )
    spread = noncontiguous and math.prod(shape) > 1
    drawn = (*shape[:-1], 2 * shape[-1]) if spread else shape
    result = (_integers if is_integral else _floats)(drawn, dtype, device, low, high)
    if spread:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = 1 if is_integral else flambeau.finfo(dtype).tiny
    return result.requires_grad_(requires_grad and dtype.itemsize > 1)


def _integers(shape, dtype, device, low, high):
    if dtype is flambeau.bool:
        least, most, low, high = 0, 2, 0 if low is None else low, 2 if high is None else high
    else:
        # Int64 knows no number above its greatest to be the end of the range.
        least, most = flambeau.iinfo(dtype).min, flambeau.iinfo(dtype).max
        most += dtype is not flambeau.int64
        low, high = -9 if low is None else low, 10 if high is None else high
    low, high = map(math.ceil, _cut(low, high, least, most, dtype))
    return flambeau.randint(low, high, shape, dtype=dtype, device=device)


def _floats(shape, dtype, device, low, high):
    info = flambeau.finfo(dtype)
    low, high = -9 if low is None else low, 9 if high is None else high
    low, high = _cut(low, high, info.min, info.max, dtype)
    is_small = dtype.itemsize == 1  # no random numbers are drawn as such
    drawn = flambeau.float32 if is_small else dtype
    result = flambeau.empty(shape, dtype=drawn, device=device)
    parts = flambeau.view_as_real(result) if dtype.is_complex else result
    if high - low >= flambeau.finfo(drawn).max:  # the width itself would overflow
        parts.uniform_(low / 2, high / 2).mul_(2)
    else:
        parts.uniform_(low, high)
    return result.to(dtype) if is_small else result


def _cut(low, high, least, most, dtype):
    """The range within that of the dtype. Raises ValueError if nothing is in it."""
    if any(isinstance(x, float) and math.isnan(x) for x in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and (dtype.is_floating_point or dtype.is_complex):
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is "
            "deprecated since 2.1 and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=4,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= most:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} "
            f"only supports [{least}, {most})"
        )
    return tuple(min(max(x, least), most) for x in (low, high))
