"""All workloads, by name, in the order of the table."""

from . import recording, training, kernels, products  # noqa: I001 - the order of the table
from . import indexing, networks, convolution, sequences, transformers, graphs, loading
from .registry import WORKLOADS, Workload

__all__ = ["WORKLOADS", "Workload", "convolution", "graphs", "indexing", "kernels", "loading"]
__all__ += ["networks", "products", "recording", "sequences", "training", "transformers"]
