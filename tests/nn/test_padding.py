"""`flambeau.nn.padding` against torch."""

import pytest

SHAPES = {1: (2, 3, 6), 2: (2, 3, 6, 5), 3: (2, 2, 5, 6, 5)}


@pytest.mark.parametrize("kind", ["ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_borders(twins, kind, dims):
    name, shape = f"{kind}{dims}d", SHAPES[dims]
    twins.check_module(twins.build(name, 2), twins.randn(*shape))
    amounts = (1, 2, 0, 3, 2, 1)[: 2 * dims]
    twins.check_module(twins.build(name, amounts), twins.randn(*shape))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_constant(twins, dims):
    name, shape = f"ConstantPad{dims}d", SHAPES[dims]
    twins.check_module(twins.build(name, 1, 3.5), twins.randn(*shape))
    twins.check_module(twins.build(name, (1, -2) * dims, -1.0), twins.randn(*shape))
