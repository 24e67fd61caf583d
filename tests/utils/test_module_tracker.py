"""Which module is being called."""

import pytest

import flambeau
from flambeau import nn
from flambeau.utils.module_tracker import ModuleTracker


class Net(nn.Module):
    def __init__(self, seen):
        super().__init__()
        self.inner, self.seen = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), seen
        self.inner[1].register_forward_pre_hook(lambda *_: seen())

    def forward(self, x):
        self.seen()
        return self.inner(x)


def test_paths():
    """Paths begin with the class of the outermost module, and end when a call does."""
    seen = []
    with ModuleTracker() as tracker:
        net = Net(lambda: seen.append((tracker.path, tracker.parents)))
        net(flambeau.ones(1, 2))
        with pytest.raises(RuntimeError):
            net(flambeau.ones(1, 3))
        assert tracker.path == ""
    assert seen[0] == ("Net", {"Global", "Net"})
    assert seen[1] == ("Net.inner.1", {"Global", "Net", "Net.inner", "Net.inner.1"})
    assert tracker.parents == {"Global"}
    net(flambeau.ones(1, 2))
    assert seen[-1] == ("", {"Global"})
