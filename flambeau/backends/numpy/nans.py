"""Programs that are watched for NaN: which operation, of which line, made the first one."""

import numpy as np

from ... import dtypes
from .interpret import evaluate

__all__ = ["watched"]

_LAYOUT = frozenset(("move", "reshape", "strided", "copy", "cast", "bitcast"))


def watched(executable):
    """A function that runs a program as `executable.run` does, and looks at the results."""

    def run(leaves, scalars):
        program = executable.program
        changed = {i for i in program.aliases if i is not None}
        arrays = [
            _array(leaf, dtype, k in changed)
            for k, (leaf, dtype) in enumerate(zip(leaves, program.leaves, strict=True))
        ]
        buffers = executable.run(leaves, scalars)
        for buffer, node in zip(buffers, program.outputs, strict=True):
            values = buffer.numpy(node.dtype.numpy, node.numel)
            if _has_nan(dtypes.decode(values, node.dtype)):
                _blame(program, node, arrays, scalars)
        return buffers

    return run


def _array(leaf, dtype, changed):
    array = leaf.numpy(dtype, leaf.nbytes // dtype.itemsize)
    return array.copy() if changed else array


def _has_nan(values):
    return _any(np.isnan, values)


def _has_infinity(values):
    return _any(np.isinf, values)


def _any(test, values):
    if isinstance(values, list):  # the results of a NumPy function that has several
        return any(_any(test, v) for v in values)
    values = np.asarray(values)
    return values.dtype.kind in "fc" and bool(test(values).any())


def _blame(program, output, arrays, scalars):
    """Raise FloatingPointError for the operation that made a NaN of an output."""
    values = {}
    with np.errstate(all="ignore"):
        for node in program.nodes:
            values[node.id] = evaluate(node, values, arrays, scalars)
    if not _has_nan(values[output.id]):
        raise FloatingPointError(
            f"a NaN in {_tensor(output)}, which the interpreter does not find: {_place(output)}"
        )
    node = _first(output, values, _has_nan)
    if node.kind == "leaf":
        raise FloatingPointError(
            f"a NaN was in {_tensor(node)} before it was used: {_place(_used_by(program, node))}"
        )
    message = f"{_name(node)} made the first NaN, at {_place(node)}: {_inputs(node, values)}"
    for x in node.inputs:
        if x is not None and _has_infinity(values[x.id]):
            made = _first(x, values, _has_infinity)
            if made.kind == "leaf":
                message += f"; an infinity was in {_tensor(made)} before"
            else:
                message += f"; an infinity was made by {_name(made)}, at {_place(made)}"
            break
    raise FloatingPointError(message)


def _first(node, values, has):
    """The operation that made what `has` finds in a value, from operands where it is not."""
    while True:
        inputs = [x for x in node.inputs if x is not None]
        if getattr(node.op, "name", None) == "where":
            inputs = _chosen(inputs, values)
        else:
            inputs = [(x, values[x.id]) for x in inputs]
        before = [x for x, value in inputs if has(value)]
        if not before:
            return node
        node = before[0]


def _chosen(inputs, values):
    """The operands of a `where`, each where it was chosen."""
    condition, a, b = inputs
    chosen = values[condition.id].astype(bool)
    return [(a, values[a.id][chosen]), (b, values[b.id][~chosen])]


def _used_by(program, leaf):
    """The first operation that reads a leaf."""
    seen = {leaf.id}
    for node in program.nodes:
        if any(x is not None and x.id in seen for x in node.inputs):
            if node.kind not in _LAYOUT:
                return node
            seen.add(node.id)
    return leaf


def _name(node):
    if node.kind in ("map", "host"):
        return getattr(node.op, "name", str(node.op))
    return node.op if node.kind == "reduce" else node.kind


def _tensor(node):
    return f"a tensor {node.dtype.name}{list(node.shape)}"


def _inputs(node, values):
    """The operands of an operation, each with the range of its numbers."""
    described = []
    for x in node.inputs:
        value = None if x is None or isinstance(values[x.id], list) else np.asarray(values[x.id])
        if value is None or not value.size or value.dtype.kind not in "fiu":
            continue
        low, high = value.min(), value.max()
        described.append(f"{x.dtype.name}{list(x.shape)} from {low:.4g} to {high:.4g}")
    return ", ".join(described) or "no operands"


def _place(node):
    file, line = node.line or ("?", 0)
    return f"{file}:{line}"
