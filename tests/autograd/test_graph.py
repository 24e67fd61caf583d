"""`grad_fn` and what hangs on it, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


def tree(node):
    """The names below a node, as nested lists."""
    if node is None:
        return None
    return [node.name(), [(tree(below), index) for below, index in node.next_functions]]


OPERATIONS = {
    "add": lambda t, x: x + x,
    "add a number": lambda t, x: x + 1,
    "sub": lambda t, x: x - x,
    "rsub": lambda t, x: 1 - x,
    "mul": lambda t, x: x * x,
    "mul by a number": lambda t, x: x * 2,
    "div": lambda t, x: x / x,
    "div by a number": lambda t, x: x / 2,
    "neg": lambda t, x: -x,
    "pow": lambda t, x: x**3,
    "pow of a tensor": lambda t, x: x**x,
    "exp": lambda t, x: x.exp(),
    "log": lambda t, x: x.log(),
    "sin": lambda t, x: x.sin(),
    "cos": lambda t, x: x.cos(),
    "tanh": lambda t, x: x.tanh(),
    "sigmoid": lambda t, x: x.sigmoid(),
    "relu": lambda t, x: x.relu(),
    "abs": lambda t, x: x.abs(),
    "sqrt": lambda t, x: x.sqrt(),
    "sum": lambda t, x: x.sum(),
    "sum of a dim": lambda t, x: x.sum(0),
    "mean": lambda t, x: x.mean(),
    "mean of a dim": lambda t, x: x.mean(1),
    "prod": lambda t, x: x.prod(),
    "max of a dim": lambda t, x: x.max(0).values,
    "matmul": lambda t, x: x @ x,
    "clone": lambda t, x: x.clone(),
    "view": lambda t, x: x.view(-1),
    "transpose": lambda t, x: x.transpose(0, 1),
    "t": lambda t, x: x.t(),
    "permute": lambda t, x: x.permute(1, 0),
    "unsqueeze": lambda t, x: x.unsqueeze(0),
    "expand": lambda t, x: x.expand(2, 2, 2),
    "select": lambda t, x: x[0],
    "slice": lambda t, x: x[:1],
    "index": lambda t, x: x[t.tensor([0, 1])],
    "cat": lambda t, x: t.cat([x, x]),
    "softmax": lambda t, x: x.softmax(0),
    "log_softmax": lambda t, x: x.log_softmax(0),
    "double": lambda t, x: x.double(),
    "where": lambda t, x: t.where(x > 1, x, x * 2),
    "clamp": lambda t, x: x.clamp(0, 1),
    "cumsum": lambda t, x: x.cumsum(0),
    "flatten": lambda t, x: x.flatten(),
    "norm": lambda t, x: x.norm(),
    "var": lambda t, x: x.var(),
    "linear": lambda t, x: t.nn.functional.linear(x, x, x[0]),
    "mse_loss": lambda t, x: t.nn.functional.mse_loss(x, x.detach()),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "linear of more dims": lambda t, x: t.nn.functional.linear(x[None], x, x[0]),
    "linear without bias": lambda t, x: t.nn.functional.linear(x, x),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
    "l1_loss": lambda t, x: t.nn.functional.l1_loss(x, x.detach()),
    "layer_norm": lambda t, x: t.nn.functional.layer_norm(x, (2,)),
    "batch_norm": lambda t, x: t.nn.functional.batch_norm(x, None, None, training=True),
    "dropout": lambda t, x: t.nn.functional.dropout(x, 0.5),
    "normalize": lambda t, x: t.nn.functional.normalize(x),
    "mv": lambda t, x: x @ t.ones(2),
    "product of batches": lambda t, x: x[None] @ x[None],
    "number over": lambda t, x: 2 / x,
    "number to the power": lambda t, x: 2**x,
    "squeeze": lambda t, x: x.unsqueeze(0).squeeze(0),
    "einsum": lambda t, x: t.einsum("ij,kj->ik", x, x),
    "in place": lambda t, x: x.clone().add_(1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_name_of_an_operation(agree, name):
    def run(t):
        x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        return OPERATIONS[name](t, x).grad_fn.name()

    agree(run)


@program
def tree_of_a_chain(t):
    x = leaf(t, 1.0, 2.0)
    return tree(((x * 2).exp() + x).sum().grad_fn)


@program
def tree_with_constants(t):
    x, c = leaf(t, 1.0, 2.0), t.ones(2)
    return tree((x * c + c).grad_fn), tree((c - x).grad_fn)


@program
def tree_after_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    h.sum().item()
    y = (h * x).sum()
    y.item()
    return tree(y.grad_fn), tree(h.grad_fn)


@program
def no_grad_fn(t):
    x = leaf(t, 1.0)
    with t.no_grad():
        y = x * 2
    return x.grad_fn, y.grad_fn, x.detach().grad_fn, t.ones(1).grad_fn, (x > 0).grad_fn


@program
def the_same_object_each_time(t):
    x = leaf(t, 1.0)
    y = x * 2
    z = y.exp()
    seen = y.grad_fn, z.grad_fn
    return (
        y.grad_fn is seen[0],
        z.grad_fn.next_functions[0][0] is seen[0],
        seen[0] == y.grad_fn,
        seen[0] == seen[1],
        len({y.grad_fn, seen[0], z.grad_fn}),
    )


@program
def accumulators(t):
    x = leaf(t, 1.0)
    node = (x * 1.5).grad_fn.next_functions[0][0]
    other = x.exp().grad_fn.next_functions[0][0]
    return node is other, node.variable is x, node.name(), type(node).__name__, node.next_functions


@program
def type_names(t):
    x = leaf(t, 1.0)
    return type((x * 2).grad_fn).__name__, str((x * 2).grad_fn)[:20]


@program
def metadata_is_the_users(t):
    y = leaf(t, 1.0) * 2
    node = y.grad_fn
    node.metadata["a"] = 1
    return y.grad_fn.metadata


@program
def grad_fn_after_an_in_place_change(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.add_(1)
    y.exp_()
    return tree(y.grad_fn)


@program
def grad_fn_of_a_buffer_written_to(t):
    x = leaf(t, 1.0, 2.0)
    b = t.zeros(2, 2)
    b[0] = x
    return type(b.grad_fn).__name__, b.is_leaf


@program
def grad_fn_of_a_copy(t):
    x = leaf(t, 1.0, 2.0)
    b = t.zeros(2)
    b.copy_(x)
    return type(b.grad_fn).__name__, b.is_leaf


@program
def grad_fn_survives_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = x.exp().sum()
    y.backward()
    return tree(y.grad_fn)


@program
def walk_to_all_leaves(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    y = ((x * w).tanh() * w).sum()
    found, stack, seen = [], [y.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable.sum().item())
        stack.extend(below for below, _ in node.next_functions)
    return sorted(found), len(seen)


@program
def gradient_edges(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    edges = [t.autograd.graph.get_gradient_edge(v) for v in (x, y)]
    return [(e.node.name(), e.output_nr) for e in edges], edges[1].node is y.grad_fn


@program
def gradient_edge_of_a_constant(t):
    t.autograd.graph.get_gradient_edge(t.ones(1))


@program
def output_nr(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    a, b = x.max(0).values, (x * 2)
    return a.output_nr, b.output_nr, x.output_nr


@program
def is_leaf_and_base(t):
    x = leaf(t, 1.0, 2.0)
    v = x.view(2, 1)
    y = (x * 2).t() if x.ndim > 1 else (x * 2)[0]
    return v._base is x, v.is_leaf, y._base is not None, x._base


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
