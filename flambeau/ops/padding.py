"""Borders around tensors: constant, reflected, replicated, circular; or cropped."""

import math

from .. import dtypes
from ..geometry import contiguous_strides
from ..recorder.handle import Tensor, intern
from . import copies
from . import movement as mv
from .api import function
from .core import Op, composite

__all__ = ["constant_pad_nd", "pad"]


class _Pad(Op):
    """The operand with a constant around it; negative amounts crop.

    pads: (before, after) of each dim; value: the constant.
    """

    for_limited = "all"

    def infer(self, operands, attrs):
        (x,) = operands
        sizes = zip(x.shape, attrs["pads"], strict=True)
        return intern(tuple(n + before + after for n, (before, after) in sizes), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """What is left of the operand, written into the constant."""
        (x,) = inputs
        shape, pads = metas[0].shape, attrs["pads"]
        inner = [
            max(n + min(before, 0) + min(after, 0), 0)
            for n, (before, after) in zip(x.shape, pads, strict=True)
        ]
        value = attrs["value"]
        flat = build.const(value, x.dtype, (math.prod(shape),))
        if 0 not in inner:
            x = build.move(x, [(d, max(-p, 0), 1) for d, (p, _) in enumerate(pads)], inner)
            strides = contiguous_strides(shape)
            start = sum(max(p, 0) * s for (p, _), s in zip(pads, strides, strict=True))
            flat = build.write(flat, x, strides, start)
        return build.reshape(flat, shape)


_pad = _Pad("constant_pad_nd")


@_pad.vjp
def _(g, out, x, *, pads, value):
    zero = False if g._meta.dtype is dtypes.bool_ else 0
    return _pad(g, pads=tuple((-before, -after) for before, after in pads), value=zero)


def _scalar(value, dtype):
    """A number as `dtype` holds it. Raises RuntimeError for a complex one that does not fit."""
    value = value.item() if isinstance(value, Tensor) else value
    if dtype.is_complex:
        return complex(value)
    if isinstance(value, complex):
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    if dtype is dtypes.bool_:
        return bool(value)
    return float(value) if dtype.is_floating_point else int(value)


@function(methods=False)
def constant_pad_nd(input, pad, value=0):
    """`input` with a constant around it.

    pad: (before, after) of the last dim, then of the one before it, and so on; negative ones crop.

    Raises RuntimeError for an odd or too long `pad`, and for crops larger than a dim.

    >>> import flambeau as torch
    >>> torch.constant_pad_nd(torch.tensor([1, 2]), (1, 2), 7)
    tensor([7, 1, 2, 7, 7])
    """
    shape, pad = input._meta.shape, [int(p) for p in pad]
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * len(shape):
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad "
            f"length is {len(pad)} while the input has {len(shape)} dimensions."
        )
    pads = [(0, 0)] * (len(shape) - len(pad) // 2)
    pads += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    for d, (n, (before, after)) in enumerate(zip(shape, pads, strict=True)):
        if n + before + after < 0 or n + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {before} and {after}, resulted in a "
                f"negative output size, which is invalid. Check dimension {d} of your input."
            )
    if not any(map(any, pads)):
        return mv.clone(input)
    return _pad(input, pads=tuple(pads), value=_scalar(value, input._meta.dtype))


# Borders made of the tensor's own elements: pads of the last dims, (before, after), first dim first


def _part(x, dim, start, size):
    return mv.slice_op(x, dim=dim, start=start, size=size, step=1)


def _cropped(x, pads):
    """`x` without what negative amounts take away."""
    for dim, (before, after) in _dims(x, pads):
        if before < 0 or after < 0:
            size = x._meta.shape[dim] + min(before, 0) + min(after, 0)
            x = _part(x, dim, max(-before, 0), size)
    return x


def _dims(x, pads):
    return list(enumerate(pads, len(x._meta.shape) - len(pads)))


def _joined(parts, dim):
    return copies.cat_op(*parts, dim=dim) if len(parts) > 1 else parts[0]


@composite
def _reflect(x, *, pads):
    for dim, (before, after) in _dims(x, pads):
        n, parts = x._meta.shape[dim], [x]
        if before > 0:
            parts.insert(0, copies.flip_op(_part(x, dim, 1, before), dims=(dim,)))
        if after > 0:
            parts.append(copies.flip_op(_part(x, dim, n - 1 - after, after), dims=(dim,)))
        x = _joined(parts, dim)
    return _whole(_cropped(x, pads), pads)


@composite
def _replicate(x, *, pads):
    for dim, (before, after) in _dims(x, pads):
        shape, parts = list(x._meta.shape), [x]
        n = shape[dim]
        if before > 0:
            shape[dim] = before
            parts.insert(0, mv.expand(_part(x, dim, 0, 1), shape))
        if after > 0:
            shape[dim] = after
            parts.append(mv.expand(_part(x, dim, n - 1, 1), shape))
        x = _joined(parts, dim)
    return _whole(_cropped(x, pads), pads)


@composite
def _circular(x, *, pads):
    x = _cropped(x, pads)
    for dim, (before, after) in _dims(x, pads):
        n, parts = x._meta.shape[dim], [x]
        if before > 0:
            parts.insert(0, _part(x, dim, n - before, before))
        if after > 0:
            parts.append(_part(x, dim, 0, after))
        x = _joined(parts, dim)
    return _whole(x, pads)


def _whole(x, pads):
    """A result that is not its own operand, even where there is nothing to pad."""
    return x if any(before > 0 or after > 0 for before, after in pads) else mv.clone(x)


_MODES = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}


def _check_filled(shape, count):
    """Raise RuntimeError unless only the batch is empty."""
    batched = len(shape) == count + 2
    if 0 in (shape[1:] if batched else shape):
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size "
            f"and other non-zero dimensions for input, but got: {list(shape)}"
        )


def _check_border(mode, shape, pads):
    """Raise RuntimeError for sizes that a border in this mode can not have."""
    lead = len(shape) - len(pads)
    if mode != "circular":
        _check_filled(shape, len(pads))
    for d, (before, after) in enumerate(pads, lead):
        n = shape[d]
        if mode == "circular":
            if before > n or after > n:
                raise RuntimeError("Padding value causes wrapping around more than once.")
            if n + before + after < 0:
                raise RuntimeError("Negative padding value is resulting in an empty dimension")
            continue
        if mode == "reflect" and (before >= n or after >= n):
            raise RuntimeError(
                "Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({before}, {after}) at dimension {d} of input {list(shape)}"
            )
        if n + before + after < 1:
            raise RuntimeError(
                f"input of size {n} at dimension {d} is too small. Calculated output size: "
                f"{n + before + after}"
            )


def pad(input, pad, mode="constant", value=None):
    """`input` with a border around its last dims.

    Args:
        pad: (before, after) of the last dim, then of the one before it, and so on; negative
            amounts crop.
        mode: "constant" (any number of dims), "reflect", "replicate" or "circular" (the last 1,
            2 or 3 dims of a sample or a batch, after the channels).
        value: the constant, 0 unless told.

    Raises RuntimeError for amounts that do not fit, NotImplementedError for an unknown mode and
    for numbers of dims that a mode does not have.

    >>> import flambeau as torch
    >>> torch.nn.functional.pad(torch.tensor([[1, 2, 3]]), (1, 1), mode="reflect")
    tensor([[2, 1, 2, 3, 2]])
    """
    shape, pad = input._meta.shape, tuple(int(p) for p in pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {len(shape)}"
        )
    if mode == "constant":
        if isinstance(value, complex):
            raise TypeError("pad(): argument 'value' (position 4) must be float, not complex")
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    count = len(pad) // 2
    if not count or count > 3 or len(shape) not in (count + 1, count + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor: other than "
            "with a constant, the last 1, 2 or 3 dims are padded, after a dim of channels and "
            "maybe one of samples"
        )
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if input._meta.dtype is dtypes.bool_ and mode != "circular":
        raise NotImplementedError(f'"{mode}" padding not implemented for bool tensors')
    pads = tuple((pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2))
    _check_border(mode, shape, pads)
    return _MODES[mode](input, pads=pads)
