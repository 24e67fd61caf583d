"""Cases: functions of a library that return what can be seen; they run in both."""

import numpy as np

import flambeau

__all__ = ["Cases", "both", "same_each_time"]


class Cases(dict):
    """The cases of a file by name."""

    def add(self, f):
        """A decorator that puts a case into the table."""
        self[f.__name__] = f
        return f


def plain(x):
    """Tensors in a nested result as arrays with their facts."""
    if hasattr(x, "requires_grad"):
        values = np.array(x.detach().numpy())
        return ("tensor", str(x.dtype), values.tolist(), x.requires_grad, x.is_leaf)
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    if isinstance(x, np.ndarray):
        return x.tolist()
    return x


def both(torch, case, *args):
    """Run a case in both libraries; the results, or the kinds of error, must be the same."""
    seen = []
    for lib in (flambeau, torch):
        try:
            seen.append(plain(case(lib, *args)))
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            seen.append(type(error).__name__)
        finally:
            lib.set_grad_enabled(True)
    assert seen[0] == seen[1]
    return seen[0]


def same_each_time(case):
    """Run a case three times: known traces are walked by other code than new ones."""
    seen = []
    for _ in range(3):
        try:
            seen.append(plain(case(flambeau)))
        except RuntimeError as error:
            seen.append(str(error))
    assert seen[0] == seen[1] == seen[2]
