"""How a tensor prints: its elements in aligned columns, then what is not as one would expect.

The elements of a tensor share one format, chosen from those that are shown.
"""

import math

import numpy as np

from . import dtypes

__all__ = ["format_tensor", "get_printoptions", "set_printoptions"]

_DEFAULT = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
_PROFILES = {
    "default": {},
    "short": {"precision": 2, "edgeitems": 2},
    "full": {"threshold": math.inf},
}
_options = dict(_DEFAULT)


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Choose how tensors print.

    Args:
        precision: digits after the point (4).
        threshold: the number of elements above which only the edges are shown (1000).
        edgeitems: how many elements are shown at each edge then (3).
        linewidth: characters in a line (80).
        profile: `"default"`, `"short"` or `"full"`, which the other arguments change.
        sci_mode: whether numbers are written as `1.0000e+03`; None, to which every call that
            does not say sets it, lets the magnitudes decide.

    Raises ValueError for an unknown profile.

    >>> import flambeau as torch
    >>> from flambeau.printing import set_printoptions
    >>> set_printoptions(precision=2)
    >>> torch.tensor([1.12345])
    tensor([1.12])
    >>> set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"unknown profile {profile!r}, expected default, short or full")
        _options.update(_DEFAULT | _PROFILES[profile])
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options.update({name: value for name, value in given.items() if value is not None})
    _options["sci_mode"] = sci_mode


def get_printoptions():
    """The options that `set_printoptions` sets, as a dict.

    >>> from flambeau.printing import get_printoptions
    >>> get_printoptions()["edgeitems"]
    3
    """
    return dict(_options)


def format_tensor(
    array,
    dtype,
    *,
    requires_grad=False,
    grad_fn_name=None,
    device="cpu",
    class_prefix="tensor(",
):
    """The text of a tensor, character by character that of PyTorch.

    Args:
        array: the elements as a NumPy array of numbers (bfloat16 as float32).
        dtype: the tensor's own dtype, which is named unless it is what one would expect.
        requires_grad: whether it is a leaf that gradients are recorded for.
        grad_fn_name: the name of the node that made it, which takes the place of `requires_grad`.
        device: where it is; named unless `"cpu"`.
        class_prefix: the text before the elements, to which later lines are indented.

    >>> import flambeau as torch
    >>> torch.tensor([[1.0, 2.5]], requires_grad=True) * 2
    tensor([[2., 5.]], grad_fn=<MulBackward0>)
    >>> torch.arange(1001, dtype=torch.int32)
    tensor([   0,    1,    2,  ...,  998,  999, 1000], dtype=torch.int32)
    """
    indent = len(class_prefix)
    suffixes = [f"device='{device}'"] if str(device) != "cpu" else []
    if array.size == 0:
        text, shows_shape = "[]", array.ndim != 1
        expected = (dtypes.get_default_dtype(),)
    else:
        text, shows_shape = _format_elements(array, indent), not _options["edgeitems"]
        default = dtypes.get_default_dtype()
        expected = (default, default.to_complex(), dtypes.int64, dtypes.bool_)
    if shows_shape:
        suffixes.append(f"size={tuple(array.shape)}")
    if dtype not in expected:
        suffixes.append(f"dtype={dtype}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _append(class_prefix + text, suffixes, indent)


def _append(text, suffixes, indent):
    """Close the text after its suffixes, each on a new line where it would not fit."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options["linewidth"]:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _format_elements(array, indent):
    edge, cut = _options["edgeitems"], ()
    if array.size > _options["threshold"]:
        cut = tuple(size > 2 * edge for size in array.shape)
        array = _edges(array, cut, edge)
    cut = cut or (False,) * array.ndim
    flat = array.reshape(-1)
    if array.dtype.kind == "c":
        texts, width = _complex_texts(flat)
    else:
        texts, width = _number_texts(flat)
    if array.ndim == 0:
        return texts[0]
    return _nest(iter(texts), array.shape, cut, width, indent)


def _edges(array, cut, edge):
    """Only the first and last `edge` entries along each axis that is cut."""
    for axis, is_cut in enumerate(cut):
        if is_cut:
            size = array.shape[axis]
            kept = np.r_[0:edge, size - edge : size]
            array = array.take(kept, axis)
    return array


def _nest(texts, shape, cut, width, indent):
    """The elements, an iterator in row-major order, in nested brackets."""
    if len(shape) == 1:
        return _row(list(_take(texts, shape[0])), cut[0], width, indent)
    rows = [_nest(texts, shape[1:], cut[1:], width, indent + 1) for _ in range(shape[0])]
    if cut[0]:
        rows.insert(len(rows) // 2, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(rows) + "]"


def _take(items, count):
    return (next(items) for _ in range(count))


def _row(items, is_cut, width, indent):
    """One row in brackets, broken into lines that fit."""
    if is_cut:
        items.insert(len(items) // 2, " ..." if items else "...")
    count = max(1, (_options["linewidth"] - indent) // (width + 2))
    lines = [", ".join(items[k : k + count]) for k in range(0, len(items), count)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _number_texts(flat):
    """The elements as strings of the same width where they are finite, and that width."""
    values = flat.tolist()
    if flat.dtype.kind != "f":
        texts = [str(v) for v in values]
        width = max(map(len, texts), default=1)
    else:
        write, width = _float_format(values)
        texts = [write(v) for v in values]
    return [text.rjust(width) for text in texts], width


def _float_format(values):
    """How to write floats, and the width of the widest that is finite and not zero."""
    finite = [v for v in values if v and math.isfinite(v)]
    if not finite:
        return _write_integer, 1
    whole = all(v.is_integer() for v in finite)
    scientific = _options["sci_mode"]
    if scientific is None:
        low, high = min(map(abs, finite)), max(map(abs, finite))
        scientific = high / low > 1000.0 or high > 1.0e8 or (not whole and low < 1.0e-4)
    digits = _options["precision"]
    if scientific:
        write = f"{{:.{digits}e}}".format
    else:
        write = _write_integer if whole else f"{{:.{digits}f}}".format
    return write, max(len(write(v)) for v in finite)


def _write_integer(value):
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def _complex_texts(flat):
    """Real and imaginary parts, each with a format of its own, and the width of both."""
    real, real_width = _number_texts(flat.real)
    imag, imag_width = _number_texts(flat.imag)
    texts = []
    for a, b in zip(real, imag, strict=True):
        b = b.lstrip()
        texts.append(f"{a}{'' if b[0] in '+-' else '+'}{b}j")
    return texts, real_width + imag_width + 1
