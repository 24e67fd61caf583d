"""Stores: one behaviour, wherever the entries are."""

import datetime
import gc
import threading

import pytest

from flambeau import distributed as dist

SHORT = datetime.timedelta(seconds=0.05)


def tcp(path):
    return dist.TCPStore("127.0.0.1", 0, 1, is_master=True)


STORES = {
    "hash": lambda path: dist.HashStore(),
    "file": lambda path: dist.FileStore(str(path / "store"), 1),
    "tcp": tcp,
    "prefix": lambda path: dist.PrefixStore("run", dist.HashStore()),
}


@pytest.fixture(params=list(STORES))
def store(request, tmp_path):
    """An empty store of each kind."""
    yield STORES[request.param](tmp_path)
    gc.collect()


def test_entries(store):
    """Values are set as text and read as bytes; counters add."""
    store.set("a", "b")
    assert store.get("a") == b"b"
    assert (store.add("n", 3), store.add("n", 1)) == (3, 4)
    assert store.get("n") == b"4"
    store.append("a", "c\n'\"")
    assert store.get("a") == b"bc\n'\""
    store.multi_set(["p", "q"], ["1", "2"])
    assert store.multi_get(["q", "p"]) == [b"2", b"1"]
    assert sorted(store.list_keys()) == ["a", "n", "p", "q"]
    assert store.num_keys() == 4
    assert store.check(["p", "q"])
    assert store.delete_key("p")
    assert not store.delete_key("p")
    assert not store.check(["p", "q"])
    assert store.has_extended_api()


def test_compare_set(store):
    """A value changes only if it is what it was expected to be."""
    assert store.compare_set("k", "", "first") == b"first"
    assert store.compare_set("k", "other", "second") == b"first"
    assert store.compare_set("k", "first", "second") == b"second"
    assert store.compare_set("absent", "something", "else") == b"something"
    assert not store.check(["absent"])


def test_timeout(store):
    """Waiting for what does not come ends."""
    store.set_timeout(SHORT)
    assert store.timeout == SHORT
    with pytest.raises(RuntimeError, match=r"wait timeout after 0.05 s, keys: never"):
        store.get("never")
    with pytest.raises(dist.DistStoreError):
        store.wait(["never", "ever"], SHORT)


def test_waits(tmp_path):
    """One waits for what another sets, through stores of their own."""
    path = str(tmp_path / "shared")
    master = dist.TCPStore("localhost", 0, is_master=True)
    for first, second in (
        (dist.FileStore(path), dist.FileStore(path)),
        (master, dist.TCPStore("localhost", master.port)),
    ):
        seen = []
        thread = threading.Thread(target=lambda s=second, seen=seen: seen.append(s.get("answer")))
        thread.start()
        first.set("answer", "42")
        thread.join()
        assert seen == [b"42"]


def test_prefix():
    """A part of a store shows only what is its own."""
    whole = dist.HashStore()
    part = dist.PrefixStore("a", whole)
    part.set("x", "1")
    whole.set("y", "2")
    assert part.list_keys() == ["x"]
    assert whole.get("a/x") == b"1"


def test_nobody_there(tmp_path):
    """Masters and processes that do not come; a lock that stays."""
    master = dist.TCPStore("127.0.0.1", 0, is_master=True)
    port = master.port
    del master
    gc.collect()
    with pytest.raises(TimeoutError, match="nobody listens"):
        dist.TCPStore("127.0.0.1", port, timeout=SHORT)
    with pytest.raises(dist.DistStoreError, match="1 of 2"):
        dist.TCPStore("127.0.0.1", 0, 2, is_master=True, timeout=SHORT)
    store = dist.FileStore(tmp_path / "store")
    store.set_timeout(SHORT)
    (tmp_path / "store.lock").touch()
    with pytest.raises(TimeoutError, match="lock stays"):
        store.set("a", "b")
