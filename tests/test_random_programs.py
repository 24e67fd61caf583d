"""Random programs do in flambeau, interpreted and compiled, what they do in PyTorch.

`python -m tests.programs --first 0 --count 50000` runs as many as one likes.
"""

import pytest

import flambeau
from flambeau import config

from .programs.generate import compare, program

EACH = 25  # programs of a test
# What was found by running many: each once did something else than in PyTorch.
FOUND = (35, 95, 114, 179, 266, 280, 356, 1003, 1023, 1243, 1806, 2343, 2736, 2927, 14166)


@pytest.mark.parametrize("first", range(0, 400, EACH))
def test_interpreted(torch, monkeypatch, first):
    monkeypatch.setattr(config, "backend", "numpy")
    for seed in range(first, first + EACH):
        compare(torch, flambeau, *program(seed))


@pytest.mark.parametrize("first", range(400, 450, 5))
def test_compiled(torch, monkeypatch, first):
    monkeypatch.setattr(config, "backend", "llvm")
    for seed in range(first, first + 5):
        compare(torch, flambeau, *program(seed))


@pytest.mark.parametrize("seed", range(450, 456))
def test_interpreted_then_compiled(torch, monkeypatch, seed):
    monkeypatch.setattr(config, "backend", "auto")
    compare(torch, flambeau, *program(seed), runs=3)


@pytest.mark.parametrize("seed", FOUND)
def test_found(torch, monkeypatch, seed):
    monkeypatch.setattr(config, "backend", "numpy")
    compare(torch, flambeau, *program(seed))
