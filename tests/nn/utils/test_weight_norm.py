"""The hook that makes a weight a length times a direction."""

import copy

import pytest

import flambeau
from flambeau.nn.utils import remove_weight_norm, weight_norm

LAYERS = [("Linear", (4, 3)), ("Conv2d", (2, 3, 2)), ("ConvTranspose1d", (2, 3, 2))]
SHAPES = {"Linear": (5, 4), "Conv2d": (2, 2, 5, 5), "ConvTranspose1d": (2, 2, 6)}

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")


@pytest.mark.parametrize(("name", "args"), LAYERS)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_results_and_gradients(twins, name, args, dim):
    ours, theirs = twins.build(name, *args)
    assert weight_norm(ours, dim=dim) is ours
    twins.torch.nn.utils.weight_norm(theirs, dim=dim)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mine, yours in zip(ours.parameters(), theirs.parameters(), strict=True):
        twins.close(mine, yours)
    twins.check_module((ours, theirs), twins.randn(*SHAPES[name]))
    with flambeau.no_grad():
        ours.weight_g.mul_(2)
    with twins.torch.no_grad():
        theirs.weight_g.mul_(2)
    twins.check_module((ours, theirs), twins.randn(*SHAPES[name]))
    twins.close(
        remove_weight_norm(ours).weight, twins.torch.nn.utils.remove_weight_norm(theirs).weight
    )
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.weight.is_leaf
    assert not ours._forward_pre_hooks


def test_checkpoint(twins):
    ours, theirs = twins.build("Linear", 3, 2)
    weight_norm(ours)
    twins.torch.nn.utils.weight_norm(theirs)
    twins.torch.nn.init.uniform_(theirs.weight_g)
    ours.load_state_dict(twins.ours(dict(theirs.state_dict())))
    x = twins.randn(2, 3)
    twins.close(ours(twins.ours(x)), theirs(x))


def test_errors():
    layer = weight_norm(flambeau.nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
        weight_norm(layer)
    with pytest.raises(ValueError, match="not found"):
        remove_weight_norm(layer, "bias")
    with pytest.raises(RuntimeError, match="dim must be in"):
        weight_norm(flambeau.nn.Linear(2, 2), dim=2)
    with pytest.raises(RuntimeError):  # the weight is computed, as in torch
        copy.deepcopy(layer)
    with pytest.raises(ValueError, match="uninitialized"):
        weight_norm(flambeau.nn.LazyConv1d(2, 2))


def test_it_is_deprecated():
    with pytest.warns(FutureWarning, match="deprecated") as caught:
        weight_norm(flambeau.nn.Linear(2, 2))
    assert len(caught) == 1
