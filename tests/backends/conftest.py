"""Fixtures of the backends' tests."""

import pytest

from flambeau import config


@pytest.fixture
def compiled(monkeypatch):
    """Compile at once, verify every stage and compare every kernel with the interpreter."""
    monkeypatch.setattr(config, "backend", "llvm")
    monkeypatch.setattr(config, "check", True)
    monkeypatch.setattr(config, "verify", True)
