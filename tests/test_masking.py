"""`MaskedTensor` against PyTorch's."""

import warnings

import numpy as np
import pytest

import flambeau

DATA = np.arange(6.0, dtype="float32").reshape(2, 3)
MASK = np.array([[True, False, True], [False, False, True]])

CALLS = {
    "itself": lambda lib, x: x,
    "number": lambda lib, x: x * 2 + 1 - 3,
    "two": lambda lib, x: x + x,
    "divided": lambda lib, x: (x + 1) / (x + 2),
    "dense": lambda lib, x: x * lib.ones(2, 3),
    "negative": lambda lib, x: -x,
    "power": lambda lib, x: x**2,
    "exp": lambda lib, x: x.exp(),
    "sqrt": lambda lib, x: lib.sqrt(x),
    "sine": lambda lib, x: x.sin(),
    "add": lambda lib, x: lib.add(x, x),
    "compare": lambda lib, x: x > 1,
    "equal": lambda lib, x: x == x,
    "clamp": lambda lib, x: x.clamp(min=1),
    "sum": lambda lib, x: x.sum(),
    "row sum": lambda lib, x: x.sum(1),
    "kept": lambda lib, x: x.sum(dim=1, keepdim=True),
    "of the function": lambda lib, x: lib.sum(x, 1),
    "mean": lambda lib, x: x.mean(1),
    "amax": lambda lib, x: x.amax(1),
    "amin": lambda lib, x: x.amin(),
    "product": lambda lib, x: x.prod(),
    "argmax": lambda lib, x: x.argmax(1),
    "deviation": lambda lib, x: (x + 0).std(0),
    "softmax": lambda lib, x: x.softmax(1),
    "row": lambda lib, x: x[0],
    "transposed": lambda lib, x: x.t(),
    "swapped": lambda lib, x: x.transpose(0, 1),
    "reshaped": lambda lib, x: x.reshape(3, 2),
    "flat": lambda lib, x: x.view(6),
    "one more dim": lambda lib, x: x.unsqueeze(0),
    "expanded": lambda lib, x: x.expand(2, 2, 3),
    "joined": lambda lib, x: lib.cat([x, x]),
    "stacked": lambda lib, x: lib.stack([x, x]),
    "of bools": lambda lib, x: x.bool(),
    "of doubles": lambda lib, x: x.to(lib.float64),
    "copied": lambda lib, x: x.clone(),
    "in place": lambda lib, x: x.add_(1),
}


def masked(lib, data=DATA, mask=MASK):
    """The masked tensor of a library."""
    return lib.masked.masked_tensor(lib.from_numpy(data.copy()), lib.from_numpy(mask.copy()))


@pytest.fixture(autouse=True)
def no_warnings():
    """PyTorch says of every one that it is a prototype."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", CALLS)
def test_as_in_torch(torch, name):
    expected, found = (CALLS[name](lib, masked(lib)) for lib in (torch, flambeau))
    mask = expected.get_mask().numpy()
    np.testing.assert_array_equal(found.get_mask().numpy(), mask)
    np.testing.assert_allclose(
        found.to_tensor(0).numpy(), expected.to_tensor(0).numpy(), rtol=1e-6, atol=1e-6
    )
    assert tuple(found.shape) == tuple(expected.shape)
    assert str(found.dtype) == str(expected.dtype)
    assert repr(found) == repr(expected)


def test_gradients_reach_what_the_mask_selects():
    x = masked(flambeau)
    x.requires_grad_()
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.to_tensor(-1).numpy(), np.where(MASK, 2 * DATA, -1))
    leaf = flambeau.tensor(DATA, requires_grad=True)
    x = flambeau.masked.as_masked_tensor(leaf, flambeau.tensor(MASK))
    (x * x).to_tensor(5.0).sum().backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), np.where(MASK, 2 * DATA, 0))


def test_whole_numbers_and_scalars_print_as_in_torch(torch):
    for data, mask in (
        (np.array([1, 20]), np.array([True, False])),
        (np.array(3.0), np.array(True)),
        (np.array([True, False]), np.array([False, True])),
    ):
        assert repr(masked(flambeau, data, mask)) == repr(masked(torch, data, mask))


def test_what_is_refused(torch):
    for lib in (torch, flambeau):
        x, other = masked(lib), masked(lib, mask=~MASK)
        data, mask = lib.ones(2, 3), lib.ones(2, 3, dtype=lib.bool)
        for error, call in (
            (ValueError, lambda x=x, other=other: x + other),
            (TypeError, lambda lib=lib, data=data: lib.masked.masked_tensor(data, data)),
            (ValueError, lambda lib=lib, data=data, m=mask: lib.masked.masked_tensor(data, m[0])),
            (TypeError, lambda lib=lib, m=mask: lib.masked.masked_tensor([1, 2], m)),
            (TypeError, lambda x=x: x.argsort()),
        ):
            with pytest.raises((error, AttributeError)):
                call()
