"""Where traces are cut, so that what many of them have in common is known.

A trace that goes on in another way than those before it, as where a loop ends earlier, is new from
there on, and so is its program. Where that happens again and again on the way from one line to
others, such as from the end of a loop to its start and to what follows it, segments are run on
these ways: what lies between two cuts is then the same each time, a step of the loop for instance,
whatever comes before and after. Loops within one line, of another length each time, are cut by the
number of their records.
"""

from .lines import user_line

__all__ = ["ENDS", "FORKS", "PIECE", "is_cut", "note_end", "way_to"]

FORKS = 2  # times that traces parted on the way from a line to another
PIECE = 128  # records of a piece of what many traces have in common
ENDS = 8  # ways to go on from there that are many
_forks = {}  # (line, next line) -> how many
_cut = {}  # line -> the next lines before which segments are run


def way_to(way, came, line, first):
    """(The way of lines that a trace has gone when it goes on at `line`, new steps to cut).

    way: that of the record before, a dict of the ways on from there by line; came: its line;
    first: whether there is none.
    """
    if line == came and not first:
        return way, ()
    found = way.get(line)
    if found is not None:
        return found, ()
    cut = ()
    if way and not first:
        parting = [(came, k) for k in ((line, *way) if len(way) == 1 else (line,))]
        for step in parting:
            _forks[step] = _forks.get(step, 0) + 1
        cut = [step for step in parting if _forks[step] == FORKS]
        for _, to in cut:
            _cut.setdefault(came, set()).add(to)
    return way.setdefault(line, {}), cut


def is_cut(state):
    """Whether a segment at a state should be run before a record of the line that runs now."""
    return bool(_cut) and state.line in _cut and state.end > 0 and user_line() in _cut[state.line]


def note_end(state):
    """Note that a trace ended here for the first time."""
    while state.parent is not None:
        if state.depth % PIECE == 0:
            state.ends += 1
            if state.ends == ENDS:
                state.full = True
                state.next.clear()  # quick paths, which do not ask, go no further
        state = state.parent
