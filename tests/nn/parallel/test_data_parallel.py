"""`flambeau.nn.parallel.data_parallel`."""

import flambeau
from flambeau import nn
from flambeau.nn.parallel import data_parallel


def test_wrapper(torch):
    found = []
    for t in (flambeau, torch):
        t.manual_seed(0)
        net = t.nn.DataParallel(t.nn.Linear(2, 3), device_ids=[0, 1], dim=0)
        made = net(input=t.ones(4, 2))
        made.sum().backward()
        grad = net.module.weight.grad.tolist()
        found.append((repr(net), list(net.state_dict()), net.device_ids, made.tolist(), grad))
    assert found[0][:3] == found[1][:3]
    assert found[0][4] == found[1][4]


def test_states_of_wrapped_and_bare():
    net, other = nn.DataParallel(nn.Linear(2, 3)), nn.Linear(2, 3)
    other.load_state_dict(net.module.state_dict())
    assert flambeau.equal(other.weight, net.state_dict()["module.weight"])


def test_function():
    net = nn.Linear(2, 3)
    x = flambeau.randn(5, 2)
    whole = net(x)
    for devices in (None, ["cpu"], ["cpu", "cpu"]):
        made = data_parallel(net, x, devices)
        assert flambeau.allclose(made, whole)
    assert flambeau.allclose(data_parallel(net, (x,), ["cpu"] * 2, "cpu"), whole)
    made = data_parallel(net, None, ["cpu"] * 2, module_kwargs={"input": x})
    assert flambeau.allclose(made, whole)
    made.sum().backward()
    assert net.bias.grad.tolist() == [5.0, 5.0, 5.0]
