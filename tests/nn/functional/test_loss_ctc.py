"""`ctc_loss` against PyTorch: lengths, forms of targets, infinite losses, gradients, errors."""

import itertools

import numpy as np
import pytest

import flambeau

STEPS, BATCH, CLASSES = 9, 4, 5
TARGETS = np.array([[1, 2, 3, 4], [2, 2, 1, 1], [4, 4, 4, 4], [3, 1, 2, 1]])


def scores(seed=0, kind=np.float64):
    """Inputs before the softmax."""
    return np.random.default_rng(seed).normal(size=(STEPS, BATCH, CLASSES)).astype(kind)


def both(torch, call, array):
    """[(loss, gradient)] of a function of (library, log_probs) in both libraries."""
    made = []
    for lib in (flambeau, torch):
        x = lib.from_numpy(array).requires_grad_()
        loss = call(lib, x.log_softmax(-1))
        weights = lib.arange(1.0, 1.0 + loss.numel()).to(loss.dtype).reshape(loss.shape)
        (grad,) = lib.autograd.grad(loss, x, weights)
        made.append((loss.detach().numpy(), grad.numpy()))
    return made


def same(ours, theirs, rtol=1e-9):
    """Assert that losses and gradients agree."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol, 1e-12 if rtol < 1e-6 else 1e-5, equal_nan=True)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("blank", [0, 2])
def test_reductions(torch, reduction, blank):
    """Losses and gradients, with repeated labels, by lengths in tuples and tensors."""
    targets = np.where(blank == TARGETS, 0, TARGETS) if blank else TARGETS
    inputs, lengths = (9, 9, 8, 5), (4, 3, 2, 0)

    def call(lib, x, tensors=False):
        given = [lib.tensor(v) for v in (inputs, lengths)] if tensors else (inputs, lengths)
        return lib.nn.functional.ctc_loss(
            x, lib.from_numpy(targets), *given, blank=blank, reduction=reduction
        )

    same(*both(torch, call, scores()))
    same(*both(torch, lambda lib, x: call(lib, x, True), scores()))
    same(*both(torch, call, scores(1, np.float32)), 1e-4)


def test_concatenated(torch):
    """Targets one behind the other."""
    lengths = (4, 3, 0, 2)
    flat = np.concatenate([t[:n] for t, n in zip(TARGETS, lengths, strict=True)])

    def call(lib, x):
        given = lib.from_numpy(flat), (9, 7, 9, 8), lengths
        return lib.nn.functional.ctc_loss(x, *given, reduction="none")

    same(*both(torch, call, scores()))


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_infinite(torch, zero_infinity):
    """Targets that are too long for their input, also only by their repetitions."""

    def call(lib, x):
        given = lib.from_numpy(TARGETS), (9, 3, 4, 0), (4, 4, 4, 0)
        return lib.nn.functional.ctc_loss(x, *given, reduction="none", zero_infinity=zero_infinity)

    same(*both(torch, call, scores()))


def test_single(torch):
    """One sequence without a batch; the function of the top level."""
    for reduction, code in (("none", 0), ("mean", 1), ("sum", 2)):

        def call(lib, x, reduction=reduction):
            given = lib.from_numpy(TARGETS[0]), lib.tensor(9), lib.tensor(4)
            return lib.nn.functional.ctc_loss(x[:, 0], *given, reduction=reduction)

        same(*both(torch, call, scores()))
        x = flambeau.from_numpy(scores()).log_softmax(-1)
        given = flambeau.from_numpy(TARGETS), (9,) * BATCH, (4,) * BATCH
        by_name = flambeau.nn.functional.ctc_loss(x, *given, reduction=reduction)
        assert flambeau.equal(flambeau.ctc_loss(x, *given, reduction=code), by_name)


def test_probability():
    """exp(-loss) is the sum over all paths."""
    x = flambeau.from_numpy(scores()[:4, :1, :3]).log_softmax(-1)
    probabilities = x.exp().numpy()[:, 0]
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        labels = [k for k, _ in itertools.groupby(path) if k]
        if labels == [1, 2]:
            total += np.prod([probabilities[t, k] for t, k in enumerate(path)])
    loss = flambeau.nn.functional.ctc_loss(
        x, flambeau.tensor([[1, 2]]), (4,), (2,), reduction="sum"
    )
    np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-12)


def test_derivatives():
    """The gradient behind log_softmax is right; there is no second derivative, as in PyTorch."""
    targets = flambeau.from_numpy(TARGETS)
    x = flambeau.from_numpy(scores()).requires_grad_()

    def loss(x):
        given = targets, (9, 9, 8, 5), (4, 3, 2, 0)
        return flambeau.nn.functional.ctc_loss(x.log_softmax(-1), *given)

    assert flambeau.autograd.gradcheck(loss, (x,))
    (grad,) = flambeau.autograd.grad(loss(x), x, create_graph=True)
    with pytest.raises(RuntimeError, match="not implemented"):
        grad.sum().backward()


BAD = [
    {"input_lengths": (9, 9, 9)},
    {"target_lengths": (4,)},
    {"input_lengths": (10, 9, 9, 9)},
    {"input_lengths": (-1, 9, 9, 9)},
    {"target_lengths": (5, 4, 4, 4)},
    {"target_lengths": (-1, 4, 4, 4)},
    {"blank": 5},
    {"blank": -1},
    {"reduction": "median"},
    {"targets": TARGETS.reshape(-1)[:15]},
    {"targets": TARGETS[:2]},
    {"targets": TARGETS[None]},
    {"log_probs": scores()[0, 0]},
    {"log_probs": scores()[:0]},
    {"log_probs": scores(kind=np.float16)},
    {"log_probs": scores().astype(np.int64)},
]


@pytest.mark.parametrize("wrong", BAD)
def test_errors(torch, wrong):
    """Errors of PyTorch's classes."""
    for lib in (flambeau, torch):
        given = {
            "log_probs": scores(),
            "targets": TARGETS,
            "input_lengths": (9,) * BATCH,
            "target_lengths": (4,) * BATCH,
            **wrong,
        }
        given = {
            k: lib.from_numpy(v.copy()) if isinstance(v, np.ndarray) else v
            for k, v in given.items()
        }
        with pytest.raises((RuntimeError, ValueError)) as caught:
            lib.nn.functional.ctc_loss(**given)
        if lib is flambeau:
            kind = caught.type
    assert kind is caught.type


def test_errors_of_tensors():
    """Lengths in tensors, and labels, are checked when the loss is computed."""
    x = flambeau.from_numpy(scores()).log_softmax(-1)
    lengths = flambeau.tensor([4, 4, 4, 4])
    with pytest.raises(RuntimeError, match="integral"):
        flambeau.nn.functional.ctc_loss(x, flambeau.from_numpy(TARGETS), lengths * 1.0, lengths)
    for targets, inputs in ((TARGETS, lengths + 9), (TARGETS * 2, lengths + 5)):
        with pytest.raises(RuntimeError):
            flambeau.nn.functional.ctc_loss(x, flambeau.from_numpy(targets), inputs, lengths).item()
