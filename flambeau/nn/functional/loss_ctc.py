"""The loss of a sequence of labels whose places in a longer sequence of inputs are not known."""

import numpy as np

import flambeau

from ...ops.core import Host
from ...recorder.handle import intern
from .common import require_reduction

__all__ = ["ctc_loss"]


# The labels of a target, with blanks between and around them, are the states of a chain; a path
# stays in a state, goes on to the next or leaves out a blank between two different labels.


def _check_lengths(inputs, targets, steps, width):
    """Raise RuntimeError for lengths that do not fit `steps`, and targets of shape `width`."""
    if (inputs < 0).any() or (inputs > steps).any():
        raise RuntimeError(
            f"Expected input_lengths to have values between 0 and {steps}, but got "
            f"{inputs.tolist()}"
        )
    if (targets < 0).any():
        raise RuntimeError(
            f"Expected target_lengths to have value at least 0, but got {targets.tolist()}"
        )
    if len(width) == 1 and targets.sum() != width[0]:
        raise RuntimeError(
            f"Expected tensor to have size {targets.sum()} at dimension 0, but got size {width[0]} "
            "for argument 'targets'"
        )
    if len(width) == 2 and (targets > width[1]).any():
        raise RuntimeError(
            f"Expected tensor to have size at least {targets.max()} at dimension 1, but got size "
            f"{width[1]} for argument 'targets'"
        )


def _states(targets, lengths, blank, classes):
    """The classes [batch, 2 n + 1] of the states, for targets of n labels at most."""
    n = int(lengths.max(initial=0))
    states = np.full((len(lengths), 2 * n + 1), blank, np.int64)
    starts = np.cumsum(lengths) - lengths
    for k, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        row = targets[k, :length] if targets.ndim == 2 else targets[start : start + length]
        states[k, 1 : 2 * length : 2] = row
    if (states < 0).any() or (states >= classes).any():
        raise RuntimeError(f"ctc_loss: a target is not a class from 0 to {classes - 1}")
    return states


def _shifted(x, by):
    """`x` moved `by` places along its last dim, with the probability 0 in the free places."""
    out = np.full_like(x, -np.inf)
    if by > 0:
        out[:, by:] = x[:, :-by]
    else:
        out[:, :by] = x[:, -by:]
    return out


def _sums(logs, skips, backwards):
    """The step of the recurrence from one time to the next, without the emission."""
    sign = -1 if backwards else 1
    one = np.logaddexp(logs, _shifted(logs, sign))
    if logs.shape[1] < 3:
        return one
    return np.logaddexp(one, np.where(skips, _shifted(logs, 2 * sign), -np.inf))


def _skips(states, backwards):
    """Whether a state is reached from the one before the last, or leads to the one after next."""
    differs = np.zeros(states.shape, bool)
    if states.shape[1] > 2:
        where = slice(0, -2) if backwards else slice(2, None)
        differs[:, where] = states[:, 2:] != states[:, :-2]
        differs[:, ::2] = False
    return differs


def _forwards(emissions, states):
    """The log probabilities [steps, batch, states] of all paths from the start to a state."""
    logs, skips = np.full_like(emissions, -np.inf), _skips(states, False)
    for t, emission in enumerate(emissions):
        if t == 0:
            logs[0, :, :2] = emission[:, :2]
        else:
            logs[t] = _sums(logs[t - 1], skips, False) + emission
    return logs


def _backwards(emissions, states, inputs, targets):
    """Those of all paths from a state to the end."""
    logs, skips = np.full_like(emissions, -np.inf), _skips(states, True)
    after = np.full_like(emissions[0], -np.inf)
    place = np.arange(states.shape[1])
    ends = (place <= 2 * targets[:, None]) & (place >= 2 * targets[:, None] - 1)
    for t in range(len(emissions) - 1, -1, -1):
        last = (inputs == t + 1)[:, None]
        step = np.where(last, np.where(ends, 0.0, -np.inf), _sums(after, skips, True))
        after = logs[t] = step + emissions[t]
    return logs


def _prepared(log_probs, targets, inputs, lengths, blank):
    _check_lengths(inputs, lengths, len(log_probs), targets.shape)
    states = _states(targets, lengths, blank, log_probs.shape[2])
    wide = log_probs.astype(np.float64)
    emissions = np.take_along_axis(wide, states[None], 2)
    return wide, states, emissions, _forwards(emissions, states)


def _losses(logs, inputs, lengths):
    """-log of the probability of the targets."""
    batch = np.arange(len(inputs))
    final = logs[np.maximum(inputs - 1, 0), batch]
    last = final[batch, 2 * lengths]
    before = np.where(lengths > 0, final[batch, np.maximum(2 * lengths - 1, 0)], -np.inf)
    losses = -np.logaddexp(last, before)
    return np.where(inputs > 0, losses, np.where(lengths == 0, 0.0, np.inf))


def _loss(log_probs, targets, inputs, lengths, blank, zero_infinity):
    with np.errstate(all="ignore"):
        *_, logs = _prepared(log_probs, targets, inputs, lengths, blank)
        losses = _losses(logs, inputs, lengths)
    if zero_infinity:
        losses[np.isinf(losses)] = 0
    return losses.astype(log_probs.dtype)


def _gradient(g, log_probs, targets, inputs, lengths, blank, zero_infinity):
    """g times the probability of a class less that of being in one of its states."""
    with np.errstate(all="ignore"):
        wide, states, emissions, logs = _prepared(log_probs, targets, inputs, lengths, blank)
        losses = _losses(logs, inputs, lengths)
        both = logs + _backwards(emissions, states, inputs, lengths)
        shares = np.exp(both - emissions + losses[:, None])
        grad, batch = np.exp(wide), np.arange(len(inputs))
        shares = np.where(np.isneginf(emissions), 0.0, shares)
        for s in range(states.shape[1]):
            grad[:, batch, states[:, s]] -= shares[:, :, s]
        grad[:, np.isinf(losses)] = 0 if zero_infinity else np.nan
        grad = grad * g[:, None].astype(np.float64)
    grad[np.arange(len(wide))[:, None] >= inputs] = 0
    return grad.astype(log_probs.dtype)


_ctc_loss = Host("ctc_loss", lambda x, attrs: intern((x[0].shape[1],), x[0].dtype), _loss)
_ctc_gradient = Host(
    "_ctc_loss_backward", lambda x, attrs: intern(x[1].shape, x[1].dtype), _gradient
)


@_ctc_loss.vjp
def _(g, out, log_probs, *rest, **attrs):
    # As in PyTorch this is right for log_probs that are normalised, as by log_softmax: what the
    # normalisation adds to the gradient is left to it. There is no second derivative.
    return _ctc_gradient(g, log_probs, *rest, **attrs), None, None, None


def _lengths(name, given, batch):
    """Lengths as a tensor [batch] of int64."""
    made = given if isinstance(given, flambeau.Tensor) else flambeau.tensor(list(given))
    if made.is_floating_point() and made.numel():
        raise RuntimeError(f"{name} must be integral")
    if made.numel() != batch:
        raise RuntimeError(f"{name} must be of size batch_size")
    return made.reshape(batch).to(flambeau.int64)


def ctc_loss(
    log_probs,
    targets,
    input_lengths,
    target_lengths,
    blank=0,
    reduction="mean",
    zero_infinity=False,
):
    """-log of the probability that inputs say the targets, in whatever pace (Graves, 2006).

    A path says the labels that are left when repetitions, then blanks, are taken out of it; the
    probabilities of all paths that say the targets are added up.

    Args:
        log_probs: [time, batch, classes] or [time, classes], as log_softmax gives them.
        targets: [batch, longest], or all targets of the batch one behind the other; no blanks.
        input_lengths, target_lengths: how much of each row counts, [batch].
        blank: the class of the blank.
        reduction: "none", "sum" or "mean", for which each loss is first divided by the length of
            its target.
        zero_infinity: whether losses of targets too long for their input are 0, as their
            gradients, instead of infinite.

    Raises: RuntimeError for sizes that do not fit; ValueError for an unknown reduction.

    >>> import flambeau as torch
    >>> log_probs = torch.zeros(4, 1, 3).log_softmax(-1)
    >>> torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1, 2]]), (4,), (2,))
    tensor(0.8432)
    """
    require_reduction(reduction)
    single = log_probs.dim() == 2
    x = log_probs.unsqueeze(1) if single else log_probs
    if x.dim() != 3 or not x.numel():
        raise RuntimeError(f"log_probs must be [time, batch, classes], got {list(log_probs.shape)}")
    steps, batch, classes = x.shape
    if x.dtype not in (flambeau.float32, flambeau.float64):
        raise NotImplementedError(f'"ctc_loss" not implemented for {x.dtype}')
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range, 0 to {classes - 1}, but is {blank}")
    inputs = _lengths("input_lengths", input_lengths, batch)
    lengths = _lengths("target_lengths", target_lengths, batch)
    if targets.dim() not in (1, 2) or (targets.dim() == 2 and targets.shape[0] != batch):
        raise RuntimeError(f"targets must be [batch, longest] or 1-D, got {list(targets.shape)}")
    if not any(isinstance(n, flambeau.Tensor) for n in (input_lengths, target_lengths)):
        given = (np.array(list(n), np.int64) for n in (input_lengths, target_lengths))
        _check_lengths(*given, steps, tuple(targets.shape))
    losses = _ctc_loss(
        *(x, targets.to(flambeau.int64), inputs, lengths),
        blank=int(blank),
        zero_infinity=bool(zero_infinity),
    )
    if reduction == "none":
        return losses.squeeze(0) if single else losses
    if reduction == "sum":
        return losses.sum()
    return (losses / lengths.clamp(min=1).to(losses.dtype)).mean()
