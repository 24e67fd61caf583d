"""LAPACK and BLAS on stacks of matrices, from the package `scipy-openblas32`, loaded on first use.

LAPACK stores matrices by columns: what lies in memory row by row is, to it, the transpose.
"""

import ctypes
import functools
import importlib.util
import os
import sys

import numpy as np

__all__ = ["Shared", "by_columns", "by_rows", "each", "flat"]

_PACKAGE = "scipy_openblas32"
_LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}


@functools.cache
def _library():
    """The library, with one thread: matrices of a stack are small."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(
            "factorizations of matrices need the package scipy-openblas32, which flambeau requires "
            "but does not find here: pip install scipy-openblas32",
            name=_PACKAGE,
        )
    folder = os.path.join(spec.submodule_search_locations[0], "lib")
    names = [
        n
        for n in sorted(os.listdir(folder))
        if "scipy_openblas" in n and n.endswith((".so", ".dylib", ".dll"))
    ]
    if not names:
        raise ImportError(f"no library of scipy-openblas32 is in {folder}", name=_PACKAGE)
    if sys.platform == "win32":
        os.add_dll_directory(folder)
    library = ctypes.CDLL(os.path.join(folder, names[0]))
    library.scipy_openblas_set_num_threads(1)
    return library


@functools.cache
def _routine(name):
    routine = getattr(_library(), f"scipy_{name}_")
    routine.restype = None
    return routine


class Shared:
    """An array that is the same for all matrices of a stack, such as one to work in."""

    def __init__(self, array):
        self.array = array


def each(name, kind, count, *arguments, info=True):
    """Call a routine for each of the `count` matrices of a stack.

    Args: name: without the letter of the type, such as "getrf"; kind: the NumPy dtype; arguments:
        as the routine takes them: ints, strings, arrays whose first dim counts the matrices and
        which are changed in place, and `Shared` arrays. info: whether its last argument tells
        how it went.
    Returns: what it told, an int32 per matrix. Raises: ValueError for an argument that the routine
        does not accept.
    """
    routine = _routine(_LETTERS[np.dtype(kind).char] + name)
    told = np.zeros(count, np.int32)
    passed, moving, lengths = [], [], []
    for x in (*arguments, told) if info else arguments:
        if isinstance(x, str):
            passed.append(ctypes.c_char_p(x.encode()))
            lengths.append(ctypes.c_size_t(len(x)))  # Fortran passes them last
        elif isinstance(x, Shared):
            passed.append(ctypes.c_void_p(x.array.ctypes.data))
        elif isinstance(x, np.ndarray):
            pointer = ctypes.c_void_p(x.ctypes.data)
            passed.append(pointer)
            moving.append((pointer, x.ctypes.data, x.strides[0]))
        else:
            passed.append(ctypes.byref(ctypes.c_int(x)))
    for k in range(count):
        for pointer, start, step in moving:
            pointer.value = start + k * step
        routine(*passed, *lengths)
    if (told < 0).any():
        raise ValueError(f"{name}: argument {-told.min()} is not one that LAPACK accepts")
    return told


def flat(x, dims=2):
    """A stack [count, ...] of what the last `dims` dims hold, in memory of its own."""
    shape = x.shape[x.ndim - dims :]
    count = int(np.prod(x.shape[: x.ndim - dims], dtype=np.int64))
    return np.array(x, order="C").reshape(count, *shape)


def by_columns(x):
    """A stack of matrices as LAPACK stores them: [count, n, m] for [..., m, n]."""
    return flat(x.swapaxes(-1, -2))


def by_rows(stack, lead):
    """The matrices [*lead, m, n] of a stack [count, n, m] that LAPACK stored."""
    _, n, m = stack.shape
    return np.ascontiguousarray(stack.swapaxes(-1, -2)).reshape(*lead, m, n)
