"""Lines of the user's program where an index is another number each time they run.

An index is part of a record, so that each number makes a trace, and in the end a program, of its
own. That is right for the steps of a loop, not for a number that was itself computed, such as the
index of the largest element. Where one state is left by several records that differ in the index
only, the line that made them is noted. From then on it gives the index as a number of the run:
the records that it made before are forgotten.
"""

from .lines import user_line
from .states import forget

__all__ = ["note_ways", "varies"]

WAYS = 3  # records that leave one state and differ in their index only
_lines = set()


def varies():
    """Whether the line that runs now is known for an index that is another each time."""
    return bool(_lines) and user_line() in _lines


def note_ways(node, op, operands):
    """Note this line if enough records of an operation on the same operands leave `node`."""
    ways = sum(key[0] is op and key[1] == operands for key in node.next)
    if ways >= WAYS:
        line = user_line()
        if line not in _lines:
            _lines.add(line)
            forget(lambda state: state.line == line and state.op.at_run_time is not None)
