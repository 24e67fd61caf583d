"""`flambeau.nn.containers`: behave and print as those of torch."""

from collections import OrderedDict

import pytest

import flambeau
from flambeau import nn


def both(torch, scenario):
    """What a scenario gives, or the class and text of its error, in both libraries, as text."""
    results = []
    for library in (flambeau, torch):
        try:
            results.append(repr(scenario(library)))
        except Exception as error:
            results.append(f"{type(error)} {error}")
    return [r.replace("torch.nn.modules.container", "flambeau.nn.containers") for r in results]


def numbered(lib, kind, *sizes):
    layers = [lib.nn.Linear(n, n) for n in sizes]
    return kind(*layers) if kind is lib.nn.Sequential else kind(layers)


def seq(lib, *sizes):
    return numbered(lib, lib.nn.Sequential, *sizes)


def named(lib):
    return lib.nn.Sequential(OrderedDict(a=lib.nn.ReLU(), b=lib.nn.Tanh(), c=lib.nn.ELU()))


def lst(lib, *sizes):
    return numbered(lib, lib.nn.ModuleList, *sizes)


def dct(lib):
    return lib.nn.ModuleDict({"b": lib.nn.ReLU(), "a": lib.nn.Tanh()})


def after(module, change):
    """The module after a change in place."""
    change(module)
    return module


def delete(index):
    return lambda module: module.__delitem__(index)


SCENARIOS = {
    "seq": lambda lib: seq(lib, 1, 2),
    "seq empty": lambda lib: seq(lib),
    "seq named": named,
    "seq index": lambda lib: (seq(lib, 1, 2)[-1], named(lib)[1]),
    "seq index far": lambda lib: seq(lib, 1, 2)[2],
    "seq slice": lambda lib: (seq(lib, 1, 2, 3)[1:], named(lib)[:2]),
    "seq set": lambda lib: after(seq(lib, 1, 2), lambda m: m.__setitem__(0, lib.nn.ReLU())),
    "seq set named": lambda lib: after(named(lib), lambda m: m.__setitem__(-1, lib.nn.ReLU())),
    "seq delete": lambda lib: after(seq(lib, 1, 2, 3), delete(0)),
    "seq delete slice": lambda lib: after(seq(lib, 1, 2, 3), delete(slice(0, 2))),
    "seq pop": lambda lib: (seq(lib, 1, 2, 3).pop(1), after(named(lib), lambda m: m.pop(0))),
    "seq add": lambda lib: seq(lib, 1, 2) + seq(lib, 3),
    "seq add list": lambda lib: seq(lib, 1, 2) + [lib.nn.ReLU()],
    "seq iadd": lambda lib: after(seq(lib, 1), lambda m: m.__iadd__(seq(lib, 3))),
    "seq iadd list": lambda lib: seq(lib, 1, 2).__iadd__([]),
    "seq mul": lambda lib: (seq(lib, 1, 2) * 2, 2 * seq(lib, 1)),
    "seq mul zero": lambda lib: seq(lib, 1) * 0,
    "seq mul float": lambda lib: seq(lib, 1) * 1.5,
    "seq imul": lambda lib: seq(lib, 1, 2).__imul__(3),
    "seq append": lambda lib: seq(lib, 1).append(lib.nn.ReLU()),
    "seq insert": lambda lib: seq(lib, 1, 2).insert(1, lib.nn.ReLU()),
    "seq insert negative": lambda lib: seq(lib, 1, 2).insert(-1, lib.nn.ReLU()),
    "seq insert far": lambda lib: seq(lib, 1, 2).insert(5, lib.nn.ReLU()),
    "seq extend": lambda lib: seq(lib, 1).extend(seq(lib, 2, 3)),
    "seq no module": lambda lib: lib.nn.Sequential(3),
    "list": lambda lib: lst(lib, 1, 1, 1, 2, 3, 3),
    "list empty": lambda lib: lst(lib),
    "list nested": lambda lib: lib.nn.ModuleList([lst(lib, 1, 1), lst(lib, 1, 1), seq(lib, 1)]),
    "list index": lambda lib: (lst(lib, 1, 2)[-1], lst(lib, 1, 2)[0]),
    "list index far": lambda lib: lst(lib, 1)[-2],
    "list slice": lambda lib: lst(lib, 1, 2, 3)[::2],
    "list set": lambda lib: after(lst(lib, 1, 2), lambda m: m.__setitem__(-1, lib.nn.ReLU())),
    "list delete": lambda lib: after(lst(lib, 1, 2, 3), delete(1)),
    "list delete slice": lambda lib: after(lst(lib, 1, 2, 3), delete(slice(1, None))),
    "list pop": lambda lib: lst(lib, 1, 2, 3).pop(0),
    "list add": lambda lib: lst(lib, 1) + [lib.nn.ReLU()],
    "list iadd": lambda lib: after(lst(lib, 1), lambda m: m.__iadd__([lib.nn.ReLU()])),
    "list append": lambda lib: lst(lib, 1).append(lib.nn.ReLU()),
    "list insert": lambda lib: after(lst(lib, 1, 2), lambda m: m.insert(1, lib.nn.ReLU())),
    "list extend number": lambda lib: lst(lib).extend(3),
    "list forward": lambda lib: lst(lib, 1)(3),
    "dict": dct,
    "dict items": lambda lib: [list(dct(lib).items()), list(dct(lib)), list(dct(lib).values())],
    "dict index": lambda lib: dct(lib)["a"],
    "dict missing": lambda lib: dct(lib)["x"],
    "dict set": lambda lib: after(dct(lib), lambda m: m.__setitem__("c", lib.nn.ELU())),
    "dict delete": lambda lib: after(dct(lib), delete("b")),
    "dict pop": lambda lib: (dct(lib).pop("a"), list(dct(lib).keys())),
    "dict clear": lambda lib: after(dct(lib), lambda m: m.clear()),
    "dict of pairs": lambda lib: lib.nn.ModuleDict([("x", lib.nn.ReLU()), ["y", lib.nn.ELU()]]),
    "dict of dict": lambda lib: lib.nn.ModuleDict(dct(lib)),
    "dict of number": lambda lib: lib.nn.ModuleDict(3),
    "dict of long pairs": lambda lib: lib.nn.ModuleDict([("a", 1, 2)]),
    "dict taken name": lambda lib: lib.nn.ModuleDict({"forward": lib.nn.ReLU()}),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_as_torch(torch, name):
    ours, theirs = both(torch, SCENARIOS[name])
    assert ours == theirs


def test_sequential_calls_all():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = flambeau.ones(4, 2)
    assert (net(x) == net[2](net[1](net[0](x)))).all()


def test_lengths_and_membership():
    assert len(seq(flambeau, 1, 2)) == 2
    assert len(lst(flambeau, 1)) == 1
    assert len(dct(flambeau)) == 2
    assert "a" in dct(flambeau)
    assert "x" not in dct(flambeau)
    assert len(list(seq(flambeau, 1, 2))) == 2


def test_dict_update_refuses_what_is_no_pair():
    with pytest.raises(TypeError, match="#0 should be Iterable"):
        nn.ModuleDict([3])


def test_parameters_are_registered():
    module = nn.Module()
    module.layers = nn.ModuleList([nn.Linear(1, 1)])
    module.heads = nn.ModuleDict({"x": nn.Linear(1, 1)})
    names = ["layers.0.weight", "layers.0.bias", "heads.x.weight", "heads.x.bias"]
    assert [name for name, _ in module.named_parameters()] == names


def test_numbers_are_not_attributes():
    assert not any(name.isdigit() for name in dir(seq(flambeau, 1)))
