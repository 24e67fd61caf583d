"""`save` and `load` against PyTorch: each reads what the other writes."""

import collections
import io
import os
import pathlib
import pickle
import random

import numpy as np
import pytest

import flambeau
from flambeau.serialization import load, save
from flambeau.serialization.archive import Writer

DTYPES = [
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32"),
    *("float64", "complex64", "complex128"),
]


def saved_here(obj, **options):
    file = io.BytesIO()
    save(obj, file, **options)
    file.seek(0)
    return file


def assert_same(ours, theirs):
    """The same data: tensors by value, dtype, strides and gradient, all else by equality."""
    if hasattr(theirs, "stride"):
        assert repr(ours.dtype) == repr(theirs.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.stride() == theirs.stride()
        assert ours.requires_grad == theirs.requires_grad
        assert type(ours).__name__ == type(theirs).__name__
        assert repr(ours.tolist()) == repr(theirs.tolist())
    elif isinstance(theirs, dict):
        assert type(ours) is type(theirs)
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_same(ours[key], theirs[key])
        assert vars(ours) == vars(theirs) if hasattr(theirs, "__dict__") else True
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    else:
        assert ours == theirs


@pytest.fixture
def checkpoint(torch):
    """What a training script saves: the states of a model and its optimizer, and some numbers."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Linear(3, 2)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).sum().backward()
        optimizer.step()
        scheduler.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": 3,
        "history": [0.5, 0.25],
        "rng": torch.get_rng_state(),
    }


@pytest.mark.parametrize("options", [{}, {"weights_only": False}, {"mmap": True}], ids=str)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_of_pytorch(torch, checkpoint, options, zipped, tmp_path):
    path = tmp_path / "a.pt"
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    if zipped or "mmap" not in options:
        assert_same(load(path, **options), checkpoint)


@pytest.mark.parametrize("options", [{}, {"weights_only": False}, {"mmap": True}], ids=str)
def test_there_and_back(torch, checkpoint, options, tmp_path):
    torch.save(checkpoint, tmp_path / "theirs.pt")
    save(load(tmp_path / "theirs.pt"), tmp_path / "ours.pt")
    assert_same(load(tmp_path / "ours.pt", **options), checkpoint)
    assert_same(torch.load(tmp_path / "ours.pt", **options), checkpoint)


def test_a_checkpoint_continues_in_pytorch(torch, checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / "theirs.pt")
    save(load(tmp_path / "theirs.pt"), tmp_path / "ours.pt")
    back = torch.load(tmp_path / "ours.pt")
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Linear(3, 2)
    )
    model.load_state_dict(back["model"])
    torch.optim.Adam(model.parameters()).load_state_dict(back["optimizer"])
    torch.set_rng_state(back["rng"])


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(torch, saved, name):
    values = torch.tensor([[0, 1, 2], [3, -4, 5]]).to(getattr(torch, name))
    assert_same(load(saved(values)), values)
    assert_same(torch.load(saved_here(load(saved(values)))), values)


def test_views(torch, saved):
    x = torch.arange(24.0)
    values = [
        *(x, x[3:7], x[::5], x.reshape(4, 6).T, x.reshape(2, 3, 4)[:, 1], x[5], x[:0]),
        *(x.reshape(4, 6)[1:3, 2:5], x[:3].expand(4, 3), x.as_strided((3, 3), (1, 2), 4)),
        *(x.reshape(1, 24, 1), torch.zeros(2, 0, 3)),
    ]
    ours = load(saved(values))
    assert_same(ours, values)
    assert_same(torch.load(saved_here(ours)), values)
    ours[0][4] = 99.0
    x[4] = 99.0
    assert_same(ours, values)


def test_ties(torch, saved):
    p = torch.nn.Parameter(torch.ones(2))
    ours = load(saved({"a": p, "b": p, "data": p.data}))
    assert ours["a"] is ours["b"]
    with flambeau.no_grad():
        ours["a"][0] = 5.0
    assert ours["data"].tolist() == [5, 1]


def test_modules(torch, saved, tmp_path):
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    ours = load(saved(theirs), weights_only=False)
    assert type(ours) is flambeau.nn.Sequential
    assert_same(ours.state_dict(), theirs.state_dict())
    save(ours, tmp_path / "a.pt")
    again = load(tmp_path / "a.pt", weights_only=False)
    assert_same(again.state_dict(), theirs.state_dict())
    assert repr(again) == repr(ours)
    with pytest.raises(pickle.UnpicklingError, match="Sequential, which is not allowed"):
        load(tmp_path / "a.pt")


class Settings:
    """Any class of a program."""

    def __init__(self, rate):
        self.rate = rate


def test_any_object_of_a_trusted_file(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "of_a_program", _module(Settings))
    monkeypatch.setattr(Settings, "__module__", "of_a_program")
    file = saved_here({"settings": Settings(0.1), "x": flambeau.ones(2)})
    back = load(file, weights_only=False)
    assert back["settings"].rate == 0.1
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"of_a_program\.Settings"):
        load(file)


def _module(cls):
    import types

    module = types.ModuleType("of_a_program")
    module.Settings = cls
    return module


def test_a_trusted_pickle_that_is_cut_off(repacked):
    with pytest.raises(pickle.UnpicklingError, match="cut off|truncated"):
        load(repacked({"data.pkl": b"\x80\x02]", "version": b"3"}), weights_only=False)


# Where from, where to


def test_paths_and_files(torch, tmp_path):
    x = flambeau.arange(3.0)
    for path in (tmp_path / "a.pt", str(tmp_path / "b.model.pt")):
        save(x, path)
        assert load(path).tolist() == torch.load(path).tolist() == [0, 1, 2]
        with open(path, "rb") as file:
            assert load(file).tolist() == [0, 1, 2]
    with open(tmp_path / "c.pt", "wb") as file:
        save(x, file)
    assert load(tmp_path / "c.pt").tolist() == [0, 1, 2]


def test_the_folder_inside(tmp_path, records):
    import zipfile

    for name, root in (
        ("model.pt", "model"),
        ("a.b.pt", "a.b"),
        ("plain", "plain"),
        ("\u00e9.pt", "archive"),
    ):
        save(1, tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as container:
            assert container.namelist()[0] == f"{root}/data.pkl"


def test_mapped_tensors_can_be_changed(tmp_path):
    path = tmp_path / "a.pt"
    save({"a": flambeau.arange(4.0), "e": flambeau.zeros(0)}, path)
    before = path.read_bytes()
    back = load(path, mmap=True)
    back["a"].add_(1)
    assert back["a"].tolist() == [1, 2, 3, 4]
    assert path.read_bytes() == before


def test_records_that_are_not_aligned(tmp_path):
    """As other programs that write zip files leave them."""
    import zipfile

    source = saved_here({"a": flambeau.arange(4.0), "b": flambeau.arange(3)})
    for shift in range(1, 9):
        path = tmp_path / f"{shift}.pt"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
            for info in old.infolist():
                new.writestr("x" * shift + info.filename.removeprefix("archive"), old.read(info))
        for mmap in (False, True):
            back = load(path, mmap=mmap)
            assert back["a"].tolist() == [0, 1, 2, 3]
            assert (back["b"] + 1).tolist() == [1, 2, 3]


def test_a_loaded_tensor_trains():
    file = saved_here(flambeau.nn.Parameter(flambeau.ones(2)))
    p = load(file)
    (p * p).sum().backward()
    assert p.grad.tolist() == [2, 2]


@pytest.mark.parametrize(
    "where",
    [
        *(None, "cpu", flambeau.device("cpu"), {"cuda:0": "cpu"}, {"cpu": flambeau.device("cpu")}),
        *(lambda storage, location: storage, lambda storage, location: None),
    ],
)
def test_locations(where):
    assert load(saved_here(flambeau.ones(2)), map_location=where).tolist() == [1, 1]


def on_cuda():
    """A file that was saved where there was a GPU."""
    from flambeau.serialization.pickler import TensorPickler

    data = TensorPickler().dumps(flambeau.ones(2))
    data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    file = io.BytesIO()
    writer = Writer(file, "archive")
    for name, record in (
        ("data.pkl", data),
        ("data/0", np.ones(2, np.float32).tobytes()),
        ("version", b"3"),
    ):
        writer.add(name, record)
    writer.close()
    file.seek(0)
    return file


def test_devices_that_are_not_there():
    seen = []
    for where in ("cpu", {"cuda:0": "cpu"}, lambda s, location: seen.append(location) or s):
        assert load(on_cuda(), map_location=where).tolist() == [1, 1]
    assert seen == ["cuda:0"]
    for where in (None, {"cuda:1": "cpu"}, lambda storage, location: None, "cuda"):
        with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
            load(on_cuda(), map_location=where)


# What is refused


def test_arguments():
    file = saved_here(1)
    with pytest.raises(ValueError, match="f must be a file path"):
        load(file, mmap=True)
    with pytest.raises(ValueError, match="pickle_module"):
        load(file, pickle_module=os)
    with pytest.raises(ValueError, match="pickle_module"):
        save(1, file, pickle_module=os)
    with pytest.raises(ValueError, match="pickle protocol"):
        save(1, file, pickle_protocol=99)
    with pytest.raises(AttributeError, match="'write' attribute"):
        save(1, 3)
    with pytest.raises(AttributeError, match="seekable"):
        load(3)
    with pytest.raises(FileNotFoundError):
        load("/no/such/file.pt")
    assert load(saved_here(1, pickle_protocol=4)) == 1


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "model.pt"
    save({"a": flambeau.ones(100)}, path)
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    with pytest.raises(RuntimeError, match=r"model\.pt: "):
        load(path)
    path.write_bytes(data[:300])
    with pytest.raises(RuntimeError, match=r"model\.pt: failed finding the central directory"):
        load(path)
    path.write_bytes(b"text")
    with pytest.raises(pickle.UnpicklingError, match=r"model\.pt: neither a zip archive"):
        load(path)
    path.write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"model\.pt: the file is empty"):
        load(path)


def test_other_archives(torch, repacked, tmp_path):
    with pytest.raises(RuntimeError, match=r"no data\.pkl"):
        load(repacked({"a": b"1"}))
    with pytest.raises(RuntimeError, match="TorchScript"):
        load(repacked({"data.pkl": b"N.", "constants.pkl": b"N."}))
    for version in (b"99", b"0", b"", b"x"):
        with pytest.raises(RuntimeError, match="unknown format version"):
            load(repacked({"data.pkl": b"N.", "version": version}))
    np.savez(tmp_path / "a.npz", a=np.ones(2))
    with pytest.raises(RuntimeError, match=r"no data\.pkl"):
        load(tmp_path / "a.npz")


class Attack:
    """Pickles as the creation of a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_no_code_of_a_file_runs(torch, zipped, tmp_path):
    ran = tmp_path / "ran"
    for module in (torch.save, save):
        file = io.BytesIO()
        module([1, Attack(ran)], file, _use_new_zipfile_serialization=zipped)
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError, match="not allowed"):
            load(file)
        assert not ran.exists()


# Damage


def mutations(data, count, seed):
    """Copies of some bytes with a few of them changed, cut out, doubled or cut off."""
    rng = random.Random(seed)
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(copy) or 1)
            change = rng.randrange(6)
            if change == 0:
                del copy[at : at + rng.choice((1, 4, 50))]
            elif change == 1:
                copy[at:at] = copy[at : at + rng.choice((1, 8, 30))]
            elif change == 2:
                del copy[at:]
            elif change == 3:
                copy[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"))
            else:
                copy[at : at + 1] = bytes([rng.randrange(256)])
        yield bytes(copy)


def survive(data, path, mmap=False, **options):
    """Load a damaged file: it gives an object, whose tensors can be read, or a clear error."""
    path.write_bytes(data)
    result, message = None, str(path)
    try:
        result = load(path, mmap=mmap, **options)
    except (RuntimeError, pickle.UnpicklingError) as error:
        message = str(error)
    assert str(path) in message
    pending = [result]
    for item in pending[:1000]:
        if isinstance(item, flambeau.Tensor) and item.numel() < 10_000:
            item.tolist()
        elif isinstance(item, (list, tuple, set)):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())


def rich():
    x = flambeau.arange(12.0)
    return {
        "x": x[1:],
        "view": x.reshape(3, 4).T,
        "p": flambeau.nn.Parameter(flambeau.tensor([1.0, 2.0])),
        "ints": flambeau.tensor([1, 2, 3]),
        "meta": collections.OrderedDict(a=(1, 2.5, "text", None)),
        "array": np.arange(3.0),
        "set": {1, 2},
        "size": x.shape,
    }


@pytest.mark.parametrize("mmap", [False, True])
def test_damaged_archives(mmap, tmp_path):
    data = saved_here(rich()).getvalue()
    for copy in mutations(data, 100, seed=mmap):
        survive(copy, tmp_path / "a.pt", mmap=mmap)


def test_damaged_pickles(repacked, records, tmp_path):
    """With a sound archive around them, so that it is not the checksum that notices."""
    contents = records(saved_here(rich()))
    for copy in mutations(contents["data.pkl"], 200, seed=2):
        survive(repacked({**contents, "data.pkl": copy}).getvalue(), tmp_path / "a.pt")


def test_damaged_old_files(tmp_path):
    data = saved_here(rich(), _use_new_zipfile_serialization=False).getvalue()
    for copy in mutations(data, 150, seed=3):
        survive(copy, tmp_path / "a.pt")
