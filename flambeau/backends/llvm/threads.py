"""The threads that help to run a program.

They are Python threads that wait inside native code for a while, and then sleep on a lock until a
program with enough work wakes them. The thread that runs a program never waits for one that sleeps.
"""

import ctypes
import os
import threading

from ... import config
from . import native

__all__ = ["Team", "team", "thread_count"]

PATIENCE = 20_000  # turns of the waiting loop, some 100 us
_team = None
_pid = None
_lock = threading.Lock()


def thread_count():
    """The number of threads a program runs on."""
    return config.threads or config.cores()


def team():
    """The helping threads, started when first asked for; None if there are none."""
    global _team, _pid
    count = thread_count() - 1
    if not count:
        return None
    if _team is None or _pid != os.getpid() or len(_team.helpers) != count:
        with _lock:
            if _team is not None and _pid == os.getpid():  # threads do not survive a fork
                _team.stop()
            _team, _pid = Team(count), os.getpid()
    return _team


class Team:
    """Threads that share the block through which a program is handed to them."""

    def __init__(self, count):
        self.block = (ctypes.c_int64 * 64)()
        self.address = ctypes.addressof(self.block)
        self.running = threading.Lock()
        self.stopping = False
        self.helpers = [_Helper(self) for _ in range(count)]

    def run(self, runner, table, count, frame):
        """Run a table with the team, or alone if another thread is using it."""
        bufs, scalars, status = frame.bufs, frame.scalars, frame.status_address
        if not self.running.acquire(blocking=False):
            runner(table, count, bufs, scalars, status, None)
            return
        try:
            block = self.block
            block[40], block[41], block[42], block[43] = table, bufs, scalars, status
            block[24] = 0xFFFFFFFF  # nothing to claim: entry 0, beyond its chunks
            generation = block[0] + 1
            block[8] = generation
            block[0] = generation
            for helper in self.helpers:
                if helper.asleep:
                    helper.wake()
            runner(table, count, bufs, scalars, status, self.address)
        finally:
            self.running.release()

    def stop(self):
        """Let the threads end."""
        self.stopping = True
        for helper in self.helpers:
            helper.wake()


class _Helper:
    def __init__(self, team):
        self.team, self.asleep = team, False
        self.bell = threading.Semaphore(0)
        self.native = ctypes.CFUNCTYPE(
            ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
        )(native.helper_address())
        threading.Thread(target=self.loop, daemon=True, name="flambeau-helper").start()

    def wake(self):
        """Let the thread look for work."""
        self.asleep = False
        self.bell.release()

    def loop(self):
        """Wait in native code, then on the bell, for ever."""
        seen = 0
        while not self.team.stopping:
            seen = self.native(self.team.address, seen, PATIENCE)
            self.asleep = True
            if self.team.block[0] != seen:
                self.asleep = False
                continue
            self.bell.acquire()
