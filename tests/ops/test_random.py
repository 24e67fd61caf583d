"""Random tensors are those of PyTorch; dropout masks have the right share and gradient."""

import numpy as np
import pytest

import flambeau


def both(torch, f, seed=0):
    """f on both libraries after the same seed, as arrays, and that the generators then agree."""
    results = []
    for lib in (flambeau, torch):
        lib.manual_seed(seed)
        out = f(lib)
        results.append((out.numpy(), tuple(out.stride()), str(out.dtype)))
    assert np.array_equal(flambeau.get_rng_state().numpy(), torch.get_rng_state().numpy())
    (ours, our_strides, our_dtype), (theirs, strides, dtype) = results
    assert ours.shape == theirs.shape
    assert our_strides == strides
    assert our_dtype == dtype
    np.testing.assert_array_equal(ours, theirs)


CREATORS = {
    "rand": lambda t: t.rand(3, 4),
    "rand size": lambda t: t.rand(size=(3, 4)),
    "rand double": lambda t: t.rand((2, 3), dtype=t.float64),
    "randn": lambda t: t.randn(5),
    "randn large": lambda t: t.randn(7, 9),
    "randn complex": lambda t: t.randn(4, 5, dtype=t.complex64),
    "randint": lambda t: t.randint(10, (20,)),
    "randint low": lambda t: t.randint(-5, 10, (4, 5)),
    "randint float": lambda t: t.randint(0, 3, (6,), dtype=t.float32),
    "randint keywords": lambda t: t.randint(low=2, high=9, size=(6,)),
    "randperm": lambda t: t.randperm(100),
    "randperm int32": lambda t: t.randperm(10, dtype=t.int32),
    "empty": lambda t: t.rand(0, 3),
    "rand_like": lambda t: t.rand_like(t.zeros(3, 4).t()),
    "randn_like": lambda t: t.randn_like(t.zeros(6, 4)),
    "randn_like transposed": lambda t: t.randn_like(t.zeros(6, 4).t()),
    "randn_like expanded": lambda t: t.randn_like(t.zeros(6, 1).expand(6, 3)),
    "randint_like": lambda t: t.randint_like(t.zeros(6), 3, 7),
    "bernoulli": lambda t: t.bernoulli(t.linspace(0, 1, 20)),
    "bernoulli transposed": lambda t: t.bernoulli(t.linspace(0, 1, 20).reshape(4, 5).t()),
    "bernoulli p": lambda t: t.bernoulli(t.zeros(30), 0.3),
    "multinomial": lambda t: t.multinomial(t.tensor([1.0, 5.0, 2.0, 3.0]), 2),
    "multinomial rows": lambda t: t.multinomial(t.ones(3, 5), 4, replacement=True),
    "normal": lambda t: t.normal(2.0, 3.0, (4, 5)),
    "normal tensors": lambda t: t.normal(t.arange(20.0), t.linspace(0.1, 2, 20)),
    "normal mean": lambda t: t.normal(t.arange(20.0), 0.5),
    "normal std": lambda t: t.normal(2.0, t.linspace(0.1, 2, 20)),
    "poisson": lambda t: t.poisson(t.linspace(0, 30, 40)),
    "binomial": lambda t: t.binomial(t.full((9,), 20.0), t.linspace(0, 1, 9)),
    "uniform_": lambda t: t.empty(4, 5).uniform_(-2, 3),
    "uniform_ transposed": lambda t: t.zeros(4, 5).t().uniform_(),
    "uniform_ slice": lambda t: t.zeros(6, 8)[::2, 1:5].uniform_(),
    "normal_": lambda t: t.empty(20).normal_(1, 2),
    "normal_ transposed": lambda t: t.zeros(4, 5).t().normal_(),
    "random_": lambda t: t.zeros(10).random_(),
    "random_ to": lambda t: t.zeros(10, dtype=t.int64).random_(7),
    "random_ bounds": lambda t: t.zeros(10, dtype=t.int64).random_(-7, 7),
    "bernoulli_": lambda t: t.zeros(30).bernoulli_(0.2),
    "bernoulli_ tensor": lambda t: t.zeros(3, 4).bernoulli_(t.tensor([0.1, 0.5, 0.9, 1.0])),
    "exponential_": lambda t: t.zeros(30).exponential_(2.0),
    "geometric_": lambda t: t.zeros(30).geometric_(0.3),
    "cauchy_": lambda t: t.zeros(30, dtype=t.float64).cauchy_(),
    "log_normal_": lambda t: t.zeros(30, dtype=t.float64).log_normal_(),
}


@pytest.mark.parametrize("name", CREATORS)
def test_same_numbers_as_torch(torch, name):
    if name in ("poisson", "binomial", "bernoulli p", "bernoulli_", "exponential_", "multinomial"):
        if "MKL" in torch.__config__.show() and "Intel(R) Xeon" in _cpu():
            pytest.skip("PyTorch draws these with MKL on this CPU")
    both(torch, CREATORS[name])


def _cpu():
    with open("/proc/cpuinfo") as f:
        return next((line for line in f if line.startswith("model name")), "")


def test_calls_follow_one_stream(torch):
    both(torch, lambda t: t.cat([t.rand(3), t.randn(20), t.randperm(5).float(), t.rand(2)]))


def test_generators_are_independent(torch):
    for lib in (flambeau, torch):
        lib.manual_seed(1)
        expected = lib.rand(3)
        lib.manual_seed(1)
        lib.rand(5, generator=lib.Generator().manual_seed(3))
        assert lib.rand(3).tolist() == expected.tolist()
    ours = flambeau.randperm(9, generator=flambeau.Generator().manual_seed(3))
    assert ours.tolist() == torch.randperm(9, generator=torch.Generator().manual_seed(3)).tolist()


def test_state_travels(torch):
    torch.manual_seed(4)
    torch.randn(3)
    flambeau.set_rng_state(flambeau.from_numpy(torch.get_rng_state().numpy().copy()))
    assert flambeau.randn(5).tolist() == torch.randn(5).tolist()
    assert flambeau.initial_seed() == 4
    g = flambeau.Generator().manual_seed(8)
    other = flambeau.Generator()
    other.set_state(g.get_state())
    assert flambeau.rand(3, generator=g).tolist() == flambeau.rand(3, generator=other).tolist()


def test_writes_in_place_through_views():
    x = flambeau.zeros(4, 4)
    x[1].uniform_(1, 2)
    assert (x[1] >= 1).all()
    assert x.sum().item() == pytest.approx(x[1].sum().item())
    p = flambeau.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        p.normal_()
    with flambeau.no_grad():
        assert p.normal_() is p
        assert p.requires_grad


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.randint(5, 5, (2,)),
        lambda t: t.zeros(3).uniform_(2, 1),
        lambda t: t.zeros(3).exponential_(-1),
        lambda t: t.bernoulli(t.tensor([1.5])),
        lambda t: t.multinomial(t.tensor([1.0, 2.0]), 3),
        lambda t: t.normal(t.zeros(2), -t.ones(2)),
        lambda t: t.rand(-1),
        lambda t: t.randperm(-2),
        lambda t: t.rand(2, dtype=t.int64),
        lambda t: t.manual_seed("a"),
    ],
)
def test_errors(torch, call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(type(theirs.value)):
        call(flambeau)


def test_bernoulli_is_constant_in_its_chances():
    chances = flambeau.tensor([0.2, 1.0], requires_grad=True)
    (flambeau.bernoulli(chances) * 3).sum().backward()
    assert chances.grad.tolist() == [0.0, 0.0]


def test_dropout_has_its_share_and_scale():
    flambeau.manual_seed(0)
    x = flambeau.ones(200, 300)
    y = flambeau.dropout(x, 0.25, True)
    kept = (y != 0).float().mean().item()
    assert abs(kept - 0.75) < 0.01
    assert y.max().item() == pytest.approx(1 / 0.75)
    rows = (y != 0).float().mean(0)
    assert rows.min().item() > 0.5
    assert rows.max().item() < 0.95
    assert (y != flambeau.dropout(x, 0.25, True)).any()
    assert flambeau.dropout(x, 0.25, False) is x
    assert flambeau.dropout(x, 1.0, True).sum().item() == 0


def test_dropout_follows_the_seed():
    masks = []
    for _ in range(2):
        flambeau.manual_seed(5)
        masks.append(flambeau.dropout(flambeau.ones(50), 0.5, True).tolist())
    assert masks[0] == masks[1]


@pytest.mark.parametrize("synced", [False, True])
def test_dropout_gradient_has_the_mask_of_each_step(synced):
    x = flambeau.ones(64, requires_grad=True)
    seen = set()
    for _ in range(4):
        x.grad = None
        y = flambeau.dropout(x * 2, 0.5, True)
        if synced:
            y.tolist()
        y.sum().backward()
        assert x.grad.tolist() == y.tolist()
        seen.add(tuple(y.tolist()))
    assert len(seen) == 4


def test_hash_uniform_is_what_its_docstring_says():
    from flambeau.ops.dropout import hash_uniform

    for seed in (0, 1, -1, -(2**63), 2**63 - 1, 123456789123):
        got = hash_uniform(flambeau.tensor(COUNTERS), seed).tolist()
        for counter, value in zip(COUNTERS, got, strict=True):
            x = (counter * 0x9E3779B97F4A7C15 + seed) % 2**64
            x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
            x ^= x >> 31
            assert value == (x >> 40) / 2**24


COUNTERS = [0, 1, 2, 77, 2**32 + 5, 2**40]
