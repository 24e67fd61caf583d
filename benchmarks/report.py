"""The table of results, as text or Markdown, and as JSON."""

import dataclasses
import json
import platform
from importlib.metadata import PackageNotFoundError, version

from .workloads import WORKLOADS

__all__ = ["as_json", "table", "verdict"]

HEAD = ("workload", "cores", "torch", "flambeau", "ratio", "must reach", "")
HEAD += ("first call", "on disk", "first three", "on disk", "torch's", "peak")


def duration(seconds):
    """A time with a unit that fits."""
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1 or unit == "us":
            return f"{seconds * scale:.3g} {unit}"
    raise AssertionError


def target(workload):
    """What a workload must reach, in words."""
    parts = []
    if workload.ratio is not None:
        parts.append(f"{workload.ratio:g} x")
    if workload.seconds is not None:
        parts.append(f"{duration(workload.seconds)}")
    return ", ".join(parts)


def verdict(workload, result):
    """ "ok", or what is not reached."""
    if result.error:
        return "failed"
    missed = []
    if workload.ratio is not None and result.ratio < workload.ratio:
        missed.append("slower")
    if workload.seconds is not None and result.seconds["flambeau"] > workload.seconds:
        missed.append("too long")
    if result.compiled:  # the steady state must not
        missed.append(f"compiled {result.compiled}")
    return ", ".join(missed) or "ok"


def row(result):
    """The cells of a result."""
    workload = WORKLOADS[result.name]
    start = (result.name, str(result.cores))
    if result.error:
        return (*start, *("-",) * 3, target(workload), "failed", *("",) * 6)
    first = {key: (duration(t[0]), duration(sum(t))) for key, t in result.first.items()}
    cold = first.get("flambeau", ("", ""))
    warm = first.get("flambeau, kernels on disk", ("", ""))
    peaks = [f"{result.peak[k] / 1e6:.0f} MB" for k in ("torch", "flambeau") if result.peak]
    return (
        *start,
        duration(result.seconds["torch"]),
        duration(result.seconds["flambeau"]),
        f"{result.ratio:.2f}",
        *(target(workload), verdict(workload, result)),
        *(cold[0], warm[0], cold[1], warm[1]),
        *(first.get("torch", ("", ""))[1], " / ".join(reversed(peaks))),
    )


def table(results, markdown=False):
    """All results, a line each, and below it what failed and why."""
    rows = [HEAD, *(row(r) for r in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    if markdown:
        lines = ["| " + " | ".join(r) + " |" for r in rows]
        lines.insert(1, "|" + "---|" * len(HEAD))
    notes = [f"{r.name}, {r.cores} cores: {r.error}" for r in results if r.error]
    return "\n".join([*lines, "", *notes]).rstrip()


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def as_json(results):
    """The results, and what they were measured with."""
    versions = {name: _version(name) for name in ("flambeau", "torch", "numpy", "llvmlite")}
    machine = {"python": platform.python_version(), "processor": processor(), **versions}
    found = [{**dataclasses.asdict(r), "verdict": verdict(WORKLOADS[r.name], r)} for r in results]
    return json.dumps({"machine": machine, "results": found}, indent=2)


def processor():
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
