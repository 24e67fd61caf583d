"""The container of a `.pt` file: a zip archive of records that are stored, not compressed.

The data of every record starts at a multiple of 64 bytes, so that a file can be mapped into memory.
"""

import os
import struct
import zlib
from typing import NamedTuple

import numpy as np

__all__ = ["Reader", "Writer", "is_archive"]

ALIGNMENT = 64
_LIMIT = 0xFFFFFFFF  # a size or an offset from here on goes into a zip64 field
_MANY = 0xFFFF  # so does a number of records
_STORED, _DEFLATED = 0, 8
_UTF8, _ENCRYPTED = 0x800, 0x1

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")


def is_archive(file):
    """Whether a zip archive starts at the file's position, which stays where it is."""
    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    return magic == b"PK\x03\x04"


class Writer:
    """Writes records one after the other, then the directory; the file need not be seekable.

    Args: file: has `write`; root: the folder that all records are in.
    """

    def __init__(self, file, root):
        self._file, self._root = file, root
        self._position = 0
        self._directory = []

    def add(self, name, data):
        """Append a record: `data` is bytes or an array of bytes."""
        path, size, crc = f"{self._root}/{name}".encode(), len(data), zlib.crc32(data)
        offset = self._position
        large = size >= _LIMIT
        extra = struct.pack("<2H2Q", 1, 16, size, size) if large else b""
        start = offset + _LOCAL.size + len(path) + len(extra) + 4
        padding = -start % ALIGNMENT
        extra += struct.pack("<2s1H", b"FB", padding) + b"Z" * padding
        short = _LIMIT if large else size
        head = (_needed(large), _UTF8, _STORED, 0, 0, crc, short, short, len(path), len(extra))
        self._write(_LOCAL.pack(b"PK\x03\x04", *head) + path + extra)
        self._write(data)
        self._directory.append((path, crc, size, offset))

    def close(self):
        """Write the directory. The file itself stays open."""
        self._add_serialization_id()
        start = self._position
        for path, crc, size, offset in self._directory:
            wide = [v for v in (size, size, offset) if v >= _LIMIT]
            extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
            needed, short = _needed(wide), min(size, _LIMIT)
            head = (needed, needed, _UTF8, _STORED, 0, 0, crc, short, short, len(path), len(extra))
            tail = (0, 0, 0, 0, min(offset, _LIMIT))
            self._write(_CENTRAL.pack(b"PK\x01\x02", *head, *tail) + path + extra)
        end, count = self._position, len(self._directory)
        size = end - start
        if count >= _MANY or max(start, size) >= _LIMIT:
            fields = (_END64.size - 12, 45, 45, 0, 0, count, count, size, start)
            self._write(_END64.pack(b"PK\x06\x06", *fields))
            self._write(_LOCATOR.pack(b"PK\x06\x07", 0, end, 1))
        few = min(count, _MANY)
        fields = (0, 0, few, few, min(size, _LIMIT), min(start, _LIMIT), 0)
        self._write(_END.pack(b"PK\x05\x06", *fields))

    def _add_serialization_id(self):
        """A record of 40 digits that tells contents apart."""
        names = zlib.crc32(b"\0".join(path for path, *_ in self._directory))
        contents = zlib.crc32(b"".join(struct.pack("<I", crc) for _, crc, *_ in self._directory))
        self.add(".data/serialization_id", f"{names:020d}{contents:020d}".encode())

    def _write(self, data):
        self._file.write(memoryview(data))
        self._position += len(data)


def _needed(wide):
    return 45 if wide else 20


class _Record(NamedTuple):
    path: bytes
    method: int
    crc: int
    packed: int
    size: int
    offset: int


class Reader:
    """Gives the records of an archive that starts at the position of a seekable binary file.

    Args: file: the file; mapped: whether records are mapped into memory instead of read.
    Raises RuntimeError, here and when a record is read, where the archive is damaged.
    """

    def __init__(self, file, mapped=False):
        self._file, self._start = file, file.tell()
        self._end = file.seek(0, os.SEEK_END)
        self._map = None
        offset, size, count = self._find_directory()
        self._directory_at = self._start + offset
        self._records = _parse_directory(self._read(self._directory_at, size), count)
        first = next(iter(self._records), "")
        self.root = first.partition("/")[0]
        if mapped:
            import mmap

            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def __contains__(self, name):
        return f"{self.root}/{name}" in self._records

    def read(self, name):
        """The bytes of a record."""
        return self.array(name).tobytes()

    def size(self, name):
        """The number of bytes of a record."""
        return self._record(name).size

    def array(self, name):
        """A record as a writable array of bytes. Changes to it never reach the file."""
        record = self._record(name)
        start = self._locate(record)
        if self._map is not None:
            if record.method != _STORED:
                raise RuntimeError(f"record {name} is compressed, which mmap=True can not read")
            if not record.size:
                return np.empty(0, np.uint8)
            return np.frombuffer(self._map, np.uint8, record.size, start)
        data = self._read_array(start, record.packed)
        if record.method == _DEFLATED:
            data = _inflate(data, record.size, name)
        # Those who write without checksums leave 0 there.
        if record.crc and zlib.crc32(data) != record.crc:
            raise RuntimeError(f"record {name} is damaged: its checksum differs")
        return data

    def _record(self, name):
        record = self._records.get(f"{self.root}/{name}")
        if record is None:
            raise RuntimeError(f"there is no record {name} in the archive")
        return record

    def _locate(self, record):
        """Where the data of a record starts, once its own header has been checked."""
        name = record.path.decode()
        at = self._start + record.offset
        fields = _LOCAL.unpack(self._read(at, _LOCAL.size))
        path = self._read(at + _LOCAL.size, fields[9])
        start = at + _LOCAL.size + fields[9] + fields[10]
        if fields[0] != b"PK\x03\x04" or path != record.path:
            raise RuntimeError(f"record {name} is not where the directory says")
        if start + record.packed > self._directory_at:
            raise RuntimeError(f"record {name} reaches beyond the archive")
        return start

    def _find_directory(self):
        """(offset, size, number of entries) of the directory."""
        length = min(self._end - self._start, _END.size + 0xFFFF)
        tail = self._read(self._end - length, length)
        found = tail.rfind(b"PK\x05\x06")
        if found < 0 or len(tail) - found < _END.size:
            raise RuntimeError("failed finding the central directory: the file is cut off")
        *_, count, size, offset, _ = _END.unpack_from(tail, found)
        at = self._end - length + found
        # PyTorch writes the wide form beside the narrow one whether it is needed or not.
        at, count, size, offset = self._find_wide_directory(at, count, size, offset)
        if self._start + offset + size != at:
            raise RuntimeError("the central directory is not where it should be")
        return offset, size, count

    def _find_wide_directory(self, at, *narrow):
        before = at - _LOCATOR.size
        if before < self._start:
            return (at, *narrow)
        magic, _, offset, _ = _LOCATOR.unpack(self._read(before, _LOCATOR.size))
        if magic != b"PK\x06\x07":
            return (at, *narrow)
        at = self._start + offset
        magic, *_, count, size, offset = _END64.unpack(self._read(at, _END64.size))
        if magic != b"PK\x06\x06":
            raise RuntimeError("the zip64 directory is not where it should be")
        return at, count, size, offset

    def _read(self, at, count):
        return self._read_array(at, count).tobytes()

    def _read_array(self, at, count):
        if at < self._start or at + count > self._end:
            raise RuntimeError("the archive is cut off or damaged: it names bytes it does not have")
        self._file.seek(at)
        data = np.empty(count, np.uint8)
        filled = 0
        while filled < count:
            got = _read_into(self._file, data[filled:])
            if not got:
                raise RuntimeError("the file is shorter than it was")
            filled += got
        return data


def _read_into(file, data):
    if hasattr(file, "readinto"):
        return file.readinto(data)
    got = file.read(len(data))
    data[: len(got)] = np.frombuffer(got, np.uint8)
    return len(got)


def _parse_directory(data, count):
    """The records by path, in their order."""
    records, at = {}, 0
    for _ in range(count):
        if at + _CENTRAL.size > len(data):
            raise RuntimeError("the central directory is cut off")
        fields = _CENTRAL.unpack_from(data, at)
        magic, _, _, flags, method, _, _, crc, packed, size, named, extended, noted = fields[:13]
        at += _CENTRAL.size
        path, extra = data[at : at + named], data[at + named : at + named + extended]
        at += named + extended + noted
        if magic != b"PK\x01\x02" or at > len(data):
            raise RuntimeError("the central directory is damaged")
        if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
            raise RuntimeError(f"record {path!r} is encrypted or compressed in an unknown way")
        size, packed, offset = _widen(extra, size, packed, fields[-1])
        if method == _STORED and size != packed:
            raise RuntimeError(f"record {path!r} has two sizes")
        try:
            name = path.decode()
        except UnicodeDecodeError:
            raise RuntimeError(f"record {path!r} has a damaged name") from None
        if name in records:
            raise RuntimeError(f"record {name} is there twice")
        records[name] = _Record(path, method, crc, packed, size, offset)
    return records


def _widen(extra, *values):
    """The values, with those that are full replaced from the zip64 field, in order."""
    wide, at = [], 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if kind == 1:
            wide = list(struct.unpack_from(f"<{len(field) // 8}Q", field))
        at += 4 + length
    try:
        return [wide.pop(0) if value == _LIMIT else value for value in values]
    except IndexError:
        raise RuntimeError("a zip64 field is missing") from None


def _inflate(data, size, name):
    # Deflate reaches a ratio of 1032 at most: a larger claim is a lie that would cost memory.
    if size > 1032 * len(data) + 64:
        raise RuntimeError(f"record {name} is damaged: {len(data)} bytes can not hold {size}")
    engine = zlib.decompressobj(-15)
    try:
        plain = engine.decompress(data, size + 1)
    except zlib.error as error:
        raise RuntimeError(f"record {name} is damaged: {error}") from error
    if len(plain) != size:
        raise RuntimeError(f"record {name} is damaged: its size differs")
    return np.frombuffer(bytearray(plain), np.uint8)
