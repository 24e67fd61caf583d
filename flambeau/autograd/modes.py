"""Whether operations take part in gradients: no_grad, enable_grad, inference_mode."""

import functools
import inspect

from ..recorder.trace import grad_enabled, set_grad_mode

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]

_inference = 0


def is_grad_enabled():
    """Whether operations recorded now take part in gradients."""
    return grad_enabled()


def is_inference_mode_enabled():
    """Whether `inference_mode` is on."""
    return _inference > 0


class _Mode:
    """A context manager, and a decorator for functions and generators, that sets the grad mode."""

    mode = True

    def __enter__(self):
        self.outer = grad_enabled()
        set_grad_mode(self.mode)
        return None

    def __exit__(self, *_):
        set_grad_mode(self.outer)

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
            sent = None
            while True:
                try:
                    with self.fresh():
                        item = items.send(sent)
                except StopIteration as end:
                    return end.value
                sent = yield item

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
    """As `no_grad`; a tensor made within is an ordinary tensor here."""

    def __new__(cls, mode=True):
        self = object.__new__(cls)
        if callable(mode):
            self.enabled = self.mode_value = True
            return self(mode)
        return self

    def __init__(self, mode=True):
        self.enabled = mode

    def fresh(self):
        return inference_mode(self.enabled)

    def __enter__(self):
        global _inference
        self.outer = grad_enabled()
        if self.enabled:
            _inference += 1
            set_grad_mode(False)

    def __exit__(self, *_):
        global _inference
        if self.enabled:
            _inference -= 1
        set_grad_mode(self.outer)


class set_grad_enabled(_Mode):
    """Turn gradients on or off: at once, and back at the end of a `with` block."""

    def __init__(self, mode):
        self.mode = bool(mode)
        self.outer = grad_enabled()
        set_grad_mode(self.mode)

    def fresh(self):
        return set_grad_enabled(self.mode)

    def __enter__(self):
        set_grad_mode(self.mode)
        return None

    def __call__(self, f):
        set_grad_mode(self.outer)
        return super().__call__(f)
