"""Graphs that are made and changed by hand."""

import copy
import operator

import pytest

import flambeau
from flambeau import fx


def _graph():
    graph = fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(operator.add, (x, 1))
    z = graph.call_method("relu", (y,))
    graph.output((z, y))
    return graph, x, y, z


def test_by_hand():
    graph, x, y, z = _graph()
    assert list(graph.nodes) == [x, y, z, graph.output_node()]
    assert next(reversed(graph.nodes)).op == "output"
    assert list(y.users) == [z, graph.output_node()]
    assert (y.prev, y.next, len(graph.nodes)) == (x, z, 4)
    module = fx.GraphModule(flambeau.nn.Module(), graph)
    assert [t.tolist() for t in module(flambeau.tensor([-3.0, 2.0]))] == [[0, 3], [-2, 3]]
    graph.lint()


def test_changes():
    graph, x, y, z = _graph()
    with pytest.raises(RuntimeError, match="still had 2 users"):
        graph.erase_node(y)
    with graph.inserting_after(y):
        doubled = graph.call_function(flambeau.mul, (y, 2))
    y.replace_all_uses_with(doubled, lambda user: user is not doubled)
    assert z.args == (doubled,)
    assert list(y.users) == [doubled]
    with graph.inserting_before(x):
        dead = graph.call_function(flambeau.ones, (2,))
    assert graph.eliminate_dead_code()
    assert dead not in list(graph.nodes)
    module = fx.GraphModule({}, graph)
    assert [t.item() for t in module(flambeau.tensor(4))] == [10, 10]


def test_order_is_checked():
    graph, x, y, _ = _graph()
    x.prepend(y)
    with pytest.raises(RuntimeError, match="before it has been defined"):
        graph.lint()


def test_copies():
    graph, *_ = _graph()
    other = copy.deepcopy(graph)
    assert str(other) == str(graph)
    assert not set(other.nodes) & set(graph.nodes)


def test_names():
    graph = fx.Graph()
    x = graph.placeholder("x")
    made = [graph.call_function(f, (x,)) for f in (flambeau.sum, flambeau.abs, flambeau.sum)]
    assert [str(n) for n in made] == ["sum_1", "abs_1", "sum_2"]
    assert str(graph.call_module("layers.0.Conv2d")) == "layers_0_conv2d"
    assert str(graph.call_function(flambeau.linalg.norm, (x,))) == "linalg_norm"


def test_wrong_targets():
    graph = fx.Graph()
    with pytest.raises(ValueError, match="Callable is expected"):
        graph.call_function("relu")
    with pytest.raises(ValueError, match="str is expected"):
        graph.call_method(flambeau.relu)


def test_in_place_operators():
    graph = fx.Graph()
    x = graph.placeholder("x")
    graph.output(graph.call_function(operator.iadd, (x, 2)))
    module = fx.GraphModule(flambeau.nn.Module(), graph)
    x = flambeau.ones(2)
    assert module(x) is x
    assert x.tolist() == [3, 3]


def test_proxies_by_hand():
    graph = fx.Graph()
    x = fx.Proxy(graph.placeholder("x"))
    y = flambeau.tanh(flambeau.cat([x, x])) + flambeau.nn.functional.gelu(x.data)
    graph.output(y.node)
    ops = [node.target for node in graph.nodes]
    assert ops[1:3] == [flambeau.cat, flambeau.tanh]
    assert [str(n) for n in graph.nodes] == [
        "x",
        "cat",
        "tanh",
        "getattr_1",
        "gelu",
        "add",
        "output",
    ]
