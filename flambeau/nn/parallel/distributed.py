"""Models that processes train together."""

import contextlib

from ...distributed.group import require_group
from ..lazy import is_lazy
from ..module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A module that all processes train together: with one process, what `module` does.

    The module is the attribute `module`, so names of parameters begin with "module.". The options
    say how processes communicate and have no effect.

    Raises: RuntimeError for a module without parameters to train, or with some that have no shape
        yet; ValueError without a group of processes, see `distributed.init_process_group`, and for
        devices that are named though the module is on the CPU.

    >>> import flambeau as torch
    >>> torch.distributed.init_process_group("gloo", world_size=1, rank=0)
    >>> net = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 3))
    >>> list(net.state_dict())
    ['module.weight', 'module.bias']
    >>> torch.distributed.destroy_process_group()
    """

    def __init__(
        self,
        module,
        device_ids=None,
        output_device=None,
        dim=0,
        broadcast_buffers=None,
        init_sync=True,
        process_group=None,
        bucket_cap_mb=None,
        find_unused_parameters=False,
        check_reduction=False,
        gradient_as_bucket_view=False,
        static_graph=False,
        delay_all_reduce_named_params=None,
        param_to_hook_all_reduce=None,
        mixed_precision=None,
        device_mesh=None,
        skip_all_reduce_unused_params=False,
        bucket_cap_mb_list=None,
        batched_grad_copy=False,
        forward_sync_buffers=None,
    ):
        super().__init__()
        group = require_group(process_group)
        parameters = list(module.parameters())
        if not any(p.requires_grad for p in parameters):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter "
                "that requires a gradient."
            )
        if any(map(is_lazy, parameters)):
            raise RuntimeError(
                "Modules with uninitialized parameters can't be used with "
                "`DistributedDataParallel`. Run a dummy forward pass to correctly initialize the "
                "modules"
            )
        devices = {p.device for p in parameters}
        if (device_ids or output_device) and {d.type for d in devices} == {"cpu"}:
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with "
                "single-device/multiple-device GPU modules or CPU modules, but got device_ids "
                f"{device_ids}, output_device {output_device}, and module parameters {devices}."
            )
        self.module = module
        self.device = parameters[0].device
        self.device_ids, self.output_device, self.dim = None, None, dim
        self.process_group, self.static_graph = group, static_graph
        self.find_unused_parameters = find_unused_parameters
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.require_backward_grad_sync = True

    def forward(self, *inputs, **kwargs):
        """What the module returns."""
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self):
        """Gradients accumulate within the `with` block, as they do with one process anyway."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def join(
        self, divide_by_initial_world_size=True, enable=True, throw_on_early_termination=False
    ):
        """A context for processes with different numbers of batches; here it changes nothing."""
        return contextlib.nullcontext(self)

    def register_comm_hook(self, state, hook):
        """Accept how processes are to reduce gradients, to no effect: there is one process."""
