"""`flambeau.nn.parallel`: models on several devices or in several processes, of which one is used.

The engine spreads the work of one model over all cores, so nothing here makes it faster: scripts
that are written for many devices run as they are.
"""

from .data_parallel import DataParallel, data_parallel
from .distributed import DistributedDataParallel
from .parallel_apply import parallel_apply
from .replicate import replicate
from .scatter_gather import gather, scatter

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]
