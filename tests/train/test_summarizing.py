"""The layers of a model and the memory of a step, without computing anything."""

import pytest

import flambeau
from flambeau import nn
from flambeau.train import summary
from flambeau.train.summarizing import size_text


def network():
    return nn.Sequential(nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Linear(100, 10))


def test_layers():
    """Paths, shapes and parameters."""
    model = network()
    about = summary(model, (64, 784))
    assert [layer.path for layer in about.layers] == ["", "0", "1", "2", "3"]
    assert about.layers[1].shapes == [(64, 100)]
    assert about.layers[1].nbytes == 25_600
    assert about.parameters == about.trainable == sum(p.numel() for p in model.parameters())
    text = str(about)
    assert "Linear" in text
    assert "78,500" in text
    assert "training step:" in text
    assert repr(about) == text


def test_memory():
    """A step takes what it reads, keeps and needs on the way; as when it is run."""
    model, x = network(), flambeau.rand(256, 784)
    flambeau.synchronize()
    about = summary(model, x)
    assert about.parameter_bytes == 4 * about.parameters
    assert about.step_bytes >= x.nbytes + 2 * about.parameter_bytes
    assert about.step_bytes >= about.forward_bytes
    model(x).sum().backward()
    flambeau.synchronize()
    assert flambeau.why().peak == pytest.approx(about.step_bytes, rel=0.3)


def test_nothing_changes():
    """Parameters have no gradients, buffers and modes are as before, random numbers are drawn."""
    model = network()
    summary(model, (8, 784))
    flambeau.synchronize()
    assert all(p.grad is None for p in model.parameters())
    assert model[1].running_mean.abs().sum().item() == 0
    assert model[1].num_batches_tracked.item() == 0
    assert model.training


def test_too_large():
    """A batch that can not fit is told before anything runs."""
    about = summary(nn.Sequential(nn.Flatten(), nn.Linear(100, 10)), (2, 100))
    assert about.fits in (True, None)
    about.available = 1
    assert about.fits is False
    assert "DOES NOT FIT" in str(about)
    about.available = None
    assert about.fits is None


def test_other_models():
    """Several inputs and results; nothing to differentiate; the state of an optimizer."""

    class Pair(nn.Module):
        def forward(self, a, b):
            return {"sum": a + b, "both": [a, b]}

    about = summary(Pair(), (2, 3), flambeau.ones(2, 3))
    assert about.layers[0].shapes == [(2, 3)] * 3
    assert about.step_bytes is None
    model = nn.Linear(3, 2)
    optimizer = flambeau.optim.Adam(model.parameters())
    model(flambeau.ones(1, 3)).sum().backward()
    optimizer.step()
    about = summary(model, (4, 3), optimizer=optimizer)
    assert about.optimizer_bytes >= 2 * about.parameter_bytes
    assert "optimizer state" in str(about)


def test_sizes():
    """Units of three digits."""
    assert [size_text(n) for n in (0, 999, 1000, 123_456, 10**13)] == [
        *("0 B", "999 B", "1 KB", "123 KB", "10 TB"),
    ]
