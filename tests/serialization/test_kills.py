"""A save that is killed leaves the old file, or the new one, and nothing else.

`python -m tests.files.kills --count 200` does it as often as one likes.
"""

import multiprocessing

import pytest

from flambeau.serialization import files

from ..files.kills import run

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs fork"
)


def test_kills():
    problems, saves, left = run(8, seed=1)
    assert problems == []
    assert saves >= 8
    # There is a name only for the moment between its making and the replacement.
    assert len(left) <= 2


def test_kills_where_files_have_names(monkeypatch):
    monkeypatch.setattr(files, "_open_nameless", lambda folder: None)
    problems, _, left = run(8, seed=2)
    assert problems == []
    assert all(name.startswith(".checkpoint.pt.") for name in left)
