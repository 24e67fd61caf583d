"""Files are replaced whole or not at all."""

import io
import os
import pathlib
import stat

import pytest

from flambeau.serialization import files


def write(path, data=b"new"):
    with files.open_to_write(path) as file:
        file.write(data)


def test_a_new_file(tmp_path):
    for name in (tmp_path / "a.pt", str(tmp_path / "b.pt")):
        write(name)
        assert pathlib.Path(name).read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["a.pt", "b.pt"]


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.pt")
    assert pathlib.Path("a.pt").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        write(path, [b"no bytes"])
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.pt"]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")
    with files.open_to_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_permissions_are_kept(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write(tmp_path / "a.pt")
    assert (tmp_path / "a.pt").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")
    (tmp_path / "latest").symlink_to(path)
    write(tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()
    assert path.read_bytes() == b"new"


def test_a_device_is_written_to():
    write(os.devnull)
    assert not stat.S_ISREG(os.stat(os.devnull).st_mode)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        write(tmp_path / "no" / "a.pt")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        write(tmp_path)


def test_a_file_object_stays_open():
    file = io.BytesIO()
    write(file)
    assert file.getvalue() == b"new"


def test_what_is_no_file():
    with pytest.raises(AttributeError, match="expected 'f' to be string, path"):
        write(3)
    with pytest.raises(AttributeError, match="seekable"), files.open_to_read(3):
        pass


def test_names(tmp_path):
    assert files.name_of("a/b.pt") == "a/b.pt"
    assert files.name_of(pathlib.Path("a") / "b.pt") == os.path.join("a", "b.pt")
    assert files.name_of(io.BytesIO()) == "<BytesIO>"
    with open(tmp_path / "x", "wb") as file:
        assert files.name_of(file) == str(tmp_path / "x")
