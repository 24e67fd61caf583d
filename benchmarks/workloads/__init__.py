"""All workloads, by name, in the order of the table."""

from . import recording, training, kernels, products  # noqa: I001 - the order of the table
from .registry import WORKLOADS, Workload

__all__ = ["WORKLOADS", "Workload", "kernels", "products", "recording", "training"]
