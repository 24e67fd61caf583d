"""Random tensors, and dropout.

Numbers are drawn when a function is called, so that calls use up the generator's stream in their
order, as in PyTorch. Only the masks of dropout are made by the kernels that use them: each element
hashes its index and a seed, which is drawn at the call.
"""

import numpy as np

from .. import dtypes, gaussian, rejection, sampling
from .. import generator as source
from ..backends.memory import Buffer
from ..recorder import sync
from ..recorder.entering import new_leaf
from ..recorder.handle import Tensor, contiguous_strides, intern, require_device
from ..recorder.trace import local
from ..rounding import narrow
from .api import FUNCTIONS, function
from .core import broadcast_shapes, composite
from .creation import into, shape_of
from .from_data import finish, from_array

__all__ = [
    "Generator",
    "bernoulli",
    "binomial",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]


class Generator(source.Generator):
    """A stream of random numbers, equal to that of `torch.Generator` for the same seed.

    >>> import flambeau as torch
    >>> torch.randint(10, (4,), generator=torch.Generator().manual_seed(0))
    tensor([4, 9, 3, 0])
    """

    def get_state(self):
        """The whole state: a uint8 tensor of 5056 bytes."""
        return from_array(super().get_state(), dtypes.uint8)

    def set_state(self, state):
        """Go on from the state that `get_state` gave, here or in PyTorch."""
        if not isinstance(state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(state).__name__}")
        super().set_state(sync.to_array(state.contiguous()))
        return self


# One object for both layers: below it gives arrays, here its states are tensors.
default_generator = source.default_generator
default_generator.__class__ = Generator
FUNCTIONS["Generator"] = Generator


@function(methods=False, out=False)
def manual_seed(seed):
    """Start the default generator's stream of `seed`; returns the generator."""
    return default_generator.manual_seed(int(seed))


@function(methods=False, out=False)
def seed():
    """Start the default generator's stream of a seed that nobody can foresee; returns the seed."""
    return default_generator.seed()


@function(methods=False, out=False)
def initial_seed():
    """The seed that the default generator's stream was started with."""
    return default_generator.initial_seed()


@function(methods=False, out=False)
def get_rng_state():
    """The state of the default generator, a uint8 tensor."""
    return default_generator.get_state()


@function(methods=False, out=False)
def set_rng_state(new_state):
    """Let the default generator go on from `new_state`."""
    default_generator.set_state(new_state)


def _generator(generator):
    if "error" in local.trace.sampling[-1:]:
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )
    if generator is None:
        return default_generator
    if not isinstance(generator, source.Generator):
        raise TypeError(
            f"argument 'generator' must be torch.Generator, not {type(generator).__name__}"
        )
    return generator


# Fresh tensors


def _float_dtype(dtype, device):
    require_device(device)
    return dtype or dtypes.get_default_dtype()


def _publish_sized(name, draw, doc):
    def make(
        *size,
        generator=None,
        out=None,
        dtype=None,
        layout=None,
        device=None,
        pin_memory=False,
        requires_grad=False,
        names=None,
        **size_keyword,
    ):
        shape = shape_of(size or (size_keyword.pop("size"),))
        if size_keyword:
            raise TypeError(f"{name}() got an unexpected keyword argument {min(size_keyword)!r}")
        dtype = out._meta.dtype if out is not None and dtype is None else dtype
        dtype = _float_dtype(dtype, device)
        made = from_array(draw(_generator(generator), shape, dtype), dtype)
        return into(made, out) if out is not None else finish(made, requires_grad)

    make.__name__ = name
    make.__doc__ = doc
    return function(make, methods=False)


rand = _publish_sized("rand", sampling.uniform, "Uniform random numbers of [0, 1), of any shape.")
randn = _publish_sized("randn", gaussian.normal, "Normal random numbers of mean 0, variance 1.")


def _bounds(low, high, size, name):
    """(low, high, size) of the forms name(high, size) and name(low, high, size)."""
    if size is None and not isinstance(high, int):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    low, high = (x.__index__() if hasattr(x, "__index__") else x for x in (low, high))
    if not isinstance(low, int) or not isinstance(high, int):
        raise TypeError(f"{name}(): 'low' and 'high' must be int")
    return low, high, size


@function(methods=False)
def randint(
    low=0,
    high=None,
    size=None,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Random integers of [low, high), or of [0, low) if `high` is left out: `randint(9, (2, 3))`.

    Raises: RuntimeError where low >= high.
    """
    low, high, size = _bounds(low, high, size, "randint")
    if size is None:
        raise TypeError("randint(): argument 'size' must be tuple of ints, not NoneType")
    dtype = dtype or dtypes.int64
    require_device(device)
    values = sampling.randint(_generator(generator), low, high, shape_of((size,)), dtype)
    return finish(from_array(values, dtype), requires_grad)


@function(methods=False)
def randperm(
    n,
    *,
    generator=None,
    dtype=dtypes.int64,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """The integers 0 to n - 1 in random order."""
    require_device(device)
    values = sampling.randperm(_generator(generator), int(n), dtype)
    return finish(from_array(values, dtype), requires_grad)


def _memory_order(meta):
    """The dims from the outermost in memory to the innermost."""
    return sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d))


def _draw_in_memory_order(draw, meta):
    """Values for a tensor of geometry `meta`: the first number goes where memory starts."""
    if meta.contiguous:
        return draw(tuple(meta.shape))
    order = _memory_order(meta)
    values = draw(tuple(meta.shape[d] for d in order))
    return values.transpose([order.index(d) for d in range(len(order))])


def _leaf_like(draw, meta):
    """A new tensor laid out as `meta` is, or contiguous if that has gaps."""
    if meta.contiguous or not meta.is_dense:
        plain = intern(meta.shape, meta.dtype)
        return from_array(draw(tuple(plain.shape)), plain.dtype)
    order = _memory_order(meta)
    values = np.ascontiguousarray(draw(tuple(meta.shape[d] for d in order)))
    buffer = Buffer.allocate(values.nbytes)
    buffer.numpy(values.dtype, values.size)[...] = values.reshape(-1)
    return new_leaf(intern(meta.shape, meta.dtype, meta.strides), buffer)


def _meta_like(input, dtype, memory_format):
    meta = input._meta
    preserve = memory_format is None or "preserve" in str(memory_format)
    strides = meta.strides if meta.is_dense and preserve else contiguous_strides(meta.shape)
    return intern(meta.shape, dtype or meta.dtype, strides)


def _publish_like(name, draw, doc):
    def like(
        input,
        *,
        dtype=None,
        layout=None,
        device=None,
        generator=None,
        pin_memory=False,
        requires_grad=False,
        memory_format=None,
    ):
        require_device(device)
        meta, g = _meta_like(input, dtype, memory_format), _generator(generator)
        made = _leaf_like(lambda shape: draw(g, shape, meta), meta)
        return finish(made, requires_grad)

    like.__name__ = name
    like.__doc__ = doc
    return function(like, methods=False)


rand_like = _publish_like(
    "rand_like",
    lambda g, shape, meta: sampling.uniform(g, shape, meta.dtype),
    "`rand` with the shape and dtype of `input`.",
)
randn_like = _publish_like(
    "randn_like",
    lambda g, shape, meta: gaussian.normal(g, shape, meta.dtype, contiguous=meta.contiguous),
    "`randn` with the shape and dtype of `input`.",
)


@function(methods=False)
def randint_like(
    input,
    low=0,
    high=None,
    *,
    dtype=None,
    layout=None,
    device=None,
    generator=None,
    pin_memory=False,
    requires_grad=False,
    memory_format=None,
):
    """`randint` with the shape and dtype of `input`."""
    low, high, _ = _bounds(low, high, (), "randint_like")
    require_device(device)
    meta, g = _meta_like(input, dtype, memory_format), _generator(generator)
    made = _leaf_like(lambda shape: sampling.randint(g, low, high, shape, meta.dtype), meta)
    return finish(made, requires_grad)


# Numbers with parameters of their own


def _array(x):
    """The elements of a tensor, contiguous."""
    return np.ascontiguousarray(sync.to_array(x)).reshape(x._meta.shape)


def _probabilities(p, shape, name):
    """An array of probabilities of `shape`, and their dtype."""
    if broadcast_shapes(name, [p._meta.shape, shape]) != shape:
        raise RuntimeError(
            f"{name}: the shape {list(p._meta.shape)} of p does not broadcast to {list(shape)}"
        )
    return np.broadcast_to(sync.to_array(p), shape), p._meta.dtype


@function(methods=True, out=False)
def bernoulli(input, p=None, *, generator=None, out=None):
    """Ones with the probabilities in `input` (or the number p), zeros else, of its dtype.

    Raises: RuntimeError for a probability outside of [0, 1].
    """
    dtype, shape, g = input._meta.dtype, tuple(input._meta.shape), _generator(generator)
    if p is not None:
        values = sampling.bernoulli(g, p, shape, dtype)
    elif dtype.is_floating_point:
        values = sampling.bernoulli(g, _array(input), shape, dtype, dtype)
    else:
        raise NotImplementedError(f"bernoulli is not defined for {dtype}")
    made = from_array(values, dtype)
    if input.requires_grad and out is None:
        made = _drawn(input, made)
    return made if out is None else into(made, out)


@composite(name="bernoulli")
def _drawn(chances, values):
    """The values, which count as a function of the chances: a constant one."""
    return values.clone()


@_drawn.vjp
def _(g, out, chances, values):
    return g * 0, None


@function(out="exact")
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """`num_samples` indices with probability proportional to the weights in each row of `input`."""
    values = sampling.multinomial(
        _generator(generator), _array(input), num_samples, replacement, input._meta.dtype
    )
    return from_array(values, dtypes.int64)


@function(methods=False)
def poisson(input, generator=None):
    """Poisson random numbers with the rates in `input`, of its dtype."""
    values = rejection.poisson(_generator(generator), _array(input), input._meta.dtype)
    return from_array(values, input._meta.dtype)


@function(methods=False)
def binomial(count, prob, generator=None):
    """The successes among `count` trials of probability `prob`, both tensors."""
    dtype = count._meta.dtype
    if prob._meta.dtype is not dtype:
        raise RuntimeError("Expected count and prob to have the same dtype")
    shape = broadcast_shapes("binomial", [count._meta.shape, prob._meta.shape])
    pair = [np.array(np.broadcast_to(_array(x), shape)) for x in (count, prob)]
    return from_array(rejection.binomial(_generator(generator), *pair, dtype), dtype)


@function(methods=False)
def normal(
    mean,
    std=1.0,
    size=None,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Normal random numbers whose mean and standard deviation are tensors, or numbers with `size`.

    Raises: RuntimeError for a negative `std`.
    """
    g = _generator(generator)
    if size is not None:
        dtype = _float_dtype(dtype, device)
        values = gaussian.normal(g, shape_of((size,)), dtype, float(mean), float(std))
        return finish(from_array(values, dtype), requires_grad)
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        raise TypeError("normal(): argument 'size' is needed where mean and std are numbers")
    shape, dtype = broadcast_shapes("normal", [x._meta.shape for x in given]), given[0]._meta.dtype
    if not isinstance(std, Tensor):
        values = dtypes.decode(gaussian.normal(g, shape, dtype, 0.0, float(std)), dtype)
    else:
        if std._meta.dtype.is_complex:
            raise RuntimeError("normal expects standard deviation to be non-complex")
        spread = dtypes.decode(sync.to_array(std), std._meta.dtype)
        if not (spread >= 0).all():
            raise RuntimeError("normal expects all elements of std >= 0.0")
        values = dtypes.decode(gaussian.normal(g, shape, dtype), dtype) * spread
    if isinstance(mean, Tensor):
        mean = dtypes.decode(sync.to_array(mean), mean._meta.dtype)
    return from_array(narrow(values + mean, dtype), dtype)


# In place


# Dropout
