"""Which module of a model is being called."""

from ..nn.hooks import register_module_forward_hook, register_module_forward_pre_hook

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """A context that knows the modules being called, outermost first, by their paths.

    A path begins with the class of the outermost module that was called: "Net.encoder.0".
    Attribute `parents`: the set of the paths of these modules, and "Global".

    >>> import flambeau as torch
    >>> from flambeau.utils.module_tracker import ModuleTracker
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    >>> with ModuleTracker() as tracker:
    ...     _ = net[0].register_forward_pre_hook(lambda *_: print(tracker.path))
    ...     _ = net(torch.ones(1, 2))
    Sequential.0
    """

    is_bw = False

    def __init__(self):
        self.stack, self._names, self._handles = [], {}, ()

    @property
    def parents(self):
        """The paths of the modules being called, and "Global"."""
        return {"Global", *self.stack}

    @property
    def path(self):
        """The path of the innermost module being called, "" outside of all."""
        return self.stack[-1] if self.stack else ""

    def changed(self):
        """Called whenever `path` has changed; for subclasses."""

    def _enter(self, module, args):
        if not self.stack and id(module) not in self._names:
            root = type(module).__name__
            for name, child in module.named_modules():
                # The model is kept, so that no other module gets the id.
                self._names.setdefault(id(child), (f"{root}.{name}" if name else root, child))
        name, _ = self._names.get(id(module), (type(module).__name__, None))
        self.stack.append(name)
        self.changed()

    def _leave(self, module, args, result):
        self.stack.pop()
        self.changed()

    def __enter__(self):
        self._handles = (
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=True),
        )
        return self

    def __exit__(self, *_):
        for handle in self._handles:
            handle.remove()
        self.stack.clear()
        self._names.clear()
