"""From traces to plans; and `torch.compiler`, for which nothing is left to do here.

Programs are compiled as they run, so `compile` and its relatives return what they are given.
"""

import contextlib

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "list_backends",
    "reset",
    "set_stance",
]


def compile(
    model=None,
    *,
    fullgraph=False,
    dynamic=None,
    backend="inductor",
    mode=None,
    options=None,
    disable=False,
):
    """The function or module itself, or a decorator: whatever runs is compiled anyway.

    Raises RuntimeError for both `mode` and `options`, as PyTorch.

    >>> import flambeau as torch
    >>> torch.compile(torch.sin) is torch.sin
    True
    """
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    return (lambda f: f) if model is None else model


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, or a decorator."""
    return (lambda f: f) if fn is None else fn


def allow_in_graph(fn):
    """The function itself."""
    return fn


def assume_constant_result(fn):
    """The function itself."""
    return fn


def is_compiling():
    """False: no code is traced ahead of being run."""
    return False


is_dynamo_compiling = is_compiling


def list_backends(exclude_tags=("debug", "experimental")):
    """The compilers there are."""
    return ["flambeau"]


def reset():
    """Does nothing: what was compiled stays right."""


def cudagraph_mark_step_begin():
    """Does nothing."""


def set_stance(stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
    """A context in which nothing changes."""
    return contextlib.nullcontext()
