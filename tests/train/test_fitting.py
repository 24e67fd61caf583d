"""`fit` trains as a loop written by hand does, stops in time, and goes on where it was."""

import copy

import pytest

import flambeau
from flambeau import nn, train
from flambeau.utils.data import DataLoader, TensorDataset


def data(n=40):
    x = flambeau.randn(n, 3)
    return TensorDataset(x, (x.sum(1) > 0).long())


def network():
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


@pytest.fixture
def parts():
    """(model, loader, loss, optimizer) that are the same each time."""
    flambeau.manual_seed(0)
    loader = DataLoader(data(), batch_size=8, shuffle=True)
    model = network()
    return model, loader, nn.CrossEntropyLoss(), flambeau.optim.Adam(model.parameters(), 1e-2)


def by_hand(model, loader, loss_fn, optimizer, epochs):
    """The losses of epochs."""
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / len(loader.dataset))
    return losses


def test_as_by_hand(parts):
    """The same losses."""
    model, loader, loss, optimizer = parts
    twin = copy.deepcopy(model)
    state = flambeau.get_rng_state()
    history = train.fit(model, loader, loss, optimizer, 3)
    flambeau.set_rng_state(state)
    expected = by_hand(twin, loader, loss, flambeau.optim.Adam(twin.parameters(), 1e-2), 3)
    assert history["loss"] == pytest.approx(expected, rel=1e-6)


def test_validation_and_metrics(parts, capsys):
    """Figures of training and validation; the mode of the model stays."""
    model, loader, loss, optimizer = parts
    model[1].eval()
    valid = DataLoader(data(10), batch_size=4)
    found = train.evaluate(model, valid, loss, [train.accuracy])
    assert model.training
    assert not model[1].training
    assert found.keys() == {"loss", "accuracy"}
    metrics = {"right": train.accuracy, "top": train.top_k_accuracy(2)}
    history = train.fit(
        model, loader, loss, optimizer, 2, validation=valid, metrics=metrics, report=1
    )
    assert history.names == [
        *("loss", "right", "top", "validation loss", "validation right", "validation top"),
    ]
    assert history["top"] == [1.0, 1.0]
    assert capsys.readouterr().out.count("epoch ") == 2
    again = train.evaluate(model, valid, loss)["loss"]
    assert again == pytest.approx(history["validation loss"][-1], rel=1e-6)


def test_schedulers(parts):
    """After each epoch, each batch, or with the figure that is looked at."""
    optimizer = parts[3]
    schedulers = flambeau.optim.lr_scheduler
    train.fit(
        *parts, 2, scheduler=schedulers.StepLR(optimizer, step_size=1, gamma=0.1), resume=False
    )
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-4)
    once = schedulers.OneCycleLR(optimizer, 0.1, total_steps=10)
    train.fit(*parts, 2, scheduler=once, schedule="batch")
    assert once.last_epoch == 10
    plateau = schedulers.ReduceLROnPlateau(optimizer)
    train.fit(*parts, 1, scheduler=plateau)
    assert plateau.last_epoch == 1
    with pytest.raises(ValueError, match="schedule="):
        train.fit(*parts, 1, schedule="year")


def test_patience(parts):
    """Training stops when it gets no better, with the best weights if asked."""
    model, _, _, optimizer = parts
    optimizer.param_groups[0]["lr"] = 0.0
    model.eval()
    history = train.fit(*parts, 50, patience=3, min_delta=1e-3, restore_best=True)
    assert len(history) == 4
    assert history.stopped == "stopped after epoch 4: loss no better for 3 epochs"
    assert "no better" in repr(history)


def test_best_weights(parts, tmp_path):
    """The file, and the model with `restore_best`, have the weights of the best epoch."""
    model = parts[0]
    seen = []

    def callback(history):
        seen.append(copy.deepcopy(model.state_dict()))
        return len(history) == 4

    history = train.fit(
        *parts,
        9,
        metrics=train.accuracy,
        monitor="accuracy",
        callback=callback,
        checkpoint=tmp_path,
        restore_best=True,
    )
    assert len(history) == 4
    assert "callback" in history.stopped
    assert not history.minimize
    assert history.best["accuracy"] == max(history["accuracy"])
    best = seen[history.best_epoch - 1]
    saved = flambeau.load(tmp_path / "best.pt")
    for name, value in model.state_dict().items():
        assert flambeau.equal(value, best[name])
        assert flambeau.equal(saved[name], best[name])


class Crash(Exception):
    """What ends a run before its time."""


@pytest.mark.parametrize("crash_at", [2, 5, 8, 11])
@pytest.mark.parametrize("workers", [0, 1])
def test_resume(tmp_path, crash_at, workers):
    """A run that was interrupted anywhere ends as one that was not."""

    def run(folder, crash_at=None):
        flambeau.manual_seed(3)
        dataset = data()
        loader = DataLoader(dataset, batch_size=8, shuffle=True, num_workers=workers)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Linear(8, 2))
        optimizer = flambeau.optim.Adam(model.parameters(), 1e-2)
        scheduler = flambeau.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
        calls = 0

        def loss(output, target):
            nonlocal calls
            calls += 1
            if calls == crash_at:
                raise Crash
            return nn.functional.cross_entropy(output, target)

        history = train.fit(
            *(model, loader, loss, optimizer, 3),
            scheduler=scheduler,
            metrics=[train.accuracy],
            checkpoint=folder,
            save_every=2,
        )
        return history, model.state_dict()

    expected, weights = run(tmp_path / "whole")
    with pytest.raises(Crash):
        run(tmp_path / "parts", crash_at)
    flambeau.rand(7)  # whatever else happens
    history, resumed = run(tmp_path / "parts")
    # The first runs of a program are not rounded as later ones are.
    assert [pytest.approx(row, rel=1e-5) for row in history.rows] == expected.rows
    for name, value in weights.items():
        assert flambeau.allclose(resumed[name], value, rtol=1e-4, atol=1e-6)


def test_resume_needs_a_place(parts, tmp_path):
    """A loader that can not say where it is can not be saved within an epoch."""
    model, loader, loss, optimizer = parts
    batches = list(loader)
    with pytest.raises(RuntimeError, match="state_dict"):
        train.fit(model, batches, loss, optimizer, 1, checkpoint=tmp_path, save_every=1)
    history = train.fit(model, batches, loss, optimizer, 1, checkpoint=tmp_path, resume=False)
    again = train.fit(model, batches, loss, optimizer, 1, checkpoint=tmp_path)
    assert history.rows == again.rows


class Several(nn.Module):
    def forward(self, a, b=1.0):
        return a * b


def test_inputs():
    """Inputs may be tuples, dicts or tensors; batches must be pairs."""
    ones, loss = flambeau.ones(2, 1), nn.L1Loss()
    for given in (ones, (ones, 2 * ones), {"a": ones, "b": 3.0}):
        assert train.evaluate(Several(), [(given, 0 * ones)], loss)["loss"] >= 1
    for batch in (ones, (ones,), {"a": ones}):
        with pytest.raises(TypeError, match="must be a pair"):
            train.evaluate(Several(), [batch], loss)
    assert train.evaluate(Several(), [], loss)["loss"] != 0
    assert train.evaluate(Several(), [(ones, [flambeau.tensor(1.0)])]) == {}


def test_clip_and_monitor(parts):
    """Gradients are clipped; what is not there can not be looked at."""
    model, *_ = parts
    train.fit(*parts, 1, clip=1e-3)
    norm = sum(p.grad.square().sum() for p in model.parameters()).sqrt()
    assert norm.item() <= 1.001e-3
    with pytest.raises(ValueError, match="expected one of loss, right"):
        train.fit(*parts, 1, monitor="validation loss", metrics={"right": train.accuracy})


def test_progress(parts, capsys):
    """A bar for each epoch."""
    pytest.importorskip("tqdm")
    train.fit(*parts, 2, progress=True)
    assert "epoch 2/2" in capsys.readouterr().err
    train.fit(*parts, 1, progress=False)
    assert capsys.readouterr().err == ""
