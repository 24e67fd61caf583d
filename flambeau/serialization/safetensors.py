"""The headers of safetensors files: the size of a JSON text, the text, then the data of tensors."""

import json
import math
import os
from typing import NamedTuple

__all__ = ["Header", "is_safetensors", "read_header"]

_LIMIT = 100_000_000  # bytes of a header
_BITS = {
    **{"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8},
    **{"F8_E4M3": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32},
    **{"I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64},
}


class Header(NamedTuple):
    """`metadata` is {name: text}; `tensors` are (name, dtype, shape, start, end) in their order."""

    metadata: dict
    tensors: list


def is_safetensors(file):
    """Whether a safetensors file starts at the file's position, which stays where it is."""
    start = file.tell()
    head = file.read(9)
    file.seek(start)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= _LIMIT


def read_header(file):
    """The `Header` of the file.

    Raises RuntimeError where it is damaged: not of this form, or not fitting the size of the file.
    """
    start = file.tell()
    available = file.seek(0, os.SEEK_END) - start - 8
    file.seek(start)
    length = int.from_bytes(file.read(8), "little")
    if length > min(_LIMIT, available):
        raise RuntimeError("the header is cut off")
    try:
        found = json.loads(file.read(length).decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise RuntimeError(f"the header is damaged: {error}") from None
    metadata = found.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise RuntimeError("the header is damaged: its metadata is no object")
    tensors = sorted((_tensor(name, said) for name, said in found.items()), key=lambda t: t[3:])
    position = 0
    for name, _, _, begin, end in tensors:
        if begin != position:
            raise RuntimeError(f"tensor {name!r} does not begin where the one before ends")
        position = end
    if position != available - length:
        raise RuntimeError(f"the tensors have {position} bytes, the file {available - length}")
    return Header(metadata, tensors)


def _without_duplicates(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _tensor(name, said):
    try:
        kind, shape, (start, end) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
        sizes = (*shape, start, end)
        if not all(type(n) is int and n >= 0 for n in sizes) or start > end:
            raise ValueError
        if math.prod(shape) * _BITS[kind] != 8 * (end - start):
            raise RuntimeError(f"tensor {name!r} of {kind}{list(shape)} has {end - start} bytes")
    except (KeyError, TypeError, ValueError):
        raise RuntimeError(f"tensor {name!r} is described in an unknown way") from None
    return name, kind, shape, start, end
