"""Files without the elements of tensors."""

import io

import pytest

import flambeau
from flambeau.serialization import load, save, skip_data


@pytest.fixture(params=[True, False])
def pair(request):
    """An object saved without and with its data, in both formats."""
    files = io.BytesIO(), io.BytesIO()
    obj = {"a": flambeau.ones(100), "b": flambeau.arange(3), "c": 4}
    with skip_data():
        save(obj, files[0], _use_new_zipfile_serialization=request.param)
    save(obj, files[1], _use_new_zipfile_serialization=request.param)
    for file in files:
        file.seek(0)
    return files


def test_saving(torch, pair):
    without, full = pair
    assert len(without.getvalue()) == len(full.getvalue())
    back = torch.load(without)
    assert back["a"].tolist() == [0] * 100
    assert back["b"].dtype is torch.int64
    assert back["c"] == 4
    assert torch.load(full)["a"].tolist() == [1] * 100


def test_loading(pair):
    with skip_data():
        back = load(pair[1])
    assert back["a"].shape == (100,)
    assert back["b"].tolist() == [0, 0, 0]
    back["b"].add_(1)
    pair[1].seek(0)
    assert load(pair[1])["b"].tolist() == [0, 1, 2]


def test_blocks_may_be_nested():
    file = io.BytesIO()
    with skip_data():
        with skip_data(materialize_fake_tensors=True):
            pass
        save(flambeau.ones(1), file)
    file.seek(0)
    assert load(file).item() == 0
