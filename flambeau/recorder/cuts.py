"""Where traces are cut, so that what many of them have in common is known.

A trace that goes on in another way than those before it, as where a loop ends earlier, is new from
there on, and so is its program. Where that happens again and again, at lines such as the body of a
loop and the one after it, segments are run when such a line is reached: what lies between two
cuts is then the same each time, a step of the loop for instance, whatever comes before and after.
Loops within one line, of another length each time, are cut by the number of their records.
"""

from .lines import user_frame

__all__ = ["ENDS", "FORKS", "PIECE", "is_cut", "note_end", "way_to"]

FORKS = 3  # ways in which traces went on at a line where others went on elsewhere
PIECE = 128  # records of a piece of what many traces have in common
ENDS = 8  # ways to go on from there that are many
_forks = {}  # line -> how many


def way_to(way, came, line, first):
    """(The way of lines that a trace has gone when it goes on at `line`, new lines to cut at).

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
        parting = [line, *way] if len(way) == 1 else [line]
        for k in parting:
            _forks[k] = _forks.get(k, 0) + 1
        cut = [k for k in parting if _forks[k] == FORKS]
        _cut.update(cut)
    return way.setdefault(line, {}), cut


_cut = set()


def is_cut(trace):
    """Whether what a thread has recorded should be run before a record of the line that runs now.

    That is so when such a line is reached anew: from another frame, or from behind itself.
    """
    if not _cut:
        return False
    frame = user_frame()
    if frame is None:
        return False
    came, trace.place = trace.place, (id(frame), frame.f_lasti)
    if (frame.f_code.co_filename, frame.f_lineno) not in _cut or not trace.segment.handles:
        return False
    if came is not None and came[0] == id(frame) and came[1] <= frame.f_lasti:
        return _line_at(frame, came[1]) != frame.f_lineno
    return True


def _line_at(frame, instruction):
    """The line of an instruction of the code that a frame runs."""
    return _lines_of(frame.f_code)[instruction // 2]


_known = {}


def _lines_of(code):
    found = _known.get(code)
    if found is None:
        found = _known[code] = [place[0] for place in code.co_positions()]
    return found


def note_end(state):
    """Note that a trace ended here for the first time."""
    while state.parent is not None:
        if state.depth % PIECE == 0:
            state.ends += 1
            if state.ends == ENDS:
                state.full = True
                state.next.clear()  # quick paths, which do not ask, go no further
        state = state.parent
