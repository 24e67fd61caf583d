"""Runs the same optimizer in flambeau and in torch, and compares where the parameters go."""

import numpy as np
import pytest

import flambeau

SHAPES = ((4, 3), (5,), ())


class Pair:
    """The two libraries, and the ways to compare them."""

    def __init__(self, torch):
        self.torch = torch

    def ours(self, value):
        """The counterpart of a torch value, nested or not, in flambeau."""
        if isinstance(value, self.torch.Tensor):
            copy = flambeau.from_numpy(np.array(value.detach().numpy()))
            return copy.requires_grad_() if value.requires_grad else copy
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.ours, value))
        if isinstance(value, dict):
            return {key: self.ours(item) for key, item in value.items()}
        return value

    def theirs(self, value):
        """The counterpart of a flambeau value, nested or not, in torch."""
        if isinstance(value, flambeau.Tensor):
            return self.torch.from_numpy(np.array(value.detach().numpy()))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.theirs, value))
        if isinstance(value, dict):
            return {key: self.theirs(item) for key, item in value.items()}
        return value

    def close(self, ours, theirs, **tolerance):
        """Assert that values of flambeau are those of torch: structure, dtype, shape, numbers."""
        theirs = [t.detach() for t in theirs] if isinstance(theirs, list) else theirs
        self.torch.testing.assert_close(self.theirs(ours), theirs, **tolerance)

    def start(self, name, kwargs, dtype="float32", shapes=SHAPES):
        """(a run of the optimizer in flambeau, one in torch) from the same parameters."""
        return Run(self, True, name, kwargs, dtype, shapes), Run(
            self, False, name, kwargs, dtype, shapes
        )


class Run:
    """An optimizer of one of the libraries on its way towards targets that jump."""

    def __init__(self, pair, is_ours, name, kwargs, dtype="float32", shapes=SHAPES):
        self.pair, self.is_ours, self.shapes = pair, is_ours, shapes
        self.dtype = getattr(pair.torch, dtype)
        self.generator = pair.torch.Generator().manual_seed(0)
        convert = pair.ours if is_ours else (lambda value: value)
        self.parameters = [convert(x.requires_grad_()) for x in self.random()]
        library = flambeau if is_ours else pair.torch
        kwargs = {key: convert(_fresh(value)) for key, value in kwargs.items()}
        self.optimizer = getattr(library.optim, name)(self.parameters, **kwargs)

    def random(self):
        """A torch tensor of each shape."""
        torch = self.pair.torch
        kind = self.dtype if self.dtype.is_complex else torch.float32
        make = lambda shape: torch.randn(shape, generator=self.generator, dtype=kind)  # noqa: E731
        return [make(shape).to(self.dtype) for shape in self.shapes]

    def step(self, times=1, skip=()):
        """Make steps; returns the parameters after each. Those in `skip` get no gradient."""
        path = []
        for _ in range(times):
            targets = self.random()

            def closure(targets=targets):
                return self.set_gradients(targets, skip)

            self.optimizer.step(closure)
            path.append([p.detach().clone() for p in self.parameters])
        return path

    def set_gradients(self, targets, skip):
        """Set the gradients of half the squared distance to the targets; returns it."""
        pair = self.pair
        present = pair.theirs(self.parameters) if self.is_ours else self.parameters
        gaps = [(p - t).detach() for p, t in zip(present, targets, strict=True)]
        for i, gap in enumerate(gaps):
            if i not in skip:
                self.parameters[i].grad = pair.ours(gap) if self.is_ours else gap
        loss = sum((gap.abs() ** 2).sum() / 2 for gap in gaps)
        return pair.ours(loss) if self.is_ours else loss


def _fresh(value):
    """A copy of a tensor, which a scheduler may change; any other value itself."""
    return value.clone() if hasattr(value, "clone") else value


@pytest.fixture
def pair(torch):
    return Pair(torch)
