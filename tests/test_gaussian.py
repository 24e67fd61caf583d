"""The float32 Box-Muller kernel, fed with chosen uniform numbers; its special cases.

That whole sequences agree with PyTorch is tested with the other distributions, in
`test_sampling.py`.
"""

import math

import numpy as np
import pytest

from flambeau import dtypes, gaussian
from flambeau.generator import Generator

BLOCKS = 38  # of 16, as many as fit before mt19937 makes new words


def undo_tempering(words):
    """The state words for which mt19937 puts out `words`."""
    y = words ^ words >> 18
    y ^= y << 15 & 0xEFC60000
    z = y
    for _ in range(4):
        z = y ^ z << 7 & 0x9D2C5680
    y = z
    for _ in range(2):
        z = y ^ z >> 11
    return z & 0xFFFFFFFF


@pytest.fixture(scope="module")
def torch_kernel(torch):
    """PyTorch's normal numbers for given words: arrays (first, second) of pairs."""
    generator = torch.Generator()
    state = generator.get_state().clone()
    fields = state.numpy()
    fields[8:24] = np.array([624, 1, 1, 0], np.int32).view(np.uint8)
    words = fields[24 : 24 + 624 * 8].view(np.uint64)
    out = torch.empty(BLOCKS * 16)

    def kernel(u1, u2, mean=0.0, std=1.0):
        n = len(u1)
        filled = -n % (BLOCKS * 8)
        pairs = np.stack([np.pad(u, (0, filled)).reshape(-1, 8) for u in (u1, u2)], axis=1)
        result = []
        for part in pairs.reshape(-1, BLOCKS * 16).astype(np.int64):
            words[1 : 1 + part.size] = undo_tempering(part)
            generator.set_state(state)
            result.append(out.normal_(mean, std, generator=generator).numpy().copy())
        result = np.concatenate(result).reshape(-1, 2, 8)
        return result[:, 0].reshape(-1)[:n], result[:, 1].reshape(-1)[:n]

    return kernel


def sample_of_words(step):
    """Every step-th 24-bit word, and all near the ends and the multiples of an eighth."""
    near = [np.arange(-64, 64) + k * 2**21 for k in range(9)]
    words = np.concatenate([np.arange(0, 2**24, step), *near])
    return np.unique(words[(words >= 0) & (words < 2**24)]).astype(np.uint32)


def test_radius_is_that_of_torch_bit_for_bit(torch_kernel):
    words = sample_of_words(97)
    first, _ = torch_kernel(words, np.zeros_like(words))  # cos(0) is 1
    assert (gaussian._radius(words) == first).all()


def test_sin_and_cos_are_those_of_torch_bit_for_bit(torch_kernel):
    words = sample_of_words(97)
    one = np.uint32(6601320)  # the word whose radius is exactly 1
    assert gaussian._radius(np.array([one])) == 1
    cos, sin = torch_kernel(np.full_like(words, one), words)
    ours_sin, ours_cos = gaussian._sin_cos(words)
    assert (ours_sin.view(np.int32) == sin.view(np.int32)).all()
    assert (ours_cos.view(np.int32) == cos.view(np.int32)).all()


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.02), (3.0, 2.0), (-1e-3, 0.7), (1e4, 1e-3)])
def test_scaling_is_that_of_torch_bit_for_bit(torch_kernel, mean, std):
    u1, u2 = np.random.RandomState(0).randint(0, 2**24, (2, 8 * 4000)).astype(np.uint32)
    words = np.stack([u1.reshape(-1, 8), u2.reshape(-1, 8)], axis=1).reshape(-1)
    ours = gaussian._float32_blocks(words, mean, std).reshape(-1, 2, 8)
    first, second = torch_kernel(u1, u2, mean, std)
    assert (ours[:, 0].reshape(-1) == first).all()
    assert (ours[:, 1].reshape(-1) == second).all()


def test_known_values():
    values = gaussian.normal(Generator().manual_seed(0), (3,), dtypes.float32)
    assert np.round(values, 4).tolist() == np.array([1.541, -0.2934, -2.1788], np.float32).tolist()


def test_moments():
    values = gaussian.normal(Generator(), (200000,), dtypes.float32, 2.0, 3.0)
    assert abs(values.mean() - 2) < 0.03
    assert abs(values.std() - 3) < 0.03


def test_the_second_of_a_pair_is_kept():
    generator = Generator().manual_seed(1)
    together = gaussian.normal(Generator().manual_seed(1), (4,), dtypes.float64).tolist()
    one = gaussian.normal(generator, (), dtypes.float64)
    assert generator.next_normal == together[1]
    assert one.shape == ()
    rest = gaussian.normal(generator, (3,), dtypes.float64)
    assert [one.item(), *rest.tolist()] == together
    assert generator.next_normal is None


def test_nothing_asked_nothing_taken():
    generator = Generator().manual_seed(1)
    generator.next_normal = 5.0
    state = generator.get_state()
    for contiguous in (True, False):
        empty = gaussian.normal(generator, (0, 3), dtypes.float32, contiguous=contiguous)
        assert empty.shape == (0, 3)
    assert (generator.get_state() == state).all()


def test_log_normal_may_overflow():
    values = gaussian.log_normal(Generator(), (50,), dtypes.float64, 0.0, 1e4)
    assert math.inf in values.tolist()
    assert 0.0 in values.tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: gaussian.normal(g, (2,), dtypes.float32, 0, -1), RuntimeError, "std >= 0.0"),
        (lambda g: gaussian.normal(g, (2,), dtypes.int64), NotImplementedError, "int64"),
        (lambda g: gaussian.log_normal(g, (2,), dtypes.float32, 0, 0), RuntimeError, "std > 0.0"),
        (lambda g: gaussian.log_normal(g, (2,), dtypes.int8), NotImplementedError, "int8"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(Generator())
