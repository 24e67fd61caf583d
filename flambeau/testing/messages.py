"""How close is close, and what is said where it is not: tolerances and messages."""

import numpy as np

import flambeau

from ..tensor import Tensor

__all__ = [
    "Mismatch",
    "default_tolerances",
    "scalars_differ",
    "small_floats_differ",
    "tensors_differ",
    "tolerances",
]

# {dtype: (rtol, atol)}; any other dtype is compared exactly.
PRECISIONS = {
    flambeau.float16: (1e-3, 1e-5),
    flambeau.bfloat16: (1.6e-2, 1e-5),
    flambeau.float32: (1.3e-6, 1e-5),
    flambeau.float64: (1e-7, 1e-7),
    flambeau.complex32: (1e-3, 1e-5),
    flambeau.complex64: (1.3e-6, 1e-5),
    flambeau.complex128: (1e-7, 1e-7),
}


class Mismatch(Exception):
    """What is wrong, before it is known how the user wants to be told.

    kind: the class of the exception that the user gets; text: its message; path: the indices and
    keys that lead to the item.
    """

    def __init__(self, kind, text, path=()):
        super().__init__(text)
        self.kind, self.text, self.path = kind, text, path

    def for_user(self, msg=None):
        """The exception to raise; `msg` replaces its message, or changes it if a function."""
        if isinstance(msg, str):
            return self.kind(msg)
        text = self.text
        if self.path:
            place = "".join(f"[{step!r}]" for step in self.path)
            text += f"\n\nThe failure occurred for item {place}"
        return self.kind(msg(text) if callable(msg) else text)


def default_tolerances(*inputs, precisions=None):
    """(rtol, atol) for tensors or dtypes: the loosest of each."""
    precisions = PRECISIONS if precisions is None else precisions
    dtypes = [x.dtype if isinstance(x, Tensor) else x for x in inputs]
    pairs = [precisions.get(dtype, (0.0, 0.0)) for dtype in dtypes]
    return tuple(map(max, zip(*pairs, strict=True)))


def tolerances(dtypes, rtol, atol, path):
    """(rtol, atol) as given, or those of the dtypes. Mismatch if only one of them is given."""
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise Mismatch(
            ValueError,
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.",
            path,
        )
    return default_tolerances(*dtypes) if rtol is None else (rtol, atol)


def scalars_differ(actual, expected, rtol, atol, what=None):
    """The message for two numbers; `what` says what they are."""
    absolute = abs(actual - expected)
    relative = float("inf") if expected == 0 else absolute / abs(expected)
    lines = [f"Expected {expected} but got {actual}."]
    for kind, gap, limit in (("Absolute", absolute, atol), ("Relative", relative, rtol)):
        lines.append(f"{kind} difference: {gap}{_allowed(limit, rtol, atol)}")
    return _message(what or "Scalars", lines, rtol, atol)


def tensors_differ(actual, expected, matches, rtol, atol, what=None):
    """The message for two tensors; `matches` tells which elements are close."""
    shape, lines = matches.shape, [_count(matches)]
    actual, expected, matches = actual.flatten(), expected.flatten(), matches.flatten()
    if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
        actual, expected = actual.to(flambeau.int64), expected.to(flambeau.int64)
    absolute = (actual - expected).abs().masked_fill(matches, 0)
    relative = (absolute / expected.abs()).masked_fill(matches, 0)
    for kind, gaps, limit in (("absolute", absolute, atol), ("relative", relative, rtol)):
        most, place = gaps.max(0)
        index = tuple(map(int, np.unravel_index(int(place), shape)))
        lines.append(
            f"Greatest {kind} difference: {most.item()} at index {index}"
            f"{_allowed(limit, rtol, atol)}"
        )
    return _message(what or "Tensor-likes", lines, rtol, atol)


def small_floats_differ(matches):
    """The message for two tensors of numbers too small for differences to mean much."""
    first = tuple((~matches).nonzero()[0].tolist())
    lines = [_count(matches), f"The first mismatched element is at index {first}."]
    return "\n".join(["Tensor-likes are not 'equal'!", "", *lines])


def _count(matches):
    total = matches.numel()
    count = total - int(matches.sum())
    return f"Mismatched elements: {count} / {total} ({count / total:.1%})"


def _allowed(limit, rtol, atol):
    return "" if rtol == 0 and atol == 0 else f" (up to {limit} allowed)"


def _message(what, lines, rtol, atol):
    relation = "equal" if rtol == 0 and atol == 0 else "close"
    return "\n".join([f"{what} are not {relation}!", "", *lines])
