"""What an optimizer keeps for one parameter."""

import flambeau

__all__ = ["ParamState"]


class ParamState(dict):
    """A dict of tensors in which the step count and its like are plain numbers until looked at.

    An optimizer counts steps once per group, in Python. A user who looks at the dict finds
    0-dim tensors, as in PyTorch, and may change them: whoever looks makes them real, `numbers`
    is None from then on, and the next step takes the numbers back with `take_numbers`.

    names: the keys of the numbers; numbers: as many floats (further ones stay hidden), or None.
    is_complex: whether the parameter is.
    """

    __slots__ = ("is_complex", "names", "numbers")

    def __init__(self, names, numbers, is_complex):
        super().__init__()
        self.names, self.numbers, self.is_complex = names, numbers, is_complex

    def show_numbers(self):
        """Put the numbers into the dict, as tensors, ahead of what is in it."""
        if self.numbers is not None:
            shown = self.snapshot()
            self.numbers = None
            dict.clear(self)
            dict.update(self, shown)

    def take_numbers(self):
        """Take the numbers out of the dict again; returns them. Raises KeyError if one is gone."""
        return tuple([float(dict.pop(self, name)) for name in self.names])

    def snapshot(self):
        """A plain dict of the same content, with the numbers as new tensors."""
        content = dict(dict.items(self))
        if self.numbers is None:
            return content
        dtype = flambeau.get_default_dtype()
        if dtype is not flambeau.float64:
            dtype = flambeau.float32
        pairs = zip(self.names, self.numbers, strict=False)
        return {name: flambeau.tensor(x, dtype=dtype) for name, x in pairs} | content

    def __missing__(self, key):
        if self.numbers is None or key not in self.names:
            raise KeyError(key)
        self.show_numbers()
        return self[key]

    def __reduce_ex__(self, protocol):
        return dict, (self.snapshot(),)

    def __copy__(self):
        return self.snapshot()


def _shows_numbers(name):
    method = getattr(dict, name)

    def shown(self, *args, **kwargs):
        self.show_numbers()
        return method(self, *args, **kwargs)

    shown.__name__, shown.__doc__ = name, method.__doc__
    return shown


for _name in (
    *("__contains__", "__delitem__", "__eq__", "__ior__", "__iter__", "__len__", "__ne__"),
    *("__or__", "__repr__", "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get"),
    *("items", "keys", "pop", "popitem", "setdefault", "update", "values"),
):
    setattr(ParamState, _name, _shows_numbers(_name))
