"""`opcheck`: whether an operation is what it says it is, found by trying it."""

from ..autograd.engine import grad
from ..autograd.modes import no_grad
from ..recorder.handle import Tensor
from .operations import _flat, find

__all__ = ["OpCheckError", "opcheck"]


class OpCheckError(Exception):
    """An operation is not what it says it is."""


def opcheck(
    op,
    args,
    kwargs=None,
    *,
    test_utils=(
        "test_schema",
        "test_autograd_registration",
        "test_faketensor",
        "test_aot_dispatch_dynamic",
    ),
    raise_exception=True,
    atol=None,
    rtol=None,
):
    """{check: "SUCCESS" or the exception} of an operation, called with some arguments.

    The checks: "test_schema": it changes what it says, and nothing else; "test_faketensor": the
    function of `register_fake` gives shapes and dtypes as those computed;
    "test_autograd_registration" and "test_aot_dispatch_dynamic": gradients fit their arguments.
    Raises: OpCheckError for the first that fails, unless `raise_exception` is False; ValueError for
    other checks.
    """
    names = [test_utils] if isinstance(test_utils, str) else list(test_utils)
    for name in names:
        if name not in _CHECKS:
            raise ValueError(
                f"opcheck(op, ..., test_utils={tuple(names)}), expected test_utils to be subset of "
                f"{tuple(_CHECKS)} but it was not"
            )
    op = find(op)
    values = op.schema.bind(op._qualname, args, kwargs or {})
    results = {}
    for name in names:
        try:
            _CHECKS[name](op, values)
            results[name] = "SUCCESS"
        except Exception as error:
            if raise_exception:
                raise OpCheckError(f"opcheck(op, ...): {name} failed with {error}") from error
            results[name] = error
    return results


def _copies(values):
    """The arguments with tensors of their own, that require gradients as those do."""

    def copied(x):
        if isinstance(x, Tensor):
            return x.detach().clone().requires_grad_(x.requires_grad)
        return type(x)(map(copied, x)) if isinstance(x, (list, tuple)) else x

    return [copied(x) for x in values]


def _call(op, values):
    positional, keywords = op.schema.split(values)
    return op(*positional, **keywords)


def _check_schema(op, values):
    given = _copies(values)
    with no_grad():
        _call(op, given)
    for p, before, after in zip(op.schema.parameters, values, given, strict=True):
        pairs = zip(_flat([before])[0], _flat([after])[0], strict=True)
        if not p.mutated and any(y._version for _, y in pairs):
            raise RuntimeError(f"argument '{p.name}' is changed, but the schema does not say so")


def _check_fake(op, values):
    if op.fake is None:
        raise RuntimeError(
            f"There was no fake impl registered for {op}. Please use `{op.__name__}.register_fake` "
            "to add an fake impl."
        )
    with no_grad():
        positional, keywords = op.schema.split(_copies(values))
        expected = _flat([op.fake(*positional, **keywords)])[0]
        found = _flat([_call(op, _copies(values))])[0]
    if len(found) != len(expected):
        raise RuntimeError(f"{len(found)} tensors are computed, {len(expected)} are said to be")
    for k, (x, y) in enumerate(zip(found, expected, strict=True)):
        for what in ("shape", "dtype"):
            if getattr(x, what) != getattr(y, what):
                raise RuntimeError(
                    f"result {k} has {what} {getattr(x, what)}, but {getattr(y, what)} is said"
                )


def _check_gradients(op, values):
    given = _copies(values)
    inputs = [x for x in _flat(given)[0] if x.requires_grad]
    outputs = [x for x in _flat([_call(op, given)])[0] if x.requires_grad]
    if not inputs or not outputs or op._backward is None:
        return
    loss = sum(x.sum() for x in outputs)
    for x, g in zip(inputs, grad(loss, inputs, allow_unused=True), strict=True):
        if g is not None and g.shape != x.shape:
            raise RuntimeError(f"a gradient of shape {list(g.shape)} is for one of {list(x.shape)}")


_CHECKS = {
    "test_schema": _check_schema,
    "test_autograd_registration": _check_gradients,
    "test_faketensor": _check_fake,
    "test_aot_dispatch_static": _check_gradients,
    "test_aot_dispatch_dynamic": _check_gradients,
}
