"""Files from URLs."""

import builtins
import hashlib
import http.server
import pathlib
import threading
import urllib.error
import zipfile

import pytest

import flambeau
from flambeau import hub
from flambeau.hub import downloads, folder
from flambeau.utils import model_zoo

CONTENT = bytes(range(256)) * 1200
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path):
    """The address of a server for the files of a new folder, and the folder."""
    root = tmp_path / "served"
    root.mkdir()
    (root / "data.bin").write_bytes(CONTENT)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=root)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", root
        running.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A new folder for downloads."""
    monkeypatch.setattr(folder, "_chosen", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_download(server, tmp_path, capsys):
    path = tmp_path / "new.bin"
    hub.download_url_to_file(f"{server[0]}/data.bin", str(path), DIGEST[:8], progress=False)
    assert path.read_bytes() == CONTENT
    assert capsys.readouterr().err == ""
    url = pathlib.Path(server[1] / "data.bin").as_uri()
    hub.download_url_to_file(url, str(path))
    assert "100" in capsys.readouterr().err


def test_progress_without_tqdm(server, tmp_path, capsys, monkeypatch):
    really = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "tqdm":
            raise ModuleNotFoundError(name)
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    hub.download_url_to_file(f"{server[0]}/data.bin", str(tmp_path / "x"))
    assert capsys.readouterr().err.endswith("\r100.0%\n")
    with downloads._progress(None, True) as shown:
        shown.update(10)
    assert capsys.readouterr().err == "\r10 bytes\n"


def test_what_is_there_stays_if_a_download_fails(server, tmp_path):
    path = tmp_path / "kept.bin"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match='invalid hash value .expected "00"'):
        hub.download_url_to_file(f"{server[0]}/data.bin", str(path), "00", progress=False)
    with pytest.raises(urllib.error.HTTPError):
        hub.download_url_to_file(f"{server[0]}/nothing", str(path), progress=False)
    assert path.read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.bin", "served"]


def test_load_state_dict_from_url(server, home, capsys):
    url, root = server
    flambeau.save({"w": flambeau.ones(2)}, root / "first.pt")
    digest = hashlib.sha256((root / "first.pt").read_bytes()).hexdigest()[:10]
    (root / "first.pt").rename(root / f"net-{digest}.pt")
    state = hub.load_state_dict_from_url(f"{url}/net-{digest}.pt?x=1", check_hash=True)
    assert state["w"].tolist() == [1.0, 1.0]
    assert (home / "checkpoints" / f"net-{digest}.pt").exists()
    assert "Downloading" in capsys.readouterr().out
    (root / f"net-{digest}.pt").unlink()
    again = model_zoo.load_url(f"{url}/net-{digest}.pt", weights_only=True, map_location="cpu")
    assert again["w"].tolist() == [1.0, 1.0]
    assert capsys.readouterr().out == ""


def test_names_and_folders(server, home, tmp_path, monkeypatch):
    url, root = server
    flambeau.save([1, 2], root / "net-00ff.pt")
    where = tmp_path / "elsewhere"
    found = hub.load_state_dict_from_url(
        f"{url}/net-00ff.pt", str(where), progress=False, file_name="own.pt"
    )
    assert found == [1, 2]
    assert [p.name for p in where.iterdir()] == ["own.pt"]
    with pytest.raises(RuntimeError, match="invalid hash"):
        hub.load_state_dict_from_url(f"{url}/net-00ff.pt", progress=False, check_hash=True)
    monkeypatch.setenv("TORCH_MODEL_ZOO", "x")
    with pytest.warns(UserWarning, match="TORCH_MODEL_ZOO is deprecated"):
        hub.load_state_dict_from_url(f"{url}/net-00ff.pt", progress=False)


def test_a_checkpoint_that_was_zipped(server, home):
    url, root = server
    flambeau.save([3], root / "inner.pt")
    with zipfile.ZipFile(root / "outer.zip", "w") as archive:
        archive.write(root / "inner.pt", "../inner.pt")
    assert hub.load_state_dict_from_url(f"{url}/outer.zip", progress=False) == [3]
