"""Grids of one device."""

import pytest

from flambeau import distributed as dist


@pytest.fixture(autouse=True)
def group():
    """A default group."""
    dist.init_process_group("gloo", world_size=1, rank=0)
    yield
    dist.destroy_process_group()


def test_one_device():
    """Sizes, places and groups."""
    mesh = dist.init_device_mesh("cpu", (1,))
    assert (mesh.ndim, mesh.shape, mesh.size(), mesh.get_rank()) == (1, (1,), 1, 0)
    assert mesh.get_local_rank() == 0
    assert mesh.get_coordinate() == [0]
    assert mesh.get_group() is dist.group.WORLD
    assert repr(mesh) == "DeviceMesh((1,), 'cpu')"
    assert dist.DeviceMesh("cpu", [0]).mesh.tolist() == [0]


def test_names():
    """Parts of a grid by the names of its dims."""
    mesh = dist.init_device_mesh("cpu", (1, 1), mesh_dim_names=("data", "model"))
    assert mesh["model"].mesh_dim_names == ("model",)
    assert mesh.size("data") == 1
    assert repr(mesh["data"]) == "DeviceMesh((data=1), 'cpu')"
    assert len(mesh.get_all_groups()) == 2
    with pytest.raises(KeyError, match="pipeline"):
        mesh["pipeline"]
    with pytest.raises(RuntimeError, match="mesh_dim"):
        mesh.get_group()


def test_what_is_not_there():
    """More devices than one, and devices of other kinds."""
    with pytest.raises(RuntimeError, match="bigger than default world size 1"):
        dist.init_device_mesh("cpu", (2, 2))
    with pytest.raises(RuntimeError, match="not available"):
        dist.init_device_mesh("cuda", (1,))
    with pytest.raises(RuntimeError, match="same length"):
        dist.init_device_mesh("cpu", (1,), mesh_dim_names=("a", "b"))
    with pytest.raises(RuntimeError, match="without mesh_dim_names"):
        dist.init_device_mesh("cpu", (1,))["a"]
