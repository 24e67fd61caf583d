"""Locations of storages: tags, packages of devices, and where `load` puts what it read."""

import io

import pytest

import flambeau
from flambeau.serialization import (
    default_restore_location,
    load,
    location_tag,
    locations,
    register_package,
    save,
)


@pytest.fixture
def packages(monkeypatch):
    """Registered packages are forgotten after the test."""
    monkeypatch.setattr(locations, "_packages", list(locations._packages))


def saved(obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return file


def test_the_cpu(torch):
    for lib in (flambeau, torch):
        storage = lib.ones(2).untyped_storage()
        assert lib.serialization.location_tag(storage) == "cpu"
        assert lib.serialization.default_restore_location(storage, "cpu") is storage
        with pytest.raises(RuntimeError, match="restore data location of .* with toaster:0"):
            lib.serialization.default_restore_location(storage, "toaster:0")
        with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
            lib.serialization.default_restore_location(storage, "cuda:0")


@pytest.mark.parametrize("name", ["flambeau", "torch"])
def test_packages(torch, packages, monkeypatch, name):
    """What one library tags, the other sees."""
    lib = {"flambeau": flambeau, "torch": torch}[name]
    monkeypatch.setattr(
        torch.serialization, "_package_registry", list(torch.serialization._package_registry)
    )
    seen = []
    lib.serialization.register_package(
        5,
        lambda storage: "toaster" if storage.nbytes() == 12 else None,
        lambda storage, location: seen.append(location) or (storage if "t" in location else None),
    )
    file = io.BytesIO()
    lib.save({"a": lib.ones(3), "b": lib.ones(4)}, file)
    file.seek(0)
    assert lib.load(file)["a"].tolist() == [1, 1, 1]
    assert seen == ["toaster", "cpu"]
    file.seek(0)
    assert flambeau.load(file, map_location="cpu")["a"].tolist() == [1, 1, 1]


def test_an_unknown_location(packages):
    register_package(5, lambda storage: "toaster", lambda storage, location: None)
    file = saved(flambeau.ones(2))
    with pytest.raises(RuntimeError, match="don't know how to restore .*tagged with toaster"):
        load(file)
    file.seek(0)
    assert load(file, map_location={"toaster": "cpu"}).tolist() == [1, 1]
    file.seek(0)
    assert load(file, map_location=lambda storage, location: storage).tolist() == [1, 1]


def test_priorities(packages):
    register_package(5, lambda storage: "first", lambda storage, location: None)
    register_package(3, lambda storage: "zeroth", lambda storage, location: None)
    register_package(30, lambda storage: "last", lambda storage, location: None)
    storage = flambeau.ones(2).untyped_storage()
    assert location_tag(storage) == "zeroth"
    assert default_restore_location(storage, "cpu") is storage
