"""Every distribution against PyTorch: same numbers, same state left behind."""

import math

import numpy as np
import pytest

from flambeau import dtypes
from flambeau.gaussian import log_normal, normal
from flambeau.generator import Generator
from flambeau.rejection import binomial, dirichlet, gamma, poisson
from flambeau.sampling import (
    _shuffled_inside_out,
    bernoulli,
    cauchy,
    exponential,
    geometric,
    multinomial,
    randint,
    random,
    randperm,
    uniform,
)

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTS = ["int64", "int32", "int16", "int8", "uint8", "bool"]
SIZES = [0, 1, 5, 15, 16, 17, 31, 32, 100, 1000]
SEEDS = [0, 1, 12345]


def stored(tensor):
    """A tensor's elements as flambeau stores them."""
    if str(tensor.dtype) != "torch.bfloat16":
        return tensor.numpy()
    return tensor.view(tensor.short().dtype).numpy().view(np.uint16)


def alike(ours, theirs):
    """Two refusals begin with the same words, unless the dtype as such is refused."""
    if "not implemented for" not in str(theirs) and "handles only" not in str(theirs):
        assert str(ours)[:38] == str(theirs)[:38]


class Twins:
    """A generator of each library, in step."""

    def __init__(self, torch, seed=0):
        self.ours, self.theirs = Generator(), torch.Generator()
        self.torch = torch
        self.seed(seed)

    def seed(self, seed):
        self.ours.manual_seed(seed)
        self.theirs.manual_seed(seed)

    def of(self, name):
        """A dtype of each library."""
        return dtypes.BY_NAME[name], getattr(self.torch, name)

    def empty(self, n, name):
        return self.torch.empty(n, dtype=getattr(self.torch, name))

    def agree(self, ours, theirs):
        """Both drew the same, bit for bit, and go on from the same state."""
        theirs = stored(theirs)
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert ours.tobytes() == theirs.tobytes()
        assert (self.ours.get_state() == self.theirs.get_state().numpy()).all()


@pytest.fixture
def twins(torch):
    return Twins(torch)


def filled(draw, method, *arguments):
    """A row of the table below: our function and the tensor's method, with the same arguments."""

    def check(twins, n, name):
        ours = draw(twins.ours, (n,), dtypes.BY_NAME[name], *arguments)
        theirs = getattr(twins.empty(n, name), method)(*arguments, generator=twins.theirs)
        twins.agree(ours, theirs)

    label = f"{method}{arguments}"
    return pytest.param(check, id=label)


CONTINUOUS = [
    *(filled(uniform, "uniform_", *ends) for ends in [(), (-0.1, 0.1), (3, 7), (0, 2)]),
    *(filled(uniform, "uniform_", *ends) for ends in [(100, 100.5), (-1e-3, 5), (1, 1)]),
    *(filled(normal, "normal_", *moments) for moments in [(), (0, 0.02), (3, 2), (5, 0)]),
    filled(exponential, "exponential_"),
    filled(exponential, "exponential_", 1.7),
    filled(cauchy, "cauchy_"),
    filled(cauchy, "cauchy_", 0.3, 1.7),
    filled(log_normal, "log_normal_"),
    filled(log_normal, "log_normal_", 0.3, 0.7),
]


@pytest.mark.parametrize("check", CONTINUOUS)
@pytest.mark.parametrize("name", FLOATS)
def test_continuous(twins, check, name):
    for seed in SEEDS:
        twins.seed(seed)
        for n in SIZES:
            check(twins, n, name)


@pytest.mark.parametrize("name", FLOATS)
def test_many(twins, name):
    for row in (CONTINUOUS[1], CONTINUOUS[8], CONTINUOUS[9], CONTINUOUS[12], CONTINUOUS[14]):
        row.values[0](twins, 100003, name)


@pytest.mark.parametrize("name", FLOATS)
def test_normal_where_memory_is_not_contiguous(twins, name):
    dtype, _ = twins.of(name)
    for n in (2, 15, 16, 17, 1001):
        theirs = twins.empty(2 * n, name)[::2].normal_(0.5, 3, generator=twins.theirs)
        ours = normal(twins.ours, (n,), dtype, 0.5, 3, contiguous=False)
        twins.agree(ours, theirs.contiguous())


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex(twins, torch, name):
    ours, theirs = twins.of(name)
    for shape in [(), (0,), (3,), (7,), (8,), (9,), (25, 4)]:
        twins.agree(
            normal(twins.ours, shape, ours),
            torch.randn(shape, dtype=theirs, generator=twins.theirs),
        )
        twins.agree(
            uniform(twins.ours, shape, ours),
            torch.rand(shape, dtype=theirs, generator=twins.theirs),
        )


def test_shapes(twins, torch):
    for shape in [(), (1,), (2, 0, 3), (4, 5, 6)]:
        drawn = torch.rand(shape, generator=twins.theirs)
        twins.agree(uniform(twins.ours, shape, dtypes.float32), drawn)
        drawn = torch.randn(shape, generator=twins.theirs)
        twins.agree(normal(twins.ours, shape, dtypes.float32), drawn)
        drawn = torch.randint(0, 9, shape, generator=twins.theirs)
        twins.agree(randint(twins.ours, 0, 9, shape, dtypes.int64), drawn)


RANGES = [
    *[(0, 1), (0, 2), (-5, 5), (-100, 100), (0, 2**28 - 1), (0, 2**28), (0, 2**31 - 1)],
    *[(-(2**40), 2**45), (-(2**62), 2**63 - 1), (-(2**63), 2**63 - 1), (0, None), (7, None)],
    *[(-(2**63), None), (0, 65504), (0, 2049), (1, 4097), (-65504, 65504), (-300, 3000)],
    *[(-(2**24) - 3, 2**24 + 7), (5, 5), (6, 5), (2**40, None), (2048, None), (-4099, -4097)],
]


@pytest.mark.filterwarnings("ignore:.*is out of bounds")
@pytest.mark.parametrize("low_high", RANGES)
@pytest.mark.parametrize("name", FLOATS + INTS)
def test_random_in_every_range(twins, low_high, name):
    dtype, _ = twins.of(name)
    for n in (1, 5, 1000):
        try:
            theirs = twins.empty(n, name).random_(*low_high, generator=twins.theirs)
        except RuntimeError as refusal:
            with pytest.raises(RuntimeError) as ours:
                random(twins.ours, (n,), dtype, *low_high)
            alike(ours.value, refusal)
        else:
            twins.agree(random(twins.ours, (n,), dtype, *low_high), theirs)


@pytest.mark.parametrize("name", FLOATS + INTS)
def test_random_over_the_dtype_bernoulli_and_geometric(twins, name):
    dtype, _ = twins.of(name)
    for n in SIZES:
        theirs = twins.empty(n, name).random_(generator=twins.theirs)
        twins.agree(random(twins.ours, (n,), dtype), theirs)
        theirs = twins.empty(n, name).bernoulli_(0.3, generator=twins.theirs)
        twins.agree(bernoulli(twins.ours, 0.3, (n,), dtype), theirs)
        if name != "bool":
            theirs = twins.empty(n, name).geometric_(0.3, generator=twins.theirs)
            twins.agree(geometric(twins.ours, (n,), dtype, 0.3), theirs)


def test_random_warns_of_integers_that_the_dtype_cannot_tell_apart():
    with pytest.warns(UserWarning, match=r"to - 1 is out of bounds \[-\(2\^24\), 2\^24\]"):
        randint(Generator(), 0, 2**30, (2,), dtypes.float32)


@pytest.mark.parametrize("name", FLOATS)
def test_bernoulli_of_probabilities(twins, torch, name):
    dtype, kind = twins.of(name)
    for n in SIZES:
        p = torch.linspace(0, 1, n).to(kind)
        drawn = torch.bernoulli(p, generator=twins.theirs)
        twins.agree(bernoulli(twins.ours, stored(p), (n,), dtype, dtype), drawn)
    row = np.array([0.2, 0.8], np.float32)
    drawn = twins.empty((50, 2), "int32").bernoulli_(torch.from_numpy(row), generator=twins.theirs)
    twins.agree(bernoulli(twins.ours, row, (50, 2), dtypes.int32), drawn)


@pytest.mark.parametrize("name", FLOATS + INTS[:-1])
def test_randperm(twins, torch, name):
    dtype, kind = twins.of(name)
    for n in [*SIZES, 128, 256, 2049, 20000]:
        try:
            theirs = torch.randperm(n, dtype=kind, generator=twins.theirs)
        except RuntimeError as refusal:
            with pytest.raises(RuntimeError) as ours:
                randperm(twins.ours, n, dtype)
            alike(ours.value, refusal)
        else:
            twins.agree(randperm(twins.ours, n, dtype), theirs)


def test_randperm_of_many(twins, torch):
    drawn = torch.randperm(60000, generator=twins.theirs)
    twins.agree(randperm(twins.ours, 60000, dtypes.int64), drawn)


@pytest.mark.parametrize("part", [1, 7, 1000])
def test_the_shuffle_for_hundreds_of_millions(part):
    order = []
    for i, word in enumerate(Generator().manual_seed(2).longs(500).tolist()):
        order.insert(i, i)
        j = word % (i + 1)
        order[i], order[j] = order[j], i
    assert _shuffled_inside_out(Generator().manual_seed(2), 500, part).tolist() == order


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial(twins, torch, name, replacement):
    dtype, kind = twins.of(name)
    for n in (1, 5, 16, 100):
        for shape in [(n,), (1, n), (9, n)]:
            weights = (torch.arange(math.prod(shape)) % 7 + 1).reshape(shape).to(kind)
            # Without replacement halves often give equal keys, whose order PyTorch leaves open.
            for count in {1, 2, n} if replacement or kind.itemsize > 2 else {1}:
                if replacement or count <= n:
                    drawn = torch.multinomial(weights, count, replacement, generator=twins.theirs)
                    ours = multinomial(twins.ours, stored(weights), count, replacement, dtype)
                    twins.agree(ours, drawn)


def test_multinomial_never_draws_what_has_no_weight():
    weights = np.array([0, 1, 0, 2], np.float32)
    for replacement in (False, True):
        drawn = [multinomial(Generator().manual_seed(s), weights, 2, replacement) for s in range(9)]
        assert set(np.concatenate(drawn).tolist()) <= {1, 3}


@pytest.mark.parametrize("weights", [[-1.0, 2], [0.0, 0], [math.nan, 1], [math.inf, 1], []])
@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_refuses_what_torch_refuses(torch, weights, count, replacement):
    weights = np.array(weights, np.float32)
    with pytest.raises(RuntimeError):
        torch.multinomial(torch.from_numpy(weights), count, replacement)
    with pytest.raises(RuntimeError):
        multinomial(Generator(), weights, count, replacement)


def test_multinomial_of_no_rows():
    drawn = multinomial(Generator(), np.ones((0, 3), np.float32), 2)
    assert drawn.shape == (0, 2)
    with pytest.raises(RuntimeError, match="1 or 2 dim"):
        multinomial(Generator(), np.ones((2, 2, 2), np.float32), 1)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("most", [1, 20, 300])
def test_poisson(twins, torch, name, most):
    dtype, kind = twins.of(name)
    for n in SIZES:
        rates = torch.linspace(0, most, n).to(kind)
        drawn = torch.poisson(rates, generator=twins.theirs)
        twins.agree(poisson(twins.ours, stored(rates), dtype), drawn)


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("most", [0.3, 5, 300])
def test_gamma_shares_the_kept_normal(twins, torch, name, most):
    dtype, kind = twins.of(name)
    for n in SIZES:
        alpha = torch.linspace(0, most, n).to(kind)
        drawn = torch._standard_gamma(alpha, generator=twins.theirs)
        twins.agree(gamma(twins.ours, alpha.numpy(), dtype), drawn)
        drawn = torch.randn(3, generator=twins.theirs)
        twins.agree(normal(twins.ours, (3,), dtypes.float32), drawn)


def test_dirichlet(twins, torch):
    for n in (1, 2, 5, 17, 100):
        alpha = torch.linspace(0.1, 3, 4 * n).reshape(4, n)
        drawn = torch._sample_dirichlet(alpha, generator=twins.theirs)
        twins.agree(dirichlet(twins.ours, alpha.numpy(), dtypes.float32), drawn)
        wide = alpha.double()
        theirs = torch._sample_dirichlet(wide, generator=twins.theirs)
        ours = dirichlet(twins.ours, wide.numpy(), dtypes.float64)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-14)  # the sum's order differs


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 3, 40, 1000, 10**6])
def test_binomial(twins, torch, name, count):
    dtype, kind = twins.of(name)
    for n in SIZES:
        counts, p = torch.full((n,), count, dtype=kind), torch.linspace(0, 1, n, dtype=kind)
        drawn = torch.binomial(counts, p, generator=twins.theirs)
        twins.agree(binomial(twins.ours, counts.numpy(), p.numpy(), dtype), drawn)


@pytest.mark.parametrize("seed", range(8))
def test_calls_of_all_kinds_share_one_stream(twins, torch, seed):
    twins.seed(seed)
    choose = np.random.RandomState(seed)
    extra = [
        lambda n: twins.agree(
            randperm(twins.ours, n, dtypes.int64), torch.randperm(n, generator=twins.theirs)
        ),
        lambda n: twins.agree(
            randint(twins.ours, -3, 10**10, (n,), dtypes.int64),
            torch.randint(-3, 10**10, (n,), generator=twins.theirs),
        ),
        lambda n: twins.agree(
            poisson(twins.ours, np.full(n, 3, np.float32), dtypes.float32),
            torch.poisson(torch.full((n,), 3.0), generator=twins.theirs),
        ),
    ]
    for _ in range(60):
        n = int(choose.choice([0, 1, 2, 3, 7, 15, 16, 17, 33, 200, 700]))
        row = int(choose.randint(len(CONTINUOUS) + len(extra)))
        if row < len(extra):
            extra[row](n)
        else:
            CONTINUOUS[row - len(extra)].values[0](twins, n, str(choose.choice(FLOATS)))


def test_the_first_numbers_of_seed_0():
    def drawn(draw, *arguments):
        return draw(Generator().manual_seed(0), *arguments)

    values = drawn(uniform, (3,), dtypes.float32)
    expected = np.array([0.49625658988952637, 0.7682217955589294, 0.08847743272781372], np.float32)
    assert (values == expected).all()
    assert drawn(randint, 0, 10, (5,), dtypes.int64).tolist() == [4, 9, 3, 0, 3]
    assert drawn(randperm, 4, dtypes.int64).tolist() == [0, 1, 3, 2]


def test_uniform_never_returns_its_upper_end():
    for dtype in (dtypes.float16, dtypes.bfloat16, dtypes.float32):
        values = dtypes.decode(uniform(Generator(), (200000,), dtype, 1.0, 2.0), dtype)
        assert values.min() >= 1
        assert values.max() < 2


CALLS = [
    (lambda d, g: uniform(g, (2,), d), lambda t: t.uniform_()),
    (lambda d, g: uniform(g, (2,), d, -1e39, 1e39), lambda t: t.uniform_(-1e39, 1e39)),
    (lambda d, g: uniform(g, (2,), d, -6e4, 6e4), lambda t: t.uniform_(-6e4, 6e4)),
    (lambda d, g: uniform(g, (2,), d, 2, 1), lambda t: t.uniform_(2, 1)),
    (lambda d, g: normal(g, (2,), d, 0, -1), lambda t: t.normal_(0, -1)),
    (lambda d, g: exponential(g, (2,), d), lambda t: t.exponential_()),
    (lambda d, g: exponential(g, (2,), d, -1), lambda t: t.exponential_(-1)),
    (lambda d, g: cauchy(g, (2,), d), lambda t: t.cauchy_()),
    (lambda d, g: cauchy(g, (2,), d, 0, -1), lambda t: t.cauchy_(0, -1)),
    (lambda d, g: log_normal(g, (2,), d), lambda t: t.log_normal_()),
    (lambda d, g: log_normal(g, (2,), d, 0, 0), lambda t: t.log_normal_(0, 0)),
    (lambda d, g: geometric(g, (2,), d, 0.5), lambda t: t.geometric_(0.5)),
    (lambda d, g: geometric(g, (2,), d, 0), lambda t: t.geometric_(0)),
    (lambda d, g: bernoulli(g, 2, (2,), d), lambda t: t.bernoulli_(2)),
    (lambda d, g: randint(g, -1, 300, (2,), d), lambda t: t.random_(-1, 300)),
]


@pytest.mark.filterwarnings("ignore:.*is out of bounds")
@pytest.mark.parametrize(("ours", "theirs"), CALLS)
@pytest.mark.parametrize("name", [*FLOATS, *INTS, "complex64"])
def test_errors_are_of_torchs_class_and_wording(twins, name, ours, theirs):
    dtype, _ = twins.of(name)
    try:
        theirs(twins.empty(2, name))
    except RuntimeError as refusal:
        with pytest.raises(RuntimeError) as raised:
            ours(dtype, twins.ours)
        alike(raised.value, refusal)
        state = Generator().manual_seed(0).get_state()
        assert (twins.ours.get_state() == state).all()
    else:
        ours(dtype, twins.ours)
