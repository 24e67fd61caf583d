"""The names that classes have in files, and what stands for PyTorch's names here."""

import collections
from pickle import UnpicklingError

import pytest

import flambeau
from flambeau.serialization.names import (
    STORAGE_TYPES,
    file_name_of,
    find_counterpart,
)


def test_names_in_files():
    assert file_name_of(flambeau.Size) == ("torch", "Size")
    assert file_name_of(flambeau.nn.Linear) == ("torch.nn", "Linear")
    assert file_name_of(find_counterpart) == ("torch.serialization.names", "find_counterpart")
    assert file_name_of(collections.OrderedDict) is None
    assert file_name_of(3) is None


def test_every_name_is_found_again():
    for obj in (flambeau.Size, flambeau.nn.Linear, find_counterpart, flambeau.nn.Parameter):
        assert find_counterpart(*file_name_of(obj)) is obj


def test_names_of_pytorch(torch):
    for path in ("nn.Linear", "nn.ReLU", "Size", "Tensor", "nn.Parameter"):
        theirs, ours = torch, flambeau
        for part in path.split("."):
            theirs, ours = getattr(theirs, part), getattr(ours, part)
        assert find_counterpart(theirs.__module__, theirs.__qualname__) is ours


def test_what_is_not_there():
    for module, name in (("torch.nn", "Nothing"), ("torch.no.such", "Thing"), ("torch", "a.b")):
        with pytest.raises(UnpicklingError, match="has no counterpart in flambeau"):
            find_counterpart(module, name)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages(torch):
    for dtype, kind in STORAGE_TYPES.items():
        assert kind.dtype is dtype
        assert getattr(torch, kind.name)().dtype == getattr(torch, dtype.name)
