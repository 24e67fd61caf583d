"""What a workload is, and the table of all."""

from dataclasses import dataclass
from typing import Any

__all__ = ["WORKLOADS", "Workload", "workload"]

WORKLOADS = {}


@dataclass(frozen=True)
class Workload:
    """Something to measure, and what it must reach.

    setup: a function of the library that prepares everything and returns the call to time. What
        the call returns is made real (`sync` in worker.py) within the time.
    ratio: how many times as fast as PyTorch it must be; seconds: how long it may take at most.
    per: the number of operations in a call; times are per operation.
    calls: of a round, where their number matters; as many as fill the time of a round if None.
    fresh: None, or which new process is measured instead: "import", "cold" or "warm".
    """

    name: str
    setup: Any
    ratio: float | None = None
    seconds: float | None = None
    per: int = 1
    calls: int | None = None
    fresh: str | None = None

    @property
    def about(self):
        """The first line of the docstring of `setup`."""
        return self.setup.__doc__.strip().splitlines()[0]


def workload(name, **options):
    """Add a function of the library to the table: a decorator. Options are those of Workload."""

    def decorate(setup):
        WORKLOADS[name] = Workload(name, setup, **options)
        return setup

    return decorate
