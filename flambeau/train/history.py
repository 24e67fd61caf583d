"""`History`: what came of each epoch."""

from ..extras import optional

__all__ = ["History"]


class History:
    """The figures of each epoch: `history["loss"]` is a list of them, one for each epoch.

    Attributes: rows: {name: figure} of each epoch; monitor: the name of the figure that tells
    which epoch is the best, and whether less of it is better (`minimize`); stopped: why training
    ended before the last epoch, or None.
    """

    def __init__(self, monitor="loss", minimize=True):
        self.rows, self.monitor, self.minimize = [], monitor, minimize
        self.stopped = None

    def __getitem__(self, name):
        return [row[name] for row in self.rows]

    def __len__(self):
        return len(self.rows)

    @property
    def names(self):
        """The names of the figures."""
        return list(self.rows[0]) if self.rows else []

    @property
    def best_epoch(self):
        """The number of the best epoch, from 1; None before the first."""
        best = None
        for k, value in enumerate(self[self.monitor]):
            if best is None or self.is_better(value, self.rows[best][self.monitor]):
                best = k
        return None if best is None else best + 1

    @property
    def best(self):
        """The figures of the best epoch."""
        return None if self.best_epoch is None else self.rows[self.best_epoch - 1]

    def is_better(self, value, than, by=0.0):
        """Whether a figure is better than another, by more than some margin."""
        if than != than:  # nan
            return value == value
        return value < than - by if self.minimize else value > than + by

    def line(self, epoch=-1):
        """The figures of an epoch as a line of text."""
        row = self.rows[epoch]
        number = epoch % len(self.rows) + 1
        return f"epoch {number}, " + ", ".join(f"{name} {_text(v)}" for name, v in row.items())

    def plot(self, file=None, names=None, log=False):
        """Draw the figures over the epochs; needs the extra `plot`.

        Args: file: where to write the picture; names: of some figures only, by default the losses;
            log: whether the axis of the figures is logarithmic.
        Returns: the figure of matplotlib.
        """
        pyplot = optional("matplotlib.pyplot", "plot")
        names = names or [name for name in self.names if "loss" in name]
        figure, axes = pyplot.subplots()
        for name in names:
            axes.plot(range(1, len(self) + 1), self[name], label=name)
        axes.set(xlabel="epoch", yscale="log" if log else "linear")
        axes.legend()
        if file is not None:
            figure.savefig(file)
            pyplot.close(figure)
        return figure

    def state_dict(self):
        """What `load_state_dict` goes on from."""
        return {"rows": [dict(row) for row in self.rows], "stopped": self.stopped}

    def load_state_dict(self, state):
        """Go on from what `state_dict` gave."""
        self.rows, self.stopped = [dict(row) for row in state["rows"]], state["stopped"]

    def __repr__(self):
        if not self.rows:
            return "History of no epochs"
        text = f"History of {len(self)} epochs; best: {self.line(self.best_epoch - 1)}"
        return f"{text}; {self.stopped}" if self.stopped else text


def _text(value):
    return (
        f"{value:.4f}" if abs(value) < 1e4 and (abs(value) >= 1e-3 or not value) else f"{value:.3e}"
    )
