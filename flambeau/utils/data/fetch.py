"""From keys to a batch: what a `DataLoader` does with a dataset, here or in a worker."""

import numpy as np

import flambeau

from . import rows
from .collate import default_collate
from .dataset import IterableDataset, Subset, TensorDataset, read_samples

__all__ = ["DatasetKind", "make_fetcher"]


class DatasetKind:
    """The two kinds of dataset: read by key, or in the order in which samples come."""

    Map = 0
    Iterable = 1


def make_fetcher(dataset, batched, collate_fn, drop_last):
    """A function from what the sampler gives to a batch.

    `batched` tells that it gives lists of keys. At the end of a stream the function raises
    StopIteration.
    """
    if isinstance(dataset, IterableDataset):
        return _stream_fetcher(iter(dataset), batched, collate_fn, drop_last)
    if not batched:
        return lambda key: collate_fn(dataset[key])
    if collate_fn is default_collate and (columns := _columns(dataset)):
        return _gather_fetcher(dataset, *columns)
    return lambda keys: collate_fn(read_samples(dataset, keys))


def _stream_fetcher(samples, batched, collate_fn, drop_last):
    def fetch(keys):
        if not batched:
            return collate_fn(next(samples))
        batch = [sample for _, sample in zip(keys, samples, strict=False)]
        if not batch or (drop_last and len(batch) < len(keys)):
            raise StopIteration
        return collate_fn(batch)

    return fetch


def _columns(dataset):
    """(tensors, indices) where the samples of `dataset` are rows of tensors, else None.

    `indices` maps keys to rows; None means that they are the same.
    """
    if type(dataset) is TensorDataset:
        plain = all(isinstance(tensor, flambeau.Tensor) for tensor in dataset.tensors)
        return (dataset.tensors, None) if plain else None
    if type(dataset) is Subset and (columns := _columns(dataset.dataset)):
        tensors, inner = columns
        mine = dataset.indices
        return tensors, mine if inner is None else [inner[row] for row in mine]
    return None


def _gather_fetcher(dataset, tensors, indices):
    """Takes all rows of a batch at once: the same batch as collated samples, much sooner."""
    size = tensors[0].size(0)

    def fetch(keys):
        named = keys if indices is None else [indices[key] for key in keys]
        # Keys of other kinds, such as bools, mean something else to a tensor.
        at = np.array(named) if set(map(type, named)) == {int} else None
        if at is None or at.min() < 0 or at.max() >= size:
            return default_collate(read_samples(dataset, keys))
        taken = [rows.take(tensor, at) for tensor in tensors]
        if any(batch is None for batch in taken):
            at = flambeau.from_numpy(at)
            taken = [tensor.index_select(0, at) for tensor in tensors]
        return taken

    return fetch
