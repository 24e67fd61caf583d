"""The zip container: layout, alignment, sizes beyond 32 bits, and every kind of damage."""

import io
import struct
import zipfile

import numpy as np
import pytest

from flambeau.serialization import archive
from flambeau.serialization.archive import Reader, Writer, is_archive


def written(records, root="model"):
    file = io.BytesIO()
    writer = Writer(file, root)
    for name, data in records.items():
        writer.add(name, data)
    writer.close()
    file.seek(0)
    return file


SAMPLE = {"data.pkl": b"abc", "data/0": bytes(range(200)), "data/1": b"", "version": b"3\n"}


def test_what_is_written_is_read():
    reader = Reader(written(SAMPLE))
    assert reader.root == "model"
    for name, data in SAMPLE.items():
        assert name in reader
        assert reader.read(name) == data
        assert reader.size(name) == len(data)
    assert "data/2" not in reader


def test_zipfile_reads_it():
    with zipfile.ZipFile(written(SAMPLE)) as container:
        assert container.testzip() is None
        assert all(i.compress_type == zipfile.ZIP_STORED for i in container.infolist())
        names = [f"model/{name}" for name in SAMPLE]
        assert container.namelist() == [*names, "model/.data/serialization_id"]
        assert container.read("model/data/0") == SAMPLE["data/0"]


def test_data_is_aligned():
    file = written(SAMPLE)
    data = file.getvalue()
    for info in zipfile.ZipFile(file).infolist():
        named, extended = struct.unpack_from("<2H", data, info.header_offset + 26)
        start = info.header_offset + 30 + named + extended
        assert start % 64 == 0
        extra = data[start - extended : start]
        assert extra[:2] == b"FB"
        assert set(extra[4:]) <= {ord("Z")}
        assert struct.unpack_from("<H", extra, 2)[0] == len(extra) - 4


def test_same_contents_give_the_same_bytes():
    assert written(SAMPLE).getvalue() == written(SAMPLE).getvalue()
    digits = zipfile.ZipFile(written(SAMPLE)).read("model/.data/serialization_id")
    assert len(digits) == 40
    assert digits.isdigit()
    other = zipfile.ZipFile(written(SAMPLE | {"data/1": b"x"}))
    assert other.read("model/.data/serialization_id") != digits


@pytest.mark.parametrize(("limit", "many"), [(100, 0xFFFF), (1, 0xFFFF), (0xFFFFFFFF, 3), (1, 1)])
def test_sizes_beyond_32_bits(monkeypatch, limit, many):
    """The wide fields, written for small sizes; the narrow ones say so as they always do."""
    monkeypatch.setattr(archive, "_LIMIT", limit)
    monkeypatch.setattr(archive, "_MANY", many)
    plain = written(SAMPLE)
    data = bytearray(plain.getvalue())
    assert b"PK\x06\x06" in data
    reader = Reader(plain)
    assert all(reader.read(name) == value for name, value in SAMPLE.items())


def test_wide_fields_are_those_of_zipfile(monkeypatch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as container, monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 10)
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        container.writestr("root/a", b"a" * 100)
        container.writestr("root/b", b"b")
        container.close()
    file.seek(0)
    reader = Reader(file)
    assert reader.read("a") == b"a" * 100
    assert reader.read("b") == b"b"


def test_compressed_records_are_read_but_not_mapped(tmp_path):
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("root/a", b"a" * 1000)
    with open(path, "rb") as file:
        assert Reader(file).read("a") == b"a" * 1000
    with open(path, "rb") as file, pytest.raises(RuntimeError, match="compressed"):
        Reader(file, mapped=True).array("a")


def test_mapped_records_are_writable_and_leave_the_file_alone(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(written(SAMPLE).getvalue())
    with open(path, "rb") as file:
        reader = Reader(file, mapped=True)
        array, empty = reader.array("data/0"), reader.array("data/1")
    assert array.tobytes() == SAMPLE["data/0"]
    assert array.ctypes.data % 64 == 0
    assert empty.size == 0
    array[0] = 99
    assert path.read_bytes() == written(SAMPLE).getvalue()


def test_an_archive_behind_other_bytes():
    file = io.BytesIO(b"before" + written(SAMPLE).getvalue())
    file.seek(6)
    assert is_archive(file)
    assert file.tell() == 6
    assert Reader(file).read("data/0") == SAMPLE["data/0"]
    file.seek(0)
    assert not is_archive(file)


def test_a_file_that_only_reads():
    """Neither `readinto` nor full reads."""

    class Slow:
        def __init__(self, data):
            self._file = io.BytesIO(data)
            self.seek, self.tell = self._file.seek, self._file.tell

        def read(self, count=-1):
            return self._file.read(min(count, 7))

    assert Reader(Slow(written(SAMPLE).getvalue())).read("data/0") == SAMPLE["data/0"]


def test_a_checksum_of_zero_is_not_checked(saved, torch):
    torch.serialization.set_crc32_options(False)
    try:
        file = saved(torch.ones(3))
    finally:
        torch.serialization.set_crc32_options(True)
    assert np.frombuffer(Reader(file).read("data/0"), np.float32).tolist() == [1, 1, 1]


def read_all(data):
    reader = Reader(io.BytesIO(data))
    return [reader.read(name) for name in SAMPLE]


def test_every_truncation_is_noticed():
    data = written(SAMPLE).getvalue()
    for length in range(len(data)):
        with pytest.raises(RuntimeError):
            read_all(data[:length])


def test_changed_data_is_noticed():
    data = bytearray(written(SAMPLE).getvalue())
    data[data.index(SAMPLE["data/0"]) + 5] ^= 1
    with pytest.raises(RuntimeError, match="data/0 is damaged: its checksum differs"):
        read_all(bytes(data))


def damaged(find, change, last=True):
    """The sample with some bytes behind a signature changed."""
    data = bytearray(written(SAMPLE).getvalue())
    at = data.rindex(find) if last else data.index(find)
    offset, form, value = change
    struct.pack_into(form, data, at + offset, value)
    return bytes(data)


CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"
DAMAGE = {
    "flags": (CENTRAL, (8, "<H", 1), False),
    "method": (CENTRAL, (10, "<H", 99), False),
    "sizes differ": (CENTRAL, (20, "<I", 2), False),
    "length of the name": (CENTRAL, (28, "<H", 999), False),
    "offset": (CENTRAL, (42, "<I", 7), False),
    "offset beyond": (CENTRAL, (42, "<I", 0xFFFFFFF0), False),
    "zip64 that is missing": (CENTRAL, (42, "<I", 0xFFFFFFFF), False),
    "name that is no text": (CENTRAL, (46, "<B", 0xFF), False),
    "magic": (CENTRAL, (0, "<I", 0), False),
    "local name": (b"PK\x03\x04", (30, "<B", 0x40), False),
    "local magic": (b"PK\x03\x04", (2, "<B", 0x40), False),
    "too many entries": (END, (10, "<H", 999), True),
    "size of the directory": (END, (12, "<I", 10), True),
    "offset of the directory": (END, (16, "<I", 10), True),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_noticed(name):
    with pytest.raises(RuntimeError):
        read_all(damaged(*DAMAGE[name]))


def test_a_record_twice_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as container:
        container.writestr("root/a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            container.writestr("root/a", b"2")
    file.seek(0)
    with pytest.raises(RuntimeError, match="there twice"):
        Reader(file)


def test_a_compressed_record_can_not_claim_any_size():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("root/a", b"1" * 100)
    data = bytearray(file.getvalue())
    for claim in (1 << 31, 101, 99):
        struct.pack_into("<I", data, data.index(CENTRAL) + 24, claim)
        with pytest.raises(RuntimeError, match="damaged"):
            Reader(io.BytesIO(data)).read("a")
    broken = data.copy()
    broken[36:38] = b"\xff\xff"
    struct.pack_into("<I", broken, broken.index(CENTRAL) + 24, 100)
    with pytest.raises(RuntimeError, match="damaged"):
        Reader(io.BytesIO(broken)).read("a")
