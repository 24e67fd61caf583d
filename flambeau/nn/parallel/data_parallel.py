"""Batches spread over devices."""

from ..module import Module
from .parallel_apply import parallel_apply
from .replicate import replicate
from .scatter_gather import gather, scatter

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """A module on as many devices as there are: one, on which it does what `module` does.

    The arguments after the first are accepted to no effect. The module is the attribute `module`,
    so names of parameters begin with "module.".

    >>> import flambeau as torch
    >>> net = torch.nn.DataParallel(torch.nn.Linear(2, 3))
    >>> list(net.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []

    def forward(self, *inputs, **kwargs):
        """What the module returns."""
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """module(*inputs, **module_kwargs), with the batch cut along a dim and spread over devices.

    Args:
        inputs: a tensor, or a tuple of all arguments.
        device_ids: the devices, with repetitions; without them the batch stays whole.
        output_device: where the result is put together, the first of the devices by default.

    >>> import flambeau as torch
    >>> double = torch.nn.parallel.data_parallel(torch.nn.Identity(), torch.arange(3), ["cpu"])
    >>> double
    tensor([0, 1, 2])
    """
    if not isinstance(inputs, tuple):
        inputs = () if inputs is None else (inputs,)
    kwargs = module_kwargs or {}
    if not device_ids:
        return module(*inputs, **kwargs)
    batches = scatter(inputs, device_ids, dim) if inputs else [()] * len(device_ids)
    named = scatter(kwargs, device_ids, dim)
    count = min(len(batches), len(named))
    replicas = replicate(module, device_ids[:count])
    results = parallel_apply(replicas, batches[:count], named[:count])
    return gather(results, device_ids[0] if output_device is None else output_device, dim)
