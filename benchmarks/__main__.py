"""`python -m benchmarks`: measures, and prints each ratio beside what it must reach."""

import argparse
import os
import sys
from pathlib import Path

from . import fresh
from .compare import compare
from .report import as_json, processor, table
from .workloads import WORKLOADS

__all__ = ["main", "measure"]


def measure(names, counts, rounds, seconds, starts):
    """The results of workloads on so many cores: rounds of some seconds, or so many starts."""
    cpus = sorted(os.sched_getaffinity(0))
    for name in names:
        workload = WORKLOADS[name]
        for cores in counts:
            if cores > len(cpus):
                continue
            if workload.fresh:
                yield fresh.measure(workload, cpus[:cores], starts)
            else:
                yield compare(workload, cpus[:cores], rounds, seconds)


def main(argv=None):
    """Measure what is asked for; returns 1 if something failed to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="workloads; all by default")
    parser.add_argument("--cores", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--quick", action="store_true", help="few rounds, rough figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--markdown", action="store_true", help="a table for a document")
    parser.add_argument("--list", action="store_true", help="what there is to measure")
    args = parser.parse_args(argv)
    unknown = [name for name in args.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    if args.list:
        for workload in WORKLOADS.values():
            print(f"{workload.name:16} {workload.about}")
        return 0

    sizes = (3, 0.02, 1) if args.quick else (15, 0.2, 5)
    results = []
    for result in measure(args.names or list(WORKLOADS), args.cores, *sizes):
        results.append(result)
        print(f"{result.name}, {result.cores} cores: {result.error or 'measured'}", file=sys.stderr)
        if args.json:
            args.json.write_text(as_json(results))
    print(f"{processor()}; ratio: torch's time / flambeau's\n")
    print(table(results, args.markdown))
    return int(any(r.error for r in results))


if __name__ == "__main__":
    sys.exit(main())
