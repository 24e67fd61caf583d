"""`flambeau.futures`: values that are not there yet, such as those of a collective operation."""

import threading
from types import GenericAlias

__all__ = ["Future", "collect_all", "wait_all"]

AGAIN = (
    "Attempting to mark a completed Future as complete again. Note that a Future can only be "
    "marked completed once."
)


class Future:
    """A value that somebody will set once: threads wait for it, callbacks are called with it.

    Args: devices: accepted as in PyTorch; values are on the CPU.

    >>> import flambeau as torch
    >>> future = torch.futures.Future()
    >>> doubled = future.then(lambda f: 2 * f.wait())
    >>> future.set_result(4)
    >>> doubled.wait()
    8
    """

    __class_getitem__ = classmethod(GenericAlias)  # `Future[int]`, for annotations

    def __init__(self, *, devices=None):
        self._ready = threading.Condition()
        self._done, self._result, self._error = False, None, None
        self._callbacks = []

    def done(self):
        """Whether the value, or an exception, has been set."""
        return self._done

    def wait(self):
        """The value, once it is set. Raises the exception if that was set instead."""
        with self._ready:
            self._ready.wait_for(self.done)
        if self._error is not None:
            raise self._error
        return self._result

    def value(self):
        """The value. Raises RuntimeError if it is not set yet, or the exception that was set."""
        if not self._done:
            raise RuntimeError("value(): the Future is not completed yet: wait() waits for it")
        return self.wait()

    def then(self, callback):
        """A future of `callback(self)`, which is called when this one is complete.

        An exception that the callback raises becomes that of the new future.
        """
        following = Future()

        def go_on(future):
            try:
                result = callback(future)
            except Exception as error:
                following._complete(None, error)
            else:
                following._complete(result, None)

        self.add_done_callback(go_on)
        return following

    def add_done_callback(self, callback):
        """Call `callback(self)` when this future is complete, now if it is so already."""
        with self._ready:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def set_result(self, result):
        """Set the value. Raises RuntimeError if this future is complete already."""
        self._complete(result, None)

    def set_exception(self, result):
        """Set an exception, which `wait` raises. Raises AssertionError for what is none."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def _complete(self, result, error):
        with self._ready:
            if self._done:
                raise RuntimeError(AGAIN)
            self._result, self._error, self._done = result, error, True
            callbacks, self._callbacks = self._callbacks, []
            self._ready.notify_all()
        for callback in callbacks:
            callback(self)


def collect_all(futures):
    """A future of the list of futures itself, complete when all of them are.

    >>> import flambeau as torch
    >>> a, b = torch.futures.Future(), torch.futures.Future()
    >>> both = torch.futures.collect_all([a, b])
    >>> a.set_result(1)
    >>> both.done()
    False
    >>> b.set_result(2)
    >>> [f.value() for f in both.wait()]
    [1, 2]
    """
    futures, collected = list(futures), Future()
    missing, lock = len(futures), threading.Lock()

    def count(future):
        nonlocal missing
        with lock:
            missing -= 1
            last = not missing
        if last:
            collected.set_result(futures)

    for future in futures:
        future.add_done_callback(count)
    if not futures:
        collected.set_result(futures)
    return collected


def wait_all(futures):
    """The values of all futures, in order. Raises the exception of the first that has one."""
    return [future.wait() for future in collect_all(futures).wait()]
