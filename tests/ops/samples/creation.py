"""Samples of functions that make tensors."""

import numpy as np


def through_dlpack(library, x):
    """A tensor out of the capsule of another."""
    return library.from_dlpack(library.utils.dlpack.to_dlpack(x))


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    made = {"grad": False, "kinds": ()}
    like = {"grad": False, "kinds": ("int", "bool", "complex")}
    sizes = (c(2, 3), c((2, 3)), c(()), c(0, 2), c(3, dtype="dtype:int64"))
    table = {
        "zeros": s.record(*sizes, **made),
        "ones": s.record(*sizes, **made),
        "empty": s.record(*sizes, form=True, **made),
        "full": s.record(
            c((2, 3), 1.5), c((2,), 3), c((2,), True), c((), 1, dtype="dtype:int32"), **made
        ),
        "zeros_like": s.record(t(2, 3), c(t(2), dtype="dtype:int64"), **like),
        "ones_like": s.record(t(2, 3), c(t(2), dtype="dtype:int64"), **like),
        "empty_like": s.record(t(2, 3), form=True, **like),
        "full_like": s.record(c(t(2, 3), 3), c(t(2), 1, dtype="dtype:float64"), **like),
        "arange": s.record(
            *(
                c(5),
                c(2, 9, 3),
                c(0.0, 1.0, 0.25),
                c(5, 0, -2),
                c(1.5, 4),
                c(3, dtype="dtype:float32"),
            ),
            **made,
        ),
        "linspace": s.record(
            c(0, 1, 5), c(-3.0, 2.0, 7), c(1, 1, 1), c(0, 9, 4, dtype="dtype:int64"), **made
        ),
        "logspace": s.record(
            *(c(0, 2, 5), c(0, 3, 4, 2.0), c(s.exact(0.5, "float32"), s.exact(2.0), 3)), **made
        ),
        "eye": s.record(c(3), c(2, 3), c(3, 2), c(0), **made),
        "tensor": s.record(
            *(c(1), c(1.5), c(True), c([1, 2]), c([[1.0, 2], [3, 4]]), c([]), c(1j), c([[]])),
            *(c(np.float64(1.5)), c(np.arange(3)), c([1, 2], dtype="dtype:float64")),
            **made,
        ),
        "as_tensor": s.record(c([1, 2]), c(np.arange(3.0)), c(t(2), dtype="dtype:int64"), **made),
        "asarray": s.record(c([1, 2]), c(np.arange(3.0)), **made),
        "from_numpy": s.record(c(np.arange(6.0).reshape(2, 3).T), c(np.array(1.5)), **made),
        "frombuffer": s.record(c(bytearray(range(8)), dtype="dtype:int16"), **made),
    }
    for name in ("bartlett", "blackman", "hamming", "hann", "kaiser"):
        lengths = (c(6), c(7, False), c(1), c(0), c(5, periodic=True, dtype="dtype:float64"))
        table[name + "_window"] = s.record(*lengths, **made)
    table["scalar_tensor"] = s.record(c(1.5), c(2), c(1, dtype="dtype:int64"), **made)
    table["range"] = s.record(c(0, 3), c(1, 2, 0.25), c(3, 0, -1), **made)
    table["empty_strided"] = s.record(c((2, 3), (1, 2)), form=True, **made)
    table["empty_permuted"] = s.record(c((2, 3, 4), (0, 2, 1)), form=True, **made)
    table["from_dlpack"] = s.record(c(np.arange(6.0)), **made)
    table["to_dlpack"] = s.record(t(2, 3), call=through_dlpack, **made)
    return table
