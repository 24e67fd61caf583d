"""`flambeau.nn.pooling` against torch."""

import pytest

SIZES = (6, 5, 7)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_layers(twins, n):
    x = twins.randn(2, 3, *SIZES[:n])
    for name, args, options in (
        ("MaxPool", (2,), {}),
        ("MaxPool", (3, 2, 1), {"ceil_mode": True}),
        ("AvgPool", (2,), {}),
        ("AvgPool", (3, 2, 1, True, False), {}),
        ("AdaptiveAvgPool", (2,), {}),
        ("AdaptiveMaxPool", (2,), {}),
    ):
        twins.check_module(twins.build(f"{name}{n}d", *args, **options), x)
    twins.check_module(twins.build(f"LPPool{n}d", 2, 2), twins.rand(2, 3, *SIZES[:n]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpool(twins, n):
    x = twins.randn(2, 3, *SIZES[:n], grad=False)
    value, indices = getattr(twins.torch.nn, f"MaxPool{n}d")(2, return_indices=True)(x)
    ours, theirs = twins.build(f"MaxUnpool{n}d", 2)
    size = SIZES[:n]
    found = ours(*twins.ours((value, indices)), output_size=size)
    twins.close(found, theirs(value, indices, output_size=size))


def test_indices(twins):
    x = twins.randn(2, 3, 6, 6, grad=False)
    twins.check_module(twins.build("MaxPool2d", 2, return_indices=True), x)
    twins.check_module(twins.build("AdaptiveMaxPool2d", 4, return_indices=True), x)


@pytest.mark.parametrize("n", [2, 3])
def test_fractional(twins, n):
    samples = twins.rand(2, 3, n, grad=False)
    how = {"output_ratio": 0.5, "_random_samples": samples}
    modules = twins.build(f"FractionalMaxPool{n}d", 2, **how)
    twins.check_module(modules, twins.randn(2, 3, *SIZES[:n]))


def test_divisor(twins):
    twins.check_module(twins.build("AvgPool2d", 2, divisor_override=3), twins.randn(1, 2, 4, 4))


def test_errors(twins):
    path = "nn.FractionalMaxPool2d"
    twins.same_error(path, 2, text="requires specifying")
    twins.same_error(path, 2, output_size=3, output_ratio=0.5, text="only one")
    twins.same_error(path, 2, output_ratio=1.5, text="between 0 and 1")
