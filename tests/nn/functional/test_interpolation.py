"""`flambeau.nn.functional.interpolation` against torch."""

import numpy as np
import pytest

import flambeau

PATH = "nn.functional.interpolate"
SIZES = [{"size": (7, 3)}, {"scale_factor": 2}, {"scale_factor": (1.3, 0.6)}, {"size": (5, 6)}]
RECOMPUTED = {"scale_factor": 1.7, "recompute_scale_factor": True}


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area"])
@pytest.mark.parametrize("sizes", [*SIZES, RECOMPUTED])
def test_plain_images(twins, mode, sizes):
    twins.check(PATH, twins.randn(2, 3, 5, 6), mode=mode, second=True, **sizes)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("sizes", [*SIZES, RECOMPUTED])
def test_smooth_images(twins, mode, align, antialias, sizes):
    kwargs = {"mode": mode, "align_corners": align, "antialias": antialias, **sizes}
    twins.check(PATH, twins.randn(2, 3, 5, 6), second=not antialias, **kwargs)


@pytest.mark.parametrize("sizes", SIZES)
def test_lanczos(twins, sizes):
    x = twins.randn(2, 3, 5, 6, dtype="float64")
    twins.check(PATH, x, mode="lanczos", antialias=True, **sizes)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear", "area"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("sizes", [{"size": 13}, {"size": 4}, {"scale_factor": 0.3}])
def test_signals(twins, mode, dtype, sizes):
    twins.check(PATH, twins.randn(2, 3, 9, dtype=dtype), mode=mode, **sizes)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "trilinear", "area"])
def test_volumes(twins, mode):
    twins.check(PATH, twins.randn(1, 2, 3, 4, 5), size=(5, 4, 2), mode=mode, second=True)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_bytes(twins, torch, mode, antialias, sizes):
    """The same bytes, though both compute with integers for weights."""
    if (mode == "lanczos" and not antialias) or (mode == "nearest" and antialias):
        return
    x = twins.randint(256, 2, 3, 5, 6).to(torch.uint8)
    twins.check(PATH, x, mode=mode, antialias=antialias, **sizes)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_of_places(torch, mode, dtype):
    """Which element is nearest is decided with the rounding that PyTorch has."""
    for n in (7, 10, 33, 100):
        for scale in (0.1, 0.3, 0.7, 1.1, 1.3, 2.7):
            if n * scale < 1:
                continue
            results = []
            for library in (torch, flambeau):
                x = library.arange(n, dtype=getattr(library, dtype)).reshape(1, 1, n)
                y = library.nn.functional.interpolate(x, scale_factor=scale, mode=mode)
                results.append(y.numpy())
            np.testing.assert_array_equal(*results, err_msg=f"{n} {scale}")


def test_errors(twins, torch):
    x = twins.randn(2, 3, 4, 5)
    for kwargs in (
        {},
        {"size": 3, "scale_factor": 2},
        {"size": (3,)},
        {"scale_factor": (2.0,)},
        {"size": 3, "align_corners": True},
        {"size": 3, "mode": "linear"},
        {"size": 3, "mode": "trilinear"},
        {"size": 3, "mode": "other"},
        {"size": 3, "mode": "nearest", "antialias": True},
        {"size": 3, "mode": "lanczos"},
        {"size": 3, "recompute_scale_factor": True},
        {"size": 0},
        {"size": 2.5},
    ):
        twins.same_error(PATH, x, **kwargs)
    twins.same_error(PATH, x[0, 0], size=3)
    twins.same_error(PATH, x[:, :0], size=3)
    twins.same_error(PATH, torch.ones(1, 1, 4, 4).long(), size=3)
    twins.same_error(PATH, torch.ones(1, 1, 4).byte(), size=3, mode="linear")
    twins.same_error(PATH, x.half(), size=3, mode="bilinear", antialias=True)


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_older_names(twins):
    x = twins.randn(1, 2, 3, 4)
    twins.check("nn.functional.upsample", x, scale_factor=2)
    twins.check("nn.functional.upsample_nearest", x, size=(4, 5))
    twins.check("nn.functional.upsample_bilinear", x, scale_factor=2)
    with pytest.warns(UserWarning, match="deprecated"):
        flambeau.nn.functional.upsample(flambeau.ones(1, 1, 2), size=3)


def test_contiguous(twins):
    """Results lie in memory as torch's do."""
    x = flambeau.randn(2, 3, 4, 5)
    for mode in ("nearest", "bilinear", "area"):
        assert flambeau.nn.functional.interpolate(x, size=(6, 7), mode=mode).is_contiguous()
