"""Walks through the batches of a `DataLoader`, which read them here or have workers read them."""

import collections
import itertools
import os
import warnings
import weakref

import flambeau

from ...recorder.trace import flush
from .fetch import DatasetKind, make_fetcher
from .pool import Worker, answer_of_first, shut_down
from .sampler import draw_seed
from .worker import END, FAILURE, Job

__all__ = [
    "_BaseDataLoaderIter",
    "_MultiProcessingDataLoaderIter",
    "_SingleProcessDataLoaderIter",
]


class _BaseDataLoaderIter:
    """A walk through the batches of a loader. A subclass defines `_next_data()`."""

    def __init__(self, loader):
        self._dataset = loader.dataset
        self._streamed = loader._dataset_kind == DatasetKind.Iterable
        self._index_sampler = loader._index_sampler
        if loader.pin_memory and not flambeau.cuda.is_available():
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=5,
            )
        resume = loader._resume
        self._base_seed = resume["base_seed"] if resume else draw_seed(loader.generator)
        self._begin(loader)

    def _begin(self, loader):
        """Start the sampler, as it was started where the loader resumes an iteration."""
        resume, loader._resume = loader._resume, None
        generator = loader.generator or flambeau.default_generator
        state = generator.get_state()
        self._start = resume["generator"] if resume else state
        self._to_skip = resume["yielded"] if resume else 0
        self._num_yielded = 0
        self._ended = False
        self._len_called = loader._IterableDataset_len_called
        self._sampler_iter = iter(self._index_sampler)
        if resume:
            generator.set_state(self._start)
            first = list(itertools.islice(self._sampler_iter, 1))
            self._sampler_iter = itertools.chain(first, self._sampler_iter)
            if loader.generator is None:
                generator.set_state(state)

    def _skip_keys(self):
        """Leave out the keys of batches that were given before; those of a stream must be read."""
        if not self._streamed:
            self._num_yielded = len(list(itertools.islice(self._sampler_iter, self._to_skip)))

    def _skip_batches(self):
        while self._num_yielded < self._to_skip:
            next(self)

    def _state(self):
        if self._ended:
            return {}
        return {
            "base_seed": self._base_seed,
            "generator": self._start,
            "yielded": self._num_yielded,
        }

    def __iter__(self):
        return self

    def __next__(self):
        try:
            data = self._next_data()
        except StopIteration:
            self._ended = True
            raise
        self._num_yielded += 1
        if self._streamed and self._len_called is not None and self._num_yielded > self._len_called:
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {self._len_called} "
                f"(when accessing len(dataloader)), but {self._num_yielded} samples have been "
                "fetched. With several workers, each must read its own part: see get_worker_info.",
                stacklevel=2,
            )
        return data

    def __len__(self):
        return len(self._index_sampler)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Reads batches when asked for them."""

    def __init__(self, loader):
        if loader.timeout != 0:
            raise AssertionError("timeout needs num_workers > 0")
        super().__init__(loader)
        self._fetch = make_fetcher(
            loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last
        )
        self._skip_keys()
        self._skip_batches()

    def _next_data(self):
        return self._fetch(next(self._sampler_iter))


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Has processes read batches ahead."""

    def __init__(self, loader):
        if loader.prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 with worker processes")
        super().__init__(loader)
        import multiprocessing

        context = loader.multiprocessing_context or multiprocessing.get_context()
        job = Job(
            dataset=loader.dataset,
            batched=loader._auto_collation,
            collate_fn=loader.collate_fn,
            drop_last=loader.drop_last,
            init_fn=loader.worker_init_fn,
            base_seed=self._base_seed,
            num_workers=loader.num_workers,
        )
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._most = loader.prefetch_factor * loader.num_workers
        self._epoch = 0
        self._workers = []
        self._finish = weakref.finalize(self, shut_down, self._workers, os.getpid())
        # What is recorded of the dataset is computed once, not again by every worker.
        flush()
        for i in range(loader.num_workers):
            self._workers.append(Worker(context, i, job))
        self._fill()

    def _reset(self, loader):
        """Begin again with the same processes."""
        for worker in self._workers:
            while worker.keys:
                self._answer([worker])
        self._begin(loader)
        self._fill()

    def _fill(self):
        """Have the workers start an epoch."""
        self._epoch += 1
        self._order = collections.deque()  # The worker of each batch to come.
        self._turns = itertools.cycle(self._workers)
        for worker in self._workers:
            worker.active = True
        self._skip_keys()
        for _ in range(self._most):
            self._ask()
        self._skip_batches()

    def _ask(self):
        """Send the next key, if any, to the next worker, if any."""
        for key in itertools.islice(self._sampler_iter, 1):
            active = sum(worker.active for worker in self._workers)
            for worker in itertools.islice(self._turns, len(self._workers)):
                if worker.active and (self._in_order or len(worker.keys) < self._most // active):
                    worker.send(self._epoch, key)
                    self._order.append(worker)
                    return

    def _answer(self, workers):
        """(worker, kind, value) of the next answer of one of `workers`."""
        worker, (kind, _, value) = answer_of_first(workers, self._workers, self._timeout)
        if kind == END:
            worker.active = False
            worker.keys.clear()
            self._order = collections.deque(other for other in self._order if other is not worker)
        else:
            worker.keys.popleft()
        return worker, kind, value

    def _next_data(self):
        while self._order:
            first = [self._order[0]]
            candidates = first if self._in_order else [w for w in self._workers if w.keys]
            worker, kind, value = self._answer(candidates)
            if kind == END:
                self._ask()
                continue
            self._order.remove(worker)
            self._ask()
            if kind == FAILURE:
                value.reraise()
            return value
        if not self._persistent:
            self._finish()
        raise StopIteration
