"""The `DataLoader`: its arguments, its length, its place in an epoch."""

import itertools
import math
import warnings
import weakref
from typing import Generic, TypeVar

from ... import config
from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .fetch import DatasetKind
from .iterators import (
    _BaseDataLoaderIter,
    _MultiProcessingDataLoaderIter,
    _SingleProcessDataLoaderIter,
)
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .worker import get_worker_info

__all__ = [
    "DataLoader",
    "_BaseDataLoaderIter",
    "_MultiProcessingDataLoaderIter",
    "_SingleProcessDataLoaderIter",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

T_co = TypeVar("T_co", covariant=True)

FIXED = ("batch_sampler", "batch_size", "dataset", "drop_last", "persistent_workers", "sampler")


class DataLoader(Generic[T_co]):
    """The batches of a dataset, in the order of a sampler, read here or by worker processes.

    `batch_size` samples, or one sample if None, make a batch by `collate_fn` (`default_collate`,
    `default_convert`); the last one, if smaller, is left out by `drop_last`. The order is that of
    the dataset, random with `shuffle`, or that of `sampler`; or `batch_sampler` gives the keys of
    each batch. `generator` draws the order and the seeds of the workers.

    Each of `num_workers` processes reads `prefetch_factor` batches ahead (2 if None). Worker `i` is
    seeded with a base seed plus `i`, then `worker_init_fn(i)` is called. Batches come in order
    unless `in_order` is False. An error in a worker is raised here, in place of its batch; a batch
    that takes more than `timeout` seconds, and the death of a worker, raise RuntimeError.
    `persistent_workers` keeps the processes from one iteration to the next.
    `multiprocessing_context` is a context or the name of a start method. `pin_memory` is accepted.

    Raises ValueError for arguments that contradict each other. `state_dict()` tells where an
    iteration is, and `load_state_dict` goes on from there.

    >>> import flambeau as torch
    >>> loader = torch.utils.data.DataLoader(range(5), batch_size=2)
    >>> len(loader), list(loader)
    (3, [tensor([0, 1]), tensor([2, 3]), tensor([4])])
    """

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=None,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
    ):
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        streamed = isinstance(dataset, IterableDataset)
        if streamed:
            _check_streamed(shuffle, sampler, batch_sampler)
        _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.persistent_workers = persistent_workers
        self.generator = generator
        self._dataset_kind = DatasetKind.Iterable if streamed else DatasetKind.Map
        if sampler is None:
            if streamed:
                sampler = itertools.repeat(None)
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._IterableDataset_len_called = None
        self._iterator = None
        self._running = None  # A weak reference to the latest iterator.
        self._resume = None  # What the next iterator begins with.
        self.check_worker_number_rationality()
        self._initialized = True

    def __setattr__(self, name, value):
        if name in FIXED and "_initialized" in self.__dict__:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    def __iter__(self):
        if self._iterator is not None:
            self._iterator._reset(self)
            self._running = weakref.ref(self._iterator)
            return self._iterator
        iterator = self._get_iterator()
        self._running = weakref.ref(iterator)
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    def _get_iterator(self):
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        return _MultiProcessingDataLoaderIter(self)

    @property
    def _auto_collation(self):
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self):
        if self._dataset_kind == DatasetKind.Map:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        exact = length / self.batch_size
        return math.floor(exact) if self.drop_last else math.ceil(exact)

    @property
    def multiprocessing_context(self):
        """The context that makes the workers; None for Python's default."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        if context is not None:
            context = _as_context(context, self.num_workers)
        self._multiprocessing_context = context

    def check_worker_number_rationality(self):
        """Warn where there are more workers than processors."""
        processors = config.cores()
        if self.num_workers > processors:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {processors}, which is "
                "smaller than what this DataLoader is going to create. More may be slower.",
                stacklevel=3,
            )

    def state_dict(self):
        """Where the latest iteration is, to be saved with a checkpoint.

        After `load_state_dict` of it, the next iteration gives the batches that were still to
        come. The sampler is started again with the same state of `generator`, or of the default
        one; a stream is read again up to the place. At the end of an iteration, or without one,
        the next is a new one.

        >>> import flambeau as torch
        >>> loader = torch.utils.data.DataLoader(range(8), batch_size=2, shuffle=True)
        >>> batches = iter(loader)
        >>> _ = next(batches)
        >>> state = loader.state_dict()
        >>> rest = list(batches)
        >>> loader.load_state_dict(state)
        >>> [a.tolist() for a in loader] == [a.tolist() for a in rest]
        True
        """
        iterator = self._running and self._running()
        return iterator._state() if iterator is not None else {}

    def load_state_dict(self, state):
        """Have the next iteration begin where `state`, from `state_dict`, was."""
        self._resume = dict(state) or None


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None and num_workers == 0:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing. Let num_workers > "
            "0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_streamed(shuffle, sampler, batch_sampler):
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}"
            )


def _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last):
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                "drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


def _as_context(context, num_workers):
    import multiprocessing.context

    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > "
            f"0), but got num_workers={num_workers}"
        )
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{valid!r}, but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}"
        )
    return context
