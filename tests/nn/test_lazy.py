"""`flambeau.nn.lazy`: tensors without a shape, and modules that hold them."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn
from flambeau.nn.lazy import LazyModuleMixin, is_lazy


@pytest.mark.parametrize("name", ["UninitializedParameter", "UninitializedBuffer"])
def test_like_torch(torch, name):
    found = []
    for t in (flambeau, torch):
        tensor = getattr(t.nn, name)(dtype=t.float64)
        with pytest.raises(RuntimeError, match="Can't access the shape"):
            _ = tensor.shape
        before = (repr(tensor), tensor.requires_grad, isinstance(tensor, t.nn.Buffer))
        tensor.materialize((2, 3))
        found.append((*before, tuple(tensor.shape), str(tensor.dtype), type(tensor).__name__))
        found[-1] += (isinstance(tensor, t.nn.Parameter), is_lazy(tensor))
    assert found[0] == found[1]


@pytest.mark.parametrize("make", [nn.UninitializedParameter, nn.UninitializedBuffer])
def test_copies_have_no_shape_either(make):
    tensor = make(dtype=flambeau.float64)
    for other in (copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor))):
        assert type(other) is make
        assert other.dtype == flambeau.float64
        assert other.requires_grad == tensor.requires_grad


def test_buffers_that_are_not_saved():
    assert nn.UninitializedBuffer().persistent
    assert not copy.deepcopy(nn.UninitializedBuffer(persistent=False)).persistent


class Shift(LazyModuleMixin, nn.Module):
    """Adds a parameter and a buffer of the size of its input."""

    def __init__(self):
        super().__init__()
        self.shift = nn.UninitializedParameter()
        self.register_buffer("rest", nn.UninitializedBuffer())

    def initialize_parameters(self, input):
        """As large as the input."""
        for tensor in (self.shift, self.rest):
            if is_lazy(tensor):
                tensor.materialize(input.shape)
                tensor.data.fill_(1.0)

    def forward(self, input):
        """The input, two larger."""
        return input + self.shift + self.rest


def test_own_module():
    module = Shift()
    assert module.has_uninitialized_params()
    assert module(flambeau.zeros(2)).tolist() == [2.0, 2.0]
    assert not module.has_uninitialized_params()
    assert type(module) is Shift


def test_cast_before_there_is_a_shape():
    module = Shift().double()
    assert all(map(is_lazy, (module.shift, module.rest)))
    assert module(flambeau.zeros(2)).dtype == flambeau.float64


def test_states():
    full, empty = Shift(), Shift()
    full(flambeau.zeros(3))
    assert all(map(is_lazy, empty.state_dict().values()))
    other = Shift()
    other.load_state_dict(empty.state_dict())
    assert other.has_uninitialized_params()
    other.load_state_dict(full.state_dict())
    assert other.rest.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        full.load_state_dict(empty.state_dict())


def test_modules_have_to_initialize():
    class Forgetful(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()

    with pytest.raises(TypeError, match="initialize_parameters is not defined"):
        Forgetful()(1)
    Forgetful.initialize_parameters = lambda self, input: None
    with pytest.raises(RuntimeError, match="has not been fully initialized"):
        Forgetful()(1)
