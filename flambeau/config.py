"""Every `FLAMBEAU_*` environment variable, read once when flambeau is imported."""

import os

__all__ = ["VARIABLES", "cores", "describe"]

# name -> (default, what it does)
VARIABLES = {
    "FLAMBEAU_BACKEND": ("auto", "`auto` interprets cold and compiles hot code; `numpy`, `llvm`"),
    "FLAMBEAU_COLD": ("8", "runs of a small program that are interpreted before it is compiled"),
    "FLAMBEAU_THREADS": ("", "threads a program runs on; OMP_NUM_THREADS, or all cores"),
    "FLAMBEAU_CHECK": ("0", "`1`: compare every kernel with the NumPy interpreter"),
    "FLAMBEAU_VERIFY": ("0", "`1`: verify the program between the stages of the compiler"),
    "FLAMBEAU_SHOW": ("", "stages to print, by comma: trace, program, kernels, plan, llvm, all"),
    "FLAMBEAU_CACHE": ("", "folder of compiled kernels; `0` keeps none on disk"),
    "FLAMBEAU_STRICT": ("0", "`1`: what is most likely wrong is an error, not a warning"),
    "FLAMBEAU_NANS": ("0", "`1`: raise where a NaN appears, naming the operation and the line"),
    "FLAMBEAU_MAX_TRACE": ("8192", "records after which a trace is run without being asked for"),
    "FLAMBEAU_MAX_PENDING": ("1073741824", "bytes of results after which a trace is run"),
}


def _read(name):
    return os.environ.get(name, VARIABLES[name][0])


def _openmp_threads():
    """The threads that programs are asked to use by the variable that PyTorch reads; 0 if none."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


backend = _read("FLAMBEAU_BACKEND")
cold = int(_read("FLAMBEAU_COLD"))
threads = int(_read("FLAMBEAU_THREADS") or _openmp_threads())
check = _read("FLAMBEAU_CHECK") == "1"
verify = _read("FLAMBEAU_VERIFY") == "1"
show = frozenset(filter(None, _read("FLAMBEAU_SHOW").split(",")))
cache = _read("FLAMBEAU_CACHE")
strict = _read("FLAMBEAU_STRICT") == "1"
nans = _read("FLAMBEAU_NANS") == "1"
max_trace = int(_read("FLAMBEAU_MAX_TRACE"))
max_pending = int(_read("FLAMBEAU_MAX_PENDING"))

if backend not in ("auto", "numpy", "llvm"):
    raise ValueError(f"FLAMBEAU_BACKEND={backend}: expected auto, numpy or llvm")


def cores():
    """The number of cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def describe():
    """A line per variable: its name, its value and what it does."""
    return [f"{name}={_read(name)}  {what}" for name, (_, what) in VARIABLES.items()]
