"""Operations that a test defines are gone after it."""

import pytest

from flambeau.library.operations import OPERATIONS
from flambeau.ops import NAMESPACES


@pytest.fixture(autouse=True)
def forget():
    """As it was before."""
    before = [dict(OPERATIONS), dict(NAMESPACES)]
    yield
    for table, entries in zip((OPERATIONS, NAMESPACES), before, strict=True):
        table.clear()
        table.update(entries)
