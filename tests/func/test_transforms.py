"""Transformations of functions: each program gives PyTorch's numbers, shapes and requires_grad."""

import importlib
import warnings

import pytest

import flambeau


def both(torch, program):
    """The results of a program with either library, as lists of NumPy arrays."""
    found = []
    for library in (flambeau, torch):
        library.manual_seed(0)
        func = importlib.import_module(f"{library.__name__}.func")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.script`", DeprecationWarning)
            warnings.filterwarnings("ignore", "Attempted to insert a get_attr", UserWarning)
            results = program(library, func)
        results = results if isinstance(results, tuple) else (results,)
        found.append([(r.detach().numpy(), r.requires_grad, str(r.dtype)[-9:]) for r in results])
    return found


def data(library):
    torch = library
    return torch.randn(3, 4), torch.randn(3, 4), torch.randn(4, 5)


def loss(v):
    return (v.sin() ** 2).sum() * v.prod()


def in_place(v):
    w = v.clone()
    w[1] = v[0] * 2
    w += 1
    w[2:].mul_(3)
    return w


def per_sample(torch, func):
    x, y, _ = data(torch)
    layer = torch.nn.Linear(4, 4)

    def error(weights, a, b):
        return ((func.functional_call(layer, weights, (a,)) - b) ** 2).mean()

    grads = func.vmap(func.grad(error), in_dims=(None, 0, 0))(dict(layer.named_parameters()), x, y)
    return grads["weight"], grads["bias"]


def ensemble(torch, func):
    x, _, _ = data(torch)
    models = [torch.nn.Linear(4, 2) for _ in range(3)]
    weights, buffers = func.stack_module_state(models)

    def call(p, b):
        return func.functional_call(models[0], (p, b), (x,))

    return func.vmap(call)(weights, buffers)


def outer_gradient(torch, func):
    x, _, _ = data(torch)
    x.requires_grad_()
    func.vmap(lambda v: (torch.softmax(v, 0) * v).sum())(x).sum().backward()
    return x.grad


def captured_gradient(torch, func):
    x, _, _ = data(torch)
    w = torch.ones(4, requires_grad=True)
    g = func.grad(lambda a: (a * a * w).sum())(x[0])
    g.sum().backward()
    return g, w.grad


def changed_argument(torch, func):
    x, y, _ = data(torch)
    out = func.vmap(lambda v, w: v.add_(w).sum())(x, y)
    return out, x


def dropped(torch, func):
    x, _, _ = data(torch)
    return func.vmap(lambda v: torch.nn.functional.dropout(v, 0.0), randomness="different")(x)


def dual(torch, func):
    x, y, m = data(torch)
    forward = importlib.import_module(f"{torch.__name__}.autograd.forward_ad")
    with forward.dual_level():
        made = forward.make_dual(x, y)
        found = forward.unpack_dual((made.sin() @ m).relu())
        kept = forward.unpack_dual(made)
    return found.primal, found.tangent, kept.primal, kept.tangent


def linear_part(torch, func):
    x, y, _ = data(torch)
    out, push = func.linearize(lambda v: (v**3).sum(1), x)
    return out, push(y), push(2 * y)


def pulled(torch, func):
    x, _, m = data(torch)
    out, back, aux = func.vjp(lambda v: ((v @ m).exp(), v.sum()), x, has_aux=True)
    return out, *back(torch.ones(3, 5)), aux


def two_arguments(torch, func):
    x, y, _ = data(torch)
    jacobians = func.jacrev(lambda a, b: (a * b).sum(1), argnums=(0, 1))(x, y)
    return *jacobians, func.jacfwd(lambda a, b: (a * b).sum(1), argnums=1)(x, y)


def tree_of_outputs(torch, func):
    x, _, _ = data(torch)
    found = func.jacrev(lambda v: {"a": v.sum(), "b": v.sin()})(x[0])
    return found["a"], found["b"]


def one(program):
    """A program of one function of the data."""
    return lambda torch, func: program(torch, func, *data(torch))


PROGRAMS = {
    "dot": one(lambda t, f, x, y, m: f.vmap(t.dot)(x, y)),
    "outer": one(lambda t, f, x, y, m: f.vmap(lambda v, w: t.outer(v, w) @ m)(x, y)),
    "captured": one(lambda t, f, x, y, m: f.vmap(lambda v: v @ m)(x)),
    "nested": one(lambda t, f, x, y, m: f.vmap(lambda a: f.vmap(lambda b: (a * b).sum())(y))(x)),
    "dims": one(lambda t, f, x, y, m: f.vmap(lambda v: v * 2, in_dims=1, out_dims=1)(x)),
    "negative dim": one(lambda t, f, x, y, m: f.vmap(lambda v: v.sum(), in_dims=-1)(x)),
    "chunks": one(lambda t, f, x, y, m: f.vmap(lambda v: v.cumsum(0), chunk_size=2)(x)),
    "same for all": one(lambda t, f, x, y, m: f.vmap(lambda v: (v.sum(), m.sum()))(x)),
    "softmax": one(lambda t, f, x, y, m: f.vmap(lambda v: t.softmax(v, 0))(x)),
    "index": one(lambda t, f, x, y, m: f.vmap(lambda v, i: v[i])(x, t.tensor([0, 2, 1]))),
    "gather": one(
        lambda t, f, x, y, m: f.vmap(lambda v, i: v.gather(0, i))(
            x, t.tensor([[0, 2], [1, 1], [3, 0]])
        )
    ),
    "scatter": one(
        lambda t, f, x, y, m: f.vmap(lambda v, i: t.zeros(4).scatter_add(0, i, v))(
            x, t.tensor([[0, 2, 1, 1], [1, 1, 1, 1], [3, 0, 2, 2]])
        )
    ),
    "sort": one(lambda t, f, x, y, m: f.vmap(lambda v: tuple(v.sort()))(x)),
    "joined": one(
        lambda t, f, x, y, m: f.vmap(lambda v: t.cat([v, v * 2]).view(2, 4).t().flip(0))(x)
    ),
    "where": one(lambda t, f, x, y, m: f.vmap(lambda v: t.where(v > 0, v, 0 * v))(x)),
    "einsum": one(lambda t, f, x, y, m: f.vmap(lambda v, w: t.einsum("i,j->ij", v, w))(x, y)),
    "layer norm": one(
        lambda t, f, x, y, m: f.vmap(lambda v: t.nn.functional.layer_norm(v, (4,)))(x)
    ),
    "cross entropy": one(
        lambda t, f, x, y, m: f.vmap(t.nn.functional.cross_entropy)(x, t.tensor([1, 0, 3]))
    ),
    "in place": one(lambda t, f, x, y, m: f.vmap(in_place)(x)),
    "0-dim promotion": one(lambda t, f, x, y, m: f.vmap(lambda v: v.double().sum() * m[0])(x)),
    "grad": one(lambda t, f, x, y, m: f.grad(loss)(x)),
    "grad of grad": one(lambda t, f, x, y, m: f.grad(f.grad(lambda v: v**4))(x[0, 0])),
    "grad with aux": one(lambda t, f, x, y, m: f.grad(lambda v: (loss(v), v + 1), has_aux=True)(x)),
    "grad and value": one(lambda t, f, x, y, m: f.grad_and_value(loss)(x)),
    "map of grad": one(lambda t, f, x, y, m: f.vmap(f.grad(loss))(x)),
    "grad of map": one(lambda t, f, x, y, m: f.grad(lambda a: f.vmap(loss)(a).sum())(x)),
    "jacrev": one(lambda t, f, x, y, m: f.jacrev(lambda v: t.softmax(v, 0))(x[0])),
    "jacrev chunks": one(lambda t, f, x, y, m: f.jacrev(t.sin, chunk_size=2)(x)),
    "jacfwd": one(lambda t, f, x, y, m: f.jacfwd(lambda v: t.softmax(v, 0))(x[0])),
    "hessian": one(lambda t, f, x, y, m: f.hessian(loss)(x[0])),
    "map of hessian": one(lambda t, f, x, y, m: f.vmap(f.hessian(loss))(x)),
    "jvp": one(lambda t, f, x, y, m: f.jvp(lambda v: v.exp() @ m, (x,), (y,))),
    "jvp of jvp": one(
        lambda t, f, x, y, m: f.jvp(lambda a: f.jvp(t.sin, (a,), (y,))[1], (x,), (y,))
    ),
    "map of jvp": one(lambda t, f, x, y, m: f.vmap(lambda a, b: f.jvp(t.sin, (a,), (b,)))(x, y)),
    "per sample": per_sample,
    "ensemble": ensemble,
    "outer gradient": outer_gradient,
    "captured gradient": captured_gradient,
    "changed argument": changed_argument,
    "dropout": dropped,
    "dual": dual,
    "linearize": linear_part,
    "vjp": pulled,
    "argnums": two_arguments,
    "tree": tree_of_outputs,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_pytorch(torch, name):
    """Values, dtypes and whether they take part in gradients."""
    ours, theirs = both(torch, PROGRAMS[name])
    assert len(ours) == len(theirs)
    for (x, grad, kind), (y, wanted, their_kind) in zip(ours, theirs, strict=True):
        assert x == pytest.approx(y, rel=1e-4, abs=1e-5)
        assert (x.shape, grad, kind) == (y.shape, wanted, their_kind)


MISTAKES = {
    "item": lambda t, f: f.vmap(lambda v: v.sum().item())(t.ones(2, 3)),
    "condition": lambda t, f: f.vmap(lambda v: v if v.sum() > 0 else -v)(t.ones(2, 3)),
    "random": lambda t, f: f.vmap(lambda v: v + t.rand(3))(t.ones(2, 3)),
    "sizes": lambda t, f: f.vmap(t.add)(t.ones(2, 3), t.ones(3, 3)),
    "no mapped input": lambda t, f: f.vmap(t.sin, in_dims=None)(t.ones(2)),
    "no such dim": lambda t, f: f.vmap(t.sin, in_dims=3)(t.ones(2)),
    "another structure": lambda t, f: f.vmap(t.sin, in_dims=(0, 0))(t.ones(2)),
    "no tensor out": lambda t, f: f.vmap(lambda v: 3)(t.ones(2)),
    "written": lambda t, f: f.vmap(lambda v, w: w.add_(v), in_dims=(0, None))(
        t.ones(2, 3), t.ones(3)
    ),
    "not scalar": lambda t, f: f.grad(t.sin)(t.ones(2)),
    "integers": lambda t, f: f.grad(lambda x: x.sum())(t.ones(2, dtype=t.int64)),
    "argnum": lambda t, f: f.grad(lambda x: x.sum(), argnums=1)(t.ones(2)),
    "tangents": lambda t, f: f.jvp(t.sin, (t.ones(2),), (t.ones(2), t.ones(2))),
    "primals": lambda t, f: f.jvp(t.sin, t.ones(2), t.ones(2)),
    "no models": lambda t, f: f.stack_module_state([]),
    "unknown parameter": lambda t, f: f.functional_call(
        t.nn.Linear(2, 2), {"weigth": t.ones(2, 2)}, t.ones(2), strict=True
    ),
    "missing parameter": lambda t, f: f.functional_call(
        t.nn.Linear(2, 2), {"weight": t.ones(2, 2)}, t.ones(2), strict=True
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(torch, name):
    """An error of PyTorch's class."""
    with pytest.raises(Exception) as theirs:
        MISTAKES[name](torch, torch.func)
    with pytest.raises(Exception) as ours:
        MISTAKES[name](flambeau, flambeau.func)
    assert type(ours.value).__name__ == type(theirs.value).__name__
    assert str(ours.value)


def test_the_module_stays_as_it_is():
    """`functional_call` puts everything back, and writes go to the buffers that were given."""
    norm = flambeau.nn.BatchNorm1d(3)
    given = {name: b.clone() for name, b in norm.named_buffers()}
    before = norm.running_mean
    flambeau.func.functional_call(norm, given, flambeau.arange(12.0).reshape(4, 3))
    assert norm.running_mean is before
    assert before.tolist() == [0.0, 0.0, 0.0]
    assert given["running_mean"].tolist() == pytest.approx([0.45, 0.55, 0.65])


def test_each_sample_its_own_numbers():
    """randomness="different" draws for each sample, "same" once for all."""
    x = flambeau.zeros(4, 3)
    draw = lambda v: v + flambeau.rand(3)  # noqa: E731
    different = flambeau.vmap(draw, randomness="different")(x)
    same = flambeau.vmap(draw, randomness="same")(x)
    assert len({tuple(row) for row in different.tolist()}) == 4
    assert len({tuple(row) for row in same.tolist()}) == 1


class TenFold(flambeau.autograd.Function):
    """x**2 with a gradient that only its own rule knows."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 10 * x * g


def test_custom_functions():
    """A custom gradient counts within the mapped function; around it is an error, no guess."""
    x = flambeau.arange(6.0).reshape(2, 3)
    assert flambeau.vmap(TenFold.apply)(x).tolist() == (x * x).tolist()
    slope = flambeau.func.grad(lambda v: TenFold.apply(v).sum())
    assert flambeau.vmap(slope)(x).tolist() == (10 * x).tolist()
    with pytest.raises(RuntimeError, match="custom autograd.Function"):
        flambeau.vmap(TenFold.apply)(x.requires_grad_())
