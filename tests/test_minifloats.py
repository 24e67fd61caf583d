"""Dtypes with hardly any arithmetic, unsigned ints and floats of 8 bits, against PyTorch."""

import io
import pickle

import numpy as np
import pytest

import flambeau

UNSIGNED = ("uint16", "uint32", "uint64")
FLOATS = (
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
    "float8_e8m0fnu",
)
NAMES = (*UNSIGNED, *FLOATS)


def small(lib, name):
    """Four powers of two."""
    return lib.tensor([1.0, 2.0, 4.0, 8.0]).to(getattr(lib, name))


@pytest.mark.parametrize("name", FLOATS)
def test_rounding_is_bit_for_bit_that_of_torch(torch, name):
    high = np.arange(2**16, dtype=np.uint32) << np.uint32(16)
    bits = np.concatenate([high, high + np.uint32(1), high - np.uint32(1), high + np.uint32(2**15)])
    numbers = bits.view(np.float32)
    for source in ("float32", "float64", "bfloat16", "float16"):
        if source == "bfloat16":  # where the sign of NaN and what is below 2^-126 is the CPU's
            numbers = numbers[np.abs(numbers) > 2.0**-126]
        codes = []
        for lib in (torch, flambeau):
            x = lib.from_numpy(numbers).to(getattr(lib, source))
            codes.append(x.to(getattr(lib, name)).view(lib.uint8).numpy())
        np.testing.assert_array_equal(codes[1], codes[0])


@pytest.mark.parametrize("name", FLOATS)
def test_every_code_has_the_number_that_torch_gives_it(torch, name):
    found = []
    for lib in (torch, flambeau):
        x = lib.arange(256, dtype=lib.uint8).view(getattr(lib, name))
        found.append([x.float().numpy(), x.double().numpy(), np.array(x.tolist())])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(b, a)


@pytest.mark.parametrize("name", NAMES)
def test_what_they_are(torch, name):
    a, b = getattr(torch, name), getattr(flambeau, name)
    for what in ("is_signed", "is_floating_point", "is_complex", "itemsize"):
        assert getattr(a, what) == getattr(b, what)
    assert str(a) == str(b)
    x, y = small(torch, name), small(flambeau, name)
    assert repr(x) == repr(y)
    assert x.type() == y.type()
    assert x.tolist() == y.tolist()
    assert pickle.loads(pickle.dumps(b)) is b
    if a.is_floating_point:
        for what in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            assert getattr(torch.finfo(a), what) == getattr(flambeau.finfo(b), what)
    else:
        assert torch.iinfo(a).max == flambeau.iinfo(b).max


CALLS = {
    "zeros": lambda lib, x: lib.zeros(2, dtype=x.dtype),
    "full": lambda lib, x: lib.full((2,), 2, dtype=x.dtype),
    "ones": lambda lib, x: lib.ones_like(x),
    "fill": lambda lib, x: x.clone().fill_(4),
    "copy": lambda lib, x: x.clone().copy_(lib.tensor([8, 4, 2, 1])),
    "transposed": lambda lib, x: x.reshape(2, 2).t().contiguous(),
    "index": lambda lib, x: x[lib.tensor([3, 0])],
    "mask": lambda lib, x: x[lib.tensor([True, False, True, False])],
    "slice": lambda lib, x: x[1:3],
    "cat": lambda lib, x: lib.cat([x, x[:1]]),
    "stack": lambda lib, x: lib.stack([x, x]),
    "where": lambda lib, x: lib.where(lib.tensor([True, False, True, False]), x, x[:1]),
    "roll": lambda lib, x: x.roll(1),
    "repeat": lambda lib, x: x.repeat(2),
    "equal": lambda lib, x: x == x.clone(),
    "equal to a number": lambda lib, x: x != 2,
    "floats": lambda lib, x: x.float(),
    "ints": lambda lib, x: x.long(),
    "bools": lambda lib, x: x.bool(),
    "bytes": lambda lib, x: x.view(lib.uint8),
    "any": lambda lib, x: x.any(),
    "product": lambda lib, x: x * x,
}
OF_UNSIGNED = {
    "sum": lambda lib, x: x.sum(),
    "prod": lambda lib, x: x.prod(),
    "cumsum": lambda lib, x: x.cumsum(0),
    "times": lambda lib, x: x * 3,
    "quotient": lambda lib, x: x / x[1:2],
    "root": lambda lib, x: x.sqrt(),
    "plus floats": lambda lib, x: x + lib.ones(4),
    "and": lambda lib, x: x & x[1:2],
    "or": lambda lib, x: x | x[1:2],
    "xor": lambda lib, x: x ^ x[1:2],
    "sort": lambda lib, x: x.sort(descending=True)[0],
}


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("name", NAMES)
def test_operations(torch, name, backend, monkeypatch):
    monkeypatch.setattr(flambeau.config, "backend", backend)
    calls = CALLS | (OF_UNSIGNED if name in UNSIGNED else {})
    for what, call in calls.items():
        a, b = (call(lib, small(lib, name)) for lib in (torch, flambeau))
        assert str(a.dtype) == str(b.dtype), what
        assert a.tolist() == b.tolist(), what


@pytest.mark.parametrize("name", NAMES)
def test_arithmetic_that_is_refused(torch, name):
    calls = (
        *(lambda x: x + x, lambda x: x - x, lambda x: x < x, lambda x: -x, lambda x: x.amax()),
        *(lambda x: x.relu(), lambda x: x.clamp(1, 2), lambda x: x.sign(), lambda x: x.flip(0)),
    )
    for lib in (torch, flambeau):
        for call in calls:
            with pytest.raises(NotImplementedError):
                call(small(lib, name))
        with pytest.raises(RuntimeError):
            small(lib, name) + lib.ones(4, dtype=lib.int32)
        with pytest.raises(RuntimeError):
            lib.promote_types(getattr(lib, name), lib.int64)


def test_files_go_both_ways(torch):
    for name in NAMES:
        for writer, reader in ((torch, flambeau), (flambeau, torch)):
            file = io.BytesIO()
            writer.save({"x": small(writer, name)}, file)
            file.seek(0)
            x = reader.load(file)["x"]
            assert str(x.dtype) == f"torch.{name}"
            assert x.tolist() == [1, 2, 4, 8]


def test_numpy_shares_memory_of_unsigned_ints():
    for name in UNSIGNED:
        array = np.array([1, 2], name)
        x = flambeau.from_numpy(array)
        x[0] = 7
        assert array.tolist() == [7, 2]
        assert x.numpy().dtype == name
    with pytest.raises(TypeError):
        small(flambeau, "float8_e5m2").numpy()
    assert flambeau.tensor([2**63 + 5], dtype=flambeau.uint64).item() == 2**63 + 5


def test_gradients_pass_through_casts(torch):
    for lib in (torch, flambeau):
        x = lib.tensor([1.0, 3.3], requires_grad=True)
        (x.to(lib.float8_e4m3fn).float() * 2).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
