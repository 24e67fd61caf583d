"""Kills processes while they save: `python -m tests.files.kills --count 200`.

A process saves one checkpoint after the other under the same name, and tells when each is there.
It is killed at a random moment. Then the file must hold the last checkpoint it told of, or the one
after it, complete. Files left behind are counted: where the system has files without a name, one
remains only if the kill came between its naming and the replacement.
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time

import flambeau

PARTS, SIZE = 8, 50_000


def checkpoint(version):
    """A checkpoint in which every number tells its version."""
    parts = {f"part {k}": flambeau.full((SIZE,), float(version)) for k in range(PARTS)}
    return {**parts, "version": version}


def _save(path, version, done):
    while True:
        version += 1
        flambeau.save(checkpoint(version), path)
        done.send(version)


def problem(path, told):
    """What is wrong with the file after a kill, or None; and the version in it."""
    try:
        found = flambeau.load(path)
    except Exception as error:
        return f"{type(error).__name__}: {error}", told
    version = found["version"]
    if version not in (told, told + 1):
        return f"version {version} instead of {told}", version
    for k in range(PARTS):
        part = found[f"part {k}"]
        if part.shape != (SIZE,) or not bool((part == version).all()):
            return f"part {k} is not of version {version}", version
    return None, version


def run(count, seed=0, report=print):
    """Kill a saving process `count` times. Returns (problems, saves, files left behind)."""
    chance = random.Random(seed)
    context = multiprocessing.get_context("fork")
    problems, saves, version = [], 0, 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "checkpoint.pt")
        flambeau.save(checkpoint(version), path)
        for k in range(count):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_save, args=(path, version, theirs))
            process.start()
            theirs.close()
            told = ours.recv()  # it is at work
            time.sleep(chance.random() * 0.05)
            process.kill()
            process.join()
            try:
                while True:
                    told = ours.recv()
            except EOFError:
                pass
            wrong, now = problem(path, told)
            if wrong:
                problems.append(f"kill {k}: {wrong}")
                report(problems[-1])
            saves, version = saves + now - version, now
        return problems, saves, sorted(set(os.listdir(folder)) - {"checkpoint.pt"})


def main():
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.files.kills", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many kills")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    started = time.time()
    problems, saves, left = run(given.count, given.seed)
    print(
        f"{given.count} kills during {saves} saves in {time.time() - started:.0f} s: "
        f"{len(problems)} problems, {len(left)} files left behind"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
