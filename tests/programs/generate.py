"""Random programs by number, and the comparison of what they do in both libraries."""

import random
import warnings

import numpy as np

from .instructions import DTYPES, INSTRUCTIONS
from .machine import Different, Follower, Leader, Stop, facts

__all__ = ["compare", "lead", "program"]

LAYOUTS = ("plain", "plain", "array", "strided", "swapped", "offset", "expanded")
SIZES = (1, 2, 3, 4, 5, 7, 8, 17)
MEMORIES = ("value", "grad")


def program(seed):
    """(specs of the first tensors, steps) of a seed."""
    rng = random.Random(seed)
    kinds = ("float32",) * 6 + ("float64",) * 2 + ("int64", "int32", "bool")
    if rng.random() < 0.2:
        kinds += DTYPES + ("float16", "bfloat16")
    specs = []
    for k in range(rng.randint(2, 4)):
        shape = tuple(rng.choice(SIZES) for _ in range(rng.choice((1, 2, 2, 3))))
        if rng.random() < 0.02:
            shape = (0, *shape[1:])
        specs.append((rng.choice(kinds), shape, rng.choice(LAYOUTS), rng.random() < 0.5, seed + k))
    count = rng.choice((1, 2, 3, 4, 6, 8, 12, 20, 30))
    return specs, _steps(rng, count, forks=True)


def _steps(rng, count, forks=False, pure=False):
    names = sorted(INSTRUCTIONS)
    if pure:
        names = [n for n in names if INSTRUCTIONS[n].pure or INSTRUCTIONS[n].view]
    pure_names = [n for n in names if INSTRUCTIONS[n].pure]
    views = [n for n in names if INSTRUCTIONS[n].view]
    rest = [n for n in names if n not in pure_names and n not in views] or pure_names
    steps = []
    for _ in range(count):
        if forks and rng.random() < 0.03:
            shared = rng.random() < 0.5
            branches = [_steps(rng, rng.randint(1, 5), pure=shared) for _ in range(2)]
            steps.append(("fork", shared, *branches))
            continue
        group = rng.choices((pure_names, views, rest), (5, 3, 4))[0]
        steps.append((rng.choice(group), rng.randrange(10), rng.randrange(10), rng.randrange(4)))
    return tuple(steps)


def lead(torch, specs, steps):
    """(steps that can be compared, the `Leader` that did them)."""
    while True:
        leader = Leader(torch)
        torch.set_grad_enabled(True)
        try:
            leader.enter(specs)
            leader.run(steps)
            return steps, leader
        except Stop:
            steps = steps[: len(leader.verdicts)]
        finally:
            torch.set_grad_enabled(True)


def follow(lib, specs, steps, verdicts):
    """The facts about the machine of a library after it followed."""
    follower = Follower(lib)
    try:
        follower.enter(specs)
        follower.run(steps, verdicts)
        return facts(follower)
    finally:
        lib.set_grad_enabled(True)


def compare(torch, lib, specs, steps, runs=1):
    """Run a program in both libraries, here several times. Raises Different where they differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps, leader = lead(torch, specs, steps)
        try:
            expected = facts(leader)
        except RuntimeError:
            return  # torch refuses to look at one of several views that were changed
        for _ in range(runs):
            try:
                found = follow(lib, specs, steps, leader.verdicts)
            except Stop:
                return
            _check(found, expected, leader.tolerance)


def _check(found, expected, tolerance):
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        for name in b:
            if name in MEMORIES:
                _check_values(f"{name} of {k}", a[name], b[name], tolerance)
            elif a[name] != b[name]:
                raise Different(f"{name} of {k}: {a[name]} instead of {b[name]}")


def _check_values(what, a, b, tolerance):
    if a is None and b is None:
        return
    # PyTorch has zeros where an overwritten value had no gradient.
    a, b = (np.zeros_like(y) if x is None else x for x, y in ((a, b), (b, a)))
    if a.shape != b.shape:
        raise Different(f"{what}: shape {a.shape} instead of {b.shape}")
    if a.dtype.kind != "f":
        if not np.array_equal(a, b):
            raise Different(f"{what}: {a.tolist()} instead of {b.tolist()}")
        return
    scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
    limit = tolerance * (10 if "grad" in what else 1)
    if not np.allclose(a, b, rtol=limit, atol=limit * scale, equal_nan=True):
        raise Different(f"{what}: {a.tolist()} instead of {b.tolist()}")
