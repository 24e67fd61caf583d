"""How functions and methods ask the classes of their arguments, and modes, what to do.

A class says so by `__torch_function__`. Programs without such classes pay nothing: the functions
know nothing of all this. When the first subclass of Tensor is made, the public functions and
methods are put into `Overridable`s, which look at their arguments; the subclass itself gets methods
and properties that ask it. Within a `TorchFunctionMode` the operators of Tensor are, too.
"""

import functools
import importlib
import sys
import threading
import types

from .ops import api
from .ops.api import FUNCTIONS, METHODS
from .recorder.handle import Tensor

__all__ = [
    "Overridable",
    "ask",
    "ask_from_now_on",
    "ask_mode",
    "asked",
    "call",
    "disabled_torch_function",
    "overrides",
    "pop_mode",
    "push_mode",
    "state",
]


class _State(threading.local):
    """What is asked in this thread.

    modes: the active modes, the innermost last; disabled: how often subclasses are not to be
    asked; quiet: whether a function of flambeau is running, within which nobody is asked.
    """

    modes = ()
    disabled = 0
    quiet = False


state = _State()

# Types of arguments whose `__torch_function__` nobody asks for; and whether others have one.
_PLAIN = {Tensor, int, float, bool, complex, str, type(None)}
_known = {}


@classmethod
def disabled_torch_function(cls, func, types, args=(), kwargs=None):
    """The `__torch_function__` of tensors that are handled as plain ones, such as parameters."""
    return func(*args, **(kwargs or {}))


def overrides(kind):
    """Whether instances of a class are asked."""
    found = _known.get(kind)
    if found is None:
        f = getattr(kind, "__torch_function__", None)
        plain = getattr(f, "__func__", None) is disabled_torch_function.__func__
        found = _known[kind] = f is not None and not plain and not _is_own(kind)
        if not found and not issubclass(kind, (list, tuple, dict)):
            _PLAIN.add(kind)
    return found


def _is_own(kind):
    """Whether a class is one of flambeau's tensors, which its functions know."""
    return issubclass(kind, Tensor) and kind.__module__.partition(".")[0] == "flambeau"


def asked(args, kwargs):
    """The arguments whose classes are asked, one of each class, subclasses first.

    Those in lists and tuples count, too.
    """
    found = []
    for x in (*args, *kwargs.values()):
        for y in x if type(x) in (list, tuple) else (x,):
            kind = type(y)
            if kind in _PLAIN or not overrides(kind) or any(type(z) is kind for z in found):
                continue
            places = (k for k, z in enumerate(found) if issubclass(kind, type(z)))
            found.insert(next(places, len(found)), y)
    return found


def call(func, original, args, kwargs):
    """What a mode, or the class of an argument, makes of a call; else what `original` gives.

    func: what they are told was called.
    """
    if state.quiet:
        return original(*args, **kwargs)
    found = asked(args, kwargs) if state.modes or not state.disabled else []
    if state.modes:
        result = ask_mode(func, found, args, kwargs)
        if result is not NotImplemented:
            return result
    if found and not state.disabled:
        return ask(func, found, args, kwargs)
    state.quiet = True
    try:
        return original(*args, **kwargs)
    finally:
        state.quiet = False


def ask_mode(func, found, args, kwargs):
    """What the innermost mode makes of a call; there, only those around it are active."""
    modes = state.modes
    state.modes = modes[:-1]
    try:
        return modes[-1].__torch_function__(func, tuple(map(type, found)), args, kwargs)
    finally:
        state.modes = modes


def ask(func, found, args, kwargs):
    """What the first class that knows gives. Raises TypeError if none does."""
    kinds = tuple(map(type, found))
    for x in found:
        result = x.__torch_function__(func, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    name = getattr(func, "__name__", str(func))
    raise TypeError(
        f"no implementation found for 'torch.{name}' on types that implement __torch_function__: "
        f"{list(kinds)}"
    )


class Overridable:
    """A public function, or a method of Tensor, that asks. It is equal to the function itself.

    Those who are asked are told that it is the method `told` of Tensor, if that is given.
    Attribute `function`: what it does if nobody answers.
    """

    def __init__(self, function, told=None):
        functools.update_wrapper(self, function)
        self.function, self._told = function, told

    def __call__(self, *args, **kwargs):
        if kwargs or state.modes or not _PLAIN.issuperset(map(type, args)):
            told = self if self._told is None else getattr(Tensor, self._told)
            return call(told, self.function, args, kwargs)
        return self.function(*args)

    def __get__(self, obj, kind=None):
        return self if obj is None else types.MethodType(self, obj)

    def __eq__(self, other):
        return self.function is getattr(other, "function", other)

    def __hash__(self):
        return hash(self.function)

    def __repr__(self):
        return repr(self.function)

    def __reduce__(self):
        if getattr(sys.modules.get(self.__module__), self.__qualname__, None) is self:
            return self.__qualname__  # found by its name, as the function itself would be
        return _itself, (self.function,)


def _itself(function):
    return function


# What a subclass of Tensor does by default


def _convert(result, cls, args):
    """A result, or those in a tuple or list, as instances of a subclass."""
    if isinstance(result, Tensor):
        if isinstance(result, cls):
            return result
        if type(result) is Tensor and not any(result is x for x in args):
            try:
                result.__class__ = cls  # it is new: nobody else knows it
            except TypeError:  # the subclass has slots
                pass
            else:
                return result
        return METHODS["as_subclass"](result, cls)
    if isinstance(result, (tuple, list)):
        items = [_convert(x, cls, args) for x in result]
        kind = type(result)
        return kind(*items) if hasattr(result, "_fields") else kind(items)
    return result


@classmethod
def _torch_function(cls, func, types, args=(), kwargs=None):
    """Call `func`; tensors among its results become instances of this class.

    Subclasses of Tensor define this to say what functions do with them, and call it by `super()`.
    """
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    state.disabled += 1
    try:
        result = func(*args, **(kwargs or {}))
        if cls is not Tensor and func not in _AS_THEY_ARE:
            result = _convert(result, cls, args)
        return result
    finally:
        state.disabled -= 1


# What Python's operators are told to be, as in PyTorch.
_NAMES = {
    **{f"__{name}__": name for name in ("add", "sub", "mul", "matmul", "neg", "gt", "lt", "ge")},
    **{f"__{name}__": name for name in ("le", "ne")},
    **{f"__i{name}__": f"{name}_" for name in ("add", "sub", "mul")},
    "__radd__": "add",
    "__rmul__": "mul",
    "__truediv__": "div",
    "__itruediv__": "div_",
}
# Pickling and copying have ways of their own.
_APART = frozenset(
    ("__deepcopy__", "__hash__", "__reduce__", "__reduce_ex__", "__setstate__", "as_subclass")
)


def _asking_method(name):
    """The method of a subclass that asks it."""
    original = METHODS[name]

    @functools.wraps(original)
    def method(self, *args, **kwargs):
        if state.quiet:
            return original(self, *args, **kwargs)
        func = getattr(Tensor, _NAMES.get(name, name))
        return call(func, original, (self, *args), kwargs)

    return method


def _asking_property(name):
    """The property of a subclass whose value it is asked for."""
    original = vars(Tensor)[name]

    def get(self):
        if state.quiet:
            return original.fget(self)
        return call(original.__get__, original.__get__, (self,), {})

    return property(get, original.fset, original.fdel, original.__doc__)


@functools.cache
def _asking():
    """{name: method or property} that a subclass gets."""
    found = {
        name: _asking_method(name)
        for name, f in METHODS.items()
        if callable(f) and not isinstance(f, type) and name not in _APART
    }
    for name, x in vars(Tensor).items():
        if isinstance(x, property) and not name.startswith("_"):
            found[name] = _asking_property(name)
    return found


def _init_subclass(cls, **kwargs):
    """Let a subclass of Tensor be asked, unless it is one of flambeau's own."""
    super(Tensor, cls).__init_subclass__(**kwargs)
    if not overrides(cls):
        return
    _swap()
    between = cls.__mro__[: cls.__mro__.index(Tensor)]
    for name, f in _asking().items():
        if not any(name in vars(c) for c in between):
            setattr(cls, name, f)


Tensor.__init_subclass__ = classmethod(_init_subclass)
Tensor.__torch_function__ = _torch_function
_AS_THEY_ARE = ()  # getters whose tensors stay plain; set once Tensor is complete


# Putting functions into Overridables

_MODULES = ("nn.functional", "linalg", "fft", "special")
_swapped = {}  # whether dunder methods are: [(where, name, what was there)]


def _places():
    """(module, name, function) of each public function."""
    package = sys.modules["flambeau"]
    for name, f in FUNCTIONS.items():
        if vars(package).get(name) is f and isinstance(f, types.FunctionType):
            yield package, name, f
    for path in _MODULES:
        module = importlib.import_module(f"flambeau.{path}")
        for name in module.__all__:
            f = getattr(module, name)
            if isinstance(f, types.FunctionType):
                yield module, name, f


def _swap(dunders=False):
    """Have the public functions and the methods of Tensor ask."""
    global _AS_THEY_ARE
    if not _AS_THEY_ARE:
        _AS_THEY_ARE = [vars(Tensor)[name].__get__ for name in ("grad", "_base")]
    if dunders in _swapped:
        return
    if dunders:
        _swap()
    before = _swapped[dunders] = []
    for name, f in METHODS.items():
        special = name.startswith("__")
        if special is dunders and isinstance(f, types.FunctionType) and name not in _APART:
            before.append((Tensor, name, f))
    if not dunders:
        before.extend(_places())
    for where, name, f in before:
        setattr(where, name, Overridable(f, _NAMES.get(name) if where is Tensor else None))


def _swap_back(dunders):
    for where, name, f in _swapped.pop(dunders):
        setattr(where, name, f)


def ask_from_now_on():
    """Have the public functions ask what classes besides Tensor say; subclasses need no call."""
    _swap()


_modes = []  # those that are active in any thread


def push_mode(mode):
    """Let a mode see what this thread calls."""
    _swap(dunders=True)
    _modes.append(mode)
    state.modes = (*state.modes, mode)


def pop_mode():
    """End the innermost mode of this thread; returns it."""
    *rest, mode = state.modes
    state.modes = tuple(rest)
    _modes.remove(mode)
    if not _modes:
        _swap_back(True)
    return mode


def _ask_others(name, args, kwargs):
    """What classes besides Tensor make of the function `name`; None, in a tuple of none, else."""
    found = [x for x in asked(args, kwargs) if not isinstance(x, Tensor)]
    return (ask(getattr(sys.modules["flambeau"], name), found, args, kwargs),) if found else ()


api.ask_others = _ask_others
