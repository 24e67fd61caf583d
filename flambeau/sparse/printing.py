"""How sparse tensors print, character by character as in PyTorch."""

from .. import dtypes
from ..printing import _format_elements, get_printoptions
from ..recorder.sync import to_array
from .coo import CooTensor

__all__ = ["sparse_text"]

_INDENT = len("tensor(")


def sparse_text(x):
    """The text of a sparse tensor: its parts, then its properties."""
    if isinstance(x, CooTensor):
        parts = {"indices": x._ind}
    elif x._by_rows:
        parts = {"crow_indices": x._starts, "col_indices": x._others}
    else:
        parts = {"ccol_indices": x._starts, "row_indices": x._others}
    texts = [_part(name, part) for name, part in (*parts.items(), ("values", x._val))]
    text = "tensor(" + (",\n" + " " * _INDENT).join(texts)
    return _closed(text, _properties(x), isinstance(x, CooTensor))


def _part(name, x):
    """`name=tensor(...)`, its elements indented to stand below each other."""
    if not x.numel():
        return f"{name}=tensor([], size={tuple(x.shape)})"
    values = dtypes.decode(to_array(x.detach()), x.dtype)
    prefix = f"{name}=tensor("
    return f"{prefix}{_format_elements(values, _INDENT + len(prefix))})"


def _properties(x):
    found = [f"size={tuple(x.shape)}", f"nnz={x._nnz()}"]
    default = dtypes.get_default_dtype()
    if x.dtype not in (default, default.to_complex(), dtypes.int64, dtypes.bool_):
        found.append(f"dtype={x.dtype}")
    found.append(f"layout={x.layout}")
    if x.grad_fn_name is not None:
        found.append(f"grad_fn=<{x.grad_fn_name}>")
    elif x.requires_grad:
        found.append("requires_grad=True")
    return found


def _closed(text, properties, new_line):
    """The text with its properties, each on a new line where it would not fit."""
    width = get_printoptions()["linewidth"]
    column = len(text) - text.rfind("\n") + 1
    for k, suffix in enumerate(properties):
        if (new_line and k == 0) or column + len(suffix) + 2 > width:
            text += ",\n" + " " * _INDENT + suffix
            column = _INDENT + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
