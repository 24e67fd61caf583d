"""`flambeau.nn.functional.pooling` against torch."""

import pytest

import flambeau

F = flambeau.nn.functional
SIZES = (7, 5, 6)
SLIDING = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", [*SLIDING, {"kernel_size": 2, "dilation": 3}], ids=str)
def test_max_pool(twins, n, options):
    path = f"nn.functional.max_pool{n}d"
    twins.check(path, twins.randn(2, 2, *SIZES[:n]), second=True, **options)
    twins.check(path, twins.randn(2, *SIZES[:n]), **options)
    with_indices = {**options, "return_indices": True}
    twins.check(path, twins.randn(2, 2, *SIZES[:n], grad=False), **with_indices)


def test_gradient_where_indices_are_returned(twins):
    x = twins.randn(2, 3, 6, 6)
    ours = twins.ours(x)
    value, _ = F.max_pool2d(ours, 3, 2, 1, return_indices=True)
    expected, _ = twins.torch.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True)
    twins.check_gradients(value, expected, [ours], [x])


def test_first_of_equal_elements(twins):
    x = twins.torch.full((1, 1, 5, 5), float("-inf"))
    for values in (x, twins.torch.zeros(1, 1, 5, 5)):
        options = {"padding": 1, "return_indices": True}
        twins.check("nn.functional.max_pool2d", values, 3, 2, **options)
        twins.check("nn.functional.max_pool2d", values, 2, 2, dilation=2, **options)


def test_nan_is_largest(twins):
    x = twins.torch.arange(16.0).reshape(1, 4, 4)
    x[0, 1, 2] = float("nan")
    twins.check("nn.functional.max_pool2d", x, 2)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "float16", "bfloat16"])
def test_dtypes_of_max_pool(twins, dtype):
    x = (twins.randint(50, 1, 2, 5, 5) - 20).to(getattr(twins.torch, dtype))
    twins.check("nn.functional.max_pool2d", x, 3, 2, 1)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("options", SLIDING, ids=str)
def test_avg_pool(twins, n, include, options):
    options = {**options, "count_include_pad": include}
    path = f"nn.functional.avg_pool{n}d"
    twins.check(path, twins.randn(2, 2, *SIZES[:n], dtype="float64"), second=True, **options)
    twins.check(path, twins.randn(2, *SIZES[:n]), **options)


def test_divisor(twins):
    twins.check("nn.functional.avg_pool2d", twins.randn(1, 2, 5, 5), 2, divisor_override=3)


@pytest.mark.parametrize("dtype", ["int64", "float16", "bfloat16"])
def test_dtypes_of_avg_pool(twins, dtype):
    x = (twins.randint(50, 1, 2, 5, 5) - 20).to(getattr(twins.torch, dtype))
    twins.check("nn.functional.avg_pool2d", x, 3, 2, 1, ceil_mode=True, count_include_pad=False)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("power", [1, 2, 3.0])
def test_lp_pool(twins, n, power):
    x = twins.rand(2, 2, *SIZES[:n])
    twins.check(f"nn.functional.lp_pool{n}d", x, power, 2)
    twins.check(f"nn.functional.lp_pool{n}d", x, power, 3, stride=2, ceil_mode=True)


def test_gradient_of_a_norm_of_zero(twins):
    x = twins.torch.zeros(1, 1, 4, requires_grad=True)
    twins.check("nn.functional.lp_pool1d", x, 2, 2)


def test_gradients():
    flambeau.manual_seed(0)
    x = flambeau.randn(1, 2, 5, 6, dtype=flambeau.float64, requires_grad=True)
    for f in (
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, (3, 2), (2, 3), 1, count_include_pad=False),
        lambda x: F.lp_pool2d(x, 2, 2),
    ):
        assert flambeau.autograd.gradcheck(f, (x,))
        assert flambeau.autograd.gradgradcheck(f, (x,))


def test_empty(twins):
    for name in ("max_pool2d", "avg_pool2d"):
        twins.check(f"nn.functional.{name}", twins.randn(0, 2, 5, 5), 2)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_errors(twins, name):
    path, x = f"nn.functional.{name}", twins.randn(1, 1, 5, 5)
    twins.same_error(path, x[None], 2, text="Expected 3D or 4D")
    twins.same_error(path, x[:, :0], 2, text="Expected 3D or 4D")
    twins.same_error(path, x, (2, 2, 2), text="a tuple of two ints")
    twins.same_error(path, x, 2, stride=(1, 1, 1), text="stride must")
    twins.same_error(path, x, 2, padding=2, text="pad should be at most half of effective kernel")
    twins.same_error(path, x, 2, padding=-1, text="pad must be non-negative")
    twins.same_error(path, x, 2, stride=0, text="stride")
    twins.same_error(path, x, 0)
    twins.same_error(path, x, 7, text="(1x5x5). Calculated output size: (1x0x0)")
    twins.same_error(path, x.bool(), 2, text="bool")
    twins.same_error(path, x.to(twins.torch.complex64), 2, text="complex64")


def test_errors_of_some(twins):
    x = twins.randn(1, 1, 5, 5)
    twins.same_error("nn.functional.avg_pool2d", x, 2, divisor_override=0, text="divisor")
    twins.same_error("nn.functional.max_pool2d", x, 2, dilation=0, text="dilation")
    twins.same_error("nn.functional.max_pool1d", x[0].long(), 2, text="int64")
    twins.same_error("nn.functional.avg_pool2d", x.int(), 2, text="int32")
