"""Runs many random programs: `python -m tests.programs --first 0 --count 1000`.

Each runs in PyTorch, then in flambeau by the interpreter, and compiled if `--llvm` says so. What
fails is made as short as it can be and printed.
"""

import argparse
import collections
import time
import traceback
import warnings

import torch

import flambeau
from flambeau import config

from .generate import compare, program


def failure(specs, steps, backends):
    """What is wrong with a program, or None."""
    for backend in backends:
        config.backend = backend
        try:
            compare(torch, flambeau, specs, steps, runs=1 if backend != "auto" else 2)
        except Exception as error:
            return f"{backend}: {type(error).__name__}: {error}"
    return None


def shorter(specs, steps, backends):
    """The program without what its failure does not need."""
    size = max(len(steps) // 2, 1)
    while size:
        k = 0
        while k < len(steps):
            less = steps[:k] + steps[k + size :]
            if failure(specs, less, backends):
                steps = less
            else:
                k += size
        size //= 2
    return steps


def main():
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--llvm", type=int, default=10, help="compile each n-th; 0 for none")
    parser.add_argument("--most", type=int, default=50, help="failures after which to stop")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    start, failures, kinds = time.time(), 0, collections.Counter()
    for seed in range(given.first, given.first + given.count):
        specs, steps = program(seed)
        backends = ("numpy", "llvm") if given.llvm and seed % given.llvm == 0 else ("numpy",)
        error = failure(specs, steps, backends)
        if error is not None:
            failures += 1
            backends = (error.split(":")[0],)
            steps = shorter(specs, steps, backends)
            message = failure(specs, steps, backends) or f"not again: {error}"
            kinds[steps[-1][0] if steps else "none"] += 1
            print(f"seed {seed}: {message[:600]}\n    {specs}\n    {steps}", flush=True)
        if seed % 1000 == 999:
            print(f"{seed + 1}: {failures} failures, {time.time() - start:.0f} s", flush=True)
        if failures >= given.most:
            break
    print(f"{failures} failures of {seed - given.first + 1}; last instructions: {dict(kinds)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        traceback.print_exc()
