"""Convolutions in any number of dims, all of them on windows and one matrix product.

Three bilinear maps are the derivatives of one another, with input x, kernels w and result y:

    convolution         y = sum over window elements of w and x
    transposed          x from y and w: how much each element of y depends on those of x
    kernel_gradient     w from x and y

Shapes are [batch, channels, *sizes] and, of kernels, [channels of y, channels of x / groups, *k].
`before` is the padding in front; that behind follows from the size of the result, `count` of y and
`size` of x.
"""

import math

from ..recorder.handle import intern
from . import copies
from . import view_ops as views
from .core import Op, composite
from .elementwise import conj
from .matmul import bmm_op
from .precision import narrow, widen
from .reduce import sum_op
from .unfold import fit, pad_op, reach, windows_op

__all__ = ["convolution", "kernel_gradient", "transposed"]


FEW = 4  # channels made of one: fewer are sums rather than rows of a matrix
SMALL = 256  # places of a result, up to which those of all samples are columns of one matrix


class _SwapFirst(Op):
    """[a, b, ...] as [b, a, ...], contiguous."""

    def infer(self, operands, attrs):
        (x,) = operands
        a, b, *rest = x.shape
        return intern((b, a, *rest), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The dims in another order."""
        (x,) = inputs
        return build.permute(x, (1, 0, *range(2, len(x.shape))))


swap_first_op = _SwapFirst("swap_first")


@swap_first_op.vjp
def _(g, out, x):
    return swap_first_op(g)


def _columns(x, kernel, count, stride, dilation, before):
    """The windows of a padded input, [batch, channels, *kernel, *count]."""
    x = fit(x, before, reach(count, stride, kernel, dilation))
    return windows_op(x, kernel=kernel, count=count, stride=stride, dilation=dilation)


def _convolve(x, weight, stride, dilation, groups, before, count):
    batch = x._meta.shape[0]
    outputs, each, *kernel = weight._meta.shape
    columns = _columns(x, tuple(kernel), count, stride, dilation, before)
    if each == 1 and outputs < FEW * groups:  # hardly a matrix: sums
        n = len(kernel)
        columns = columns.reshape((batch, groups, 1, *kernel, *count))
        weight = weight.reshape((groups, outputs // groups, *kernel, *[1] * n))
        products = columns * weight
        total = sum_op(products, dims=tuple(range(3, 3 + n)), keepdim=False, dtype=None)
        return total.reshape((batch, outputs, *count))
    inner, places = each * math.prod(kernel), math.prod(count)
    if groups == 1 and batch > 1 and places <= SMALL:  # a product for each would pack the weights
        n = len(kernel)
        order = (*range(1, 2 + n), 0, *range(2 + n, 2 + 2 * n))
        columns = views.permute_op(columns, dims=order).reshape((1, inner, batch * places))
        product = bmm_op(weight.reshape((1, outputs, inner)), columns)
        return swap_first_op(product.reshape((outputs, batch, *count)))
    columns = columns.reshape((batch * groups, inner, places))
    rows = outputs // groups
    weight = weight.reshape((1, groups, rows, inner)).expand((batch, groups, rows, inner))
    product = bmm_op(weight.reshape((batch * groups, rows, inner)), columns)
    return product.reshape((batch, outputs, *count))


def _with_bias(y, bias, like):
    if bias is not None:
        y = y + widen(bias).reshape((-1, *[1] * (len(y._meta.shape) - 2)))
    return narrow(y, like)


def _bias_vjp(g, bias):
    if bias is None:
        return None
    dims = tuple(d for d in range(len(g._meta.shape)) if d != 1)
    return sum_op(g, dims=dims, keepdim=False, dtype=None)


@composite
def convolution(x, weight, bias, *, stride, dilation, groups, before, count):
    """y[n, o, p] = bias[o] + sum over c and k of weight[o, c, k] x[n, c, p s + k d - before]."""
    y = _convolve(widen(x), widen(weight), stride, dilation, groups, before, count)
    return _with_bias(y, bias, x)


@convolution.vjp
def _(g, out, x, weight, bias, *, stride, dilation, groups, before, count):
    how = {"stride": stride, "dilation": dilation, "groups": groups, "before": before}
    by_x = transposed(g, conj(weight), None, **how, size=x._meta.shape[2:])
    by_weight = kernel_gradient(conj(x), g, **how, kernel=weight._meta.shape[2:])
    return by_x, by_weight, _bias_vjp(g, bias)


def _phases(weight, stride, dilation, groups):
    """The kernels of the convolution without stride that a transposed one is.

    Element q * s + r of its result is the sum over m of kernel element m * s + r times element
    q - m: a channel of its own for each r. Returns them, [groups' outputs * r, channels, *m], and
    the dilation.
    """
    inputs, each, *kernel = weight._meta.shape
    n = len(kernel)
    spread = [d if s > 1 else 1 for d, s in zip(dilation, stride, strict=True)]
    between = tuple(1 if s > 1 else d for d, s in zip(dilation, stride, strict=True))
    taps = [-(-((k - 1) * e + 1) // s) for k, e, s in zip(kernel, spread, stride, strict=True)]
    if any(s > 1 for s in stride):
        long = tuple(m * s for m, s in zip(taps, stride, strict=True))
        weight = pad_op(weight, before=(0,) * n, size=long, steps=tuple(spread), value=0)
    apart = [x for pair in zip(taps, stride, strict=True) for x in pair]
    weight = weight.reshape((groups, inputs // groups, each, *apart))
    weight = copies.flip_op(weight, dims=tuple(range(3, 3 + 2 * n, 2)))
    order = (0, 2, *range(4, 4 + 2 * n, 2), 1, *range(3, 3 + 2 * n, 2))
    weight = views.permute_op(weight, dims=order)
    channels = groups * each * math.prod(stride)
    return weight.reshape((channels, inputs // groups, *taps)), between, taps


@composite
def transposed(x, weight, bias, *, stride, dilation, groups, before, size):
    """The input gradient of a convolution with these kernels, [channels of x, of result, *k]."""
    batch, each, n = x._meta.shape[0], weight._meta.shape[1], len(stride)
    kernels, between, taps = _phases(widen(weight), stride, dilation, groups)
    first = [b // s for b, s in zip(before, stride, strict=True)]
    last = [-(-(b + z) // s) for b, z, s in zip(before, size, stride, strict=True)]
    count = tuple(j - i for i, j in zip(first, last, strict=True))
    front = tuple((m - 1) * b - i for m, b, i in zip(taps, between, first, strict=True))
    y = _convolve(widen(x), kernels, (1,) * n, between, groups, front, count)
    y = y.reshape((batch, groups * each, *stride, *count))
    order = [d for k in range(2, 2 + n) for d in (k + n, k)]
    y = views.permute_op(y, dims=(0, 1, *order))
    y = y.reshape((batch, groups * each, *[c * s for c, s in zip(count, stride, strict=True)]))
    back = tuple(i * s - b for i, s, b in zip(first, stride, before, strict=True))
    return _with_bias(fit(y, back, size), bias, x)


transposed.derivative = "ConvolutionBackward0"


@transposed.vjp
def _(g, out, x, weight, bias, *, stride, dilation, groups, before, size):
    how = {"stride": stride, "dilation": dilation, "groups": groups, "before": before}
    by_x = convolution(g, conj(weight), None, **how, count=x._meta.shape[2:])
    by_weight = kernel_gradient(g, conj(x), **how, kernel=weight._meta.shape[2:])
    return by_x, by_weight, _bias_vjp(g, bias)


@composite
def kernel_gradient(x, y, *, stride, dilation, groups, before, kernel):
    """w[o, c, k] = sum over n and p of y[n, o, p] x[n, c, p s + k d - before]."""
    batch, channels = x._meta.shape[:2]
    outputs, *count = y._meta.shape[1:]
    n, each, rows = len(kernel), channels // groups, outputs // groups
    like, x, y = x, widen(x), widen(y)
    columns = _columns(x, kernel, tuple(count), stride, dilation, before)
    if each == 1 and rows < FEW:
        columns = columns.reshape((batch, groups, 1, *kernel, *count))
        products = columns * y.reshape((batch, groups, rows, *[1] * n, *count))
        dims = (0, *range(3 + n, 3 + 2 * n))
        total = sum_op(products, dims=dims, keepdim=False, dtype=None)
        return narrow(total.reshape((outputs, 1, *kernel)), like)
    places = batch * math.prod(count)
    order = (*range(1, 2 + n), 0, *range(2 + n, 2 + 2 * n))
    columns = views.permute_op(columns, dims=order)
    columns = columns.reshape((groups, each * math.prod(kernel), places))
    y = y.transpose(0, 1).reshape((groups, rows, places))
    product = bmm_op(y, columns.transpose(1, 2))
    return narrow(product.reshape((outputs, each, *kernel)), like)


@kernel_gradient.vjp
def _(g, out, x, y, *, stride, dilation, groups, before, kernel):
    how = {"stride": stride, "dilation": dilation, "groups": groups, "before": before}
    by_x = transposed(conj(y), g, None, **how, size=x._meta.shape[2:])
    by_y = convolution(conj(x), g, None, **how, count=y._meta.shape[2:])
    return by_x, by_y
