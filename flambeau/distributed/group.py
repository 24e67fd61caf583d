"""The processes that compute together: here a group of one, which this process makes up.

Programs that are written for many processes run with one; what needs others says so.
"""

import enum
import os

from ..futures import Future
from .store import HashStore, Store

__all__ = [
    "Backend",
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "destroy_process_group",
    "get_backend",
    "get_global_rank",
    "get_group_rank",
    "get_node_local_rank",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "is_xccl_available",
    "new_group",
    "require_group",
]

ALONE = (
    "flambeau computes in one process: a group of one is there, in which collective operations "
    "have their results at once"
)
MISSING = (
    "Default process group has not been initialized, please make sure to call init_process_group."
)


class ReduceOp(enum.Enum):
    """How collective operations combine the values of processes."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


class Backend(str):
    """The name of what carries messages, in lower case: "gloo", "nccl", "mpi", "ucc", "xccl"."""

    UNDEFINED, GLOO, NCCL = "undefined", "gloo", "nccl"
    UCC, MPI, XCCL, FAKE = "ucc", "mpi", "xccl", "fake"
    backend_list = (UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE)

    def __new__(cls, name):
        if not isinstance(name, str):
            raise ValueError("Backend constructor parameter must be string-ish")
        return str.__new__(cls, name.lower())


class Work:
    """A collective operation that was called with `async_op`: among one process, one that is done.

    Args: tensors: what it has written.
    """

    def __init__(self, tensors=()):
        self._tensors = list(tensors)

    def wait(self, timeout=None):
        """True: it is done."""
        return True

    def is_completed(self):
        """True."""
        return True

    def is_success(self):
        """True."""
        return True

    def exception(self):
        """None: it has not failed."""

    def result(self):
        """The tensors it has written."""
        return self._tensors

    def source_rank(self):
        """The process it came from."""
        return 0

    def synchronize(self):
        """Has no effect: there is nothing to wait for."""

    def get_future(self):
        """A complete future of the result."""
        future = Future()
        future.set_result(self._tensors)
        return future


class ProcessGroup:
    """Processes that compute together; here this one alone."""

    def __init__(self, backend, name, store):
        self.backend, self.group_name, self.store = backend, name, store
        self.group_desc = name

    def rank(self):
        """The number of this process in the group."""
        return 0

    def size(self):
        """The number of processes."""
        return 1

    def name(self):
        """The name of the backend."""
        return self.backend

    def get_group_store(self):
        """The store that its processes share."""
        return self.store


class _World(type):
    """The class of `group` and `GroupMember`, whose WORLD changes with the default group."""

    @property
    def WORLD(cls):
        """The default group, or None."""
        return _default[0]


class group(metaclass=_World):
    """`group.WORLD` is the default group, or None."""


class GroupMember(metaclass=_World):
    """`GroupMember.WORLD` is the default group; NON_GROUP_MEMBER stands for a group of others."""

    NON_GROUP_MEMBER = -100


_default = [None]
_groups = []


def is_available():
    """Whether this package is there: it is, for one process."""
    return True


def is_initialized():
    """Whether there is a default group."""
    return _default[0] is not None


def is_gloo_available():
    """Whether the backend "gloo" can be asked for: a group of one answers what gloo would."""
    return True


def is_nccl_available():
    """False: there is no CUDA device."""
    return False


is_mpi_available = is_ucc_available = is_xccl_available = is_nccl_available


def is_backend_available(backend):
    """Whether a backend can be asked for, by its name."""
    return backend.lower() == "gloo"


def is_torchelastic_launched():
    """Whether `torchrun` or the like started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def init_process_group(
    backend=None,
    init_method=None,
    timeout=None,
    world_size=-1,
    rank=-1,
    store=None,
    group_name="",
    pg_options=None,
    device_id=None,
):
    """Make the default group, of this process alone.

    Args:
        backend: "gloo", or None.
        init_method: a URL; without one, or with "env://", what `world_size` and `rank` leave open
            is read from the variables WORLD_SIZE and RANK.
        world_size, rank: the number of processes, 1, and that of this one, 0.
        store: a store, instead of `init_method`.
        timeout, group_name, pg_options, device_id: accepted as in PyTorch.

    Raises: ValueError if there is a default group, or if a number is missing; RuntimeError for
    more processes, or another backend.

    >>> import flambeau as torch
    >>> torch.distributed.init_process_group("gloo", world_size=1, rank=0)
    >>> torch.distributed.get_rank(), torch.distributed.get_world_size()
    (0, 1)
    >>> torch.distributed.destroy_process_group()
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    if store is not None:
        if init_method is not None:
            raise AssertionError("Cannot specify both init_method and store.")
        if not isinstance(store, Store):
            raise TypeError(f"store must be a Store, not {type(store).__name__}")
        if world_size <= 0:
            raise AssertionError("world_size must be positive if using store")
        if rank < 0:
            raise AssertionError("rank must be non-negative if using store")
    name = _checked_backend(backend)
    rank = _number(rank, "RANK", init_method)
    world_size = _number(world_size, "WORLD_SIZE", init_method)
    if world_size != 1:
        raise RuntimeError(f"init_process_group: world_size is {world_size}, but {ALONE}")
    if rank != 0:
        raise RuntimeError(f"init_process_group: rank is {rank} of {world_size}, but {ALONE}")
    _default[0] = ProcessGroup(name, group_name or "default_pg", store or HashStore())


def _checked_backend(backend):
    """The `Backend` for what is asked for, such as "gloo" or "cpu:gloo,cuda:nccl"."""
    if backend is None:
        return Backend("gloo")
    name = Backend(backend)
    parts = dict(part.split(":") for part in name.split(",")) if ":" in name else {"cpu": name}
    wanted = Backend(parts.get("cpu", next(iter(parts.values()))))
    if wanted not in (Backend.GLOO, Backend.UNDEFINED):
        raise RuntimeError(
            f"Distributed package doesn't have {wanted.upper()} built in: {ALONE}; ask for the "
            "backend 'gloo'"
        )
    return Backend("gloo")


def _number(given, variable, init_method):
    """A number that was given, or that a variable of the environment says."""
    if given >= 0:
        return int(given)
    if init_method not in (None, "env://"):
        raise ValueError(f"init_process_group: {variable.lower()} is missing for {init_method}")
    value = os.environ.get(variable)
    if value is None:
        raise ValueError(
            "Error initializing torch.distributed using env:// rendezvous: environment variable "
            f"{variable} expected, but not set"
        )
    return int(value)


def destroy_process_group(group=None):
    """Forget a group, or the default one and all others. Raises AssertionError if there is none."""
    if not is_initialized():
        raise AssertionError("Process group cannot be None")
    if group is None or group is _default[0]:
        _default[0] = None
        _groups.clear()
    elif group in _groups:
        _groups.remove(group)
    else:
        raise ValueError("Invalid process group specified")


def require_group(group):
    """The group itself, the default one for None.

    Raises: ValueError if there is none, TypeError for what is no group.
    """
    if not is_initialized():
        raise ValueError(MISSING)
    if group is None:
        return _default[0]
    if not isinstance(group, ProcessGroup):
        raise TypeError(f"group must be a ProcessGroup, not {type(group).__name__}")
    return group


def new_group(
    ranks=None,
    timeout=None,
    backend=None,
    pg_options=None,
    use_local_synchronization=False,
    group_desc=None,
    device_id=None,
    sort_ranks=True,
):
    """Another group of the processes `ranks`, all by default: that is, of this one.

    Raises: ValueError for processes that are not there, and for a group of none.
    """
    world = require_group(None)
    ranks = [0] if ranks is None else list(ranks)
    for rank in ranks:
        if rank != 0:
            raise ValueError(
                f"Rank {rank} is out of range. Valid ranks are 0 to 0 (world_size=1): {ALONE}"
            )
    if len(ranks) != 1:
        raise ValueError(f"new_group: expected the ranks [0], but got {ranks}")
    name = world.backend if backend is None else _checked_backend(backend)
    made = ProcessGroup(name, group_desc or f"group_{len(_groups) + 1}", world.store)
    _groups.append(made)
    return made


def get_rank(group=None):
    """The number of this process in a group: 0. Raises ValueError without a default group."""
    return require_group(group).rank()


def get_world_size(group=None):
    """The number of processes in a group: 1. Raises ValueError without a default group."""
    return require_group(group).size()


def get_backend(group=None):
    """The name of the backend of a group."""
    return require_group(group).backend


def get_node_local_rank(fallback_rank=None):
    """The number of this process on this machine: the variable LOCAL_RANK, or `fallback_rank`.

    Raises: RuntimeError if there is neither.
    """
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is None:
        raise RuntimeError("LOCAL_RANK is not in the environment, and no fallback_rank was given")
    return int(fallback_rank)


def get_global_rank(group, group_rank):
    """The number among all processes of a process of a group. Raises ValueError if not in it."""
    require_group(group)
    if group_rank != 0:
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return 0


def get_group_rank(group, global_rank):
    """The number in a group of one of all processes. Raises ValueError if it is not in it."""
    require_group(group)
    if global_rank != 0:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return 0


def get_process_group_ranks(group):
    """The numbers among all processes of those of a group."""
    require_group(group)
    return [0]
