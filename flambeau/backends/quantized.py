"""`flambeau.backends.quantized`: the engine for quantised numbers, of which there is none."""

__all__ = ["engine", "supported_engines"]

engine = "none"
supported_engines = ["none"]
