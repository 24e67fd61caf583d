"""`flambeau.nn.conv` against torch."""

import pytest

import flambeau
from flambeau import nn

SIZES = (6, 5, 4)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1, "bias": False},
        {"groups": 2, "dilation": 2, "padding": 2},
        {"padding": "same", "padding_mode": "circular"},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": "valid", "padding_mode": "replicate"},
    ],
    ids=str,
)
def test_conv(twins, n, options):
    modules = twins.build(f"Conv{n}d", 2, 4, 3, **options)
    twins.check_module(modules, twins.randn(2, 2, *SIZES[:n]))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "output_padding": 1, "bias": False}, {"groups": 2}], ids=str
)
def test_conv_transpose(twins, n, options):
    modules = twins.build(f"ConvTranspose{n}d", 2, 4, 3, **options)
    twins.check_module(modules, twins.randn(2, 2, *SIZES[:n]))


def test_transposed_convolutions_to_nothing(twins):
    """Padding may take all away, but no more."""
    modules = twins.build("ConvTranspose2d", 3, 5, 1, padding=2)
    twins.check_module(modules, twins.randn(2, 3, 4, 5))
    for module, x in zip(
        modules, (flambeau.ones(2, 3, 4, 3), twins.randn(2, 3, 4, 3)), strict=True
    ):
        with pytest.raises(RuntimeError):
            module(x)


def test_output_size(twins):
    ours, theirs = twins.build("ConvTranspose2d", 2, 3, 3, stride=2, padding=1)
    x = twins.randn(1, 2, 4, 4)
    for size in ((7, 8), (1, 3, 8, 7)):
        twins.close(ours(twins.ours(x), size), theirs(x, size))
    for size in ((9, 9), (7,)):
        with pytest.raises(ValueError, match="output"):
            ours(twins.ours(x), output_size=size)


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d"])
def test_initial_weights_are_those_of_torch(torch, name):
    states = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        layer = getattr(lib.nn, name)(4, 6, 3, groups=2)
        states.append((layer.weight.tolist(), layer.bias.tolist()))
    assert states[0] == states[1]


def test_options():
    layer = nn.Conv2d(2, 3, (3, 2), dtype=flambeau.float64, device="cpu")
    assert layer.weight.dtype == layer.bias.dtype == flambeau.float64
    assert layer.weight.shape == (3, 2, 3, 2)
    assert nn.ConvTranspose1d(2, 3, 4).weight.shape == (2, 3, 4)


def test_errors(twins):
    twins.same_error("nn.Conv2d", 4, 6, 3, groups=0, text="positive")
    twins.same_error("nn.Conv2d", 4, 6, 3, groups=3, text="in_channels")
    twins.same_error("nn.Conv2d", 4, 6, 3, groups=4, text="out_channels")
    twins.same_error("nn.Conv2d", 4, 6, 3, padding="full", text="'full'")
    twins.same_error("nn.Conv2d", 4, 6, 3, padding="same", stride=2, text="strided")
    twins.same_error("nn.Conv2d", 4, 6, 3, padding_mode="mirror", text="mirror")
    twins.same_error("nn.ConvTranspose2d", 4, 6, 3, padding_mode="circular", text="zeros")
