"""The sampler that gives each of several training processes its share."""

import math

import flambeau

from ...distributed.group import get_rank, get_world_size
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The share of process `rank` out of `num_replicas`: every `num_replicas`-th index.

    With `shuffle` the order depends on `seed` and on the epoch told by `set_epoch`. Shares have one
    length: the first indices are repeated at the end, or with `drop_last` the last ones left out.
    What is not given of `num_replicas` and `rank` is asked of the default process group. Raises
    ValueError where there is none, and for a rank outside of `[0, num_replicas - 1]`.

    >>> from flambeau.utils.data import DistributedSampler
    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in range(2)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False
    ):
        num_replicas = get_world_size() if num_replicas is None else num_replicas
        rank = get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        size = len(dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self):
        size = len(self.dataset)
        if self.shuffle:
            generator = flambeau.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = flambeau.randperm(size, generator=generator).tolist()
        else:
            indices = list(range(size))
        if self.total_size > size:
            indices *= math.ceil(self.total_size / size)
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Tell the number of the epoch, so that each is shuffled differently."""
        self.epoch = epoch
