"""The order in memory of the dims of results, which follows that of the operands."""

from ..recorder.handle import Meta, intern

__all__ = ["broadcast_strides", "layout_by", "layout_like"]


def layout_like(shape, dtype, operands):
    """The meta of an elementwise result: dense, its dims ordered as those of the operands."""
    shape = tuple(shape)
    metas = [x for x in operands if isinstance(x, Meta) and x.shape]
    if len(shape) < 2 or 0 in shape or all(x.contiguous for x in metas):
        return intern(shape, dtype)
    return layout_by(shape, dtype, [broadcast_strides(x, shape) for x in metas])


def layout_by(shape, dtype, steps):
    """The meta of a dense result whose dims are ordered by the strides of the operands in it."""
    strides, step = [0] * len(shape), 1
    for d in _order_of_dims(shape, steps):
        strides[d] = step
        step *= shape[d]
    return intern(shape, dtype, tuple(strides))


def broadcast_strides(x, shape):
    """The strides of an operand that is broadcast to a shape."""
    lead = len(shape) - len(x.shape)
    steps = zip(x.shape, x.strides, shape[lead:], strict=True)
    return (0,) * lead + tuple(0 if n == 1 != m else s for n, s, m in steps)


def _order_of_dims(shape, strides):
    """The dims from the innermost to the outermost, by insertion: as PyTorch orders them.

    Of two dims the one with the smaller stride is further inside, if no operand before tells; one
    that an operand is expanded along tells nothing.
    """

    def is_outside(a, b):
        for steps in strides:
            if steps[a] and steps[b] and (steps[a] != steps[b] or shape[a] > shape[b]):
                return (steps[a], shape[a]) > (steps[b], shape[b])
        return None

    order = list(range(len(shape)))[::-1]
    for k in range(1, len(order)):
        at = k
        for other in reversed(range(k)):
            found = is_outside(order[other], order[at])
            if found:
                order[other], order[at] = order[at], order[other]
                at = other
            elif found is False:
                break
    return order
