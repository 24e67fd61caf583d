"""`flambeau.optim.optimizer`: groups, hooks, checkpoints and errors, against torch."""

import copy
import pickle

import pytest

import flambeau
from flambeau.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)


def leaf(*values):
    p = flambeau.tensor(list(values or (1.0, 2.0)), requires_grad=True)
    p.grad = flambeau.ones(p.shape)
    return p


def same_error(torch, function):
    """Assert that `function(library)` raises in flambeau what it does in torch."""
    with pytest.raises(Exception) as theirs:
        function(torch)
    with pytest.raises(type(theirs.value)) as ours:
        function(flambeau)
    assert str(ours.value) == str(theirs.value)


BAD_PARAMS = {
    "tensor": lambda lib, p, q: p,
    "empty": lambda lib, p, q: [],
    "numbers": lambda lib, p, q: [1],
    "string": lambda lib, p, q: "ab",
    "dict": lambda lib, p, q: {"params": [p]},
    "set in group": lambda lib, p, q: [{"params": {p}}],
    "non-leaf": lambda lib, p, q: [p * 2],
    "no params": lambda lib, p, q: [{"lr": 0.1}],
    "group, then tensor": lambda lib, p, q: [{"params": [q]}, 3],
    "twice": lambda lib, p, q: [{"params": [p]}, {"params": [p]}],
    "some named": lambda lib, p, q: [("w", p), q],
    "some groups named": lambda lib, p, q: [{"params": [p]}, {"params": [("q", q)]}],
    "some groups unnamed": lambda lib, p, q: [{"params": [("q", q)]}, {"params": [p]}],
    "names without tensors": lambda lib, p, q: [("w", 1)],
}


@pytest.mark.parametrize("params", BAD_PARAMS.values(), ids=BAD_PARAMS)
def test_bad_parameters(torch, params):
    def make(lib):
        p, q = (lib.ones(2, requires_grad=True) for _ in range(2))
        lib.optim.SGD(params(lib, p, q), lr=0.1)

    same_error(torch, make)


def test_duplicate_parameters_are_warned_about():
    p = leaf()
    with pytest.warns(UserWarning, match="a parameter group with duplicate parameters"):
        flambeau.optim.SGD([p, p], lr=0.1)


def test_required_options():
    class Needy(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

    assert repr(required) == "<required parameter>"
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Needy([leaf()])
    optimizer = Needy([{"params": leaf(), "lr": 3}])
    assert optimizer.param_groups[0]["lr"] == 3
    with pytest.raises(NotImplementedError):
        optimizer.step()


def test_groups_take_defaults_and_keep_what_else_they_hold():
    optimizer = flambeau.optim.SGD([{"params": leaf(), "lr": 1.0, "note": "x"}], lr=0.1)
    optimizer.add_param_group({"params": (p for p in [leaf()])})
    first, second = optimizer.param_groups
    assert list(first)[:4] == ["params", "lr", "note", "momentum"]
    assert (first["lr"], first["note"], second["lr"], len(second["params"])) == (1.0, "x", 0.1, 1)
    with pytest.raises(TypeError, match="param_group must be a dict, but got <class 'int'>"):
        optimizer.add_param_group(3)
    optimizer.step()
    assert first["params"][0].tolist() == [0.0, 1.0]


def test_named_parameters(torch):
    def make(lib):
        pairs = [("w", lib.ones(2, requires_grad=True)), ("b", lib.ones(1, requires_grad=True))]
        return lib.optim.Adam(pairs, lr=0.1)

    ours, theirs = make(flambeau), make(torch)
    assert ours.state_dict()["param_groups"] == theirs.state_dict()["param_groups"]
    plain = flambeau.optim.Adam([leaf(), leaf(1.0)])
    plain.load_state_dict(ours.state_dict())
    assert plain.param_groups[0]["param_names"] == ["w", "b"]
    ours.load_state_dict(flambeau.optim.Adam([leaf(), leaf(1.0)]).state_dict())
    assert ours.param_groups[0]["param_names"] == ["w", "b"]


@pytest.mark.parametrize("lr", [0.1, "tensor"])
def test_repr(torch, lr):
    texts = []
    for lib in (flambeau, torch):
        p, q = (lib.ones(2, requires_grad=True) for _ in range(2))
        rate = lib.tensor(0.1) if lr == "tensor" else lr
        groups = [{"params": [p]}, {"params": [q], "lr": 0.5, "name": "x"}]
        texts.append(repr(lib.optim.Adam(groups, lr=rate)))
    assert texts[0] == texts[1]


def test_zero_grad():
    p, q = leaf(), leaf()
    q.grad = None
    optimizer = flambeau.optim.SGD([p, q], lr=0.1)
    before = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is before
    assert p.grad.tolist() == [0.0, 0.0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.step()
    assert p.tolist() == [1.0, 2.0]


def test_zero_grad_cuts_the_graph_of_gradients():
    p = flambeau.tensor([1.0], requires_grad=True)
    p.grad = (p * p).detach().requires_grad_() * 2
    flambeau.optim.SGD([p]).zero_grad(set_to_none=False)
    assert not p.grad.requires_grad


def test_closure_runs_with_gradients_and_gives_the_result():
    p = flambeau.tensor([3.0], requires_grad=True)
    optimizer = flambeau.optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with flambeau.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.tolist() == [0.0]


def test_step_hooks():
    p = leaf()
    optimizer, log = flambeau.optim.SGD([p], lr=0.1), []

    def note(name):
        return lambda o, args, kwargs: log.append((name, o is optimizer, args[0] is o, kwargs))

    handles = [
        register_optimizer_step_pre_hook(note("all before")),
        register_optimizer_step_post_hook(note("all after")),
    ]
    optimizer.register_step_pre_hook(note("before"))
    handle = optimizer.register_step_post_hook(note("after"))
    optimizer.step(closure=None)
    names = ["all before", "before", "after", "all after"]
    assert log == [(name, True, True, {"closure": None}) for name in names]
    handle.remove()
    for h in handles:
        h.remove()
    log.clear()
    optimizer.step()
    assert [entry[0] for entry in log] == ["before"]


def test_step_pre_hook_may_change_the_arguments():
    optimizer = flambeau.optim.SGD([leaf()], lr=0.1)
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 5), {}))
    assert optimizer.step() == 5
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kw"):
        optimizer.step()


def test_state_dict_hooks():
    optimizer, log = flambeau.optim.SGD([leaf()], lr=0.1), []
    optimizer.register_state_dict_pre_hook(lambda o: log.append("before saving"))
    optimizer.register_state_dict_post_hook(lambda o, d: log.append("saved"))
    optimizer.register_state_dict_post_hook(lambda o, d: {**d, "more": 1}, prepend=True)
    optimizer.register_load_state_dict_pre_hook(lambda o, d: log.append("before loading"))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    saved = optimizer.state_dict()
    assert saved["more"] == 1
    optimizer.load_state_dict(saved)
    assert log == ["before saving", "saved", "before loading", "loaded"]


def test_loading_what_does_not_fit(torch):
    def load(lib, groups):
        make = lambda n: [lib.ones(2, requires_grad=True) for _ in range(n)]  # noqa: E731
        saved = lib.optim.Adam(make(2)).state_dict()
        lib.optim.Adam([{"params": make(n)} for n in groups]).load_state_dict(saved)

    same_error(torch, lambda lib: load(lib, [1, 1]))
    same_error(torch, lambda lib: load(lib, [3]))
    same_error(torch, lambda lib: lib.optim.Adam([lib.ones(2)]).load_state_dict({}))


def test_loading_casts_the_state_but_not_the_step():
    p, q = leaf(), leaf()
    optimizer = flambeau.optim.Adam([p, q])
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][1]["extra"] = [flambeau.ones(2), {"a": 1}]
    saved["state"]["global"] = 5
    del saved["param_groups"][0]["amsgrad"]
    wide = [leaf().detach().double().requires_grad_() for _ in range(2)]
    other = flambeau.optim.Adam(wide)
    other.load_state_dict(saved)
    state = other.state[wide[1]]
    assert state["exp_avg"].dtype == flambeau.float64
    assert state["extra"][0].dtype == flambeau.float64
    assert state["extra"][1] == {"a": 1}
    assert state["step"].dtype == flambeau.float32
    assert other.state["global"] == 5
    assert other.param_groups[0]["amsgrad"] is False


def test_copies_and_pickles_go_on_alone():
    p = leaf()
    optimizer = flambeau.optim.Adam([p], lr=0.1)
    optimizer.step()
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        (q,) = twin.param_groups[0]["params"]
        assert q is not p
        q.grad = flambeau.ones(2)
        twin.step()
        assert twin.state[q]["step"].item() == 2.0
        assert twin.register_step_pre_hook(lambda *_: None).id >= 0
    assert optimizer.state[p]["step"].item() == 1.0


def test_a_subclass_of_an_optimizer_may_extend_its_step():
    class Counting(flambeau.optim.SGD):
        calls = 0

        def step(self, closure=None):
            self.calls += 1
            return super().step(closure)

    p = leaf()
    optimizer = Counting([p], lr=1.0)
    optimizer.step()
    assert (optimizer.calls, p.tolist()) == (1, [0.0, 1.0])
    assert Counting.step.__name__ == "step"


def test_attributes_are_told_by_the_class_and_left_to_wrappers():
    for name in ("defaults", "param_groups", "state"):
        assert getattr(flambeau.optim.Optimizer, name).__doc__

    class Wrapper(flambeau.optim.Optimizer):
        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

    inner = flambeau.optim.SGD([leaf(1.0)], lr=0.5)
    wrapper = Wrapper(inner)
    assert wrapper.param_groups is inner.param_groups
    with pytest.raises(AttributeError, match="'SGD' object has no attribute 'state'"):
        object.__new__(flambeau.optim.SGD).state  # noqa: B018
