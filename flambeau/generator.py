"""The source of randomness: the mt19937 generator that PyTorch uses on the CPU.

A `Generator` gives a stream of 32-bit words, and the uniform numbers made of them in PyTorch's
way; `flambeau.sampling` turns these into every distribution. Same seed, same stream, and a state
can travel between the two libraries in either direction.

The words themselves come from NumPy's MT19937, seeded as NumPy's legacy seeding and PyTorch agree
to. `numpy.random` is imported at the first draw: it would take a tenth of the time of
`import flambeau`.
"""

import operator
import os
from contextlib import contextmanager
from itertools import chain

import numpy as np

__all__ = ["DEFAULT_SEED", "Generator", "default_generator"]

DEFAULT_SEED = 67280421310721
WORDS = 624  # of mt19937's state
SMALL = 64  # up to so many words, `random_raw` has the lower overhead
CHUNK = 4096  # doubles drawn ahead for a sampler that takes them one by one

# PyTorch's get_state() is a C structure; the gaps between these fields are its padding.
_STATE = np.dtype(
    {
        "names": [
            *("seed", "left", "seeded", "next", "words"),
            *("normal", "has_normal", "float_normal", "has_float_normal"),
        ],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", WORDS), "<f8", "<i4", "<f4", "u1"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040, 5048, 5052],
        "itemsize": 5056,
    }
)


class Generator:
    """A stream of random numbers, equal to that of `torch.Generator` for the same seed.

    `device` may only name the CPU. A new generator always starts from the same seed.

    >>> from flambeau.generator import Generator
    >>> Generator().manual_seed(0).words(2)
    array([2357136044, 2546248239], dtype=uint32)

    Attribute `next_normal`: the second value of a pair of normal numbers, drawn but not yet asked
    for, or None.
    """

    def __init__(self, device="cpu"):
        if str(device).partition(":")[0] != "cpu":
            raise RuntimeError(f"a random generator lives on the CPU; got device {device}")
        self._device = device
        self._bits = self._legacy = None
        self._restart(DEFAULT_SEED)

    @property
    def device(self):
        """The device that the generator was made for."""
        return self._device

    def manual_seed(self, seed):
        """Start the stream of `seed`, an int of -2**63 to 2**64 - 1, and return the generator.

        A negative seed stands for seed + 2**64. Raises RuntimeError for what is not an int and
        ValueError for one that does not fit in 64 bits.
        """
        try:
            if isinstance(seed, (bool, np.bool_)):
                raise TypeError
            seed = operator.index(seed)
        except TypeError:
            kind = type(seed).__name__
            raise RuntimeError(f"manual_seed expected a long, but got {kind}") from None
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._restart(seed % 2**64)
        return self

    def seed(self):
        """Start a stream that nobody can foresee; return its seed."""
        self._restart(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self):
        """The seed that the present stream was started with."""
        return self._seed

    def _restart(self, seed):
        self._seed = seed
        self._pending = True  # the 624 words are made when they are needed
        self._fresh = True  # nothing drawn yet
        self.next_normal = None
        self._next_float_normal = None

    def _ready(self):
        """The bit generator and NumPy's legacy view of it, seeded."""
        if self._bits is None:
            from numpy.random import MT19937, RandomState

            self._bits = MT19937(0)
            self._legacy = RandomState(self._bits)
        if self._pending:
            self._legacy.seed(self._seed % 2**32)
            self._pending = False
        return self._bits, self._legacy

    def words(self, n):
        """The next `n` 32-bit words, a uint32 array."""
        bits, legacy = self._ready()
        if n:
            self._fresh = False
        if n <= SMALL:
            return bits.random_raw(n).astype(np.uint32)
        return legacy.randint(0, 2**32, size=n, dtype=np.uint32)

    def longs(self, n):
        """The next `n` 64-bit words, a uint64 array; each takes two words, the high one first."""
        bits, legacy = self._ready()
        if n:
            self._fresh = False
        if 2 * n <= SMALL:
            pairs = bits.random_raw(2 * n)
            return pairs[0::2] << np.uint64(32) | pairs[1::2]
        return legacy.randint(0, 2**64, size=n, dtype=np.uint64)

    def floats(self, n):
        """The next `n` float32 numbers of [0, 1): the low 24 bits of a word each."""
        words = self.words(n)
        words &= np.uint32(0xFFFFFF)
        values = words.view(np.int32).astype(np.float32)
        values *= np.float32(2.0**-24)
        return values

    def doubles(self, n):
        """The next `n` float64 numbers of [0, 1): the low 53 bits of a 64-bit word each."""
        longs = self.longs(n)
        longs &= np.uint64(2**53 - 1)
        values = longs.view(np.int64).astype(np.float64)
        values *= 2.0**-53
        return values

    @contextmanager
    def one_by_one(self):
        """A function that returns the next double, for samplers that take an unknown number.

        Doubles are drawn ahead in bulk; on leaving, the stream stands behind the last one taken.
        Nothing else may draw meanwhile.
        """
        bits, _ = self._ready()
        ahead = state = None
        size = CHUNK // 64

        def chunks():
            nonlocal ahead, state, size
            while True:
                state = bits.state
                ahead = iter(self.doubles(size).tolist())
                yield ahead
                size = min(2 * size, CHUNK)

        try:
            yield chain.from_iterable(chunks()).__next__
        finally:
            if ahead is not None:
                bits.state = state
                self.doubles(size - ahead.__length_hint__())

    def get_state(self):
        """The whole state, an array of 5056 bytes as `torch.Generator.get_state` gives."""
        bits, _ = self._ready()
        inner = bits.state["state"]
        state = np.zeros((), _STATE)
        position = int(inner["pos"])
        state["seed"], state["seeded"], state["words"] = self._seed, 1, inner["key"]
        # PyTorch counts down to the next refill, and says 0 for "none so far".
        state["left"] = WORDS + 1 - position if position < WORDS else 1
        state["next"] = 0 if self._fresh else position
        if self.next_normal is not None:
            state["normal"], state["has_normal"] = self.next_normal, 1
        if self._next_float_normal is not None:
            state["float_normal"], state["has_float_normal"] = self._next_float_normal, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state):
        """Go on from `state`, the 5056 bytes of a `get_state` of either library.

        Raises TypeError for another dtype, RuntimeError for another size or for bytes that no
        generator can have.
        """
        state = np.asarray(state)
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input "
                f"RNG state size to be {state.size}"
            )
        state = np.frombuffer(state.tobytes(), _STATE)[0]
        left, following = int(state["left"]), int(state["next"])
        in_step = left == 1 or (left + following == WORDS + 1 and following > 0)
        if state["seeded"] != 1 or following > WORDS or not in_step:
            raise RuntimeError("Invalid mt19937 state")
        bits, _ = self._ready()
        bits.state = {
            "bit_generator": "MT19937",
            "state": {
                "key": state["words"].astype(np.uint32),
                "pos": WORDS if left == 1 else following,
            },
        }
        self._seed = int(state["seed"])
        self._pending, self._fresh = False, following == 0
        self.next_normal = float(state["normal"]) if state["has_normal"] else None
        self._next_float_normal = state["float_normal"] if state["has_float_normal"] else None

    def clone_state(self):
        """Another generator that will give the same numbers as this one from here on."""
        clone = type(self)(self._device)
        Generator.set_state(clone, Generator.get_state(self))
        return clone

    def graphsafe_get_state(self):
        """Refused: only generators of CUDA graphs share states. Raises NotImplementedError."""
        raise NotImplementedError("graphsafe_get_state is not supported in this Generator")

    def graphsafe_set_state(self, state):
        """Refused, as `graphsafe_get_state`. Raises NotImplementedError."""
        raise NotImplementedError("graphsafe_set_state is not supported in this Generator")

    def __reduce__(self):
        return type(self), (self._device,), Generator.get_state(self).tobytes()

    def __setstate__(self, state):
        Generator.set_state(self, np.frombuffer(state, np.uint8))


default_generator = Generator()
default_generator.seed()
