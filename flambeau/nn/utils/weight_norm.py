"""A weight as a length times a direction, by a hook that computes it before each call."""

import warnings

import flambeau

from ...ops.core import composite
from ..lazy import is_lazy
from ..parameter import Parameter

__all__ = ["WeightNorm", "norm_except_dim", "remove_weight_norm", "scaled", "weight_norm"]


def norm_except_dim(v, dim):
    """The 2-norms of the slices of `v` along `dim`, of a shape to broadcast; of all for -1.

    Raises RuntimeError for a dim that `v` does not have.
    """
    if not -1 <= dim < max(v.dim(), 1):
        raise RuntimeError(f"dim must be in [-1, {v.dim() - 1}] for weight norm, got {dim}")
    return _norms(v, dim=dim)


@composite
def _norms(v, *, dim):
    if dim == -1:
        return v.norm()
    others = [d for d in range(v.dim()) if d != dim]
    return v.norm(2, others, keepdim=True) if others else v.abs()


@composite
def _scaled(v, g, *, dim):
    return v * (g / _norms(v, dim=dim))


def scaled(v, g, dim):
    """The weight: `v`, its slices along `dim` scaled to the norms `g`."""
    return _scaled(v, g, dim=dim)


class WeightNorm:
    """The hook of `weight_norm`: sets the weight of a module from `name_g` and `name_v`."""

    def __init__(self, name, dim):
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module):
        """The weight, from the present lengths and directions."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return scaled(v, g, self.dim)

    @staticmethod
    def apply(module, name, dim):
        """Replace the parameter `name` of a module by two; returns the hook."""
        warnings.warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of "
            "`torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
            stacklevel=3,
        )
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two weight_norm hooks on the same parameter {name}"
                )
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure "
                "to run the dummy forward before applying weight normalization"
            )
        with flambeau.no_grad():
            g = norm_except_dim(weight, hook.dim)
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(g))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module):
        """Make the weight a parameter of its own again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module, name="weight", dim=0):
    r"""Make a parameter of a module a length times a direction; returns the module.

    .. math:: w = g \frac{v}{\lVert v \rVert}

    The parameter is replaced by `name_g` and `name_v`, and computed before each call. Deprecated,
    with a FutureWarning: `parametrizations.weight_norm` does it without hooks.

    Args: dim: the dim along which each slice has a length of its own; None for one length of all.

    Raises RuntimeError if it is done already, ValueError for a parameter without a shape.

    See Salimans and Kingma, Weight Normalization (2016).
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module, name="weight"):
    """Undo `weight_norm`: the weight as it is becomes a parameter. Returns the module.

    Raises ValueError if there is nothing to undo.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
