"""Places of temporaries within one block of memory."""

__all__ = ["arena"]

ALIGN = 64


def arena(calls, sizes):
    """({memory: offset}, total bytes): each lives from its first to its last use."""
    first, last = {}, {}
    for k, call in enumerate(calls):
        for m in (*call.reads, *call.writes):
            if m in sizes:
                first.setdefault(m, k)
                last[m] = k
    free, offsets, top = [], {}, 0
    ending = {}
    for m, k in last.items():
        ending.setdefault(k, []).append(m)
    starting = {}
    for m, k in first.items():
        starting.setdefault(k, []).append(m)
    for k in range(len(calls)):
        for m in starting.get(k, ()):
            size = -(-sizes[m] // ALIGN) * ALIGN
            best = None
            for index, (_, room) in enumerate(free):
                if room >= size and (best is None or room < free[best][1]):
                    best = index
            if best is None:
                offsets[m], top = top, top + size
            else:
                start, room = free[best]
                offsets[m] = start
                free[best : best + 1] = [(start + size, room - size)] if room > size else []
        for m in ending.get(k, ()):
            free.append((offsets[m], -(-sizes[m] // ALIGN) * ALIGN))
            free = _joined(free)
    return offsets, top


def _joined(free):
    free.sort()
    joined = []
    for start, room in free:
        if joined and joined[-1][0] + joined[-1][1] == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + room)
        else:
            joined.append((start, room))
    return joined
