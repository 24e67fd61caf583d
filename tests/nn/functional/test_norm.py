"""`flambeau.nn.functional.norm` against torch."""

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

LAYERS = [((3, 5), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((5,), 1)]


@pytest.mark.parametrize(("shape", "last"), LAYERS)
@pytest.mark.parametrize("affine", ["", "weight", "weight bias"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer_norm(twins, shape, last, affine, dtype):
    size = shape[-last:]
    options = {name: twins.randn(*size, dtype=dtype) for name in affine.split()}
    x = twins.randn(*shape, dtype=dtype)
    twins.check("nn.functional.layer_norm", x, size, second=True, **options)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_layer_norm_in_half_precision(twins, dtype):
    parameters = twins.randn(8, dtype=dtype), twins.randn(8, dtype=dtype)
    twins.check("nn.functional.layer_norm", twins.randn(4, 8, dtype=dtype), (8,), *parameters)
    wide = twins.randn(8, grad=False), twins.randn(8, grad=False)
    twins.check("nn.functional.layer_norm", twins.randn(4, 8, dtype=dtype), (8,), *wide)


def test_layer_norm_errors(twins):
    path, x = "nn.functional.layer_norm", twins.randn(3, 5)
    twins.same_error(path, x, (4,), text="[3, 5]")
    twins.same_error(path, x, (5,), twins.randn(4), text="weight of shape [4]")
    twins.same_error(path, x, (5,), twins.randn(5), twins.randn(4), text="bias of shape [4]")
    twins.same_error(path, x, (5,), twins.randn(5, dtype="float64"), text="mixed dtype")
    twins.same_error(path, x, (), text="at least 1-dimensional")


@pytest.mark.parametrize(("shape", "last"), [((3, 5), 1), ((2, 3, 4), 2)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("eps", [None, 0.1])
def test_rms_norm(twins, shape, last, affine, eps):
    weight = twins.randn(*shape[-last:]) if affine else None
    x = twins.randn(*shape)
    twins.check("nn.functional.rms_norm", x, shape[-last:], weight, eps, second=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_rms_norm_of_small_numbers(twins, dtype):
    x = (twins.randn(2, 6, grad=False, dtype=dtype) / 50).requires_grad_()
    twins.check("nn.functional.rms_norm", x, (6,))


def test_rms_norm_of_complex_numbers(torch):
    random = np.random.default_rng(0)
    arrays = [random.normal(size=(*s, 2)).view(np.complex128)[..., 0] for s in ((2, 3), (3,))]
    grads = []
    for library in (flambeau, torch):
        x, weight = (library.from_numpy(a.copy()).requires_grad_() for a in arrays)
        y = library.nn.functional.rms_norm(x, (3,), weight, 0.1)
        cotangent = library.from_numpy(np.arange(6).reshape(2, 3) * (1 - 2j))
        grads.append(library.autograd.grad(y, (x, weight), cotangent))
    for ours, theirs in zip(*grads, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_rms_norm_errors(twins):
    twins.same_error("nn.functional.rms_norm", twins.randn(3, 5), (4,))
    twins.same_error("nn.functional.rms_norm", twins.randn(3, 5), (5,), twins.randn(4))


@pytest.mark.parametrize("shape", [(4, 6), (2, 6, 3), (2, 6, 3, 2)])
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("affine", [True, False])
def test_group_norm(twins, shape, groups, affine):
    # In double precision: a group of two values is normalised to +-1, and its gradient cancels.
    double = {"dtype": "float64"}
    parameters = (twins.randn(6, **double), twins.randn(6, **double)) if affine else ()
    x = twins.randn(*shape, **double)
    twins.check("nn.functional.group_norm", x, groups, *parameters, second=True)


def test_group_norm_errors(twins):
    path = "nn.functional.group_norm"
    twins.same_error(path, twins.randn(3, 5), 2, text="num_groups=2")
    twins.same_error(path, twins.randn(3, 4), 2, twins.randn(3), text="weight of shape [3]")
    twins.same_error(path, twins.randn(4), 2)
    twins.same_error(path, twins.randn(1, 4), 4)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 2), (2, 3, 2, 2, 2)])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(twins, shape, training, affine):
    mean, var = twins.randn(3, grad=False), twins.rand(3, grad=False)
    parameters = (twins.randn(3), twins.randn(3)) if affine else (None, None)
    x = twins.randn(*shape)
    twins.check("nn.functional.batch_norm", x, mean, var, *parameters, training, second=True)


def test_batch_norm_learns_statistics(twins):
    x = twins.randn(6, 3, 2, grad=False)
    ours = flambeau.zeros(3), flambeau.ones(3)
    theirs = twins.torch.zeros(3), twins.torch.ones(3)
    for _ in range(3):
        F.batch_norm(twins.ours(x), *ours, training=True, momentum=0.3)
        twins.torch.nn.functional.batch_norm(x, *theirs, training=True, momentum=0.3)
    twins.close(ours, theirs)


def test_batch_norm_errors(twins, torch):
    path, one = "nn.functional.batch_norm", torch.ones
    twins.same_error(path, one(3, 4), one(3), one(3), text="running_mean should contain 4")
    twins.same_error(path, one(3, 4), one(4), one(4), one(3), text="weight should contain 4")
    twins.same_error(path, one(1, 4), None, None, training=True, text="more than 1 value")
    twins.same_error(path, one(3, 4), None, None, text="running_mean must be defined")
    twins.same_error(path, one(4), None, None, training=True)
    twins.same_error(path, one(3, 4), None, None, training=True, eps=0.0)
    twins.same_error(path, one(3, 4), one(4), one(4), eps=-1.0)


@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 3, 4, 2)])
@pytest.mark.parametrize("use_input_stats", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_instance_norm(twins, shape, use_input_stats, affine):
    statistics = twins.randn(3, grad=False), twins.rand(3, grad=False)
    parameters = (twins.randn(3), twins.randn(3)) if affine else (None, None)
    args = twins.randn(*shape), *statistics, *parameters
    twins.check("nn.functional.instance_norm", *args, use_input_stats)


def test_instance_norm_learns_statistics(twins):
    x = twins.randn(2, 3, 5, grad=False)
    ours = flambeau.zeros(3), flambeau.ones(3)
    theirs = twins.torch.zeros(3), twins.torch.ones(3)
    F.instance_norm(twins.ours(x), *ours)
    twins.torch.nn.functional.instance_norm(x, *theirs)
    twins.close(ours, theirs)


def test_instance_norm_errors(twins, torch):
    path = "nn.functional.instance_norm"
    twins.same_error(path, torch.ones(3, 4, 1), text="more than 1 spatial")
    twins.same_error(path, torch.ones(3, 4, 2), use_input_stats=False)


@pytest.mark.parametrize("p", [1, 2, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(twins, p, dim):
    twins.check("nn.functional.normalize", twins.randn(4, 5), p=p, dim=dim)


def test_normalize_zeros(twins, torch):
    x = torch.zeros(2, 3)
    x[0] = 1
    twins.check("nn.functional.normalize", x.requires_grad_())
    out = flambeau.empty(0)
    assert F.normalize(flambeau.ones(1, 4), out=out) is out
    assert out.tolist() == [[0.5] * 4]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(2, 6, 3), (1, 4, 2, 2)])
def test_local_response_norm(twins, size, shape):
    options = {"alpha": 0.1, "beta": 0.6, "k": 2.0}
    twins.check("nn.functional.local_response_norm", twins.randn(*shape), size, **options)


def test_local_response_norm_of_whole_numbers(twins):
    x = twins.randint(9, 2, 6, 3)
    twins.check("nn.functional.local_response_norm", x, 2, alpha=0.1)


def test_local_response_norm_errors(twins):
    twins.same_error("nn.functional.local_response_norm", twins.randn(2, 3), 2)
