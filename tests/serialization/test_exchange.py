"""What PyTorch writes flambeau reads, and the reverse, bit for bit: modules and optimizers."""

import importlib
import warnings

import numpy as np
import pytest

import flambeau
from flambeau.serialization.tensors import view_of

DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
)
MODULES = {
    "Linear": lambda nn: nn.Linear(3, 2),
    "Bilinear": lambda nn: nn.Bilinear(2, 3, 2),
    "Embedding": lambda nn: nn.Embedding(5, 3, padding_idx=1),
    "EmbeddingBag": lambda nn: nn.EmbeddingBag(5, 3),
    "Conv1d": lambda nn: nn.Conv1d(2, 4, 3, groups=2),
    "Conv2d": lambda nn: nn.Conv2d(2, 4, 3, padding="same"),
    "Conv3d": lambda nn: nn.Conv3d(1, 2, 2, bias=False),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(2, 2, 3, stride=2),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(3),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(3, affine=False),
    "InstanceNorm2d": lambda nn: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
    "LayerNorm": lambda nn: nn.LayerNorm((2, 3)),
    "GroupNorm": lambda nn: nn.GroupNorm(2, 4),
    "RMSNorm": lambda nn: nn.RMSNorm(4),
    "PReLU": lambda nn: nn.PReLU(3),
    "RNN": lambda nn: nn.RNN(2, 3),
    "LSTM": lambda nn: nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=2),
    "GRU": lambda nn: nn.GRU(2, 3, batch_first=True),
    "LSTMCell": lambda nn: nn.LSTMCell(2, 3),
    "MultiheadAttention": lambda nn: nn.MultiheadAttention(4, 2),
    "TransformerEncoderLayer": lambda nn: nn.TransformerEncoderLayer(4, 2, 8),
    "AdaptiveLogSoftmaxWithLoss": lambda nn: nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3, 6]),
    "ParameterList": lambda nn: nn.ParameterList([nn.Linear(2, 2).weight]),
    "Sequential": lambda nn: nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Flatten())
    ),
    "ModuleDict": lambda nn: nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Softmax(1)}),
}
OPTIMIZERS = {
    "ASGD": {},
    "Adadelta": {},
    "Adafactor": {},
    "Adagrad": {},
    "Adam": {"amsgrad": True},
    "AdamW": {"weight_decay": 0.1},
    "Adamax": {},
    "LBFGS": {"lr": 0.1, "max_iter": 2},
    "Muon": {},
    "NAdam": {},
    "RAdam": {},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Rprop": {},
    "SGD": {"momentum": 0.9, "nesterov": True, "lr": 0.1},
    "SparseAdam": {},
}
SCHEDULERS = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 3]},
    "ExponentialLR": {"gamma": 0.5},
    "CosineAnnealingLR": {"T_max": 5},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 9},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.5, "cycle_momentum": False},
    "ReduceLROnPlateau": {},
}
FORMATS = {
    "zip": ({}, {}),
    "old": ({"_use_new_zipfile_serialization": False}, {}),
    "mapped": ({}, {"mmap": True}),
    "trusted": ({}, {"weights_only": False}),
}


def torch_bytes(tensor):
    """The dtype of bytes of the library that a tensor is of."""
    return importlib.import_module(type(tensor).__module__.partition(".")[0]).uint8


def bits(tensor):
    """The elements of a tensor of either library as bytes."""
    if isinstance(tensor, flambeau.Tensor):
        view = view_of(tensor)
        steps = [stride * view.array.itemsize for stride in view.strides]
        first = view.array[view.offset :]
        return np.lib.stride_tricks.as_strided(first, view.shape, steps).tobytes()
    tensor = tensor.detach().contiguous()
    return tensor.reshape(-1).view(torch_bytes(tensor)).numpy().tobytes()


def assert_same(ours, theirs):
    """The same data to the last bit, in containers of the same types."""
    if hasattr(theirs, "stride"):
        assert (str(ours.dtype), tuple(ours.shape)) == (str(theirs.dtype), tuple(theirs.shape))
        assert ours.stride() == theirs.stride()
        assert bits(ours) == bits(theirs)
    elif isinstance(theirs, dict):
        assert type(ours) is type(theirs)
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_same(ours[key], theirs[key])
        assert getattr(ours, "_metadata", None) == getattr(theirs, "_metadata", None)
    elif isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    else:
        assert repr(ours) == repr(theirs)


@pytest.fixture(params=FORMATS)
def exchange(request, torch, tmp_path):
    """Writes by one library and reads by the other: `exchange(obj, torch, flambeau)`."""
    writing, reading = FORMATS[request.param]

    def run(obj, writer, reader):
        writer.save(obj, tmp_path / "a.pt", **writing)
        return reader.load(tmp_path / "a.pt", **reading)

    return run


@pytest.fixture
def ready(torch):
    """Both libraries, seeded, without the warnings of how they make their modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        flambeau.manual_seed(0)
        yield torch


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(ready, exchange, name):
    """All values of 8 bits, and values of many exponents."""
    numbers = ready.arange(256, dtype=ready.uint8)
    many = ready.arange(1 << 12, dtype=ready.int64).mul(0x9E3779B97F4A7C15 - (1 << 64))
    whole = (numbers % 2 if name == "bool" else numbers).view(getattr(ready, name))
    rest = many.view(ready.uint8)
    rest = (rest % 2 if name == "bool" else rest).view(getattr(ready, name))
    obj = {"whole": whole, "rest": rest, "part": rest[3:9], "rows": rest[:12].reshape(3, 4).T[1:]}
    ours = exchange(obj, ready, flambeau)
    assert_same(ours, obj)
    try:
        theirs = exchange(obj, ready, ready)
    except AttributeError:
        return  # PyTorch can not read what it writes
    assert_same(theirs, obj)
    assert_same(exchange(ours, flambeau, ready), obj)


@pytest.mark.parametrize("name", MODULES)
def test_modules(ready, exchange, name):
    theirs = MODULES[name](ready.nn)
    ours = MODULES[name](flambeau.nn)
    state = exchange(theirs.state_dict(), ready, flambeau)
    assert_same(state, theirs.state_dict())
    assert str(ours.load_state_dict(state)) == "<All keys matched successfully>"
    assert_same(ours.state_dict(), theirs.state_dict())
    back = exchange(ours.state_dict(), flambeau, ready)
    assert_same(back, theirs.state_dict())
    MODULES[name](ready.nn).load_state_dict(back)


@pytest.mark.parametrize("name", MODULES)
def test_whole_modules(ready, tmp_path, name):
    theirs = MODULES[name](ready.nn).eval()
    ready.save(theirs, tmp_path / "a.pt")
    ours = flambeau.load(tmp_path / "a.pt", weights_only=False)
    assert type(ours) is getattr(flambeau.nn, type(theirs).__name__)
    assert repr(ours) == repr(theirs)
    assert not ours.training
    assert_same(ours.state_dict(), theirs.state_dict())
    flambeau.save(ours, tmp_path / "b.pt")
    back = ready.load(tmp_path / "b.pt", weights_only=False)
    assert repr(back) == repr(theirs)
    assert_same(back.state_dict(), theirs.state_dict())


def trained(lib, name, steps, state=None):
    """A model after some steps of an optimizer, which may begin with the states of another."""
    sparse = name == "SparseAdam"
    model = lib.nn.Embedding(4, 3, sparse=True) if sparse else lib.nn.Linear(4, 3, name != "Muon")
    optimizer = getattr(lib.optim, name)(model.parameters(), **OPTIMIZERS[name])
    with lib.no_grad():
        for parameter in model.parameters():
            numbers = lib.arange(parameter.numel(), dtype=lib.float32)
            parameter.copy_((numbers * 0.37).sin().reshape(parameter.shape))
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    x = lib.tensor([1, 3]) if sparse else lib.arange(8.0).reshape(2, 4) / 7

    def closure():
        optimizer.zero_grad()
        loss = model(x).pow(2).sum()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(ready, exchange, name):
    """Training goes on in the other library, where it was."""
    theirs = trained(ready, name, 3)
    ours = exchange(theirs, ready, flambeau)
    assert_same(ours, theirs)
    loaded = trained(flambeau, name, 0, ours)
    assert_same(loaded, theirs)
    assert_same(exchange(loaded, flambeau, ready), theirs)
    further = trained(flambeau, name, 2, ours)["model"]
    expected = trained(ready, name, 2, theirs)["model"]
    for key in expected:
        np.testing.assert_allclose(further[key].numpy(), expected[key].numpy(), 1e-4, 1e-6)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers(ready, exchange, name):
    def make(lib):
        optimizer = lib.optim.SGD([lib.zeros(1, requires_grad=True)], lr=0.1)
        return optimizer, getattr(lib.optim.lr_scheduler, name)(optimizer, **SCHEDULERS[name])

    def advance(optimizer, scheduler, steps):
        for _ in range(steps):
            optimizer.step()
            scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
        return optimizer.param_groups[0]["lr"]

    def states(pair):
        return [part.state_dict() for part in pair]

    theirs, ours = make(ready), make(flambeau)
    advance(*theirs, 3)
    for part, state in zip(ours, exchange(states(theirs), ready, flambeau), strict=True):
        part.load_state_dict(state)
    again = make(ready)
    for part, state in zip(again, exchange(states(ours), flambeau, ready), strict=True):
        part.load_state_dict(state)
    assert advance(*ours, 3) == advance(*theirs, 3) == advance(*again, 3)
