"""Windows over the trailing dims of a tensor: what convolutions and pooling see.

`windows` shows every window of a tensor, `fold` sums windows into the tensor they were seen in, and
`fit` pads or crops a tensor to the length that windows need. Each is linear, and the derivative of
another one: that of `windows` is `fold`, that of `fold` is `windows`.

Along each of n trailing dims a window has `kernel` elements `dilation` apart, and the next window
starts `stride` elements later.
"""

import math

from ..geometry import contiguous_strides
from ..recorder.handle import intern
from .core import Op
from .view_ops import slice_op

__all__ = ["fit", "fold_op", "pad_op", "reach", "windows_op"]


def reach(count, stride, kernel, dilation):
    """How many elements `count` windows cover along each dim."""
    dims = zip(count, stride, kernel, dilation, strict=True)
    return tuple((c - 1) * s + (k - 1) * d + 1 for c, s, k, d in dims)


class _Pad(Op):
    """Operand 0 inside a tensor of `value`, from `before` on in `steps`, of trailing sizes `size`.

    The sizes of dims before the trailing ones stay.
    """

    def infer(self, operands, attrs):
        (x,) = operands
        size = attrs["size"]
        return intern((*x.shape[: len(x.shape) - len(size)], *size), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """A write into the value."""
        (x,) = inputs
        return _padded(build, x, attrs["before"], attrs["size"], attrs["steps"], attrs["value"])


def _padded(build, x, before, size, steps, value):
    lead = len(x.shape) - len(size)
    shape = (*x.shape[:lead], *size)
    strides = list(contiguous_strides(shape))
    offset = sum(b * s for b, s in zip(before, strides[lead:], strict=True))
    for d, step in enumerate(steps, lead):
        strides[d] *= step
    if x.dtype.name == "bool":
        value = bool(value)
    flat = build.const(value, x.dtype, (math.prod(shape),))
    if x.numel:
        flat = build.write(flat, x, strides, offset)
    return build.reshape(flat, shape)


pad_op = _Pad("window_pad")


@pad_op.vjp
def _(g, out, x, *, before, size, steps, value):
    shape = x._meta.shape
    for d, (start, step) in enumerate(zip(before, steps, strict=True), len(shape) - len(size)):
        g = slice_op(g, dim=d, start=start, size=shape[d], step=step)
    return g


def fit(x, before, size, value=0):
    """`x` with `before` elements of `value` in front of its trailing dims, which get sizes `size`.

    Where `before` is negative, or the size too small, elements are left out.
    """
    shape = x._meta.shape
    lead = len(shape) - len(size)
    for d, (front, n) in enumerate(zip(before, size, strict=True), lead):
        start, stop = max(-front, 0), min(shape[d], n - front)
        if (start, stop) != (0, shape[d]):
            kept = max(stop - start, 0)
            x = slice_op(x, dim=d, start=start if kept else 0, size=kept, step=1)
    if x._meta.shape[lead:] == tuple(size):
        return x
    front = tuple(max(b, 0) if n else 0 for b, n in zip(before, x._meta.shape[lead:], strict=True))
    return pad_op(x, before=front, size=tuple(size), steps=(1,) * len(size), value=value)


class _Windows(Op):
    """[*lead, *sizes] seen as [*lead, *kernel, *count]: all windows, their elements first.

    The sizes must be at least `reach(count, stride, kernel, dilation)`.
    """

    def infer(self, operands, attrs):
        (x,) = operands
        lead = x.shape[: len(x.shape) - len(attrs["kernel"])]
        return intern((*lead, *attrs["kernel"], *attrs["count"]), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """A strided view of the operand."""
        (x,) = inputs
        lead = len(x.shape) - len(attrs["kernel"])
        if 0 in metas[0].shape:
            return build.const(0, x.dtype, metas[0].shape)
        strides = contiguous_strides(x.shape)
        inside = [s * d for s, d in zip(strides[lead:], attrs["dilation"], strict=True)]
        across = [s * t for s, t in zip(strides[lead:], attrs["stride"], strict=True)]
        flat = build.reshape(x, (x.numel,))
        return build.strided(flat, metas[0].shape, (*strides[:lead], *inside, *across), 0)


windows_op = _Windows("windows")


@windows_op.vjp
def _(g, out, x, *, kernel, count, stride, dilation):
    size = x._meta.shape[len(x._meta.shape) - len(kernel) :]
    return fold_op(g, size=size, before=(0,) * len(kernel), stride=stride, dilation=dilation)


class _Fold(Op):
    """[*lead, *kernel, *count] summed into [*lead, *size]: each window where it was seen.

    `before` elements in front of each dim, as padding has added them, are left out.

    With stride s and no dilation, the element q * s + r of a dim is the sum over m of element
    m * s + r of window q - m. Zeros around the windows make that sum one over a strided view.
    """

    def infer(self, operands, attrs):
        (x,) = operands
        return intern((*x.shape[: len(x.shape) - 2 * len(attrs["size"])], *attrs["size"]), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """A padded copy, and sums of a strided view of it."""
        (x,) = inputs
        stride, before, size = attrs["stride"], attrs["before"], attrs["size"]
        n = len(size)
        lead = x.shape[: len(x.shape) - 2 * n]
        kernel, count = x.shape[len(lead) : len(lead) + n], x.shape[len(lead) + n :]
        if 0 in x.shape or 0 in size:
            return build.const(0, x.dtype, metas[0].shape)
        # Steps between the elements of a window: both them and strides one formula can not have.
        spread = [d if s > 1 else 1 for d, s in zip(attrs["dilation"], stride, strict=True)]
        between = [1 if s > 1 else d for d, s in zip(attrs["dilation"], stride, strict=True)]
        taps = [-(-((k - 1) * e + 1) // s) for k, e, s in zip(kernel, spread, stride, strict=True)]
        margin = [(m - 1) * b for m, b in zip(taps, between, strict=True)]
        padded = _padded(
            *(build, x, (0,) * n + tuple(margin)),
            [m * s for m, s in zip(taps, stride, strict=True)]
            + [c + 2 * p for c, p in zip(count, margin, strict=True)],
            *([*spread, *[1] * n], 0),
        )
        strides = contiguous_strides(padded.shape)
        inside, across = strides[len(lead) : len(lead) + n], strides[len(lead) + n :]
        shape, steps, folded = list(lead), list(strides[: len(lead)]), []
        for d in range(n):
            shape += [count[d] + margin[d], stride[d], taps[d]]
            steps += [across[d], inside[d], stride[d] * inside[d] - between[d] * across[d]]
            folded.append(len(shape) - 1)
        offset = sum(p * a for p, a in zip(margin, across, strict=True))
        flat = build.reshape(padded, (padded.numel,))
        terms = build.strided(flat, shape, steps, offset)
        total = build.squeeze(build.reduce("sum", terms, folded), folded)
        long = [(c + p) * s for c, p, s in zip(count, margin, stride, strict=True)]
        return _cropped(build, build.reshape(total, (*lead, *long)), before, size)


def _cropped(build, x, before, size):
    """The trailing dims from `before` on, of sizes `size`, with zeros where they end earlier."""
    lead = len(x.shape) - len(size)
    need = [b + n for b, n in zip(before, size, strict=True)]
    have = x.shape[lead:]
    if any(n > h for n, h in zip(need, have, strict=True)):
        longer = [max(n, h) for n, h in zip(need, have, strict=True)]
        x = _padded(build, x, [0] * len(size), longer, [1] * len(size), 0)
    axes = [(d, 0, 1) for d in range(lead)]
    axes += [(lead + d, b, 1) for d, b in enumerate(before)]
    return build.move(x, axes, (*x.shape[:lead], *size))


fold_op = _Fold("fold")


@fold_op.vjp
def _(g, out, x, *, size, before, stride, dilation):
    n = len(size)
    shape = x._meta.shape
    kernel, count = shape[len(shape) - 2 * n : len(shape) - n], shape[len(shape) - n :]
    g = fit(g, before, reach(count, stride, kernel, dilation))
    return windows_op(g, kernel=kernel, count=count, stride=stride, dilation=dilation)
