"""Parameters that are functions of others, followed in both libraries."""

import copy
import pickle

import pytest

import flambeau
from flambeau.nn.utils import parametrize


def kinds(lib):
    """The parametrizations of the tests, for one library."""

    class Skew(lib.nn.Module):
        def forward(self, x):
            x = x.triu(1)
            return x - x.T

        def right_inverse(self, x):
            return x.triu(1)

    class Scale(lib.nn.Module):
        def __init__(self, factor=2.0):
            super().__init__()
            self.factor = factor
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.factor

        def right_inverse(self, x):
            return x / self.factor

    class RankOne(lib.nn.Module):
        def forward(self, x, y):
            return x.unsqueeze(-1) @ y.unsqueeze(-2)

        def right_inverse(self, z):
            return z[:, 0] * 1.0, z[0] / z[0, 0]

    class NoInverse(lib.nn.Module):
        def forward(self, x):
            return x.tanh()

    class Refuses(NoInverse):
        def right_inverse(self, x):
            raise NotImplementedError

    class Sized(lib.nn.Module):
        def forward(self, x):
            return x.sum(0)

    class Wide(lib.nn.Module):
        def forward(self, x):
            return x.double()

    class Text(lib.nn.Module):
        def forward(self, x):
            return "text"

    class Inverse(lib.nn.Module):
        def __init__(self, result):
            super().__init__()
            self.result = result

        def forward(self, *x):
            return x[0]

        def right_inverse(self, x):
            return self.result(x)

    names = locals()
    return {name: value for name, value in names.items() if name[0].isupper()}


class Follower:
    """A linear layer of each library with the same weights."""

    def __init__(self, twins, *sizes, **kwargs):
        self.twins = twins
        self.layers = twins.build("Linear", *sizes, **kwargs)
        self.libraries = (flambeau, twins.torch)
        self.made = [kinds(lib) for lib in self.libraries]

    def modules(self):
        """(parametrize, layer, parametrizations) of each library."""
        for lib, layer, made in zip(self.libraries, self.layers, self.made, strict=True):
            yield lib.nn.utils.parametrize, layer, made

    def register(self, name, *args, tensor="weight", **kwargs):
        for p, layer, made in self.modules():
            found = p.register_parametrization(layer, tensor, made[name](*args), **kwargs)
            assert found is layer
        self.same()

    def assign(self, value, tensor="weight"):
        ours, theirs = self.layers
        setattr(ours, tensor, self.twins.ours(value.detach()))
        setattr(theirs, tensor, value.detach())
        self.same()

    def same(self):
        """Assert that weights, parameters, state, text and class names are the same."""
        ours, theirs = self.layers
        self.twins.close(ours.weight, theirs.weight)
        state = [dict(layer.state_dict()) for layer in self.layers]
        assert list(state[0]) == list(state[1])
        for key, value in state[1].items():
            self.twins.close(state[0][key], value, key)
        assert repr(ours) == repr(theirs)
        assert type(ours).__name__ == type(theirs).__name__
        parameters = [[n for n, _ in layer.named_parameters()] for layer in self.layers]
        assert parameters[0] == parameters[1]

    def gradients(self):
        """Assert that the gradients of all parameters are the same."""
        x = self.twins.randn(4, self.layers[1].in_features)
        self.twins.check_module(self.layers, x)


@pytest.mark.parametrize(
    "chain", [["Skew"], ["Scale"], ["Scale", "Skew"], ["NoInverse"], ["Refuses"]]
)
def test_one_tensor(twins, chain):
    follow = Follower(twins, 3, 3)
    weights = [layer.weight for layer in follow.layers]
    for name in chain:
        follow.register(name)
    follow.gradients()
    originals = [layer.parametrizations.weight.original for layer in follow.layers]
    assert originals[0] is weights[0]
    if "N" not in chain[0] and "R" not in chain[0]:
        x = twins.randn(3, 3)
        follow.assign(x - x.T)
        follow.gradients()
    for p, layer, _ in follow.modules():
        assert p.is_parametrized(layer)
        assert p.is_parametrized(layer, "weight")
        assert not p.is_parametrized(layer, "bias")
        assert p.type_before_parametrizations(layer).__name__ == "Linear"
        assert p.remove_parametrizations(layer, "weight") is layer
        assert not p.is_parametrized(layer)
    follow.same()
    assert follow.layers[0].weight is weights[0]
    assert type(follow.layers[0]) is flambeau.nn.Linear


def test_removal_without_the_parametrized_value(twins):
    follow = Follower(twins, 3, 3)
    follow.register("Scale", 3.0)
    for p, layer, _ in follow.modules():
        p.remove_parametrizations(layer, "weight", leave_parametrized=False)
    follow.same()


def test_several_tensors(twins):
    follow = Follower(twins, 3, 4)
    for layer in follow.layers:
        layer.requires_grad_(False)
        layer.weight.copy_(layer.weight[:, :1] @ layer.weight[:1])
        layer.requires_grad_(True)
    follow.register("RankOne")
    follow.register("Scale")
    follow.gradients()
    x = twins.randn(4, 1) @ twins.randn(1, 3)
    follow.assign(x)
    follow.gradients()
    for p, layer, _ in follow.modules():
        with pytest.raises(ValueError, match="Cannot leave unparametrized"):
            p.remove_parametrizations(layer, "weight", leave_parametrized=False)
        p.remove_parametrizations(layer, "weight")
        assert layer.weight.requires_grad
        assert layer.weight.is_leaf
    follow.same()


def test_two_tensors_and_buffers(twins):
    follow = Follower(twins, 3, 3)
    for layer, lib in zip(follow.layers, follow.libraries, strict=True):
        layer.register_buffer("mask", lib.ones(3, 3))
    follow.register("Scale")
    follow.register("Scale", 0.5, tensor="bias")
    follow.register("Scale", 3.0, tensor="mask")
    for p, layer, _ in follow.modules():
        assert layer.mask.tolist() == [[1.0] * 3] * 3
        original = layer.parametrizations.mask.original
        assert original.flatten().tolist() == pytest.approx([1 / 3] * 9)
        p.remove_parametrizations(layer, "weight")
        assert p.is_parametrized(layer)
    follow.same()
    follow.gradients()


def test_training_mode_and_unsafe(twins):
    follow = Follower(twins, 3, 3)
    for layer in follow.layers:
        layer.eval()
    follow.register("NoInverse")
    assert not follow.layers[0].parametrizations.weight[0].training
    follow.register("Sized", unsafe=True)
    assert follow.layers[0].weight.shape == (3,)
    assert follow.layers[0].parametrizations.weight.unsafe


def test_cached(twins):
    layer = flambeau.nn.Linear(3, 3)
    scale = kinds(flambeau)["Scale"]()
    parametrize.register_parametrization(layer, "weight", scale)
    scale.calls = 0
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        other = copy.deepcopy(layer)
        assert other.weight is not first
        assert layer.weight is first
    assert scale.calls == 1
    assert layer.weight is not first


def test_copies_and_pickles():
    layer = flambeau.nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", flambeau.nn.Tanh())
    net = flambeau.nn.Sequential(layer, layer)
    other = copy.deepcopy(net)
    assert other[0] is other[1]
    assert flambeau.equal(other[0].weight, layer.weight)
    assert other[0].parametrizations.weight.original is not layer.parametrizations.weight.original
    with pytest.raises(RuntimeError, match=r"only supported through state_dict\(\)"):
        pickle.dumps(layer)
    fresh = flambeau.nn.Linear(3, 3)
    parametrize.register_parametrization(fresh, "weight", flambeau.nn.Tanh())
    fresh.load_state_dict(layer.state_dict())
    assert flambeau.equal(fresh.weight, layer.weight)


@pytest.mark.parametrize("name", ["weight", None])
@pytest.mark.parametrize("kind", ["Scale", "RankOne"])
def test_transfer(twins, name, kind):
    follow = Follower(twins, 3, 3)
    for layer in follow.layers:
        layer.requires_grad_(False)
        layer.weight.copy_(layer.weight[:, :1] @ layer.weight[:1])
    targets = []
    for p, layer, made in follow.modules():
        p.register_parametrization(layer, "weight", made[kind]())
        p.register_parametrization(layer, "bias", made["Scale"]())
        target = type(layer).__bases__[0](3, 3).requires_grad_(False)
        target.weight.fill_(1.0)
        assert p.transfer_parametrizations_and_params(layer, target, name) is target
        assert p.is_parametrized(target, "bias") == (name is None)
        targets.append(target)
    ours = targets[0]
    names = [[n for n, _ in target.named_parameters()] for target in targets]
    assert names[0] == names[1]
    twins.close(ours.weight, follow.layers[1].weight)
    assert ours.parametrizations.weight[0] is follow.layers[0].parametrizations.weight[0]
    bare = parametrize.transfer_parametrizations_and_params(ours, flambeau.nn.Module(), name)
    assert flambeau.equal(bare.weight, ours.weight)
    plain = flambeau.nn.Linear(2, 2)
    assert parametrize.transfer_parametrizations_and_params(plain, ours) is ours


def register(p, layer, made, first, *args, second=None, **kwargs):
    """Register one parametrization, or one on another."""
    if second is not None:
        p.register_parametrization(layer, "weight", made["NoInverse"]())
    p.register_parametrization(layer, "weight", made[first](*args), **kwargs)


def assign(p, layer, made, name, *args, value):
    p.register_parametrization(layer, "weight", made[name](*args), unsafe=True)
    layer.weight = value(layer)


BAD = {
    "shape": lambda p, m, k: register(p, m, k, "Sized"),
    "dtype": lambda p, m, k: register(p, m, k, "Wide"),
    "no tensor": lambda p, m, k: register(p, m, k, "Text"),
    "second shape": lambda p, m, k: register(p, m, k, "Sized", second=True),
    "second dtype": lambda p, m, k: register(p, m, k, "Wide", second=True),
    "second no tensor": lambda p, m, k: register(p, m, k, "Text", second=True),
    "inverse is text": lambda p, m, k: register(p, m, k, "Inverse", lambda x: 3),
    "inverse of text": lambda p, m, k: register(p, m, k, "Inverse", lambda x: ("a", x)),
    "inverse dtype": lambda p, m, k: register(p, m, k, "Inverse", lambda x: x.double()),
    "second inverse": lambda p, m, k: register(p, m, k, "Inverse", lambda x: 3, second=True),
    "second inverse shape": lambda p, m, k: register(
        p, m, k, "Inverse", lambda x: x[0], second=True
    ),
    "second inverse dtype": lambda p, m, k: register(
        p, m, k, "Inverse", lambda x: x.double(), second=True
    ),
    "unknown name": lambda p, m, k: p.register_parametrization(m, "nothing", k["Scale"]()),
    "nothing to remove": lambda p, m, k: p.remove_parametrizations(m, "weight"),
    "empty list": lambda p, m, k: p.ParametrizationList([], m.weight),
    "no inverse": lambda p, m, k: assign(p, m, k, "NoInverse", value=lambda m: m.weight.detach()),
    "refused": lambda p, m, k: assign(p, m, k, "Refuses", value=lambda m: m.weight.detach()),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(twins, name):
    errors = []
    for p, layer, made in Follower(twins, 3, 3).modules():
        with pytest.raises(Exception) as caught:
            BAD[name](p, layer, made)
        errors.append(type(caught.value))
    assert errors[0] is errors[1]


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ([lambda x: x, lambda x: 3], "should return a tensor"),
        ([lambda x: x, lambda x: x.double()], "dtype"),
        ([lambda x: (x, x), lambda x: 3], "must return a sequence"),
        ([lambda x: (x, x), lambda x: (x,)], "length 2"),
        ([lambda x: (x, x), lambda x: (x, 3)], "element 1"),
        ([lambda x: (x, x), lambda x: (x, x.double())], "dtype"),
    ],
)
def test_inverses_that_change_their_mind(results, text):
    layer = flambeau.nn.Linear(2, 2)
    inverse = kinds(flambeau)["Inverse"](results[0])
    parametrize.register_parametrization(layer, "weight", inverse)
    inverse.result = results[1]
    with pytest.raises(ValueError, match=text):
        layer.weight = flambeau.ones(2, 2)


def test_parameters_are_not_assigned():
    layer = flambeau.nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", kinds(flambeau)["Scale"]())
    with pytest.raises(KeyError, match="already exists"):
        layer.weight = flambeau.nn.Parameter(flambeau.ones(2, 2))
