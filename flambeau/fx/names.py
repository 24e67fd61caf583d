"""Names in generated code: no two the same, none that hides a builtin."""

import builtins
import keyword
import re

__all__ = ["Names", "snake_case"]

TAKEN = {*keyword.kwlist, *dir(builtins), "device", "fx_pytree", "inf", "nan", "pytree", "torch"}


def snake_case(name):
    """`AvgPool2d` as `avg_pool2d`.

    >>> import flambeau as torch
    >>> torch.fx.names.snake_case("AvgPool2d")
    'avg_pool2d'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Names:
    """A set of names that gives each new one an ending that nobody has."""

    def __init__(self):
        self._used = set()
        self._counts = {}

    def create(self, candidate):
        """The name itself, or with _1, _2, ... if it is taken, in use, or no identifier."""
        candidate = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if candidate[0].isdigit():
            candidate = f"_{candidate}"
        base, _, number = candidate.rpartition("_")
        count = None
        if base and number.isdigit():
            count = int(number)
        else:
            base = candidate
        name = candidate
        if count is None:
            count = self._counts.get(base, 0)
        while name in self._used or name in TAKEN:
            count += 1
            name = f"{base}_{count}"
        self._used.add(name)
        self._counts[base] = count
        return name
