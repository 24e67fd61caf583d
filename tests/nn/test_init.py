"""`flambeau.nn.init`: the same numbers as torch, for the same seed."""

import numpy as np
import pytest

import flambeau
from flambeau import nn
from flambeau.nn import init

from .conftest import to_numpy

DRAWS = [
    ("uniform_", (), {}),
    ("uniform_", (-2.0, 3.0), {}),
    ("normal_", (), {}),
    ("normal_", (1.0, 0.2), {}),
    ("trunc_normal_", (), {}),
    ("trunc_normal_", (0.0, 1.0, -0.5, 0.8), {}),
    ("trunc_normal_", (0.0, 1.0, 1.0, 1.5), {}),
    ("xavier_uniform_", (), {}),
    ("xavier_uniform_", (2.0,), {}),
    ("xavier_normal_", (), {}),
    ("kaiming_uniform_", (), {}),
    ("kaiming_uniform_", (), {"a": 0.3, "mode": "fan_out"}),
    ("kaiming_uniform_", (), {"nonlinearity": "relu"}),
    ("kaiming_normal_", (), {}),
    ("kaiming_normal_", (), {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("orthogonal_", (), {}),
    ("orthogonal_", (2.0,), {}),
    ("sparse_", (0.4,), {}),
    ("constant_", (3.0,), {}),
    ("ones_", (), {}),
    ("zeros_", (), {}),
    ("eye_", (), {}),
]


def draw(lib, name, shape, args, options):
    lib.manual_seed(5)
    tensor = lib.empty(*shape)
    result = getattr(lib.nn.init, name)(tensor, *args, **options)
    assert result is tensor
    return to_numpy(tensor)


@pytest.mark.parametrize(("name", "args", "options"), DRAWS)
@pytest.mark.parametrize("shape", [(6, 5), (4, 9)])
def test_matrices(torch, name, args, options, shape):
    ours, theirs = (draw(lib, name, shape, args, options) for lib in (flambeau, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["xavier_uniform_", "kaiming_normal_", "orthogonal_"])
def test_kernels(torch, name):
    ours, theirs = (draw(lib, name, (4, 3, 2, 2), (), {}) for lib in (flambeau, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 4, 3, 3), (4, 4, 3, 2, 3)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac(torch, shape, groups):
    ours, theirs = (draw(lib, "dirac_", shape, (groups,), {}) for lib in (flambeau, torch))
    np.testing.assert_array_equal(ours, theirs)


def test_parameters_keep_no_history():
    param = nn.Parameter(flambeau.empty(3, 3))
    for fill in (init.xavier_uniform_, init.zeros_, init.eye_, init.orthogonal_):
        fill(param)
        assert param.is_leaf
        assert param.requires_grad


def test_orthogonal_is_orthogonal():
    q = init.orthogonal_(flambeau.empty(4, 7))
    np.testing.assert_allclose((q @ q.t()).numpy(), np.eye(4), atol=1e-5)


GAINS = [
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"),
    *("conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"),
]


@pytest.mark.parametrize("nonlinearity", GAINS)
@pytest.mark.parametrize("param", [None, 0.3, 2])
def test_gains(twins, nonlinearity, param):
    twins.check("nn.init.calculate_gain", nonlinearity, param)


def test_fans(twins):
    for shape in ((3, 4), (3, 4, 5), (3, 4, 5, 2)):
        twins.check("nn.init._calculate_fan_in_and_fan_out", twins.randn(*shape))
        twins.check("nn.init._calculate_correct_fan", twins.randn(*shape), "FAN_OUT")


def test_errors(twins):
    vector, matrix = twins.randn(3, grad=False), twins.randn(3, 4, grad=False)
    twins.same_error("nn.init.calculate_gain", "softmax")
    twins.same_error("nn.init.calculate_gain", "leaky_relu", "x")
    twins.same_error("nn.init.xavier_normal_", vector)
    twins.same_error("nn.init.kaiming_normal_", matrix, mode="x")
    twins.same_error("nn.init.orthogonal_", vector)
    twins.same_error("nn.init.sparse_", vector, 0.1)
    twins.same_error("nn.init.eye_", vector)
    twins.same_error("nn.init.dirac_", vector)
    twins.same_error("nn.init.dirac_", twins.randn(3, 1, 1, grad=False), 2)


def test_warnings():
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(flambeau.empty(3), mean=5.0)
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(flambeau.empty(0, 3))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("uniform", ()),
        ("normal", ()),
        ("constant", (1.0,)),
        ("eye", ()),
        ("xavier_uniform", ()),
        ("xavier_normal", ()),
        ("kaiming_uniform", ()),
        ("kaiming_normal", ()),
        ("orthogonal", ()),
        ("sparse", (0.5,)),
    ],
)
def test_old_names_warn(name, args):
    with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of"):
        getattr(init, name)(flambeau.empty(2, 2), *args)


def test_old_dirac_warns():
    with pytest.warns(FutureWarning, match="`nn.init.dirac` is now deprecated"):
        init.dirac(flambeau.empty(2, 2, 1))
