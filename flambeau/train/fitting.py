"""`fit` and `evaluate`: loops over the batches of loaders."""

import copy
import inspect

import flambeau

from ..extras import optional
from .checkpoints import Checkpoints, random_state, set_random_state
from .history import History
from .metrics import Means, named

__all__ = ["evaluate", "fit"]


def fit(
    model,
    loader,
    loss,
    optimizer,
    epochs,
    *,
    validation=None,
    scheduler=None,
    schedule="epoch",
    metrics=None,
    monitor=None,
    minimize=None,
    patience=None,
    min_delta=0.0,
    restore_best=False,
    clip=None,
    checkpoint=None,
    save_every=None,
    resume=True,
    progress=None,
    report=0,
    callback=None,
):
    """Train a model; the figures of each epoch, a `History`.

    Batches are pairs (input, target); an input that is a tuple or a dict is the arguments of the
    model. Figures are means over samples: "loss", and "validation loss" if there is `validation`;
    each metric likewise.

    Args:
        loader, validation: what gives the batches, such as `DataLoader`s.
        loss: a function of (output, target), the mean over a batch.
        epochs: how many in all, those of a run that is resumed included.
        scheduler: its `step` is called after each epoch or, with schedule="batch", each batch; one
            that wants a figure (`ReduceLROnPlateau`) gets that of `monitor`.
        metrics: {name: function of (output, target)}, or a list of functions.
        monitor: the figure that tells how good an epoch is, by default the loss, of validation if
            there is any; minimize: whether less is better, by default if its name says loss or
            error.
        patience: stop after so many epochs that are not better than the best by `min_delta`.
        restore_best: whether the model has the weights of the best epoch at the end.
        clip: the largest norm of all gradients together.
        checkpoint: a folder for `best.pt`, the weights of the best epoch, and `last.pt`, from which
            the run goes on, exactly, if it is started again with `resume`. save_every: write it
            after so many batches, too, not only after each epoch; the loader needs a `state_dict`.
        progress: show a bar (extra `progress`); by default if that is installed and this is a
            terminal. report: print a line every so many epochs.
        callback: called with the history after each epoch; training ends if it returns True.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0)
    >>> x = torch.linspace(-1, 1, 32).unsqueeze(1)
    >>> data = torch.utils.data.TensorDataset(x, 3 * x + 1)
    >>> loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    >>> model = torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    >>> history = torch.train.fit(model, loader, torch.nn.MSELoss(), optimizer, 20)
    >>> len(history), history["loss"][-1] < 1e-3
    (20, True)
    """
    if schedule not in ("epoch", "batch"):
        raise ValueError(f"schedule={schedule!r}: expected 'epoch' or 'batch'")
    metrics = named(metrics)
    monitor = monitor or ("validation loss" if validation is not None else "loss")
    _require_figure(monitor, metrics, validation)
    if minimize is None:
        minimize = "loss" in monitor or "error" in monitor
    run = _Run(model, loader, loss, optimizer, metrics, History(monitor, minimize))
    run.scheduler, run.by_batch, run.clip = scheduler, schedule == "batch", clip
    run.files, run.save_every = Checkpoints(checkpoint), save_every
    run.keep_best = restore_best
    run.bar = _bar(progress)
    if resume:
        run.resume()
    history = run.history
    while len(history) < epochs and history.stopped is None:
        figures = run.epoch(epochs)
        if validation is not None:
            found = evaluate(model, validation, loss, metrics)
            figures |= {f"validation {name}": value for name, value in found.items()}
        run.finish_epoch(figures, min_delta, patience)
        if report and len(history) % report == 0:
            print(history.line())
        if callback is not None and callback(history):
            history.stopped = f"stopped by the callback after epoch {len(history)}"
        run.save()
    if restore_best and run.best_weights is not None:
        model.load_state_dict(run.best_weights)
    return history


def evaluate(model, loader, loss=None, metrics=None, *, progress=False):
    """{name: mean over the samples} of the loss and the metrics, in eval mode, without gradients.

    Args: see `fit`. The model is in the mode it was in afterwards.

    >>> import flambeau as torch
    >>> data = [(torch.ones(2, 3), torch.zeros(2, 3)), (torch.zeros(1, 3), torch.zeros(1, 3))]
    >>> torch.train.evaluate(torch.nn.Identity(), data, torch.nn.L1Loss())
    {'loss': 0.6666666666666666}
    """
    functions = ({"loss": loss} if loss is not None else {}) | named(metrics)
    means, modes = Means(functions), [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with flambeau.no_grad():
            for batch in _bar(progress)(iter(loader), "evaluating", _length(loader)):
                output, target = _forward(model, batch)
                values = {name: f(output, target) for name, f in functions.items()}
                means.add(values, _size(target))
    finally:
        for module, training in modes:
            module.training = training
    return means.result()


def _require_figure(monitor, metrics, validation):
    known = ["loss", *metrics]
    if validation is not None:
        known += [f"validation {name}" for name in known]
    if monitor not in known:
        raise ValueError(f"monitor={monitor!r}: expected one of {', '.join(known)}")


def _forward(model, batch):
    """(output, target) of a batch."""
    if not isinstance(batch, (list, tuple)) or len(batch) != 2:
        raise TypeError(
            f"a batch must be a pair (input, target), not {type(batch).__name__}"
            + (f" of {len(batch)}" if isinstance(batch, (list, tuple, dict)) else "")
        )
    given, target = batch
    if isinstance(given, dict):
        return model(**given), target
    return model(*given) if isinstance(given, (list, tuple)) else model(given), target


def _size(target):
    """The number of samples that a batch's targets are of."""
    while isinstance(target, (list, tuple, dict)):
        target = next(iter(target.values() if isinstance(target, dict) else target))
    return len(target) if target.ndim else 1


def _bar(progress):
    """A function of (batches, title, their number) that shows how far a loop over them is."""
    tqdm = None
    if progress or progress is None:
        try:
            tqdm = optional("tqdm.auto", "progress").tqdm
        except ModuleNotFoundError:
            if progress:
                raise
    if tqdm is None:
        return lambda batches, title, total: batches
    hidden = None if progress is None else False  # None: unless this is a terminal
    return lambda batches, title, total: tqdm(
        batches, desc=title, total=total, leave=False, disable=hidden
    )


def _length(loader):
    """The number of batches, or None if that is not known."""
    try:
        return len(loader)
    except TypeError:
        return None


class _Run:
    """A training run: what it works with, and how far it is."""

    def __init__(self, model, loader, loss, optimizer, metrics, history):
        self.model, self.loader, self.loss, self.optimizer = model, loader, loss, optimizer
        self.metrics, self.history = metrics, history
        self.means, self.batches = Means(("loss", *metrics)), 0  # of the current epoch
        self.best, self.since, self.best_weights = None, 0, None
        self.pending = None  # the random state to go on with within an epoch
        self.scheduler, self.by_batch, self.clip = None, False, None
        self.files, self.save_every, self.keep_best = Checkpoints(None), None, False
        self.bar = _bar(False)

    def epoch(self, epochs):
        """Go through the batches (that are left) once; the figures."""
        self.model.train()
        batches = iter(self.loader)
        if self.pending is not None:  # what the iterator has drawn was drawn before
            set_random_state(self.pending)
            self.pending = None
        title, total = f"epoch {len(self.history) + 1}/{epochs}", _length(self.loader)
        for batch in self.bar(batches, title, total):
            self.step(batch)
            self.batches += 1
            if self.save_every and self.batches % self.save_every == 0:
                self.save()
        figures = self.means.result()
        self.means, self.batches = Means(("loss", *self.metrics)), 0
        return figures

    def step(self, batch):
        """Train with a batch."""
        self.optimizer.zero_grad()
        output, target = _forward(self.model, batch)
        loss = self.loss(output, target)
        loss.backward()
        if self.clip is not None:
            flambeau.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        with flambeau.no_grad():
            values = {name: f(output, target) for name, f in self.metrics.items()}
        self.optimizer.step()
        if self.by_batch and self.scheduler is not None:
            self.scheduler.step()
        self.means.add({"loss": loss, **values}, _size(target))

    def finish_epoch(self, figures, min_delta, patience):
        """Note the figures, keep the weights if they are the best, and see whether to stop."""
        history = self.history
        history.rows.append(figures)
        figure = figures[history.monitor]
        if self.scheduler is not None and not self.by_batch:
            wants = inspect.signature(self.scheduler.step).parameters
            self.scheduler.step(*([figure] if "metrics" in wants else []))
        self.since += 1
        if self.best is None or history.is_better(figure, self.best, min_delta):
            self.best, self.since = figure, 0
            self.files.save_best(self.model)
            if self.keep_best:
                self.best_weights = copy.deepcopy(self.model.state_dict())
        if patience is not None and self.since >= patience:
            history.stopped = (
                f"stopped after epoch {len(history)}: {history.monitor} no better for "
                f"{self.since} epochs"
            )

    def save(self):
        """Write a checkpoint."""
        if self.files.folder is None:
            return
        loader = getattr(self.loader, "state_dict", dict)() if self.batches else {}
        if self.batches and not loader:
            raise RuntimeError(
                "save_every: the loader has no state_dict() that says where in an epoch it is"
            )
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "history": self.history.state_dict(),
            "means": self.means.state_dict(),
            "batches": self.batches,
            "loader": loader,
            "random": random_state(),
            "best": (self.best, self.since, self.best_weights),
        }
        self.files.save_last(state)

    def resume(self):
        """Go on from the last checkpoint, if there is one."""
        state = self.files.load_last()
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None and state["scheduler"] is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        self.history.load_state_dict(state["history"])
        self.means.load_state_dict(state["means"])
        self.batches = state["batches"]
        self.best, self.since, self.best_weights = state["best"]
        set_random_state(state["random"])
        if self.batches:
            self.loader.load_state_dict(state["loader"])
            self.pending = state["random"]
