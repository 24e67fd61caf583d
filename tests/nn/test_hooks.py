"""`flambeau.nn.hooks` and `backward_hooks`: the same calls in the same order as torch."""

import copy
import warnings

import pytest

import flambeau
from flambeau import nn
from flambeau.nn import hooks


def both(torch, scenario):
    """What a scenario logs, in both libraries."""
    logs = []
    for library in (flambeau, torch):
        log = []
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                scenario(library, log)
            except Exception as error:
                log.append((type(error), str(error)))
        logs.append(log + [str(warning.message) for warning in warned])
    return logs


def forward_hooks(lib, log):
    net = lib.nn.Sequential(lib.nn.Identity(), lib.nn.Identity())
    net.register_forward_pre_hook(lambda m, args: log.append(("pre", args[0].tolist())))
    net.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
    net.register_forward_pre_hook(lambda m, args: args[0] * 2, prepend=True)
    net.register_forward_hook(lambda m, args, out: log.append(("post", out.tolist())))
    net.register_forward_hook(lambda m, args, out: out * 10, prepend=True)
    net[1].register_forward_hook(lambda m, args, out: log.append(type(m).__name__))
    log.append(net(lib.ones(1)).tolist())


def hooks_with_kwargs(lib, log):
    class Scale(lib.nn.Module):
        def forward(self, x, factor=1):
            return x * factor

    net = Scale()

    def before(module, args, kwargs):
        log.append(("pre", sorted(kwargs)))
        return args, {"factor": kwargs["factor"] + 1}

    def after(module, args, kwargs, out):
        log.append(("post", kwargs["factor"]))

    net.register_forward_pre_hook(before, with_kwargs=True)
    net.register_forward_hook(after, with_kwargs=True)
    log.append(net(lib.ones(1), factor=2).tolist())


def hook_with_wrong_result(lib, log):
    net = lib.nn.Identity()
    net.register_forward_pre_hook(lambda m, a, k: 3, with_kwargs=True)
    net(lib.ones(1))


def always_called_hooks(lib, log):
    class Fails(lib.nn.Module):
        def forward(self, x):
            raise ValueError("inside")

    net = Fails()
    net.register_forward_hook(lambda m, a, out: log.append(("always", out)), always_call=True)
    net.register_forward_hook(lambda m, a, out: log.append("never"))
    net(lib.ones(1))


def removed_hooks(lib, log):
    net = lib.nn.Identity()
    handle = net.register_forward_hook(lambda m, a, out: log.append("called"))
    net(lib.ones(1))
    handle.remove()
    handle.remove()
    net(lib.ones(1))
    with net.register_forward_hook(lambda m, a, out: log.append("in block")):
        net(lib.ones(1))
    net(lib.ones(1))


def backward_hooks(lib, log):
    net = lib.nn.Linear(2, 1, bias=False)
    with lib.no_grad():
        net.weight.copy_(lib.tensor([[2.0, 3.0]]))

    def numbers(grads):
        return [None if g is None else g.tolist() for g in grads]

    net.register_full_backward_pre_hook(lambda m, g: log.append(("pre", numbers(g))))
    net.register_full_backward_pre_hook(lambda m, g: (g[0] * 10,))
    net.register_full_backward_hook(lambda m, i, o: log.append(("post", numbers(i), numbers(o))))
    net.register_full_backward_hook(lambda m, i, o: (i[0] + 1,))
    x = lib.ones(1, 2).requires_grad_()
    net(x).sum().backward()
    log.append((x.grad.tolist(), net.weight.grad.tolist()))


def backward_hook_without_inputs(lib, log):
    net = lib.nn.Linear(2, 1, bias=False)
    net.register_full_backward_hook(lambda m, i, o: log.append((i, o[0].tolist())))
    net(lib.ones(1, 2)).sum().backward()


def backward_hook_with_wrong_count(lib, log):
    net = lib.nn.Linear(2, 1, bias=False)
    net.register_full_backward_hook(lambda m, i, o: (i[0], i[0]))
    net(lib.ones(1, 2).requires_grad_()).sum().backward()


def backward_hooks_of_several_outputs(lib, log):
    class Split(lib.nn.Module):
        def forward(self, x, flag):
            return x * 2, x * 3

    net = Split()
    net.register_full_backward_hook(lambda m, i, o: log.append((i[0].tolist(), i[1:], len(o))))
    a, b = net(lib.ones(2).requires_grad_(), "flag")
    (a + b).sum().backward()


def mixed_backward_hooks(lib, log):
    net = lib.nn.Linear(2, 1)
    net.register_backward_hook(lambda m, i, o: None)
    net.register_full_backward_hook(lambda m, i, o: None)


def mixed_backward_hooks_the_other_way(lib, log):
    net = lib.nn.Linear(2, 1)
    net.register_full_backward_hook(lambda m, i, o: None)
    net.register_backward_hook(lambda m, i, o: None)


SCENARIOS = [
    forward_hooks,
    hooks_with_kwargs,
    hook_with_wrong_result,
    always_called_hooks,
    removed_hooks,
    backward_hooks,
    backward_hook_without_inputs,
    backward_hook_with_wrong_count,
    backward_hooks_of_several_outputs,
    mixed_backward_hooks,
    mixed_backward_hooks_the_other_way,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_same_as_torch(torch, scenario):
    ours, theirs = both(torch, scenario)
    assert theirs
    assert ours == theirs


def test_hook_that_fails_after_an_error_is_silenced():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("inside")

    def hook(module, args, out):
        raise TypeError("in the hook")

    net = Fails()
    net.register_forward_hook(hook, always_call=True)
    with pytest.warns(UserWarning, match="silenced.*in the hook"), pytest.raises(ValueError):
        net(1)


@pytest.fixture
def register():
    """Registers a global hook by the name of its kind, until the end of the test."""
    handles = []

    def register(kind, hook):
        handles.append(getattr(hooks, f"register_module_{kind}_hook")(hook))
        return handles[-1]

    yield register
    for handle in handles:
        handle.remove()


def test_global_hooks(register):
    log = []
    net = nn.Sequential(nn.Identity())
    handles = [
        register("forward_pre", lambda m, a: log.append(("pre", type(m).__name__))),
        register("forward", lambda m, a, o: log.append(("post", type(m).__name__))),
        register("full_backward", lambda m, i, o: log.append("backward")),
        register("full_backward_pre", lambda m, o: log.append("before")),
    ]
    net(flambeau.ones(1).requires_grad_()).sum().backward()
    for handle in handles:
        handle.remove()
    assert log[:4] == [
        ("pre", "Sequential"),
        ("pre", "Identity"),
        ("post", "Identity"),
        ("post", "Sequential"),
    ]
    assert log[4:] == ["before", "before", "backward", "backward"]
    net(flambeau.ones(1))
    assert len(log) == 8


def test_global_backward_hooks_do_not_mix(register):
    handle = register("backward", lambda m, i, o: None)
    with pytest.raises(RuntimeError, match="as a global Module hook"):
        register("full_backward", lambda m, i, o: None)
    handle.remove()
    register("full_backward", lambda m, i, o: None)


def test_registration_hooks(register):
    log = []
    for kind in ("parameter", "buffer", "module"):
        register(f"{kind}_registration", lambda module, name, value: log.append(name))
    module = nn.Module()
    module.p = nn.Parameter(flambeau.ones(1))
    module.register_buffer("b", None)
    module.m = nn.ReLU()
    assert log == ["p", "b", "m"]


def test_copies_have_hooks_of_their_own():
    log = []
    net = nn.Identity()
    net.handle = net.register_forward_hook(lambda m, a, o: log.append("called"))
    twin = copy.deepcopy(net)
    twin.handle.remove()
    twin(flambeau.ones(1))
    assert log == []
    net(flambeau.ones(1))
    assert log == ["called"]


def test_hooks_cost_nothing_when_they_are_gone():
    net = nn.Identity()
    net.register_forward_hook(lambda m, a, o: None).remove()
    hooks.register_module_forward_hook(lambda m, a, o: None).remove()
    net(flambeau.ones(1))
    assert not net._hooked
