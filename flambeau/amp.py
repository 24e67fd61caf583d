"""Mixed precision: `autocast` chooses the dtype of operations, `GradScaler` scales losses.

On CPUs matrix products, convolutions and attention are computed in bfloat16 (or float16) within
`autocast`, losses in float32, and everything else in the dtype of its operands.
"""

import functools
import inspect
import math
import warnings

import flambeau

from .ops.api import FUNCTIONS
from .recorder.trace import autocast_dtype, set_autocast

__all__ = [
    "GradScaler",
    "autocast",
    "autocast_mode",
    "clear_autocast_cache",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_dtype",
    "is_autocast_available",
    "is_autocast_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
]

_KINDS = {"cpu": None, "cuda": None}  # the dtype that was set for a device, if it was
_LOWER = ("bfloat16", "float16")


def _device(device_type):
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    return device_type.split(":")[0]


def is_autocast_available(device_type):
    """Whether there is autocast for a kind of device; where there is no such device it is off."""
    return _device(device_type) in _KINDS


def get_autocast_dtype(device_type):
    """The dtype that autocast uses on a kind of device."""
    kind = _device(device_type)
    return _KINDS.get(kind) or (flambeau.float16 if kind == "cuda" else flambeau.bfloat16)


def set_autocast_dtype(device_type, dtype):
    """Use `dtype` where autocast is told none."""
    _KINDS[_device(device_type)] = dtype


def is_autocast_enabled(device_type="cuda"):
    """Whether autocast is on for a kind of device; for CUDA, as in PyTorch, if none is named."""
    return _device(device_type) == "cpu" and autocast_dtype() is not None


def set_autocast_enabled(device_type, enabled):
    """Turn autocast on or off for a kind of device."""
    if _device(device_type) == "cpu":
        set_autocast(get_autocast_dtype("cpu") if enabled else None)


def clear_autocast_cache():
    """Does nothing: casts are part of the program, equal ones are made once."""


class autocast:
    """A context, and a decorator, in which what gains by it is computed in a smaller dtype.

    Args: device_type: "cpu", or that of a device which is not there: then it warns and is off.
        dtype: bfloat16 (default) or float16. enabled: False turns it off within.

    >>> import flambeau as torch
    >>> with torch.autocast("cpu"):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        self.device = _device(device_type)
        if self.device not in _KINDS:
            raise RuntimeError(
                f"User specified an unsupported autocast device_type '{self.device}'"
            )
        self.fast_dtype = dtype or get_autocast_dtype(self.device)
        if self.device != "cpu" and enabled:
            warnings.warn(
                f"User provided device_type of '{self.device}', but CUDA is not available. "
                "Disabling",
                stacklevel=2,
            )
            enabled = False
        if enabled and self.fast_dtype.name not in _LOWER:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._outer = []

    def __enter__(self):
        self._outer.append(autocast_dtype())
        if self.device == "cpu":
            set_autocast(self.fast_dtype if self._enabled else None)
        return self

    def __exit__(self, *_):
        set_autocast(self._outer.pop())
        return False

    def __call__(self, func):
        if inspect.isclass(func):
            raise TypeError("autocast decorates functions, not classes")

        @functools.wraps(func)
        def wrapped(*args, **kwargs):
            with self:
                return func(*args, **kwargs)

        return wrapped


autocast_mode = autocast


def _cast_floats(value, dtype):
    from .utils._pytree import tree_map_only

    def cast(x):
        return x.to(dtype) if x.is_floating_point() and x.dtype is not flambeau.float64 else x

    return tree_map_only(flambeau.Tensor, cast, value)


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """A decorator for `forward` of a `Function`: autocast as it is, or off with cast inputs."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def wrapped(ctx, *args, **kwargs):
        ctx._autocast = autocast_dtype()
        if cast_inputs is None or ctx._autocast is None:
            return fwd(ctx, *args, **kwargs)
        ctx._autocast = None
        with autocast(device_type, enabled=False):
            return fwd(ctx, *_cast_floats(args, cast_inputs), **_cast_floats(kwargs, cast_inputs))

    return wrapped


def custom_bwd(bwd=None, *, device_type):
    """A decorator for `backward` of a `Function`: autocast as it was in `forward`."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def wrapped(ctx, *args, **kwargs):
        outer = autocast_dtype()
        set_autocast(ctx._autocast)
        try:
            return bwd(ctx, *args, **kwargs)
        finally:
            set_autocast(outer)

    return wrapped


class GradScaler:
    """Scales a loss so that gradients of float16 do not vanish, and adapts the scale.

    `scale(loss).backward()`, then `step(optimizer)`, which is left out where a gradient is
    infinite or nan, then `update()`: it halves the scale after such a step, and doubles it after
    `growth_interval` steps without one.

    Args: device: a kind of device; where there is none such the scaler warns and does nothing.
        init_scale, growth_factor, backoff_factor, growth_interval, enabled: as in PyTorch.
    """

    def __init__(
        self,
        device="cuda",
        init_scale=2.0**16,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
        enabled=True,
    ):
        self._device, self._enabled = _device(device), enabled
        if enabled and self._device != "cpu":
            warnings.warn(
                f"torch.{self._device}.amp.GradScaler is enabled, but CUDA is not available.  "
                "Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._scale, self._growth, self._backoff = float(init_scale), growth_factor, backoff_factor
        self._interval, self._tracker = growth_interval, 0
        self._found = {}  # id of an optimizer -> whether a gradient was not finite
        self._stepped = set()

    def scale(self, outputs):
        """A loss, or a list, tuple or dict of losses, times the scale."""
        if not self._enabled:
            return outputs
        from .utils._pytree import tree_map_only

        return tree_map_only(flambeau.Tensor, lambda x: x * self._scale, outputs)

    def unscale_(self, optimizer):
        """Divide the gradients of an optimizer's parameters by the scale, once before a step."""
        if not self._enabled:
            return
        if id(optimizer) in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self._found:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        if any(g.dtype is flambeau.float16 for g in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        finite = None
        with flambeau.no_grad():
            for g in grads:
                g.mul_(1.0 / self._scale)
                good = FUNCTIONS["isfinite"](g).all()
                finite = good if finite is None else finite & good
        self._found[id(optimizer)] = finite is not None and not bool(finite)

    def step(self, optimizer, *args, **kwargs):
        """`optimizer.step`, unless a gradient is not finite; unscales them if nobody has."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale=None):
        """Adapt the scale to what the steps since the last update found, or set it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            if not self._found:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(self._found.values()):
                self._scale, self._tracker = self._scale * self._backoff, 0
            else:
                self._tracker += 1
                if self._tracker == self._interval:
                    grown = self._scale * self._growth
                    self._scale = grown if math.isfinite(grown) else self._scale
                    self._tracker = 0
        self._found, self._stepped = {}, set()

    def get_scale(self):
        """The scale; 1.0 if the scaler is off."""
        return self._scale if self._enabled else 1.0

    def is_enabled(self):
        """Whether the scaler does anything."""
        return self._enabled

    def get_growth_factor(self):
        """What the scale is multiplied by to grow."""
        return self._growth

    def set_growth_factor(self, new_factor):
        """Set the growth factor."""
        self._growth = new_factor

    def get_backoff_factor(self):
        """What the scale is multiplied by after a gradient that is not finite."""
        return self._backoff

    def set_backoff_factor(self, new_factor):
        """Set the backoff factor."""
        self._backoff = new_factor

    def get_growth_interval(self):
        """After how many good steps the scale grows."""
        return self._interval

    def set_growth_interval(self, new_interval):
        """Set the growth interval."""
        self._interval = new_interval

    def state_dict(self):
        """The scale and what decides how it goes on; {} if the scaler is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth,
            "backoff_factor": self._backoff,
            "growth_interval": self._interval,
            "_growth_tracker": self._tracker,
        }

    def load_state_dict(self, state_dict):
        """Go on from what `state_dict` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._scale = state_dict["scale"]
        self._growth, self._backoff = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._interval, self._tracker = state_dict["growth_interval"], state_dict["_growth_tracker"]
