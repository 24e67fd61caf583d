"""What runs in a worker process of a `DataLoader`, and what it sends back."""

import os
import pickle
import queue
import random
import sys
import threading
import traceback
import weakref
from typing import Any, NamedTuple

import numpy as np

import flambeau

from . import dataset
from .dataset import IterableDataset
from .fetch import make_fetcher
from .transport import send

__all__ = ["BATCH", "END", "FAILURE", "Failure", "Job", "WorkerInfo", "get_worker_info", "work"]

BATCH, END, FAILURE = "batch", "end", "failure"

# The loader's ends of the pipes to its workers. A forked worker has copies, which would keep the
# pipes open once the loader has closed them or is gone.
loader_ends: weakref.WeakSet = weakref.WeakSet()

_worker_info = None


class WorkerInfo(NamedTuple):
    """What `get_worker_info` tells: `id` from 0 to `num_workers - 1`, `seed`, this `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    worker_method: str = "multiprocessing"


def get_worker_info():
    """In a worker process of a `DataLoader` its `WorkerInfo`, elsewhere None.

    >>> from flambeau.utils.data import get_worker_info
    >>> print(get_worker_info())
    None
    """
    return _worker_info


class Job(NamedTuple):
    """What all workers of a loader have in common."""

    dataset: Any
    batched: bool
    collate_fn: Any
    drop_last: bool
    init_fn: Any
    base_seed: int
    num_workers: int


class Failure:
    """An exception on its way to the loader, with its traceback as text."""

    def __init__(self, exception, where):
        self.type = type(exception)
        try:
            pickle.dumps(self.type)
        except Exception:
            # A class that another process can not find, such as one made in a function.
            self.type = RuntimeError
        text = "".join(traceback.format_exception(exception))
        self.message = f"Caught {type(exception).__name__} {where}.\nOriginal {text}"

    def reraise(self):
        """Raise it again: the same type, or RuntimeError where that takes other arguments."""
        message = self.message
        if self.type is KeyError:
            message = _Verbatim(message)
        try:
            exception = self.type(message)
        except Exception:
            exception = RuntimeError(message)
        raise exception from None


class _Verbatim(str):
    """Text that KeyError, which shows the `repr` of its argument, shows as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def work(worker_id, job, tasks, results, progress):
    """Answer each (epoch, key) that comes through `tasks` by (kind, epoch, value), until told.

    The kind is BATCH, END (of a stream: other tasks of this epoch are not answered) or FAILURE. An
    answer of None goes ahead: this process listens. `progress` is
    kept up to date: see `dataset.progress`.
    """
    for connection in list(loader_ends):
        connection.close()
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(tasks, inbox, stop), daemon=True).start()
    _show_stack_on_demand()
    dataset.progress = progress
    where = f"in DataLoader worker process {worker_id}"
    reader = _Reader(job, where)
    try:
        send(results, None)
        reader.failure = _prepare(worker_id, job, where)
        while (message := inbox.get()) and not stop.is_set():
            epoch, key = pickle.loads(message)
            progress[1] = -1
            answer = reader.read(epoch, key)
            if answer is not None:
                _send(results, answer, epoch, where)
            progress[0] += 1
            del answer
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        # The loader does not listen any more; or Ctrl-C, which goes to all processes.
        pass


def _send(results, answer, epoch, where):
    try:
        send(results, answer)
    except OSError:
        raise
    except Exception as error:
        # What can not be pickled.
        send(results, (FAILURE, epoch, Failure(error, where)))


class _Reader:
    """Reads the batches of one epoch after the other; a `failure` is the next answer."""

    def __init__(self, job, where):
        self.job, self.where = job, where
        self.epoch = self.fetch = self.failure = None
        self.ended = False

    def read(self, epoch, key):
        """The answer to a task, None where the stream of its epoch has ended."""
        if epoch != self.epoch:
            self.epoch, self.fetch, self.ended = epoch, None, False
        if self.ended:
            return None
        if self.failure is not None:
            failure, self.failure = self.failure, None
            return FAILURE, epoch, failure
        job = self.job
        try:
            if self.fetch is None:
                self.fetch = make_fetcher(job.dataset, job.batched, job.collate_fn, job.drop_last)
            return BATCH, epoch, self.fetch(key)
        except Exception as error:
            self.ended = isinstance(error, StopIteration) and isinstance(
                job.dataset, IterableDataset
            )
            if self.ended:
                return END, epoch, None
            return FAILURE, epoch, Failure(error, self.where)


def _prepare(worker_id, job, where):
    """Seed what draws random numbers, and run the user's function. Returns its Failure, if any."""
    global _worker_info
    flambeau.set_num_threads(1)
    seed = job.base_seed + worker_id
    random.seed(seed)
    flambeau.manual_seed(seed)
    words = [worker_id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
    _worker_info = WorkerInfo(worker_id, job.num_workers, seed, job.dataset)
    try:
        if job.init_fn is not None:
            job.init_fn(worker_id)
    except Exception as error:
        return Failure(error, where)
    return None


def _listen(tasks, inbox, stop):
    """Pass tasks on as they come, so that the loader never waits to send; end with the loader."""
    parent = os.getppid()
    while True:
        try:
            if not tasks.poll(2.0):
                if os.getppid() != parent:
                    os._exit(1)
                continue
            message = tasks.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)
        if not message:
            stop.set()
        inbox.put(message)


def _show_stack_on_demand():
    """On SIGUSR2, which the loader sends when it has waited for long, print where this is."""
    if sys.platform != "win32":
        import faulthandler
        import signal

        faulthandler.register(signal.SIGUSR2, file=2)
