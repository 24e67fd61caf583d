"""Modules made from graphs: copies, pickles, their parts, and rewriting them."""

import copy
import pickle

import pytest

import flambeau
from flambeau import fx, nn


class Net(nn.Module):
    """A module with parts at several levels."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
        self.scale = nn.Parameter(flambeau.tensor(2.0))
        self.register_buffer("shift", flambeau.ones(2))
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale + self.shift


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies(again):
    module = fx.symbolic_trace(Net())
    other = again(module)
    x = flambeau.randn(3, 2)
    assert other.code == module.code
    assert other(x).tolist() == module(x).tolist()
    assert list(other.state_dict()) == list(module.state_dict())
    assert other.graph is not module.graph


def test_parts():
    net = Net()
    module = fx.symbolic_trace(net)
    assert module.scale is net.scale
    assert not hasattr(module, "unused")
    assert module.add_submodule("more.inner", nn.ReLU())
    assert isinstance(module.more.inner, nn.ReLU)
    module.delete_all_unused_submodules()
    assert not hasattr(module, "more")
    assert module.delete_submodule("layers.1")
    assert not module.delete_submodule("layers.7")
    with pytest.raises(RuntimeError, match="nonexistent attribute"):
        module.graph.lint()
    with pytest.raises(RuntimeError, match="not provided"):
        fx.GraphModule({}, module.graph)


def test_each_has_its_own_forward():
    one, two = fx.symbolic_trace(lambda x: x + 1), fx.symbolic_trace(lambda x: x + 2)
    assert (one(flambeau.tensor(0)).item(), two(flambeau.tensor(0)).item()) == (1, 2)
    assert isinstance(one, fx.GraphModule)


def test_interpreter(torch):
    import torch.fx

    told = []
    for lib in (torch, flambeau):

        class Told(lib.fx.Interpreter):
            def run_node(self, n):
                result = super().run_node(n)
                told[-1].append((n.op, n.name, sorted(map(str, self.env))))
                return result

        told.append([])
        module = lib.fx.symbolic_trace(lambda x, y=2: (x.relu() + y).sum())
        told[-1].append(Told(module).run(lib.tensor([-1.0, 2.0])).item())
        with pytest.raises(RuntimeError, match="positional argument"):
            Told(module).run()
    assert told[0] == told[1]


def test_transformer():
    class Negative(fx.Transformer):
        def call_module(self, target, args, kwargs):
            return flambeau.neg(super().call_module(target, args, kwargs))

    net = nn.Sequential(nn.ReLU())
    module = Negative(fx.symbolic_trace(net)).transform()
    assert module(flambeau.tensor([-1.0, 2.0])).tolist() == [0, -2]


def _rewriting(lib):
    def program(a, b):
        return lib.relu(a + b) + lib.relu(b + lib.relu(a + a)) + lib.sum(a + 1)

    return program, lambda x, w: lib.relu(x + w), lambda x, w: lib.sigmoid(x * w)


def test_replace_pattern(torch):
    import torch.fx

    told = []
    for lib in (torch, flambeau):
        program, pattern, replacement = _rewriting(lib)
        module = lib.fx.symbolic_trace(program)
        matches = lib.fx.replace_pattern(module, pattern, replacement)
        maps = [[(str(k), str(v)) for k, v in m.nodes_map.items()] for m in matches]
        told.append((module.code, maps, str(matches[0].anchor)))
    assert told[0] == told[1]


def test_replace_pattern_with_several_results():
    module = fx.symbolic_trace(lambda x: flambeau.exp(x) - flambeau.sin(x))
    found = fx.replace_pattern(
        module,
        lambda x: (flambeau.exp(x), flambeau.sin(x)),
        lambda x: (flambeau.neg(x), flambeau.abs(x)),
    )
    assert len(found) == 1
    assert module(flambeau.tensor(-2.0)).item() == 0
