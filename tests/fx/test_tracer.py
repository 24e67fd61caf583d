"""What tracing writes down is what PyTorch writes down, and it computes the same."""

import math
import operator

import pytest

import flambeau
from flambeau import fx


def _net(lib):
    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.param = lib.nn.Parameter(lib.ones(3, 4))
            self.linear = lib.nn.Linear(4, 5)
            self.register_buffer("b", lib.ones(5))
            self.plain = lib.full((5,), 2.0)
            self.seq = lib.nn.Sequential(lib.nn.Linear(5, 5), lib.nn.ReLU())
            self.drop = lib.nn.Dropout(0.5)

        def forward(self, x: lib.Tensor, k: int = 2):
            y = self.linear(x + self.param).clamp(min=0.0, max=1.0)
            y = self.seq(y) * self.b
            if self.training:
                y = self.drop(y)
            z = y[:, 0:2].shape[0]
            a, b = y.split(2)
            y = lib.nn.functional.relu(y, inplace=True) @ y.t() - 2 ** y.sum(-1, keepdim=True).abs()
            w = lib.stack([a[:1], b.float() // 2], dim=-1) + self.plain[:2] + self.linear.bias[:2]
            return {"y": -y, "z": (z, w[0], k), "s": math.sqrt(x.size(0)), "o": (y > 0) | (y < -3)}

    return Net().eval()


def _functions(lib):
    def methods(x, y):
        return x.relu().neg() + y.mT, lib.ones(2, 2) + x, x.view(x.size(0), -1), ~(x == y)

    def rest(x, *args, y=None, **kwargs):
        return lib.cat([x, lib.arcsin(x)]), lib.where(x > 0, x, 0.0)

    def literals(x, y=3.5, z="a"):
        return x.to(lib.float64)[..., None, 1:], float("inf") * x, [x, {"y": y, "z": z}], x & 1

    return methods, rest, literals, lambda x: operator.iadd(x, 2)


@pytest.mark.parametrize("index", range(5))
def test_code_is_that_of_pytorch(torch, index):
    import torch.fx

    told = []
    for lib in (torch, flambeau):
        program = [_net(lib), *_functions(lib)][index]
        module = lib.fx.symbolic_trace(program)
        nodes = [(n.op, n.name, str(n.args), str(n.kwargs)) for n in module.graph.nodes]
        told.append((module.code, str(module.graph), nodes, list(module.state_dict()), str(module)))
    assert told[0] == told[1]


def test_traced_module_computes_the_same():
    net = _net(flambeau)
    traced = fx.symbolic_trace(net)
    x = flambeau.randn(3, 4)
    ours, theirs = traced(x), net(x)
    assert ours["y"].tolist() == theirs["y"].tolist()
    assert ours["z"][1].tolist() == theirs["z"][1].tolist()
    ours["y"].sum().backward()
    assert net.param.grad is not None
    traced.graph.lint()


def test_modules_are_as_before():
    """Nothing stays patched: not after a program that can not be traced either."""
    net = _net(flambeau)
    with pytest.raises(fx.proxy.TraceError):
        fx.symbolic_trace(lambda x: x if x.sum() > 0 else -x)
    fx.symbolic_trace(net)
    assert isinstance(net.param, flambeau.nn.Parameter)
    assert math.sqrt(4) == 2
    assert "__getattribute__" not in vars(flambeau.nn.Module)


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (lambda x: [*x], fx.proxy.TraceError),
        (lambda x: len(x), RuntimeError),
        (lambda x: int(x), TypeError),
        (lambda x: flambeau.relu(x) + flambeau.nn.Parameter(flambeau.ones(1)), NameError),
    ],
)
def test_errors(program, error):
    with pytest.raises(error):
        fx.symbolic_trace(program)


def test_subclasses_choose_the_leaves():
    class ThroughLinear(fx.Tracer):
        def is_leaf_module(self, m, name):
            return not isinstance(m, flambeau.nn.Linear) and super().is_leaf_module(m, name)

    net = flambeau.nn.Sequential(flambeau.nn.Linear(2, 2), flambeau.nn.ReLU())
    graph = ThroughLinear().trace(net)
    ops = [node.op for node in graph.nodes]
    assert ops == ["placeholder", "get_attr", "get_attr", "call_function", "call_module", "output"]
    module = fx.GraphModule(net, graph)
    x = flambeau.randn(3, 2)
    assert module(x).tolist() == net(x).tolist()


def test_concrete_args():
    module = fx.symbolic_trace(lambda x, y: x if y else -x, concrete_args={"y": True})
    assert module(flambeau.tensor(3), True).item() == 3
    with pytest.raises(AssertionError):
        module(flambeau.tensor(3), False)


def depends(x):
    return x + 1 if x.sum() > 0 else x


fx.wrap("depends")


def test_wrap():
    module = fx.symbolic_trace(lambda x: depends(x) * 2)
    assert module(flambeau.tensor(1)).item() == 4
    assert module(flambeau.tensor(-1)).item() == -2
    assert "wrap(" in module.code
    with pytest.raises(RuntimeError, match="callable or string"):
        fx.wrap(3)
    with pytest.raises(NotImplementedError, match="top level"):
        fx.wrap(depends)
