"""`flambeau.nn.functional.loss_linear` against torch."""

import pytest

PATH = "nn.functional.linear_cross_entropy"


@pytest.mark.parametrize("inner", [(), (2,), (2, 3)])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_classes(twins, inner, bias, reduction):
    options = {"reduction": reduction, "weight": twins.rand(6, grad=False)}
    if bias:
        options["linear_bias"] = twins.randn(6, *inner)
    args = twins.randn(5, 4), twins.randn(6, *inner, 4), twins.randint(6, 5, *inner)
    twins.check(PATH, *args, ignore_index=1, label_smoothing=0.1, **options)


def test_probabilities(twins):
    twins.check(PATH, twins.randn(5, 4), twins.randn(6, 4), twins.rand(5, 6))
    twins.check(PATH, twins.randn(4), twins.randn(6, 4), twins.rand(6))


def test_errors(twins):
    x, weight, classes = twins.randn(5, 4), twins.randn(6, 4), twins.randint(6, 5)
    twins.same_error(PATH, twins.randn(2, 5, 4), weight, classes, text="got 3")
    twins.same_error(PATH, x, twins.randn(4), classes, text="got 1")
    twins.same_error(PATH, x, twins.randn(6, 3), classes, text="got 4 and 3")
    twins.same_error(PATH, x, weight, classes, linear_bias=twins.randn(4), text="(6,), got (4,)")
    twins.same_error(PATH, twins.randn(4), twins.randn(6, 2, 4), classes, text="unbatched")
    twins.same_error(PATH, x, weight, twins.rand(5, 6), ignore_index=1)
