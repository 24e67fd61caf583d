"""`Library` and the functions that name an operation and say what it does piece by piece."""

from .operations import OPERATIONS, CustomOpDef, find
from .schema import parse

__all__ = [
    "Library",
    "define",
    "impl",
    "register_autograd",
    "register_fake",
    "register_kernel",
]

_KEYS = {
    "": None,
    "CompositeExplicitAutograd": None,
    "CompositeImplicitAutograd": None,
    "CPU": "cpu",
    "CUDA": "cuda",
    "MPS": "mps",
    "XPU": "xpu",
}


class Library:
    """Names operations of a namespace, or says what those of another `Library` do.

    Args: ns: the namespace; kind: "DEF", "FRAGMENT" or "IMPL"; dispatch_key: the device that `impl`
        is for, as "CPU". Raises: ValueError for another kind, and for the namespace of PyTorch's
        own operations, which are flambeau's own and can not be changed.

    >>> import flambeau as torch
    >>> library = torch.library.Library("demo2", "DEF")
    >>> library.define("scaled(Tensor x, float by=2.0) -> Tensor")
    'scaled'
    >>> library.impl("scaled", lambda x, by=2.0: x * by, "CPU")
    >>> torch.ops.demo2.scaled(torch.ones(2), by=3.0)
    tensor([3., 3.])
    """

    def __init__(self, ns, kind, dispatch_key=""):
        if kind not in ("DEF", "FRAGMENT", "IMPL"):
            raise ValueError(f"Unsupported kind: {kind}")
        if ns in ("aten", "prim", "prims"):
            raise ValueError(f"{ns} is a reserved namespace: its operations can not be changed")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def define(self, schema, alias_analysis="", *, tags=()):
        """Name an operation by its schema, as "f(Tensor x) -> Tensor"; returns its name.

        Raises: RuntimeError for a schema that can not be read, or a name that is taken.
        """
        name, found = parse(schema)
        qualname = f"{self.ns}::{name}"
        if qualname in OPERATIONS:
            raise RuntimeError(
                f"Tried to register an operator ({qualname}) with the same name and overload name "
                "multiple times."
            )
        CustomOpDef(qualname, found)
        return name

    def impl(self, op_name, fn, dispatch_key="", *, with_keyset=False, allow_override=True):
        """Say what computes an operation on a device, or ("Meta") what its results are like.

        Raises: ValueError for another key; AttributeError for an unknown operation.
        """
        name = op_name if isinstance(op_name, str) else op_name.__name__
        op = find(f"{self.ns}::{name.rpartition('::')[2]}")
        key = dispatch_key or self.dispatch_key
        if key == "Meta":
            op.register_fake(fn)
        elif key in _KEYS:
            op.register_kernel(_KEYS[key], fn)
        else:
            raise ValueError(
                f"dispatch key {key!r}: expected Meta or one of {', '.join(filter(None, _KEYS))}; "
                "register_autograd says what the derivative is"
            )


def define(qualname, schema, *, lib=None, tags=()):
    """Name an operation "namespace::name" by its schema, as "(Tensor x) -> Tensor"."""
    space, _, name = qualname.partition("::")
    Library(space, "FRAGMENT").define(name + schema)


def impl(qualname, types, func=None, *, lib=None):
    """Say what computes an operation on some devices; a decorator without `func`."""
    return find(qualname).register_kernel(None if types == "default" else types, func)


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """Say what computes an operation on some devices (None: any); a decorator without `func`."""
    return find(op).register_kernel(device_types, func)


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=True):
    """Say what shape and dtype results have, by a function; a decorator without `func`."""
    made = find(op)
    return made.register_fake if func is None else made.register_fake(func)


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """Say what the derivative of an operation is: see `CustomOpDef.register_autograd`."""
    find(op).register_autograd(backward, setup_context=setup_context)
