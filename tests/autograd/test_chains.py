"""Random programs with several backward passes, sync points and in-place changes, as in torch."""

import hypothesis
import numpy as np
from hypothesis import strategies as st

import flambeau

STEPS = {
    "mul": lambda t, h, x: h * x,
    "sin": lambda t, h, x: h.sin(),
    "tanh": lambda t, h, x: (h + x).tanh(),
    "double": lambda t, h, x: h * 0.5 + h,
    "transpose": lambda t, h, x: h.t() * 0.9,
    "matmul": lambda t, h, x: h @ x * 0.3,
    "softmax": lambda t, h, x: h.softmax(1) + x,
    "row": lambda t, h, x: h[0] * x,
    "column sums": lambda t, h, x: h.sum(0, keepdim=True) * 0.2 + x,
    "detach": lambda t, h, x: h.detach() * x,
    "flip": lambda t, h, x: t.cat([h[1:], h[:1] * 2]),
    "where": lambda t, h, x: t.where(x > 0, h, h * h),
    "write": lambda t, h, x: written(h * 1.0, x),
    "write row": lambda t, h, x: row_written(h * 1.0, x),
    "write view": lambda t, h, x: view_written(h * 1.0, x),
    "no grad": lambda t, h, x: untracked(t, h, x),
    "function": lambda t, h, x: product(t).apply(h, x, 0.5),
}
PASSES = ("none", "item", "backward", "grad", "double", "retain", "hook", "inner", "no grad step")


def written(y, x):
    """An operation in place."""
    y.mul_(2).add_(x)
    return y * 0.5


def row_written(y, x):
    """A row replaced."""
    y[1] = x[0] * 2
    return y * x


def view_written(y, x):
    """A view written to, seen through its base."""
    v = y.t()
    v[:, 0].add_(x[:, 1])
    return y + v * 0.1


def untracked(t, h, x):
    """A factor that takes no part in gradients."""
    with t.no_grad():
        factor = (h * 0.5).cos()
    return h * factor


def product(t):
    """A custom function."""

    class Product(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, factor):
            ctx.save_for_backward(a, b)
            ctx.factor = factor
            return a * b * factor

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b * ctx.factor, g * a * ctx.factor, None

    return Product


def run(t, start, chain):
    """All numbers that a chain of (step, pass) shows."""
    x = t.tensor(start, dtype=t.float64, requires_grad=True)
    h, seen = x, []
    for step, kind in chain:
        h = STEPS[step](t, h, x)
        y = (h * h).mean() + h.sum()
        if kind == "item":
            seen.append(y.item())
        elif kind == "backward":
            y.backward(retain_graph=True)
        elif kind == "retain":
            h.retain_grad()
            y.backward(retain_graph=True)
            seen.append(h.grad.tolist())
        elif kind == "hook" and h.grad_fn is not None:
            h.register_hook(lambda g: g * 0.5)
        elif kind == "inner":
            seen += [g.tolist() for g in t.autograd.grad(y, [h, x], retain_graph=True)]
        elif kind == "grad":
            seen.append(t.autograd.grad(y, x, retain_graph=True)[0].sum().item())
        elif kind == "double":
            (g,) = t.autograd.grad(y, x, create_graph=True)
            h = h + g * 0.1
        elif kind == "no grad step" and x.grad is not None:
            with t.no_grad():
                x.grad.mul_(0.5)
    (h * h).mean().backward()
    return [*seen, x.grad.tolist(), h.tolist()]


CHAINS = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(PASSES)), min_size=1, max_size=5
)


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@hypothesis.given(chain=CHAINS, seed=st.integers(0, 99))
def test_chains(torch, chain, seed):
    random = np.random.default_rng(seed)
    for _ in range(3):
        start = random.uniform(-1, 1, (3, 3)).tolist()
        wanted, found = run(torch, start, chain), run(flambeau, start, chain)
        assert len(wanted) == len(found)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, 1e-8, 1e-10)
