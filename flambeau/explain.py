"""What became of a program: its kernels, the lines they come from, and what had to be compiled."""

import os
from collections import Counter, namedtuple

from .recorder.sync import planned
from .recorder.trace import local

__all__ = ["Explanation", "Fused", "described", "name_of", "why"]

Fused = namedtuple("Fused", ("kind", "origin", "lines", "operations", "shape", "dtype", "inputs"))
Fused.__doc__ = """A kernel, or a call of NumPy, and what it computes.

kind: "elementwise", "row", "column" or another mode of a kernel; "matmul"; "numpy".
origin: "compiled" just for this program, "disk", "memory" (another program had compiled it), or
    "interpreted", "numpy" for what NumPy always does.
lines: {(file, line): names of the operations that come from there}, in the order of the program.
operations: how many those are. shape, dtype: of what it stores (the last, if it stores several).
inputs: the shapes of what it reads.
"""

_SHOWN = 8  # operations of a line


class Explanation:
    """How the last program of a thread was run; `str` is a report of a few lines for each kernel.

    state: "interpreted" or "compiled". runs: how often this very program has run.
    new: "structure" if something in it had to be compiled or was not compiled before; "shape" if
        only sizes, or which results are alive, were new; None if it had run so before.
    kernels: a `Fused` for each call, in the order in which they run.
    arena: the bytes of all temporaries together. outputs: [(shape, dtype)] of what was kept.
    peak: the bytes in use while it runs: what it reads, what it keeps and the temporaries.
    """

    def __init__(self, executable):
        from .backends.llvm.jit import known

        native, program = executable.native, executable.program
        self.state = "interpreted" if native is None else "compiled"
        self.runs = executable.runs
        plan = _plan(program) if native is None else native.plan
        self.kernels = []
        for call in plan.calls:
            origin = _origin(call, native)
            self.kernels.append(described(call, plan.partition, origin))
            if call.epilogue is not None:
                self.kernels.append(described(call.epilogue, plan.partition, origin))
        self.arena = plan.arena
        self.outputs = [(x.shape, x.dtype) for x in program.outputs]
        kept = zip(program.outputs, program.aliases, strict=True)
        held = [x for x in program.nodes if x.kind == "leaf"]
        held += [x for x, alias in kept if alias is None]  # else it is the memory of a leaf
        self.peak = plan.arena + sum(x.numel * x.dtype.itemsize for x in held)
        if native is None:
            familiar = all(c.kernel is None or known(c.kernel.key) for c in plan.calls)
            first = executable.runs <= 1
        else:
            familiar = all(k.origin not in ("compiled", "disk") for k in self.kernels)
            first = executable.runs == executable.compiled_at
        self.new = None if not first else "shape" if familiar else "structure"

    @property
    def lines(self):
        """The lines of the user's program that took part: sorted (file, line) pairs."""
        return sorted({place for kernel in self.kernels for place in kernel.lines})

    def __str__(self):
        count = sum(k.operations for k in self.kernels)
        text = [
            f"{_several(count, 'operation')} in {_several(len(self.kernels), 'kernel')}, "
            f"{self._state()}; {_NEW[self.new]}; run {_several(self.runs, 'time')}"
        ]
        for number, kernel in enumerate(self.kernels, 1):
            text.extend(_report(number, kernel))
        return "\n".join(text)

    __repr__ = __str__

    def _state(self):
        if self.state == "interpreted":
            return "interpreted (what runs again is compiled)"
        origins = [k.origin for k in self.kernels]
        parts = [f"{origins.count(o)} {what}" for o, what in _ORIGINS.items() if o in origins]
        return ", ".join(parts)


_NEW = {
    "structure": "a structure not seen before",
    "shape": "a known structure in a new shape",
    None: "known",
}
_ORIGINS = {
    "compiled": "compiled",
    "disk": "found on disk",
    "memory": "found in memory",
    "numpy": "by NumPy",
}


def _several(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _report(number, kernel):
    """The lines of the report about a kernel."""
    shape = f"{kernel.dtype.name}{list(kernel.shape)}"
    yield f"{number}: {kernel.kind} -> {shape}, {kernel.origin}"
    here = os.getcwd() + os.sep
    for (file, line), names in kernel.lines.items():
        counts = Counter(names)
        if len(counts) > 1:
            del counts["cast"]
        shown = [name if n == 1 else f"{n} {name}" for name, n in counts.items()]
        more = f" and {_several(len(shown) - _SHOWN, 'other')}" if len(shown) > _SHOWN else ""
        yield f"    {file.removeprefix(here)}:{line}  {', '.join(shown[:_SHOWN])}{more}"


def _plan(program):
    """What the plan of a program that was only interpreted would be."""
    from .backends.llvm.emit import can_emit
    from .compiler.fuse import partition
    from .compiler.plan import plan

    return plan(program, partition(program, can_emit))


def _origin(call, native):
    if native is None:
        return "interpreted"
    return "numpy" if call.kind == "host" else call.origin


def described(call, part, origin=None):
    """The `Fused` of a call of a plan with the partition `part`."""
    nodes, read = call.computed(part)
    lines = {}
    for node in nodes:
        lines.setdefault(node.line or ("?", 0), []).append(name_of(node))
    last = call.sinks[-1]
    kind = {"host": "numpy"}.get(call.kind, call.kind)
    if call.kernel is not None:
        kind = call.kernel.key[0]
    return Fused(kind, origin, lines, len(nodes), last.shape, last.dtype, [x.shape for x in read])


def name_of(node):
    """What the operation of a node is called."""
    if node.kind in ("map", "host"):
        return getattr(node.op, "name", str(node.op))
    return node.op if node.kind == "reduce" else node.kind


def why(pending=False):
    """What became of the last program that ran in this thread: an `Explanation`.

    With `pending` it is about what this thread has recorded since: how it would be run, and how
    much memory that takes. It is planned for that, but not run.

    A program is what was recorded between two sync points: `why` after a training step tells about
    that step. It says which operations, of which lines, were fused into which kernel; what was
    interpreted, compiled, or found in memory or on disk; and whether the program was known. A line
    is that at which a record was made the first time: two places that record just the same share
    one.

    It costs nothing before it is called. Raises RuntimeError if this thread has run no program.

    >>> import flambeau as torch
    >>> torch.synchronize()
    >>> x = torch.ones(3)
    >>> print(((x + 1).exp() * 2).tolist()[0] > 14)
    True
    >>> report = torch.why()
    >>> [kernel.kind for kernel in report.kernels]
    ['elementwise']
    >>> y = torch.ones(1000).exp()
    >>> torch.why(pending=True).peak
    4000
    """
    if pending:
        return Explanation(planned(local.trace.segment).executable)
    executable = local.trace.last
    if executable is None:
        raise RuntimeError("why(): this thread has run no program yet")
    return Explanation(executable)
