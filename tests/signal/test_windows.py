"""Windows against PyTorch's."""

import numpy as np
import pytest

import flambeau

CASES = {
    "bartlett": {},
    "blackman": {},
    "cosine": {},
    "exponential": {"tau": 2.0},
    "gaussian": {"std": 3.0},
    "general_cosine": {"a": [0.4, 0.5, 0.1]},
    "general_hamming": {"alpha": 0.6},
    "hamming": {},
    "hann": {},
    "kaiser": {"beta": 5.0},
    "nuttall": {},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 10])
def test_window(torch, name, sym, size):
    """Symmetric and periodic ones of several sizes."""
    made = [
        getattr(lib.signal.windows, name)(size, sym=sym, dtype=lib.float64, **CASES[name])
        for lib in (flambeau, torch)
    ]
    np.testing.assert_allclose(made[0].numpy(), made[1].numpy(), rtol=1e-9, atol=1e-12)


def test_refusals():
    """Sizes, dtypes and shapes that make no sense."""
    windows = flambeau.signal.windows
    with pytest.raises(ValueError, match="non-negative"):
        windows.hann(-1)
    with pytest.raises(ValueError, match="dtype"):
        windows.hann(3, dtype=flambeau.int64)
    with pytest.raises(ValueError, match="positive"):
        windows.gaussian(3, std=0)
    with pytest.raises(ValueError, match="Center"):
        windows.exponential(3, center=1.0)
