"""`flambeau.nn.functional.conv` against torch."""

import numpy as np
import pytest

import flambeau

F = flambeau.nn.functional


def shapes(n, channels, groups=1, kernel=3):
    """Shapes of an input and of kernels for n dims."""
    sizes = (5, 6, 4)[:n]
    return (2, channels, *sizes), (4, channels // groups, *[kernel] * n)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"stride": 2, "padding": 2},
        {"dilation": 2, "padding": 3},
        {"stride": 3, "padding": 2, "dilation": 2},
        {"groups": 2, "padding": 1},
        {"groups": 4, "stride": 2, "padding": 1},
        {"padding": "same"},
        {"padding": "valid"},
    ],
    ids=str,
)
def test_conv(twins, n, options):
    x, w = shapes(n, 4, options.get("groups", 1))
    operands = (twins.randn(*s, dtype="float64") for s in (x, w, (4,)))
    twins.check(f"nn.functional.conv{n}d", *operands, second=True, **options)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"stride": 2, "output_padding": 1},
        {"stride": 2, "padding": 3},
        {"dilation": 2, "padding": 1},
        {"stride": 3, "dilation": 2, "output_padding": 2},
        {"groups": 2, "stride": 2},
        {"groups": 4, "padding": 1},
    ],
    ids=str,
)
def test_conv_transpose(twins, n, options):
    groups = options.get("groups", 1)
    x, _ = shapes(n, 4)
    w, bias = (4, 8 // groups, *[3] * n), (8,)
    operands = (twins.randn(*s, dtype="float64") for s in (x, w, bias))
    twins.check(f"nn.functional.conv_transpose{n}d", *operands, second=True, **options)


def test_options_for_each_dim(twins):
    x, w = twins.randn(2, 3, 7, 9), twins.randn(4, 3, 2, 3)
    options = {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 3)}
    twins.check("nn.functional.conv2d", x, w, **options)
    w = twins.randn(3, 4, 2, 3)
    options["output_padding"] = (1, 2)
    twins.check("nn.functional.conv_transpose2d", x, w, **options)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_unbatched(twins, name):
    operands = twins.randn(3, 5, 5), twins.randn(3, 3, 2, 2), twins.randn(3)
    twins.check(f"nn.functional.{name}", *operands)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_of_even_kernels(twins):
    x, w = twins.randn(1, 2, 5, 6), twins.randn(3, 2, 2, 4)
    twins.check("nn.functional.conv2d", x, w, padding="same", dilation=(1, 3))


@pytest.mark.parametrize("name", ["conv1d", "conv_transpose1d"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128", "float16", "bfloat16"])
def test_dtypes(twins, name, dtype):
    operands = [twins.randn(*s, grad=False) for s in ((2, 3, 6), (3, 3, 2), (3,))]
    operands = [(x * 4).round().to(getattr(twins.torch, dtype)) for x in operands]
    twins.check(f"nn.functional.{name}", *operands)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_integers(twins, name):
    x, w = twins.randint(9, 2, 3, 5, 5), twins.randint(9, 3, 3, 3, 3)
    twins.check(f"nn.functional.{name}", x, w, stride=2, padding=1)


def test_integers_of_few_bits(twins):
    x, w = twins.randint(9, 2, 3, 5, 5).int(), twins.randint(9, 3, 3, 3, 3).int()
    twins.check("nn.functional.conv2d", x, w)
    twins.same_error("nn.functional.conv_transpose2d", x, w)
    twins.same_error("nn.functional.conv2d", x.bool(), w.bool(), text="bool")


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_empty(twins, name):
    twins.check(f"nn.functional.{name}", twins.randn(0, 3, 5, 5), twins.randn(3, 3, 3, 3))


def test_gradients():
    flambeau.manual_seed(0)
    x, w, b = (
        flambeau.randn(*s, dtype=flambeau.complex128, requires_grad=True)
        for s in ((2, 2, 5), (2, 2, 3), (2,))
    )

    def conv(x, w, b):
        return F.conv1d(x, w, b, stride=2, padding=1)

    def transposed(x, w, b):
        return F.conv_transpose1d(x, w, b, stride=2, padding=1)

    for f in (conv, transposed):
        assert flambeau.autograd.gradcheck(f, (x, w, b))
        assert flambeau.autograd.gradgradcheck(f, (x, w, b))


def test_top_level_has_them():
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose2d"):
        assert getattr(flambeau, name) is getattr(F, name)


def test_strided_input(twins):
    x = twins.randn(5, 6, 2, 3).permute(2, 3, 0, 1)
    twins.check("nn.functional.conv2d", x.detach(), twins.randn(4, 3, 3, 3))
    ours = twins.ours(x.detach().permute(2, 3, 0, 1).contiguous()).permute(2, 3, 0, 1)
    w = twins.randn(4, 3, 3, 3, grad=False)
    expected = twins.torch.nn.functional.conv2d(x, w).detach().numpy()
    np.testing.assert_allclose(F.conv2d(ours, twins.ours(w)).numpy(), expected, atol=1e-5)


def test_errors(twins):
    path, x, w = "nn.functional.conv2d", twins.randn(1, 4, 5, 5), twins.randn(3, 3, 3, 3)
    text = (
        "Given groups=1, weight of size [3, 3, 3, 3], expected input[1, 4, 5, 5] to have 3 "
        "channels, but got 4 channels instead"
    )
    twins.same_error(path, x, w, text=text)
    x = twins.randn(1, 3, 5, 5)
    twins.same_error(path, x[0, 0], w, text="Expected 3D (unbatched) or 4D (batched)")
    twins.same_error(path, x, w[0])
    twins.same_error(path, x, w, twins.randn(4), text="expected bias to be 1-dimensional with 3")
    twins.same_error(path, x, w.double())
    twins.same_error(path, x, w, stride=(1, 1, 1), text="stride=[1, 1, 1]")
    twins.same_error(path, x, w, stride=0, text="non-positive stride")
    twins.same_error(path, x, w, stride=1.5)
    twins.same_error(path, x, w, padding=-1, text="negative padding")
    twins.same_error(path, x, w, padding="full", text="Invalid padding string: 'full'")
    twins.same_error(path, x, w, padding="same", stride=2, text="strided")
    twins.same_error(path, x, w, dilation=0, text="dilation")
    twins.same_error(path, x, w, groups=0, text="non-positive groups")
    twins.same_error(path, x, w, groups=2, text="divisible by 2")
    twins.same_error(path, x[..., :2], w, text="(5 x 2). Kernel size: (3 x 3)")
    twins.same_error(path, x[:, :, :0], w, padding=2, text="zero channel")
    twins.same_error(path, [1.0], w)


def test_errors_of_transposed(twins):
    path, w = "nn.functional.conv_transpose2d", twins.randn(3, 3, 3, 3)
    twins.same_error(path, twins.randn(1, 4, 5, 5), w, text="Given transposed=1, weight of size")
    x = twins.randn(1, 3, 5, 5)
    twins.same_error(path, x, w, twins.randn(4), text="with 3 elements")
    twins.same_error(path, x, w, output_padding=1, text="output padding must be smaller")
    twins.same_error(path, x, w, output_padding=-1)
    twins.same_error(path, x[..., :1, :1], w, padding=2, text="(-1 x -1)")
