"""Ratios against PyTorch's eager mode: `python -m benchmarks [names] [--cores 1 2] [--quick]`.

A workload is written once, as a function that takes the library. Each library runs it in a process
of its own, and the two take turns, so that what else the machine does hits both.

- `workloads/`: what is measured, and what it must reach,
- `worker.py`: the process that runs a workload when it is told to,
- `compare.py`: two workers in turn; `fresh.py`: new processes in turn,
- `report.py`: the table.
"""
