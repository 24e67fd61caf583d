"""What a program can set for all that follows: threads, the default device, strictness.

Results are deterministic and computed in full float32 precision whatever is set here; the settings
that PyTorch has for these are kept so that a script can ask for them and read them back.
"""

from . import config, dtypes
from .recorder.handle import CPU, require_device

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_num_threads",
    "set_strict",
    "set_warn_always",
    "use_deterministic_algorithms",
]

_MODES = {"default": 0, "warn": 1, "error": 2}
_PRECISIONS = ("highest", "high", "medium")
_settings = {"deterministic": 0, "precision": "highest", "interop": 1}


def get_num_threads():
    """The number of threads that a program runs on."""
    return config.threads or config.cores()


def set_num_threads(num):
    """Let programs run on `num` threads; results do not depend on it."""
    config.threads = _positive("set_num_threads", num)


def get_num_interop_threads():
    """The number of programs that may run at once."""
    return _settings["interop"]


def set_num_interop_threads(num):
    """Has no effect: the programs of one thread run one after another."""
    _settings["interop"] = _positive("set_num_interop_threads", num)


def _positive(name, num):
    if not isinstance(num, int) or isinstance(num, bool):
        raise TypeError(f"{name} expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError(f"{name}: expected a positive number of threads, but got {num}")
    return num


def get_default_device():
    """The device of new tensors where none is asked for: the CPU."""
    return CPU


def set_default_device(device):
    """Accepts the CPU. Raises RuntimeError for a device that is not there."""
    require_device(device)


def set_default_tensor_type(t):
    """Set the default dtype by the name of a legacy type or by the type itself."""
    kind = getattr(t, "dtype", None)
    if kind is None:
        from . import legacy

        kind = getattr(legacy, str(t).rpartition(".")[2], None)
        if kind is None:
            raise TypeError(f"invalid type name: {t}")
        kind = kind.dtype
    dtypes.set_default_dtype(kind)


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Has no effect but on what the functions below return: every operation is deterministic."""
    _settings["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled():
    """Whether deterministic algorithms were asked for."""
    return _settings["deterministic"] > 0


def is_deterministic_algorithms_warn_only_enabled():
    """Whether they were asked for with `warn_only`."""
    return _settings["deterministic"] == 1


def get_deterministic_debug_mode():
    """0, 1 or 2: not asked for, to warn, to raise."""
    return _settings["deterministic"]


def set_deterministic_debug_mode(debug_mode):
    """Ask for deterministic algorithms as "default", "warn" or "error", or 0, 1 or 2."""
    mode = _MODES.get(debug_mode, debug_mode)
    if mode not in _MODES.values():
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of {', '.join(_MODES)}, but got "
            f"{debug_mode}"
        )
    _settings["deterministic"] = mode


def get_float32_matmul_precision():
    """The precision of float32 matrix products that was asked for."""
    return _settings["precision"]


def set_float32_matmul_precision(precision):
    """Permit a lower precision of float32 matrix products, which the CPU does not make use of."""
    if precision not in _PRECISIONS:
        raise RuntimeError(
            f"{precision} is not one of {', '.join(_PRECISIONS)}: the precisions of matrix products"
        )
    _settings["precision"] = precision


def set_flush_denormal(mode):
    """Whether denormal numbers can be flushed to zero: they can not, so the result is False."""
    return False


def set_strict(mode=True):
    """Whether what is allowed but most likely wrong is an error instead of a warning.

    That is a loss of a prediction and a target that broadcast to another shape (ValueError), and a
    graph that grows from step to step (RuntimeError). `FLAMBEAU_STRICT=1` does so from the start.

    >>> import flambeau as torch
    >>> torch.set_strict(True)
    >>> torch.nn.functional.mse_loss(torch.zeros(3, 1), torch.zeros(3))
    Traceback (most recent call last):
    ...
    ValueError: Using a target size (torch.Size([3])) that is different to the input size ...
    >>> torch.set_strict(False)
    """
    config.strict = bool(mode)


def set_warn_always(b):
    """Has no effect: how often a warning appears is up to Python's `warnings`."""
