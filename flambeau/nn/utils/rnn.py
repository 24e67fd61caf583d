"""Batches of sequences of different lengths: padded to one length, or packed without padding."""

from collections.abc import Iterable
from typing import NamedTuple

import flambeau

from ...tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


_Fields.__name__ = "PackedSequence_"


class PackedSequence(_Fields):
    """Sequences, longest first, as the rows of their first elements, then of their second, ...

    Made by `pack_padded_sequence` and `pack_sequence`; the recurrent layers take it as input.

    Attributes:
        data: the rows, of shape (sum of lengths, *).
        batch_sizes: how many sequences have a first, a second, ... element.
        sorted_indices: where each sequence stood before they were sorted by length, or None.
        unsorted_indices: the inverse permutation, or None.
    """

    __slots__ = ()

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:  # called with the pair
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("PackedSequence() expected data and batch_sizes, or the pair")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU: make a PackedSequence with pack_sequence() "
                "or pack_padded_sequence()"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """The sequences with `data` converted as by `Tensor.to`; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return self._with(data, lambda indices: indices.to(data.device))

    def _with(self, data, convert):
        """The same sequences with other data, and their indices converted."""
        order = (self.sorted_indices, self.unsorted_indices)
        order = (None if indices is None else convert(indices) for indices in order)
        return type(self)(data, self.batch_sizes, *order)

    def cpu(self, *args, **kwargs):
        """The sequences in the memory of the CPU."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def cuda(self, *args, **kwargs):
        """The sequences in the memory of a GPU."""
        if args:
            return self.to(*args, **kwargs)
        return self.to(**{"device": "cuda", **kwargs})

    def pin_memory(self):
        """The sequences in memory that a GPU reads directly."""
        return self._with(self.data.pin_memory(), lambda indices: indices.pin_memory())

    def is_pinned(self):
        """Whether `data` is in memory that a GPU reads directly."""
        return self.data.is_pinned()

    @property
    def is_cuda(self):
        """Whether `data` is in the memory of a GPU."""
        return self.data.is_cuda

    def double(self):
        """The sequences as float64."""
        return self.to(flambeau.float64)

    def float(self):
        """The sequences as float32."""
        return self.to(flambeau.float32)

    def half(self):
        """The sequences as float16."""
        return self.to(flambeau.float16)

    def long(self):
        """The sequences as int64."""
        return self.to(flambeau.int64)

    def int(self):
        """The sequences as int32."""
        return self.to(flambeau.int32)

    def short(self):
        """The sequences as int16."""
        return self.to(flambeau.int16)

    def char(self):
        """The sequences as int8."""
        return self.to(flambeau.int8)

    def byte(self):
        """The sequences as uint8."""
        return self.to(flambeau.uint8)


def invert_permutation(permutation):
    """The indices that undo a permutation: result[permutation[i]] = i. None for None.

    >>> import flambeau as torch
    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    places = flambeau.arange(permutation.numel(), device=permutation.device)
    return flambeau.empty_like(permutation).scatter_(0, permutation, places)


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Pack sequences that were padded to one length.

    Args:
        input: of shape (time, N, *), or (N, time, *) if `batch_first`.
        lengths: the N lengths, a list or a tensor.
        enforce_sorted: demand that the longest come first; otherwise they are sorted.
    Returns: a PackedSequence.

    Raises RuntimeError for lengths that are not positive, not sorted, too many or too large.

    >>> import flambeau as torch
    >>> padded = torch.tensor([[1, 2, 0], [3, 4, 5]])
    >>> packed = torch.nn.utils.rnn.pack_padded_sequence(
    ...     padded, [2, 3], batch_first=True, enforce_sorted=False
    ... )
    >>> packed.data, packed.batch_sizes
    (tensor([3, 1, 4, 2, 5]), tensor([2, 2, 1]))
    """
    if isinstance(lengths, Tensor):
        lengths = lengths.to(flambeau.int64)
    else:
        lengths = flambeau.as_tensor(lengths, dtype=flambeau.int64, device="cpu")
    if lengths.dim() != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D"
        )
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = flambeau.sort(lengths, descending=True)
        sorted_indices = sorted_indices.to(input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    rows = input.transpose(0, 1) if batch_first else input
    sizes = _batch_sizes(lengths.tolist(), *rows.shape[:2])
    data = rows[: len(sizes)].flatten(0, 1)
    if len(data) != sum(sizes):
        batch = rows.shape[1]
        kept = [t * batch + b for t, size in enumerate(sizes) for b in range(size)]
        data = data.index_select(0, flambeau.tensor(kept, device=input.device))
    return PackedSequence(data, flambeau.tensor(sizes), sorted_indices)


def _batch_sizes(lengths, time, batch):
    """How many sequences have a first, a second, ... element."""
    if len(lengths) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} "
            f"(batch_size={batch})"
        )
    if not lengths or min(lengths) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            f"that is <= 0: {lengths}"
        )
    if sorted(lengths, reverse=True) != lengths:
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence"
        )
    if lengths[0] > time:
        raise RuntimeError(f"a length of {lengths[0]} exceeds the {time} steps of the input")
    sizes, alive = [], batch
    for t in range(lengths[0]):
        while lengths[alive - 1] <= t:
            alive -= 1
        sizes.append(alive)
    return sizes


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """Undo `pack_padded_sequence`.

    Args:
        sequence: a PackedSequence.
        total_length: the length to pad to, by default that of the longest sequence.
    Returns: the padded sequences, of shape (time, N, *) or, if `batch_first`, (N, time, *), and
        their lengths.

    Raises ValueError for a `total_length` that is less than the longest.
    """
    sizes = sequence.batch_sizes.tolist()
    time = len(sizes) if total_length is None else total_length
    if time < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {len(sizes)}"
        )
    places, lengths, start = [], [0] * sizes[0], 0
    for size in sizes:
        places.append([*range(start, start + size), *[-1] * (sizes[0] - size)])
        lengths[:size] = [n + 1 for n in lengths[:size]]
        start += size
    places += [[-1] * sizes[0]] * (time - len(sizes))
    shape = (time, sizes[0])
    if sequence.unsorted_indices is None:
        padded = _gather(sequence.data, places, shape, padding_value)
        return padded.transpose(0, 1) if batch_first else padded, flambeau.tensor(lengths)
    order = sequence.unsorted_indices.tolist()
    places = [[step[k] for k in order] for step in places]
    if batch_first:
        places, shape = zip(*places, strict=True), shape[::-1]
    padded = _gather(sequence.data, places, shape, padding_value)
    return padded, flambeau.tensor([lengths[k] for k in order])


def _gather(rows, places, shape, padding_value):
    """The rows at a table of places, which has that shape; padding where it says -1."""
    flat = [place for line in places for place in line]
    if -1 in flat:
        flat = [len(rows) if place == -1 else place for place in flat]
        padding = rows.new_full((1, *rows.shape[1:]), padding_value)
        rows = flambeau.cat((rows, padding))
    places_of = flambeau.tensor(flat, dtype=flambeau.int64, device=rows.device)
    return rows.index_select(0, places_of).reshape(*shape, *rows.shape[1:])


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Stack sequences of shapes (length, *) that are padded to the length of the longest.

    Args:
        sequences: an iterable of tensors, or a tensor.
        padding_side: "right" to pad behind the sequences, "left" before them.
    Returns: a tensor of shape (time, N, *), or (N, time, *) if `batch_first`.

    Raises RuntimeError if there are none, or if their shapes differ in more than the length.

    >>> import flambeau as torch
    >>> sequences = [torch.tensor([1, 2, 3]), torch.tensor([4])]
    >>> torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    lengths = [s.size(0) for s in sequences]
    first, time = sequences[0], max(lengths)
    rows = [s.to(first.dtype).expand(s.size(0), *first.shape[1:]) for s in sequences]
    places, start = [], 0
    for n in lengths:
        own, padding = range(start, start + n), [-1] * (time - n)
        places.append([*own, *padding] if padding_side == "right" else [*padding, *own])
        start += n
    shape = (len(places), time)
    if not batch_first:
        places, shape = zip(*places, strict=True), shape[::-1]
    return _gather(flambeau.cat(rows), places, shape, padding_value)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """Undo `pad_sequence`: the list of sequences with the given lengths.

    Args:
        padded_sequences: of shape (time, N, *), or (N, time, *) if `batch_first`.
        lengths: a tensor of the N lengths.
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [s[: max(n, 0)].clone() for s, n in zip(rows, lengths.tolist(), strict=True)]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack a list of sequences of shapes (length, *).

    With `enforce_sorted` the longest must come first; otherwise they are sorted.

    >>> import flambeau as torch
    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = flambeau.tensor([s.size(0) for s in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """Undo `pack_sequence`: the list of sequences, in their first order."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
