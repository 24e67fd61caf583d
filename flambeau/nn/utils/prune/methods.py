"""The ways to choose what is pruned."""

import numbers

import flambeau

from .base import BasePruningMethod

__all__ = [
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "RandomStructured",
    "RandomUnstructured",
]


class Identity(BasePruningMethod):
    """Prunes nothing, but makes the mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """The mask that there is."""
        return default_mask

    @classmethod
    def apply(cls, module, name):
        """Give the parameter `name` of a module a mask of ones; returns the hook."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A method that prunes a number of elements or slices, or a fraction of them."""

    def __init__(self, amount):
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        most = None if isinstance(amount, numbers.Integral) else 1.0
        if not (amount >= 0 and (most is None or amount <= most)):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
                "integer"
            )
        self.amount = amount

    def _count(self, size):
        """How many of `size` to prune. Raises ValueError if there are not as many."""
        if not isinstance(self.amount, numbers.Integral):
            return round(self.amount * size)
        if self.amount > size:
            raise ValueError(
                f"amount={self.amount} should be smaller than the number of parameters to "
                f"prune={size}"
            )
        return self.amount


class _Unstructured(_Amount):
    """A method that prunes single elements: those of the least scores."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """The mask, less the elements that are pruned. Raises ValueError for too large numbers."""
        count = self._count(t.numel())
        mask = default_mask.clone(memory_format=flambeau.contiguous_format)
        if count:
            mask.view(-1)[self._chosen(t, count)] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes elements at random.

    Args: amount: how many, an int; or which fraction, a float between 0 and 1.

    Raises TypeError and ValueError for other amounts.
    """

    def _chosen(self, t, count):
        return flambeau.rand_like(t).view(-1).topk(count).indices

    @classmethod
    def apply(cls, module, name, amount):
        """Prune elements of the parameter `name` of a module; returns the hook."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prunes the elements of the least absolute values.

    Args: amount: how many, an int; or which fraction, a float between 0 and 1.

    Raises TypeError and ValueError for other amounts.
    """

    def _chosen(self, t, count):
        return t.abs().reshape(-1).topk(count, largest=False).indices

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        """Prune elements of the parameter `name` of a module; returns the hook."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(_Amount):
    """A method that prunes slices along a dim: `_kept` says which to keep, as booleans."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount, dim=-1):
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t, default_mask):
        """The mask, less the slices that are pruned.

        Raises ValueError for tensors of fewer than two dims and for too large numbers, IndexError
        for a dim that is not there.
        """
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor "
                f"of shape {t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        count = self._count(t.shape[self.dim])
        if not count:
            return default_mask
        shape = [1] * t.dim()
        shape[self.dim] = -1
        kept = self._kept(t, count).reshape(shape)
        return kept.to(t.dtype) * default_mask.to(t.dtype)


class RandomStructured(_Structured):
    """Prunes slices along a dim at random.

    Args:
        amount: how many, an int; or which fraction, a float between 0 and 1.
        dim: the dim.

    Raises TypeError and ValueError for other amounts.
    """

    def _kept(self, t, count):
        chances = flambeau.rand(t.shape[self.dim])
        return chances > chances.kthvalue(count).values

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        """Prune slices of the parameter `name` of a module; returns the hook."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the slices along a dim of the least norms.

    Args:
        amount: how many, an int; or which fraction, a float between 0 and 1.
        n: the kind of norm, as in `flambeau.norm`.
        dim: the dim.

    Raises TypeError and ValueError for other amounts.
    """

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t, count):
        size = t.shape[self.dim]
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        largest = flambeau.norm(t, self.n, others).topk(size - count).indices
        return flambeau.zeros(size, dtype=flambeau.bool).index_fill(0, largest, True)

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        """Prune slices of the parameter `name` of a module; returns the hook."""
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask says.

    Args: mask: a tensor of the shape of what is pruned.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        """The mask that there is times this one. Raises AssertionError for different shapes."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        """Prune the parameter `name` of a module by a mask; returns the hook."""
        return super().apply(module, name, mask=mask)
