"""`flambeau.nn.functional.adaptive_pooling` against torch."""

import pytest

import flambeau

F = flambeau.nn.functional
SIZES = (7, 5, 6)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (7, 1, 3), (3, 4, 2), (9, 2, 6)], ids=str)
def test_adaptive(twins, n, sizes):
    x = twins.randn(2, 2, *SIZES[:n], dtype="float64")
    for kind in ("avg", "max"):
        path = f"nn.functional.adaptive_{kind}_pool{n}d"
        twins.check(path, x, sizes[:n], second=True)
        twins.check(path, x[0].detach(), sizes[:n])
    twins.check(path, x.detach(), sizes[:n], return_indices=True)


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_size_of_the_input(twins, kind):
    path = f"nn.functional.adaptive_{kind}_pool2d"
    twins.check(path, twins.randn(1, 2, 5, 7), (None, 3))
    twins.check(path, twins.randn(1, 2, 5, 7), 3)
    twins.check(path, twins.randn(1, 2, 5, 7, grad=False), (0, 3))
    twins.check(path, twins.randn(0, 2, 5, 7), 3)


def test_an_infinity_stays_in_its_windows(twins):
    x = twins.randn(1, 1, 7, grad=False)
    x[0, 0, 6] = float("inf")
    twins.check("nn.functional.adaptive_avg_pool1d", x, 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtypes(twins, dtype):
    x = twins.randint(50, 1, 2, 5, 6).to(getattr(twins.torch, dtype))
    for kind in ("avg", "max"):
        twins.check(f"nn.functional.adaptive_{kind}_pool2d", x, (2, 3))


@pytest.mark.parametrize("n", [2, 3])
def test_fractional(twins, n):
    x = twins.randn(2, 3, *SIZES[:n])
    path, samples = f"nn.functional.fractional_max_pool{n}d", twins.rand(2, 3, n, grad=False)
    twins.check(path, x, 2, (3, 3, 1)[:n], _random_samples=samples)
    options = {"return_indices": True, "_random_samples": samples}
    twins.check(path, x.detach(), 2, (4, 3, 4)[:n], **options)
    twins.check(path, x[0].detach(), 2, None, (0.5,) * n, _random_samples=samples[:1])


def test_windows_are_those_of_torch(torch):
    x, results = torch.randn(1, 2, 9, 9), []
    for lib, value in ((torch, x), (flambeau, flambeau.from_numpy(x.numpy()))):
        lib.manual_seed(5)
        results.append(lib.nn.functional.fractional_max_pool2d(value, 2, output_size=4).tolist())
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_errors(twins, kind):
    path, x = f"nn.functional.adaptive_{kind}_pool2d", twins.randn(1, 2, 5, 5)
    twins.same_error(path, x[0, 0], 2, text="Expected 3D or 4D")
    twins.same_error(path, x[0, 0], (2, 2))
    twins.same_error(path, x, (2, 2, 2), text="output_size must be 2")
    twins.same_error(path, x, -1)
    twins.same_error(path, x[..., :0], 2, text="dimension 3 being empty")
    twins.same_error(path, x.long(), 2, text="int64")


def test_errors_of_fractional(twins):
    path, x = "nn.functional.fractional_max_pool2d", twins.randn(1, 1, 5, 5)
    twins.same_error(path, x, 2, text="output_size or an output_ratio")
    twins.same_error(path, x, 2, output_size=6, text="too large relative to input")
    twins.same_error(path, x, 2, output_size=3, _random_samples=twins.rand(2, 2, 2))
    twins.same_error(path, x.long(), 2, output_size=3)
