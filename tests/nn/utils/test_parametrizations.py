"""Weights normalised by length, by the largest singular value, or orthogonal."""

import pytest

import flambeau
from flambeau.nn.utils import parametrizations, parametrize

LAYERS = {
    "Linear": ((4, 3), (5, 4)),
    "Conv2d": ((2, 3, 2), (2, 2, 5, 5)),
    "ConvTranspose1d": ((2, 3, 2), (2, 2, 6)),
}


def pair(twins, function, layer, args, load=True, **kwargs):
    """A pair of parametrized layers, with the state of torch's."""
    ours, theirs = twins.build(layer, *args)
    assert getattr(parametrizations, function)(ours, **kwargs) is ours
    getattr(twins.torch.nn.utils.parametrizations, function)(theirs, **kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    if load:
        ours.load_state_dict(twins.ours(dict(theirs.state_dict())))
    return ours, theirs


def compare_state(twins, ours, theirs, slack=1):
    for key, value in theirs.state_dict().items():
        twins.close(ours.state_dict()[key], value, key, slack)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(twins, name, dim):
    args, shape = LAYERS[name]
    ours, theirs = pair(twins, "weight_norm", name, args, load=False, dim=dim)
    compare_state(twins, ours, theirs)
    twins.check_module((ours, theirs), twins.randn(*shape))
    value = twins.randn(*theirs.weight.shape, grad=False)
    ours.weight, theirs.weight = twins.ours(value), value
    compare_state(twins, ours, theirs)
    parametrize.remove_parametrizations(ours, "weight")
    twins.close(ours.weight, theirs.weight)
    assert ours.weight.is_leaf


def test_checkpoints_of_the_hook(twins):
    layer = twins.torch.nn.Linear(3, 2)
    with pytest.warns(FutureWarning, match="deprecated"):
        twins.torch.nn.utils.weight_norm(layer)
    ours = parametrizations.weight_norm(flambeau.nn.Linear(3, 2))
    ours.load_state_dict(twins.ours(dict(layer.state_dict())))
    twins.close(ours.weight, layer.weight)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kwargs", [{}, {"n_power_iterations": 3}, {"dim": 1}, {"dim": -1}])
def test_spectral_norm(twins, name, kwargs):
    args, shape = LAYERS[name]
    ours, theirs = pair(twins, "spectral_norm", name, args, **kwargs)
    for training in (True, False, True):
        ours.train(training)
        theirs.train(training)
        twins.check_module((ours, theirs), twins.randn(*shape))
        compare_state(twins, ours, theirs)
    shape = theirs.parametrizations.weight.original.shape  # to read the weight changes it
    value = twins.randn(*shape, grad=False)
    ours.weight, theirs.weight = twins.ours(value), value
    twins.close(ours.weight, theirs.weight)


def test_spectral_norm_of_vectors_and_complex_numbers(twins):
    ours, theirs = pair(twins, "spectral_norm", "Linear", (3, 4), name="bias")
    twins.close(ours.bias, theirs.bias)
    weight = twins.randn(3, 4, grad=False) + 1j * twins.randn(3, 4, grad=False)
    layers = flambeau.nn.Linear(4, 3), twins.torch.nn.Linear(4, 3)
    layers[0].weight = flambeau.nn.Parameter(twins.ours(weight))
    layers[1].weight = twins.torch.nn.Parameter(weight)
    parametrizations.spectral_norm(layers[0])
    twins.torch.nn.utils.parametrizations.spectral_norm(layers[1])
    layers[0].load_state_dict(twins.ours(dict(layers[1].state_dict())))
    twins.close(*map(parts, [layer.weight for layer in layers]), slack=5)


def parts(x):
    """A complex tensor as real and imaginary parts, which are compared with a tolerance."""
    return x.real, x.imag


def test_spectral_norm_starts_as_in_torch(twins):
    ours, theirs = twins.build("Linear", 20, 40)
    flambeau.manual_seed(3)
    twins.torch.manual_seed(3)
    parametrizations.spectral_norm(ours)
    twins.torch.nn.utils.parametrizations.spectral_norm(theirs)
    compare_state(twins, ours, theirs, slack=5)


ORTHOGONAL = [
    *((size, kind, True) for size in ((4, 4), (3, 5), (5, 3)) for kind in (None, "matrix_exp")),
    *(
        (size, kind, True)
        for size in ((4, 4), (3, 5), (5, 3))
        for kind in ("cayley", "householder")
    ),
    *((size, "householder", False) for size in ((4, 4), (3, 5), (5, 3))),
    *((size, kind, False) for size in ((4, 4), (5, 3)) for kind in ("matrix_exp", "cayley")),
]


@pytest.mark.parametrize(("size", "kind", "trivial"), ORTHOGONAL)
def test_orthogonal(twins, size, kind, trivial):
    kwargs = {"orthogonal_map": kind, "use_trivialization": trivial}
    flambeau.manual_seed(1)
    twins.torch.manual_seed(1)
    ours, theirs = twins.build("Linear", *size)
    flambeau.manual_seed(2)
    twins.torch.manual_seed(2)
    parametrizations.orthogonal(ours, **kwargs)
    twins.torch.nn.utils.parametrizations.orthogonal(theirs, **kwargs)
    assert repr(ours) == repr(theirs)
    compare_state(twins, ours, theirs, slack=5)
    ours.load_state_dict(twins.ours(dict(theirs.state_dict())))
    ours_out = ours(twins.ours(x := twins.randn(2, size[0])))
    twins.close(ours_out, theirs(x), slack=5)
    weights = twins.randn(2, size[1], grad=False)
    expected = twins.torch.autograd.grad(theirs(x), list(theirs.parameters()), weights)
    found = flambeau.autograd.grad(ours_out, list(ours.parameters()), twins.ours(weights))
    for a, b in zip(found, expected, strict=True):
        twins.close(a, b, slack=10)
    weight = ours.weight
    product = weight.T @ weight if size[1] >= size[0] else weight @ weight.T
    assert flambeau.allclose(product, flambeau.eye(min(size)), atol=1e-5)


@pytest.mark.parametrize("kind", [None, "cayley"])
def test_unitary_batches(twins, kind):
    for shape in ((2, 3, 3), (2, 5, 3)):
        value = twins.randn(*shape, grad=False) + 1j * twins.randn(*shape, grad=False)
        layers = flambeau.nn.Module(), twins.torch.nn.Module()
        layers[0].w = flambeau.nn.Parameter(twins.ours(value))
        layers[1].w = twins.torch.nn.Parameter(value)
        parametrizations.orthogonal(layers[0], "w", kind)
        twins.torch.nn.utils.parametrizations.orthogonal(layers[1], "w", kind)
        layers[0].load_state_dict(twins.ours(dict(layers[1].state_dict())))
        twins.close(*map(parts, [layer.w for layer in layers]), slack=5)


def test_orthogonal_values_are_kept(twins):
    for trivial, kind in ((True, "cayley"), (True, None), (False, "householder")):
        layer = flambeau.nn.Linear(4, 4)
        flambeau.nn.init.orthogonal_(layer.weight)
        before = layer.weight.detach().clone()
        parametrizations.orthogonal(layer, orthogonal_map=kind, use_trivialization=trivial)
        assert flambeau.allclose(layer.weight, before, atol=1e-5)
        layer.weight = -before
        assert flambeau.allclose(layer.weight, -before, atol=1e-5)


def test_errors():
    linear, functions = flambeau.nn.Linear(3, 3), parametrizations
    for function in (functions.orthogonal, functions.spectral_norm):
        with pytest.raises(ValueError, match="has no parameter or buffer"):
            function(linear, "nothing")
    with pytest.raises(ValueError, match="Expected a matrix"):
        functions.orthogonal(linear, "bias")
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        functions.orthogonal(linear, orthogonal_map="qr")
    with pytest.raises(ValueError, match="n_power_iterations"):
        functions.spectral_norm(linear, n_power_iterations=0)
    with pytest.raises(IndexError, match="Dimension out of range"):
        functions.spectral_norm(linear, dim=2)
    holder = flambeau.nn.Module()
    holder.w = flambeau.nn.Parameter(flambeau.ones(2, 2, dtype=flambeau.complex64))
    with pytest.raises(ValueError, match="does not support complex"):
        functions.orthogonal(holder, "w", "householder")
    functions.orthogonal(linear, orthogonal_map="cayley")
    with pytest.raises(ValueError, match="Expected a matrix or batch"):
        linear.weight = flambeau.ones(2, 2)
    plain = functions.orthogonal(
        flambeau.nn.Linear(3, 3), orthogonal_map="cayley", use_trivialization=False
    )
    with pytest.raises(NotImplementedError, match="It is not possible to assign"):
        plain.weight = flambeau.eye(3)
