"""isinstance for containers, as torch's."""

# ruff: noqa: UP006, UP007, UP035, UP045  (the former spellings are what is tested)

from typing import Dict, List, Optional, Tuple, Union

import pytest

from flambeau import jit

CASES = [
    *(([1, 2], List[int]), ([1, "a"], List[int]), ([], List[int]), ([1], list[int])),
    *(({"a": 1}, Dict[str, int]), ({"a": "b"}, Dict[str, int]), ({}, dict[str, int])),
    *(((1, "a"), Tuple[int, str]), ((1, 2), Tuple[int, str]), ((1,), Tuple[int, int])),
    *((None, Optional[int]), (1, Optional[int]), ("a", Optional[int]), (1, int | str)),
    *((1, Union[int, str]), (1.0, Union[int, str]), (1, int), (1, (int, str)), (1.0, (int, str))),
    *(([1], (List[str], List[int])), ([[1]], List[List[int]]), ([["a"]], List[List[int]])),
    *((None, type(None)), ([None, 1], List[Optional[int]]), (True, int), ((), Tuple[()])),
    *(([1], list), ([1], List), ({}, Dict), ((1,), tuple), ({"a": [1]}, Dict[str, List[int]])),
]


@pytest.mark.filterwarnings("ignore:The inner type of a container is lost")
@pytest.mark.parametrize(("value", "kind"), CASES, ids=str)
def test_as_torch(torch, value, kind):
    found = []
    for lib in (jit, torch.jit):
        try:
            found.append(lib.isinstance(value, kind))
        except RuntimeError as error:
            found.append(str(error).partition(" without ")[0])
    assert found[0] == found[1]


def test_tuples_of_any_length():
    """They are an error in torch."""
    assert jit.isinstance((1, 2, 3), Tuple[int, ...])
    assert not jit.isinstance((1, "a"), tuple[int, ...])
