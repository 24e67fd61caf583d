"""Many tensors in memory are joined at once: as the operation would, and with no program."""

import pytest

import flambeau
from flambeau.ops import at_once

N = at_once.MANY + 4


def _rows(shape, dtype=flambeau.float32):
    found = [(flambeau.arange(6.0) * k).to(dtype)[: shape[-1]].expand(shape) for k in range(N)]
    found = [x.clone() for x in found]
    flambeau.synchronize()
    return found


@pytest.mark.parametrize("join", [flambeau.cat, flambeau.stack])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex64", "bfloat16"])
@pytest.mark.parametrize("shape", [(3,), (1, 4), (2, 0), (2, 2)])
def test_joined(torch, join, dtype, shape):
    rows = _rows(shape, getattr(flambeau, dtype))
    theirs = getattr(torch, join.__name__)([torch.tensor(x.tolist()).reshape(shape) for x in rows])
    assert at_once.join(rows, join(rows).shape) is not None
    for given in (rows, [x.view(shape) for x in rows]):
        ours = join(given)
        assert ours.dtype is rows[0].dtype
        assert ours.shape == theirs.shape
        assert ours.tolist() == theirs.to(getattr(torch, dtype)).tolist()


def test_what_is_joined_is_a_copy():
    rows = _rows((2,))
    for join in (flambeau.cat, flambeau.stack):
        joined = join(rows)
        joined += 1
        assert rows[0].tolist() == [0, 0]
        rows[1] += 5
        assert joined.reshape(N, 2)[1].tolist() != rows[1].tolist()
        assert join(rows).reshape(N, 2)[1].tolist() == rows[1].tolist()


def test_others_are_recorded():
    rows = _rows((3,))
    others = {
        "pending": [x * 2 for x in rows],
        "with gradients": [x.clone().requires_grad_() for x in rows],
        "strided": [x[::2] for x in rows],
        "of several dtypes": [rows[0].double(), *rows[1:]],
        "of several shapes": [*rows, flambeau.ones(1, 3)],
    }
    for name, given in others.items():
        assert at_once.join(given, (len(given), 3)) is None, name
    assert flambeau.cat(others["with gradients"]).requires_grad
    assert flambeau.stack(others["with gradients"]).grad_fn is not None
    assert flambeau.cat(others["of several dtypes"]).dtype is flambeau.float64
    assert flambeau.stack(others["strided"]).shape == (N, 2)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        flambeau.cat([*(x[None] for x in rows), flambeau.ones(1, 2)])
    with pytest.raises(RuntimeError, match="equal size"):
        flambeau.stack([*rows, flambeau.ones(2)])
    mixed = flambeau.cat([*(x[:1] for x in rows), flambeau.ones(2)])
    assert mixed.shape == (N + 2,)


def test_within_transforms():
    x = flambeau.arange(6.0).reshape(2, 3)
    flambeau.synchronize()
    assert flambeau.vmap(lambda a: flambeau.stack([a] * N))(x).shape == (2, N, 3)
    assert flambeau.func.jvp(lambda a: flambeau.cat([a] * N), (x,), (x,))[1].shape == (2 * N, 3)
    grad = flambeau.func.grad(lambda a: flambeau.stack([a] * N).sum())(x)
    assert grad.tolist() == [[N] * 3] * 2


def test_an_index_in_memory(torch):
    data, starts = flambeau.arange(20), flambeau.tensor([3, 0, 9])
    theirs, their_starts = torch.arange(20), torch.tensor([3, 0, 9])
    for _ in range(2):
        rows = [data[i - 1 + 1 : i + 4] for i in starts]
        expected = [theirs[i - 1 + 1 : i + 4] for i in their_starts]
        assert [r.tolist() for r in rows] == [r.tolist() for r in expected]
    count = flambeau.tensor(1)
    more = count + 1
    count += 5
    assert (more.item(), count.item(), (count - 7).item()) == (2, 6, -1)
    assert more.dtype is flambeau.int64
    assert more.shape == ()


def test_other_numbers_are_recorded(torch):
    for lib in (flambeau, torch):
        largest = lib.tensor(2**63 - 1)
        assert (largest + 1).item() == -(2**63)
        assert (largest - -1).item() == -(2**63)
        assert (lib.tensor(2, dtype=lib.int8) + 127).item() == -127
        assert (lib.tensor(1) + True).dtype is lib.int64
        assert (lib.tensor(1) + 0.5).dtype is lib.float32
        assert (lib.tensor(1.5) + 1).item() == 2.5
        with pytest.raises(TypeError):
            lib.tensor(1) + "a"
    assert flambeau.vmap(lambda i: i + 1)(flambeau.arange(3)).tolist() == [1, 2, 3]
