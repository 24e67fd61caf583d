"""Batches are made as by PyTorch."""

import collections

import numpy as np
import pytest

from flambeau.utils.data import default_collate
from flambeau.utils.data.collate import collate, default_collate_fn_map

Point = collections.namedtuple("Point", "x y")


class Listy(list):
    """A list with something beside its items."""


BATCHES = {
    "ints": [1, 2],
    "bools": [True, False],
    "floats": [1.5, 2],
    "mixed": [1, 2.5],
    "text": ["a", "bc"],
    "bytes": [b"a", b"b"],
    "arrays": [np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)],
    "0-d": [np.array(1.5), np.array(2.5)],
    "complex": [np.ones(2, np.complex64)],
    "float64": [np.float64(2.0), np.float64(3.0)],
    "int32": [np.int32(2)],
    "bool_": [np.bool_(True)],
    "tuples": [(1, "a", 1.0), (2, "b", 2.0)],
    "lists": [[1, [2.0]], [3, [4.0]]],
    "empty": [[], []],
    "ranges": [range(3), range(3)],
    "dicts": [{"x": 1, "y": (1.0, "a")}, {"x": 2, "y": (2.0, "b"), "z": 0}],
    "points": [Point(1, 2.0), Point(3, 4.0)],
    "userlist": [collections.UserList([1, 2]), collections.UserList([3, 4])],
    "listy": [Listy([1, 2]), Listy([3, 4])],
    "ordered": [collections.OrderedDict(x=1), collections.OrderedDict(x=2)],
    "none": [None],
    "set": [{1}],
    "number": [1j],
    "lengths": [[1], [2, 3]],
    "text array": [np.array(["a"])],
    "object": [object()],
}


@pytest.mark.parametrize("name", BATCHES)
def test_default_collate(same, name):
    same(lambda lib: lib.utils.data.default_collate(BATCHES[name]))


def test_tensors(same):
    same(lambda lib: lib.utils.data.default_collate([lib.arange(3), lib.arange(3)]))
    same(lambda lib: lib.utils.data.default_collate([lib.tensor(1.0), lib.tensor(2.0)]))
    same(lambda lib: lib.utils.data.default_collate([lib.arange(3), lib.arange(2)]))


@pytest.mark.parametrize(
    "value",
    [
        "ab",
        3,
        None,
        bytearray(b"ab"),
        np.float64(3.0),
        np.arange(3),
        (1, np.ones(2)),
        [np.ones(1), "a"],
        {"x": np.ones(1), "y": [np.int8(1)]},
        Point(1, np.ones(1)),
    ],
)
def test_default_convert(same, value):
    same(lambda lib: lib.utils.data.default_convert(value))


def test_containers_keep_what_they_hold():
    first = Listy([1])
    first.note = "kept"
    assert default_collate([first, Listy([2])]).note == "kept"
    grouped = collections.defaultdict(list, x=1)
    assert default_collate([grouped, {"x": 2}]).default_factory is list
    assert grouped["x"] == 1


def test_rules_for_other_types():
    def sets(batch, *, collate_fn_map=None):
        return set.union(*batch)

    rules = {**default_collate_fn_map, set: sets}
    result = collate([({1}, 2), ({3}, 4)], collate_fn_map=rules)
    assert result[0] == {1, 3}
    assert result[1].tolist() == [2, 4]
    assert collate([frozenset([1])], collate_fn_map={frozenset: lambda b, **_: b[0]}) == {1}
