"""Files of a run, and the random numbers that come after it."""

import random

import numpy as np

import flambeau
from flambeau.train.checkpoints import Checkpoints, random_state, set_random_state


def drawn():
    return flambeau.rand(3).tolist(), random.random(), float(np.random.rand())


def test_random_numbers(tmp_path):
    """All generators go on, also from a file."""
    flambeau.save(random_state(), tmp_path / "state.pt")
    expected = drawn()
    drawn()
    set_random_state(flambeau.load(tmp_path / "state.pt"))
    assert drawn() == expected


def test_files(tmp_path):
    """What was saved last; nothing without a folder."""
    files = Checkpoints(tmp_path / "new")
    assert files.load_last() is None
    files.save_last({"a": 1})
    assert files.load_last() == {"a": 1}
    none = Checkpoints(None)
    none.save_last({})
    none.save_best(None)
    assert none.load_last() is None
