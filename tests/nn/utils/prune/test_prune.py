"""Pruning, step by step as torch does it: the same masks, weights, state and gradients."""

import copy
import importlib
import pickle

import numpy as np
import pytest

import flambeau
from flambeau.nn.utils import prune


class Net:
    """The same small network in both libraries, and what is done to both."""

    def __init__(self, torch):
        self.torch, self.libraries = torch, (flambeau, torch)
        theirs = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 2), torch.nn.Linear(4, 5))
        ours = flambeau.nn.Sequential(flambeau.nn.Conv2d(3, 6, 2), flambeau.nn.Linear(4, 5))
        self.rng = np.random.default_rng(0)
        for parameter in theirs.parameters():  # no ties
            values = self.rng.permutation(parameter.numel()) - parameter.numel() / 2.3
            parameter.data = torch.tensor(values / 10, dtype=torch.float32).view_as(parameter)
        ours.load_state_dict({k: flambeau.from_numpy(v.numpy()) for k, v in self.state(theirs)})
        self.nets = ours, theirs

    @staticmethod
    def state(net):
        return [(k, v.detach()) for k, v in net.state_dict().items()]

    def both(self, action):
        """Do action(prune, net, library) in both, from the same random numbers, and compare."""
        results = []
        for lib, net in zip(self.libraries, self.nets, strict=True):
            lib.manual_seed(4)
            results.append(action(lib.nn.utils.prune, net, lib))
        self.compare()
        return results

    def compare(self):
        ours, theirs = (self.state(net) for net in self.nets)
        assert [k for k, _ in ours] == [k for k, _ in theirs]
        for (key, mine), (_, yours) in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine.numpy(), yours.numpy(), 1e-5, 1e-6, err_msg=key)
        for a, b in zip(*self.nets, strict=True):
            for name in ("weight", "bias"):
                mine, yours = getattr(a, name).detach(), getattr(b, name).detach()
                np.testing.assert_allclose(mine.numpy(), yours.numpy(), 1e-5, 1e-6)
            assert len(a._forward_pre_hooks) == len(b._forward_pre_hooks)

    def scores(self, lib, index, name="weight"):
        shape = tuple(getattr(self.nets[1][index], name).shape)
        values = np.random.default_rng(1).permutation(int(np.prod(shape))).reshape(shape)
        return lib.from_numpy(values.astype("float32"))


@pytest.fixture(autouse=True)
def _loaded(torch):
    """PyTorch imports this module only when it is asked to."""
    importlib.import_module("torch.nn.utils.prune")


@pytest.fixture
def net(torch):
    return Net(torch)


STEPS = {
    "identity": lambda p, m, x: p.identity(m, "weight"),
    "random": lambda p, m, x: p.random_unstructured(m, "weight", 3),
    "random fraction": lambda p, m, x: p.random_unstructured(m, "weight", 0.4),
    "l1": lambda p, m, x: p.l1_unstructured(m, "weight", 0.3),
    "l1 none": lambda p, m, x: p.l1_unstructured(m, "weight", 0),
    "l1 all": lambda p, m, x: p.l1_unstructured(m, "weight", 1.0),
    "l1 bias": lambda p, m, x: p.l1_unstructured(m, "bias", 2),
    "l1 scores": lambda p, m, x: p.l1_unstructured(m, "weight", 0.3, importance_scores=x),
    "random slices": lambda p, m, x: p.random_structured(m, "weight", 2, dim=0),
    "random no slices": lambda p, m, x: p.random_structured(m, "weight", 0.0, dim=0),
    "random last slices": lambda p, m, x: p.random_structured(m, "weight", 1, dim=-1),
    "l2 slices": lambda p, m, x: p.ln_structured(m, "weight", 0.5, n=2, dim=0),
    "l1 slices": lambda p, m, x: p.ln_structured(m, "weight", 1, n=1, dim=1),
    "inf slices": lambda p, m, x: p.ln_structured(m, "weight", 1, n=float("inf"), dim=-2),
    "scored slices": lambda p, m, x: p.ln_structured(m, "weight", 1, 2, 0, importance_scores=x),
    "custom": lambda p, m, x: p.custom_from_mask(m, "weight", x > 4),
}


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("name", STEPS)
def test_one_step(net, name, index):
    def action(p, model, lib):
        assert not p.is_pruned(model)
        result = STEPS[name](p, model[index], net.scores(lib, index))
        assert result is model[index]
        assert p.is_pruned(model)

    net.both(action)
    net.both(lambda p, model, lib: p.remove(model[index], "bias" if "bias" in name else "weight"))
    assert not prune.is_pruned(net.nets[0])
    assert list(net.nets[0][index]._parameters) == list(net.nets[1][index]._parameters)


@pytest.mark.parametrize("first", ["random", "l1", "l2 slices", "custom", "identity"])
@pytest.mark.parametrize("second", ["random", "l1", "random slices", "l1 slices", "custom"])
def test_two_steps_and_a_third(net, first, second):
    for name in (first, second, "l1 bias", "l1"):
        net.both(lambda p, model, lib, n=name: STEPS[n](p, model[0], net.scores(lib, 0)))
    hooks = [list(model[0]._forward_pre_hooks.values()) for model in net.nets]
    for mine, yours in zip(*hooks, strict=True):
        assert type(mine).__name__ == type(yours).__name__
        if isinstance(mine, prune.PruningContainer):
            assert len(mine) == len(yours) == 3
            assert [type(m).__name__ for m in mine] == [type(m).__name__ for m in yours]
            assert mine[0] is next(iter(mine))
    net.both(lambda p, model, lib: p.remove(model[0], "weight"))


def test_training(net):
    x = np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
    net.both(lambda p, model, lib: p.l1_unstructured(model[1], "weight", 0.5))

    def train(p, model, lib):
        optimizer = lib.optim.SGD(model[1].parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            model[1](lib.from_numpy(x)).square().sum().backward()
            optimizer.step()
        return model[1].weight_orig.grad.numpy()

    ours, theirs = net.both(train)
    np.testing.assert_allclose(ours, theirs, 1e-5, 1e-4)
    assert (ours == 0).sum() >= 10
    net.both(lambda p, model, lib: model[1](lib.from_numpy(x)))


@pytest.mark.parametrize("method", ["L1Unstructured", "RandomUnstructured"])
@pytest.mark.parametrize("before", [None, "l1", "l2 slices"])
@pytest.mark.parametrize("scored", [False, True])
def test_global(net, method, before, scored):
    def action(p, model, lib):
        if before:
            STEPS[before](p, model[0], None)
        pairs = [(model[0], "weight"), (model[1], "weight"), (model[1], "bias")]
        scores = {(model[1], "weight"): net.scores(lib, 1)} if scored else None
        p.global_unstructured(pairs, getattr(p, method), scores, amount=0.4)

    net.both(action)


def test_prune_of_tensors(torch):
    for lib in (flambeau, torch):
        method = lib.nn.utils.prune.L1Unstructured(2)
        x = lib.tensor([3.0, -1.0, 2.0, -4.0])
        assert method.prune(x).tolist() == [3.0, 0.0, 0.0, -4.0]
        mask = lib.tensor([0.0, 1.0, 1.0, 1.0])
        assert method.prune(x, default_mask=mask).tolist() == [0.0, 0.0, 0.0, -4.0]
        with pytest.raises(AssertionError, match="same shape"):
            method.prune(x, importance_scores=x[:2])


def test_copies_pickles_and_checkpoints():
    layer = prune.l1_unstructured(flambeau.nn.Linear(3, 3), "weight", 4)
    layer.weight = layer.weight.detach()  # as after a call without gradients
    other = pickle.loads(pickle.dumps(layer))
    for again in (copy.deepcopy(layer), other):
        assert prune.is_pruned(again)
        assert flambeau.equal(again(flambeau.ones(1, 3)), layer(flambeau.ones(1, 3)))
    fresh = prune.identity(flambeau.nn.Linear(3, 3), "weight")
    fresh.load_state_dict(layer.state_dict())
    assert flambeau.equal(fresh(flambeau.ones(1, 3)), layer(flambeau.ones(1, 3)))


def test_methods_of_ones_own(net):
    def every_other(lib):
        p = lib.nn.utils.prune

        class EveryOther(p.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        return EveryOther

    def action(p, model, lib):
        p.ln_structured(model[0], "weight", 2, n=2, dim=0)
        hook = every_other(lib).apply(model[0], "weight")
        assert isinstance(hook, p.PruningContainer)
        every_other(lib).apply(model[1], "bias")

    net.both(action)


def failing(lib):
    """A method whose mask can not be computed."""

    class Failing(lib.nn.utils.prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            raise ArithmeticError

    return Failing


def test_failure_leaves_the_module_as_it_was(net):
    def action(p, model, lib):
        with pytest.raises(ArithmeticError):
            failing(lib).apply(model[1], "weight")
        assert list(model[1]._parameters) == ["bias", "weight"]

    net.both(action)


def container(p, kind=None):
    """A container with a method of a kind of its own, for a tensor."""
    method = p.Identity()
    method._tensor_name = "weight"
    if kind is not None:
        method.PRUNING_TYPE = kind
    return p.PruningContainer(method)


BAD = {
    "amount text": lambda p, m, t: p.l1_unstructured(m, "weight", "a"),
    "amount negative": lambda p, m, t: p.random_unstructured(m, "weight", -1),
    "amount large fraction": lambda p, m, t: p.ln_structured(m, "weight", 1.1, 2, 0),
    "amount large": lambda p, m, t: p.l1_unstructured(m, "weight", 21),
    "slices large": lambda p, m, t: p.random_structured(m, "weight", 6, 0),
    "slices of a vector": lambda p, m, t: p.ln_structured(m, "bias", 1, 2, 0),
    "random slices of a vector": lambda p, m, t: p.random_structured(m, "bias", 1, 0),
    "slices along no dim": lambda p, m, t: p.ln_structured(m, "weight", 1, 2, 2),
    "scores of another shape": lambda p, m, t: p.l1_unstructured(m, "weight", 1, t.ones(2)),
    "mask of another shape": lambda p, m, t: p.custom_from_mask(m, "weight", t.ones(2)),
    "remove": lambda p, m, t: p.remove(m, "weight"),
    "unknown": lambda p, m, t: p.l1_unstructured(m, "nothing", 1),
    "global no pairs": lambda p, m, t: p.global_unstructured(3, p.L1Unstructured, amount=1),
    "global scores": lambda p, m, t: p.global_unstructured(
        [(m, "weight")], p.L1Unstructured, [t.ones(5, 4)], amount=1
    ),
    "global slices": lambda p, m, t: p.global_unstructured(
        [(m, "weight")], p.RandomStructured, amount=1
    ),
    "abstract": lambda p, m, t: p.BasePruningMethod(),
    "container of text": lambda p, m, t: container(p).add_pruning_method("text"),
    "container of another": lambda p, m, t: container(p).add_pruning_method(p.Identity()),
    "kind": lambda p, m, t: container(p, "odd").compute_mask(t.ones(2), t.ones(2)),
    "no dim": lambda p, m, t: container(p, "structured").compute_mask(t.ones(2), t.ones(2)),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(net, name):
    errors = []
    for lib, model in zip(net.libraries, net.nets, strict=True):
        with pytest.raises(Exception) as caught:
            BAD[name](lib.nn.utils.prune, model[1], lib)
        errors.append(type(caught.value))
    if name == "container of another":  # torch forgot that a method may have no tensor yet
        errors[1] = ValueError
    assert errors[0] is errors[1]
    net.compare()


def test_methods_before_they_are_applied():
    layer = flambeau.nn.Linear(2, 2)
    for function in (prune.Identity().apply_mask, prune.Identity().remove):
        with pytest.raises(AssertionError, match="has to be pruned"):
            function(layer)
    for _ in range(2):
        method = prune.Identity()
        method._tensor_name = "weight"
        layer.register_forward_pre_hook(method)
    with pytest.raises(AssertionError, match="Use a PruningContainer"):
        prune.identity(layer, "weight")
    slices = prune.LnStructured(1, 2, dim=-3)
    slices._tensor_name = "weight"
    with pytest.raises(IndexError, match="out of bounds"):
        prune.PruningContainer(slices).compute_mask(flambeau.ones(2, 2), flambeau.ones(2, 2))
