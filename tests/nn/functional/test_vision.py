"""`flambeau.nn.functional.vision` against torch."""

import pytest

import flambeau

SAMPLE = "nn.functional.grid_sample"


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align", [False, True])
def test_grid_sample(twins, mode, padding, align):
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": align}
    grid = (twins.randn(2, 4, 3, 2, grad=False, dtype="float64") * 0.8).requires_grad_()
    twins.check(SAMPLE, twins.randn(2, 3, 5, 4, dtype="float64"), grid, **kwargs)
    if mode != "bicubic":
        grid = (twins.randn(2, 2, 3, 2, 3, grad=False, dtype="float64") * 0.8).requires_grad_()
        twins.check(SAMPLE, twins.randn(2, 2, 3, 5, 4, dtype="float64"), grid, **kwargs)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample_far_away(twins, torch, padding):
    grid = torch.tensor([-9.0, 7.3, 1e3, 0.0, -1.0, 1.0]).reshape(1, 1, 3, 2)
    for align in (False, True):
        kwargs = {"padding_mode": padding, "align_corners": align}
        twins.check(SAMPLE, twins.randn(1, 2, 3, 1), grid, **kwargs)


def test_grid_sample_errors(twins, torch):
    x, grid = torch.ones(2, 3, 4, 5), torch.zeros(2, 2, 2, 2)
    kwargs = {"align_corners": False}
    twins.same_error(SAMPLE, x, grid, "other", **kwargs)
    twins.same_error(SAMPLE, x, grid, padding_mode="other", **kwargs)
    twins.same_error(SAMPLE, x, grid.double(), **kwargs)
    twins.same_error(SAMPLE, x, grid[:1], **kwargs)
    twins.same_error(SAMPLE, x, torch.zeros(2, 2, 2, 3), **kwargs)
    twins.same_error(SAMPLE, x[0], grid, **kwargs)
    twins.same_error(SAMPLE, x[:, :, :0], grid, **kwargs)
    twins.same_error(
        SAMPLE, torch.ones(1, 1, 2, 2, 2), torch.zeros(1, 1, 1, 1, 3), "bicubic", **kwargs
    )
    with pytest.warns(UserWarning, match="align_corners"):
        flambeau.nn.functional.grid_sample(flambeau.ones(1, 1, 2, 2), flambeau.ones(1, 1, 1, 2))


@pytest.mark.filterwarnings("ignore:Since version 1.3.0")
@pytest.mark.parametrize("align", [False, True])
def test_affine_grid(twins, align):
    path = "nn.functional.affine_grid"
    twins.check(path, twins.randn(2, 2, 3), (2, 3, 4, 5), align_corners=align, second=True)
    twins.check(path, twins.randn(2, 3, 4), (2, 1, 3, 1, 6), align_corners=align)
    twins.check(path, twins.randn(1, 2, 3, dtype="float64"), (1, 1, 2, 1), align_corners=align)


def test_affine_grid_errors(twins, torch):
    path, theta = "nn.functional.affine_grid", torch.ones(2, 2, 3)
    for args in [
        (theta.long(), (2, 1, 3, 3)),
        (theta, (2, 3, 3)),
        (theta, (2, 1, 3, 3, 3)),
        (theta, (3, 1, 3, 3)),
        (theta, (2, 1, 0, 3)),
    ]:
        twins.same_error(path, *args, align_corners=False)


def test_pixels(twins):
    twins.check("nn.functional.pixel_shuffle", twins.randn(2, 8, 3, 2), 2, second=True)
    twins.check("nn.functional.pixel_unshuffle", twins.randn(2, 1, 4, 6), 2, second=True)
    twins.check("nn.functional.channel_shuffle", twins.randn(2, 6, 4), 3, second=True)


def test_pixel_errors(twins):
    x = twins.randn(2, 6, 3, 4)
    twins.same_error("nn.functional.pixel_shuffle", x, 2)
    twins.same_error("nn.functional.pixel_shuffle", x, 0)
    twins.same_error("nn.functional.pixel_shuffle", x[0, 0], 1)
    twins.same_error("nn.functional.pixel_unshuffle", x, 2)
    twins.same_error("nn.functional.pixel_unshuffle", x, -1)
    twins.same_error("nn.functional.channel_shuffle", x, 4)
    twins.same_error("nn.functional.channel_shuffle", x, 0)
    twins.same_error("nn.functional.channel_shuffle", x[0, 0], 1)
