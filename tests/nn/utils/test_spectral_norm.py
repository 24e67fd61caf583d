"""The hook that divides a weight by its largest singular value."""

from collections import OrderedDict

import pytest

import flambeau
from flambeau.nn.utils import remove_spectral_norm, spectral_norm

LAYERS = [
    ("Linear", (4, 3), (5, 4)),
    ("Conv2d", (2, 3, 2), (2, 2, 5, 5)),
    ("ConvTranspose2d", (2, 3, 2), (2, 2, 5, 5)),
]


def make(twins, name, args, **kwargs):
    """A pair of layers with spectral norm and equal vectors."""
    ours, theirs = twins.build(name, *args)
    assert spectral_norm(ours, **kwargs) is ours
    twins.torch.nn.utils.spectral_norm(theirs, **kwargs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(twins.ours(dict(theirs.state_dict())))
    return ours, theirs


@pytest.mark.parametrize(("name", "args", "shape"), LAYERS)
@pytest.mark.parametrize("times", [1, 3])
def test_results_and_gradients(twins, name, args, shape, times):
    ours, theirs = make(twins, name, args, n_power_iterations=times)
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        twins.check_module((ours, theirs), twins.randn(*shape))
    twins.close(
        remove_spectral_norm(ours).weight, twins.torch.nn.utils.remove_spectral_norm(theirs).weight
    )
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert not ours._forward_pre_hooks
    assert not ours._state_dict_hooks
    assert not ours._load_state_dict_pre_hooks


def test_the_vectors_start_as_in_torch(twins):
    flambeau.manual_seed(3)
    twins.torch.manual_seed(3)
    ours = spectral_norm(flambeau.nn.Linear(20, 40))
    theirs = twins.torch.nn.utils.spectral_norm(twins.torch.nn.Linear(20, 40))
    twins.close(ours.weight_u, theirs.weight_u)
    twins.close(ours.weight_v, theirs.weight_v)


def test_two_calls_before_backward():
    layer = spectral_norm(flambeau.nn.Linear(3, 3))
    x, y = flambeau.randn(2, 3), flambeau.randn(2, 3)
    (layer(x) - layer(y)).sum().backward()
    assert layer.weight_orig.grad.isfinite().all()


def test_metadata_and_old_checkpoints(twins):
    ours, theirs = make(twins, "Linear", (3, 4))
    x = twins.randn(2, 3)
    twins.close(ours(twins.ours(x)), theirs(x))
    state = ours.state_dict()
    assert state._metadata[""]["spectral_norm"] == {"weight.version": 1}
    assert ours.load_state_dict(dict(state)).missing_keys == []  # new, without metadata
    old, old_theirs = OrderedDict(state), OrderedDict(theirs.state_dict())
    for checkpoint, layer in ((old, ours), (old_theirs, theirs)):
        del checkpoint["weight_v"]
        checkpoint["weight"] = layer.weight.detach()
    fresh = spectral_norm(flambeau.nn.Linear(3, 4))
    fresh.load_state_dict(old)
    fresh_theirs = twins.torch.nn.utils.spectral_norm(twins.torch.nn.Linear(3, 4))
    fresh_theirs.load_state_dict(old_theirs)
    twins.close(fresh.weight_v, fresh_theirs.weight_v, slack=10)
    with pytest.raises(RuntimeError, match="Missing key"):
        fresh.load_state_dict({"bias": state["bias"]})


def test_errors():
    layer = spectral_norm(flambeau.nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="Cannot register two spectral_norm hooks"):
        spectral_norm(layer)
    with pytest.raises(ValueError, match="not found"):
        remove_spectral_norm(layer, "bias")
    with pytest.raises(ValueError, match="n_power_iterations"):
        spectral_norm(flambeau.nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(ValueError, match="is None"):
        spectral_norm(flambeau.nn.Linear(2, 2, bias=False), "bias")
    with pytest.raises(ValueError, match="uninitialized"):
        spectral_norm(flambeau.nn.LazyConv1d(2, 2))
