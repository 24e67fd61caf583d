"""`flambeau.nn.parameter_containers`: behave and print as those of torch."""

from collections import OrderedDict

import pytest

import flambeau
from flambeau import nn


def plist(lib):
    return lib.nn.ParameterList([lib.zeros(2), lib.nn.Parameter(lib.ones(3, 4)), "text"])


def pdict(lib):
    return lib.nn.ParameterDict({"b": lib.zeros(2), "a": lib.ones(3), "c": 3})


def after(module, change):
    """The module after a change in place."""
    change(module)
    return module


SCENARIOS = {
    "list": plist,
    "list empty": lambda lib: lib.nn.ParameterList(),
    "list slice": lambda lib: plist(lib)[:2],
    "list index": lambda lib: (plist(lib)[-1], plist(lib)[0]),
    "list far": lambda lib: plist(lib)[3],
    "list set": lambda lib: after(plist(lib), lambda p: p.__setitem__(0, lib.ones(7))),
    "list append": lambda lib: plist(lib).append(lib.ones(5)),
    "list extend": lambda lib: plist(lib).extend([lib.ones(5), lib.ones(6)]),
    "list extend tensor": lambda lib: plist(lib).extend(lib.ones(5)),
    "list iadd": lambda lib: plist(lib).__iadd__([lib.ones(5)]),
    "list call": lambda lib: plist(lib)(),
    "dict": pdict,
    "dict ordered": lambda lib: lib.nn.ParameterDict(OrderedDict(b=lib.ones(1), a=lib.ones(2))),
    "dict pairs": lambda lib: lib.nn.ParameterDict([("b", lib.ones(1)), ("a", lib.ones(2))]),
    "dict keys": lambda lib: (list(pdict(lib)), list(reversed(pdict(lib))), "a" in pdict(lib)),
    "dict missing": lambda lib: pdict(lib).get("x", 5),
    "dict number": lambda lib: pdict(lib)[3],
    "dict delete": lambda lib: after(pdict(lib), lambda p: p.__delitem__("a")),
    "dict pop": lambda lib: after(pdict(lib), lambda p: p.pop("a")),
    "dict popitem": lambda lib: pdict(lib).popitem(),
    "dict clear": lambda lib: after(pdict(lib), lambda p: p.clear()),
    "dict setdefault": lambda lib: after(pdict(lib), lambda p: p.setdefault("x", lib.ones(9))),
    "dict fromkeys": lambda lib: pdict(lib).fromkeys(["x", "y"], 2),
    "dict copy": lambda lib: pdict(lib).copy(),
    "dict or": lambda lib: pdict(lib) | lib.nn.ParameterDict({"x": lib.ones(2)}),
    "dict ior": lambda lib: pdict(lib).__ior__({"x": lib.ones(2)}),
    "dict ror": lambda lib: {"x": lib.nn.Parameter(lib.ones(2))} | lib.nn.ParameterDict(),
    "dict long pairs": lambda lib: lib.nn.ParameterDict([("a", 1, 2)]),
    "dict call": lambda lib: pdict(lib)(1),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_as_torch(torch, name):
    results = []
    for library in (flambeau, torch):
        try:
            results.append(repr(SCENARIOS[name](library)))
        except Exception as error:
            text = str(error).split(" Open an ")[0]  # torch goes on about its tracker
            results.append(f"{type(error)} {text}")
    assert results[0] == results[1]


def test_errors():
    with pytest.raises(TypeError, match="ParameterDict.update should be called with an iterable"):
        nn.ParameterDict(3)
    with pytest.raises(KeyError):
        nn.ParameterDict().popitem()


def test_parameters_are_registered():
    module = nn.Module()
    module.list, module.dict = plist(flambeau), pdict(flambeau)
    names = [name for name, _ in module.named_parameters()]
    assert names == ["list.0", "list.1", "dict.a", "dict.b"]
    assert isinstance(module.list[0], nn.Parameter)
    assert len(module.list) == len(module.dict) == 3


def test_numbers_are_not_attributes():
    assert not any(name.isdigit() for name in dir(plist(flambeau)))
