"""Whether operations take part in gradients: no_grad, enable_grad, inference_mode."""

import functools
import inspect
import threading

from ..recorder.trace import (
    autocast_dtype,
    grad_enabled,
    set_autocast,
    set_grad_mode,
    set_inference,
)

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_multithreading_enabled",
    "no_autocast",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


class _Inference(threading.local):
    """Whether `inference_mode` is on, and whether gradients would be recorded were it not."""

    on, asked = False, False


_inference = _Inference()


def is_grad_enabled():
    """Whether operations recorded now take part in gradients, unless `inference_mode` is on."""
    return _inference.asked if _inference.on else grad_enabled()


def is_inference_mode_enabled():
    """Whether `inference_mode` is on."""
    return _inference.on


def _set_mode(enabled):
    if _inference.on:
        _inference.asked = enabled
    else:
        set_grad_mode(enabled)


class _Mode:
    """A context manager, and a decorator for functions and generators, that sets the grad mode."""

    mode = True

    def __enter__(self):
        self.outer = is_grad_enabled()
        _set_mode(self.mode)
        return None

    def __exit__(self, *_):
        _set_mode(self.outer)

    def fresh(self):
        """Another context manager of the same mode."""
        return type(self)()

    def __call__(self, f):
        if inspect.isclass(f):
            f.__init__ = self(f.__init__)
            return f
        if inspect.isgeneratorfunction(f):
            return self._generator(f)

        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            with self.fresh():
                return f(*args, **kwargs)

        return wrapper

    def _generator(self, f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            items = f(*args, **kwargs)
            resume, sent = items.send, (None,)
            while True:
                try:
                    with self.fresh():
                        item = resume(*sent)
                except StopIteration as end:
                    return end.value
                try:
                    resume, sent = items.send, ((yield item),)
                except GeneratorExit:
                    with self.fresh():
                        items.close()
                    raise
                except BaseException as error:
                    resume, sent = items.throw, (error,)

        return wrapper


class no_grad(_Mode):
    """Operations within take no part in gradients.

    >>> import flambeau as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    mode = False

    def __new__(cls, f=None):
        self = object.__new__(cls)
        return self if f is None else self(f)


class enable_grad(_Mode):
    """Operations within take part in gradients, also inside `no_grad`."""

    mode = True

    def __new__(cls, f=None):
        self = object.__new__(cls)
        return self if f is None else self(f)


class inference_mode(_Mode):
    """As `no_grad`, also against `enable_grad` within, for what no gradient will ever need.

    Outside of it, tensors that were made in it can not be changed in place, made to require a
    gradient, or saved for a derivative: RuntimeError. A clone of one is an ordinary tensor.

    >>> import flambeau as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference(), x.clone().is_inference()
    (True, False)
    """

    def __new__(cls, mode=True):
        self = object.__new__(cls)
        if callable(mode):
            self.enabled = True
            return self(mode)
        return self

    def __init__(self, mode=True):
        self.enabled = bool(mode)

    def fresh(self):
        return inference_mode(self.enabled)

    def __enter__(self):
        self.outer = _inference.on, is_grad_enabled()
        set_grad_mode(not self.enabled)
        set_inference(self.enabled)
        _inference.on, _inference.asked = self.enabled, False

    def __exit__(self, *_):
        _inference.on, enabled = self.outer
        set_inference(_inference.on)
        _inference.asked = enabled
        set_grad_mode(enabled and not _inference.on)


class set_grad_enabled(_Mode):
    """Turn gradients on or off: at once, and back at the end of a `with` block."""

    def __init__(self, mode):
        if type(mode).__name__ not in ("bool", "bool_"):
            raise TypeError(
                "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not "
                f"{type(mode).__name__}"
            )
        self.mode = bool(mode)
        self.outer = is_grad_enabled()
        _set_mode(self.mode)

    def fresh(self):
        return set_grad_enabled(self.mode)

    def __enter__(self):
        _set_mode(self.mode)
        return None

    def __call__(self, f):
        _set_mode(self.outer)
        return super().__call__(f)


class no_autocast:
    """Operations within are computed in the dtypes of their operands."""

    def __enter__(self):
        self.outer = autocast_dtype()
        set_autocast(None)

    def __exit__(self, *_):
        set_autocast(self.outer)


class _Threads(threading.local):
    enabled = True


_threads = _Threads()


def is_multithreading_enabled():
    """What `set_multithreading_enabled` was last told in this thread."""
    return _threads.enabled


class set_multithreading_enabled(_Mode):
    """Whether a backward pass may use threads of its own: at once, and back after a `with` block.

    A pass is recorded by the thread that asks for it in any case, so this only remembers the wish;
    how many threads compute is said by `set_num_threads`.
    """

    def __init__(self, mode):
        self.mode, self.outer = mode, _threads.enabled
        _threads.enabled = mode

    def fresh(self):
        return set_multithreading_enabled(self.mode)

    def __enter__(self):
        _threads.enabled = self.mode

    def __exit__(self, *_):
        _threads.enabled = self.outer

    def __call__(self, f):
        _threads.enabled = self.outer
        return super().__call__(f)
