"""Gradients that are sparse: of rows taken from a table."""

import flambeau

from ..autograd.function import Function
from .coo import CooTensor

__all__ = ["take_rows"]


class _Rows(Function):
    """The rows of a table, whose gradient names the rows that were taken."""

    @staticmethod
    def forward(ctx, table, indices, skipped, by_frequency):
        ctx.save_for_backward(indices)
        ctx.shape, ctx.skipped, ctx.by_frequency = table.shape, skipped, by_frequency
        return flambeau.nn.functional.embedding(indices, table)

    @staticmethod
    def backward(ctx, g):
        (indices,) = ctx.saved_tensors
        if ctx.by_frequency:
            raise RuntimeError(
                "embedding_backward: scale_grad_by_freq not supported with sparse gradients"
            )
        flat = indices.reshape(-1).to(flambeau.int64)
        values = g.reshape(-1, *ctx.shape[1:])
        if ctx.skipped is not None:
            kept = flat != ctx.skipped
            flat, values = flat[kept], values[kept]
        return CooTensor.of(flat.unsqueeze(0), values, ctx.shape), None, None, None


def take_rows(table, indices, skipped=None, by_frequency=False):
    """The rows of `table` at `indices`; its gradient is sparse, without the row `skipped`.

    Where the gradient is to be scaled `by_frequency`, the backward pass raises RuntimeError.
    """
    return _Rows.apply(table, indices, skipped, by_frequency)
