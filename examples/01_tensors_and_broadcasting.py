"""Tensors: how they are made, shaped, combined, and how sizes of 1 stretch."""

import numpy as np

import flambeau as torch


def show(title, value):
    """Print a value and, of a tensor, its shape and type."""
    print(f"{title}:")
    print(value)
    if isinstance(value, torch.Tensor):
        print(f"    {value.ndim} dimensions, shape {tuple(value.shape)}, {value.dtype}")


def make():
    """Tensors from numbers, ranges and NumPy arrays."""
    show("a scalar", torch.tensor(3.5))
    show("a vector", torch.tensor([1, 2, 3]))
    show("a matrix of zeros", torch.zeros(2, 3))
    show("evenly spaced", torch.linspace(0, 1, steps=5))
    array = np.arange(3.0)
    shared = torch.from_numpy(array)
    array[0] = 10.0  # The tensor has the memory of the array.
    show("from NumPy", shared)
    show("and back", (shared * 2).numpy())


def shape():
    """The same numbers in other shapes."""
    x = torch.arange(6)
    m = x.reshape(2, 3)
    show("2 x 3", m)
    show("transposed", m.T)
    show("one column", x.view(6, 1))
    show("without sizes of 1", x.view(1, 6, 1).squeeze())
    show("a new dimension", x.unsqueeze(0))
    images = torch.zeros(64, 1, 28, 28)
    show("64 images, flat", tuple(images.flatten(start_dim=1).shape))
    m[0, 0] = 100  # A view: x changes too.
    show("after writing through a view", x)


def broadcast():
    """Sizes of 1 and missing dimensions stretch to fit the other operand."""
    column = torch.tensor([[0.0], [10.0], [20.0]])
    row = torch.tensor([1.0, 2.0, 3.0])
    show("column + row", column + row)
    show("a row from each", row - torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    differences = points[:, None, :] - points[None, :, :]
    show("distances of all pairs", differences.pow(2).sum(dim=-1).sqrt())
    try:
        torch.zeros(3, 2) + torch.zeros(3)
    except RuntimeError:
        print("[3, 2] and [3] do not broadcast: the last sizes are 2 and 3")


def combine():
    """Products, reductions, selections."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    show("product by element", a * a)
    show("matrix product", a @ a)
    show("mean of each column", a.mean(dim=0))
    show("where it is above 1.5", a[a > 1.5])
    values, places = a.max(dim=1)
    show("largest of each row", values)
    show("where that is", places)
    show("integers and floats", torch.tensor([1, 2]) + torch.tensor([0.5, 0.5]))


def main():
    """Show it all."""
    for part in (make, shape, broadcast, combine):
        print(f"\n--- {part.__name__}: {part.__doc__}")
        part()


if __name__ == "__main__":
    main()
