"""Checkpoints: files from which a run goes on as if it had not been interrupted."""

import os
import random
import sys

import flambeau

__all__ = ["Checkpoints", "random_state", "set_random_state"]

LAST, BEST = "last.pt", "best.pt"


def random_state():
    """The states of all random generators: flambeau's, Python's, and NumPy's if it is in use."""
    state = {"flambeau": flambeau.get_rng_state(), "python": random.getstate()}
    if "numpy.random" in sys.modules:
        state["numpy"] = sys.modules["numpy.random"].get_state()
    return state


def set_random_state(state):
    """Go on with the random numbers that came after `random_state` was called."""
    flambeau.set_rng_state(state["flambeau"])
    version, numbers, last = state["python"]
    random.setstate((version, tuple(numbers), last))
    if "numpy" in state:
        import numpy.random

        numpy.random.set_state(tuple(state["numpy"]))


class Checkpoints:
    """The files of a run, in a folder: the latest state of everything, and the best weights.

    Files are replaced whole: after a crash the one before is there. A folder of None keeps none.
    """

    def __init__(self, folder):
        self.folder = None if folder is None else os.fspath(folder)
        if self.folder is not None:
            os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        """Where a file is."""
        return os.path.join(self.folder, name)

    def save_last(self, state):
        """Write the state of everything."""
        if self.folder is not None:
            flambeau.save(state, self.path(LAST))

    def save_best(self, model):
        """Write the weights."""
        if self.folder is not None:
            flambeau.save(model.state_dict(), self.path(BEST))

    def load_last(self):
        """The state that was written last, or None."""
        if self.folder is None or not os.path.exists(self.path(LAST)):
            return None
        return flambeau.load(self.path(LAST))
