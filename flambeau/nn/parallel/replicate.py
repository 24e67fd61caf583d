"""Replicas of a module that share its parameters."""

import copy

__all__ = ["replicate"]


def replicate(network, devices, detach=False):
    """A replica of a module for each device: the same parameters, as seen from there.

    Gradients of replicas flow into the module's parameters, unless `detach`. The tensors are
    attributes of the replicas, but no longer `parameters()` of theirs.
    """
    return [_replica(network, device, detach, {}) for device in devices]


def _replica(module, device, detach, made):
    if module is None:
        return None
    if id(module) in made:
        return made[id(module)]
    replica = made[id(module)] = copy.copy(module)
    modules = {k: _replica(m, device, detach, made) for k, m in module._modules.items()}
    buffers = {k: _placed(b, device, True) for k, b in module._buffers.items()}
    parameters = {k: _placed(p, device, detach) for k, p in module._parameters.items()}
    replica.__dict__.update(parameters, _modules=modules, _buffers=buffers, _parameters={})
    return replica


def _placed(tensor, device, detach):
    if tensor is None:
        return None
    return (tensor.detach() if detach else tensor).to(device)
