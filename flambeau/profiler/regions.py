"""Regions: where in the program a record belongs, ((ranges), (modules)), outermost first.

Ranges are those of `record_function`, modules those being called. A derivative belongs to the
modules of the operation it is of.
"""

import threading

from ..autograd.watch import lines
from ..recorder import trace
from ..recorder.states import REGION
from ..utils.module_tracker import ModuleTracker

__all__ = ["NOWHERE", "Regions", "region_of"]

NOWHERE = ((), ())


def region_of(state):
    """The region that a record was made in."""
    while state.parent is not None and state.op is not REGION:
        state = state.parent
    return state.attrs["region"] if state.op is REGION else NOWHERE


class _Ranges(threading.local):
    names = ()


class Regions(ModuleTracker):
    """A context in which what is recorded carries its region."""

    def __init__(self):
        super().__init__()
        self._ranges = _Ranges()

    @property
    def current(self):
        """The region that this thread is in."""
        return (self._ranges.names, tuple(self.stack))

    def changed(self):
        """Note that what is recorded from here on belongs elsewhere."""
        trace.set_region(self.current)

    def open(self, name):
        """Enter a range."""
        self._ranges.names = (*self._ranges.names, name)
        self.changed()

    def close(self):
        """Leave the innermost range."""
        self._ranges.names = self._ranges.names[:-1]
        self.changed()

    def derived(self, through, state, gs, source):
        """The derivative of a record, noted as that of its modules: what the engine calls."""
        trace.set_region((self._ranges.names, region_of(state)[1]))
        return through(state, gs, source)

    def __enter__(self):
        super().__enter__()
        if lines.check is None:  # else somebody looks at derivatives already
            lines.check, lines.done = self.derived, self.changed
        return self

    def __exit__(self, *_):
        super().__exit__()
        if lines.check == self.derived:
            lines.check = lines.done = None
        if trace.local.trace.segment.node.parent is not None:
            trace.set_region(NOWHERE)
