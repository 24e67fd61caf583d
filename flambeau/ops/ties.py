"""Which of equal elements a selection finds: the order in which PyTorch's CPU code leaves them.

Its `kthvalue` narrows a row by quickselect with the median of three as pivot; `topk` and `mode`
call the C++ library's `nth_element` and `sort`, which stop at 3 and at 16 elements and insert
those one by one, or keep a heap. None is stable, all are fixed. Here every pass divides all rows
at once. Keys are ranks (equal elements have one), so that NaN needs no care.
"""

import heapq

import numpy as np

__all__ = ["is_heaped", "kth_place", "mode_place", "repeats", "top_places"]

FEW = 3  # elements that `nth_element` sorts by insertion
SHORT = 16  # elements that `sort` leaves to insertion
HEAP = 64  # times k: from this length on a heap finds the k first


class _Rows:
    """The keys of rows of one length, end to end, and the place in its row each comes from."""

    def __init__(self, keys):
        self.count, self.length = keys.shape
        self.keys = keys.reshape(-1).copy()
        self.places = np.tile(np.arange(self.length), self.count)
        self.first = np.arange(self.count) * self.length

    def swap(self, a, b):
        """Exchange the elements at positions `a` with those at `b`."""
        for held in (self.keys, self.places):
            held[a], held[b] = held[b], held[a]

    def order(self, a, b):
        """Exchange those of the pairs at `a` and `b` where the first is greater."""
        wrong = self.keys[a] > self.keys[b]
        self.swap(a[wrong], b[wrong])

    def divide(self, first, last, pivots, meet):
        """Hoare's partition of the ranges [first, last), each by its pivot.

        What is not less, from the left, changes places with what is not greater, from the right,
        until they cross. meet: whether an element where both come together is passed too.

        Returns: where the way from the left and that from the right end.
        """
        count = len(first)
        owner, where = _spread(first, last)
        keys, pivots = self.keys[where], pivots[owner]
        left, right = np.flatnonzero(keys >= pivots), np.flatnonzero(keys <= pivots)
        lefts, rights = (np.bincount(owner[x], minlength=count) for x in (left, right))
        start, end = np.cumsum(lefts) - lefts, np.cumsum(rights)
        owner, left, right = owner[left], where[left], where[right]
        turn = np.arange(len(left)) - start[owner]  # the k-th from the left meets ...
        paired = np.flatnonzero(turn < rights[owner])
        partner = right[(end[owner] - 1 - turn)[paired]]  # ... the k-th from the right
        swapped = left[paired] < partner
        self.swap(left[paired][swapped], partner[swapped])
        done = np.bincount(owner[paired][swapped], minlength=count)
        # Each way ends at the next such element, or at one that was just brought there.
        low = _item(right, end - done, done > 0, last)
        high = _item(left, start + done - 1, done > 0, first - 1)
        i = _item(left, start + done, done < lefts, last)
        j = _item(right, end - 1 - done, done < rights, first - 1)
        if meet:
            done = done + (i == j)
            i = _item(left, start + done, done < lefts, last)
            j = _item(right, end - 1 - done, done < rights, first - 1)
        return np.minimum(i, low), np.maximum(j, high)

    def cut(self, first, last):
        """Divide ranges by the median of their second, middle and last element, put first."""
        a, b, c = first + 1, first + (last - first) // 2, last - 1
        x, y, z = self.keys[a], self.keys[b], self.keys[c]
        low = np.where(y < z, b, np.where(x < z, c, a))  # where x is less than y
        high = np.where(x < z, a, np.where(y < z, c, b))
        self.swap(first, np.where(x < y, low, high))
        return self.divide(first + 1, last, self.keys[first], meet=False)[0]

    def insert(self, first, last):
        """Sort ranges, equal elements in their order."""
        owner, where = _spread(first, last)
        order = where[np.lexsort((self.keys[where], owner))]
        self.keys[where], self.places[where] = self.keys[order], self.places[order]

    def select(self, nth, few):
        """Put at positions `nth` (one a row) what belongs there, as `nth_element` does."""
        first, last = self.first.copy(), self.first + self.length
        while (long := np.flatnonzero(last - first > few)).size:
            cut = self.cut(first[long], last[long])
            behind = cut <= nth[long]
            first[long] = np.where(behind, cut, first[long])
            last[long] = np.where(behind, last[long], cut)
        self.insert(first, last)

    def sort(self, count):
        """Sort the first `count` elements of each row, as `sort` does."""
        first, last = self.first, self.first + count
        while (long := last - first > SHORT).any():
            cut = self.cut(first[long], last[long])
            first, last = np.append(first[long], cut), np.append(cut, last[long])
        self.insert(self.first, self.first + count)

    def quickselect(self, nth):
        """Put at positions `nth` (one a row) what belongs there."""
        left, right = self.first.copy(), self.first + self.length - 1
        while (rows := np.flatnonzero(left < right)).size:
            pair = rows[left[rows] + 1 == right[rows]]
            self.order(left[pair], right[pair])
            left[pair] = right[pair]
            rows = np.setdiff1d(rows, pair)
            a, z = left[rows], right[rows]
            self.swap(a + (z - a) // 2, a + 1)
            self.order(a + 1, z)
            self.order(a, z)
            self.order(a + 1, a)
            i, j = self.divide(a + 2, z, self.keys[a], meet=True)
            self.swap(a, j)
            left[rows] = np.where(j <= nth[rows], i, a)
            right[rows] = np.where(j >= nth[rows], j - 1, z)


def _spread(first, last):
    """(the number of its range, its position) for every element of the ranges [first, last)."""
    lengths = last - first
    owner = np.repeat(np.arange(len(first)), lengths)
    return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(lengths) - lengths), lengths)


def _item(items, at, known, default):
    """items[at] where `known`, else the default."""
    found = np.array(default)
    found[known] = items[at[known]]
    return found


def repeats(ordered):
    """Whether each element of sorted rows, from the second on, equals the one before."""
    a, b = ordered[:, 1:], ordered[:, :-1]
    return (a == b) | ((a != a) & (b != b))


def _ranks(order, equal):
    """The rank of every element of rows that `order` sorts."""
    ranks = np.zeros(order.shape, np.int64)
    np.put_along_axis(ranks, order[:, 1:], np.cumsum(~equal, axis=1), 1)
    return ranks


def kth_place(order, ordered, k):
    """Where `kthvalue` finds the k-th smallest (from 1) of rows that `order` sorts: [rows]."""
    found, equal = order[:, k - 1].copy(), repeats(ordered)
    tied = np.flatnonzero(equal[:, max(k - 2, 0) : k].any(axis=1))
    if tied.size:
        rows = _Rows(_ranks(order[tied], equal[tied]))
        rows.quickselect(rows.first + k - 1)
        found[tied] = rows.places[rows.first + k - 1]
    return found


def mode_place(order, ordered):
    """Where `mode` finds the most frequent element, the smallest of several: [rows]."""
    equal = repeats(ordered)
    at = np.arange(1, order.shape[1])
    starts = np.maximum.accumulate(np.where(equal, 0, at), axis=1)
    place = np.pad(at - starts, ((0, 0), (1, 0))).argmax(axis=1)  # the end of the longest run
    if order.shape[1] > SHORT:
        rows = _Rows(_ranks(order, equal))
        rows.select(rows.first + place, SHORT)
        return rows.places[rows.first + place]
    return np.take_along_axis(order, place[:, None], 1)[:, 0]


class _Ranked(int):
    """A rank, negative so that a heap has the last one on top, that knows its place in a row."""

    def __new__(cls, rank, place):
        self = super().__new__(cls, -rank)
        self.place = place
        return self


def _by_heap(ranks, k):
    """The places of the k smallest of a row, in order, as a heap of the best so far finds them."""
    heap, seen = [_Ranked(ranks[place], place) for place in range(k)], k
    heapq.heapify(heap)
    while seen < len(ranks):
        for place in seen + np.flatnonzero(ranks[seen : 2 * seen] < -heap[0]):
            if ranks[place] < -heap[0]:
                heapq.heapreplace(heap, _Ranked(ranks[place], place))
        seen *= 2
    return [heapq.heappop(heap).place for _ in range(k)][::-1]


def is_heaped(k, length):
    """Whether `topk` keeps a heap of the k first."""
    return k * HEAP <= length


def top_places(order, ordered, k, in_order):
    """Where `topk` finds the k first of rows that `order` sorts, as it returns them: [rows, k]."""
    found, equal = order[:, :k].copy(), repeats(ordered)
    count, length = order.shape
    heaped = is_heaped(k, length)
    tied = equal[:, :k].any(axis=1) if in_order or heaped else np.ones(count, bool)
    tied = np.flatnonzero(tied) if k else tied[:0]
    if tied.size:
        ranks = _ranks(order[tied], equal[tied])
        if heaped:
            found[tied] = [_by_heap(row, k) for row in ranks]
        else:
            rows = _Rows(ranks)
            rows.select(rows.first + k - 1, FEW)
            if in_order:
                rows.sort(k - 1)
            found[tied] = rows.places.reshape(-1, length)[:, :k]
    return found
