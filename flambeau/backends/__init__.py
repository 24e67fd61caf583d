"""Runs programs: cold ones by the NumPy interpreter, hot and large ones compiled."""

from sys import getrefcount

import numpy as np

from .. import config, errors, lazy
from ..compiler.verify import verify_program
from .memory import Buffer
from .numpy.interpret import OutOfRange, interpret

__all__ = ["Executable"]

__getattr__ = lazy.submodules(__name__)  # mps, cudnn and other settings that PyTorch has

# Seconds, about: of the interpreter for a value and for each of its elements; of LLVM for a value.
CALL, ELEMENT, COMPILING = 1e-5, 5e-9, 7e-4
SHARE = 1 / 8  # of the time for compiling a program that the interpreter may spend on it before
_UNSHARED = 4  # references to a leaf's buffer that only its tensor and its segment hold


def cold_runs(program):
    """How many runs the interpreter does before a program is compiled.

    That depends on the program alone, not on the clock or on what is on disk, so that the numbers
    are the same each time: at least one, unless compiling takes less time than that, and no more
    than `config.cold`.
    """
    count = len(program.nodes)
    interpreted = count * CALL + sum(n.numel for n in program.nodes) * ELEMENT
    compiled = count * COMPILING
    if interpreted > compiled:
        return 0
    return max(1, min(config.cold, int(SHARE * compiled / interpreted))) if count else 1


class Executable:
    """A program ready to run."""

    def __init__(self, program):
        self.program = program
        self.runs = 0
        self.native = None
        self.compiled_at = 0  # the run before which that was made
        self.cold = cold_runs(program)
        if config.verify:
            verify_program(program)
        if config.show & {"program", "all"}:
            print(program)

    def run(self, leaves, scalars, timer=None):
        """The buffers of the outputs, given those of the leaves and the numbers in the slots.

        timer: is told when each part of the program is done (see flambeau.profiler), or None.
        """
        self.runs += 1
        native = self.native
        if native is None:
            backend = config.backend
            if backend == "numpy" or (backend == "auto" and self.runs <= self.cold):
                return self._interpret(leaves, scalars, timer)
            from .llvm.runtime import NativeProgram

            native = self.native = NativeProgram(self.program)
            self.compiled_at = self.runs
            if timer is not None:
                timer.compiled()
        try:
            return native.run(leaves, scalars, timer)
        except OutOfRange as error:
            raise _located(error) from None

    def _interpret(self, leaves, scalars, timer):
        program = self.program
        arrays = [
            leaf.numpy(dtype, leaf.nbytes // dtype.itemsize)
            for leaf, dtype in zip(leaves, program.leaves, strict=True)
        ]
        aliases = program.aliases
        for alias in aliases:
            if alias is not None and leaves[alias].is_shared:
                arrays[alias] = arrays[alias].copy()  # as it is now: others may write to it
        try:
            results = interpret(program, arrays, scalars, timer)
        except OutOfRange as error:
            raise _located(error) from None
        if any(alias is not None for alias in aliases):  # a result may be a view of a leaf
            results = [v.copy() if v.base is not None else v for v in results]
        return [
            self._place(value, alias, leaves, arrays)
            for value, alias in zip(results, aliases, strict=True)
        ]

    def _place(self, value, alias, leaves, arrays):
        if alias is not None:
            buffer = leaves[alias]
            if buffer.is_shared:
                _write_changes(buffer, value, arrays[alias])
                return buffer
            if getrefcount(buffer) <= _UNSHARED:
                buffer.numpy(value.dtype, value.size)[...] = value
                return buffer
        buffer = Buffer.allocate(value.nbytes)
        buffer.numpy(value.dtype, value.size)[...] = value
        return buffer


def _write_changes(buffer, value, before):
    """Write to shared memory what was changed, and nothing else: others may write there, too."""
    kind = np.dtype(f"u{min(value.itemsize, 8)}")
    new, old = value.reshape(-1).view(kind), before[: value.size].view(kind)
    np.copyto(buffer.numpy(kind, new.size), new, where=new != old)


def _located(error):
    """The error that names the user's line."""
    file, line = error.node.line or ("?", 0)
    return errors.IndexError(f"{error} (at {file}:{line})")
