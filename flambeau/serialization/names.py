"""The names that classes and functions have in a file: those PyTorch gives them.

So a file means the same to both libraries, and nothing in it names flambeau where PyTorch has a
counterpart.
"""

import importlib
import sys
from pickle import UnpicklingError
from typing import NamedTuple

from .. import dtypes

__all__ = ["STORAGE_TYPES", "UNTYPED", "StorageType", "file_name_of", "find_counterpart"]

_STORAGE_NAMES = {
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
# Classes that are in no package above, and so by the module: PyTorch's name of it for ours.
_THERE = {
    ("flambeau.nn.multihead", "NonDynamicallyQuantizableLinear"): "torch.nn.modules.linear",
}
_HERE = {(there, name): here for (here, name), there in _THERE.items()}


class StorageType(NamedTuple):
    """The class of a storage in a file: the dtype of its elements and PyTorch's name."""

    dtype: object
    module: str
    name: str


UNTYPED = StorageType(dtypes.uint8, "torch.storage", "UntypedStorage")
STORAGE_TYPES = {
    dtypes.BY_NAME[d]: StorageType(dtypes.BY_NAME[d], "torch", name)
    for d, name in _STORAGE_NAMES.items()
}


def file_name_of(obj, name=None):
    """(module, name) of a class or function of flambeau in a file; None for any other."""
    module = getattr(obj, "__module__", None) or ""
    if module.partition(".")[0] != "flambeau":
        return None
    name = name or obj.__qualname__
    if (module, name) in _THERE:
        return _THERE[module, name], name
    parts = module.split(".")
    # The shortest package that has it is where the public name is.
    for length in range(1, len(parts)):
        package = sys.modules[".".join(parts[:length])]
        if vars(package).get(name) == obj:  # the function, or what asks classes (`Overridable`)
            module = package.__name__
            break
    return "torch" + module.removeprefix("flambeau"), name


def find_counterpart(module, name):
    """What stands in flambeau for `name` of PyTorch's `module`, found in it or a package above.

    Raises UnpicklingError if there is nothing.
    """
    parts = ["flambeau", *_HERE.get((module, name), module).split(".")[1:]]
    for length in range(len(parts), 0, -1):
        home = _import(".".join(parts[:length]))
        found = home and _attribute(home, name)
        if found is not None:
            return found
    raise UnpicklingError(f"{module}.{name} has no counterpart in flambeau")


def _import(module):
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or module):
            raise
        return None


def _attribute(home, path):
    for name in path.split("."):
        home = getattr(home, name, None)
    return home
