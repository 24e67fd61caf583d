"""How elements lie in memory: shapes and strides, counted in elements."""

import math

__all__ = ["contiguous_strides", "is_contiguous", "view_strides"]


def contiguous_strides(shape):
    """The strides, in elements, of a row-major array; a dim of size 0 counts as 1."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size or 1
    return tuple(reversed(strides))


def is_contiguous(shape, strides):
    """Whether elements lie in row-major order without gaps."""
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 0:
            return True
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def view_strides(shape, strides, target):
    """The strides with which memory of `shape` and `strides` is seen as `target` without a copy.

    None if that can not be; both shapes have the same number of elements.
    """
    if is_contiguous(shape, strides) or not math.prod(shape):
        return contiguous_strides(target)
    result = [0] * len(target)
    runs = []  # maximal runs of dims that lie one within the other: (elements, inner stride)
    for n, s in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if runs and runs[-1][1] == n * s:
            runs[-1] = (runs[-1][0] * n, s)
        else:
            runs.append((n, s))
    d = len(target) - 1
    for count, inner in reversed(runs):
        while d >= 0 and (count > 1 or target[d] == 1):
            if count % target[d]:
                return None
            result[d] = inner
            inner *= target[d]
            count //= target[d]
            d -= 1
        if count != 1:
            return None
    while d >= 0:
        result[d] = result[d + 1] * target[d + 1] if d + 1 < len(target) else 1
        d -= 1
    return tuple(result)
