"""In which order a `DataLoader` reads: samplers of indices, and of batches of them.

Orders are drawn as PyTorch draws them: the same seed gives the same order.
"""

import itertools
from typing import Generic, TypeVar

import flambeau

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An iterable of the keys, or of the lists of keys, that a `DataLoader` reads.

    A subclass defines `__iter__()`, and `__len__()` where the number of keys is known.

    >>> from flambeau.utils.data import Sampler
    >>> class Backwards(Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...     def __iter__(self):
    ...         return iter(reversed(range(len(self.data))))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __init__(self, data_source=None):
        # Programs written for older versions of PyTorch pass the dataset to this class.
        pass

    def __iter__(self):
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, 2, ... of `data_source`."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of `data_source` in a random order, or drawn with replacement.

    `num_samples` indices are drawn, by default as many as there are; if more, and without
    replacement, permutations follow each other. Without a `generator` each iteration seeds one of
    its own from the default generator.

    Raises TypeError where `replacement` is no bool, ValueError unless `num_samples` is a positive
    int.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0)
    >>> sorted(torch.utils.data.RandomSampler(range(4)))
    [0, 1, 2, 3]
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )

    @property
    def num_samples(self):
        """How many indices an iteration gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        generator = self.generator
        if generator is None:
            generator = flambeau.Generator()
            generator.manual_seed(draw_seed())
        draw = self._with_replacement if self.replacement else self._permutations
        yield from draw(len(self.data_source), self.num_samples, generator)

    def _with_replacement(self, size, wanted, generator):
        chunk = 32  # Part of what a seed means: PyTorch draws 32 at a time.
        for _ in range(wanted // chunk):
            yield from flambeau.randint(size, (chunk,), generator=generator).tolist()
        yield from flambeau.randint(size, (wanted % chunk,), generator=generator).tolist()

    def _permutations(self, size, wanted, generator):
        for _ in range(wanted // size):
            yield from flambeau.randperm(size, generator=generator).tolist()
        # Drawn even if nothing remains, as the state of the generator is seen from outside.
        rest = flambeau.randperm(size, generator=generator).tolist()
        yield from rest[: wanted % size]

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given `indices` in a random order."""

    def __init__(self, indices, generator=None):
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        for i in flambeau.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, each drawn with a probability proportional to its weight.

    Raises ValueError unless `weights` has one dimension, `num_samples` is a positive int and
    `replacement` a bool.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        weights = flambeau.as_tensor(weights, dtype=flambeau.float64)
        if weights.dim() != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(weights.shape)}"
            )
        self.weights = weights
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        drawn = flambeau.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler[list]):
    """Lists of `batch_size` keys of `sampler`; the last, if shorter, is left out by `drop_last`.

    Raises ValueError unless `batch_size` is a positive int and `drop_last` a bool.

    >>> from flambeau.utils.data import BatchSampler
    >>> list(BatchSampler(range(7), batch_size=3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self):
        keys = iter(self.sampler)
        while batch := list(itertools.islice(keys, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full if self.drop_last or not rest else full + 1


def draw_seed(generator=None):
    """A random int64 from `generator`, the default one if None."""
    return flambeau.empty(1, dtype=flambeau.int64).random_(generator=generator).item()
