"""`flambeau.cuda.nvtx`: marks in a trace of NVIDIA's profiler, which is not there."""

import contextlib

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def _absent(name, doc):
    def function(*args, **kwargs):
        raise RuntimeError(
            f"cuda.nvtx.{name}(): NVTX is not there; flambeau.profiler.record_function marks a "
            "range for flambeau's own profiler"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc} Raises RuntimeError: there is no such profiler."
    return function


mark = _absent("mark", "Mark a moment.")
range_push = _absent("range_push", "Begin a range within the current one.")
range_pop = _absent("range_pop", "End the innermost range.")
range_start = _absent("range_start", "Begin a range that may overlap others.")
range_end = _absent("range_end", "End a range that `range_start` began.")


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """A range within a `with` block. Raises RuntimeError: there is no such profiler."""
    range_push(msg.format(*args, **kwargs))
    yield
    range_pop()
