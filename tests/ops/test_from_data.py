"""Tensors over memory of others."""

import pickle

import pytest

import flambeau


@pytest.mark.parametrize("name", ["uint8", "int16", "float16", "bfloat16", "float32", "complex64"])
def test_frombuffer(torch, name):
    def run(lib):
        memory = bytearray(range(32))
        x = lib.frombuffer(memory, dtype=getattr(lib, name), count=2, offset=8)
        before = repr(x.tolist())
        memory[8:10] = b"\x01\x3f"
        after = repr(x.tolist())
        x[1] = 1
        return str(x.dtype), tuple(x.shape), before, after, bytes(memory)

    assert run(flambeau) == run(torch)


def test_frombuffer_of_what_is_not_written_to():
    x = flambeau.frombuffer(b"\x00\x3f" * 3, dtype=flambeau.bfloat16, requires_grad=True)
    assert x.tolist() == [0.5] * 3
    assert x.requires_grad


def test_functions_can_be_pickled():
    for function in (flambeau.sin, flambeau.add, flambeau.softmax, flambeau.nn.functional.relu):
        assert pickle.loads(pickle.dumps(function)) == function
