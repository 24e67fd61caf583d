"""What random programs are made of: instructions that run in flambeau and in PyTorch alike.

Each is a function of (library, machine, x, y, k): two tensors of the machine's pool and a small
number. It returns a new tensor for the pool, or None. Values stay small and every step is well
conditioned, so that results are comparable; what jumps (a comparison, the gradient of a maximum)
says by `apart` how far from a jump its operands must be.
"""

__all__ = ["DTYPES", "INSTRUCTIONS", "Instruction", "fit"]

INSTRUCTIONS = {}
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool")


class Instruction:
    """A function and what is known of it.

    pure: it changes nothing and makes a tensor of its own. view: it may make a view.
    apart: (x, y, k) -> a tensor that must not be near zero, or None.
    """

    def __init__(self, f, pure=False, view=False, apart=None):
        self.f, self.pure, self.view, self.apart = f, pure, view, apart
        self.name = f.__name__


def instruction(f=None, **facts):
    """A decorator that puts a function into the table."""
    if f is None:
        return lambda f: instruction(f, **facts)
    INSTRUCTIONS[f.__name__] = Instruction(f, **facts)
    return f


def table(facts, entries):
    """Put short functions of (lib, x, y, k) into the table by name."""
    for name, short in entries.items():

        def f(lib, m, x, y, k, short=short):
            return short(lib, x, y, k)

        f.__name__ = name
        instruction(f, **facts)


def fit(x, y):
    """A part of `y` that broadcasts with `x`."""
    while y.dim() > x.dim():
        y = y[0]
    for d in range(1, y.dim() + 1):
        if y.shape[-d] != x.shape[-d] and 1 not in (y.shape[-d], x.shape[-d]):
            y = y.narrow(-d, 0, 1)
    return y


def part(x, y):
    """A part of `y` that can be written into `x`."""
    y = fit(x, y)
    for d in range(1, y.dim() + 1):
        if y.shape[-d] != x.shape[-d]:
            y = y.narrow(-d, 0, 1)
    return y


def dim_of(x, k):
    return k % x.dim()


def real(x):
    return x if x.is_floating_point() else x.float()


def some(lib, x, k):
    """Two positions along the first dim, maybe from its end."""
    n = x.shape[0]
    return lib.tensor([k % n, -1 - k % n, 0])


def mask(lib, x, k):
    """True at every other or third element."""
    return (lib.arange(x.numel()) % (2 + k % 2) == 0).reshape(x.shape)


def kinks(*at):
    """Where a function of `x` has kinks, if gradients are asked for."""

    def apart(x, y, k):
        if not x.requires_grad:
            return None
        gap = (x.detach() - at[0]).abs()
        for p in at[1:]:
            gap = gap.minimum((x.detach() - p).abs())
        return gap

    return apart


def differ(x, y, k):
    """Operands of a comparison, where they are not whole numbers."""
    y = fit(x, y)
    whole = not (x.is_floating_point() or y.is_floating_point())
    return None if whole else x.detach() - y.detach()


def differ_for_gradients(x, y, k):
    return differ(x, y, k) if x.requires_grad or y.requires_grad else None


def distinct(x, y, k):
    """The distance of the elements along a dim from one another."""
    if not x.is_floating_point() or not x.dim():
        return None
    return x.detach().sort(dim_of(x, k)).values.diff(dim=dim_of(x, k))


def distinct_for_gradients(x, y, k):
    return distinct(x, y, k) if x.requires_grad else None


def fractions(x, y, k):
    """The distance from the nearest whole number."""
    return x.detach() - x.detach().round() if x.is_floating_point() else None


SMOOTH = {
    "sin": lambda lib, x, y, k: x.sin(),
    "cos": lambda lib, x, y, k: x.cos(),
    "tanh": lambda lib, x, y, k: x.tanh(),
    "sigmoid": lambda lib, x, y, k: x.sigmoid(),
    "erf": lambda lib, x, y, k: x.erf(),
    "atan": lambda lib, x, y, k: x.atan(),
    "exp": lambda lib, x, y, k: real(x).tanh().exp(),
    "log": lambda lib, x, y, k: (real(x) ** 2 + 0.5).log(),
    "log1p": lambda lib, x, y, k: (x * x * 0.5).log1p(),
    "sqrt": lambda lib, x, y, k: (real(x) * x + 1).sqrt(),
    "rsqrt": lambda lib, x, y, k: (real(x) * x + 1).rsqrt(),
    "reciprocal": lambda lib, x, y, k: 1 / (real(x) * x + 1),
    "power": lambda lib, x, y, k: (x * 0.5) ** (k % 4),
    "gelu": lambda lib, x, y, k: lib.nn.functional.gelu(real(x)),
    "silu": lambda lib, x, y, k: lib.nn.functional.silu(real(x)),
    "scale": lambda lib, x, y, k: x * (0.25 * k - 0.5),
    "shift": lambda lib, x, y, k: x + (k - 1),
    "negate": lambda lib, x, y, k: -x,
    "clone": lambda lib, x, y, k: x.clone(),
    "add": lambda lib, x, y, k: x + fit(x, y),
    "add_scaled": lambda lib, x, y, k: lib.add(x, fit(x, y), alpha=k),
    "sub": lambda lib, x, y, k: x - fit(x, y),
    "mul": lambda lib, x, y, k: x * fit(x, y),
    "div": lambda lib, x, y, k: x / (fit(x, y) ** 2 + 1),
    "atan2": lambda lib, x, y, k: lib.atan2(real(x), real(fit(x, y)) ** 2 + 1),
    "lerp": lambda lib, x, y, k: lib.lerp(x, fit(x, y).to(x.dtype), 0.25 * k),
    "addcmul": lambda lib, x, y, k: lib.addcmul(x, fit(x, y), x, value=k),
    "where": lambda lib, x, y, k: lib.where(mask(lib, x, k), x, part(x, y)),
    "masked_fill": lambda lib, x, y, k: x.masked_fill(mask(lib, x, k), k),
    "total": lambda lib, x, y, k: x.sum() * 0.25,
    "sum": lambda lib, x, y, k: x.sum(dim_of(x, k), keepdim=k > 2),
    "sums": lambda lib, x, y, k: x.sum((0, x.dim() - 1)),
    "mean": lambda lib, x, y, k: real(x).mean(dim_of(x, k), keepdim=k > 2),
    "var": lambda lib, x, y, k: real(x).var(dim_of(x, k), correction=k % 2),
    "prod": lambda lib, x, y, k: (real(x) * 0.25 + 1).prod(dim_of(x, k)),
    "logsumexp": lambda lib, x, y, k: real(x).logsumexp(dim_of(x, k), keepdim=k > 2),
    "softmax": lambda lib, x, y, k: real(x).softmax(dim_of(x, k)),
    "log_softmax": lambda lib, x, y, k: real(x).log_softmax(dim_of(x, k)),
    "cumsum": lambda lib, x, y, k: x.cumsum(dim_of(x, k)) * 0.5,
    "layer_norm": lambda lib, x, y, k: lib.nn.functional.layer_norm(real(x) * 1.5, x.shape[-1:]),
    "gram": lambda lib, x, y, k: real(x).reshape(-1, x.shape[-1]) @ real(x).mT * 0.25,
    "linear": lambda lib, x, y, k: lib.nn.functional.linear(real(x), real(x)[..., :1, :]) * 0.25,
    "outer": lambda lib, x, y, k: lib.outer(x.flatten()[:6], y.flatten()[:5]),
    "flip": lambda lib, x, y, k: x.flip(dim_of(x, k)),
    "roll": lambda lib, x, y, k: x.roll(k, dim_of(x, k)),
    "cat": lambda lib, x, y, k: lib.cat([x, part(x, y), x.flip(0)], dim_of(x, k)),
    "cat_two": lambda lib, x, y, k: lib.cat([x, (x * 2).to(y.dtype)], dim_of(x, k)),
    "stack": lambda lib, x, y, k: lib.stack([x, fit(x, y).expand_as(x)], k % (x.dim() + 1)),
    "rows": lambda lib, x, y, k: x[some(lib, x, k)],
    "rows_and_columns": lambda lib, x, y, k: x[some(lib, x, k), 0],
    "index_select": lambda lib, x, y, k: x.index_select(0, some(lib, x, k).abs() % x.shape[0]),
    "gather": lambda lib, x, y, k: x.gather(
        -1, lib.zeros_like(x, dtype=lib.int64) + k % x.shape[-1]
    ),
    "tril": lambda lib, x, y, k: x.tril(k - 2),
    "repeat": lambda lib, x, y, k: x.repeat(1 + k % 2, *[1 + d % 2 for d in x.shape[1:]]),
    "repeat_each": lambda lib, x, y, k: x.repeat_interleave(2, dim_of(x, k)),
    "pad": lambda lib, x, y, k: lib.nn.functional.pad(x, (k % 3, 1), value=0.5),
    "index_add": lambda lib, x, y, k: x.index_add(0, some(lib, x, k) % x.shape[0], x[[0, 0, -1]]),
    "scatter_add": lambda lib, x, y, k: x.scatter_add(0, x.long() * 0, x),
    "whole": lambda lib, x, y, k: x.contiguous() * 1,
    "zeros": lambda lib, x, y, k: lib.zeros_like(x) + k,
    "arange": lambda lib, x, y, k: lib.arange(k + 2) * 0.5,
    "widen": lambda lib, x, y, k: x.double() if x.is_floating_point() else x.to(lib.int64),
    "as_float": lambda lib, x, y, k: x.to(getattr(lib, DTYPES[k % 4])),
}
KINKED = {
    "abs": lambda lib, x, y, k: x.abs(),
    "relu": lambda lib, x, y, k: x.relu(),
}
WHOLE = {
    "and_": lambda lib, x, y, k: x & fit(x, y),
    "or_": lambda lib, x, y, k: x | fit(x, y),
    "xor": lambda lib, x, y, k: x ^ fit(x, y),
    "shift_left": lambda lib, x, y, k: x << k,
    "shift_right": lambda lib, x, y, k: x >> k,
    "invert": lambda lib, x, y, k: ~x,
}
COMPARED = {
    "lt": lambda lib, x, y, k: x < fit(x, y),
    "ge": lambda lib, x, y, k: x >= fit(x, y),
    "eq": lambda lib, x, y, k: x == fit(x, y),
    "ne": lambda lib, x, y, k: lib.ne(x, fit(x, y)),
}
EXTREME = {
    "amax": lambda lib, x, y, k: x.amax(dim_of(x, k), keepdim=k > 2),
    "amin": lambda lib, x, y, k: x.amin(dim_of(x, k)),
    "max_values": lambda lib, x, y, k: x.max(dim_of(x, k)).values,
    "sorted": lambda lib, x, y, k: x.sort(dim_of(x, k), descending=k > 2).values.contiguous(),
}
PLACES = {
    "argmax": lambda lib, x, y, k: x.argmax(dim_of(x, k)),
    "argmin": lambda lib, x, y, k: x.argmin(dim_of(x, k), keepdim=k > 2),
    "order": lambda lib, x, y, k: x.argsort(dim=dim_of(x, k), stable=True).contiguous(),
}
STEPPED = {
    "floor": lambda lib, x, y, k: x.floor(),
    "round": lambda lib, x, y, k: x.trunc(),
    "floor_divide": lambda lib, x, y, k: lib.floor_divide(x, k + 1),
    "remainder": lambda lib, x, y, k: x % (k + 1),
    "to_int": lambda lib, x, y, k: x.to(getattr(lib, DTYPES[4 + k % 3])),
}
VIEWS = {
    "select": lambda lib, x, y, k: x[k % x.shape[0]],
    "select_last": lambda lib, x, y, k: x[..., -1 - k % x.shape[-1]],
    "cut": lambda lib, x, y, k: x[k % 2 : 2 + k],
    "narrow": lambda lib, x, y, k: x.narrow(dim_of(x, k), 1, x.shape[dim_of(x, k)] - 1),
    "every_other": lambda lib, x, y, k: x[..., k % 2 :: 2],
    "transpose": lambda lib, x, y, k: x.transpose(0, dim_of(x, k)),
    "rotate": lambda lib, x, y, k: x.movedim(0, -1),
    "view_flat": lambda lib, x, y, k: x.view(-1),
    "reshape": lambda lib, x, y, k: x.reshape(x.shape[-1], -1),
    "flatten": lambda lib, x, y, k: x.flatten(),
    "unsqueeze": lambda lib, x, y, k: x.unsqueeze(k % (x.dim() + 1)) if x.dim() < 4 else x[0],
    "squeeze": lambda lib, x, y, k: x.squeeze(),
    "expand": lambda lib, x, y, k: x.expand(2, *x.shape) if x.dim() < 3 else x[:, 0],
    "diagonal": lambda lib, x, y, k: x.diagonal(k % 3 - 1),
    "contiguous": lambda lib, x, y, k: x.contiguous(),
    "windows": lambda lib, x, y, k: x.unfold(0, 2, 1),
    "chunk": lambda lib, x, y, k: x.chunk(2, dim_of(x, k))[-1],
    "unbind": lambda lib, x, y, k: x.unbind(-1)[k % x.shape[-1]],
    "detach": lambda lib, x, y, k: x.detach(),
    "split": lambda lib, x, y, k: x.split(2)[0],
}
table({"pure": True}, SMOOTH)
table({"pure": True, "apart": kinks(0)}, KINKED)
table({"pure": True, "apart": kinks(-1, 1)}, {"clamp": lambda lib, x, y, k: x.clamp(-1, 1)})
table({"pure": True}, WHOLE)
table({"pure": True, "apart": differ}, COMPARED)
table(
    {"pure": True, "apart": differ_for_gradients},
    {
        "maximum": lambda lib, x, y, k: lib.maximum(x, fit(x, y)),
        "minimum": lambda lib, x, y, k: lib.minimum(x, fit(x, y)),
    },
)
table({"pure": True, "apart": distinct_for_gradients}, EXTREME)
table({"pure": True, "apart": distinct}, PLACES)
table({"pure": True, "apart": fractions}, STEPPED)
table({"view": True}, VIEWS)
