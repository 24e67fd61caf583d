"""Loads many damaged and hostile files: `python -m tests.files.fuzz --first 0 --count 20000`.

Each is loaded, loaded by `mmap` and inspected in a process of its own kind: with little memory, a
clock, and a watch on what it does to the system. Anything but data or one clear error is a failure.
"""

import argparse
import collections
import faulthandler
import io
import multiprocessing
import os
import pickle
import sys
import tempfile
import time

import flambeau
from flambeau.serialization.inspection import inspect

from .mutations import mutated, sound_files

MEMORY = 1 << 29  # bytes more than at the start
SECONDS = 10  # for one file
# What Python tells of before it happens. `pickle.find_class` is the unpickler that runs code.
FORBIDDEN = (
    *("compile", "exec", "import", "os.exec", "os.fork", "os.link", "os.mkdir", "os.posix_spawn"),
    *("os.remove", "os.rename", "os.rmdir", "os.spawn", "os.symlink", "os.system"),
    *("pickle.find_class", "shutil.", "socket.", "subprocess.Popen", "webbrowser."),
)
_watching = [False]
_seen = []


def watch():
    """Note forbidden events from now on, where `_watching` says so."""

    def hook(event, args):
        if _watching[0] and event.startswith(FORBIDDEN):
            _seen.append(f"{event} {args!r:.100}")
        elif _watching[0] and event == "open" and set("wax+") & set(args[1] or ""):
            _seen.append(f"open {args!r:.100}")

    sys.addaudithook(hook)


def outcome(data, path):
    """What became of a file: "loaded", "refused", or a sentence that says what is wrong."""
    with open(path, "wb") as file:
        file.write(data)
    ways = {
        "load": lambda: load_and_use(io.BytesIO(data)),
        "mmap": lambda: load_and_use(path, mmap=True),
        "inspect": lambda: inspect(path),
    }
    results = set()
    for name, way in ways.items():
        _seen.clear()
        _watching[0] = True
        try:
            way()
            results.add("loaded")
        except (RuntimeError, pickle.UnpicklingError) as error:
            results.add("refused")
            if "MemoryError" in str(error) or not str(error):
                return f"{name}: {error!r}"
        except BaseException as error:
            return f"{name}: {type(error).__name__}: {error}"
        finally:
            _watching[0] = False
        if _seen:
            return f"{name}: {_seen[0]}"
    return "loaded" if "loaded" in results else "refused"


def load_and_use(file, **options):
    """Load a file and read the numbers of its tensors."""
    pending = [flambeau.load(file, **options)]
    for item in pending[:2000]:
        if isinstance(item, flambeau.Tensor) and item.numel() < 10_000:
            item.tolist()
        elif isinstance(item, (list, tuple, set, frozenset)):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())


def limit_memory():
    """Refuse this process more memory than `MEMORY` from now on, where the system can."""
    try:
        import resource
    except ImportError:
        return
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def _work(first, step, count, results):
    files = sound_files()
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "a.pt")
    for data in files.values():  # what is imported once
        outcome(data, path)
    limit_memory()
    watch()
    for seed in range(first, count, step):
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        what, data = mutated(seed, files)
        started = time.monotonic()
        results.send((seed, what, None, 0.0))
        result = outcome(data, path)
        results.send((seed, what, result, time.monotonic() - started))
    faulthandler.cancel_dump_traceback_later()
    os.unlink(path)
    os.rmdir(folder)
    results.send(None)


def run(first, count, report=print):
    """Try the seeds from `first` on. Returns how many had which outcome, and the failures."""
    context = multiprocessing.get_context("spawn")
    outcomes, failures, slowest = collections.Counter(), [], (0.0, None)
    begin, end = first, first + count
    while begin < end:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(begin, 1, end, theirs))
        process.start()
        theirs.close()
        at = None
        try:
            while (message := ours.recv()) is not None:
                at = message
                seed, what, result, seconds = message
                if result is None:
                    continue
                slowest = max(slowest, (seconds, seed))
                if result in ("loaded", "refused"):
                    outcomes[result] += 1
                else:
                    failures.append((seed, what, result))
                    report(f"seed {seed}: {what}: {result}")
            begin = end
        except EOFError:
            process.join()
            if at is None:
                raise RuntimeError("the process did not start") from None
            failures.append((at[0], at[1], f"exit code {process.exitcode}"))
            report(f"seed {at[0]}: {at[1]}: the process ended with {process.exitcode}")
            begin = at[0] + 1
        process.join()
    return outcomes, failures, slowest


def main():
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.files.fuzz", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many files")
    given = parser.parse_args()
    started = time.time()
    outcomes, failures, slowest = run(given.first, given.count)
    print(
        f"{given.count} files in {time.time() - started:.0f} s: {dict(outcomes)}, "
        f"{len(failures)} failures; the slowest took {slowest[0]:.2f} s (seed {slowest[1]})"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
