"""Pairs of distributions, ours and the reference's, made from one description.

Tests that ask for `case` run for every row of the table in `table.py`.
"""

import importlib.util
import pathlib

import numpy as np
import pytest

import flambeau


class Both:
    """The two libraries side by side."""

    def __init__(self, torch):
        self.torch = torch
        self.libraries = (flambeau, torch)

    def tensors(self, values, dtype="float64", grad=False):
        """A tensor of each library; numbers, strings and None stay as they are."""
        if not isinstance(values, (list, np.ndarray)):
            return values, values
        made = [
            lib.tensor(np.asarray(values).tolist(), dtype=getattr(lib, dtype))
            for lib in self.libraries
        ]
        return [x.requires_grad_(grad) for x in made]

    def make(self, name, kwargs, dtype="float64", grad=False):
        """(our distribution, theirs, our parameters, theirs)."""
        columns = {k: self.tensors(v, dtype, grad) for k, v in kwargs.items()}
        made, parameters = [], []
        for i, lib in enumerate(self.libraries):
            given = {k: pair[i] for k, pair in columns.items()}
            kind = lib.distributions
            for part in name.split("."):
                kind = getattr(kind, part)
            made.append(kind(**given))
            parameters.append([x for x in given.values() if isinstance(x, lib.Tensor)])
        return *made, *parameters

    def seed(self, seed=0):
        """Start both streams."""
        flambeau.manual_seed(seed)
        self.torch.manual_seed(seed)


def _load_table():
    spec = importlib.util.spec_from_file_location(
        "distributions_table", pathlib.Path(__file__).parent / "table.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _load_table()


def pytest_generate_tests(metafunc):
    """Run the tests of `case` for every row, those of `reparameterized` where samples have one."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", TABLE.CASES, ids=TABLE.label)
    if "reparameterized" in metafunc.fixturenames:
        metafunc.parametrize("reparameterized", TABLE.reparameterized(), ids=TABLE.label)


@pytest.fixture
def both(torch):
    """The two libraries side by side."""
    return Both(torch)
