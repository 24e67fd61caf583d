"""Comparing what a function does with flambeau and with PyTorch."""

from collections import UserList

import pytest

import flambeau


def plain(value):
    """Nested lists and dicts of numbers in place of tensors, with their dtypes."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return str(value.dtype), value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | UserList):
        return type(value).__name__, [plain(item) for item in value]
    return value


@pytest.fixture
def same(torch):
    """A function that asserts that `f(flambeau) == f(torch)`, errors too, and returns the value."""

    def run(f, lib):
        lib.manual_seed(123)
        try:
            return plain(f(lib)), None
        except Exception as error:
            return None, error

    def check(f):
        (ours, error), (theirs, expected) = run(f, flambeau), run(f, torch)
        if expected is not None:
            assert type(error) is type(expected), (error, expected)
            return error
        if error is not None:
            raise error
        assert ours == theirs
        return ours

    return check
