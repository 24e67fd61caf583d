"""`flambeau.nn.module`: calling, converting, printing, copying."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn


class Net(nn.Module):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x, scale=1):
        return self.fc2(self.fc1(x).relu()) * scale


def test_call_passes_all_arguments():
    net, x = Net(), flambeau.ones(2, 4)
    assert net(x).shape == (2, 3)
    assert (net(x, scale=2) == net(x) * 2).all()
    net.forward = lambda x: "replaced"
    assert net(x) == "replaced"


def test_missing_forward(torch):
    messages = []
    for lib in (flambeau, torch):
        with pytest.raises(NotImplementedError) as caught:
            lib.nn.Module()(1)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_constructor_arguments(torch):
    for args, kwargs in (((1,), {}), ((), {"x": 1})):
        messages = []
        for lib in (flambeau, torch):
            with pytest.raises(TypeError) as caught:
                lib.nn.Module(*args, **kwargs)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


def test_call_super_init():
    class Other:
        def __init__(self, value):
            self.value = value

    class Both(nn.Module, Other):
        call_super_init = True

    assert Both(3).value == 3


def test_errors_tell_the_layer():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.ReLU(), Net())

        def forward(self, x):
            return self.encoder(x)

    with pytest.raises(RuntimeError, match="linear()") as caught:
        Model()(flambeau.ones(2, 5))
    assert caught.value.__notes__ == [
        "in layer 'encoder.1.fc1' of Model: Linear(in_features=4, out_features=8, bias=True)"
    ]
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(4, 8)(flambeau.ones(2, 5))
    assert caught.value.__notes__ == ["in Linear(in_features=4, out_features=8, bias=True)"]


def test_layer_that_is_no_child_is_told_by_its_class():
    hidden = nn.Linear(4, 8)

    class Model(nn.Module):
        def forward(self, x):
            return hidden(x)

    with pytest.raises(RuntimeError) as caught:
        Model()(flambeau.ones(2, 5))
    assert "in layer 'Linear' of Model" in caught.value.__notes__[0]


def test_apply_visits_children_first():
    net, order = Net(), []
    assert net.apply(order.append) is net
    assert order == [net.fc1, net.fc2, net]


CONVERSIONS = [
    (lambda m, lib: m.double(), "float64"),
    (lambda m, lib: m.half(), "float16"),
    (lambda m, lib: m.bfloat16(), "bfloat16"),
    (lambda m, lib: m.double().float(), "float32"),
    (lambda m, lib: m.to(lib.float64), "float64"),
    (lambda m, lib: m.to("cpu"), "float32"),
    (lambda m, lib: m.to("cpu", lib.float64), "float64"),
    (lambda m, lib: m.to(device="cpu", dtype=lib.float16), "float16"),
    (lambda m, lib: m.to(lib.ones(1, dtype=lib.float64)), "float64"),
    (lambda m, lib: m.to(lib.float64, True), "float64"),
    (lambda m, lib: m.type(lib.float64), "float64"),
    (lambda m, lib: m.cpu(), "float32"),
]


@pytest.mark.parametrize(("convert", "expected"), CONVERSIONS)
def test_conversions(convert, expected):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = net[0].weight
    net(flambeau.ones(3, 2)).sum().backward()
    grad = weight.grad
    assert convert(net, flambeau) is net
    assert net[0].weight is weight
    assert weight.grad is grad
    expected = getattr(flambeau, expected)
    for tensor in (weight, grad, net[1].running_mean):
        assert tensor.dtype == expected
    assert weight.requires_grad
    counted = expected if convert is CONVERSIONS[-2][0] else flambeau.int64
    assert net[1].num_batches_tracked.dtype == counted


def test_bad_conversions():
    with pytest.raises(TypeError, match="only accepts floating point or complex"):
        Net().to(flambeau.int64)
    with pytest.raises(RuntimeError):
        Net().to("nowhere")


def test_no_other_device():
    for move in ("cuda", "xpu", "ipu"):
        with pytest.raises((RuntimeError, AssertionError)):
            getattr(Net(), move)()


def test_to_empty():
    net = Net().to_empty(device="cpu")
    assert net.fc1.weight.shape == (8, 4)


def test_share_memory():
    net = Net()
    assert net.share_memory() is net


def test_modes():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train("yes")


def test_requires_grad():
    net = Net()
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad():
    net = Net()
    net(flambeau.ones(1, 4)).sum().backward()
    grad = net.fc2.bias.grad
    net.zero_grad(set_to_none=False)
    assert net.fc2.bias.grad is grad
    assert grad.tolist() == [0.0] * 3
    net.zero_grad()
    assert net.fc2.bias.grad is None


def test_compile_keeps_the_module():
    net = Net()
    net.compile()
    assert net(flambeau.ones(1, 4)).shape == (1, 3)


def test_repr(torch):
    def build(lib):
        class Inner(lib.nn.Module):
            def extra_repr(self):
                return "first line\nsecond line"

        class Outer(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = Inner()
                self.seq = lib.nn.Sequential(lib.nn.Linear(1, 2), lib.nn.Sequential())
                self.nothing = None
                self.register_module("empty", None)

            def extra_repr(self):
                return "of Outer"

        return Outer()

    assert repr(build(flambeau)) == repr(build(torch))
    assert str(nn.Module()) == "Module()"


def test_copies():
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert type(twin) is Net
        assert twin.fc1.weight is not net.fc1.weight
        assert twin.fc1.weight.tolist() == net.fc1.weight.tolist()
        assert twin.fc1.weight.requires_grad
    shallow = copy.copy(net)
    assert shallow.fc1 is net.fc1


def test_shared_parameters_stay_shared():
    net = Net()
    net.tied = net.fc1.weight
    twin = copy.deepcopy(net)
    assert twin.tied is twin.fc1.weight
    assert len(list(net.parameters())) == 4
