"""Transforms against PyTorch: values, inverses, Jacobians, shapes, caches, composition."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions


def _matrix(n):
    return np.random.RandomState(1).normal(0, 1, (2, n, n))


REAL = np.random.RandomState(0).normal(0, 1.5, (2, 3))
POSITIVE = np.abs(REAL) + 0.1

# name, what makes it of a library's module, an argument
TRANSFORMS = [
    ("exp", lambda t, x: t.ExpTransform(), REAL),
    ("power", lambda t, x: t.PowerTransform(x([0.5, 2.0, -1.0])), POSITIVE),
    ("power of a number", lambda t, x: t.PowerTransform(3), POSITIVE),
    ("sigmoid", lambda t, x: t.SigmoidTransform(), REAL),
    ("softplus", lambda t, x: t.SoftplusTransform(), REAL),
    ("tanh", lambda t, x: t.TanhTransform(), REAL),
    ("affine", lambda t, x: t.AffineTransform(x([1.0, 2, 3]), x([-1.0, 0.5, 2])), REAL),
    ("affine of numbers", lambda t, x: t.AffineTransform(1.0, -2.0), REAL),
    ("affine of events", lambda t, x: t.AffineTransform(x([1.0]), x([-1.0, 1, 2]), 1), REAL),
    ("affine number, events", lambda t, x: t.AffineTransform(1, -2, event_dim=1), REAL),
    ("stick", lambda t, x: t.StickBreakingTransform(), REAL),
    ("correlation", lambda t, x: t.CorrCholeskyTransform(), REAL),
    ("correlation of 4", lambda t, x: t.CorrCholeskyTransform(), REAL.reshape(6)),
    ("reshape", lambda t, x: t.ReshapeTransform((3,), (3, 1)), REAL),
    ("independent", lambda t, x: t.IndependentTransform(t.ExpTransform(), 1), REAL),
    ("inverse", lambda t, x: t.SigmoidTransform().inv, 1 / (1 + POSITIVE)),
    ("inverse stick", lambda t, x: t.StickBreakingTransform().inv, POSITIVE / 10),
    ("compose", lambda t, x: t.ComposeTransform([t.TanhTransform(), t.ExpTransform()]), REAL),
    (
        "compose events",
        lambda t, x: t.ComposeTransform(
            [t.AffineTransform(0.5, 2.0), t.StickBreakingTransform(), t.SigmoidTransform()]
        ),
        REAL,
    ),
    ("identity", lambda t, x: t.identity_transform, REAL),
    (
        "cdf",
        lambda t, x: t.CumulativeDistributionTransform(_distributions(t).Normal(x(0.5), x(2.0))),
        REAL,
    ),
    ("cat", lambda t, x: t.CatTransform([t.ExpTransform(), t.TanhTransform()], 1, [1, 2]), REAL),
    (
        "cat of events",
        lambda t, x: t.CatTransform([t.ExpTransform(), t.TanhTransform()], 0, [1, 1]),
        REAL,
    ),
    (
        "stack",
        lambda t, x: t.StackTransform(
            [t.ExpTransform(), t.identity_transform, t.TanhTransform()], dim=1
        ),
        REAL,
    ),
]
WITHOUT_JACOBIAN = [
    ("abs", lambda t, x: t.AbsTransform(), REAL),
    ("softmax", lambda t, x: t.SoftmaxTransform(), REAL),
    ("lower", lambda t, x: t.LowerCholeskyTransform(), _matrix(3)),
    ("definite", lambda t, x: t.PositiveDefiniteTransform(), _matrix(3)),
]


def _distributions(transforms):
    """The module of distributions that a module of transforms belongs to."""
    return D if transforms is D.transforms else pytest.importorskip("torch").distributions


def pair(both, make, value):
    """((transform, argument) of ours, of theirs)."""
    made = []
    for lib in both.libraries:
        x = lib.tensor(value.tolist(), dtype=lib.float64, requires_grad=True)
        t = make(lib.distributions.transforms, lambda v, lib=lib: lib.tensor(v, dtype=lib.float64))
        made.append((t, x))
    return made


def close(ours, theirs):
    """Equal shapes and values."""
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def attributes(t):
    """What a transform says of itself."""
    found = [repr(t), t.bijective, repr(t.domain), repr(t.codomain), t._cache_size]
    try:
        sign = t.sign
        found.append(sign.tolist() if hasattr(sign, "tolist") else sign)
    except NotImplementedError:
        found.append("no sign")
    return found


@pytest.mark.parametrize("row", TRANSFORMS + WITHOUT_JACOBIAN, ids=lambda c: c[0])
def test_values_inverses_and_attributes(both, row):
    (ours, x), (theirs, x_theirs) = pair(both, *row[1:])
    y, y_theirs = ours(x), theirs(x_theirs)
    close(y, y_theirs)
    close(ours.inv(y), theirs.inv(y_theirs))
    assert attributes(ours) == attributes(theirs)
    assert attributes(ours.inv) == attributes(theirs.inv)
    assert ours.inv.inv is ours
    assert tuple(ours.forward_shape(x.shape)) == tuple(y.shape)
    assert tuple(ours.inverse_shape(y.shape)) == tuple(theirs.inverse_shape(y_theirs.shape))
    (slope,) = flambeau.autograd.grad(y.sin().sum(), x)
    (slope_theirs,) = both.torch.autograd.grad(y_theirs.sin().sum(), x_theirs)
    close(slope, slope_theirs)


@pytest.mark.parametrize("row", TRANSFORMS, ids=lambda c: c[0])
def test_jacobians(both, row):
    (ours, x), (theirs, x_theirs) = pair(both, *row[1:])
    y, y_theirs = ours(x), theirs(x_theirs)
    log_det = ours.log_abs_det_jacobian(x, y)
    log_det_theirs = theirs.log_abs_det_jacobian(x_theirs, y_theirs)
    close(log_det, log_det_theirs)
    back = ours.inv.log_abs_det_jacobian(y, x)
    close(back, -log_det_theirs)
    if log_det_theirs.requires_grad:
        (slope,) = flambeau.autograd.grad(log_det.sin().sum(), x, allow_unused=True)
        (slope_theirs,) = both.torch.autograd.grad(
            log_det_theirs.sin().sum(), x_theirs, allow_unused=True
        )
        assert (slope is None) == (slope_theirs is None)
        if slope is not None:
            close(slope, slope_theirs)


@pytest.mark.parametrize("name", ["exp", "stick", "correlation", "affine of events"])
def test_jacobians_are_determinants(name):
    (make, value) = next(c[1:] for c in TRANSFORMS if c[0] == name)
    t = make(D.transforms, lambda v: flambeau.tensor(v, dtype=flambeau.float64))
    x = flambeau.tensor(value.tolist(), dtype=flambeau.float64)[0]
    if t.codomain.event_dim == 2:

        def vector(x):
            return D.utils.tril_matrix_to_vec(t(x), -1)

    else:

        def vector(x):
            return t(x)[: x.shape[-1]]

    matrix = flambeau.autograd.functional.jacobian(vector, x)
    log_det = t.log_abs_det_jacobian(x, t(x)).sum()
    close(log_det, flambeau.linalg.slogdet(matrix)[1])


def test_cache(both):
    for lib in both.libraries:
        transforms = lib.distributions.transforms
        plain, cached = transforms.TanhTransform(), transforms.TanhTransform(cache_size=1)
        x = lib.tensor([30.0])
        assert plain.inv(plain(x)).item() == float("inf")
        y = cached(x)
        assert cached.inv(y) is x
        assert cached(x) is y
        assert plain.with_cache() == plain
        assert plain.with_cache()._cache_size == 1
        assert plain.with_cache(0) is plain
        made = transforms.ComposeTransform([plain, transforms.ExpTransform()], cache_size=1)
        assert [p._cache_size for p in made.parts] == [1, 1]
        z = made(x)
        assert made.inv(z) is x
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        D.ExpTransform(cache_size=2)


EQUAL = [
    (lambda t: (t.ExpTransform(), t.ExpTransform()), True),
    (lambda t: (t.ExpTransform(), t.TanhTransform()), False),
    (lambda t: (t.AffineTransform(0, 1.0), t.AffineTransform(0, 1.0)), True),
    (lambda t: (t.AffineTransform(0, 1.0), t.AffineTransform(0, 2.0)), False),
    (lambda t: (t.PowerTransform(2.0), t.PowerTransform(2.0)), True),
    (lambda t: (t.PowerTransform(2.0), t.PowerTransform(3.0)), False),
    (lambda t: (t.ExpTransform().inv, t.ExpTransform().inv), True),
    (lambda t: (t.ComposeTransform([t.ExpTransform()]), t.ComposeTransform([])), False),
    (lambda t: (t.identity_transform, t.ComposeTransform([])), True),
]


@pytest.mark.parametrize(("make", "expected"), EQUAL)
def test_equality(both, make, expected):
    for lib in both.libraries:
        a, b = make(lib.distributions.transforms)
        assert (a == b) is expected
        assert (a != b) is not expected


REFUSALS = [
    lambda t, f: t.ReshapeTransform((2, 3), (3,)),
    lambda t, f: t.ReshapeTransform((2, 3), (6,)).forward_shape((2, 2)),
    lambda t, f: t.ReshapeTransform((2, 3), (6,)).forward_shape((2,)),
    lambda t, f: t.ReshapeTransform((2, 3), (6,)).inverse_shape((2,)),
    lambda t, f: t.SoftmaxTransform().forward_shape(()),
    lambda t, f: t.StickBreakingTransform().forward_shape(()),
    lambda t, f: t.CorrCholeskyTransform().forward_shape((4,)),
    lambda t, f: t.CorrCholeskyTransform().inverse_shape((4,)),
    lambda t, f: t.CorrCholeskyTransform().inverse_shape((4, 3)),
    lambda t, f: t.IndependentTransform(t.ExpTransform(), 1)(f.tensor(1.0)),
    lambda t, f: t.StickBreakingTransform().event_dim and t.CorrCholeskyTransform().event_dim,
    lambda t, f: t.AbsTransform().sign,
    lambda t, f: t.Transform()(f.ones(2)),
    lambda t, f: t.Transform().inv(f.ones(2)),
    lambda t, f: t.Transform().log_abs_det_jacobian(1, 2),
]


@pytest.mark.parametrize("call", REFUSALS)
def test_refusals(both, call):
    with pytest.raises((ValueError, NotImplementedError)) as theirs:
        call(both.torch.distributions.transforms, both.torch)
    with pytest.raises(type(theirs.value)) as ours:
        call(D.transforms, flambeau)
    assert str(ours.value) == str(theirs.value)


def test_transformed_distributions(both):
    values = []
    for lib in both.libraries:
        d = lib.distributions
        base = d.Normal(lib.zeros(2, 3), lib.ones(3))
        parts = [d.AffineTransform(1.0, -2.0), d.SigmoidTransform()]
        made = d.TransformedDistribution(base, parts)
        x = lib.tensor([0.2, 0.7, 0.4])
        values.append([made.log_prob(x), made.cdf(x), made.icdf(x), made.expand((4, 2, 3)).icdf(x)])
        vectors = d.TransformedDistribution(base, d.StickBreakingTransform())
        assert vectors.batch_shape == (2,)
        assert vectors.event_shape == (4,)
        assert repr(vectors.support) == "Simplex()"
        values[-1].append(vectors.log_prob(lib.tensor([0.1, 0.2, 0.3, 0.4])))
        matrices = d.TransformedDistribution(base, [d.ReshapeTransform((3,), (3, 1))])
        values[-1].append(matrices.log_prob(lib.ones(3, 1)))
        values[-1].append(matrices.expand((5, 2)).log_prob(lib.ones(3, 1)))
        assert matrices.event_shape == (3, 1)
    for ours, theirs in zip(*values, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)
