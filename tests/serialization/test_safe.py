"""What a user allows beside plain data."""

import argparse
import io
import types

import pytest

import flambeau
from flambeau.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    get_unsafe_globals_in_checkpoint,
    load,
    safe_globals,
    save,
)
from flambeau.serialization.safe import find_safe, is_safe


@pytest.fixture(autouse=True)
def none_allowed():
    clear_safe_globals()
    yield
    clear_safe_globals()


class Slotted:
    __slots__ = ("x",)


class Point:
    def __init__(self, x):
        self.x = x

    def __setstate__(self, state):
        self.x = state["x"] + 1


def roundtrip(obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return load(file)


def test_the_list():
    assert get_safe_globals() == []
    add_safe_globals([argparse.Namespace, (Point, "old.Point")])
    add_safe_globals([argparse.Namespace])
    assert get_safe_globals() == [argparse.Namespace, (Point, "old.Point")]
    assert is_safe(Point)
    get_safe_globals().clear()
    assert find_safe("argparse", "Namespace") is argparse.Namespace
    assert find_safe("old", "Point") is Point
    assert find_safe(__name__, "Point") is None
    clear_safe_globals()
    assert get_safe_globals() == []
    assert not is_safe(Point)


def test_a_context():
    add_safe_globals([Slotted])
    with safe_globals([Point]):
        assert get_safe_globals() == [Slotted, Point]
    assert get_safe_globals() == [Slotted]


def test_classes_that_are_allowed_are_built(monkeypatch):
    module = types.ModuleType("of_this_test")
    monkeypatch.setitem(__import__("sys").modules, "of_this_test", module)
    for cls in (Slotted, Point):
        monkeypatch.setattr(cls, "__module__", "of_this_test")
        setattr(module, cls.__name__, cls)
    slotted = Slotted()
    slotted.x = 3
    with safe_globals([Slotted, Point, argparse.Namespace]):
        assert roundtrip(argparse.Namespace(a=1)) == argparse.Namespace(a=1)
        assert roundtrip(slotted).x == 3
        assert roundtrip(Point(1)).x == 2
    with pytest.raises(Exception, match=r"of_this_test\.Point, which is not allowed"):
        roundtrip(Point(1))


def test_modules_of_flambeau_go_by_their_names_in_pytorch(torch, saved):
    layer = flambeau.nn.Linear(2, 3)
    with safe_globals([flambeau.nn.Linear]):
        assert roundtrip(layer).weight.tolist() == layer.weight.tolist()
        theirs = torch.nn.Linear(2, 3)
        assert load(saved(theirs)).weight.tolist() == theirs.weight.tolist()


def test_what_a_file_would_need(torch, saved, tmp_path):
    names = get_unsafe_globals_in_checkpoint(saved({"a": torch.nn.ReLU(), "b": torch.ones(2)}))
    assert names == ["torch.nn.modules.activation.ReLU"]
    path = tmp_path / "a.pt"
    torch.save(argparse.Namespace(a=torch.ones(2)), path, pickle_protocol=4)
    assert get_unsafe_globals_in_checkpoint(path) == ["argparse.Namespace"]
    with safe_globals([argparse.Namespace]):
        assert get_unsafe_globals_in_checkpoint(path) == []
