"""Writes of parts of large memory: nothing else is copied, and everybody sees what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flambeau
from flambeau.recorder.trace import local

ROWS, COLUMNS = 80, 64


def make():
    """A tensor of memory large enough for patches, and the array it should equal."""
    array = np.arange(ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS).copy()
    return flambeau.tensor(array), array


rows = st.integers(0, ROWS - 1)
numbers = st.integers(-9, 9).map(float)
steps = st.one_of(
    st.tuples(st.just("row"), rows, numbers),
    st.tuples(st.just("rows"), rows, rows, numbers),
    st.tuples(st.just("add"), rows, rows, numbers),
    st.tuples(st.just("add row"), rows, numbers),
    st.tuples(st.just("add to part"), rows, numbers),
    st.tuples(st.just("from row"), rows, rows),
    st.tuples(st.just("same row"), rows, rows),
    st.tuples(st.just("part of row"), rows, numbers),
    st.tuples(st.just("column"), st.integers(0, COLUMNS - 1), numbers),
    st.tuples(st.just("at"), st.lists(rows, min_size=1, max_size=3), numbers),
    st.tuples(st.just("mask"), numbers),
    st.tuples(st.just("view"), rows),
    st.tuples(st.just("write view"), st.integers(0, 5)),
    st.tuples(st.just("copy"), rows),
    st.tuples(st.just("sum")),
)


def do(step, x, a, kept):
    """One step, on a tensor and on the array; `kept` are (tensor, array) to compare at the end."""
    name, *at = step
    if name == "row":
        x[at[0]] = at[1]
        a[at[0]] = at[1]
    elif name == "rows":
        x[at[0] : at[1]] = at[2]
        a[at[0] : at[1]] = at[2]
    elif name == "add":
        x[at[0] : at[1]] += at[2]
        a[at[0] : at[1]] += at[2]
    elif name == "add row":
        x[at[0]] += at[1]
        a[at[0]] += at[1]
    elif name == "add to part":
        x[at[0], 5:7] += at[1]
        a[at[0], 5:7] += at[1]
    elif name == "from row":
        x[at[0]] = x[at[1]] * 0.5
        a[at[0]] = a[at[1]] * 0.5
    elif name == "same row":
        x[at[0]] = x[at[1]]
        a[at[0]] = a[at[1]]
    elif name == "part of row":
        x[at[0], 3:9] = at[1]
        a[at[0], 3:9] = at[1]
    elif name == "column":
        x[:, at[0]] = at[1]
        a[:, at[0]] = at[1]
    elif name == "at":
        x[flambeau.tensor(at[0])] = at[1]
        a[at[0]] = at[1]
    elif name == "mask":
        x[x > 100.0] = at[0]
        a[a > 100.0] = at[0]
    elif name == "view":
        kept.append((x[at[0]], a[at[0]]))
    elif name == "write view" and kept:
        view, part = kept[at[0] % len(kept)]
        view.mul_(0.5)
        part *= 0.5
    elif name == "copy":
        kept.append((x[at[0]] + 1.0, a[at[0]] + 1.0))
    elif name == "sum":
        assert x.sum().item() == pytest.approx(a.sum(dtype=np.float64), rel=1e-5, abs=1e-2)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=10), st.booleans())
def test_as_numpy(program, in_memory):
    """Any order of writes, reads and views gives what NumPy gives; each program is run twice."""
    for _ in range(2):
        x, a = make()
        if in_memory:
            x.tolist()
        kept = [(x, a)]
        for step in program:
            do(step, x, a, kept)
        for tensor, array in kept:
            np.testing.assert_array_equal(tensor.numpy(), array)


def test_a_loop_over_rows_walks_one_path():
    x, a = make()
    x.tolist()
    states = set()
    for i in range(ROWS):
        x[i] = flambeau.full((COLUMNS,), float(i))
        states.add(local.trace.segment.node.end)
        a[i] = i
        assert x[i, 0].item() == i
    assert len(states) == 1
    np.testing.assert_array_equal(x.numpy(), a)


@pytest.mark.parametrize("write", ["row", "column", "at"])
def test_written_where_it_is(write):
    """The memory stays where it was: only what is written changes."""
    x, a = make()
    kept = [(x, a)]
    place = x.data_ptr()
    step = {"row": ("row", 3, 1.0), "column": ("column", 3, 1.0), "at": ("at", [1, 2], 1.0)}[write]
    for _ in range(4):
        do(step, x, a, kept)
        x.sum().item()
    assert x.data_ptr() == place
    np.testing.assert_array_equal(x.numpy(), a)


def test_a_value_saved_for_backward_stays():
    x, _ = make()
    x.tolist()
    w = flambeau.ones(COLUMNS, requires_grad=True)
    loss = (x[3] * w).sum()
    loss.item()
    with flambeau.no_grad():
        y = x.detach().clone()
        y[3] = 0.0
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), x[3].numpy())


def test_memory_shared_with_numpy():
    a = np.zeros((ROWS, COLUMNS), np.float32)
    x = flambeau.from_numpy(a)
    x[5] = 2.0
    assert (a[5] == 2.0).all()
    a[6] = 3.0
    x[7] = x[6] + 1.0
    assert (a[7] == 4.0).all()


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_an_index_out_of_range_changes_nothing_elsewhere(backend, monkeypatch):
    monkeypatch.setattr(flambeau.config, "backend", backend)
    x, a = make()
    x.tolist()
    for _ in range(3):
        x[flambeau.tensor([ROWS + 5])] = -1.0
        with pytest.raises(IndexError):
            x.tolist()
        np.testing.assert_array_equal(x.numpy(), a)


def test_versions_count():
    x, _ = make()
    x.tolist()
    before = x._version
    x[0] = 1.0
    x[1] = 2.0
    assert x._version == before + 2
