"""Stores: dicts of strings to bytes that threads (`HashStore`) or processes share.

Every operation of a store is one change of its dict that nothing comes in between of; what differs
from store to store is where the dict is, and how one waits for it to change.
"""

import ast
import contextlib
import datetime
import os
import socket
import socketserver
import threading
import time

__all__ = ["DistStoreError", "FileStore", "HashStore", "PrefixStore", "Store", "TCPStore"]

TIMEOUT = datetime.timedelta(seconds=300)
_POLL = 0.01  # seconds between two looks at a file


class DistStoreError(RuntimeError):
    """A key was not set in time."""


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def _set(entries, key, value):
    entries[key] = value


def _add(entries, key, amount):
    total = int(entries.get(key, b"0")) + amount
    entries[key] = str(total).encode()
    return total


def _append(entries, key, value):
    entries[key] = entries.get(key, b"") + value


def _compare_set(entries, key, expected, desired):
    if key in entries:
        if entries[key] == expected:
            entries[key] = desired
        return entries[key]
    if not expected:
        entries[key] = desired
        return desired
    return expected


def _delete(entries, key):
    return entries.pop(key, None) is not None


def _get(entries, keys):
    """The values of all keys, or None if one is missing."""
    return [entries[k] for k in keys] if all(k in entries for k in keys) else None


def _keys(entries):
    return list(entries)


class Store:
    """What all stores have in common. Keys are strings; values are given as str, read as bytes.

    Subclasses define `_change(operation, *args)`, which returns operation(dict, *args), and may
    define `_waited(keys, seconds)`, which returns their values once all are there.
    """

    def __init__(self):
        self._timeout = TIMEOUT

    @property
    def timeout(self):
        """How long `get` and `wait` wait at most, a timedelta."""
        return self._timeout

    def set_timeout(self, timeout):
        """Set how long `get` and `wait` wait at most, a timedelta."""
        self._timeout = timeout

    def set(self, key, value):
        """Set a value."""
        self._change(_set, key, _bytes(value))

    def get(self, key):
        """The value of a key, once it has one. Raises DistStoreError after the timeout."""
        return self.multi_get([key])[0]

    def add(self, key, amount):
        """Add to a counter, which is 0 at first; returns the sum."""
        return self._change(_add, key, int(amount))

    def append(self, key, value):
        """Add bytes at the end of a value."""
        self._change(_append, key, _bytes(value))

    def compare_set(self, key, expected_value, desired_value):
        """Set a value if it is the expected one, "" meaning none; returns what it is then."""
        return self._change(_compare_set, key, _bytes(expected_value), _bytes(desired_value))

    def delete_key(self, key):
        """Forget a key; whether it was there."""
        return self._change(_delete, key)

    def check(self, keys):
        """Whether all keys have values."""
        return self._change(_get, list(keys)) is not None

    def wait(self, keys, timeout=None):
        """Wait until all keys have values. Raises DistStoreError after the timeout."""
        self._wait(keys, timeout or self._timeout)

    def multi_get(self, keys):
        """The values of several keys, once all are there."""
        return self._wait(keys, self._timeout)

    def multi_set(self, keys, values):
        """Set several values."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def num_keys(self):
        """The number of keys."""
        return len(self.list_keys())

    def list_keys(self):
        """All keys."""
        return self._change(_keys)

    def has_extended_api(self):
        """Whether there are `append`, `multi_get` and `multi_set`."""
        return True

    def _wait(self, keys, timeout):
        seconds = timeout.total_seconds()
        values = self._waited(list(keys), seconds)
        if values is None:
            raise DistStoreError(f"wait timeout after {seconds:g} s, keys: {', '.join(keys)}")
        return values

    def _waited(self, keys, seconds):
        end = time.monotonic() + seconds
        while (values := self._change(_get, keys)) is None and time.monotonic() < end:
            time.sleep(_POLL)
        return values


class HashStore(Store):
    """A store in the memory of this process, which its threads share.

    >>> import flambeau as torch
    >>> store = torch.distributed.HashStore()
    >>> store.set("where", "here")
    >>> store.get("where"), store.add("count", 2)
    (b'here', 2)
    """

    def __init__(self):
        super().__init__()
        self._entries, self._changed = {}, threading.Condition()

    def _change(self, operation, *args):
        with self._changed:
            result = operation(self._entries, *args)
            self._changed.notify_all()
            return result

    def _waited(self, keys, seconds):
        with self._changed:
            self._changed.wait_for(lambda: _get(self._entries, keys) is not None, seconds)
            return _get(self._entries, keys)


class FileStore(Store):
    """A store in a file, which all processes share that see it.

    Args: file_name: the file, which is made if it is not there; a lock stands beside it while it
        is changed. world_size: accepted as in PyTorch.
    Raises: TimeoutError if the lock stays, as a process leaves it that dies while it holds it.
    """

    def __init__(self, file_name, world_size=-1):
        super().__init__()
        self.path = os.fspath(file_name)

    def _change(self, operation, *args):
        with self._locked():
            try:
                with open(self.path, encoding="utf-8") as f:
                    entries = ast.literal_eval(f.read() or "{}")
            except FileNotFoundError:
                entries = {}
            before = dict(entries)
            result = operation(entries, *args)
            if entries != before or not os.path.exists(self.path):
                with open(self.path, "w", encoding="utf-8") as f:
                    f.write(repr(entries))
            return result

    @contextlib.contextmanager
    def _locked(self):
        lock, end = self.path + ".lock", time.monotonic() + self._timeout.total_seconds()
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() > end:
                    raise TimeoutError(f"FileStore: {lock} stays: remove it") from None
                time.sleep(_POLL)
        try:
            yield
        finally:
            os.remove(lock)


_OPERATIONS = {f.__name__: f for f in (_add, _append, _compare_set, _delete, _get, _keys, _set)}


class _Handler(socketserver.StreamRequestHandler):
    """Answers the requests of one client, each a line (operation, arguments), until it leaves."""

    def handle(self):
        store = self.server.store
        for line in self.rfile:
            name, args = ast.literal_eval(line.decode())
            if name == "_waited":
                answer = store._waited(*args)
            else:
                answer = store._change(_OPERATIONS[name], *args)
            self.wfile.write(repr(answer).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class TCPStore(Store):
    """A store in the memory of one process, the master, which others reach over the network.

    Args:
        host_name, port: where the master listens; port 0 chooses one.
        world_size: the number of processes that will use it, which the master then waits for if
            `wait_for_workers`.
        is_master: whether this process holds the store.
        timeout: how long `get`, `wait` and connecting take at most, a timedelta.

    Raises: DistStoreError if the others do not come, TimeoutError if there is no master in time.
    """

    def __init__(
        self,
        host_name,
        port,
        world_size=None,
        is_master=False,
        timeout=TIMEOUT,
        wait_for_workers=True,
        multi_tenant=False,
        master_listen_fd=None,
        use_libuv=True,
    ):
        super().__init__()
        self._timeout, self.host, self.port = timeout, host_name, int(port)
        self._server = None
        if is_master:
            self._serve()
        self._lock = threading.Lock()
        self._socket = self._connected()
        self._lines = self._socket.makefile("rb")
        arrived = self.add("/workers", 1)
        if is_master and wait_for_workers and world_size:
            self._wait_for(int(world_size), arrived)

    def _serve(self):
        self._server = _Server((self.host, self.port), _Handler)
        self._server.store = HashStore()
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _connected(self):
        end = time.monotonic() + self._timeout.total_seconds()
        while True:
            try:
                return socket.create_connection((self.host, self.port))
            except OSError:
                if time.monotonic() > end:
                    raise TimeoutError(
                        f"TCPStore: nobody listens at {self.host}:{self.port}"
                    ) from None
                time.sleep(_POLL)

    def _wait_for(self, workers, arrived):
        end = time.monotonic() + self._timeout.total_seconds()
        while arrived < workers:
            if time.monotonic() > end:
                raise DistStoreError(f"TCPStore: {arrived} of {workers} processes have come")
            time.sleep(_POLL)
            arrived = self.add("/workers", 0)

    def _ask(self, name, *args):
        with self._lock:
            self._socket.sendall(repr((name, args)).encode() + b"\n")
            answer = self._lines.readline()
        if not answer:
            raise ConnectionError(f"TCPStore: the master at {self.host}:{self.port} is gone")
        return ast.literal_eval(answer.decode())

    def _change(self, operation, *args):
        return self._ask(operation.__name__, *args)

    def _waited(self, keys, seconds):
        return self._ask("_waited", keys, seconds)

    def list_keys(self):
        """All keys."""
        return [key for key in super().list_keys() if key != "/workers"]

    def __del__(self):
        for name in ("_lines", "_socket"):
            if hasattr(self, name):
                getattr(self, name).close()
        if getattr(self, "_server", None) is not None:
            self._server.shutdown()
            self._server.server_close()


class PrefixStore(Store):
    """The part of another store whose keys begin with a prefix."""

    def __init__(self, prefix, store):
        super().__init__()
        self.prefix, self.underlying_store, self._timeout = prefix, store, store.timeout

    def _change(self, operation, *args):
        if operation is _keys:
            begin = self.prefix + "/"
            keys = self.underlying_store._change(_keys)
            return [k.removeprefix(begin) for k in keys if k.startswith(begin)]
        first, *rest = args
        named = [self._named(k) for k in first] if operation is _get else self._named(first)
        return self.underlying_store._change(operation, named, *rest)

    def _waited(self, keys, seconds):
        return self.underlying_store._waited([self._named(k) for k in keys], seconds)

    def _named(self, key):
        return f"{self.prefix}/{key}"
