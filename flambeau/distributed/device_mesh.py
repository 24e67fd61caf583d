"""`DeviceMesh`: devices in a grid whose dims have names; here a grid of one."""

import math

from ..dtypes import int32
from ..ops.creation import zeros
from ..recorder.handle import require_device
from .group import ALONE, get_rank, init_process_group, is_initialized, require_group

__all__ = ["DeviceMesh", "init_device_mesh"]


class DeviceMesh:
    """A grid of devices, one of each process.

    Args: device_type: "cpu"; mesh: the numbers of the processes, nested lists or a tensor;
        mesh_dim_names: a name for each dim.
    Raises: RuntimeError for a device or processes that are not there.
    """

    def __init__(self, device_type, mesh, *, mesh_dim_names=None):
        shape = getattr(mesh, "shape", None)
        shape = _shape_of(mesh) if shape is None else tuple(shape)
        require_device(device_type)
        if math.prod(shape) != 1:
            raise RuntimeError(
                f"Mesh should not be bigger than default world size 1, but found "
                f"{math.prod(shape)} ranks: {ALONE}"
            )
        if mesh_dim_names is not None and len(mesh_dim_names) != len(shape):
            raise RuntimeError(
                "mesh_shape and mesh_dim_names should have same length! Found "
                f"{len(shape)} and {len(mesh_dim_names)}"
            )
        if not is_initialized():
            init_process_group()
        self.device_type = device_type
        self.mesh_dim_names = None if mesh_dim_names is None else tuple(mesh_dim_names)
        self.mesh = zeros(shape, dtype=int32)

    @property
    def shape(self):
        """The size of each dim, a tuple."""
        return tuple(self.mesh.shape)

    @property
    def ndim(self):
        """The number of dims."""
        return len(self.shape)

    def size(self, mesh_dim=None):
        """The number of devices, or those along one dim."""
        return math.prod(self.shape) if mesh_dim is None else self.shape[self._dim(mesh_dim)]

    def get_rank(self):
        """The number of this process among all."""
        return get_rank()

    def get_local_rank(self, mesh_dim=None):
        """The place of this process along a dim.

        Raises: RuntimeError if there are several dims and none is given.
        """
        self._dim(mesh_dim)
        return 0

    def get_coordinate(self):
        """The place of this process in the grid."""
        return [0] * self.ndim

    def get_group(self, mesh_dim=None):
        """The group of the processes along a dim.

        Raises: RuntimeError if there are several dims and none is given.
        """
        self._dim(mesh_dim)
        return require_group(None)

    def get_all_groups(self):
        """The group of each dim."""
        return [require_group(None)] * self.ndim

    def _dim(self, mesh_dim):
        if mesh_dim is None:
            if self.ndim > 1:
                raise RuntimeError(
                    f"Found the DeviceMesh have {self.ndim} dimensions: `mesh_dim` is needed"
                )
            return 0
        if isinstance(mesh_dim, str):
            if mesh_dim not in (self.mesh_dim_names or ()):
                raise KeyError(f"Invalid mesh_dim_name {mesh_dim}: dims {self.mesh_dim_names}")
            return self.mesh_dim_names.index(mesh_dim)
        return range(self.ndim)[mesh_dim]

    def __getitem__(self, mesh_dim_names):
        """The part of the grid along dims that are given by name."""
        if self.mesh_dim_names is None:
            raise RuntimeError("Cannot slice a DeviceMesh without mesh_dim_names!")
        names = (mesh_dim_names,) if isinstance(mesh_dim_names, str) else tuple(mesh_dim_names)
        for name in names:
            self._dim(name)
        part = zeros((1,) * len(names), dtype=int32)
        return DeviceMesh(self.device_type, part, mesh_dim_names=names)

    def __repr__(self):
        names = self.mesh_dim_names or ("",) * self.ndim
        sizes = [f"{n}={s}" if n else str(s) for n, s in zip(names, self.shape, strict=True)]
        comma = "," if len(sizes) == 1 and not names[0] else ""
        return f"DeviceMesh(({', '.join(sizes)}{comma}), '{self.device_type}')"


def _shape_of(nested):
    shape = []
    while isinstance(nested, (list, tuple)):
        shape.append(len(nested))
        nested = nested[0] if nested else None
    return tuple(shape)


def init_device_mesh(device_type, mesh_shape, *, mesh_dim_names=None, backend_override=None):
    """The grid of all devices, with these sizes; makes the default group if there is none.

    Raises: RuntimeError for more devices than the one there is.

    >>> import flambeau as torch
    >>> torch.distributed.init_process_group(world_size=1, rank=0)
    >>> mesh = torch.distributed.init_device_mesh("cpu", (1, 1), mesh_dim_names=("data", "model"))
    >>> mesh["data"].size(), mesh.get_coordinate()
    (1, [0, 0])
    >>> torch.distributed.destroy_process_group()
    """
    nested = 0
    for size in reversed(mesh_shape):
        nested = [nested] * size
    return DeviceMesh(device_type, nested, mesh_dim_names=mesh_dim_names)
