"""Trading time for memory: what the backward pass needs is computed again instead of kept.

`checkpoint(f, x)` is `f(x)`, but of all that the operations in `f` would save only `x` is kept.
When the backward pass comes there, `f` runs again, with the random numbers of the first time, and
what is saved then is used and given up.
"""

import contextlib
import warnings

from ..autograd import watch
from ..autograd.hooks import ends_of_pass
from ..autograd.modes import enable_grad, is_grad_enabled
from ..recorder import inplace
from ..recorder.handle import Tensor
from ..recorder.lines import user_line
from .reentrant import AsNow, CheckpointFunction, check_backward_validity, detach_variable
from .selective import (
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """A function that was run again did not save what it had saved the first time."""


class _Settings:
    """What the context managers below set, over what `checkpoint` is told; None: nothing."""

    early_stop = debug = None


@contextlib.contextmanager
def _setting(name, value):
    before = getattr(_Settings, name)
    setattr(_Settings, name, value)
    try:
        yield
    finally:
        setattr(_Settings, name, before)


def set_checkpoint_early_stop(enable):
    """Within a `with` block, whether running again stops once everything needed is there.

    Counts when the forward pass is recorded, over the argument `early_stop` of `checkpoint`.
    """
    return _setting("early_stop", enable)


def set_checkpoint_debug_enabled(enabled):
    """Within a `with` block, the argument `debug` of `checkpoint`; None leaves that to the call."""
    return _setting("debug", enabled)


def noop_context_fn():
    """Two context managers that do nothing: the default of `context_fn`."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def _facts(x):
    return {"shape": x.shape, "dtype": x.dtype, "device": x.device}


_CHECKS = {"default": _facts, "none": lambda _: None}

_ADVICE = (
    "Tip: the function must save the same tensors whenever it runs. Pass `debug=True` to see which "
    "line saved which tensor."
)


class _Stop(Exception):
    """Raised to leave a function that is run again: everything needed is there."""


class _Region:
    """One call of a function under `checkpoint`, and what was saved within.

    facts: what is known of each saved tensor; lines: that saved them, if `debug`. made: by backward
    pass, the values that came from running again, by index.
    """

    def __init__(self, again, args, early_stop, facts_of, debug):
        self.again, self.early_stop, self.facts_of = again, early_stop, facts_of
        self.facts, self.made = [], {}
        self.lines = [] if debug else None
        self.running = True
        self.args = [_Argument(x) if isinstance(x, Tensor) else x for x in args]

    def pack(self, x):
        """Note what is saved; returns its index."""
        self.facts.append(self.facts_of(x))
        if self.lines is not None:
            self.lines.append(user_line())
        return len(self.facts) - 1

    def unpack(self, index):
        """The value that was saved, once in each backward pass; the function runs again for it."""
        key = ends_of_pass.current
        made = self.made.get(id(key))
        if made is None or index not in made:
            made = self._run_again()
            if key is not None and id(key) not in self.made:
                ends_of_pass.append(lambda _: self.made.pop(id(key), None))
            if key is not None:
                self.made[id(key)] = made
        return made.pop(index)

    def _run_again(self):
        again = _Again(self)
        args = [x.get() if isinstance(x, _Argument) else x for x in self.args]
        watch.push(watch.Hooks(again.pack, lambda x: x))
        try:
            with enable_grad():
                self.again(args)
        except _Stop:
            pass
        finally:
            watch.pop()
        if len(again.found) < len(self.facts):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\nNumber of tensors saved during forward: "
                f"{len(self.facts)}\nNumber of tensors saved during recomputation: "
                f"{len(again.found)}.\n{self._advice(again)}"
            )
        different = "".join(
            f"tensor at position {k}:\nsaved metadata: {a}\nrecomputed metadata: {b}\n"
            for k, (a, b) in enumerate(zip(self.facts, again.facts, strict=False))
            if a != b
        )
        if different:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass.\n{different}"
                f"{self._advice(again)}"
            )
        return dict(enumerate(again.found))

    def _advice(self, again):
        if self.lines is None:
            return _ADVICE
        text = ""
        for called, facts, lines in (
            ("forward", self.facts, self.lines),
            ("recomputation", again.facts, again.lines),
        ):
            text += f"Saved during {called}:\n"
            for k, (fact, (file, line)) in enumerate(zip(facts, lines, strict=True)):
                text += f"    {k}: {fact} by {file}:{line}\n"
        return text


class _Again:
    """What a function saves that is run again for a region."""

    def __init__(self, region):
        self.region, self.found, self.facts, self.lines = region, [], [], []

    def pack(self, x):
        """Keep a value. Raises _Stop after the last one that is needed."""
        wanted = len(self.region.facts)
        if len(self.found) >= wanted:
            if self.region.running:
                return x  # a backward pass within the function, whose end has not been seen yet
            raise CheckpointError(
                "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                f"during the original forward pass.\n{self.region._advice(self)}"
            )
        self.found.append(inplace.snapshot(x))
        self.facts.append(self.region.facts_of(x))
        self.lines.append(user_line())
        if self.region.early_stop and len(self.found) == wanted:
            raise _Stop
        return x


class _Argument:
    """A tensor that a checkpointed function got; hooks around the call have it as a saved one."""

    def __init__(self, x):
        hooks = watch.current_hooks()
        self.tracked, self.packed = x.requires_grad, None
        if hooks is None:
            self.tensor, self.version = x, x._version
        else:
            self.packed = watch.Packed(hooks)
            self.packed.add(0, x)

    def get(self):
        """The tensor, as it was. Raises RuntimeError if it was changed in place since."""
        if self.packed is None:
            if self.tensor._version != self.version:
                raise watch.changed(self.tensor, self.version)
            return self.tensor
        x = self.packed.get(0).detach()
        return x.requires_grad_() if self.tracked else x


def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=noop_context_fn,
    determinism_check="default",
    debug=False,
    early_stop=True,
    **kwargs,
):
    """`function(*args, **kwargs)`, whose values for the backward pass are computed again there.

    Args:
        use_reentrant: False is recommended. True runs the function without recording and a whole
            backward pass within the backward pass: only tensors that are arguments themselves get
            gradients through it, no keywords, no `autograd.grad`. Without it, there is a warning,
            and True counts.
        preserve_rng_state: whether random numbers are the same when the function runs again.
        context_fn: returns two context managers, for the first run and for later ones.
        determinism_check: "default" compares shape, dtype and device of what is saved, "none"
            nothing.
        debug: errors name what was saved where.
        early_stop: run again only as far as needed.
    Raises: CheckpointError, in the backward pass, if the function did not save the same again.

    >>> import flambeau as torch
    >>> from flambeau.utils.checkpoint import checkpoint
    >>> x = torch.ones(2, requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4784, -2.4784])
    """
    if use_reentrant is None:
        warnings.warn(_NOT_PASSED.format(name="checkpoint"), stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        again = _rerun(function, kwargs, preserve)
        settings = context_fn, determinism_check, debug, early_stop
        return _without_reentrance(function, again, settings, args, kwargs)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError(
            "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
        )
    return CheckpointFunction.apply(function, preserve, *args)


_NOT_PASSED = (
    "torch.utils.checkpoint.{name}: the use_reentrant parameter should be passed explicitly. "
    "use_reentrant=False is recommended; without the parameter, use_reentrant=True counts."
)


def _rerun(function, kwargs, preserve):
    """A function of (context manager, args) that runs `function` as it would run now."""
    settings = AsNow(preserve)

    def again(context, args):
        with settings, context:
            function(*args, **kwargs)

    return again


def _without_reentrance(function, again, settings, args, kwargs):
    context_fn, determinism_check, debug, early_stop = settings
    debug = debug if _Settings.debug is None else _Settings.debug
    if debug and context_fn is not noop_context_fn:
        raise ValueError("debug=True is incompatible with non-default context_fn")
    if determinism_check not in _CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(_CHECKS)}, but got {determinism_check}"
        )
    first, later = context_fn()
    if not is_grad_enabled():
        return function(*args, **kwargs)
    early_stop = early_stop if _Settings.early_stop is None else _Settings.early_stop
    facts_of = _CHECKS[determinism_check]
    region = _Region(lambda args: again(later, args), args, early_stop, facts_of, debug)
    watch.push(watch.Hooks(region.pack, region.unpack))
    try:
        with first:
            out = function(*args, **kwargs)
    finally:
        watch.pop()
        region.running = False
    return out


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """The functions, one after the other, of `input`, checkpointed in `segments` parts.

    The last part is not checkpointed. Args: functions: a list of them, or a `Sequential`;
    preserve_rng_state, use_reentrant: as for `checkpoint`.
    """
    if use_reentrant is None:
        warnings.warn(_NOT_PASSED.format(name="checkpoint_sequential"), stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions)
    size = len(functions) // segments
    start = 0
    for _ in range(segments - 1 if size else 0):
        part = _Chain(functions[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
        start += size
    return _Chain(functions[start:])(input)


class _Chain:
    """Functions, one after the other."""

    def __init__(self, functions):
        self.functions = functions

    def __call__(self, x):
        for f in self.functions:
            x = f(x)
        return x
