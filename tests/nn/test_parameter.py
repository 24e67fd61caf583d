"""`flambeau.nn.parameter`."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn


def test_parameter_is_a_tensor_that_requires_grad():
    data = flambeau.tensor([1.0, 2.0])
    param = nn.Parameter(data)
    assert isinstance(param, nn.Parameter)
    assert isinstance(param, flambeau.Tensor)
    assert param.requires_grad
    assert param.is_leaf
    assert not data.requires_grad
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert not isinstance(data, nn.Parameter)


def test_results_of_operations_are_plain_tensors():
    param = nn.Parameter(flambeau.ones(2))
    for result in (param + 1, param * param, param.detach(), param.clone(), param[0]):
        assert type(result) is flambeau.Tensor


def test_parameter_shares_memory_with_its_data():
    data = flambeau.zeros(2)
    param = nn.Parameter(data)
    data[0] = 5
    assert param.tolist() == [5.0, 0.0]


def test_gradients_accumulate():
    param = nn.Parameter(flambeau.tensor([1.0, 2.0]))
    for _ in range(2):
        (param * param).sum().backward()
    assert param.grad.tolist() == [4.0, 8.0]


def test_default_is_empty():
    assert nn.Parameter().shape == (0,)
    assert nn.Buffer().shape == (0,)


def test_repr(torch):
    values = [[1.0, 2.5], [3.0, 4.0]]
    theirs = torch.nn.Parameter(torch.tensor(values))
    assert repr(nn.Parameter(flambeau.tensor(values))) == repr(theirs)


@pytest.mark.parametrize("kind", [nn.Parameter, nn.Buffer])
def test_data_must_be_a_tensor(kind):
    with pytest.raises(TypeError, match="expected a Tensor, got list"):
        kind([1.0])


def test_integers_can_not_require_gradients():
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(flambeau.tensor([1]))
    assert nn.Parameter(flambeau.tensor([1]), requires_grad=False).dtype == flambeau.int64


def test_deepcopy_has_memory_of_its_own():
    param = nn.Parameter(flambeau.ones(2))
    pair = copy.deepcopy([param, param])
    assert type(pair[0]) is nn.Parameter
    assert pair[0] is pair[1]
    with flambeau.no_grad():
        param.add_(1)
    assert pair[0].tolist() == [1.0, 1.0]


def test_pickle():
    param = pickle.loads(pickle.dumps(nn.Parameter(flambeau.ones(2), requires_grad=False)))
    assert type(param) is nn.Parameter
    assert not param.requires_grad
    assert param.tolist() == [1.0, 1.0]


def test_buffer():
    buffer = nn.Buffer(flambeau.ones(2), persistent=False)
    assert isinstance(buffer, nn.Buffer)
    assert isinstance(buffer, flambeau.Tensor)
    assert not buffer.persistent
    assert not buffer.requires_grad
    assert nn.Buffer(flambeau.ones(2)).persistent
