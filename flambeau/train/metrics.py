"""Metrics: functions of outputs and targets that give the mean over the samples of a batch."""

import functools

import flambeau

__all__ = ["Means", "accuracy", "mean_absolute_error", "named", "top_k_accuracy"]


def accuracy(output, target):
    """The part of samples whose class is right: [N, C, ...] logits, or [N, ...] for two classes.

    >>> import flambeau as torch
    >>> logits = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    >>> torch.train.accuracy(logits, torch.tensor([0, 0])).item()
    0.5
    """
    if output.ndim > target.ndim:
        found = output.argmax(dim=1)
    else:
        found = (output > 0).to(target.dtype)
    return (found == target).float().mean()


def top_k_accuracy(k):
    """The metric: the part of samples whose class is among the `k` likeliest of [N, C] logits."""

    def metric(output, target):
        likeliest = output.topk(k, dim=1).indices
        return (likeliest == target.unsqueeze(1)).any(dim=1).float().mean()

    metric.__name__ = f"top {k} accuracy"
    return metric


def mean_absolute_error(output, target):
    """The mean distance of outputs from targets."""
    return (output - target).abs().mean()


def named(metrics):
    """{name: function} of metrics given as that, as a list or as one function; {} for None."""
    if metrics is None:
        return {}
    if isinstance(metrics, dict):
        return dict(metrics)
    found = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
    return {_name(f): f for f in found}


def _name(metric):
    if isinstance(metric, functools.partial):
        metric = metric.func
    return getattr(metric, "__name__", type(metric).__name__).replace("_", " ")


class Means:
    """The means over all samples so far of what is known of batches."""

    def __init__(self, names):
        self.totals, self.count = dict.fromkeys(names, 0.0), 0

    def add(self, values, count):
        """Count a batch of `count` samples, of which `values` are {name: mean}."""
        for name, value in values.items():
            value = value.item() if isinstance(value, flambeau.Tensor) else float(value)
            self.totals[name] += value * count
        self.count += count

    def result(self):
        """{name: mean}; nan where there was no sample."""
        if not self.count:
            return dict.fromkeys(self.totals, float("nan"))
        return {name: total / self.count for name, total in self.totals.items()}

    def state_dict(self):
        """What `load_state_dict` goes on from."""
        return {"totals": dict(self.totals), "count": self.count}

    def load_state_dict(self, state):
        """Go on from what `state_dict` gave."""
        self.totals, self.count = dict(state["totals"]), state["count"]
