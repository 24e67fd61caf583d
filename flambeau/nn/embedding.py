"""Layers that look rows up in a table that is trained."""

import flambeau

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both share: the table `weight`, drawn from the normal distribution."""

    weight = Held()

    def _init_table(self, rows, features, padding_idx, given, trained, options):
        if padding_idx is not None:
            if not -rows <= padding_idx < rows:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= rows
        self.padding_idx = padding_idx
        if given is None:
            weight = flambeau.empty(rows, features, **options)
            self.weight = Parameter(weight, requires_grad=trained)
            self.reset_parameters()
        else:
            if list(given.shape) != [rows, features]:
                raise AssertionError(
                    "Shape of weight does not match num_embeddings and embedding_dim"
                )
            self.weight = Parameter(given, requires_grad=trained)

    def reset_parameters(self):
        """Draw the table anew; the row of `padding_idx` is zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with flambeau.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def _describe(self, *options):
        """The sizes, and the options that are not the default."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, default in options:
            value = getattr(self, name)
            if value != default:
                text += f", {name}={value}"
        return text


def _check_table(embeddings):
    if embeddings.dim() != 2:
        raise AssertionError("Embeddings parameter is expected to be 2-dimensional")


class Embedding(_Table):
    """The rows of a table, for inputs of indices.

    Args:
        num_embeddings, embedding_dim: the shape of the parameter `weight`.
        padding_idx: a row that starts as zeros and gets no gradient.
        max_norm, norm_type: rows that are used are first scaled down to this norm.
        scale_grad_by_freq: divide a row's gradient by how often the row occurs.
        sparse: whether the gradient of `weight` is a sparse tensor, of the rows used.

    Raises AssertionError for a padding_idx out of range.

    >>> import flambeau as torch
    >>> torch.nn.Embedding(10, 3)(torch.tensor([[1, 2], [4, 5]])).shape
    torch.Size([2, 2, 3])
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        _weight=None,
        _freeze=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        options = {"device": device, "dtype": dtype}
        self._init_table(num_embeddings, embedding_dim, padding_idx, _weight, not _freeze, options)

    def forward(self, input):
        """A tensor of shape (*input.shape, embedding_dim)."""
        return F.embedding(
            *(input, self.weight, self.padding_idx, self.max_norm, self.norm_type),
            *(self.scale_grad_by_freq, self.sparse),
        )

    def extra_repr(self):
        """The sizes, and the options that are not the default."""
        return self._describe(
            ("padding_idx", None),
            ("max_norm", None),
            ("norm_type", 2),
            ("scale_grad_by_freq", False),
            ("sparse", False),
        )

    @classmethod
    def from_pretrained(cls, embeddings, freeze=True, padding_idx=None, **options):
        """A layer with a table that is there already, by default not trained further.

        Options: `max_norm`, `norm_type`, `scale_grad_by_freq`, `sparse`. Raises AssertionError
        for a table that has not 2 dims.
        """
        _check_table(embeddings)
        rows, features = embeddings.shape
        options.update(padding_idx=padding_idx, _weight=embeddings, _freeze=freeze)
        return cls(rows, features, **options)


class EmbeddingBag(_Table):
    """Sums, means or maxima of bags of rows of a table.

    Args:
        num_embeddings, embedding_dim: the shape of the parameter `weight`.
        mode: "sum", "mean" or "max".
        include_last_offset: whether the last offset is the end of the last bag.
        max_norm, norm_type, scale_grad_by_freq, sparse, padding_idx: as for `Embedding`; the
            index `padding_idx` does not count.
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        mode="mean",
        sparse=False,
        _weight=None,
        include_last_offset=False,
        padding_idx=None,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        options = {"device": device, "dtype": dtype}
        self._init_table(num_embeddings, embedding_dim, padding_idx, _weight, True, options)
        self.mode, self.sparse, self.include_last_offset = mode, sparse, include_last_offset

    def forward(self, input, offsets=None, per_sample_weights=None):
        """A tensor of shape (bags, embedding_dim); see `functional.embedding_bag`."""
        return F.embedding_bag(
            *(input, self.weight, offsets, self.max_norm, self.norm_type),
            *(self.scale_grad_by_freq, self.mode, self.sparse, per_sample_weights),
            *(self.include_last_offset, self.padding_idx),
        )

    def extra_repr(self):
        """The sizes, and the options that are not the default."""
        text = self._describe(("max_norm", None), ("norm_type", 2), ("scale_grad_by_freq", False))
        text += f", mode={self.mode!r}"
        return text + ("" if self.padding_idx is None else f", padding_idx={self.padding_idx}")

    @classmethod
    def from_pretrained(cls, embeddings, freeze=True, **options):
        """A layer with a table that is there already, by default not trained further."""
        _check_table(embeddings)
        rows, features = embeddings.shape
        layer = cls(rows, features, _weight=embeddings, **options)
        layer.weight.requires_grad = not freeze
        return layer
