"""Averages of weights, and the schedule that goes with them."""

import copy

import numpy as np
import pytest

import flambeau
from flambeau.optim import swa_utils

AVERAGES = {
    "default": {},
    "ema": {"multi_avg_fn": ("get_ema_multi_avg_fn", 0.7)},
    "ema one by one": {"avg_fn": ("get_ema_avg_fn", 0.7)},
    "swa": {"multi_avg_fn": ("get_swa_multi_avg_fn",)},
    "swa one by one": {"avg_fn": ("get_swa_avg_fn",)},
}


def averages(lib, kwargs, dtype, use_buffers):
    """The state of an averaged model after each of four updates."""
    utils = lib.optim.swa_utils
    kwargs = {name: getattr(utils, f)(*args) for name, (f, *args) in kwargs.items()}
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4))
    model = model.to(getattr(lib, dtype))
    average = utils.AveragedModel(model, device="cpu", use_buffers=use_buffers, **kwargs)
    rng, path = np.random.default_rng(0), []
    for _ in range(4):
        for tensor in model.state_dict().values():
            tensor.copy_(lib.from_numpy(np.array(rng.normal(size=tensor.shape) * 9)))
        average.update_parameters(model)
        path.append({k: v.numpy().copy() for k, v in average.state_dict().items()})
    return path


@pytest.mark.parametrize("name", sorted(AVERAGES))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages(torch, name, dtype, use_buffers):
    if name.startswith("swa") and use_buffers:
        pytest.skip("torch fails for a count, or rounds it otherwise")
    ours, theirs = (averages(lib, AVERAGES[name], dtype, use_buffers) for lib in (flambeau, torch))
    # With "swa", torch computes the weight in float32.
    tolerance = 1e-5 if dtype == "float32" else 1e-6 if name == "swa" else 1e-12
    for mine, yours in zip(ours, theirs, strict=True):
        assert list(mine) == list(yours)
        for key, value in yours.items():
            np.testing.assert_allclose(mine[key], value, tolerance, tolerance, err_msg=key)


def test_complex_averages():
    average, value = flambeau.tensor([2j]), flambeau.tensor([4 + 0j])
    swa_utils.get_swa_multi_avg_fn()([average], [value], flambeau.tensor(1))
    assert average.tolist() == [2 + 1j]


def test_copies_start_apart_and_take_gradients():
    model = flambeau.nn.Linear(2, 1)
    average = swa_utils.AveragedModel(model)
    average.update_parameters(model)
    average.update_parameters(model)
    x = flambeau.ones(1, 2)
    assert flambeau.allclose(average(x), model(x))
    average(x).sum().backward()
    assert model.weight.grad is None
    assert average.module.weight.grad.tolist() == [[1.0, 1.0]]
    again = swa_utils.AveragedModel(flambeau.nn.Linear(2, 1))
    again.load_state_dict(average.state_dict())
    assert int(again.n_averaged) == 2
    assert int(copy.deepcopy(again).n_averaged) == 2


def test_errors_of_averages(torch):
    function = swa_utils.get_swa_avg_fn()
    with pytest.raises(AssertionError, match="Only one of"):
        swa_utils.AveragedModel(flambeau.nn.Linear(1, 1), avg_fn=function, multi_avg_fn=function)
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="Invalid decay value 1.5"):
            make(1.5)


@pytest.mark.parametrize("kind", ["tensors", "pairs"])
def test_update_bn(torch, kind):
    batches = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")
    found = []
    for lib in (flambeau, torch):
        model = lib.nn.Sequential(lib.nn.BatchNorm1d(4, momentum=0.3), lib.nn.Dropout(0.5)).eval()
        loader = [lib.from_numpy(b) for b in batches]
        loader = loader if kind == "tensors" else [(x, 1) for x in loader]
        lib.optim.swa_utils.update_bn(loader, model, device="cpu")
        assert not model.training
        assert model[0].momentum == 0.3
        found.append([v.numpy().copy() for v in model.state_dict().values()])
    for mine, yours in zip(*found, strict=True):
        np.testing.assert_allclose(mine, yours, 1e-5, 1e-6)
    model = flambeau.nn.Linear(2, 2)
    swa_utils.update_bn([], model)
    assert model.training
