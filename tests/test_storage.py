"""Storages as objects."""

import pytest

import flambeau


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(64)))
    return path


def outcome(f, *args):
    try:
        return f(*args)
    except RuntimeError as error:
        return type(error).__name__


def test_mapped_files(torch, file):
    def run(t):
        whole = t.UntypedStorage.from_file(str(file), False, 64)
        part = t.asarray(whole[8:24], dtype=t.uint8)
        part[0] = 99
        return len(whole), whole[3], whole[8], part.tolist(), len(whole[60:])

    assert run(flambeau) == run(torch)
    assert file.read_bytes() == bytes(range(64))


@pytest.mark.parametrize("args", [(False, 128), (True, 96), (False, 0), (True, 0)])
def test_sizes_of_mapped_files(torch, file, args):
    def run(t):
        return outcome(lambda: len(t.UntypedStorage.from_file(str(file), *args)))

    assert run(flambeau) == run(torch)


def test_shared_files_are_written(file):
    storage = flambeau.UntypedStorage.from_file(file, True, 64)
    flambeau.asarray(storage)[2] = 77
    assert file.read_bytes()[:4] == bytes([0, 1, 77, 3])
    with pytest.raises(RuntimeError, match="unable to open file"):
        flambeau.UntypedStorage.from_file(file.with_name("absent"), False, 8)


def test_memory_is_that_of_the_tensor():
    x = flambeau.arange(4.0)
    storage = x.untyped_storage()
    y = flambeau.asarray(storage).view(flambeau.float32)
    y[1] = 9
    assert x.tolist() == [0.0, 9.0, 2.0, 3.0]
    x.add_(1)
    assert y.tolist() == [1.0, 10.0, 3.0, 4.0]
    z = flambeau.asarray(storage[4:8]).view(flambeau.float32)
    x.mul_(2)
    assert z.tolist() == [20.0]
    with pytest.raises(RuntimeError, match="only a step of 1 is supported"):
        storage[::2]
