"""Batches made at once are those that the operations make."""

import numpy as np
import pytest

import flambeau
from flambeau.utils.data import DataLoader, TensorDataset, default_collate, rows

DTYPES = ["bool", "uint8", "int64", "float16", "bfloat16", "float32", "complex64", "complex32"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_stack(dtype, shape):
    whole = flambeau.ones(4, *shape).to(getattr(flambeau, dtype))
    flambeau.synchronize()
    whole = whole.clone()
    _ = whole.untyped_storage().data_ptr()
    samples = [whole[k] for k in (2, 0, 3)]
    stacked = rows.stack(samples)
    assert stacked.dtype == whole.dtype
    assert stacked.shape == (3, *shape)
    assert flambeau.equal(stacked, flambeau.stack(samples))


def test_stack_leaves_the_rest_to_the_operation():
    x = flambeau.tensor([1.0, 2.0])
    others = {
        "with gradients": [x, flambeau.ones(2, requires_grad=True)],
        "not contiguous": [flambeau.tensor([[1.0, 2.0], [3.0, 4.0]]).T] * 2,
        "of a subclass": [flambeau.nn.Parameter(x, requires_grad=False)] * 2,
    }
    for name, samples in others.items():
        assert rows.stack(samples) is None, name
        assert flambeau.equal(default_collate(samples), flambeau.stack(samples)), name
    assert rows.stack([x, x * 2]) is None
    assert default_collate([x, x * 2]).tolist() == [[1, 2], [2, 4]]
    assert default_collate(others["with gradients"]).requires_grad
    assert rows.stack([x, x[:1]]) is None
    assert rows.stack([x, x.double()]) is None
    with pytest.raises(RuntimeError):
        default_collate([x, x[:1]])


def test_a_batch_has_its_own_memory():
    x = flambeau.tensor([[1.0, 2.0], [3.0, 4.0]])
    batch = default_collate([x[0], x[1]])
    x.zero_()
    assert batch.tolist() == [[1, 2], [3, 4]]
    batch.add_(1)
    assert x.sum().item() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_take(dtype, shape):
    whole = flambeau.arange(5).to(getattr(flambeau, dtype)).reshape(5, *[1] * len(shape))
    whole = whole.expand(5, *shape).clone()
    _ = whole.untyped_storage().data_ptr()
    at = np.array([4, 0, 0, 2])
    taken = rows.take(whole[:], at)
    assert flambeau.equal(taken, whole.index_select(0, flambeau.tensor([4, 0, 0, 2])))


def test_a_dataset_that_is_changed():
    x = flambeau.arange(6.0).reshape(6, 1)
    loader = DataLoader(TensorDataset(x), batch_size=2)
    batches = iter(loader)
    assert next(batches)[0].tolist() == [[0], [1]]
    x.mul_(10)
    assert next(batches)[0].tolist() == [[20], [30]]
    assert x.tolist()[5] == [50]
    assert next(batches)[0].tolist() == [[40], [50]]


@pytest.mark.parametrize(
    "sample", [np.float32(2.5), np.arange(3), np.zeros((2, 0)), np.ones(2) > 0]
)
def test_arrays(torch, sample):
    ours = default_collate([sample, sample])
    theirs = torch.utils.data.default_collate([sample, sample])
    assert str(ours.dtype) == str(theirs.dtype)
    assert ours.tolist() == theirs.tolist()
