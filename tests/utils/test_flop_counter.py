"""Counts of operations on numbers: those of PyTorch."""

import pytest

import flambeau
from flambeau.utils.flop_counter import FlopCounterMode, register_flop_formula


def counted(lib, work):
    """{module: count} of a piece of work."""
    counter = pytest.importorskip(f"{lib.__name__}.utils.flop_counter").FlopCounterMode
    with counter(display=False) as mode:
        work(lib)
    assert mode.get_total_flops() == sum(mode.get_flop_counts()["Global"].values())
    return {name: sum(c.values()) for name, c in mode.get_flop_counts().items() if c}


def network(lib):
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10)
    )
    model(lib.randn(2, 3, 6, 6)).sum().backward()


def products(lib):
    a, b = lib.ones(2, 3), lib.ones(3, 4)
    lib.einsum("ij,jk->ik", a, b)
    lib.ones(5, 2, 3) @ b
    lib.baddbmm(lib.ones(5, 2, 2), lib.ones(5, 2, 3), lib.ones(5, 3, 2))
    lib.nn.functional.linear(lib.ones(7, 2, 3), lib.ones(5, 3), lib.ones(5))


def convolutions(lib):
    f = lib.nn.functional
    f.conv2d(lib.ones(2, 4, 9, 9), lib.ones(6, 2, 3, 3), groups=2, stride=2)
    f.conv1d(lib.ones(2, 4, 9), lib.ones(6, 4, 3), dilation=2)
    f.conv_transpose2d(lib.ones(1, 3, 4, 4), lib.ones(3, 2, 3, 3), stride=2)


def derivatives(lib):
    x = lib.ones(2, 4, 5, 5, requires_grad=True)
    w = lib.ones(6, 4, 3, 3, requires_grad=True)
    lib.nn.functional.conv2d(x, w).sum().backward()
    a, b = lib.ones(2, 3, requires_grad=True), lib.ones(3, 4, requires_grad=True)
    (a @ b).sum().backward()


@pytest.mark.parametrize("work", [network, products, convolutions, derivatives])
def test_as_pytorch(torch, work):
    """By module, forward and backward."""
    assert counted(flambeau, work) == counted(torch, work)


def test_table(capsys):
    """Modules to a depth, with what they do."""
    nn = flambeau.nn
    model = nn.Sequential(nn.Sequential(nn.Linear(10, 100)), nn.Linear(100, 10))
    with FlopCounterMode(depth=1) as mode:
        model(flambeau.ones(10, 10))
    printed = capsys.readouterr().out
    assert "Sequential" in printed
    assert "40.000K" in printed
    assert "Sequential.0" not in printed
    assert "Sequential.0.0" in mode.get_table(depth=3)
    assert mode.get_flop_counts()["Sequential.0.0"] == {"linear": 20_000}


def test_formulas():
    """Formulas of one's own, for one counter or for all."""

    def formula(x, out_shape):
        return 10 * out_shape.numel()

    with FlopCounterMode(display=False, custom_mapping={"exp": formula}) as mode:
        flambeau.ones(3).exp()
    assert mode.get_total_flops() == 30
    register_flop_formula("sinh")(formula)
    with FlopCounterMode(display=False) as mode:
        flambeau.ones(3).exp().sinh()
    assert mode.get_flop_counts() == {"Global": {"sinh": 30}}
