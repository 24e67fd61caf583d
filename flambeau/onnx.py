"""`flambeau.onnx`: what programs ask that can also be exported; there is no exporter."""

__all__ = ["is_in_onnx_export"]


def is_in_onnx_export():
    """Whether a model is being exported right now: never."""
    return False
