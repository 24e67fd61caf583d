"""Operations on lists of tensors."""

import pytest

import flambeau


def lists(torch):
    """Two lists of two tensors."""
    first = [torch.arange(3.0), torch.arange(1.0, 5.0).reshape(2, 2)]
    return first, [torch.full((3,), 2.0), torch.full((2, 2), 4.0)]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
@pytest.mark.parametrize("other", ["number", "numbers", "tensors"])
@pytest.mark.parametrize("in_place", [False, True])
def test_as_pytorch(torch, name, other, in_place):
    """For a number, a list of numbers and a list of tensors; in place or not."""
    found = []
    for library in (flambeau, torch):
        xs, ys = lists(library)
        operand = {"number": 3.0, "numbers": [3.0, 5.0], "tensors": ys}[other]
        made = getattr(library, f"_foreach_{name}{'_' * in_place}")(xs, operand)
        found.append([x.tolist() for x in (xs if in_place else made)])
    assert found[0] == found[1]


def test_alpha(torch):
    """A factor of the second list."""
    ours, theirs = (t._foreach_add(*lists(t), alpha=3) for t in (flambeau, torch))
    assert [x.tolist() for x in ours] == [x.tolist() for x in theirs]


def test_copies_and_norms(torch):
    """`_foreach_copy_` and `_foreach_norm`."""
    found = []
    for library in (flambeau, torch):
        xs, ys = lists(library)
        norms = [*library._foreach_norm(xs), *library._foreach_norm(xs, 1)]
        library._foreach_copy_(xs, ys)
        found.append([x.tolist() for x in (*norms, *xs)])
    assert found[0][4:] == found[1][4:]
    assert found[0][:4] == pytest.approx(found[1][:4])


def test_lists_of_other_lengths(torch):
    """An error before anything is changed."""
    for library in (flambeau, torch):
        xs, _ = lists(library)
        with pytest.raises(RuntimeError, match="must have"):
            library._foreach_add_(xs, [1.0])
        assert xs[0].tolist() == [0.0, 1.0, 2.0]
