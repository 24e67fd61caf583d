"""Spectra of short pieces of a signal, and the signal of these: `stft` and `istft`."""

import math

import numpy as np

from .. import dtypes
from . import complexes, rearrange
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, function
from .fourier import complex_to_complex, complex_to_real, real_to_complex
from .from_data import make_tensor
from .padding import pad

__all__ = ["istft", "stft"]

LEAST_ENVELOPE = 1e-11  # of the windows' squares where `istft` divides by their sum


def _check(condition, message):
    if not condition:
        raise RuntimeError(message)


def _window_of(name, window, win_length, n_fft, like):
    """The window in the middle of n_fft points, the others 0; None if it is all ones."""
    _check(0 < win_length <= n_fft, f"{name}: expected 0 < win_length <= n_fft, got {win_length}")
    if window is None:
        if win_length == n_fft:
            return None
        kind = like._meta.dtype.to_real()
        window = FUNCTIONS["ones"](win_length, dtype=kind)
    _check(
        tuple(window.shape) == (win_length,),
        f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but got "
        f"window with size {list(window.shape)}",
    )
    left = (n_fft - win_length) // 2
    return pad(window, (left, n_fft - win_length - left)) if win_length < n_fft else window


def _is_complex(*tensors):
    return any(x is not None and x._meta.dtype.is_complex for x in tensors)


@function(out=False)
def stft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    pad_mode="reflect",
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    """X[f, t] = sum_k window_k input[t hop + k] exp(-2 pi i fk / n_fft): [batch, f, t].

    Args:
        input: [batch, time] or [time].
        n_fft: the points of a transform.
        hop_length: how far pieces are apart; n_fft // 4 unless told.
        win_length: the points of the window; n_fft unless told. It is centred in n_fft zeros.
        center: whether the signal is first padded, by `pad_mode`, so that piece t is centred at
            t hop.
        normalized: whether to divide by sqrt(n_fft).
        onesided: whether f ends at n_fft // 2, as it does unless told for real signals.
        return_complex: complex numbers, or their parts in a new last dim; to be told for real
            signals.
        align_to_window: whether the first window, instead of the first n_fft points, begins with
            the signal; only without `center`.

    Raises: RuntimeError for sizes and dtypes that do not fit.

    >>> import flambeau as torch
    >>> x = torch.arange(32.0)
    >>> torch.stft(x, 8, window=torch.hann_window(8), return_complex=True).shape
    torch.Size([5, 17])
    """
    complex_in = _is_complex(input, window)
    _check(
        not center or align_to_window is None,
        "stft align_to_window should only be set when center = false",
    )
    _check(
        complex_in or return_complex is not None,
        "stft requires the return_complex parameter be given for real inputs",
    )
    x = _padded(input, n_fft // 2, pad_mode) if center else input
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    _check_signal(x, n_fft, hop)
    window = _window_of("stft", window, width, n_fft, x)
    onesided = not complex_in if onesided is None else onesided
    _check(
        not (onesided and complex_in), "Cannot have onesided output if window or input is complex"
    )
    if align_to_window:
        left = (n_fft - width) // 2
        x = pad(x, (left, n_fft - width - left))
    pieces = rearrange.unfold(x, -1, n_fft, hop)
    pieces = pieces if window is None else pieces * window
    transform = real_to_complex if onesided else complex_to_complex
    norm = "ortho" if normalized else None
    spectra = transform("stft", pieces, (None,), (x.ndim,), norm, inverse=False)
    made = mv.transpose(spectra, -2, -1)
    return complexes.view_as_real(made) if return_complex is False else made


def _check_signal(x, n_fft, hop):
    """Raise RuntimeError for a signal that is not one, or a transform that does not fit it."""
    kind = x._meta.dtype
    _check(
        kind.category >= dtypes.FLOAT,
        f"stft: expected a tensor of floating point or complex values, got {kind.name}",
    )
    _check(x.ndim in (1, 2), f"stft: expected a 1D or 2D tensor, got {x.ndim}D")
    _check(
        0 < n_fft <= x.shape[-1],
        f"stft: expected 0 < n_fft <= {x.shape[-1]}, but got n_fft={n_fft}",
    )
    _check(hop > 0, f"stft: expected hop_length > 0, but got hop_length={hop}")


def _padded(x, amount, mode):
    """A signal, or several, with `amount` points more on both sides."""
    lead = 3 - x.ndim
    wide = x.reshape((1,) * lead + tuple(x.shape)) if lead > 0 else x
    wide = pad(wide, (amount, amount), mode)
    return wide.reshape(wide.shape[-x.ndim :]) if x.ndim else wide.reshape(-1)


@function(out=False)
def istft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    normalized=False,
    onesided=None,
    length=None,
    return_complex=False,
):
    """The signal of which `stft` with the same arguments gives `input`: [batch, time].

    The pieces, times the window, are added up and divided by the sum of the windows' squares: of
    spectra that belong to no signal this is the least squares solution.

    Args: input: complex, [batch, f, t] or [f, t]; length: of the result, which is cut or gets
        zeros. Raises: RuntimeError for sizes that do not fit, and where no window is.
    """
    _check(
        _is_complex(input),
        "istft requires a complex-valued input tensor matching the output from stft with "
        "return_complex=True.",
    )
    _check(input._meta.numel, "istft: input tensor cannot be empty.")
    _check(input.ndim in (2, 3), f"istft: expected a tensor of 2 or 3 dims, got {input.ndim}")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    batch, bins, count = x.shape
    onesided = bins != n_fft if onesided is None else onesided
    _check(
        bins == (n_fft // 2 + 1 if onesided else n_fft),
        f"istft: expected the frequency dimension of the input tensor to match "
        f"{'n_fft / 2 + 1' if onesided else 'n_fft'} when onesided={bool(onesided)}, got {bins}",
    )
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    _check(0 < hop <= width, "istft: expected 0 < hop_length <= win_length")
    _check_complex(onesided, window, return_complex)
    window = _window_of("istft", window, width, n_fft, x)
    window = FUNCTIONS["ones"](n_fft, dtype=x._meta.dtype.to_real()) if window is None else window
    pieces = _pieces(mv.transpose(x, 1, 2), n_fft, onesided, normalized, return_complex)
    total = n_fft + hop * (count - 1)
    places = np.arange(count)[:, None] * hop + np.arange(n_fft)
    signal = _overlapped(pieces * window, places, batch, total)
    envelope = _overlapped((window * window).expand(1, count, n_fft), places, 1, total)
    start = n_fft // 2 if center else 0
    end = total - (n_fft // 2 if center else 0) if length is None else start + length
    signal, envelope = (
        mv.narrow(y, 1, start, max(min(end, total) - start, 0)) for y in (signal, envelope)
    )
    least = ew.abs(envelope.detach()).min().item()
    _check(least > LEAST_ENVELOPE, f"istft: window overlap add min: {least}")
    made = signal / envelope
    made = pad(made, (0, end - total)) if end > total else made
    return made if input.ndim == 3 else made.squeeze(0)


def _check_complex(onesided, window, return_complex):
    if return_complex:
        _check(not onesided, "Cannot have onesided output if window or input is complex")
    else:
        _check(
            not _is_complex(window), "Complex windows are incompatible with return_complex=False"
        )


def _pieces(x, n_fft, onesided, normalized, return_complex):
    """The signals [batch, t, n_fft] of spectra [batch, t, f]."""
    norm = "ortho" if normalized else None
    if return_complex:
        return complex_to_complex("istft", x, (None,), (2,), norm, inverse=True)
    if not onesided:
        x = mv.narrow(x, 2, 0, n_fft // 2 + 1)
    return complex_to_real("istft", x, (n_fft,), (2,), norm, inverse=True)


def _overlapped(pieces, places, batch, total):
    """The sums of pieces [batch, t, n] that lie at `places`: [batch, total]."""
    blank = FUNCTIONS["zeros"](batch, total, dtype=pieces._meta.dtype)
    flat = pieces.reshape(batch, math.prod(places.shape))
    return FUNCTIONS["index_add"](blank, 1, make_tensor(places.reshape(-1)), flat)
