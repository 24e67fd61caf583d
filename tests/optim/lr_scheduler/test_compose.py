"""Schedules of schedules against torch: chosen at random, and what does not go together."""

import random

import pytest

import flambeau


def any_schedule(rng, depth=0):
    """A function (schedulers, optimizer) -> a schedule, with random arguments."""
    share, count = rng.random, rng.randint
    simple = {
        "StepLR": lambda: (count(1, 4), share()),
        "MultiStepLR": lambda: ([count(0, 8) for _ in range(3)], share()),
        "LambdaLR": lambda: (_power(share()),),
        "MultiplicativeLR": lambda: (_power(share()),),
        "ConstantLR": lambda: (share(), count(0, 6)),
        "LinearLR": lambda: (share(), share(), count(1, 6)),
        "ExponentialLR": lambda: (share(),),
        "PolynomialLR": lambda: (count(1, 6), 2 * share()),
        "CosineAnnealingLR": lambda: (count(1, 6), 0.1 * share()),
        "CosineAnnealingWarmRestarts": lambda: (count(1, 4), count(1, 3)),
        "CyclicLR": lambda: (0.01, share(), count(1, 4)),
        "OneCycleLR": lambda: (share(), count(20, 40)),
    }
    name = rng.choice([*simple, "SequentialLR", "ChainedScheduler"] * (depth < 2) or list(simple))
    if name in simple:
        args = simple[name]()
        return lambda s, o: getattr(s, name)(o, *args)
    parts = [any_schedule(rng, depth + 1) for _ in range(count(1, 3))]
    if name == "ChainedScheduler":
        return lambda s, o: s.ChainedScheduler([part(s, o) for part in parts])
    milestones = sorted(count(1, 6) for _ in parts[1:])
    return lambda s, o: s.SequentialLR(o, [part(s, o) for part in parts], list(milestones))


def _power(base):
    return lambda epoch: base**epoch


@pytest.mark.parametrize("seed", range(80))
def test_any_schedule(twins, seed):
    rng = random.Random(seed)
    make = any_schedule(rng)
    optimizer = {"name": rng.choice(["SGD", "Adam"]), "groups": rng.randint(1, 2)}
    twins.follow(make, [()] * rng.randint(4, 18), tensor_lr=rng.random() < 0.3, **optimizer)


@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"])
def test_checkpoint_goes_on(make_optimizer, kind):
    def make():
        optimizer = make_optimizer(flambeau)
        schedulers = flambeau.optim.lr_scheduler
        parts = [schedulers.LinearLR(optimizer), schedulers.StepLR(optimizer, 2)]
        if kind == "SequentialLR":
            return schedulers.SequentialLR(optimizer, parts, [3])
        return schedulers.ChainedScheduler(parts)

    def go(scheduler, steps):
        for _ in range(steps):
            scheduler.optimizer.step()
            scheduler.step()
        return scheduler.get_last_lr()

    straight, first, second = make(), make(), make()
    go(first, 4)
    saved = first.state_dict()
    second.load_state_dict(saved)
    assert len(saved["_schedulers"]) == 2
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    assert go(second, 4) == go(straight, 8)


BAD = {
    "sequence of none": lambda s, o, p: s.SequentialLR(o, [], []),
    "milestones": lambda s, o, p: s.SequentialLR(o, [s.StepLR(o, 2)], [1, 2]),
    "sequence of two optimizers": lambda s, o, p: s.SequentialLR(
        o, [s.StepLR(o, 2), s.StepLR(p, 2)], [1]
    ),
    "sequence with a plateau": lambda s, o, p: s.SequentialLR(
        o, [s.StepLR(o, 2), s.ReduceLROnPlateau(o)], [1]
    ),
    "sequence of a number": lambda s, o, p: s.SequentialLR(o, [s.StepLR(o, 2), 3], [1]),
    "chain of none": lambda s, o, p: s.ChainedScheduler([]),
    "chain of a number": lambda s, o, p: s.ChainedScheduler([s.StepLR(o, 2), 3]),
    "chain of two optimizers": lambda s, o, p: s.ChainedScheduler([s.StepLR(o, 2), s.StepLR(p, 2)]),
    "chain of another optimizer": lambda s, o, p: s.ChainedScheduler([s.StepLR(o, 2)], p),
    "chain with a plateau": lambda s, o, p: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_errors(twins, make_optimizer, make):
    result, _ = twins.same(
        lambda lib: make(lib.optim.lr_scheduler, make_optimizer(lib), make_optimizer(lib))
    )
    assert result[0] in ("ValueError", "TypeError")
