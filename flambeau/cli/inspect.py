"""`flambeau inspect`: what is in a file of tensors."""

import argparse
import collections
import json
import os
import pickle
import sys

__all__ = ["inspect"]

UNITS = ("B", "kB", "MB", "GB", "TB")
SHOWN = 60  # characters of a value


def inspect(argv):
    """Print what is in the files that `argv` names. Returns the exit status, 1 for damaged files.

    >>> import flambeau as torch
    >>> import os, tempfile
    >>> from flambeau.cli.inspect import inspect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.pt")
    ...     torch.save({"w": torch.ones(2, 3), "epoch": 3}, path)
    ...     inspect([path])  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    /...a.pt: zip archive, 1 tensor of 6 elements, 24 B of data, ... kB
    name  dtype    shape   bytes  storage
    w     float32  [2, 3]  24 B   0
    epoch = 3
    0
    """
    parser = argparse.ArgumentParser(
        prog="flambeau inspect",
        description="List the tensors and values of checkpoints (.pt, old ones too) and of "
        "safetensors files. Nothing that a file contains is run.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="an object of JSON per line and file")
    given = parser.parse_args(argv)
    status = 0
    for path in given.files:
        try:
            _show(path, given.json)
        except (OSError, RuntimeError, pickle.UnpicklingError) as error:
            print(f"flambeau inspect: {error}", file=sys.stderr)
            status = 1
    return status


def _show(path, as_json):
    from flambeau.serialization.inspection import inspect

    found = inspect(path)
    if as_json:
        values = {name: repr(value) for name, value in found.values.items()}
        tensors = [entry._asdict() for entry in found.entries]
        print(json.dumps({"file": path, **found._asdict(), "values": values, "entries": tensors}))
        return
    count = sum(_count(entry) for entry in found.entries)
    data = sum(size for _, size in found.storages.values())
    print(
        f"{path}: {found.kind}, {len(found.entries)} tensor{'s' * (len(found.entries) != 1)} of "
        f"{count:,} elements, {_size(data)} of data, {_size(os.path.getsize(path))}"
    )
    if found.entries:
        _print_table(found)
    for name, value in found.values.items():
        print(f"{name or '(the object)'} = {_brief(value)}")
    if found.unknown:
        print(f"load refuses, unless they are allowed: {', '.join(found.unknown)}")


def _print_table(found):
    users = collections.Counter(entry.storage for entry in found.entries)
    rows = [("name", "dtype", "shape", "bytes", "storage")]
    for entry in found.entries:
        name = entry.name or "(the object)"
        shape, size = str(list(entry.shape)), _size(entry.nbytes)
        rows.append((name, entry.dtype, shape, size, _storage(entry, found, users)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _storage(entry, found, users):
    """Which storage a tensor is in, and how it shares it."""
    where, size = found.storages.get(entry.storage, ("", 0))
    notes = [] if where in ("", "cpu") else [where]
    if found.kind == "safetensors":
        return ", ".join(notes)
    if users[entry.storage] > 1 and entry.storage:
        notes.append(f"shared by {users[entry.storage]}")
    if entry.nbytes < size:
        start, end = entry.seen
        notes.append(f"elements {start}:{end} of {_size(size)}")
    return " ".join([entry.storage, f"({', '.join(notes)})" if notes else ""]).strip()


def _count(entry):
    count = 1
    for n in entry.shape:
        count *= n
    return count


def _size(nbytes):
    size, unit = float(nbytes), UNITS[0]
    for unit in UNITS:
        if size < 1000 or unit == UNITS[-1]:
            break
        size /= 1000
    return f"{nbytes} B" if unit == "B" else f"{size:.1f} {unit}"


def _brief(value):
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]} ..."
