"""`flambeau.nn.functional.pad` against torch."""

import pytest

MODES = ("reflect", "replicate", "circular")
PATH = "nn.functional.pad"


@pytest.mark.parametrize(
    "pad", [(1, 2), (0, 3, 2, 0), (-1, 2), (1, -2, -1, -1), (0, 0), (), (1, 1, 0, 2, 3, 0)]
)
def test_constant(twins, pad):
    twins.check(PATH, twins.randn(2, 3, 4), pad, second=True)
    twins.check(PATH, twins.randn(2, 3, 4), pad, value=-1.5)
    twins.check(PATH, twins.randint(9, 2, 3, 4), pad, value=2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("shape", "pad"),
    [
        ((3, 5), (2, 1)),
        ((2, 3, 5), (-1, 3)),
        ((2, 3, 5), (4, -2)),
        ((2, 3, 5), (0, 0)),
        ((2, 3, 4, 5), (1, 2, 3, 0)),
        ((3, 4, 5), (1, -1, 0, 2)),
        ((0, 3, 4, 5), (1, 1, 1, 1)),
        ((2, 3, 4, 3, 5), (1, 2, 2, 0, -1, 1)),
    ],
)
def test_borders(twins, mode, shape, pad):
    if mode != "circular" or pad != (4, -2):  # there what PyTorch reads is not defined
        twins.check(PATH, twins.randn(*shape), pad, mode=mode, second=True)


@pytest.mark.parametrize("mode", ["constant", *MODES])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int64", "uint8", "bool"])
def test_dtypes(twins, mode, dtype):
    x = twins.randint(2, 2, 3, 4).to(getattr(twins.torch, dtype))
    if dtype == "bool" and mode in ("reflect", "replicate"):
        twins.same_error(PATH, x, (1, 2), mode=mode)
    else:
        twins.check(PATH, x, (1, 2), mode=mode)


def test_errors(twins):
    x = twins.randn(2, 3, 4)
    for args in [((1,),), ((1, 1) * 4,), ((-3, -3),), ((1, 1), "other")]:
        twins.same_error(PATH, x, *args)
    for mode in MODES:
        for pad in ((1, 1) * 3, (5, 1), (-3, -3), ()):
            if mode != "replicate" or pad != (5, 1):
                twins.same_error(PATH, x, pad, mode)
        twins.same_error(PATH, x, (1, 1), mode, 1.0)
        twins.same_error(PATH, x[0, 0], (1, 1), mode)
    for mode in ("reflect", "replicate"):
        twins.same_error(PATH, x, (-2, -2), mode)
        twins.same_error(PATH, x[:, :0], (1, 1), mode)
    twins.same_error(PATH, x, (1, 1), value=1j)
