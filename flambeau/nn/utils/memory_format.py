"""The order in memory of the weights of convolutions."""

from ..conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module, memory_format):
    """Store the weights of all 2-D convolutions of a module in a memory format; returns it.

    Args: memory_format: such as `flambeau.channels_last`.
    """
    return _convert(module, memory_format, (Conv2d, ConvTranspose2d))


def convert_conv3d_weight_memory_format(module, memory_format):
    """Store the weights of all 3-D convolutions of a module in a memory format; returns it.

    Args: memory_format: such as `flambeau.channels_last_3d`.
    """
    return _convert(module, memory_format, (Conv3d, ConvTranspose3d))


def _convert(module, memory_format, kinds):
    for layer in module.modules():
        if isinstance(layer, kinds):
            layer.weight.data = layer.weight.detach().clone(memory_format=memory_format)
    return module
