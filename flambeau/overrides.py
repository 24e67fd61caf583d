"""`flambeau.overrides`: what a class needs that says by `__torch_function__` what functions do."""

import contextlib
import functools

from .ops.api import FUNCTIONS, METHODS
from .overriding import Overridable, ask, ask_mode, asked, overrides, pop_mode, push_mode, state
from .recorder.handle import Tensor

__all__ = [
    "BaseTorchFunctionMode",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]


def has_torch_function(relevant_args):
    """Whether a mode, or the class of one of some arguments, says what functions do.

    >>> import flambeau as torch
    >>> torch.overrides.has_torch_function((torch.ones(2), 3))
    False
    """
    if state.quiet:
        return False
    return bool(state.modes) or (
        not state.disabled and any(overrides(type(x)) for x in relevant_args)
    )


def has_torch_function_unary(x):
    """`has_torch_function` of one argument."""
    return has_torch_function((x,))


def has_torch_function_variadic(*args):
    """`has_torch_function` of the arguments."""
    return has_torch_function(args)


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What a mode, or the class of one of `relevant_args`, makes of a call of `public_api`.

    Raises: TypeError if none of them knows.

        def mean_of(x, y):
            if has_torch_function((x, y)):
                return handle_torch_function(mean_of, (x, y), x, y)
            return (x + y) / 2
    """
    found = asked(relevant_args, {})
    if state.modes:
        result = ask_mode(public_api, found, args, kwargs)
        if result is not NotImplemented:
            return result
    return ask(public_api, found, args, kwargs)


def is_tensor_like(inp):
    """Whether something is a tensor, or has a `__torch_function__`."""
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def wrap_torch_function(dispatcher):
    """A decorator: the function asks the classes of what `dispatcher(*arguments)` returns."""

    def decorate(func):
        @functools.wraps(func)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


def get_overridable_functions():
    """{where: functions} of all that ask."""
    import flambeau

    functions = [getattr(flambeau, name) for name in FUNCTIONS]
    methods = [f for name, f in METHODS.items() if callable(f)]
    return {flambeau: functions, Tensor: methods}


def is_tensor_method_or_property(func):
    """Whether a function is a method of Tensor, or reads a property of it."""
    if getattr(func, "__name__", "") == "__get__":
        return True
    return any(f is func or f == func for f in METHODS.values())


def resolve_name(f):
    """The name by which a function is called, as "torch.add" or "torch.Tensor.add", or None."""
    for table, begin in ((FUNCTIONS, "torch."), (METHODS, "torch.Tensor.")):
        for name, known in table.items():
            if known is f or (isinstance(f, Overridable) and f == known):
                return begin + name
    return None


class TorchFunctionMode:
    """A context whose `__torch_function__` is asked what every public function does.

    It is called as `__torch_function__(func, types, args, kwargs)`, and `func(*args, **kwargs)`
    does there what it does without the mode.

    >>> import flambeau as torch
    >>> class Count(torch.overrides.TorchFunctionMode):
    ...     names = []
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         self.names.append(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Count() as mode:
    ...     _ = torch.ones(2).exp() + 1
    >>> mode.names
    ['ones', 'exp', 'add']
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError(f"{type(self).__name__} does not define __torch_function__")

    def __enter__(self):
        push_mode(self)
        return self

    def __exit__(self, *_):
        pop_mode()

    @classmethod
    def push(cls, *args, **kwargs):
        """The mode itself, as older programs make it."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def DisableTorchFunctionSubclass():
    """Within the block, subclasses of Tensor are not asked."""
    state.disabled += 1
    try:
        yield
    finally:
        state.disabled -= 1


@contextlib.contextmanager
def DisableTorchFunction():
    """Within the block, neither modes nor subclasses of Tensor are asked."""
    before, state.quiet = state.quiet, True
    try:
        yield
    finally:
        state.quiet = before
