"""`flambeau.cuda.amp`: the names by which old programs ask for mixed precision on a GPU."""

import functools
import warnings

from .. import amp
from ..dtypes import float16

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _warn(name):
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use "
        f"`torch.amp.{name}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):
    """The old name of `torch.amp.autocast("cuda")`, which is off as there is no GPU."""

    def __init__(self, enabled=True, dtype=float16, cache_enabled=True):
        _warn("autocast")
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """The old name of `torch.amp.GradScaler("cuda")`, which does nothing as there is no GPU."""

    def __init__(
        self,
        init_scale=65536.0,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
        enabled=True,
    ):
        _warn("GradScaler")
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )


def custom_fwd(fwd=None, *, cast_inputs=None):
    """The old name of `functools.partial(torch.amp.custom_fwd, device_type="cuda")`."""
    _warn("custom_fwd")
    return functools.partial(amp.custom_fwd, device_type="cuda")(fwd=fwd, cast_inputs=cast_inputs)


def custom_bwd(bwd):
    """The old name of `functools.partial(torch.amp.custom_bwd, device_type="cuda")`."""
    _warn("custom_bwd")
    return functools.partial(amp.custom_bwd, device_type="cuda")(bwd)
