"""`FLAMBEAU_CHECK=1`: every kernel is compared with the NumPy interpreter as it runs."""

import numpy as np

from ... import dtypes
from ..numpy.interpret import evaluate

__all__ = ["Checker"]

# Relative and absolute tolerance (of the largest value) by dtype; others must be equal.
TOLERANCE = {
    "float16": 4e-3,
    "bfloat16": 3e-2,
    "float32": 2e-4,
    "float64": 1e-9,
}


class Checker:
    """The reference for one run of a program: each kernel is judged by the inputs it really got."""

    def __init__(self, program, leaves, scalars):
        self.leaves = [
            leaf.numpy(dtype, leaf.nbytes // dtype.itemsize).copy()
            for leaf, dtype in zip(leaves, program.leaves, strict=True)
        ]
        self.scalars, self.values = scalars, {}

    def reference(self, node):
        """The value of a node, from what the kernels before have stored."""
        stack = [node]
        while stack:
            x = stack[-1]
            missing = [y for y in x.inputs if y is not None and y.id not in self.values]
            if x.id in self.values or not missing:
                stack.pop()
                if x.id not in self.values:
                    with np.errstate(all="ignore"):
                        self.values[x.id] = evaluate(x, self.values, self.leaves, self.scalars)
            else:
                stack.extend(missing)
        return np.asarray(self.values[node.id])

    def compare(self, node, found, call):
        """Raise RuntimeError if the contents of a node's memory differ from the reference."""
        expected = self.reference(node)
        found = dtypes.decode(found, node.dtype).reshape(expected.shape)
        if self.alike(node, found, expected):
            self.values[node.id] = found.copy()
            return
        with np.errstate(all="ignore"):
            apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        where = np.unravel_index(int(np.nan_to_num(apart, nan=np.inf).argmax()), expected.shape)
        file, line = node.line or ("?", 0)
        raise RuntimeError(
            f"a compiled kernel differs from the interpreter at {tuple(map(int, where))}: "
            f"{found[where]} instead of {expected[where]} in {node} (from {file}:{line}; "
            f"{call.kind})"
        )

    def alike(self, node, found, expected):
        """Whether two values agree within what rounding allows."""
        limit = TOLERANCE.get(node.dtype.name)
        if limit is None or (node.kind == "reduce" and node.op.startswith("arg")):
            return np.array_equal(found, expected)
        scale = _size(expected)
        if node.kind in ("reduce", "matmul"):  # sums may cancel
            sizes = [_size(self.reference(x)) for x in node.inputs]
            scale = max(scale, float(np.prod(sizes)))
        return np.allclose(found, expected, rtol=limit, atol=limit * scale, equal_nan=True)


def _size(values):
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0
