"""`flambeau.optim.param_state`: a dict whose numbers become tensors when somebody looks."""

import copy
import pickle

import pytest

import flambeau
from flambeau.optim.param_state import ParamState


def make():
    state = ParamState(("step", "mu"), (3.0, 0.5), False)
    dict.__setitem__(state, "buffer", "b")
    return state


LOOKS = {
    "getitem": lambda s: s["step"].item() == 3.0,
    "get": lambda s: s.get("mu").item() == 0.5,
    "contains": lambda s: "step" in s,
    "len": lambda s: len(s) == 3,
    "iter": lambda s: list(s) == ["step", "mu", "buffer"],
    "keys": lambda s: list(s.keys()) == ["step", "mu", "buffer"],
    "items": lambda s: dict(s.items())["step"].item() == 3.0,
    "dict": lambda s: list(dict(s)) == ["step", "mu", "buffer"],
    "unpacking": lambda s: list({**s}) == ["step", "mu", "buffer"],
    "pop": lambda s: s.pop("step").item() == 3.0,
    "repr": lambda s: repr(s) == "{'step': tensor(3.), 'mu': tensor(0.5000), 'buffer': 'b'}",
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_whoever_looks_finds_tensors(look):
    state = make()
    assert look(state)
    assert state.numbers is None


def test_other_entries_are_read_without_showing_the_numbers():
    state = make()
    assert state["buffer"] == "b"
    assert state.numbers == (3.0, 0.5)
    with pytest.raises(KeyError):
        state["missing"]


def test_numbers_are_taken_back_with_changes():
    state = make()
    state["step"] += 4
    state["mu"] = 2
    assert state.take_numbers() == (7.0, 2.0)
    assert dict.keys(state) == {"buffer"}
    del state["buffer"]
    with pytest.raises(KeyError):
        state.take_numbers()


def test_snapshots_do_not_show_the_numbers():
    state = make()
    for twin in (state.snapshot(), copy.copy(state), pickle.loads(pickle.dumps(state))):
        assert type(twin) is dict
        assert list(twin) == ["step", "mu", "buffer"]
        assert twin["step"].dtype == flambeau.float32
    assert copy.deepcopy(state)["step"].item() == 3.0
    assert state.numbers == (3.0, 0.5)


def test_counts_are_wide_where_the_default_dtype_is():
    flambeau.set_default_dtype(flambeau.float64)
    try:
        assert make()["step"].dtype == flambeau.float64
        flambeau.set_default_dtype(flambeau.float16)
        assert make()["step"].dtype == flambeau.float32
    finally:
        flambeau.set_default_dtype(flambeau.float32)
