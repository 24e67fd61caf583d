"""Collective operations among one process: each gives at once what it would among many.

They write into the tensors they are given, outside of autograd, as PyTorch's do. With `async_op`
they return a `Work`, which is done.
"""

import copy

from ..autograd.modes import no_grad
from ..recorder.handle import Tensor
from .group import ALONE, ReduceOp, Work, require_group

__all__ = [
    "P2POp",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "batch_isend_irecv",
    "broadcast",
    "broadcast_object_list",
    "gather",
    "gather_object",
    "irecv",
    "isend",
    "monitored_barrier",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
]


def _require_tensor(x, name):
    if not isinstance(x, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor but got "
            f"{type(x)} instead."
        )


def _require_list(items, name, kind=Tensor):
    """Raise unless `items` is a list of one, for the one process there is."""
    if not isinstance(items, (list, tuple)) or not all(isinstance(x, kind) for x in items):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor] "
            f"but got {type(items)} instead."
        )
    if len(items) != 1:
        raise RuntimeError(f"{name}: expected length 1, got {len(items)}: {ALONE}")


def _require_op(op):
    if not isinstance(op, ReduceOp):
        raise TypeError(f"op must be a ReduceOp, not {type(op).__name__}")


def _require_root(rank, group_rank, what):
    """Raise unless a process that a collective names is the one there is."""
    if rank is None and group_rank is None:
        raise ValueError("Must specify global_rank or group_rank")
    if rank is not None and group_rank is not None:
        raise ValueError("Can't specify both global_rank and group_rank")
    root = group_rank if rank is None else rank
    if root != 0:
        raise RuntimeError(f"invalid {what} rank: {root}: {ALONE}")


def _finished(async_op, *tensors):
    return Work(tensors) if async_op else None


def _copied(target, source, name):
    """Write a tensor into another of its size and dtype."""
    if target.shape != source.shape:
        raise RuntimeError(
            f"{name}: invalid tensor size (expected {tuple(source.shape)}, got "
            f"{tuple(target.shape)})"
        )
    if target.dtype is not source.dtype:
        raise TypeError(f"{name}: invalid tensor type (expected {source.dtype}, {target.dtype})")
    with no_grad():
        target.copy_(source)


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Wait for all processes."""
    require_group(group)
    return _finished(async_op)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """Wait for all processes, and name those that do not come."""
    require_group(group)


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine a tensor over all processes, in place: it stays as it is.

    >>> import flambeau as torch
    >>> torch.distributed.init_process_group(world_size=1, rank=0)
    >>> x = torch.tensor([1.0, 2.0])
    >>> work = torch.distributed.all_reduce(x, async_op=True)
    >>> work.wait(), x
    (True, tensor([1., 2.]))
    >>> torch.distributed.destroy_process_group()
    """
    _require_tensor(tensor, "tensor")
    _require_op(op)
    require_group(group)
    return _finished(async_op, tensor)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """Combine a tensor over all processes into that of `dst`: it stays as it is."""
    _require_tensor(tensor, "tensor")
    _require_op(op)
    require_group(group)
    _require_root(dst, group_dst, "destination")
    return _finished(async_op, tensor)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Give all processes the tensor of `src`: it stays as it is."""
    _require_tensor(tensor, "tensor")
    require_group(group)
    _require_root(src, group_src, "root")
    return _finished(async_op, tensor)


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Write the tensors of all processes into a list of tensors."""
    _require_tensor(tensor, "tensor")
    require_group(group)
    _require_list(tensor_list, "tensor_list")
    _copied(tensor_list[0], tensor, "all_gather")
    return _finished(async_op, *tensor_list)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Write the tensors of all processes, one after another or stacked, into one tensor."""
    _require_tensor(output_tensor, "output_tensor")
    _require_tensor(input_tensor, "input_tensor")
    require_group(group)
    stacked = output_tensor.shape == (1, *input_tensor.shape)
    _copied(output_tensor[0] if stacked else output_tensor, input_tensor, "all_gather_into_tensor")
    return _finished(async_op, output_tensor)


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """Write the tensors of all processes into a list of tensors of `dst`, by default 0."""
    _require_tensor(tensor, "tensor")
    require_group(group)
    _require_root(0 if dst is None and group_dst is None else dst, group_dst, "destination")
    if not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    _require_list(gather_list, "gather_list")
    _copied(gather_list[0], tensor, "gather")
    return _finished(async_op, *gather_list)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Write into a tensor that for this process of a list that `src`, by default 0, has."""
    _require_tensor(tensor, "tensor")
    require_group(group)
    _require_root(0 if src is None and group_src is None else src, group_src, "root")
    if not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    _require_list(scatter_list, "scatter_list")
    _copied(tensor, scatter_list[0], "scatter")
    return _finished(async_op, tensor)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine lists of tensors over all processes; each gets that with its number."""
    _require_tensor(output, "output")
    _require_op(op)
    require_group(group)
    _require_list(input_list, "input_list")
    _copied(output, input_list[0], "reduce_scatter")
    return _finished(async_op, output)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine a tensor over all processes; each gets its part, one after another or stacked."""
    _require_tensor(output, "output")
    _require_tensor(input, "input")
    _require_op(op)
    require_group(group)
    stacked = input.shape == (1, *output.shape)
    _copied(output, input[0] if stacked else input, "reduce_scatter_tensor")
    return _finished(async_op, output)


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Give each process the tensor with its number of the list of every other."""
    require_group(group)
    _require_list(output_tensor_list, "output_tensor_list")
    _require_list(input_tensor_list, "input_tensor_list")
    _copied(output_tensor_list[0], input_tensor_list[0], "all_to_all")
    return _finished(async_op, *output_tensor_list)


def all_to_all_single(
    output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False
):
    """Give each process its part of the tensor of every other, in one tensor."""
    _require_tensor(output, "output")
    _require_tensor(input, "input")
    require_group(group)
    for sizes, tensor in ((output_split_sizes, output), (input_split_sizes, input)):
        if sizes and list(sizes) != [len(tensor)]:
            raise RuntimeError(
                f"all_to_all_single: expected the split sizes {[len(tensor)]}, got {list(sizes)}"
            )
    _copied(output, input, "all_to_all_single")
    return _finished(async_op, output)


# Of objects, each process gets a copy of its own.


def _require_objects(items, name):
    if not isinstance(items, list) or len(items) != 1:
        raise RuntimeError(f"{name}: expected a list of length 1: {ALONE}")


def all_gather_object(object_list, obj, group=None):
    """Put the objects of all processes into a list."""
    require_group(group)
    _require_objects(object_list, "object_list")
    object_list[0] = copy.deepcopy(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """Put the objects of all processes into a list of `dst`, by default 0."""
    require_group(group)
    _require_root(0 if dst is None and group_dst is None else dst, group_dst, "destination")
    if not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    all_gather_object(object_gather_list, obj, group)


def scatter_object_list(
    scatter_object_output_list,
    scatter_object_input_list=None,
    src=None,
    group=None,
    group_src=None,
):
    """Put the object for this process of a list that `src`, by default 0, has into a list."""
    require_group(group)
    _require_root(0 if src is None and group_src is None else src, group_src, "root")
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError(
            "Expected argument scatter_object_output_list to be a list of size at least 1."
        )
    if not scatter_object_input_list:
        raise ValueError("source rank must provide non-None scatter_object_input_list")
    _require_objects(scatter_object_input_list, "scatter_object_input_list")
    scatter_object_output_list[0] = copy.deepcopy(scatter_object_input_list[0])


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """Give all processes the objects of `src`: they stay as they are."""
    require_group(group)
    _require_root(src, group_src, "root")


# Between two processes, of which there is one.


def _refuse_peer(tensor, peer, group_peer, group, what):
    _require_tensor(tensor, "tensor")
    require_group(group)
    peer = group_peer if peer is None else peer
    if peer == 0:
        raise ValueError(
            f"Invalid {what} rank: {what} rank should not be the same as the rank of the current "
            "process."
        )
    raise RuntimeError(f"there is no process {'' if peer is None else peer} to talk to: {ALONE}")


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send a tensor to another process. Raises ValueError for this one, else RuntimeError."""
    _refuse_peer(tensor, dst, group_dst, group, "destination")


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Get a tensor of another process. Raises ValueError for this one, else RuntimeError."""
    _refuse_peer(tensor, src, group_src, group, "source")


def isend(tensor, dst=None, group=None, tag=0, group_dst=None):
    """As `send`, without waiting."""
    send(tensor, dst, group, tag, group_dst)


def irecv(tensor, src=None, group=None, tag=0, group_src=None):
    """As `recv`, without waiting."""
    recv(tensor, src, group, tag, group_src)


class P2POp:
    """An `isend` or `irecv` that `batch_isend_irecv` will do."""

    def __init__(self, op, tensor, peer=None, group=None, tag=0, group_peer=None):
        if op not in (isend, irecv):
            raise ValueError("Invalid ``op``. Expected ``op`` to be isend or irecv.")
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag
        self.group_peer = group_peer


def batch_isend_irecv(p2p_op_list):
    """Begin several `P2POp`s. Raises as `isend` and `irecv`."""
    return [p.op(p.tensor, p.peer, p.group, p.tag, p.group_peer) for p in p2p_op_list]
