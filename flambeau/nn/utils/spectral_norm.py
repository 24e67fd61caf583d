"""A weight divided by its largest singular value, by a hook that computes it before each call."""

import flambeau

from ..conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..functional import normalize
from ..lazy import is_lazy
from ..parameter import Parameter

__all__ = [
    "SpectralNorm",
    "SpectralNormLoadStateDictPreHook",
    "SpectralNormStateDictHook",
    "default_dim",
    "remove_spectral_norm",
    "spectral_norm",
]


def default_dim(module):
    """The dim of a weight that counts outputs: 1 for transposed convolutions, otherwise 0."""
    return int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))


class SpectralNorm:
    """The hook of `spectral_norm`: sets the weight from `name_orig`, `name_u` and `name_v`.

    u and v approximate the singular vectors; each call in training mode improves them in place.
    """

    _version = 1  # before, v was not saved

    def __init__(self, name="weight", n_power_iterations=1, dim=0, eps=1e-12):
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations = name, n_power_iterations
        self.dim, self.eps = dim, eps

    def reshape_weight_to_matrix(self, weight):
        """The weight with a row for each output."""
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def compute_weight(self, module, do_power_iteration):
        """The weight, after an improvement of the singular vectors if that is asked for."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with flambeau.no_grad():
                for _ in range(self.n_power_iterations):
                    normalize(matrix.t().mv(u), dim=0, eps=self.eps, out=v)
                    normalize(matrix.mv(v), dim=0, eps=self.eps, out=u)
                # The next call changes them in place; the graph of this one must not see that.
                u, v = u.clone(), v.clone()
        return weight / u.dot(matrix.mv(v))

    def remove(self, module):
        """Make the weight a parameter of its own again."""
        with flambeau.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        weight = self.compute_weight(module, do_power_iteration=module.training)
        setattr(module, self.name, weight)

    def solve_v(self, matrix, u, sigma):
        """The v of which u is the image under the matrix, scaled so that u W v is sigma."""
        v = (matrix.t().mm(matrix).pinverse() @ matrix.t()).mv(u)
        return v * (sigma / u.dot(matrix.mv(v)))

    @staticmethod
    def apply(module, name, n_power_iterations, dim, eps):
        """Put the hooks into a module; returns the one that computes the weight."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization"
            )
        with flambeau.no_grad():
            height, width = hook.reshape_weight_to_matrix(weight).shape
            u = normalize(weight.new_empty(height).normal_(0, 1), dim=0, eps=eps)
            v = normalize(weight.new_empty(width).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(SpectralNormStateDictHook(hook))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(hook))
        return hook


class SpectralNormStateDictHook:
    """Notes the version of the hook in the metadata of a `state_dict`."""

    def __init__(self, fn):
        self.fn = fn

    def __call__(self, module, state_dict, prefix, local_metadata):
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.fn.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


class SpectralNormLoadStateDictPreHook:
    """Adds v to checkpoints that are so old that they lack it: it follows from the weights."""

    def __init__(self, fn):
        self.fn = fn

    def __call__(
        self,
        state_dict,
        prefix,
        local_metadata,
        strict,
        missing_keys,
        unexpected_keys,
        error_msgs,
    ):
        hook, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(hook.name + ".version")
        if version is not None and version >= 1:
            return
        present = all(key + suffix in state_dict for suffix in ("_orig", "_u", "_v"))
        if version is None and present and key not in state_dict:
            return  # as new, but without metadata
        missing = [key + suffix for suffix in ("_orig", "", "_u") if key + suffix not in state_dict]
        if missing:
            if strict:
                missing_keys += missing
            return
        with flambeau.no_grad():
            weight_orig = state_dict[key + "_orig"]
            sigma = (weight_orig / state_dict.pop(key)).mean()
            matrix = hook.reshape_weight_to_matrix(weight_orig)
            state_dict[key + "_v"] = hook.solve_v(matrix, state_dict[key + "_u"], sigma)


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    r"""Divide a parameter of a module by its largest singular value; returns the module.

    .. math:: W_{SN} = W / \sigma(W), \quad
        \sigma(W) = \max_{h \ne 0} \lVert W h \rVert_2 / \lVert h \rVert_2

    Each call in training mode improves the estimate of the singular vectors by power iterations.
    `parametrizations.spectral_norm` does it without hooks.

    Args:
        n_power_iterations: how many for each call.
        eps: the least norm of a vector when it is normalised.
        dim: the dim that counts outputs, by default 1 for transposed convolutions, otherwise 0.

    Raises RuntimeError if it is done already, ValueError for a parameter that is None or without
    a shape, or a number of iterations that is not positive.

    See Miyato et al., Spectral Normalization for Generative Adversarial Networks (2018).

    >>> import flambeau as torch
    >>> layer = torch.nn.utils.spectral_norm(torch.nn.Linear(20, 40))
    >>> layer.weight_u.shape
    torch.Size([40])
    """
    dim = default_dim(module) if dim is None else dim
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module, name="weight"):
    """Undo `spectral_norm`: the weight as it is becomes a parameter. Returns the module.

    Raises ValueError if there is nothing to undo.
    """
    key = _find(module._forward_pre_hooks, SpectralNorm, lambda hook: hook.name == name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    module._forward_pre_hooks[key].remove(module)
    del module._forward_pre_hooks[key]
    for hooks, kind in (
        (module._state_dict_hooks, SpectralNormStateDictHook),
        (module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook),
    ):
        key = _find(hooks, kind, lambda hook: hook.fn.name == name)
        if key is not None:
            del hooks[key]
    return module


def _find(hooks, kind, fits):
    return next((k for k, hook in hooks.items() if isinstance(hook, kind) and fits(hook)), None)
