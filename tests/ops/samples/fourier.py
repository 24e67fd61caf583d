"""Samples of Fourier transforms."""


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    table = {}
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        x = t(3, 4)
        calls = [c(x), c(x, 7), c(x, 3), c(x, 2, 0), c(x, 5, dim=0, norm="ortho")]
        calls += [c(t(2, 3, 5), norm="forward"), c(t(5), norm="backward")]
        table["fft." + name] = s.record(*calls)
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        x = t(2, 3, 4)
        calls = [c(x), c(x, (3, 5)), c(x, (4, -1), (0, 1)), c(x, None, (2, 0), "ortho")]
        calls += [c(t(3, 4), (2, 2), norm="forward")]
        table[f"fft.{name}2"] = s.record(*calls)
        table[f"fft.{name}n"] = s.record(*calls, c(x, dim=1), c(x, (6,)), c(x, dim=(2, 1, 0)))
    for name in ("fftfreq", "rfftfreq"):
        calls = [c(n) for n in (1, 4, 5)] + [
            c(6, d=0.25),
            c(7, 2.0, dtype="dtype:float64"),
            c(3, 0),
        ]
        table["fft." + name] = s.record(*calls, grad=False)
    for name in ("fftshift", "ifftshift"):
        x = t(2, 3, 4)
        table["fft." + name] = s.record(c(x), c(x, 1), c(x, (0, -1)), c(t(5)), c(t(4), (0, 0)))
    table["stft"] = s.record(*_pieces(c, t), kinds=("complex",))
    table["istft"] = s.record(*_signals(c, t), call=_istft, kinds=(), methods=False)
    return table


def _pieces(c, t):
    x, window = t(30), t(8, low=0.2, high=1)
    on = {"return_complex": True}
    yield c(x, 8, **on)
    yield c(t(2, 31), 8, 3, window=window, **on)
    yield c(x, 9, 2, win_length=8, window=window, pad_mode="constant", **on)
    yield c(x, 10, 3, 8, window, False, normalized=True, **on)
    yield c(x, 12, 5, 8, window, False, align_to_window=True, **on)
    yield c(x, 12, 5, 7, pad_mode="replicate", onesided=False, **on)
    yield c(t(1, 20), 8, window=window, pad_mode="circular", return_complex=False)


def _signals(c, t):
    window = t(8, low=0.5, high=1)
    yield c(t(5, 6, 2), 8)
    yield c(t(2, 5, 6, 2), 8, 3, window=window)
    yield c(t(5, 6, 2), 9, 2, win_length=8, window=window, normalized=True)
    yield c(t(5, 6, 2), 8, 2, window=window, center=False)
    yield c(t(5, 6, 2), 8, 2, window=window, length=9)
    yield c(t(8, 6, 2), 8, 4, window=window, onesided=False)
    yield c(t(8, 6, 2), 8, 4, window=window, return_complex=True)


def _istft(library, parts, *args, **kwargs):
    return library.istft(library.view_as_complex(parts.contiguous()), *args, **kwargs)
