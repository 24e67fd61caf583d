"""`flambeau.nn.flatten` against torch."""

import pytest


@pytest.mark.parametrize("args", [(), (0,), (1, 2), (-2,)])
def test_flatten(twins, args):
    twins.check_module(twins.build("Flatten", *args), twins.randn(2, 3, 4, 5))


@pytest.mark.parametrize(("dim", "sizes"), [(1, (2, 3)), (-1, [2, 2]), (0, (-1, 1))])
def test_unflatten(twins, dim, sizes):
    twins.check_module(twins.build("Unflatten", dim, sizes), twins.randn(5, 6, 4))


def test_errors(twins):
    twins.same_error("nn.Unflatten", 1, 2, text="found type int")
    twins.same_error("nn.Unflatten", 1, (2, "x"), text="type str at pos 1")
