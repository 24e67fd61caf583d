"""What came of each epoch."""

import math

import pytest

from flambeau.train import History


@pytest.fixture
def history():
    """Three epochs, of which the second is the best."""
    made = History()
    made.rows = [{"loss": 3.0, "x": 1e-5}, {"loss": 1.0, "x": 0.0}, {"loss": 2.0, "x": 5e9}]
    return made


def test_figures(history):
    """Columns, rows and the best of them."""
    assert history["loss"] == [3.0, 1.0, 2.0]
    assert (len(history), history.names, history.best_epoch) == (3, ["loss", "x"], 2)
    assert history.best == {"loss": 1.0, "x": 0.0}
    assert history.line() == "epoch 3, loss 2.0000, x 5.000e+09"
    assert history.line(0) == "epoch 1, loss 3.0000, x 1.000e-05"
    assert repr(history) == "History of 3 epochs; best: epoch 2, loss 1.0000, x 0.0000"
    assert repr(History()) == "History of no epochs"
    assert History().best is None
    assert History().names == []


def test_better():
    """Less or more; anything is better than nan."""
    assert History().is_better(1.0, 2.0)
    assert not History().is_better(1.95, 2.0, by=0.1)
    assert History(minimize=False).is_better(2.0, 1.0)
    assert History().is_better(1.0, math.nan)
    assert not History().is_better(math.nan, math.nan)


def test_state(history):
    """It can be saved and loaded."""
    history.stopped = "enough"
    other = History()
    other.load_state_dict(history.state_dict())
    assert (other.rows, other.stopped) == (history.rows, "enough")


def test_plot(history, tmp_path):
    """It draws itself."""
    pytest.importorskip("matplotlib").use("agg")
    figure = history.plot(tmp_path / "losses.png", log=True)
    assert (tmp_path / "losses.png").stat().st_size > 1000
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["loss"]
    assert list(axes.lines[0].get_ydata()) == [3.0, 1.0, 2.0]
