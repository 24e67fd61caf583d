"""`flambeau.nn.tree`: what modules hold, and walks over them. Errors are those of torch."""

import pytest

import flambeau
from flambeau import nn


def both(torch, scenario):
    """What a scenario gives, or the class and text of its error, in both libraries."""
    results = []
    for library in (flambeau, torch):
        try:
            results.append(scenario(library))
        except Exception as error:
            results.append((type(error), str(error)))
    return results


def build(lib):
    """A module with a parameter, two buffers, children, one of which comes twice, and a None."""
    module = lib.nn.Module()
    module.weight = lib.nn.Parameter(lib.ones(2))
    module.register_buffer("mean", lib.zeros(2))
    module.register_buffer("cache", lib.zeros(3), persistent=False)
    module.first = lib.nn.Linear(2, 2)
    module.block = lib.nn.Sequential(lib.nn.Linear(2, 3, bias=False), lib.nn.BatchNorm1d(3))
    module.again = module.first
    module.register_module("nothing", None)
    module.register_parameter("bias", None)
    return module


WALKS = {
    "named_parameters": {},
    "named_buffers": {},
    "named_modules": {},
    "named_children": {},
}


@pytest.mark.parametrize("walk", WALKS)
def test_named_walks(torch, walk):
    ours, theirs = both(torch, lambda lib: [n for n, _ in getattr(build(lib), walk)()])
    assert ours == theirs


@pytest.mark.parametrize("walk", ["named_parameters", "named_buffers", "named_modules"])
def test_walks_with_options(torch, walk):
    def scenario(lib):
        walked = getattr(build(lib), walk)
        names = [n for n, _ in walked(prefix="top", remove_duplicate=False)]
        if walk != "named_modules":
            names += [n for n, _ in walked(recurse=False)]
        return names

    ours, theirs = both(torch, scenario)
    assert ours == theirs


def test_walks_without_names(torch):
    def scenario(lib):
        m = build(lib)
        counts = [len(list(w())) for w in (m.parameters, m.buffers, m.modules, m.children)]
        return [*counts, len(list(m.parameters(recurse=False))), len(list(m.modules(False)))]

    ours, theirs = both(torch, scenario)
    assert ours == theirs


SCENARIOS = {
    "missing attribute": lambda lib: build(lib).nope,
    "tensor as parameter": lambda lib: setattr(build(lib), "weight", lib.ones(2)),
    "number as parameter": lambda lib: setattr(build(lib), "weight", 3),
    "number as module": lambda lib: setattr(build(lib), "first", 3),
    "number as buffer": lambda lib: setattr(build(lib), "mean", "x"),
    "parameter is no parameter": lambda lib: build(lib).register_parameter("p", lib.ones(1)),
    "parameter with dot": lambda lib: build(lib).register_parameter("a.b", None),
    "parameter without name": lambda lib: build(lib).register_parameter("", None),
    "parameter name is no string": lambda lib: build(lib).register_parameter(3, None),
    "parameter exists": lambda lib: build(lib).register_parameter("mean", None),
    "buffer is no tensor": lambda lib: build(lib).register_buffer("b", [1]),
    "buffer with dot": lambda lib: build(lib).register_buffer("a.b", None),
    "buffer exists": lambda lib: build(lib).register_buffer("forward", None),
    "module is no module": lambda lib: build(lib).add_module("m", 3),
    "module with dot": lambda lib: build(lib).add_module("a.b", None),
    "module without name": lambda lib: build(lib).add_module("", None),
    "module exists": lambda lib: build(lib).add_module("weight", lib.nn.ReLU()),
    "no submodule": lambda lib: build(lib).get_submodule("block.7"),
    "submodule is none": lambda lib: build(lib).get_submodule("weight"),
    "no parameter": lambda lib: build(lib).get_parameter("block.0.x"),
    "parameter is none": lambda lib: build(lib).get_parameter("mean"),
    "no buffer": lambda lib: build(lib).get_buffer("x"),
    "buffer is none": lambda lib: build(lib).get_buffer("weight"),
    "set without target": lambda lib: build(lib).set_submodule("", lib.nn.ReLU()),
    "set strictly": lambda lib: build(lib).set_submodule("x", lib.nn.ReLU(), strict=True),
    "set over a tensor": lambda lib: build(lib).set_submodule("weight", lib.nn.ReLU()),
    "delete what is not there": lambda lib: delattr(build(lib), "nope"),
    "graph as parameter": lambda lib: build(lib).register_parameter(
        "p", lib.nn.Parameter(lib.ones(1)) * 1
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_errors(torch, name):
    ours, theirs = both(torch, SCENARIOS[name])
    assert isinstance(theirs, tuple)
    assert ours == theirs


def test_errors_before_init(torch):
    def attempt(assign):
        def scenario(lib):
            class Early(lib.nn.Module):
                def __init__(self):
                    assign(self, lib)

            return Early()

        ours, theirs = both(torch, scenario)
        assert ours == theirs
        assert ours[0] is AttributeError

    attempt(lambda m, lib: setattr(m, "p", lib.nn.Parameter(lib.ones(1))))
    attempt(lambda m, lib: setattr(m, "m", lib.nn.ReLU()))
    attempt(lambda m, lib: m.register_buffer("b", None))
    attempt(lambda m, lib: m.register_parameter("p", None))


def test_assignment_moves_between_kinds():
    module = nn.Module()
    module.x = 3
    module.x = nn.Parameter(flambeau.ones(1))
    assert "x" in module._parameters
    assert "x" not in module.__dict__
    module.x = None
    assert module.x is None
    assert "x" in module._parameters
    module = build(flambeau)
    module.first = nn.Parameter(flambeau.ones(1))
    assert "first" not in dict(module.named_children())
    module.mean = nn.ReLU()
    assert "mean" not in module._buffers


def test_plain_tensor_is_an_attribute():
    module = nn.Module()
    module.x = flambeau.ones(1)
    assert "x" in module.__dict__
    assert list(module.state_dict()) == []


def test_buffers_are_replaced_in_place():
    module = build(flambeau)
    module.mean = flambeau.ones(4)
    assert module._buffers["mean"].tolist() == [1.0] * 4
    module.cache = flambeau.ones(1)
    assert "cache" in module._non_persistent_buffers_set
    module.extra = nn.Buffer(flambeau.zeros(1), persistent=False)
    assert "extra" in dict(module.named_buffers())
    assert "extra" not in module.state_dict()
    module.mean = None
    assert module.mean is None


def test_delete():
    module = build(flambeau)
    for name in ("weight", "mean", "first", "cache"):
        assert hasattr(module, name)
        delattr(module, name)
        assert not hasattr(module, name)


def test_access_by_path():
    module = build(flambeau)
    assert module.get_submodule("") is module
    assert module.get_submodule("block.0") is module.block[0]
    assert module.get_parameter("block.0.weight") is module.block[0].weight
    assert module.get_buffer("block.1.running_mean") is module.block[1].running_mean
    relu = nn.ReLU()
    module.set_submodule("block.0", relu)
    assert module.block[0] is relu
    module.set_submodule("fresh", relu)
    assert module.fresh is relu


def test_dir():
    names = dir(build(flambeau))
    assert {"weight", "mean", "first", "forward", "training"} <= set(names)
    assert names == sorted(names)
    assert "0" not in dir(build(flambeau).block)


def test_getattr_of_a_subclass_sees_parameters():
    """As in libraries that give parameters another meaning."""
    asked = []

    class Mixin(flambeau.nn.Module):
        def __getattr__(self, name):
            asked.append(name)
            return super().__getattr__(name)

    class Layer(flambeau.nn.Linear, Mixin):
        pass

    layer = Layer(2, 3)
    asked.clear()
    layer(flambeau.ones(1, 2))
    assert {"weight", "bias"} <= set(asked)
    layer.weight = flambeau.nn.Parameter(flambeau.zeros(3, 2))
    assert layer.weight.tolist() == [[0.0, 0.0]] * 3


def test_functions_of_a_class_are_not_bound(torch):
    def shape(t):
        class Layer(t.nn.Module):
            sigmoid, conv = t.sigmoid, t.conv1d

            def forward(self, x):
                return self.conv(self.sigmoid(x), weight=t.ones(1, 1, 2))

        return tuple(Layer()(t.ones(1, 1, 3)).shape)

    assert shape(flambeau) == shape(torch)
