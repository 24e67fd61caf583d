"""The `DataLoader` and its iterators."""

import functools
import itertools
import math
import os
import warnings
import weakref
from typing import Generic, TypeVar

import flambeau

from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .fetch import DatasetKind, make_fetcher
from .pool import Worker, answer_of_first, shut_down
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed
from .worker import END, FAILURE, Job, get_worker_info

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

FIXED = ("batch_sampler", "batch_size", "dataset", "drop_last", "persistent_workers", "sampler")


class DataLoader(Generic[T_co]):
    """The batches of a dataset, in the order of a sampler, read here or by worker processes.

    `batch_size` samples, or one sample if None, make a batch by `collate_fn` (`default_collate`,
    `default_convert`); the last one, if smaller, is left out by `drop_last`. The order is that of
    the dataset, random with `shuffle`, or that of `sampler`; or `batch_sampler` gives the
    keys of each batch. `generator` draws the order and the seeds of the workers.

    With `num_workers` processes each reads `prefetch_factor` batches ahead (2 if None).
    Worker `i` is seeded with a base seed plus `i`, then `worker_init_fn(i)` is called.
    Batches come in order unless `in_order` is False; an error in a worker is raised here, in place
    of its batch; a batch that takes more than `timeout` seconds raises RuntimeError, as does the
    death of a worker at once. `persistent_workers` keeps them from one iteration to the next.
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
            self._iterator._reset()
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
        affinity = getattr(os, "sched_getaffinity", None)
        processors = len(affinity(0)) if affinity else os.cpu_count() or 1
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
        come. Samplers that draw from `generator`, or from the default one at their start, repeat
        their order; a stream is read again up to the place. At the end of an iteration, or without one, the
        next iteration is a new one.
        """
        iterator = self._running and self._running()
        return iterator._state() if iterator is not None else {}

    def load_state_dict(self, state):
        """Have the next iteration begin where `state`, from `state_dict`, was."""
        self._resume = dict(state) or None


class _BaseDataLoaderIter:
    """One walk through the batches of a loader. A subclass defines `_next_data()`."""

    def __init__(self, loader):
        self._loader = loader
        self._dataset = loader.dataset
        if loader.pin_memory and not flambeau.cuda.is_available():
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=4,
            )
        resume = loader._resume or {}
        base_seed = resume.get("base_seed")
        self._base_seed = draw_seed(loader.generator) if base_seed is None else base_seed
        self._begin()

    def _begin(self):
        """Start the sampler, where the loader says so in the middle."""
        loader, self._loader._resume = self._loader, None and None
        self._sampler_iter = iter(loader._index_sampler)
        self._num_yielded = 0
        self._ended = False

    def __iter__(self):
        return self

    def __len__(self):
        return len(self._loader._index_sampler)
