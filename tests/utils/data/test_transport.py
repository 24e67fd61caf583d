"""What is sent between processes arrives as it was."""

import multiprocessing

import numpy as np
import pytest

import flambeau
from flambeau.utils.data.transport import INLINE, receive, send


@pytest.fixture
def there_and_back():
    ours, theirs = multiprocessing.Pipe()

    def run(obj):
        send(ours, obj)
        return receive(theirs)

    with ours, theirs:
        yield run


@pytest.mark.parametrize("size", [0, 1, 100, INLINE // 4, INLINE])
def test_tensors(there_and_back, size):
    sent = {"x": flambeau.arange(size, dtype=flambeau.float32), "y": flambeau.tensor(3), "z": "a"}
    got = there_and_back(sent)
    assert got["x"].dtype == flambeau.float32
    assert got["x"].tolist() == sent["x"].tolist()
    assert got["y"].item() == 3
    assert got["z"] == "a"


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float16", "bfloat16", "complex64"])
@pytest.mark.parametrize("size", [3, INLINE])
def test_dtypes(there_and_back, dtype, size):
    sent = flambeau.ones(size).to(getattr(flambeau, dtype))
    got = there_and_back(sent)
    assert got.dtype == sent.dtype
    assert flambeau.equal(got, sent)


def test_strided_and_written(there_and_back):
    sent = flambeau.arange(40_000.0).reshape(200, 200).T
    got = there_and_back([sent, sent])
    assert got[0] is got[1]
    assert flambeau.equal(got[0], sent)
    got[0].add_(1)
    assert got[0][0, 0].item() == 1


def test_arrays_are_writable(there_and_back):
    for size in (3, INLINE):
        got = there_and_back(np.arange(size))
        got += 1
        assert got[-1] == size


def test_requires_grad(there_and_back):
    leaf = flambeau.ones(3, requires_grad=True)
    got = there_and_back(leaf)
    assert got.requires_grad
    assert got.is_leaf
    with pytest.raises(RuntimeError, match="requires grad"):
        there_and_back(leaf * 2)
    assert not there_and_back((leaf * 2).detach()).requires_grad


def test_sender_gone():
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    with theirs, pytest.raises((EOFError, OSError)):
        receive(theirs)
