"""`flambeau.nn.normalization` against torch."""

import pytest


@pytest.mark.parametrize("size", [4, (4,), [3, 4], (2, 3, 4)])
@pytest.mark.parametrize(
    "options", [{}, {"eps": 0.1}, {"bias": False}, {"elementwise_affine": False}]
)
def test_layer_norm(twins, size, options):
    twins.check_module(twins.build("LayerNorm", size, **options), twins.randn(2, 3, 4))


@pytest.mark.parametrize("size", [4, (3, 4)])
@pytest.mark.parametrize("options", [{}, {"eps": 0.1}, {"elementwise_affine": False}])
def test_rms_norm(twins, size, options):
    twins.check_module(twins.build("RMSNorm", size, **options), twins.randn(2, 3, 4))


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("options", [{}, {"eps": 0.1}, {"bias": False}, {"affine": False}])
def test_group_norm(twins, groups, options):
    twins.check_module(twins.build("GroupNorm", groups, 6, **options), twins.randn(2, 6, 5))


def test_group_norm_errors(twins):
    twins.same_error("nn.GroupNorm", 4, 6, text="must be divisible")


def test_local_response_norm(twins):
    twins.check_module(twins.build("LocalResponseNorm", 3, alpha=0.1), twins.randn(2, 5, 3))
