"""`flambeau.nn.activation` against torch."""

import pytest

import flambeau
from flambeau import nn
from flambeau.nn import activation

CASES = [
    ("ReLU", {}),
    ("ReLU", {"inplace": True}),
    ("ReLU6", {}),
    ("ReLU6", {"inplace": True}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("LeakyReLU", {"inplace": True}),
    ("PReLU", {}),
    ("PReLU", {"num_parameters": 3, "init": 0.1}),
    ("ELU", {"alpha": 0.5}),
    ("CELU", {"alpha": 0.5}),
    ("SELU", {}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("Softsign", {}),
    ("Softshrink", {"lambd": 0.1}),
    ("Hardshrink", {}),
    ("Tanhshrink", {}),
    ("Hardtanh", {"min_val": -0.3, "max_val": 0.4}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("LogSigmoid", {}),
    ("Threshold", {"threshold": 0.1, "value": 2.0}),
    ("GLU", {"dim": 2}),
    ("Softmax", {"dim": 1}),
    ("Softmin", {"dim": 1}),
    ("LogSoftmax", {"dim": 1}),
    ("Softmax2d", {}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_as_torch(twins, name, options):
    grad = not options.get("inplace")
    twins.check_module(twins.build(name, **options), twins.randn(2, 3, 4, grad=grad))


def test_all_are_tested():
    assert {name for name, _ in CASES} | {"RReLU"} == set(activation.__all__)


def test_rrelu(twins):
    ours, theirs = twins.build("RReLU", 0.1, 0.5)
    twins.check_module((ours.eval(), theirs.eval()), twins.randn(3, 4))
    x = twins.ours(-twins.rand(1000, grad=False))
    ratio = (ours.train()(x) / x).numpy()
    assert 0.099 < ratio.min() < 0.12
    assert 0.48 < ratio.max() < 0.501


def test_repr_of_inplace(twins):
    for name in ("RReLU", "ELU", "CELU", "SELU", "SiLU", "Mish", "Hardtanh", "Hardswish"):
        twins.build(name, inplace=True)
    twins.build("Threshold", 1, 2, inplace=True)
    twins.build("Hardsigmoid", True)


def test_hardtanh_errors(twins):
    twins.same_error("nn.Hardtanh", 1.0, -1.0, text="max_val (-1.0) must be greater than")
    with pytest.warns(FutureWarning, match="`min_value` is deprecated and renamed to `min_val`"):
        assert nn.Hardtanh(min_value=-2.0).min_val == -2.0
    with pytest.warns(FutureWarning, match="`max_value` is deprecated and renamed to `max_val`"):
        assert nn.Hardtanh(max_value=2.0).max_val == 2.0


def test_softmax2d_wants_images():
    with pytest.raises(ValueError, match="3D or 4D, got 2D"):
        nn.Softmax2d()(flambeau.ones(2, 2))
