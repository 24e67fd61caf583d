"""Rows of a table by index, and one-hot codes."""

import flambeau

from ...ops.core import composite

__all__ = ["embedding", "embedding_bag", "one_hot"]


@composite
def _embedding(indices, weight, *, padding_idx, scale_grad_by_freq):
    if weight.dim() != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {list(weight.shape)}")
    _require_index("embedding", indices)
    rows = weight.index_select(0, indices.reshape(-1))
    return rows.reshape(*indices.shape, weight.shape[1])


@_embedding.vjp
def _(g, out, indices, weight, *, padding_idx, scale_grad_by_freq):
    flat = indices.reshape(-1)
    rows = g.reshape(-1, weight.shape[1])
    if scale_grad_by_freq:
        ones = flambeau.ones_like(flat, dtype=g.dtype)
        counts = flambeau.zeros(weight.shape[0], dtype=g.dtype, device=g.device)
        counts = counts.index_add(0, flat, ones)
        rows = rows / counts.index_select(0, flat).unsqueeze(1)
    if padding_idx is not None:
        rows = flambeau.where((flat == padding_idx).unsqueeze(1), 0, rows)
    return None, flambeau.zeros_like(weight).index_add(0, flat, rows)


def _require_index(name, indices):
    if indices.dtype not in (flambeau.int64, flambeau.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {indices.dtype} instead (while checking arguments for {name})"
        )


def _padding_row(padding_idx, weight):
    """A padding index counted from the start, or None; raises AssertionError out of range."""
    if padding_idx is None:
        return None
    rows = weight.shape[0]
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def embedding(
    input,
    weight,
    padding_idx=None,
    max_norm=None,
    norm_type=2.0,
    scale_grad_by_freq=False,
    sparse=False,
):
    """The rows of `weight` at the indices `input`.

    Args:
        input: int64 or int32 indices of any shape.
        weight: the table, of shape (rows, features).
        padding_idx: a row that gets no gradient.
        max_norm: rows that are used and whose norm is larger are scaled down to it, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often the row occurs.
        sparse: whether the gradient of `weight` is a sparse tensor, of the rows used.
    Returns: a tensor of shape (*input.shape, features).

    Raises RuntimeError for a wrong dtype or shape, IndexError for an index out of range.

    >>> import flambeau as torch
    >>> table = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), table)
    tensor([[2., 3.],
            [0., 1.]])
    """
    padding_idx = _padding_row(padding_idx, weight)
    if max_norm is not None:
        _limit_norms(input, weight, max_norm, norm_type)
    if sparse and weight.requires_grad:
        return _take_rows(weight, input, padding_idx, scale_grad_by_freq)
    return _embedding(
        input, weight, padding_idx=padding_idx, scale_grad_by_freq=bool(scale_grad_by_freq)
    )


def _take_rows(weight, indices, padding_idx, by_frequency):
    """As `_embedding`, with a sparse gradient."""
    from ...sparse.gradient import take_rows

    return take_rows(weight, indices, padding_idx, bool(by_frequency))


@composite
def _limited(indices, weight, max_norm, *, norm_type):
    """The table with the rows that are used scaled down to a norm of at most `max_norm`."""
    flat = indices.reshape(-1)
    used = flambeau.zeros(weight.shape[0], dtype=weight.dtype, device=weight.device)
    used = used.index_add(0, flat, flambeau.ones_like(flat, dtype=weight.dtype))
    norms = weight.norm(norm_type, 1)
    scale = flambeau.where((used > 0) & (norms > max_norm), max_norm / (norms + 1e-7), 1)
    return weight * scale.unsqueeze(1)


def _limit_norms(indices, weight, max_norm, norm_type):
    with flambeau.no_grad():
        weight.copy_(_limited(indices, weight, max_norm, norm_type=float(norm_type)))


@composite
def _embedding_bag(
    indices, weight, offsets, scores, *, mode, padding_idx, last, by_frequency, taken
):
    """Bags of rows summed, averaged or maximised; `offsets` are where they start.

    taken: whether `weight` is the rows at the indices already.
    """
    count = offsets.shape[0] - last
    rows = weight
    if not taken:
        options = {"padding_idx": padding_idx, "scale_grad_by_freq": by_frequency}
        rows = _embedding(indices, weight, **options)
    if scores is not None:
        rows = rows * scores.unsqueeze(1)
    places = flambeau.arange(indices.shape[0], dtype=offsets.dtype, device=indices.device)
    bags = flambeau.searchsorted(offsets[:count], places, right=True) - 1
    kept = flambeau.ones_like(bags, dtype=rows.dtype)
    if padding_idx is not None:
        kept = (indices != padding_idx).to(rows.dtype)
    zeros = flambeau.zeros(count, weight.shape[1], dtype=rows.dtype, device=rows.device)
    if mode == "max":
        lowest = flambeau.full_like(zeros, float("-inf"))
        rows = flambeau.where(kept.unsqueeze(1) > 0, rows, float("-inf"))
        best = lowest.scatter_reduce(0, bags.unsqueeze(1).expand_as(rows), rows, "amax")
        return flambeau.where(best == float("-inf"), 0, best)
    total = zeros.index_add(0, bags, rows * kept.unsqueeze(1))
    if mode == "sum":
        return total
    sizes = flambeau.zeros(count, dtype=rows.dtype, device=rows.device).index_add(0, bags, kept)
    return total / sizes.clamp(min=1).unsqueeze(1)


def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sums, means or maxima of bags of rows of `weight`, without the rows themselves.

    Args:
        input: indices of shape (bags, size), or (N) with `offsets`.
        weight: the table, of shape (rows, features).
        offsets: where each bag starts in a 1-dim input; None for a 2-dim one.
        max_norm, norm_type, scale_grad_by_freq, sparse: as for `embedding`.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors of the shape of the input, for mode "sum".
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: an index that does not count.
    Returns: a tensor of shape (bags, features).

    Raises ValueError for shapes or options that do not fit.
    """
    _check_bags(input, weight, offsets, mode, scale_grad_by_freq, sparse, per_sample_weights)
    padding_idx = _padding_row(padding_idx, weight)
    if input.dim() == 2:
        size = max(input.shape[1], 1)
        offsets = flambeau.arange(0, input.shape[0] * size, size, device=input.device)
        include_last_offset = False
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    if max_norm is not None:
        _limit_norms(input, weight, max_norm, norm_type)
    taken = sparse and weight.requires_grad
    if taken:
        weight = _take_rows(weight, input, padding_idx, scale_grad_by_freq)
    return _embedding_bag(
        *(input, weight, offsets, per_sample_weights),
        mode=mode,
        padding_idx=padding_idx,
        last=int(include_last_offset),
        by_frequency=bool(scale_grad_by_freq),
        taken=taken,
    )


def _check_bags(input, weight, offsets, mode, scale_grad_by_freq, sparse, per_sample_weights):
    if weight.dim() != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}"
        )
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of type {type(offsets)}"
            )
    elif input.dim() != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    elif offsets is None or offsets.dim() != 1:
        got = " but got None" if offsets is None else ""
        raise ValueError(f"offsets has to be a 1D Tensor{got}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None:
        if per_sample_weights.shape != input.shape:
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, "
                f"then it must have the same shape as the input ({input.shape})"
            )
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only "
                f"supported for mode='sum' (got mode='{mode}')."
            )


def one_hot(tensor, num_classes=-1):
    """The one-hot codes of int64 indices, along a new last dim.

    Args:
        num_classes: the size of the new dim; by default the largest index and one.

    Raises RuntimeError for another dtype, negative indices or too few classes.

    >>> import flambeau as torch
    >>> torch.nn.functional.one_hot(torch.tensor([1, 0]), 3)
    tensor([[0, 1, 0],
            [1, 0, 0]])
    """
    if tensor.dtype != flambeau.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}."
        )
    if tensor.numel() == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes == -1:
        num_classes = int(tensor.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    zeros = flambeau.zeros(*tensor.shape, num_classes, dtype=flambeau.int64, device=tensor.device)
    return zeros.scatter_(-1, tensor.unsqueeze(-1), 1)
