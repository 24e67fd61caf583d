"""What every way of pruning shares: the mask, and the hook that applies it before each call."""

from abc import ABC, abstractmethod

import flambeau

__all__ = ["BasePruningMethod", "PruningContainer"]


class BasePruningMethod(ABC):
    """The base of ways to prune; a subclass defines `compute_mask` and `PRUNING_TYPE`.

    `PRUNING_TYPE` says what the method sees of a tensor that is pruned already: "unstructured",
    the elements left; "structured", the slices along `self.dim` of which something is left;
    "global", all of it.

    A pruned parameter `name` of a module is held as `name_orig`, with the buffer `name_mask`; the
    method itself is the hook that sets `name` to their product before each call.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import prune
    >>> class Positive(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t > 0)
    >>> layer = torch.nn.Linear(3, 3)
    >>> hook = Positive.apply(layer, "weight")
    >>> (layer.weight >= 0).all().item()
    True
    """

    _tensor_name = None

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask for a tensor `t`, of its shape: what `default_mask` keeps, less what is pruned.

        Args: t: what tells how important each element is, by default the tensor that is pruned.
        """

    def apply_mask(self, module):
        """The pruned tensor: the mask times the original. AssertionError if nothing is pruned."""
        self._require_applied(module)
        original = getattr(module, self._tensor_name + "_orig")
        return getattr(module, self._tensor_name + "_mask").to(original.dtype) * original

    def _require_applied(self, module):
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prune the parameter `name` of a module, further if it is pruned already.

        Args:
            args, kwargs: the arguments of the class.
            importance_scores: a tensor of the parameter's shape that tells which elements matter;
                by default the parameter itself.
        Returns: the hook: the method, or a `PruningContainer` of all that apply.

        Raises AssertionError for scores of another shape.
        """
        method = cls._with_former(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        scores = _scores(importance_scores, original, f"parameter {name} of {module}")
        is_first = not isinstance(method, PruningContainer)
        if is_first:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            mask = flambeau.ones_like(original)
        else:
            mask = getattr(module, name + "_mask").detach().clone()
        try:
            mask = method.compute_mask(scores, default_mask=mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if is_first:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        return method

    @staticmethod
    def _with_former(module, name, method):
        """The method together with the one that the parameter is pruned by, whose hook goes."""
        method._tensor_name = name
        keys = [
            key
            for key, hook in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(keys) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module "
                f"{module}. Use a PruningContainer."
            )
        if not keys:
            return method
        former = module._forward_pre_hooks.pop(keys[0])
        if not isinstance(former, PruningContainer):
            former = PruningContainer(former)
        former.add_pruning_method(method)
        return former

    def prune(self, t, default_mask=None, importance_scores=None):
        """The tensor `t` with the elements that this method prunes set to zero.

        Args:
            default_mask: what is kept at most; by default everything.
            importance_scores: a tensor of the same shape that tells which elements matter; by
                default `t`.

        Raises AssertionError for scores of another shape.
        """
        scores = _scores(importance_scores, t, "tensor t")
        default_mask = flambeau.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=default_mask)

    def remove(self, module):
        """Make the pruned tensor a parameter again, its pruned elements zero for now."""
        self._require_applied(module)
        name, pruned = self._tensor_name, self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = pruned.data
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


def _scores(scores, t, what):
    if scores is None:
        return t
    if scores.shape != t.shape:
        raise AssertionError(
            f"importance_scores should have the same shape as {what}, got {scores.shape} vs "
            f"{t.shape}"
        )
    return scores


class PruningContainer(BasePruningMethod):
    """Several ways of pruning one tensor, in the order in which they were applied.

    Args: methods for the same tensor, or none.
    """

    def __init__(self, *args):
        self._pruning_methods = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Add a method. Raises TypeError for anything else, ValueError for another tensor's."""
        if method is not None:
            if not isinstance(method, BasePruningMethod):
                raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
            if self._tensor_name != method._tensor_name:
                raise ValueError(
                    "Can only add pruning methods acting on the parameter named "
                    f"'{self._tensor_name}' to PruningContainer {self}. Found "
                    f"'{method._tensor_name}'"
                )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The mask of the last method, which sees what the others have left, and of the others."""
        method = self._pruning_methods[-1]
        left = _left(method, t, default_mask)
        mask = default_mask.to(t.dtype)
        mask[left] = method.compute_mask(t[left], default_mask=default_mask[left]).to(t.dtype)
        return mask


def _left(method, t, mask):
    """The index of the part of `t` that a method is to see."""
    kind = method.PRUNING_TYPE
    if kind == "global":
        return (slice(None),) * t.dim()
    if kind == "unstructured":
        return mask == 1
    if kind != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
        )
    dim = method.dim + t.dim() if method.dim < 0 else method.dim
    if dim < 0:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
    kept = mask.sum([d for d in range(t.dim()) if d != dim]) != 0
    return (*(slice(None),) * dim, kept)
