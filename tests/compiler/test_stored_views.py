"""Views that become memory of their own: copies of what they show."""

import pytest

import flambeau
from flambeau import config


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_copies_of_views(monkeypatch, backend):
    monkeypatch.setattr(config, "backend", backend)
    for make in (
        lambda x: x.expand(3, 4),
        lambda x: x.t().expand(2, 3),
        lambda x: x.as_strided((2, 2), (1, 1)),
        lambda x: x.reshape(-1)[1:],
    ):
        x = flambeau.tensor([[0.0], [1.0], [2.0]], requires_grad=True)
        expected = make(x).tolist()
        x = flambeau.tensor([[0.0], [1.0], [2.0]], requires_grad=True)
        assert make(x).detach().clone().tolist() == expected


def test_a_copy_of_a_view_over_its_source(monkeypatch):
    monkeypatch.setattr(config, "backend", "llvm")
    x = flambeau.arange(9.0).reshape(3, 3).clone()
    x.tolist()
    for _ in range(2):
        x.copy_(x.as_strided((3, 3), (1, 3)))
    assert x.tolist() == flambeau.arange(9.0).reshape(3, 3).tolist()
    x.copy_(x.t())
    assert x.tolist() == flambeau.arange(9.0).reshape(3, 3).t().tolist()
