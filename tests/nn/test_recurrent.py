"""`flambeau.nn.recurrent` and the functions behind it against torch."""

import copy
import warnings

import numpy as np
import pytest

import flambeau
from flambeau import nn

LAYERS = ["RNN", "LSTM", "GRU"]
CELLS = ["RNNCell", "LSTMCell", "GRUCell"]
OPTIONS = {
    "plain": {},
    "no bias": {"bias": False},
    "stacked": {"num_layers": 2},
    "bidirectional": {"num_layers": 2, "bidirectional": True},
    "batch first": {"batch_first": True, "bidirectional": True},
    "float64": {"dtype": "float64"},
}


def make(twins, name, *args, **kwargs):
    """The layer in both libraries, with equal weights."""
    if "dtype" in kwargs:
        kwargs["dtype"] = getattr(twins.torch, kwargs["dtype"])
    return twins.build(name, *args, **kwargs)


def flat(result):
    """The tensors in the result of a layer."""
    if isinstance(result, tuple):
        return [leaf for part in result for leaf in flat(part)]
    return [] if result is None else [result]


def compare(twins, modules, *inputs, second=False):
    """Compare results, and gradients of a sum over all of them, of a pair of layers."""
    ours, theirs = modules
    our_inputs = twins.ours(inputs)
    results = flat(ours(*our_inputs)), flat(theirs(*inputs))
    twins.close(*results)
    assert [r.stride() for r in results[0]] == [r.stride() for r in results[1]]
    totals = [sum((r * r).sum() for r in rs if r.dtype.is_floating_point) for rs in results]
    twins.check_gradients(
        *totals,
        [*flat(our_inputs), *ours.parameters()],
        [*flat(inputs), *theirs.parameters()],
        second,
    )


def states(twins, name, *shape, dtype=None):
    """First states for a layer."""
    h = twins.randn(*shape, dtype=dtype)
    return (h, twins.randn(*shape, dtype=dtype)) if "LSTM" in name else h


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(twins, name, options):
    modules = make(twins, name, 3, 4, **options)
    dtype = options.get("dtype")
    x = twins.randn(5, 2, 3, dtype=dtype)
    compare(twins, modules, x)
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    batch = 5 if options.get("batch_first") else 2
    compare(twins, modules, x, states(twins, name, layers, batch, 4, dtype=dtype))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_relu(twins, options):
    modules = make(twins, "RNN", 3, 4, nonlinearity="relu", **options)
    compare(twins, modules, twins.randn(5, 2, 3, dtype=options.get("dtype")))


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_projections(twins, bias, bidirectional):
    layers = 4 if bidirectional else 2
    modules = make(
        *(twins, "LSTM", 3, 5, 2),
        **{"bias": bias, "proj_size": 2, "bidirectional": bidirectional},
    )
    x = twins.randn(4, 2, 3)
    compare(twins, modules, x)
    compare(twins, modules, x, (twins.randn(layers, 2, 2), twins.randn(layers, 2, 5)))


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives(twins, name):
    modules = make(twins, name, 2, 3, bidirectional=True, dtype="float64")
    x = twins.randn(3, 2, 2, dtype="float64")
    compare(twins, modules, x, states(twins, name, 2, 2, 3, dtype="float64"), second=True)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_without_batch(twins, name, batch_first):
    modules = make(twins, name, 3, 4, batch_first=batch_first, bidirectional=True)
    compare(twins, modules, twins.randn(5, 3))
    compare(twins, modules, twins.randn(5, 3), states(twins, name, 2, 4))


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("lengths", [(4, 4, 4), (4, 2, 1), (2, 4, 1)])
@pytest.mark.parametrize("name", LAYERS)
def test_packed(twins, name, lengths, with_states):
    ours, theirs = make(twins, name, 3, 4, 2, bidirectional=True)
    x = [twins.randn(n, 3) for n in lengths]
    first = [states(twins, name, 4, 3, 4)] if with_states else []
    our_x, our_first = twins.ours((x, first))
    sorting = {"enforce_sorted": lengths[0] == 4}
    results = [
        flat(module(lib.nn.utils.rnn.pack_sequence(sequences, **sorting), *start))
        for lib, module, sequences, start in (
            (flambeau, ours, our_x, our_first),
            (twins.torch, theirs, x, first),
        )
    ]
    twins.close(*results)
    totals = [sum((r * r).sum() for r in rs if r.dtype.is_floating_point) for rs in results]
    twins.check_gradients(
        *totals,
        [*our_x, *flat(tuple(our_first)), *ours.parameters()],
        [*x, *flat(tuple(first)), *theirs.parameters()],
    )


@pytest.mark.parametrize("name", LAYERS)
def test_initial_weights_are_those_of_torch(torch, name):
    found = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        layer = getattr(lib.nn, name)(4, 5, 2, bidirectional=True)
        found.append({key: value.tolist() for key, value in layer.state_dict().items()})
    assert found[0] == found[1]
    assert list(found[0]) == list(found[1])


@pytest.mark.parametrize("name", LAYERS)
def test_dropout(twins, name):
    modules = make(twins, name, 3, 4, 3, dropout=1.0)
    compare(twins, modules, twins.randn(5, 2, 3))
    for module in modules:
        module.dropout = 0.4
        module.eval()
    compare(twins, modules, twins.randn(5, 2, 3))


def test_dropout_is_between_the_layers():
    layer, x = nn.GRU(3, 4, 2, dropout=0.4), flambeau.randn(5, 2, 3)
    below, above = nn.GRU(3, 4), nn.GRU(4, 4)
    for k, part in enumerate((below, above)):
        for old, new in zip(layer.all_weights[k], part.all_weights[0], strict=True):
            new.data = old.data
    flambeau.manual_seed(1)
    out = layer(x)[0]
    flambeau.manual_seed(1)
    middle = flambeau.nn.functional.dropout(below(x)[0], 0.4)
    assert flambeau.allclose(out, above(middle)[0])


def test_dropout_without_a_second_layer():
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.LSTM(3, 4, dropout=0.5)


def test_wrong_options(twins):
    for name in LAYERS:
        path = "nn." + name
        for size in ((0, 4), (3, 0), (3, 4, 0), (3, 4.0), (3.0, 4)):
            twins.same_error(path, *size)
        for options in (
            {"dropout": 2},
            {"dropout": True},
            {"bias": 1},
            {"batch_first": 1},
            {"proj_size": 4},
            {"proj_size": -1},
        ):
            twins.same_error(path, 3, 4, **options)
    for name in ("RNN", "GRU"):
        twins.same_error("nn." + name, 3, 4, proj_size=2)
    twins.same_error("nn.RNN", 3, 4, nonlinearity="sine")
    twins.same_error("nn.RNNBase", "SINE", 3, 4)


def same_failure(modules, twins, *inputs):
    """Assert that two layers fail with the same class of error."""
    caught = []
    for module, args in zip(modules, (twins.ours(inputs), inputs), strict=True):
        with pytest.raises(Exception) as error:
            module(*args)
        caught.append(error.type)
    assert caught[0] is caught[1]


@pytest.mark.parametrize("name", LAYERS)
def test_wrong_inputs(twins, name):
    modules = make(twins, name, 3, 4)
    for shape in ((3,), (1, 2, 3, 3), (5, 2, 4), (0, 2, 3)):
        same_failure(modules, twins, twins.randn(*shape))
    same_failure(modules, twins, twins.randn(5, 2, 3, dtype="float64"))
    x = twins.randn(5, 2, 3)
    for shape in ((1, 4), (1, 3, 4), (2, 2, 4), (1, 2, 3)):
        same_failure(modules, twins, x, states(twins, name, *shape))
    same_failure(modules, twins, x[0], states(twins, name, 1, 2, 4))


@pytest.mark.parametrize("name", LAYERS)
def test_weights_are_looked_up_when_called(name):
    layer = getattr(nn, name)(2, 3)
    other = copy.deepcopy(layer)
    x = flambeau.randn(4, 1, 2)
    assert flambeau.equal(layer(x)[0], other(x)[0])
    other.weight_hh_l0 = nn.Parameter(flambeau.zeros_like(layer.weight_hh_l0))
    assert not flambeau.equal(layer(x)[0], other(x)[0])
    assert other.all_weights[0][1] is other.weight_hh_l0
    other.flatten_parameters()
    assert other.double()(x.double())[0].dtype == flambeau.float64


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_cells(twins, name, bias):
    modules = make(twins, name, 3, 4, bias)
    compare(twins, modules, twins.randn(2, 3))
    compare(twins, modules, twins.randn(2, 3), states(twins, name, 2, 4))
    compare(twins, modules, twins.randn(3))
    compare(twins, modules, twins.randn(3), states(twins, name, 4))


def test_relu_cell(twins):
    modules = make(twins, "RNNCell", 3, 4, nonlinearity="relu")
    compare(twins, modules, twins.randn(2, 3), twins.randn(2, 4))
    same_failure(make(twins, "RNNCell", 3, 4, True, "sine"), twins, twins.randn(2, 3))


@pytest.mark.parametrize("name", CELLS)
def test_wrong_inputs_of_cells(twins, name):
    modules = make(twins, name, 3, 4)
    for shape in ((1, 2, 3), (2, 4)):
        same_failure(modules, twins, twins.randn(*shape))
    for shape in ((1, 2, 4), (4,), (3, 4), (2, 5)):
        same_failure(modules, twins, twins.randn(2, 3), states(twins, name, *shape))
    same_failure(modules, twins, twins.randn(3), states(twins, name, 1, 4))
    same_failure(modules, twins, twins.randn(2, 3, dtype="float64"))


@pytest.mark.parametrize("name", CELLS)
def test_initial_weights_of_cells_are_those_of_torch(torch, name):
    found = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        layer = getattr(lib.nn, name)(4, 5)
        found.append({key: value.tolist() for key, value in layer.state_dict().items()})
    assert found[0] == found[1]


GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def weights(twins, gates, directions=1):
    shapes = ((gates * 4, 3), (gates * 4, 4), (gates * 4,), (gates * 4,))
    return [twins.randn(*shape) for _ in range(directions) for shape in shapes]


@pytest.mark.parametrize("name", GATES)
def test_functions(twins, name):
    params, x, h = weights(twins, GATES[name], 2), twins.randn(5, 2, 3), twins.randn(2, 2, 4)
    hx = [h, twins.randn(2, 2, 4)] if name == "lstm" else h
    tail = (params, True, 1, 0.0, False, True)
    twins.check(name, x, hx, *tail, False)
    twins.check(name, x.transpose(0, 1).detach(), hx, *tail, batch_first=True)
    sizes = twins.torch.tensor([2, 2, 1])
    twins.check(name, twins.randn(5, 3), sizes, hx, *tail)


@pytest.mark.parametrize("name", GATES)
def test_functions_check_their_arguments(name):
    function, h = getattr(flambeau, name), flambeau.zeros(1, 2, 4)
    hx = (h, h) if name == "lstm" else h
    n = GATES[name] * 4
    params = [flambeau.zeros(*shape) for shape in ((n, 3), (n, 4), (n,), (n,))]
    x, tail = flambeau.zeros(5, 2, 3), (1, 0.0, False, False)
    with pytest.raises(RuntimeError, match="expected 2 weights"):
        function(x, hx, params, False, *tail, False)
    with pytest.raises(RuntimeError, match="5 sequences"):
        function(x, hx, params, True, *tail, True)
    with pytest.raises(RuntimeError, match="expected 8 weights"):
        function(x, hx, params, True, 2, 0.0, False, False, False)
    with pytest.raises(RuntimeError, match="must decrease"):
        function(x[:, 0], flambeau.tensor([1, 2, 2]), hx, params, True, *tail)
    with pytest.raises(RuntimeError, match="sequence length"):
        function(x[:0], hx, params, True, *tail, False)


@pytest.mark.parametrize("name", GATES)
def test_functions_of_cells(twins, name):
    h = twins.randn(2, 4)
    hx = (h, twins.randn(2, 4)) if name == "lstm" else h
    params = weights(twins, GATES[name])
    for count in (2, 3, 4):
        twins.check(name + "_cell", twins.randn(2, 3), hx, *params[:count])
    twins.check(name + "_cell", twins.randn(2, 3), hx, *params[:2], b_hh=params[3])
    twins.same_error(name + "_cell", twins.randn(3), hx, *params)


def test_lstm_needs_two_states(twins):
    params, h = weights(twins, 4), twins.randn(2, 4)
    twins.same_error("lstm_cell", twins.randn(2, 3), [h], *params)


def test_training_learns_to_sum():
    flambeau.manual_seed(0)
    layer, head = nn.LSTM(1, 8), nn.Linear(8, 1)
    optimizer = flambeau.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    x = flambeau.rand(6, 32, 1)
    losses = []
    for _ in range(30):
        loss = ((head(layer(x)[1][0][0]) - x.sum(0)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
    assert np.isfinite(losses).all()


def test_no_warnings_of_usual_layers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.LSTM(2, 3, 2, dropout=0.5)(flambeau.zeros(2, 1, 2))
