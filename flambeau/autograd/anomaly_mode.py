"""Finding the operation whose derivative made the first NaN."""

import linecache
import warnings

from ..ops.api import FUNCTIONS
from . import rules, watch
from .names import grad_name

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_anomaly_enabled",
    "set_detect_anomaly",
]


class _Mode:
    on, check_nan = False, True


def is_anomaly_enabled():
    """Whether anomaly detection is on."""
    return _Mode.on


def is_anomaly_check_nan_enabled():
    """Whether anomaly detection, where it is on, looks for NaN."""
    return _Mode.check_nan


def set_anomaly_enabled(enabled, check_nan=True):
    """Turn anomaly detection on or off (see `detect_anomaly`)."""
    if type(enabled) is not bool:
        raise TypeError(
            "set_anomaly_enabled(): argument 'enabled' (position 1) must be bool, not "
            f"{type(enabled).__name__}"
        )
    _Mode.on, _Mode.check_nan = enabled, check_nan
    watch.lines.turn(enabled, _checked if enabled else None)


class set_detect_anomaly:
    """Turn anomaly detection on or off: at once, and back at the end of a `with` block."""

    def __init__(self, mode, check_nan=True):
        self.prev, self.prev_check_nan = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self):
        return None

    def __exit__(self, *_):
        set_anomaly_enabled(self.prev, self.prev_check_nan)


class detect_anomaly:
    """Within a `with` block, a backward pass raises where a derivative gives NaN.

    The error names the operation and the line that called it. Every derivative is computed and
    looked at on its own, so this is slow. An error in a derivative itself is followed by a warning
    that names the line, too. With `check_nan=False` that is all.

    >>> import warnings
    >>> import flambeau as torch
    >>> x = torch.tensor([0.0, -1.0], requires_grad=True)
    >>> with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly():
    ...     try:
    ...         x.sqrt().sum().backward()
    ...     except RuntimeError as error:
    ...         print(str(error).splitlines()[0])
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self):
        self.prev, self.prev_check_nan = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(True, self.check_nan)

    def __exit__(self, *_):
        set_anomaly_enabled(self.prev, self.prev_check_nan)


def _checked(through, state, gs, source):
    """What the derivative of a record gives, looked at."""
    try:
        pairs = [
            (p, g if rules.takes_gradient(p, source) else None)
            for p, g in through(state, gs, source)
        ]
    except Exception:
        _warn(state, source)
        raise
    if not _Mode.check_nan or state.grad == "keep":
        return pairs
    context = source.contexts.get(state.first)
    skip = 0 if context is None else context.skip
    for k, (_, g) in enumerate(pairs):
        if g is not None and FUNCTIONS["isnan"](g).any().item():
            where = _warn(state, source)
            raise RuntimeError(
                f"Function '{_name(state, source)}' returned nan values in its {k - skip}th "
                f"output.\nThe forward call was at{where}"
            )
    return pairs


def _name(state, source):
    context = source.contexts.get(state.first)
    return grad_name(state) if context is None else context.name


def _warn(state, source):
    """Warn of an error in a derivative; returns the place of its forward call."""
    where = ""
    for file, line, function in watch.lines.of(state):
        text = linecache.getline(file, line).strip()
        where += f'\n  File "{file}", line {line}' + (f", in {function}" if function else "")
        where += f"\n    {text}" if text else ""
    warnings.warn(
        f"Error detected in {_name(state, source)}. Traceback of forward call that caused the "
        f"error:{where}\n",
        stacklevel=2,
    )
    return "".join(where.rpartition("\n  File")[1:])
