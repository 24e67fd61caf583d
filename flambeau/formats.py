"""How elements lie in memory: layouts and memory formats, which functions take as arguments.

Tensors have the layout `strided`, unless they are sparse ones of the module `sparse`.
"""

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "jagged",
    "layout",
    "memory_format",
    "preserve_format",
    "sparse_coo",
    "sparse_csc",
    "sparse_csr",
    "strided",
]


class _Named:
    """One of a few constants that are known by name."""

    __slots__ = ("name",)
    known = {}

    def __init__(self, name):
        self.name = name
        self.known[name] = self

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _by_name, (self.name,)


def _by_name(name):
    return _Named.known[name]


class layout(_Named):
    """Whether a tensor stores all of its elements (`strided`) or only some."""

    __slots__ = ()


class memory_format(_Named):
    """The order of a tensor's dims in memory."""

    __slots__ = ()


strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csc = layout("sparse_csc")
sparse_csr = layout("sparse_csr")
jagged = layout("jagged")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
