"""Layers that join dims into one, or split one into several."""

from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dims from start_dim to end_dim into one.

    >>> import flambeau as torch
    >>> torch.nn.Flatten()(torch.zeros(64, 1, 28, 28)).shape
    torch.Size([64, 784])
    """

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input):
        """The input with the dims joined."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self):
        """The dims."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits a dim into dims of the sizes given, one of which may be -1.

    Raises TypeError unless the sizes are a tuple or list of ints.

    >>> import flambeau as torch
    >>> torch.nn.Unflatten(1, (2, 5))(torch.zeros(3, 10)).shape
    torch.Size([3, 2, 5])
    """

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"unflatten dim must be an int, but found type {type(dim).__name__}")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type "
                f"{type(unflattened_size).__name__}"
            )
        for i, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {i}"
                )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input):
        """The input with the dim split."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self):
        """The dim and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
