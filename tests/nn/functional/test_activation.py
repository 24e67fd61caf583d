"""`flambeau.nn.functional.activation` against torch."""

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

FUNCTIONS = [
    ("relu", {}),
    ("relu6", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("rrelu", {}),
    ("threshold", {"threshold": 0.1, "value": 20}),
    ("elu", {}),
    ("elu", {"alpha": 0.7}),
    ("selu", {}),
    ("celu", {"alpha": 1.5}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 3, "threshold": 1}),
    ("logsigmoid", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("softsign", {}),
    ("tanhshrink", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 0.1}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1}),
    ("glu", {}),
    ("glu", {"dim": 0}),
]


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradients(twins, name, options, dtype):
    second = name != "hardsigmoid"
    if not second:  # torch has no second derivative of it, and the first with a float32 1 / 6
        dtype = "float32"
    x = (twins.randn(4, 6, dtype=dtype, grad=False) * 3).requires_grad_()
    twins.check(f"nn.functional.{name}", x, second=second, **options)


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
def test_scalar_and_empty(twins, name, options):
    if name != "glu":
        twins.check(f"nn.functional.{name}", twins.randn(), **options)
    twins.check(f"nn.functional.{name}", twins.randn(0, 2), **options)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "elu", "softplus", "logsigmoid"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(twins, name, dtype):
    twins.check(f"nn.functional.{name}", twins.randn(30, dtype=dtype))


EXTREMES = [-1e4, -100.0, -20.0, -3.0, -0.0, 0.0, 3.0, 6.0, 20.0, 100.0, 1e4]


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
def test_extreme_values(twins, torch, name, options):
    if name == "glu":
        options = {"dim": 0}
    values = EXTREMES + [1.0] * (name == "glu")
    twins.check(f"nn.functional.{name}", torch.tensor(values, requires_grad=True), **options)


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
def test_nan_stays(name, options):
    if name != "glu":
        out = getattr(F, name)(flambeau.tensor([float("nan"), 1.0]), **options)
        assert np.isnan(out.numpy()).tolist() == [True, False]


@pytest.mark.parametrize("weights", [1, 3])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_prelu(twins, weights, shape):
    if shape == (3,) and weights == 3:
        twins.same_error("nn.functional.prelu", twins.randn(3), twins.randn(3), text="Mismatch")
    else:
        twins.check("nn.functional.prelu", twins.randn(*shape), twins.rand(weights), second=True)


def test_prelu_errors(twins):
    twins.same_error("nn.functional.prelu", twins.randn(2, 4), twins.randn(3), text="= 4.")
    twins.same_error("nn.functional.prelu", twins.randn(3), twins.randn(1, 1), text="ndim = 2")


INPLACE = ("relu", "relu6", "hardtanh", "leaky_relu", "elu", "selu", "celu", "silu", "mish")


@pytest.mark.parametrize("name", [*INPLACE, "hardsigmoid", "hardswish"])
def test_inplace(twins, name):
    x = twins.randn(5, grad=False)
    ours = twins.ours(x)
    out = getattr(F, name)(ours, inplace=True)
    assert out is ours
    twins.close(ours, getattr(twins.torch.nn.functional, name)(x))


@pytest.mark.parametrize("name", ["relu_", "elu_", "selu_", "celu_", "leaky_relu_", "hardtanh_"])
def test_underscore_forms(twins, name):
    x = twins.randn(5, grad=False)
    ours = twins.ours(x)
    assert getattr(F, name)(ours) is ours
    twins.close(ours, getattr(twins.torch.nn.functional, name)(x))


def test_threshold_inplace(twins):
    x = twins.randn(5, grad=False)
    ours = twins.ours(x)
    assert F.threshold_(ours, 0.5, 3.0) is ours
    twins.close(ours, twins.torch.nn.functional.threshold(x, 0.5, 3.0))


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "softsign", "tanhshrink"])
def test_integers(twins, torch, name):
    twins.check(f"nn.functional.{name}", torch.arange(-3, 9))


@pytest.mark.parametrize("name", ["gelu", "silu", "elu", "leaky_relu", "softplus", "hardswish"])
def test_integers_are_refused(twins, torch, name):
    twins.same_error(f"nn.functional.{name}", torch.arange(3), text=name)


def test_rrelu_in_training():
    x = flambeau.full((10_000,), -1.0)
    out = F.rrelu(x, 0.2, 0.4, training=True).numpy()
    assert -0.4 <= out.min() < -0.39
    assert -0.21 < out.max() <= -0.2
    assert F.rrelu(flambeau.ones(5), training=True).tolist() == [1.0] * 5
    y = flambeau.ones(4)
    assert F.rrelu_(y, training=True) is y


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("hardtanh", (), {"min_val": 1, "max_val": -1}),
        ("rrelu", (), {"lower": 1, "upper": 0.5}),
        ("celu", (), {"alpha": 0}),
        ("gelu", (), {"approximate": "x"}),
        ("softshrink", (-1.0,), {}),
        ("glu", (), {}),
    ],
)
def test_errors(twins, name, args, options):
    twins.same_error(f"nn.functional.{name}", twins.randn(3), *args, **options)


def test_glu_of_a_scalar_is_refused(twins):
    twins.same_error("nn.functional.glu", twins.randn())
