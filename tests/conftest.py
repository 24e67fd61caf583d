"""What every test shares: the reference library, and deterministic random numbers."""

import os

import pytest

# Before flambeau is imported. What runs twice is compiled, however small it is.
os.environ.setdefault("FLAMBEAU_VERIFY", "1")
os.environ.setdefault("FLAMBEAU_COLD", "1")


@pytest.fixture(scope="session")
def torch():
    """PyTorch, the reference. Tests that ask for it are skipped where it is not installed."""
    return pytest.importorskip("torch", reason="PyTorch, the reference, is not installed")
