"""The generator: seeds, the raw stream, and states that travel to PyTorch and back."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from flambeau.generator import DEFAULT_SEED, Generator, default_generator


def torch_state(generator):
    return generator.get_state().numpy()


def test_the_stream_is_that_of_mt19937_as_nobody_can_mistake_it():
    generator = Generator().manual_seed(5489)
    assert generator.words(3).tolist() == [3499211612, 581869302, 3890346734]
    generator.words(9996)
    assert generator.words(1)[0] == 4123659995  # the 10000th, which the C++ standard names


@pytest.mark.parametrize("count", [1, 7, 31, 32, 33, 64, 65, 623, 624, 625, 2000])
def test_draws_of_any_size_cut_the_same_stream(count):
    whole = Generator().manual_seed(3).words(3 * 2000).tolist()
    generator = Generator().manual_seed(3)
    assert generator.words(count).tolist() == whole[:count]
    high, low = np.array(whole[count : 3 * count], np.uint64).reshape(-1, 2).T
    assert generator.longs(count).tolist() == (high << np.uint64(32) | low).tolist()


def test_floats_have_24_bits_and_doubles_53():
    one, two = Generator().manual_seed(1), Generator().manual_seed(1)
    assert one.floats(9).tolist() == [(int(w) & 0xFFFFFF) / 2**24 for w in two.words(9)]
    assert one.doubles(9).tolist() == [(int(w) & (2**53 - 1)) / 2**53 for w in two.longs(9)]


@pytest.mark.parametrize("taken", [0, 1, 2, 63, 64, 65, 200, 5000, 9000])
def test_doubles_one_by_one_leave_the_rest_of_the_stream(taken):
    one, two = Generator().manual_seed(8), Generator().manual_seed(8)
    one.words(3), two.words(3)
    with one.one_by_one() as draw:
        drawn = [draw() for _ in range(taken)]
    assert drawn == two.doubles(taken).tolist()
    assert (one.get_state() == two.get_state()).all()


def test_one_by_one_keeps_its_place_when_the_sampler_fails():
    one, two = Generator(), Generator()
    with pytest.raises(ZeroDivisionError), one.one_by_one() as draw:
        draw() / 0
    two.doubles(1)
    assert (one.get_state() == two.get_state()).all()


def test_manual_seed_returns_the_generator_and_forgets_the_kept_normal():
    generator = Generator()
    generator.next_normal = 1.0
    assert generator.manual_seed(1) is generator
    assert generator.next_normal is None


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, 2**32 + 5, 2**63, 2**64 - 1, -(2**63)])
def test_seeds(torch, seed):
    ours, theirs = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert (ours.get_state() == torch_state(theirs)).all()
    assert ours.floats(5).tolist() == torch.rand(5, generator=theirs).tolist()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, True, "3", None])
def test_seeds_that_torch_refuses(torch, seed):
    with pytest.raises(Exception) as theirs:
        torch.Generator().manual_seed(seed)
    with pytest.raises(theirs.type) as ours:
        Generator().manual_seed(seed)
    assert str(ours.value) == str(theirs.value).split("\n")[0]


def test_numpy_integers_are_seeds():
    assert Generator().manual_seed(np.int64(3)).initial_seed() == 3


def test_default_seed(torch):
    assert Generator().initial_seed() == DEFAULT_SEED == torch.Generator().initial_seed()


def test_seed_is_new_each_time():
    generator = Generator()
    seeds = {generator.seed() for _ in range(3)}
    assert len(seeds) == 3
    assert generator.initial_seed() in seeds
    assert default_generator.initial_seed() != DEFAULT_SEED


def test_device():
    assert Generator("cpu").device == "cpu"
    assert Generator(device="cpu:0").device == "cpu:0"
    with pytest.raises(RuntimeError, match="cuda"):
        Generator("cuda")


@pytest.mark.parametrize("drawn", [0, 1, 5, 622, 623, 624, 625, 1248, 3000])
def test_state_is_that_of_torch_byte_for_byte(torch, drawn):
    ours, theirs = Generator().manual_seed(11), torch.Generator().manual_seed(11)
    ours.words(drawn)
    torch.rand(drawn, generator=theirs)
    state = ours.get_state()
    assert state.dtype == np.uint8
    assert state.shape == (5056,)
    assert (state == torch_state(theirs)).all()


@pytest.mark.parametrize("drawn", [0, 1, 624, 1000])
def test_states_travel_both_ways(torch, drawn):
    ours, theirs = Generator().manual_seed(3), torch.Generator().manual_seed(4)
    ours.words(drawn)
    ours.next_normal = 0.25
    theirs.set_state(torch.from_numpy(ours.get_state()))
    assert theirs.initial_seed() == 3
    assert torch.randn(1, generator=theirs).item() == 0.25
    assert torch.rand(700, generator=theirs).tolist() == ours.floats(700).tolist()
    torch.randn(3, generator=theirs)
    ours.set_state(theirs.get_state().numpy())
    assert ours.next_normal is not None
    assert (ours.get_state() == torch_state(theirs)).all()
    assert torch.rand(700, generator=theirs).tolist() == ours.floats(700).tolist()


def test_a_state_is_a_copy():
    generator = Generator()
    state = generator.get_state()
    state[100] ^= 1
    generator.words(1)
    assert (generator.get_state() != state).any()
    generator.set_state(state)
    kept = generator.get_state()
    state[:] = 0
    assert (generator.get_state() == kept).all()


def test_states_that_torch_refuses(torch):
    good = Generator().get_state()
    bad = [good[:10], np.zeros(5056, np.uint8), good.astype(np.int8)]
    for offset in (8, 12, 17):  # left, seeded, next
        bad.append(good.copy())
        bad[-1][offset] = 0 if offset < 16 else 3
    for state in bad:
        with pytest.raises(Exception) as theirs:
            torch.Generator().set_state(torch.from_numpy(state))
        with pytest.raises(theirs.type) as ours:
            Generator().set_state(state)
        assert str(ours.value) == str(theirs.value).split("\n")[0]


def test_a_refused_state_changes_nothing():
    generator = Generator().manual_seed(5)
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        generator.set_state(np.zeros(5056, np.uint8))
    assert (generator.get_state() == Generator().manual_seed(5).get_state()).all()


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, Generator.clone_state, lambda g: pickle.loads(pickle.dumps(g))],
)
def test_copies_go_on_alike_and_apart(duplicate):
    generator = Generator().manual_seed(7)
    generator.words(100)
    generator.next_normal = 2.0
    twin = duplicate(generator)
    assert (twin.get_state() == generator.get_state()).all()
    expected = generator.words(1000).tolist()
    assert twin.words(1000).tolist() == expected


def test_numpy_random_is_not_imported_before_the_first_draw():
    program = (
        "import sys; from flambeau.generator import Generator, default_generator;"
        "Generator().manual_seed(1); assert 'numpy.random' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
