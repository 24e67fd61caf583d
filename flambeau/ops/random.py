"""Random tensors, and dropout.

Numbers are drawn when a function is called, so that calls use up the generator's stream in their
order, as in PyTorch. Only the masks of dropout are made by the kernels that use them: each element
hashes its index and a seed, which is drawn at the call.
"""

import numpy as np

from .. import dtypes, gaussian, rejection, sampling
from .. import generator as source
from ..backends.memory import Buffer
from ..recorder import inplace, sync
from ..recorder.handle import Tensor, contiguous_strides, intern, require_device
from ..recorder.trace import new_leaf, record
from ..rounding import narrow
from . import elementwise as ew
from .api import FUNCTIONS, METHODS, function
from .core import Elementwise, broadcast_shapes, composite
from .creation import arange, finish, from_array, into, shape_of

__all__ = ["Generator", "default_generator", "dropout", "hash_uniform"]


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
    return made if out is None else into(made, out)


@function
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
    pair = [np.ascontiguousarray(np.broadcast_to(_array(x), shape)) for x in (count, prob)]
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


def _fill(self, name, draw):
    inplace.check_writable(self, name)
    meta = self._meta
    values = _draw_in_memory_order(draw, meta)
    inplace.write(self, from_array(values, meta.dtype))
    return self


def _method(f):
    METHODS[f.__name__] = f
    return f


def _from_to(name, low, high, named):
    """The bounds of a method whose parameters PyTorch calls `from` and `to`."""
    low, high = named.pop("from", low), named.pop("to", high)
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument {min(named)!r}")
    return low, high


@_method
def uniform_(self, low=0, high=1, *, generator=None, **named):
    """Fill it with uniform random numbers of [low, high), which are also called `from` and `to`."""
    low, high = _from_to("uniform_", low, high, named)
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "uniform_", lambda s: sampling.uniform(g, s, dtype, float(low), float(high)))


@_method
def normal_(self, mean=0, std=1, *, generator=None):
    """Fill it with normal random numbers."""
    g, meta = _generator(generator), self._meta

    def draw(shape):
        return gaussian.normal(g, shape, meta.dtype, float(mean), float(std), meta.contiguous)

    return _fill(self, "normal_", draw)


@_method
def random_(self, low=None, high=None, *, generator=None, **named):
    """Fill it with integers: of [0, low), of [low, high), or of all that its dtype holds exactly.

    The bounds are also called `from` and `to`.
    """
    if low is not None and high is None and not named:
        low, high = 0, low  # random_(to)
    low, high = _from_to("random_", low, high, named)
    low = 0 if low is None and high is not None else low
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "random_", lambda shape: sampling.random(g, shape, dtype, low, high))


@_method
def bernoulli_(self, p=0.5, *, generator=None):
    """Fill it with ones of probability p, a number or a tensor that broadcasts, and zeros."""
    g, meta = _generator(generator), self._meta
    if not isinstance(p, Tensor):
        return _fill(self, "bernoulli_", lambda shape: sampling.bernoulli(g, p, shape, meta.dtype))
    chances, p_dtype = _probabilities(p, meta.shape, "bernoulli_")
    chances = chances.transpose(_memory_order(meta)) if not meta.contiguous else chances
    return _fill(
        self,
        "bernoulli_",
        lambda shape: sampling.bernoulli(g, np.array(chances), shape, meta.dtype, p_dtype),
    )


@_method
def exponential_(self, lambd=1, *, generator=None):
    """Fill it with exponential random numbers of rate `lambd`."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "exponential_", lambda s: sampling.exponential(g, s, dtype, float(lambd)))


@_method
def geometric_(self, p, *, generator=None):
    """Fill it with the numbers of trials until the first success of probability p."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "geometric_", lambda shape: sampling.geometric(g, shape, dtype, float(p)))


@_method
def cauchy_(self, median=0, sigma=1, *, generator=None):
    """Fill it with Cauchy random numbers."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(
        self, "cauchy_", lambda s: sampling.cauchy(g, s, dtype, float(median), float(sigma))
    )


@_method
def log_normal_(self, mean=1, std=2, *, generator=None):
    """Fill it with exp of normal random numbers."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(
        self, "log_normal_", lambda s: gaussian.log_normal(g, s, dtype, float(mean), float(std))
    )


# Dropout


def _hash(counter, seed):
    x = counter.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


class _HashUniform(Elementwise):
    """A number of [0, 1) for each (counter, seed), both int64: float32, a multiple of 2**-24.

    It is splitmix64 started at `seed` and `counter` steps on. All arithmetic is on 64-bit words
    modulo 2**64, shifts are logical:

        x = counter * 0x9E3779B97F4A7C15 + seed
        x ^= x >> 30;  x *= 0xBF58476D1CE4E5B9
        x ^= x >> 27;  x *= 0x94D049BB133111EB
        x ^= x >> 31
        result = float32(x >> 40) * 2**-24        (exact)
    """

    differentiable = False

    def dtypes_for(self, operands):
        """Of int64 to float32, whatever the operands are."""
        return dtypes.int64, dtypes.float32


hash_uniform = _HashUniform("hash_uniform", _hash)
hash_uniform.differentiable = False


@composite(name="dropout")
def _dropout(x, p, scale, seed):
    """x * scale where the hash of (index, seed) is at least p, 0 elsewhere."""
    index = arange(x._meta.numel).reshape(x._meta.shape)
    return ew.where(ew.ge(hash_uniform(index, seed), p), x * scale, 0)


@_dropout.vjp
def _(g, out, x, p, scale, seed):
    return _dropout(g, p, scale, seed), None, None, None


def draw_seed(generator=None):
    """A seed of 64 bits for `hash_uniform`, as an int that int64 holds."""
    high, low = _generator(generator).words(2).tolist()
    return (high << 32 | low) - (1 << 63)


@function(out=False, methods=False)
def dropout(input, p=0.5, train=True):
    """Zeros in place of elements, each with probability p; the others times 1 / (1 - p).

    The input itself unless `train`. The mask is new at each call and follows the default
    generator's seed, but it is not that of PyTorch. Raises RuntimeError for p outside of [0, 1].
    """
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not train or p == 0 or not input._meta.numel:
        return input
    if p == 1:
        return input * 0
    p = float(p)
    return record(_dropout, (input, p, 1 / (1 - p), draw_seed()))
