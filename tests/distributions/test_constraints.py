"""Constraints against PyTorch, and the transforms that lead to them."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions
inf, nan = float("inf"), float("nan")

NUMBERS = [[-2.0, -1.0, -0.5, 0.0, 0.5, 1.0], [1.5, 2.0, 3.0, inf, -inf, nan]]
VECTORS = [
    *([0.2, 0.3, 0.5], [0.2, 0.3, 0.6], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [2.0, 1.0, 0.0]),
    *([-1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, nan]),
]
MATRICES = [
    [[1.0, 0.0], [0.0, 1.0]],
    [[1.0, 0.0], [0.6, 0.8]],
    [[1.0, 0.5], [0.5, 1.0]],
    [[1.0, 2.0], [2.0, 1.0]],
    [[1.0, 1.0], [1.0, 1.0]],
    [[1.0, 0.5], [0.4, 1.0]],
    [[-1.0, 0.0], [0.3, 2.0]],
]

# what makes a constraint of a library's module, values to check
CONSTRAINTS = [
    *[
        (lambda c, name=name: getattr(c, name), NUMBERS)
        for name in (
            *("boolean", "nonnegative", "nonnegative_integer", "positive", "positive_integer"),
            *("real", "unit_interval"),
        )
    ],
    (lambda c: c.greater_than(0.5), NUMBERS),
    (lambda c: c.greater_than_eq(0.5), NUMBERS),
    (lambda c: c.less_than(0.5), NUMBERS),
    (lambda c: c.interval(-1, 1.5), NUMBERS),
    (lambda c: c.half_open_interval(-1, 1.5), NUMBERS),
    (lambda c: c.integer_interval(-1, 2), NUMBERS),
    (lambda c: c._IntegerLessThan(1), NUMBERS),
    (lambda c: c.independent(c.positive, 1), NUMBERS),
    (lambda c: c.independent(c.real, 2), NUMBERS),
    (lambda c: c.cat([c.positive, c.real], 0), NUMBERS),
    (lambda c: c.cat([c.positive, c.real], -1, [2, 4]), NUMBERS),
    (lambda c: c.stack([c.positive, c.boolean], 0), NUMBERS),
    *[
        (lambda c, name=name: getattr(c, name), VECTORS)
        for name in ("one_hot", "real_vector", "simplex")
    ],
    (lambda c: c.multinomial(2), VECTORS),
    (lambda c: c.MixtureSameFamilyConstraint(c.simplex), VECTORS),
    *[
        (lambda c, name=name: getattr(c, name), MATRICES)
        for name in (
            *("corr_cholesky", "lower_cholesky", "lower_triangular", "square", "symmetric"),
        )
    ],
    # PyTorch looks at eigenvalues only where all matrices are symmetric.
    (lambda c: c.positive_definite, [m for m in MATRICES if m[0][1] == m[1][0]]),
    (lambda c: c.positive_semidefinite, [m for m in MATRICES if m[0][1] == m[1][0]]),
    (lambda c: c.positive_definite, MATRICES[-2:-1]),
    (lambda c: c.symmetric, VECTORS),
    (lambda c: c.positive_definite, VECTORS),
]


def properties(constraint):
    """What a constraint says of itself."""
    return repr(constraint), constraint.event_dim, constraint.is_discrete


@pytest.mark.parametrize(("make", "values"), CONSTRAINTS)
def test_check(both, make, values):
    ours, theirs = (make(lib.distributions.constraints) for lib in both.libraries)
    value, value_theirs = both.tensors(values)
    found, expected = ours.check(value), theirs.check(value_theirs)
    assert found.shape == expected.shape
    assert (found.numpy() == expected.numpy()).all()
    assert properties(ours) == properties(theirs)


def test_all_names(torch):
    constraints = D.constraints
    assert set(torch.distributions.constraints.__all__) == set(constraints.__all__)
    for name in constraints.__all__:
        theirs = getattr(torch.distributions.constraints, name)
        assert isinstance(getattr(constraints, name), type) == isinstance(theirs, type)


def test_dependent():
    dependent = D.constraints.dependent
    assert D.constraints.is_dependent(dependent)
    assert D.constraints.is_dependent(D.Uniform.support)
    assert not D.constraints.is_dependent(D.constraints.real)
    with pytest.raises(NotImplementedError, match="event_dim cannot be determined"):
        dependent.event_dim  # noqa: B018
    assert dependent(event_dim=2).event_dim == 2
    assert D.Uniform.support.event_dim == 0
    assert D.Uniform.support.is_discrete is False
    with pytest.raises(ValueError, match="Cannot determine validity of dependent"):
        dependent.check(flambeau.ones(2))
    with pytest.raises(ValueError, match="Expected value.dim"):
        D.constraints.real_vector.check(flambeau.tensor(1.0))


REGISTERED = [
    ("real", lambda c, x: c.real),
    ("positive", lambda c, x: c.positive),
    ("nonnegative", lambda c, x: c.nonnegative),
    ("greater_than", lambda c, x: c.greater_than(x([1.0, 2.0, 3.0]))),
    ("less_than", lambda c, x: c.less_than(-1.0)),
    ("unit_interval", lambda c, x: c.unit_interval),
    ("interval", lambda c, x: c.interval(-1.0, x([2.0, 3.0, 4.0]))),
    ("half_open_interval", lambda c, x: c.half_open_interval(-1.0, 3.0)),
    ("simplex", lambda c, x: c.simplex),
    ("corr_cholesky", lambda c, x: c.corr_cholesky),
    ("lower_cholesky", lambda c, x: c.lower_cholesky),
    ("positive_definite", lambda c, x: c.positive_definite),
    ("positive_semidefinite", lambda c, x: c.positive_semidefinite),
    ("independent", lambda c, x: c.independent(c.positive, 1)),
    ("cat", lambda c, x: c.cat([c.positive, c.real], -1, [1, 2])),
    ("stack", lambda c, x: c.stack([c.positive, c.real, c.unit_interval], -1)),
]


@pytest.mark.parametrize("row", REGISTERED, ids=lambda c: c[0])
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_registries(both, registry, row):
    results = []
    for lib in both.libraries:
        constraint = row[1](lib.distributions.constraints, lib.tensor)
        try:
            t = getattr(lib.distributions, registry)(constraint)
        except NotImplementedError as error:
            results.append(str(error))
            continue
        shape = (3, 3) if t.domain.event_dim == 2 else (2, 3)
        x = np.random.RandomState(0).normal(0, 1, shape)
        y = t(lib.tensor(x.tolist()))
        assert constraint.check(y).all()
        results.append(y.numpy())
    ours, theirs = results
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_registering():
    registry = D.constraint_registry.ConstraintRegistry()

    class Even(D.constraints.Constraint):
        """Even numbers."""

    registry.register(Even, lambda c: "even")
    assert registry(Even()) == "even"
    with pytest.raises(NotImplementedError, match="Cannot transform _Real constraints"):
        registry(D.constraints.real)
    with pytest.raises(TypeError, match="Expected constraint"):
        registry.register(3)(lambda c: None)
