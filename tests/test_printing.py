"""Printing against PyTorch, character by character."""

import itertools

import numpy as np
import pytest

from flambeau import dtypes, printing
from flambeau.printing import format_tensor, get_printoptions, set_printoptions

SHAPES = [
    *((), (1,), (2,), (7,), (30,), (1000,), (1001,), (3000,), (0,), (0, 3), (2, 0, 3)),
    *((1, 1), (2, 3), (5, 40), (40, 5), (3, 1001), (1001, 3), (1200, 1), (6, 200), (7, 200)),
    *((2, 3, 4), (3, 1, 30), (8, 12, 11), (2, 2, 300), (4, 3, 2, 2), (7, 7, 7, 7)),
]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.fixture(autouse=True)
def default_options(request):
    """Both libraries print with their defaults again after a test."""
    yield
    set_printoptions(profile="default")
    if "torch" in request.fixturenames:
        request.getfixturevalue("torch").set_printoptions(profile="default")


def texts(torch, values, name, **options):
    """What flambeau and PyTorch print for the same values."""
    kind = getattr(dtypes, "bool_" if name == "bool" else name)
    tensor = torch.tensor(values).to(getattr(torch, name))
    numbers = (tensor.float() if name == "bfloat16" else tensor).numpy()
    if options.get("requires_grad"):
        tensor.requires_grad_()
    return format_tensor(numbers, kind, **options), repr(tensor)


def sample(rng, shape, flavour):
    x = rng.standard_normal(shape)
    x = {
        "normal": lambda: x,
        "tiny": lambda: x * 1e-6,
        "huge": lambda: x * 1e12,
        "wide": lambda: np.exp(8 * x),
        "whole": lambda: np.round(x * 20),
        "big whole": lambda: np.round(x * 1e5) * 1e4,
        "zeros": lambda: np.round(x * 0.3),
        "nonfinite": lambda: np.where(np.abs(x) > 1, np.where(x > 0, np.inf, -np.inf), x),
        "whole nan": lambda: np.where(x > 1, np.nan, np.round(x)),
        "all nan": lambda: np.where(x > 0, np.nan, -np.inf),
    }[flavour]()
    return np.asarray(x, np.float64)


FLAVOURS = [
    *("normal", "tiny", "huge", "wide", "whole", "big whole", "zeros", "nonfinite"),
    *("whole nan", "all nan"),
]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("name", FLOATS)
def test_floats(torch, name, flavour):
    rng = np.random.default_rng(FLAVOURS.index(flavour))
    for shape in SHAPES:
        ours, theirs = texts(torch, sample(rng, shape, flavour), name)
        assert ours == theirs


@pytest.mark.parametrize("name", INTS)
def test_integers(torch, name):
    rng = np.random.default_rng(0)
    info = np.iinfo(name)
    for shape, small in itertools.product(SHAPES, (True, False)):
        low, high = (0, 10) if small else (info.min, info.max)
        ours, theirs = texts(torch, rng.integers(low, high, shape, dtype=name), name)
        assert ours == theirs


@pytest.mark.parametrize("shape", SHAPES)
def test_bools(torch, shape):
    ours, theirs = texts(torch, np.random.default_rng(0).random(shape) > 0.5, "bool")
    assert ours == theirs


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex(torch, name, flavour):
    rng = np.random.default_rng(1)
    for shape in SHAPES:
        values = np.empty(shape, np.complex128)
        values.real = sample(rng, shape, flavour)
        values.imag = sample(rng, shape, rng.choice(FLAVOURS))
        ours, theirs = texts(torch, values, name)
        assert ours == theirs


@pytest.mark.parametrize("length", range(1, 40))
def test_suffixes_break_where_the_line_is_full(torch, length):
    values = np.arange(length) * 0.5
    for name in ("float32", "float64"):
        ours, theirs = texts(torch, values, name, requires_grad=True)
        assert ours == theirs
    x = torch.tensor(values, requires_grad=True) + 1
    ours = format_tensor(x.detach().numpy(), dtypes.float64, grad_fn_name="AddBackward0")
    assert ours == repr(x)


def test_grad_fn_hides_requires_grad(torch):
    x = torch.ones(2, requires_grad=True) * 2
    ours = format_tensor(
        np.full(2, 2.0), dtypes.float32, requires_grad=True, grad_fn_name="MulBackward0"
    )
    assert ours == repr(x) == "tensor([2., 2.], grad_fn=<MulBackward0>)"


def test_device_and_class():
    ours = format_tensor(np.ones((2, 1)), dtypes.int32, device="cuda:0", class_prefix="Mine(")
    assert ours == "Mine([[1.],\n      [1.]], device='cuda:0', dtype=torch.int32)"


def test_what_is_expected_follows_the_default_dtype(torch):
    torch.set_default_dtype(torch.float64)
    dtypes.set_default_dtype(dtypes.float64)
    try:
        for name in (*FLOATS, "complex64", "complex128", "int64", "int32"):
            for values in ([1.0], []):
                ours, theirs = texts(torch, np.array(values), name)
                assert ours == theirs
    finally:
        torch.set_default_dtype(torch.float32)
        dtypes.set_default_dtype(dtypes.float32)


OPTIONS = [
    {"precision": 0},
    {"precision": 2},
    {"precision": 8, "linewidth": 120},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"edgeitems": 0},
    {"linewidth": 10},
    {"linewidth": 40, "edgeitems": 5, "threshold": 10},
    {"sci_mode": True},
    {"sci_mode": False},
    {"sci_mode": True, "precision": 1},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(torch, options):
    set_printoptions(**options)
    torch.set_printoptions(**options)
    rng = np.random.default_rng(2)
    for shape, flavour in itertools.product(((), (3,), (30,), (4, 9), (2, 3, 8)), FLAVOURS):
        values = sample(rng, shape, flavour)
        for given, name in ((values, "float32"), (values + 1j, "complex64"), (values > 0, "bool")):
            ours, theirs = texts(torch, given, name)
            assert ours == theirs


def test_options_are_those_of_torch(torch):
    from torch._tensor_str import get_printoptions as reference

    assert get_printoptions() == reference()
    for options in OPTIONS:
        set_printoptions(**options)
        torch.set_printoptions(**options)
        assert get_printoptions() == reference()


def test_get_printoptions_returns_a_copy():
    get_printoptions()["precision"] = 1
    assert get_printoptions()["precision"] == 4


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="unknown profile 'tiny'"):
        set_printoptions(profile="tiny")


def test_only_what_is_shown_decides_the_format(torch):
    values = np.ones(2000)
    values[1000] = 1e20
    ours, theirs = texts(torch, values, "float32")
    assert ours == theirs == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_not_contiguous(torch):
    x = torch.arange(24.0).reshape(4, 6)
    for view in (x.T, x[::2], x[:, 1:4], x.expand(2, 4, 6)):
        assert format_tensor(view.numpy(), dtypes.float32) == repr(view)


def test_names():
    assert printing.__all__ == sorted(printing.__all__)
