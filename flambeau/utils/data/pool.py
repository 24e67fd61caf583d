"""The worker processes of a `DataLoader`, as the loader sees them."""

import collections
import contextlib
import os
import pickle
import sys
import time
import warnings

from .transport import receive
from .worker import FAILURE, Failure, loader_ends, work

__all__ = ["Worker", "answer_of_first", "shut_down"]

# Seconds that a worker has to finish when told to stop.
GRACE = 5.0
# Seconds of waiting for a batch after which the user is told where the worker is.
SLOW = 10.0


class Worker:
    """A process that reads batches: `send` it keys, and it answers in the same order.

    `keys` are those it has not answered; `active` is False once its stream has ended; `listening`
    is True once it has said that it runs.
    """

    def __init__(self, context, worker_id, job):
        self.id = worker_id
        self.keys = collections.deque()
        self.active = True
        self.listening = False
        self.sent = 0
        self.progress = context.RawArray("q", [0, -1])
        tasks, self.tasks = context.Pipe(duplex=False)
        # Both ways, since descriptors can only be sent through a socket.
        self.results, results = context.Pipe(duplex=True)
        loader_ends.update((self.tasks, self.results))
        self.process = context.Process(
            target=work,
            args=(worker_id, job, tasks, results, self.progress),
            name=f"DataLoader-worker-{worker_id}",
            daemon=True,
        )
        try:
            with warnings.catch_warnings():
                # Python warns of a fork beside threads. The child starts no locks of theirs.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.process.start()
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            error.add_note(
                f"DataLoader: worker processes are made by {context.get_start_method()!r}, which "
                "pickles the dataset, collate_fn and worker_init_fn. They must be defined at the "
                "top level of a module, or use multiprocessing_context='fork'."
            )
            raise
        finally:
            tasks.close()
            results.close()

    def send(self, epoch, key):
        """Ask for the batch of `key`."""
        self.keys.append(key)
        self.sent += 1
        try:
            self.tasks.send_bytes(pickle.dumps((epoch, key)))
        except OSError:
            raise self.death() from None

    def receive(self):
        """The next answer: (kind, epoch, value)."""
        try:
            return receive(self.results)
        except (EOFError, OSError):
            raise self.death() from None
        except Exception as error:
            # What was pickled there can not be made here.
            return FAILURE, None, Failure(error, f"in a batch of DataLoader worker {self.id}")

    def death(self):
        """The error that tells of the end of this worker."""
        self.process.join(1.0)
        return RuntimeError(
            f"DataLoader worker (pid(s) {self.process.pid}) exited unexpectedly: worker {self.id} "
            f"{_how(self.process.exitcode)}{self.place()}"
        )

    def place(self):
        """What it was or is doing, for messages."""
        if not self.keys:
            return ""
        answered, place = self.progress
        # It may be further than its answers that were looked at.
        at = answered - (self.sent - len(self.keys))
        key = self.keys[min(max(at, 0), len(self.keys) - 1)]
        if isinstance(key, list) and 0 <= place < len(key):
            return f" while reading the sample {key[place]!r:.60} of {_brief(key)}"
        return f" while reading {_brief(key)}"

    def show_stack(self):
        """Have it print on standard error where it is."""
        if self.listening and sys.platform != "win32":
            import signal

            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGUSR2)


def answer_of_first(workers, everyone, timeout):
    """(worker, answer) of the first of `workers` that has one.

    Raises RuntimeError where a process of `everyone` has died, or after `timeout` seconds, 0 for no
    limit. A long wait is told once, with the stack of the worker.
    """
    from multiprocessing.connection import wait

    sources = [worker.results for worker in workers]
    sources += [worker.process.sentinel for worker in everyone]
    started, told = time.monotonic(), False
    while True:
        left = (timeout or SLOW) - (time.monotonic() - started)
        ready = wait(sources, None if told else max(0.0, left))
        for worker in workers:
            if worker.results in ready:
                answer = worker.receive()
                if answer is not None:
                    return worker, answer
                worker.listening = True
                break
        else:
            for worker in everyone:
                if worker.process.sentinel in ready:
                    raise worker.death()
            if not ready:
                _tell_slow(workers[0], timeout)
                told = True


def _tell_slow(worker, timeout):
    worker.show_stack()
    state = f"worker {worker.id} (pid {worker.process.pid}) is alive{worker.place()}"
    if timeout:
        raise RuntimeError(f"DataLoader timed out after {timeout} seconds: {state}")
    warnings.warn(
        f"DataLoader has waited {SLOW:.0f} seconds for a batch: {state}; its stack is printed on "
        "standard error. Set timeout= to have an error instead.",
        stacklevel=5,
    )


def shut_down(workers, owner):
    """End the processes and close the pipes. Does nothing in another process than `owner`."""
    if os.getpid() != owner:
        return
    for worker in workers:
        # Dead workers have no pipe any more; those that wait to send an answer are woken up.
        with contextlib.suppress(OSError):
            worker.tasks.send_bytes(b"")
        worker.results.close()
    deadline = time.monotonic() + GRACE
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
    for end in ("terminate", "kill"):
        late = [worker.process for worker in workers if worker.process.is_alive()]
        for process in late:
            getattr(process, end)()
        for process in late:
            process.join(1.0)
    for worker in workers:
        worker.tasks.close()
    workers.clear()


def _how(exitcode):
    if exitcode is None or exitcode >= 0:
        return f"ended with exit code {exitcode}"
    import signal

    name = signal.Signals(-exitcode).name
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def _brief(key):
    """A key, or the list of those of a batch, cut to fit in a message."""
    many = isinstance(key, list)
    text = repr(key)
    return f"the sample{'s' if many else ''} {text if len(text) <= 60 else text[:56] + ' ...'}"
