"""Cotangents of the pieces that a tensor was cut into, put together at once.

Slices along one dim each have a cotangent that fits into that of the tensor they were cut from.
Padding every one of them to the whole and adding these up would be quadratic in their number:
where several are disjoint, they are concatenated instead, with zeros in the gaps.
"""

from ..ops.copies import cat_op
from ..ops.view_ops import select_op, slice_op

__all__ = ["Pieces"]


class Pieces:
    """The cotangents of views of one tensor: (state, cotangent) of slices along one dim."""

    def __init__(self):
        self.cut = {}  # position of the tensor: list of (state, cotangent)

    @staticmethod
    def takes(state, source):
        """Whether a state cuts a piece, and nothing else is to happen with its cotangent."""
        if (state.op is not slice_op and state.op is not select_op) or state.grad == "keep":
            return False
        if state.attrs.get("step", 1) != 1 or source.check is not None:
            return False
        return not source.contexts or (
            ("node", state.first) not in source.contexts and state.first not in source.contexts
        )

    def add(self, state, g):
        """Keep the cotangent of a piece; returns the position of the tensor it was cut from."""
        place = state.operands[0]
        self.cut.setdefault(place, []).append((state, g))
        return place

    def groups(self, position, meta):
        """What was kept for the tensor at a position: joined cotangents, and the others as kept."""
        found = self.cut.pop(position, ())
        if len(found) < 2:
            return (), found
        by_dim = {}
        for state, g in found:
            by_dim.setdefault(state.attrs["dim"], []).append((*_span(state), state, g))
        joined, others = [], []
        for dim, pieces in by_dim.items():
            pieces.sort(key=lambda piece: piece[0])
            row, end = [], 0
            for piece in pieces:
                if piece[0] < end or piece[0] == piece[1]:
                    others.append(piece[2:])
                else:
                    row.append(piece)
                    end = piece[1]
            if len(row) > 1:
                joined.append(_join(row, dim, meta))
            else:
                others.extend(piece[2:] for piece in row)
        return joined, others


def _span(state):
    """Where a piece begins and ends."""
    if state.op is select_op:
        start = state.attrs["index"]
        return start, start + 1
    start = state.attrs["start"]
    return start, start + state.attrs["size"]


def _join(row, dim, meta):
    """The cotangent of the whole, from those of pieces (start, end, state, g) in order."""
    parts, at = [], 0
    for start, end, state, g in row:
        if start > at:
            parts.append(_zeros(g, meta, dim, start - at))
        parts.append(g.unsqueeze(dim) if state.op is select_op else g)
        at = end
    if at < meta.shape[dim]:
        parts.append(_zeros(g, meta, dim, meta.shape[dim] - at))
    return cat_op(*parts, dim=dim)


def _zeros(g, meta, dim, size):
    shape = list(meta.shape)
    shape[dim] = size
    return g.new_zeros(shape)
