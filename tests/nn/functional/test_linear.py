"""`flambeau.nn.functional.linear` against torch."""

import pytest


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (0, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(twins, shape, bias):
    bias = twins.randn(4) if bias else None
    twins.check("nn.functional.linear", twins.randn(*shape), twins.randn(4, 5), bias, second=True)


def test_linear_with_one_output(twins):
    twins.check("nn.functional.linear", twins.randn(3, 5), twins.randn(5))
    twins.check("nn.functional.linear", twins.randn(5), twins.randn(5))


def test_linear_errors(twins):
    path = "nn.functional.linear"
    text = "linear(): input [112, 5] has 5 features, weight [1024, 4] expects 4"
    twins.same_error(path, twins.randn(112, 5), twins.randn(1024, 4), text=text)
    twins.same_error(path, twins.randn(3, 5), twins.randn(4, 5, dtype="float64"), text="float64")
    twins.same_error(path, twins.randn(3, 5), twins.randn(4, 5), twins.randn(3), text="[3]")
    twins.same_error(path, twins.randn(), twins.randn(4, 5))
    twins.same_error(path, twins.randn(3, 5), twins.randn(2, 4, 5))


@pytest.mark.parametrize("shape", [(3,), (2, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(twins, shape, bias):
    bias = twins.randn(6) if bias else None
    inputs = twins.randn(*shape, 5), twins.randn(*shape, 2)
    twins.check("nn.functional.bilinear", *inputs, twins.randn(6, 5, 2), bias)


def test_bilinear_errors(twins):
    path, weight = "nn.functional.bilinear", twins.randn(2, 5, 4)
    twins.same_error(path, twins.randn(3, 5), twins.randn(3, 5), weight, text="got 5 but")
    twins.same_error(path, twins.randn(3, 5), twins.randn(2, 4), weight, text="at dim 0")
