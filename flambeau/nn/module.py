"""`Module`, the base of all networks and layers."""

import contextlib

import flambeau

from ..tensor import Tensor
from .hooks import ModuleHooks
from .state_dict import ModuleState
from .tree import ModuleTree

__all__ = ["Module"]


class Module(ModuleTree, ModuleHooks, ModuleState):
    """A part of a network: parameters, buffers and submodules, and a `forward` that uses them.

    Subclasses call `super().__init__()`, assign what they hold to attributes, and define
    `forward`. Calling the module calls `forward`.

    >>> import flambeau as torch
    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(torch.tensor([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """

    call_super_init = False
    dump_patches = False

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and (args or kwargs):
            name = f"{type(self).__name__}.__init__()"
            if kwargs:
                raise TypeError(f"{name} got an unexpected keyword argument '{next(iter(kwargs))}'")
            raise TypeError(f"{name} takes 1 positional argument but {len(args) + 1} were given")
        self.__dict__["training"] = True
        self._init_tree()
        self._init_hooks()
        self._init_state_hooks()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calling.

    def __call__(self, *args, **kwargs):
        try:
            if self._hooked:
                return self._call_hooked(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            _note_layer(error, self)
            raise

    def forward(self, *args, **kwargs):
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # Changing all tensors.

    def _apply(self, fn, recurse=True):
        """Replace the data of parameters, gradients and buffers by what `fn` makes of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with flambeau.no_grad():
            for param in self._parameters.values():
                if param is not None:
                    grad = param.grad
                    param.data = fn(param)
                    if grad is not None:
                        grad.data = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn):
        """Call `fn(module)` for every module below and then for this one; returns self.

        >>> import flambeau as torch
        >>> def zero(module):
        ...     if isinstance(module, torch.nn.Linear):
        ...         torch.nn.init.zeros_(module.weight)
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()).apply(zero)
        >>> net[0].weight.sum().item()
        0.0
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args, **kwargs):
        """Move or cast the parameters and buffers in place; returns self.

        Called as `to(device, dtype, non_blocking)`, `to(dtype, non_blocking)` or `to(tensor)`,
        each with an optional `memory_format`. Only floating-point and complex tensors are cast.
        Raises TypeError for an integer dtype, RuntimeError for a device that is not there.
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(tensor):
            options = {"device": device, "non_blocking": non_blocking}
            if tensor.is_floating_point() or tensor.is_complex():
                options["dtype"] = dtype
            if memory_format is not None and tensor.dim() in (4, 5):
                options["memory_format"] = memory_format
            return tensor.to(**options)

        return self._apply(convert)

    def _cast(self, dtype):
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self):
        """Cast floating-point parameters and buffers to float32 in place; returns self."""
        return self._cast(flambeau.float32)

    def double(self):
        """Cast floating-point parameters and buffers to float64 in place; returns self."""
        return self._cast(flambeau.float64)

    def half(self):
        """Cast floating-point parameters and buffers to float16 in place; returns self."""
        return self._cast(flambeau.float16)

    def bfloat16(self):
        """Cast floating-point parameters and buffers to bfloat16 in place; returns self."""
        return self._cast(flambeau.bfloat16)

    def type(self, dst_type):
        """Cast all parameters and buffers to a dtype in place; returns self."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self):
        """Move the parameters and buffers to the CPU in place; returns self."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device=None):
        """Move the parameters and buffers to a GPU in place; returns self."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self, device=None):
        """Move the parameters and buffers to an XPU in place; returns self."""
        return self.to(flambeau.device("xpu", device))

    def ipu(self, device=None):
        """Move the parameters and buffers to an IPU in place; returns self."""
        return self.to(flambeau.device("ipu", device))

    def to_empty(self, *, device, recurse=True):
        """Move the parameters and buffers to a device without their values; returns self."""
        return self._apply(lambda t: flambeau.empty_like(t, device=device), recurse=recurse)

    def share_memory(self):
        """Move the parameters and buffers to memory that processes share; returns self."""
        return self._apply(lambda t: t.share_memory_())

    # Modes.

    def train(self, mode=True):
        """Set `training` here and below: whether dropout drops, batch norm learns; returns self.

        Raises ValueError if `mode` is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """The same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Set whether gradients of the parameters are computed; returns self."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of the parameters or, without `set_to_none`, set them to zero."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.detach_().zero_()

    def compile(self, *args, **kwargs):
        """Accept what PyTorch accepts, to no effect: modules are compiled as they run."""

    # Printing and copying.

    def extra_repr(self):
        """What `repr` shows of the module besides its name and its children; for subclasses."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        extra = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(m))}" for name, m in self._modules.items()]
        if not extra and not children:
            return f"{self._get_name()}()"
        if len(extra) == 1 and not children:
            return f"{self._get_name()}({extra[0]})"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra + children) + "\n)"

    def __getstate__(self):
        return self.__dict__.copy()

    def __setstate__(self, state):
        self.__dict__.update(state)


def _indent(text):
    """The text with all lines but the first indented."""
    return text.replace("\n", "\n  ")


def _parse_to(*args, device=None, dtype=None, non_blocking=False, memory_format=None):
    """(device, dtype, non_blocking, memory_format) of the ways to call `to`."""
    args = list(args)
    if args and isinstance(args[0], Tensor):
        other = args.pop(0)
        device, dtype = other.device, other.dtype
    elif args and isinstance(args[0], flambeau.dtype):
        dtype = args.pop(0)
    elif args:
        device = args.pop(0)
        if args:
            dtype = args.pop(0)
    if args:
        non_blocking = args.pop(0)
    if device is not None:
        device = flambeau.device(device)
    return device, dtype, non_blocking, memory_format


def _note_layer(error, module):
    """Tell, in the notes of an error, which layer of the model raised it.

    Every module on the way out is told in turn; each replaces the note by one with a longer path.
    """
    # The error that is under way matters more than a note that some odd module can not give.
    with contextlib.suppress(Exception):
        inner, path, what, note = getattr(error, "_layer", (None, "", "", None))
        if inner is None:
            what = f"{module._get_name()}({module.extra_repr()})"
        else:
            names = (name for name, child in module.named_modules() if child is inner and name)
            name = next(names, inner._get_name())
            path = f"{name}.{path}" if path else name
            error.__notes__.remove(note)
        where = f"layer '{path}' of {module._get_name()}: {what}" if path else what
        note = f"in {where}"
        error._layer = (module, path, what, note)
        error.add_note(note)
