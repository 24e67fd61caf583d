"""What the `grad_fn` of an operation shows of the values that it has saved, as in torch."""

import pytest

import flambeau

from .programs import Programs, exponential, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


def shown(node):
    """{name: value} of what a node has saved, tensors as lists."""
    found = {n: getattr(node, n) for n in dir(node) if n.startswith("_saved_")}
    return {n: x.tolist() if hasattr(x, "tolist") else x for n, x in found.items()}


OPERATIONS = {
    "mul": lambda t, x: x * x,
    "mul by a number": lambda t, x: x * 2,
    "mul by a constant": lambda t, x: x * t.ones(2, 2),
    "pow": lambda t, x: x**3,
    "pow of a tensor": lambda t, x: x**x,
    "exp": lambda t, x: x.exp(),
    "log": lambda t, x: x.log(),
    "sqrt": lambda t, x: x.sqrt(),
    "tanh": lambda t, x: x.tanh(),
    "relu": lambda t, x: x.relu(),
    "bmm": lambda t, x: t.bmm(x[None], x[None]),
    "mv": lambda t, x: t.mv(x, x[0]),
    "dot": lambda t, x: t.dot(x[0], x[1]),
    "atan2": lambda t, x: t.atan2(x, x),
    "neg": lambda t, x: -x,
    "softmax": lambda t, x: x.softmax(1),
    "cumsum": lambda t, x: x.cumsum(0),
    "masked_fill": lambda t, x: x.masked_fill(x > 1, 0.0),
    "where": lambda t, x: t.where(x > 1, x, x),
    "silu": lambda t, x: t.nn.functional.silu(x),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_names_and_values(agree, name):
    def run(t):
        x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        found = shown(OPERATIONS[name](t, x).grad_fn)
        return {n: value for n, value in found.items() if "sym_" not in n}

    agree(run)


@program
def leaves_themselves(t):
    a, b = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    node = (a * b).grad_fn
    return node._saved_self is a, node._saved_other is b


@program
def leaves_after_a_sync_point(t):
    a, b = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    y = a * b
    node = y.grad_fn
    y.sum().item()
    return node._saved_self is a, y.grad_fn._saved_other is b


@program
def result_of_its_own(t):
    y = leaf(t, 1.0, 2.0).exp()
    saved = y.grad_fn._saved_result
    return saved is y, saved.equal(y), saved.requires_grad, saved.grad_fn.name()


@program
def operand_with_its_history(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * 2).exp() * x.sin()
    saved = y.grad_fn._saved_self
    return saved, saved.grad_fn.name(), t.autograd.grad(saved.sum(), x)


@program
def of_an_earlier_node(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    h.sum().item()
    y = (h.sin() + 1).sum()
    return y.grad_fn.next_functions[0][0].next_functions[0][0]._saved_self, h.grad_fn._saved_result


@program
def of_a_dead_result(t):
    node = leaf(t, 1.0, 2.0).exp().grad_fn
    t.ones(2).sum().item()
    return node._saved_result


@program
def retained(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    return y.grad_fn.next_functions[0][0]._saved_self is x


@program
def within_no_grad(t):
    y = leaf(t, 1.0, 2.0).exp()
    with t.no_grad():
        return y.grad_fn._saved_result.requires_grad


@program
def hooks_unpack_at_each_access(t):
    calls = []

    def unpack(x):
        calls.append("unpack")
        return x * 2

    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x * 3, unpack):
        y = x * x.exp()
    first, second = y.grad_fn._saved_self, y.grad_fn._saved_self
    return first.tolist(), second.tolist(), len(calls)


@program
def none_is_what_no_gradient_asks_for(t):
    x = leaf(t, 1.0, 2.0)
    node = (x * t.ones(2)).grad_fn
    return node._saved_self, hasattr(node, "_saved_result"), hasattr(node, "_saved_other")


@program
def none_of_a_custom_function_or_leaf(t):
    x = leaf(t, 1.0)
    y = exponential(t).apply(x)
    return hasattr(y.grad_fn, "_saved_self"), hasattr(y.grad_fn.next_functions[0][0], "_saved_self")


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, run):
    agree(run)


@pytest.mark.parametrize("synced", [False, True])
def test_refused_once_the_graph_is_freed(synced):
    x = leaf(flambeau, 1.0, 2.0)
    y = x * x
    if synced:
        y.tolist()
    y.sum().backward()
    with pytest.raises(RuntimeError, match="directly access saved tensors after"):
        _ = y.grad_fn._saved_self


def test_values_are_those_of_the_operation():
    x = leaf(flambeau, 1.0, 2.0)
    y = x * x
    with flambeau.no_grad():
        x.add_(1)
    assert y.grad_fn._saved_self.tolist() == [1.0, 2.0]
