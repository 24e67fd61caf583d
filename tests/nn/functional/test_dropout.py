"""`flambeau.nn.functional.dropout`: what is random, and what torch says too."""

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

ELEMENTS = ["dropout", "alpha_dropout"]
CHANNELS = ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def spatial(name):
    return {"dropout1d": (8,), "dropout2d": (2, 4), "dropout3d": (2, 2, 2)}.get(name, (2, 4))


@pytest.mark.parametrize("name", ELEMENTS + CHANNELS)
def test_does_nothing_in_evaluation(name):
    x = flambeau.randn(3, 4, *spatial(name))
    assert getattr(F, name)(x, 0.5, training=False) is x
    assert getattr(F, name)(x, 0.0, training=True) is x


def test_dropout_scales_what_is_left():
    out = F.dropout(flambeau.ones(20_000), 0.25).numpy()
    assert set(np.unique(out).round(5)) == {0.0, np.float32(1 / 0.75).round(5)}
    assert abs((out == 0).mean() - 0.25) < 0.02


def test_dropout_gradient_has_the_same_mask():
    x = flambeau.ones(1000).requires_grad_()
    out = F.dropout(x, 0.5)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


@pytest.mark.parametrize("name", ["dropout1d", "dropout2d", "dropout3d"])
def test_channels_are_dropped_whole(name):
    x = flambeau.ones(20, 50, *spatial(name))
    out = getattr(F, name)(x, 0.5).numpy().reshape(1000, 8)
    assert ((out == 0).all(1) | (out == 2).all(1)).all()
    assert abs((out[:, 0] == 0).mean() - 0.5) < 0.1


def test_alpha_dropout_keeps_mean_and_deviation():
    x = flambeau.randn(40_000)
    for name in ("alpha_dropout", "feature_alpha_dropout"):
        shaped = x if name == "alpha_dropout" else x.reshape(200, 200, 1)
        out = getattr(F, name)(shaped, 0.3, training=True).numpy()
        assert abs(out.mean()) < 0.05
        assert abs(out.std() - 1) < 0.05


@pytest.mark.parametrize("name", ELEMENTS + CHANNELS)
def test_everything_is_dropped(twins, name):
    x = twins.randn(2, 3, *spatial(name), grad=False)
    twins.check(f"nn.functional.{name}", x, 1.0, True)


@pytest.mark.parametrize("name", ELEMENTS + CHANNELS)
def test_inplace(name):
    x = flambeau.ones(4, 4, *spatial(name))
    out = getattr(F, name)(x, 0.5, True, True)
    assert out is x
    assert (x != 1).any()


@pytest.mark.parametrize("name", ELEMENTS + CHANNELS)
def test_probability_is_checked(twins, name):
    twins.same_error(f"nn.functional.{name}", twins.randn(2, 3, *spatial(name)), 2, text="got 2")
    twins.same_error(f"nn.functional.{name}", twins.randn(2, 3, *spatial(name)), -0.1)


def test_dims(twins):
    twins.same_error("nn.functional.dropout1d", twins.randn(2, 3, 4, 5), text="4D")
    with pytest.warns(UserWarning, match="3D input to dropout2d"):
        F.dropout2d(flambeau.ones(2, 3, 4))
    with pytest.warns(UserWarning, match="5-D input to dropout2d"):
        F.dropout2d(flambeau.ones(2, 3, 4, 1, 1))
    with pytest.warns(UserWarning, match="3-D input to dropout3d"):
        F.dropout3d(flambeau.ones(2, 3, 4))
    assert F.dropout1d(flambeau.ones(3, 4)).shape == (3, 4)
    assert F.dropout3d(flambeau.ones(3, 4, 1, 1)).shape == (3, 4, 1, 1)
