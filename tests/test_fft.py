"""`flambeau.fft` beyond its samples: dtypes, errors, `out`, complex derivatives, empty batches."""

import numpy as np
import pytest

import flambeau

ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL = tuple(name + end for name in ONE for end in "2n")
REAL_RESULT = ("irfft", "hfft", "irfft2", "hfft2", "irfftn", "hfftn")
REAL_INPUT = ("rfft", "ihfft", "rfft2", "ihfft2", "rfftn", "ihfftn")


def outcome(f):
    """(dtype, numbers) of a result, or the class of an error."""
    try:
        made = f()
    except Exception as error:
        return type(error)
    return str(made.dtype), made.detach().resolve_conj().numpy()


def same(ours, theirs, what):
    """Assert that two outcomes agree."""
    if isinstance(theirs, type) or isinstance(ours, type):
        assert ours is theirs, what
        return
    assert ours[0] == theirs[0], what
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=2e-5, err_msg=str(what))


@pytest.mark.parametrize("name", [*ONE, *SEVERAL])
def test_dtypes(torch, name):
    """Integers, bools, both precisions, complex numbers; 16-bit floats are refused."""
    array = np.random.default_rng(0).normal(size=(3, 4)) * 3
    kinds = ("bool", "uint8", "int64", "float16", "bfloat16", "float32", "float64")
    for kind in (*kinds, "complex64", "complex128"):
        outcomes = []
        for lib in (flambeau, torch):
            x = lib.from_numpy(np.abs(array)).to(getattr(lib, kind))
            outcomes.append(outcome(lambda x=x, lib=lib: getattr(lib.fft, name)(x)))
        same(*outcomes, (name, kind))


BAD_ONE = [
    {"n": 0},
    {"n": -1},
    {"n": 2.5},
    {"dim": 5},
    {"dim": (0, 1)},
    {"norm": "unitary"},
]
BAD_SEVERAL = [
    {"s": (2, 3, 4)},
    {"s": (0, 2)},
    {"s": (2, -2)},
    {"s": (2,), "dim": (0, 1)},
    {"s": (2.5, 2)},
    {"dim": (0, 0)},
    {"dim": (0, -2)},
    {"dim": (0, 7)},
    {"dim": ()},
    {"dim": None},
    {"norm": "unitary"},
]


@pytest.mark.parametrize("name", [*ONE, *SEVERAL])
def test_errors(torch, name):
    """What PyTorch refuses is refused, with an error of the same class."""
    for given in BAD_ONE if name in ONE else BAD_SEVERAL:
        outcomes = [
            outcome(lambda lib=lib, given=given: getattr(lib.fft, name)(lib.ones(3, 4), **given))
            for lib in (flambeau, torch)
        ]
        same(*outcomes, (name, given))
    for make in (
        lambda lib: lib.tensor(1.0),
        lambda lib: lib.ones(3),
        lambda lib: lib.ones(3, 1),
        lambda lib: lib.ones(3, 0),
        lambda lib: [1.0, 2.0],
    ):
        outcomes = [
            outcome(lambda lib=lib, make=make: getattr(lib.fft, name)(make(lib)))
            for lib in (flambeau, torch)
        ]
        same(*outcomes, name)


@pytest.mark.parametrize("name", [*ONE, *SEVERAL])
def test_out(name):
    """The result is written into `out`, which must be as complex as it."""
    f, x = getattr(flambeau.fft, name), flambeau.rand(3, 4)
    expected = f(x)
    out = flambeau.empty(0, dtype=expected.dtype)
    assert f(x, out=out) is out
    assert flambeau.equal(out, expected)
    wrong = flambeau.complex64 if name in REAL_RESULT else flambeau.float32
    with pytest.raises(RuntimeError, match="output tensor"):
        f(x, out=flambeau.empty(0, dtype=wrong))


@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft", "fftn", "irfftn", "hfft2"])
def test_complex_derivatives(name):
    """First and second derivatives by complex input."""
    x = flambeau.randn(3, 3, dtype=flambeau.complex128, requires_grad=True)
    f = getattr(flambeau.fft, name)
    for norm in (None, "ortho"):
        assert flambeau.autograd.gradcheck(lambda x, norm=norm: f(x, norm=norm), (x,))
    assert flambeau.autograd.gradgradcheck(lambda x: f(x), (x,))


@pytest.mark.parametrize("name", REAL_INPUT)
def test_real_derivatives(name):
    """First and second derivatives by real input, of even and odd size."""
    f = getattr(flambeau.fft, name)
    for n in (4, 5):
        x = flambeau.randn(2, n, dtype=flambeau.float64, requires_grad=True)
        assert flambeau.autograd.gradcheck(f, (x,))
        assert flambeau.autograd.gradgradcheck(f, (x,))


def test_empty_batch():
    """No signals have no spectra."""
    for name in ONE:
        made = getattr(flambeau.fft, name)(flambeau.ones(0, 4))
        assert made.shape[0] == 0
        assert made.dtype is (flambeau.float32 if name in REAL_RESULT else flambeau.complex64)


def test_inverses():
    """Each transform and its inverse."""
    z = flambeau.randn(3, 5, dtype=flambeau.complex128)
    x = flambeau.randn(3, 5, dtype=flambeau.float64)
    fft = flambeau.fft
    for norm in ("backward", "ortho", "forward"):
        for there, back in ((fft.fft, fft.ifft), (fft.fft2, fft.ifft2), (fft.fftn, fft.ifftn)):
            assert flambeau.allclose(back(there(z, norm=norm), norm=norm), z)
        assert flambeau.allclose(fft.irfft(fft.rfft(x, norm=norm), 5, norm=norm), x)
        assert flambeau.allclose(fft.hfft(fft.ihfft(x, norm=norm), 5, norm=norm), x)
        assert flambeau.allclose(fft.irfftn(fft.rfftn(x, norm=norm), (3, 5), norm=norm), x)
        assert flambeau.allclose(fft.hfftn(fft.ihfftn(x, norm=norm), (3, 5), norm=norm), x)
    assert flambeau.equal(fft.ifftshift(fft.fftshift(x)), x)


def test_frequencies(torch):
    """fftfreq and rfftfreq: dtypes, requires_grad, out and errors."""
    for name in ("fftfreq", "rfftfreq"):
        for lib in (flambeau, torch):
            f = getattr(lib.fft, name)
            assert f(4, dtype=lib.float16).dtype is lib.float16
            assert f(4, requires_grad=True).requires_grad
            out = lib.empty(0, dtype=lib.float64)
            assert f(4, out=out) is out
            for error, args, given in (
                (TypeError, (4.5,), {}),
                (RuntimeError, (4,), {"dtype": lib.int64}),
                (NotImplementedError, (4,), {"dtype": lib.complex64}),
                (RuntimeError, (4,), {"dtype": lib.float32, "out": out}),
            ):
                with pytest.raises(error):
                    f(*args, **given)
        for n, d in ((0, 1.0), (1, 1.0), (4, 0), (5, 0.3)):
            both = [getattr(lib.fft, name)(n, d).numpy() for lib in (flambeau, torch)]
            if n:
                np.testing.assert_allclose(*both, rtol=1e-6)
            else:
                assert both[0].shape == both[1].shape
    for name in ("fftshift", "ifftshift"):
        for lib in (flambeau, torch):
            f = getattr(lib.fft, name)
            with pytest.raises(IndexError):
                f(lib.ones(3), 4)
            with pytest.raises(RuntimeError, match="shifts"):
                f(lib.tensor(1.0))


def test_negative_count(torch):
    """No fewer than no frequencies."""
    for lib in (flambeau, torch):
        with pytest.raises(RuntimeError):
            lib.fft.fftfreq(-1)
