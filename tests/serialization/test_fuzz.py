"""Damaged and hostile files: data or one clear error, never anything else.

`python -m tests.files.fuzz --count 20000` runs as many as one likes.
"""

import contextlib
import io
import os
import pickle

import pytest

import flambeau
from flambeau.serialization.inspection import inspect

from ..files.fuzz import load_and_use, run
from ..files.mutations import mutated, packed, sound_files


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_mutated_files():
    """In a process with little memory, a clock, and a watch on what it does."""
    outcomes, failures, _ = run(0, 400, report=lambda line: None)
    assert failures == []
    assert sum(outcomes.values()) == 400
    assert outcomes["loaded"] > 20


def test_the_same_seed_is_the_same_file():
    files = sound_files()
    for seed in range(20):
        assert mutated(seed, files) == mutated(seed, files)


def test_sound_files_load(tmp_path):
    for name, data in sound_files().items():
        path = tmp_path / "a.pt"
        path.write_bytes(data)
        if name != "protocol 0":  # which PyTorch does not write
            inspect(path)
        if "module" in name:
            with pytest.raises(pickle.UnpicklingError, match="not allowed"):
                load_and_use(path)
        elif name == "protocol 0":
            with pytest.raises(pickle.UnpicklingError):
                load_and_use(path)
        elif name != "safetensors":
            load_and_use(path)


BOMBS = {
    "nested tuples": b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
    "nested lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "doubled tuples": b"\x80\x02(K\x01t" + b"2\x86" * 60 + b".",
    "doubled keys": b"\x80\x02}" + b"K\x01" + b"2\x86" * 60 + b"K\x01s.",
    "a large number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "a large text": b"\x80\x02X\xff\xff\xff\xff.",
    "a large array": b"\x80\x02cbuiltins\nbytearray\n\x8a\x07\x00\x00\x00\x00\x00\x01\x00\x85R.",
    "a long range": b"\x80\x02cbuiltins\nset\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x01"
    b"\x85R\x85R.",
    "a large size": b"\x80\x02ctorch\nSize\n(\x8a\x06\x00\x00\x00\x00\x00\x01tR.",
    "its own memo": b"\x80\x02]q\x00h\x00a.",
    "no end": b"\x80\x02N",
    "no beginning": b".",
    "many puts": b"\x80\x02" + b"Nr\xff\xff\xff\xff0" * 1000 + b"N.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name):
    """Small files that would like to be large, deep or endless."""
    data = packed({"data.pkl": BOMBS[name], "version": b"3\n"})
    for way in (flambeau.load, inspect):
        with contextlib.suppress(pickle.UnpicklingError, RuntimeError):
            way(io.BytesIO(data))
