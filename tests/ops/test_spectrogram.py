"""`stft` and `istft` beyond their samples: errors, complex signals, derivatives, inverses."""

import warnings

import pytest

import flambeau


def refused(lib, f, x):
    """The class of the error that a call raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f(lib, x)
    except Exception as error:
        return type(error)
    return None


ON = {"return_complex": True}
BAD_PIECES = [
    lambda lib, x: lib.stft(x, 4),
    lambda lib, x: lib.stft(x, 0, **ON),
    lambda lib, x: lib.stft(x, 44, **ON),
    lambda lib, x: lib.stft(x, 44, center=False, **ON),
    lambda lib, x: lib.stft(x, 4, 0, **ON),
    lambda lib, x: lib.stft(x, 3, **ON),
    lambda lib, x: lib.stft(x, 4, win_length=5, **ON),
    lambda lib, x: lib.stft(x, 4, window=lib.ones(3), **ON),
    lambda lib, x: lib.stft(x, 4, pad_mode="mirror", **ON),
    lambda lib, x: lib.stft(x, 4, align_to_window=False, **ON),
    lambda lib, x: lib.stft(x + 0j, 4, onesided=True),
    lambda lib, x: lib.stft(x.int(), 4, **ON),
    lambda lib, x: lib.stft(x[None, None], 4, **ON),
    lambda lib, x: lib.stft(x[None, None], 4, center=False, **ON),
    lambda lib, x: lib.stft(x[:0], 4, **ON),
    lambda lib, x: lib.stft(x[0], 4, **ON),
]
BAD_SIGNALS = [
    lambda lib, z: lib.istft(z.real, 4),
    lambda lib, z: lib.istft(z, 6),
    lambda lib, z: lib.istft(z, 4, 0),
    lambda lib, z: lib.istft(z, 4, 5),
    lambda lib, z: lib.istft(z, 4, 4, win_length=2),
    lambda lib, z: lib.istft(z, 4, win_length=5),
    lambda lib, z: lib.istft(z, 4, window=lib.ones(2)),
    lambda lib, z: lib.istft(z, 4, onesided=False),
    lambda lib, z: lib.istft(z, 4, return_complex=True),
    lambda lib, z: lib.istft(z, 4, window=lib.ones(4) + 0j),
    lambda lib, z: lib.istft(z, 4, window=lib.hann_window(4), center=False),
    lambda lib, z: lib.istft(z, 4, length=0),
    lambda lib, z: lib.istft(z[:, :0], 4),
    lambda lib, z: lib.istft(z[None, None], 4),
]


def test_errors(torch):
    """What PyTorch refuses is refused, with an error of the same class."""
    for k, bad in enumerate(BAD_PIECES):
        found = [refused(lib, bad, lib.arange(20.0)) for lib in (flambeau, torch)]
        assert found[0] is found[1] is not None, (k, found)
    for k, bad in enumerate(BAD_SIGNALS):
        spectra = [lib.ones(3, 21, dtype=lib.complex64) for lib in (flambeau, torch)]
        found = [refused(flambeau, bad, spectra[0]), refused(torch, bad, spectra[1])]
        assert found[0] is found[1] is not None, (k, found)


def test_inverse():
    """`istft` gives the signal back, real and complex, also as methods."""
    window = flambeau.hann_window(8, dtype=flambeau.float64)
    given = {"hop_length": 2, "window": window}
    x = flambeau.randn(2, 32, dtype=flambeau.float64)
    for normalized in (False, True):
        z = x.stft(8, normalized=normalized, return_complex=True, **given)
        assert flambeau.allclose(z.istft(8, normalized=normalized, **given), x)
        parts = flambeau.stft(x, 8, normalized=normalized, return_complex=False, **given)
        assert flambeau.equal(parts, flambeau.view_as_real(z))
    signal = flambeau.complex(x[0], x[1])
    z = signal.stft(8, **given)
    assert z.shape == (8, 17)
    back = z.istft(8, return_complex=True, **given)
    assert flambeau.allclose(back, signal)
    longer = flambeau.istft(x.stft(8, return_complex=True, **given), 8, length=40, **given)
    assert flambeau.allclose(longer[:, :32], x)
    assert longer.shape == (2, 40)
    assert not longer[:, 36:].any()


def test_derivatives():
    """First and second derivatives by the signal, the spectra and the window."""
    kind = {"dtype": flambeau.float64, "requires_grad": True}
    x, window = flambeau.randn(12, **kind), flambeau.rand(4, **kind)
    flow = flambeau.autograd

    def pieces(x, window):
        return flambeau.stft(x, 4, 2, window=window, return_complex=True)

    def signal(z, window):
        return flambeau.istft(z, 4, 2, window=window + 0.5)

    assert flow.gradcheck(pieces, (x, window))
    assert flow.gradgradcheck(pieces, (x, window))
    z = flambeau.randn(3, 4, dtype=flambeau.complex128, requires_grad=True)
    assert flow.gradcheck(signal, (z, window))
    assert flow.gradgradcheck(signal, (z, window))


def test_small_envelope():
    """Where no window is, nothing can be known."""
    z = flambeau.ones(3, 5, dtype=flambeau.complex64)
    with pytest.raises(RuntimeError, match="window overlap add min"):
        flambeau.istft(z, 4, 4, window=flambeau.tensor([0.0, 0.0, 1.0, 0.0]))
