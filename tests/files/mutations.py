"""Damaged and hostile files, made from sound ones at random: the same seed gives the same file."""

import collections
import io
import json
import pickle
import pickletools
import random
import struct
import zipfile
import zlib

import numpy as np

import flambeau
from flambeau.serialization.archive import Writer

from .tars import STATE, old_file

NUMBERS = (0, 1, 2, 63, 64, 255, 256, 4096, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31)
NUMBERS += ((1 << 32) - 1, 1 << 32, 1 << 40, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, (1 << 64) - 1)
NAMES = (
    *("os system", "posix system", "builtins eval", "builtins exec", "builtins getattr"),
    *("builtins __import__", "subprocess Popen", "builtins open", "nt system", "flambeau load"),
    *("torch.hub load", "numpy load", "pickle loads", "torch._utils _rebuild_tensor_v2"),
    *("torch._utils _rebuild_parameter", "torch._tensor _rebuild_from_type_v2", "torch Size"),
    *("torch FloatStorage", "torch.storage UntypedStorage", "torch device", "torch Tensor"),
    *("collections OrderedDict", "collections defaultdict", "collections Counter", "numpy dtype"),
    *("numpy ndarray", "numpy._core.multiarray scalar", "numpy._core.multiarray _reconstruct"),
    *("_codecs encode", "builtins bytearray", "builtins bytes", "builtins range", "builtins set"),
    *("pathlib PosixPath", "datetime datetime", "datetime timezone", "builtins complex"),
    *("torch._utils _rebuild_tensor_v3", "torch float32", "torch uint16", "builtins slice"),
)
OPCODES = tuple(op.code.encode("latin1") for op in pickletools.opcodes)


def rich():
    """An object with all that files usually hold."""
    x = flambeau.arange(24.0)
    return {
        "x": x[2:],
        "view": x.reshape(4, 6).T,
        "half": flambeau.ones(3, dtype=flambeau.bfloat16),
        "parameter": flambeau.nn.Parameter(flambeau.tensor([1.0, 2.0])),
        "ints": flambeau.tensor([1, 2, 3]),
        "empty": flambeau.zeros(0, 3),
        "meta": collections.OrderedDict(a=(1, 2.5, "text", None, b"bytes"), b=1 << 70),
        "array": np.arange(6.0).reshape(2, 3),
        "scalar": np.float32(2.5),
        "set": {1, 2},
        "complex": 1 + 2j,
        "size": x.shape,
        "device": flambeau.device("cpu"),
        "dtype": flambeau.float16,
    }


def sound_files():
    """The files that mutations start from, by name; by PyTorch too where it is installed."""
    model = flambeau.nn.Sequential(flambeau.nn.Linear(3, 2), flambeau.nn.BatchNorm1d(2))
    files = {"rich": _saved(rich()), "module": _saved(model), "state": _saved(model.state_dict())}
    files["old"] = _saved(rich(), _use_new_zipfile_serialization=False)
    files["old module"] = _saved(model, _use_new_zipfile_serialization=False)
    for protocol in (0, 2, 4, 5):
        content = pickle.dumps([1, {"a": (2.5, "b")}, {3}, b"c", "d" * 300], protocol)
        files[f"protocol {protocol}"] = packed({"data.pkl": content, "version": b"3\n"})
    files["deflated"] = _deflated(files["rich"])
    files["tar"] = old_file(STATE).getvalue()
    tensors = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    tensors["b"] = {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}
    header = json.dumps({"__metadata__": {"format": "pt"}, **tensors}).encode()
    files["safetensors"] = struct.pack("<Q", len(header)) + header + bytes(32)
    return files


def _saved(obj, **options):
    file = io.BytesIO()
    flambeau.save(obj, file, **options)
    return file.getvalue()


def packed(records):
    """An archive of records, by name."""
    file = io.BytesIO()
    writer = Writer(file, "archive")
    for name, data in records.items():
        if name != ".data/serialization_id":  # which the writer adds
            writer.add(name, data)
    writer.close()
    return file.getvalue()


def _deflated(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        for name, record in records(data).items():
            container.writestr(f"archive/{name}", record)
    return file.getvalue()


def records(data):
    """The records of an archive, by name without the root folder."""
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        return {
            info.filename.partition("/")[2]: container.read(info) for info in container.infolist()
        }


def mutated(seed, files):
    """(what was done, the file) for a seed."""
    chance = random.Random(seed)
    name = chance.choice(list(files))
    data = files[name]
    kinds = [flip, overwrite, cut, splice, number]
    if data[:2] == b"PK":
        kinds += [directory, directory, opcodes, opcodes, opcodes, record]
    elif name == "safetensors":
        kinds += [header]
    kind = chance.choice(kinds)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = kind(chance, data, files)
    return f"{kind.__name__} of {name}", bytes(data)


def flip(chance, data, files):
    """Some bits are others."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def overwrite(chance, data, files):
    """Some bytes are others."""
    data = bytearray(data)
    start, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 100))
    data[start : start + length] = chance.randbytes(length)
    return data


def cut(chance, data, files):
    """The file ends, or begins, too early."""
    at = chance.randrange(len(data) + 1)
    return data[:at] if chance.random() < 0.8 else data[at:]


def splice(chance, data, files):
    """A piece is left out, doubled, moved, or taken from another file."""
    start, length = chance.randrange(len(data) + 1), chance.choice((1, 4, 30, 300))
    other = chance.choice((data, *files.values()))
    at = chance.randrange(len(other) + 1)
    piece = chance.choice((b"", other[at : at + length], data[start : start + length] * 2))
    return data[:start] + piece + data[start + length :]


def number(chance, data, files):
    """Somewhere is another number."""
    form = chance.choice("HIQ")
    return _with_number(chance, data, chance.randrange(len(data) + 1), form)


def _with_number(chance, data, at, form):
    size = struct.calcsize(form)
    value = chance.choice(NUMBERS) + chance.choice((0, 0, -1, 1))
    piece = struct.pack("<" + form, value % (1 << (8 * size)))
    return data[:at] + piece + data[at + size :]


def directory(chance, data, files):
    """The directory of an archive, or the header of a record, says something else."""
    magic = chance.choice((b"PK\x01\x02", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"))
    places = []
    at = data.find(magic)
    while at >= 0:
        places.append(at)
        at = data.find(magic, at + 1)
    if not places:
        return data
    return _with_number(chance, data, chance.choice(places) + chance.randrange(46), "HI"[at % 2])


def record(chance, data, files):
    """A record of a sound archive is damaged, missing, or another."""
    try:
        found = records(data)
    except (zipfile.BadZipFile, ValueError, zlib.error, NotImplementedError):
        return data
    if not found:
        return data
    name = chance.choice(list(found))
    action = chance.choice(("damage", "drop", "swap", "empty"))
    if action == "drop":
        del found[name]
    elif action == "swap":
        other = chance.choice(list(found))
        found[name], found[other] = found[other], found[name]
    elif action == "empty":
        found[name] = b""
    else:
        found[name] = bytes(chance.choice((flip, overwrite, cut))(chance, found[name], files))
    return packed(found)


def opcodes(chance, data, files):
    """The pickle of a sound archive has other instructions."""
    try:
        found = records(data)
        content = found["data.pkl"]
        starts = [at for _, _, at in pickletools.genops(content)]
    except (KeyError, ValueError, zipfile.BadZipFile, UnicodeDecodeError, zlib.error):
        return data
    ends = [*starts[1:], len(content)]
    steps = [content[a:b] for a, b in zip(starts, ends, strict=True)]
    for _ in range(chance.choice((1, 1, 2, 5))):
        _edit(chance, steps)
    found["data.pkl"] = b"".join(steps)
    return packed(found)


def _edit(chance, steps):
    k = chance.randrange(len(steps))
    action = chance.choice(("drop", "double", "swap", "code", "name", "number", "call", "text"))
    if action == "drop" and len(steps) > 1:
        del steps[k]
    elif action == "double":
        steps.insert(chance.randrange(len(steps)), steps[k])
    elif action == "swap":
        other = chance.randrange(len(steps))
        steps[k], steps[other] = steps[other], steps[k]
    elif action == "code":
        steps[k] = chance.choice(OPCODES) + steps[k][1:]
    elif action == "name":
        steps[k] = b"c" + chance.choice(NAMES).replace(" ", "\n").encode() + b"\n"
    elif action == "number":
        steps[k] = b"\x8a\x09" + (chance.choice(NUMBERS)).to_bytes(9, "little")
    elif action == "call":
        name = chance.choice(NAMES).replace(" ", "\n").encode()
        steps[k : k + 1] = [steps[k], b"c" + name + b"\n(X\x04\x00\x00\x00evil", b"tR"]
    else:
        steps[k] = b"X" + struct.pack("<I", chance.choice((1, 3, 1 << 31))) + b"abc"


def header(chance, data, files):
    """The header of a safetensors file says something else."""
    try:
        found = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        name = chance.choice(list(found))
        key = chance.choice(("dtype", "shape", "data_offsets"))
        values = (None, [], [0], [-1, 3], [0, 1 << 62], "F32", "x", {"a": 1}, [1.5], 24, [[1], 2])
        if chance.random() < 0.5:
            found[name] = chance.choice(values)
        else:
            found[name][key] = chance.choice(values)
    except (ValueError, TypeError, AttributeError, IndexError):
        return data
    text = json.dumps(found).encode()
    return struct.pack("<Q", len(text)) + text + data[-32:]
