"""The blocks of scores that a mask for attention leaves to compute."""

import itertools
import math

import numpy as np

import flambeau

from .mask_mod import create_mask, noop_mask, over_grid

__all__ = ["BlockMask", "create_block_mask"]

SIZE = 128  # of the sides of a block

_LISTS = (
    *("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices"),
    *("q_num_blocks", "q_indices", "full_q_num_blocks", "full_q_indices"),
)

_MORE = """\
...
To print out more, set BlockMask.to_string(limit=N)
You can also index (BlockMask[batch, head]) to choose a specific batch or head"""

_SLICED = """\
Cannot use mask_mod from a sliced BlockMask. A part of a mask has indices of its own, so set the \
function that is meant:

    part = mask[:, :, block]
    part.mask_mod = lambda b, h, q, kv: mask.mask_mod(b, h, q + block * size, kv)
"""


def _sliced_mask_mod_error(batch, head, token_q, token_kv):
    raise RuntimeError(_SLICED)


def create_block_mask(
    mask_mod,
    B,
    H,
    Q_LEN,
    KV_LEN,
    device=None,
    BLOCK_SIZE=SIZE,
    _compile=False,
    separate_full_blocks=True,
    compute_dq_write_order=False,
    dq_kv_order=True,
):
    """The `BlockMask` of a function of indices.

    Args:
        mask_mod: a function (b, h, q_idx, kv_idx) that says what takes part.
        B, H: numbers of batches and heads; None is 1, for a mask that does not depend on them.
        BLOCK_SIZE: of the sides of a block, or (rows, columns).
        separate_full_blocks: whether blocks without anything left out are listed apart.
    The other arguments are accepted to no effect.

    >>> from flambeau.nn.attention.flex_attention import create_block_mask
    >>> create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 256, 256).kv_num_blocks
    tensor([[[1, 1]]], dtype=torch.int32)
    """
    size = _pair(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    present = _sums(mask, size)
    full = present == size[0] * size[1]
    partial = (present > 0) & ~full if separate_full_blocks else present > 0
    lists = (*_listed(partial), *(_listed(full) if separate_full_blocks else (None, None)))
    made = BlockMask.from_kv_blocks(*lists, size, mask_mod, (Q_LEN, KV_LEN))
    made.says_it_all = True
    return made


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def _sums(mask, size):
    """How many elements of each block take part."""
    missing = [-n % s for n, s in zip(mask.shape[-2:], size, strict=True)]
    mask = flambeau.nn.functional.pad(mask.int(), (0, missing[1], 0, missing[0]))
    *lead, rows, columns = mask.shape
    mask = mask.reshape(*lead, rows // size[0], size[0], columns // size[1], size[1])
    return mask.sum((-3, -1))


def _listed(dense):
    """(the number of true elements of each row, their columns and behind them the others)."""
    order = flambeau.argsort(dense.int(), dim=-1, descending=True, stable=True)
    return dense.sum(-1).int(), order.int()


def _spread(counts, columns):
    """What `_listed` was made of."""
    present = flambeau.arange(columns.shape[-1]) < counts.unsqueeze(-1)
    empty = flambeau.zeros(columns.shape, dtype=flambeau.bool)
    return empty.scatter(-1, columns.long(), present)


def _transposed(counts, columns):
    """What is listed for each row, listed for each column; nothing if half of it is missing."""
    if counts is None or columns is None:
        return None, None
    return _listed(_spread(counts, columns).transpose(-2, -1))


class BlockMask:
    """Which blocks of the scores [..., Q_LEN, KV_LEN] of attention are not all left out.

    For each row of blocks, `kv_num_blocks` [..., rows] tells how many are, and `kv_indices`
    [..., rows, columns] begins with their columns; `full_kv_num_blocks` and `full_kv_indices` those
    in which nothing is left out. The attributes that begin with "q_" tell the same for each column.
    Within blocks that are not full, `mask_mod` decides. Make it by `create_block_mask` or
    `from_kv_blocks`.
    """

    says_it_all = False  # whether mask_mod alone decides, and the blocks follow from it

    def __init__(
        self,
        seq_lengths,
        kv_num_blocks,
        kv_indices,
        full_kv_num_blocks,
        full_kv_indices,
        q_num_blocks,
        q_indices,
        full_q_num_blocks,
        full_q_indices,
        BLOCK_SIZE=(SIZE, SIZE),
        mask_mod=noop_mask,
    ):
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        for kind, pair in (
            ("kv", (full_kv_num_blocks, full_kv_indices)),
            ("q", (full_q_num_blocks, full_q_indices)),
        ):
            if (pair[0] is None) != (pair[1] is None):
                raise AssertionError(
                    f"full_{kind}_num_blocks and full_{kind}_indices must be both provided or "
                    "omitted"
                )
        self.seq_lengths, self.BLOCK_SIZE, self.mask_mod = seq_lengths, BLOCK_SIZE, mask_mod
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks,
        kv_indices,
        full_kv_num_blocks=None,
        full_kv_indices=None,
        BLOCK_SIZE=SIZE,
        mask_mod=None,
        seq_lengths=None,
        compute_q_blocks=True,
    ):
        """A mask of the blocks of each row; see the class.

        Raises: RuntimeError for too few dims, AssertionError for half of the lists of full blocks.
        """
        size = _pair(BLOCK_SIZE)
        by_row = ((kv_num_blocks, kv_indices), (full_kv_num_blocks, full_kv_indices))
        by_column = ((None, None), (None, None))
        if compute_q_blocks and kv_indices.dim() >= 2:
            by_column = [_transposed(*pair) for pair in by_row]
        if seq_lengths is None:
            blocks = zip(kv_indices.shape[-2:], size, strict=False)
            seq_lengths = tuple(n * s for n, s in blocks)
        lists = itertools.chain(*by_row, *by_column)
        return cls(seq_lengths, *lists, size, noop_mask if mask_mod is None else mask_mod)

    @property
    def shape(self):
        """The shape of the scores: (B, H, Q_LEN, KV_LEN)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self):
        """The number of scores."""
        return math.prod(self.shape)

    def sparsity(self):
        """The percentage of scores that are not computed; negative if blocks are cut off."""
        blocks = self.to_dense().sum().item()
        return 100 * (1 - blocks * math.prod(self.BLOCK_SIZE) / self.numel())

    def to_dense(self):
        """Ones for the blocks that are computed, int32 [..., rows, columns]."""
        partial, full = self._blocks()
        return (partial if full is None else partial | full).int()

    def _blocks(self):
        """The blocks where `mask_mod` decides, and those that are full or None, as bools."""
        partial = _spread(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_indices is None:
            return partial, None
        return partial, _spread(self.full_kv_num_blocks, self.full_kv_indices)

    def allowed(self, batches, heads):
        """What takes part, as bools [batches, heads, Q_LEN, KV_LEN]."""
        sizes = (batches, heads, *self.seq_lengths)
        mask = over_grid(self.mask_mod, sizes, device=self.kv_indices.device)
        if self.says_it_all:
            return mask
        partial, full = (x if x is None else self._stretched(x) for x in self._blocks())
        return mask & partial if full is None else mask & partial | full

    def _stretched(self, blocks):
        """A value for each score, given one for each block."""
        rows, columns = (
            flambeau.arange(n) // s for n, s in zip(self.seq_lengths, self.BLOCK_SIZE, strict=True)
        )
        return blocks[..., rows, :][..., columns]

    def __getitem__(self, index):
        """The mask of some batches, heads and rows of blocks; without a `mask_mod` of its own."""
        index = index if isinstance(index, tuple) else (index,)
        index = tuple(slice(i, i + 1 or None) if isinstance(i, int) else i for i in index)
        lists = (getattr(self, name) for name in _LISTS[:4])
        lists = (None if x is None else x[index] for x in lists)
        return self._with(*lists, _sliced_mask_mod_error, self.seq_lengths)

    def _with(self, kv, kv_indices, full, full_indices, mask_mod, seq_lengths):
        return type(self).from_kv_blocks(
            *(kv, kv_indices, full, full_indices, self.BLOCK_SIZE, mask_mod, seq_lengths),
            compute_q_blocks=self.q_indices is not None,
        )

    def _adjust(self, new_q_len, new_kv_len):
        """The mask of the first queries and keys."""
        sizes = zip((new_q_len, new_kv_len), self.BLOCK_SIZE, strict=True)
        rows, columns = (-(-n // s) for n, s in sizes)
        partial, full = (
            (None, None) if x is None else _listed(x[..., :rows, :columns]) for x in self._blocks()
        )
        return self._with(*partial, *full, self.mask_mod, (new_q_len, new_kv_len))

    def to(self, device):
        """The mask on another device."""
        lists = (getattr(self, name) for name in _LISTS)
        lists = (None if x is None else x.to(device) for x in lists)
        made = type(self)(self.seq_lengths, *lists, self.BLOCK_SIZE, self.mask_mod)
        made.says_it_all = self.says_it_all
        return made

    # Printing.

    def to_string(self, grid_size=(20, 20), limit=4):
        """A picture of the blocks for each batch and head, `limit` of them at most.

        Full cells are what is computed, empty ones what is not; where there are more blocks than
        `grid_size`, a number or (rows, columns) or -1 for no limit, a cell shows several of them.
        """
        dense = self.to_dense().numpy()
        pictures = []
        for index in np.ndindex(dense.shape[:-2]):
            if len(pictures) == limit:
                pictures.append(_MORE)
                break
            pictures.append(f"{index}\n{_picture(dense[index], _pair(grid_size))}")
        return "\n".join(pictures)

    def __str__(self):
        picture = self.to_string().rstrip()
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{picture}\n)"

    def __repr__(self):
        lists = [(name, getattr(self, name)) for name in _LISTS]
        fields = [(name, None if x is None else x.shape) for name, x in lists]
        fields += [("BLOCK_SIZE", self.BLOCK_SIZE), ("shape", self.shape)]
        fields += [("sparsity", f"{self.sparsity():.2f}%")]
        fields += [("mask_mod", getattr(self.mask_mod, "__name__", self.mask_mod))]
        lines = ",\n".join(f"    {name}={value}" for name, value in fields)
        return f"BlockMask(\n{lines}\n)"


def _picture(blocks, grid):
    """Rows of characters, two for each cell."""
    steps = [
        1 if cells == -1 else max(1, -(-n // cells))
        for n, cells in zip(blocks.shape, grid, strict=True)
    ]
    text = ""
    for row in range(0, blocks.shape[0], steps[0]):
        for column in range(0, blocks.shape[1], steps[1]):
            share = blocks[row : row + steps[0], column : column + steps[1]].mean()
            text += 2 * ("█" if share == 1 else "░" if share else " ")
        text += "\n"
    return text
