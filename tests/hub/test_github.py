"""Repositories of GitHub, from answers made up here."""

import io
import json
import zipfile
from urllib.error import HTTPError, URLError

import pytest

from flambeau import hub
from flambeau.hub import downloads, folder, github

HUBCONF = "from helper import value\ndef model():\n    return value\n"


def packed(content=HUBCONF, name="owner-name-abc123"):
    """A zip archive as GitHub makes them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}/", "")
        archive.writestr(f"{name}/hubconf.py", content)
        archive.writestr(f"{name}/helper.py", "value = 7\n")
    return file.getvalue()


class Answer(io.BytesIO):
    headers: dict = {}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """{address: bytes or an exception} of a made-up internet, where `asked` lists what was."""
    monkeypatch.setattr(folder, "_chosen", str(tmp_path / "hub"))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    pages = {}

    def urlopen(request):
        url = getattr(request, "full_url", request)
        pages.setdefault("asked", []).append((url, dict(getattr(request, "headers", {}))))
        answer = pages.get(url, HTTPError(url, 404, "not found", {}, None))
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer)

    for module in (downloads, github):
        monkeypatch.setattr(module, "urlopen", urlopen)
    api = "https://api.github.com/repos/owner/name/"
    branch = [{"name": "main", "commit": {"sha": "abc123"}}]
    pages[f"{api}branches?per_page=100&page=1"] = json.dumps(branch).encode()
    pages[f"{api}branches?per_page=100&page=2"] = b"[]"
    tag = [{"name": "v1/x", "commit": {"sha": "def456"}}]
    pages[f"{api}tags?per_page=100&page=1"] = json.dumps(tag).encode()
    pages[f"{api}tags?per_page=100&page=2"] = b"[]"
    pages["https://github.com/owner/name/tree/main/"] = b""
    for ref in ("main", "v1/x", "master"):
        pages[f"https://github.com/owner/name/zipball/{ref}"] = packed()
    return pages


def test_load_list_and_help(site, tmp_path, capsys):
    assert hub.load("owner/name", "model", trust_repo=True) == 7
    assert sorted(p.name for p in (tmp_path / "hub").iterdir()) == [
        "owner_name_main",
        "trusted_list",
    ]
    count = len(site["asked"])
    assert hub.list("owner/name:main") == ["model"]
    assert hub.help("owner/name:main", "model") is None
    assert len(site["asked"]) == count
    assert "Using cache found in" in capsys.readouterr().err
    hub.load("owner/name:main", "model", force_reload=True)
    assert len(site["asked"]) > count


def test_refs(site, tmp_path):
    hub.load("owner/name:v1/x", "model", trust_repo=True)
    assert (tmp_path / "hub" / "owner_name_v1_x").is_dir()
    with pytest.raises(ValueError, match="Cannot find fork in"):
        hub.load("owner/name:fork", "model", trust_repo=True)
    with pytest.raises(HTTPError):
        hub.load("owner/name:fork", "model", trust_repo=True, skip_validation=True)


def test_default_branches(site):
    page = "https://github.com/owner/name/tree/main/"
    del site[page]
    hub.load("owner/name", "model", trust_repo=True, skip_validation=True)
    site[page] = URLError("no connection")
    assert hub.load("owner/name", "model") == 7  # from the cache
    site["https://github.com/other/name/tree/main/"] = URLError("no connection")
    with pytest.raises(RuntimeError, match="no internet connection"):
        hub.load("other/name", "model")
    site[page] = HTTPError(page, 500, "broken", {}, None)
    with pytest.raises(HTTPError):
        hub.load("owner/name", "model")


def test_trust(site, monkeypatch, tmp_path):
    answers = iter(["n", "perhaps", "y", ""])
    monkeypatch.setattr("builtins.input", lambda text: next(answers))
    with pytest.raises(RuntimeError, match="Untrusted repository"):
        hub.load("owner/name", "model")
    with pytest.raises(ValueError, match="Unrecognized response perhaps"):
        hub.load("owner/name", "model")
    assert hub.load("owner/name", "model") == 7
    assert (tmp_path / "hub" / "trusted_list").read_text() == "owner_name\n"
    assert hub.load("owner/name:v1/x", "model") == 7
    with pytest.raises(RuntimeError, match="Untrusted repository"):
        hub.load("owner/name", "model", trust_repo=False)


def test_tokens(site, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    page = "https://api.github.com/repos/owner/name/branches?per_page=100&page=1"
    answer = site[page]
    denied = HTTPError(page, 401, "denied", {}, None)
    site[page] = lambda request: denied if request.has_header("Authorization") else answer
    assert hub.load("owner/name:main", "model", trust_repo=True) == 7
    site[page] = denied
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(HTTPError):
        hub.load("owner/name:main", "model", force_reload=True)


def test_ambiguous_refs(site):
    url = "https://github.com/owner/name/zipball/"
    site[f"{url}refs/heads/main"] = packed()
    site[f"{url}main"] = HTTPError(url, 300, "several", {}, None)
    with pytest.warns(UserWarning, match="The ref main is ambiguous"):
        assert hub.load("owner/name", "model", trust_repo=True) == 7


@pytest.mark.parametrize("name", ["..", "/root", "C:", "a/../../b"])
def test_archives_that_lead_elsewhere(site, name):
    site["https://github.com/owner/name/zipball/main"] = packed(name=name)
    with pytest.raises(ValueError, match="escapes target directory"):
        hub.load("owner/name", "model", trust_repo=True)
