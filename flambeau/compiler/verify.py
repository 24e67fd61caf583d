"""Checks programs and plans between the stages of the compiler (`FLAMBEAU_VERIFY=1`)."""

__all__ = ["verify_plan", "verify_program"]


class InvalidProgram(AssertionError):
    """A stage of the compiler made something that can not be run: a bug of flambeau."""


def _require(condition, node, what):
    if not condition:
        raise InvalidProgram(f"{what}: {node}")


def verify_program(program):
    """Raise InvalidProgram unless every node is well formed and made before it is used."""
    seen = set()
    for node in program.nodes:
        for x in node.inputs:
            _require(x is None or x.id in seen, node, "an input is made after its use")
        _require(all(isinstance(n, int) and n >= 0 for n in node.shape), node, "bad shape")
        check = _CHECKS.get(node.kind)
        if check is not None:
            check(node)
        seen.add(node.id)
    for x in program.outputs:
        _require(x.id in seen, x, "an output is not computed")
        _require(len(x.shape) == 1, x, "an output is not in the order of its memory")
    for alias in program.aliases:
        _require(alias is None or 0 <= alias < len(program.leaves), program, "no such leaf")


def _map(node):
    for x in node.inputs:
        _require(x.shape == node.shape, node, "operands of a map must have its shape")
    values = node.inputs[1:] if node.op.name == "where" else node.inputs
    kinds = {x.dtype for x in values}
    _require(len(kinds) <= 1, node, "operands of a map must have one dtype")


def _reduce(node):
    (x,) = node.inputs
    expected = tuple(1 if d in node.attrs else n for d, n in enumerate(x.shape))
    _require(node.shape == expected, node, "folded dims must have size 1")


def _move(node):
    (x,) = node.inputs
    _require(len(node.attrs) == len(x.shape), node, "a move needs an axis per dim of its input")
    for (axis, start, step), n in zip(node.attrs, x.shape, strict=True):
        count = 1 if axis is None else node.shape[axis]
        if 0 in node.shape:
            continue
        last = start + step * (count - 1)
        _require(0 <= start < n and 0 <= last < n, node, "a move reads outside its input")


def _reshape(node):
    _require(node.numel == node.inputs[0].numel, node, "a reshape keeps the number of elements")


def _strided(node):
    strides, offset = node.attrs
    if 0 in node.shape:
        return
    ends = [s * (n - 1) for s, n in zip(strides, node.shape, strict=True)]
    first = offset + sum(e for e in ends if e < 0)
    last = offset + sum(e for e in ends if e > 0)
    size = node.inputs[0].shape[0]
    _require(first >= 0 and last < size, node, "a view reaches beyond its storage")


def _write(node):
    strides, offset = node.attrs
    value = node.inputs[1]
    if 0 in value.shape:
        return
    last = offset + sum(s * (n - 1) for s, n in zip(strides, value.shape, strict=True))
    _require(offset >= 0 and last < node.shape[0], node, "a write reaches beyond its memory")


def _matmul(node):
    a, b = node.inputs
    fits = a.shape[0] == b.shape[0] and a.shape[2] == b.shape[1] and a.dtype is b.dtype
    _require(fits, node, "operands of a product do not fit")


_CHECKS = {
    "map": _map,
    "reduce": _reduce,
    "move": _move,
    "reshape": _reshape,
    "strided": _strided,
    "write": _write,
    "matmul": _matmul,
}


def verify_plan(program, plan):
    """Raise InvalidProgram unless memory is written before it is read, and not shared in time."""
    written = {m for m, p in plan.place.items() if p < len(program.leaves)}
    written |= {node.id for node in program.nodes if not node.numel}  # nothing is there to write
    written |= {("out", i) for i, node in enumerate(program.outputs) if not node.numel}
    last, first = {}, {}
    for k, call in enumerate(plan.calls):
        for m in call.reads:
            _require(m is None or m in written, m, "memory is read before it is written")
        written.update(call.writes)
        for m in (*call.reads, *call.writes):
            if m in plan.offsets:
                first.setdefault(m, k)
                last[m] = k
    for i in range(len(program.outputs)):
        _require(("out", i) in written, i, "an output is never written")
    by_id = {n.id: n for n in program.nodes}
    spans = {}
    for m, offset in plan.offsets.items():
        node = program.outputs[m[1]] if isinstance(m, tuple) else by_id[m]
        spans[m] = (offset, offset + node.numel * node.dtype.itemsize)
    items = list(plan.offsets)
    for a, m in enumerate(items):
        for n in items[a + 1 :]:
            apart = spans[m][1] <= spans[n][0] or spans[n][1] <= spans[m][0]
            after = last[m] < first[n] or last[n] < first[m]
            _require(apart or after, (m, n), "two temporaries share memory at one time")
