"""Operations of one's own: a name, a schema, and Python functions that compute, and derive."""

from ..autograd.function import Function
from ..autograd.modes import is_grad_enabled
from ..ops import NAMESPACES
from ..recorder.handle import Tensor
from .schema import Schema, inferred, parse

__all__ = ["OPERATIONS", "CustomOpDef", "Namespace", "custom_op", "find"]

OPERATIONS = {}  # "namespace::name" -> CustomOpDef

ALIAS = (
    "{name}: The output of this custom operator (1) must not also be an input to this custom "
    "operator and (2) may not alias any inputs to this custom operator or other returns. The most "
    "common way to trigger this error is if we have y = custom_op(x) and y and x are the same "
    "Tensor. Please instead return a clone of the offending output tensor(s) (e.g. return "
    "x.clone()) or refactor the custom operator to not return y."
)


class Namespace:
    """The operations of a namespace, `torch.ops.NAMESPACE.NAME`."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        found = OPERATIONS.get(f"{self._name}::{name}")
        if found is None or name.startswith("__"):
            raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{name}'")
        return found

    def __dir__(self):
        begin = self._name + "::"
        return [n.removeprefix(begin) for n in OPERATIONS if n.startswith(begin)]


def find(op):
    """The operation that is meant: one, or its name. Raises AttributeError if there is none."""
    if isinstance(op, CustomOpDef):
        return op
    space, _, name = op.removesuffix(".default").partition("::")
    return getattr(Namespace(space), name)


class CustomOpDef:
    """An operation of one's own; calling it computes its result.

    Its function is called each time, with what it is given: what it records is part of the
    program, what it does with NumPy happens at once. Without a derivative, a backward pass through
    it is an error.
    """

    def __init__(self, name, schema):
        space, _, own = name.partition("::")
        if not (space.isidentifier() and own.isidentifier()):
            raise ValueError(f"expected a name such as 'namespace::name', got '{name}'")
        self._qualname, self.schema = name, schema
        self.__name__ = own
        self.kernels, self.fake = {}, None  # kernels: of each kind of device, None for any
        self._backward = self._setup = None
        self._function = self._differentiable()
        OPERATIONS[name] = self
        NAMESPACES.setdefault(space, Namespace(space))

    @property
    def default(self):
        """The operation itself: it has one form."""
        return self

    def __repr__(self):
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args, **kwargs):
        values = self.schema.bind(self._qualname, args, kwargs)
        flat, places = _flat(values)
        if is_grad_enabled() and not self.schema.mutated and any(x.requires_grad for x in flat):
            return self._function.apply(values, places, *flat)
        return self._compute(values)

    def _compute(self, values):
        """What the function for this device gives; checked not to be an argument."""
        kernel = self.kernels.get("cpu", self.kernels.get(None))
        if kernel is None:
            raise NotImplementedError(
                f"Could not run '{self._qualname}' with arguments from the 'CPU' backend: it has "
                f"no function for it (register_kernel), only for {sorted(self.kernels) or 'none'}."
            )
        positional, keywords = self.schema.split(values)
        result = kernel(*positional, **keywords)
        given, _ = _flat(values)
        for x in _flat([result])[0]:
            if any(x is y or _share(x, y) for y in given):
                raise RuntimeError(ALIAS.format(name=self._qualname))
        return result

    # What else is known of it

    def register_kernel(self, device_types, fn=None, /):
        """Say what computes it on some devices (None for any); a decorator without `fn`."""
        if fn is None:
            return lambda f: self.register_kernel(device_types, f)
        kinds = [device_types] if isinstance(device_types, (str, type(None))) else device_types
        for kind in kinds:
            self.kernels[kind] = fn
        return fn

    def register_fake(self, fn, /):
        """Say what shape and dtype its result has, by a function that makes one; a decorator."""
        self.fake = fn
        return fn

    def register_autograd(self, backward, /, *, setup_context=None):
        """Say what its derivative is.

        Args: backward(ctx, *grads): the gradient, or None, of each argument, in a list for a list;
            setup_context(ctx, inputs, output): keeps what that needs; where the schema has
            arguments by keyword only also `keyword_only_inputs`.
        Raises: RuntimeError if the operation changes arguments.
        """
        if self.schema.mutated:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self} with schema "
                f"{self._qualname}{self.schema}. Please create a functional operator and register "
                "an autograd formula for that."
            )
        self._backward, self._setup = backward, setup_context

    def _derive(self, ctx, values, output):
        if self._setup is None:
            return
        positional, keywords = self.schema.split(values)
        more = {"keyword_only_inputs": keywords} if keywords else {}
        self._setup(ctx=ctx, inputs=tuple(positional), output=output, **more)

    def _differentiable(self):
        """The `Function` that records it with its derivative."""
        op = self

        class Recorded(Function):
            @staticmethod
            def forward(ctx, values, places, *flat):
                output = op._compute(values)
                ctx._places = places
                op._derive(ctx, values, output)
                return tuple(output) if isinstance(output, list) else output

            @staticmethod
            def backward(ctx, *grads):
                if op._backward is None:
                    raise RuntimeError(
                        f"Trying to backward through {op._qualname.replace('::', '.')}.default but "
                        "no autograd formula was registered. Please use register_autograd to add "
                        "one."
                    )
                made = op._backward(ctx, *grads)
                made = made if isinstance(made, tuple) else (made,)
                return (None, None, *_gradients(made, ctx._places))

        Recorded.__name__ = f"GeneratedBackwardFor_{self._qualname.replace('::', '_')}_default"
        return Recorded


def _flat(values):
    """(the tensors in values and in lists of them; (index, index in the list or None) of each)."""
    tensors, places = [], []
    for k, x in enumerate(values):
        for j, item in enumerate(x) if isinstance(x, (list, tuple)) else ((None, x),):
            if isinstance(item, Tensor):
                tensors.append(item)
                places.append((k, j))
    return tensors, places


def _gradients(made, places):
    """The gradient of each tensor, of what `backward` has returned for the arguments."""
    for k, j in places:
        g = made[k] if k < len(made) else None
        yield g if j is None or g is None else g[j]


def _share(x, y):
    return x._storage is not None and x._storage is y._storage


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """Make a Python function an operation `torch.ops.NAMESPACE.NAME`; a decorator without `fn`.

    Args:
        name: "namespace::name".
        mutates_args: the names of the arguments that the function changes, or "unknown".
        device_types: the devices that the function is for, all by default.
        schema: what it takes, by default what its type annotations say.

    Raises: ValueError for a name or annotations that do not say it.

    >>> import numpy as np
    >>> import flambeau as torch
    >>> @torch.library.custom_op("demo::sine", mutates_args=())
    ... def sine(x: torch.Tensor) -> torch.Tensor:
    ...     return torch.from_numpy(np.sin(x.numpy(force=True)))
    >>> sine.register_autograd(
    ...     lambda ctx, g: g * ctx.saved_tensors[0].cos(),
    ...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    ... )
    >>> x = torch.zeros(2, requires_grad=True)
    >>> torch.ops.demo.sine(x).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """
    if fn is None:
        return lambda f: custom_op(
            name, f, mutates_args=mutates_args, device_types=device_types, schema=schema
        )
    if schema is None:
        found = inferred(fn, mutates_args)
    else:
        found = parse(schema if schema.strip()[:1] != "(" else name.partition("::")[2] + schema)[1]
        _require_names(found, mutates_args)
    made = CustomOpDef(name, found)
    made.register_kernel(device_types, fn)
    made._init_fn = fn
    return made


def _require_names(schema, mutates_args):
    if mutates_args != "unknown":
        names = [mutates_args] if isinstance(mutates_args, str) else list(mutates_args)
        if sorted(names) != sorted(schema.mutated):
            raise ValueError(
                f"Attempted to create a custom op with `mutates_args={mutates_args}` and "
                f"`schema={Schema.__str__(schema)}. The schema suggests that the op mutates "
                f"{schema.mutated}"
            )
