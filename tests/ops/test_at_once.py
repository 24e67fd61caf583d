"""What is done at once with memory: as the operations would, and with no program."""

import numpy as np
import pytest

import flambeau
from flambeau.ops import at_once
from flambeau.recorder.trace import local

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


def _eager(torch, program):
    """What a program of the library returns in PyTorch and here, as lists."""
    return program(torch), program(flambeau)


def _regions(torch):
    x = torch.zeros(3, 4, dtype=torch.int64)
    y = torch.full((5,), 2.5)
    x[1, 1:3] = torch.tensor([5, 6])
    x[:, 0] = -1
    x[2] = 7
    x[..., 3] = 9
    x[-1, -1] += 4
    y[1:] = 3
    y[::2] = torch.tensor([1.0, 2.0, 3.0])
    y[0] -= 0.5
    y[5:] = 8
    seen = x[1]
    x[1, 1] += 10
    flags = torch.zeros(4, dtype=torch.bool)
    flags[1:3] = True
    small = torch.ones(3, dtype=torch.uint8)
    small[0] += 255
    return [x.tolist(), y.tolist(), seen.tolist(), flags.tolist(), small.tolist(), x._version]


def test_regions(torch):
    theirs, ours = _eager(torch, _regions)
    assert ours == theirs


def test_regions_need_no_program():
    flambeau.synchronize()
    word = flambeau.tensor([3, 1, 2])
    for n in (1, 2, 3):
        x, y = flambeau.zeros(9, dtype=flambeau.int64), flambeau.zeros(9)
        x[:n] = word[:n]
        y[n:] = -1
        assert not local.trace.segment.handles
        assert x.tolist() == [3, 1, 2][:n] + [0] * (9 - n)
        assert y.tolist() == [0.0] * n + [-1.0] * (9 - n)


def _what_was_read(torch):
    x = torch.arange(6.0)
    x.tolist()
    twice = x[2:4] * 2  # before the write
    x[2:4] = 9
    shown = x[2:4]
    x[2] += 1
    w = torch.ones(2, requires_grad=True)
    kept = torch.tensor([3.0, 4.0])
    loss = (w * kept).sum()
    loss.item()
    kept[0] = 5
    return [x.tolist(), twice.tolist(), shown.tolist(), kept.tolist()]


def test_what_was_read_before(torch):
    theirs, ours = _eager(torch, _what_was_read)
    assert ours == theirs


def test_saved_values_stay():
    w, kept = flambeau.ones(2, requires_grad=True), flambeau.tensor([3.0, 4.0])
    loss = (w * kept).sum()
    loss.item()
    kept[0] = 5
    loss.backward()
    assert w.grad.tolist() == [3, 4]
    assert kept.tolist() == [5, 4]
    assert kept._version == 1


def test_shared_with_numpy():
    array = np.zeros(4)
    x = flambeau.from_numpy(array)
    x[1:3] = 5
    flambeau.synchronize()
    assert array.tolist() == [0, 5, 5, 0]
    view = flambeau.ones(3)
    outside = view.numpy()
    view[0] = 7
    assert outside[0] == 7 or view.tolist() == [7, 1, 1]
    flambeau.synchronize()
    assert outside.tolist() == [7, 1, 1]


def test_gradients_pass_through_regions(torch):
    def program(torch):
        w = torch.ones(3, requires_grad=True)
        x = torch.zeros(5)
        x[1:4] = w * 2
        x[0] = 3
        x.sum().backward()
        y = torch.zeros(2, requires_grad=True)
        z = y * 1
        z[0] = 4
        (z * z).sum().backward()
        return [w.grad.tolist(), x.tolist(), y.grad.tolist()]

    theirs, ours = _eager(torch, program)
    assert ours == theirs


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [
        ((0, 9), 1, IndexError),
        ((0, 0, 0), 1, IndexError),
        (slice(None, None, -1), 1, ValueError),
        ((0, slice(0, 2)), [1.0, 2.0, 3.0], RuntimeError),
    ],
)
def test_wrong_regions(index, value, error):
    x = flambeau.zeros(2, 3)
    with pytest.raises(error):
        x[index] = flambeau.tensor(value) if isinstance(value, list) else value
    assert x.tolist() == [[0] * 3] * 2


def test_numbers_that_do_not_fit(torch):
    def program(torch):
        x = torch.zeros(3, dtype=torch.int32)
        x[0] = 2.9
        x[1] = True
        y = torch.zeros(2, dtype=torch.float16)
        y[0] = 0.1
        z = torch.zeros(2, 3)
        z[:, 1:] = torch.tensor([1, 2])
        return [x.tolist(), y.tolist(), z.tolist()]

    theirs, ours = _eager(torch, program)
    assert ours == theirs
