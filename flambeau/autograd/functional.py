"""Derivatives of functions: Jacobians, Hessians and their products with vectors.

A function takes as many tensors as `inputs` has and returns one or several. In `strict` mode a
result that does not depend on an input is an error; otherwise its derivative is zero. The results
take part in gradients only with `create_graph`.
"""

from ..ops.api import FUNCTIONS
from ..recorder import inplace, sync
from ..recorder.handle import Tensor
from . import engine
from .modes import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(x, what):
    """(a tuple of tensors, whether `x` was one). Raises TypeError for anything else."""
    several = isinstance(x, (tuple, list))
    tensors = tuple(x) if several else (x,)
    for k, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            place = f"Value at index {k} in" if several else "The"
            raise TypeError(
                f"The {what} must be either a Tensor or a tuple of Tensors. {place} {what} has "
                f"type {type(t)}."
            )
    return tensors, several


def _arguments(inputs, create_graph):
    """New tensors for the function, lest the graph of the caller's grows."""
    if create_graph:
        return tuple(x.view_as(x) for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _gradients(outputs, inputs, seeds, create_graph, strict, what):
    """The gradients of `outputs` by `inputs`; zeros where nothing depends on an input."""
    pairs = [(y, g) for y, g in zip(outputs, seeds, strict=True) if y.requires_grad]
    found = (None,) * len(inputs)
    if pairs and any(x.requires_grad for x in inputs):
        targets = [x for x in inputs if x.requires_grad]
        grads = iter(
            engine.grad(
                [y for y, _ in pairs],
                targets,
                [g for _, g in pairs],
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
        )
        found = tuple(next(grads) if x.requires_grad else None for x in inputs)
    for k, g in enumerate(found):
        if g is None and strict:
            raise RuntimeError(
                f"{what} of the user-provided function is independent of input {k}. This is not "
                "allowed in strict mode."
            )
    return tuple(
        FUNCTIONS["zeros_like"](x, requires_grad=False) if g is None else g
        for g, x in zip(found, inputs, strict=True)
    )


def _result(tensors, several, create_graph):
    """One tensor or several, as they were given; cut off the graph unless that is asked for."""
    if not create_graph:
        tensors = tuple(inplace.detached(t) if t.requires_grad else t for t in tensors)
    return tensors if several else tensors[0]


def _vector(v, tensors, name):
    """The tensors of `v`, one for each of `tensors` and of the same size; 1 for a single number."""
    if v is None:
        if len(tensors) != 1 or tensors[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if the {name} is a single Tensor with a single "
                "element."
            )
        return (FUNCTIONS["ones_like"](tensors[0], requires_grad=False),)
    v, _ = _as_tuple(v, "vector v")
    if len(v) != len(tensors):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(tensors)} but got {len(v)}."
        )
    for k, (g, t) in enumerate(zip(v, tensors, strict=True)):
        if g.shape != t.shape:
            entry = "v" if len(v) == 1 else f"Entry {k} in v"
            raise RuntimeError(f"{entry} has invalid size: should be {t.shape} but got {g.shape}.")
    return v


@enable_grad()
def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), the product of v with the Jacobian of `func`).

    `v` is like the results of `func`; it may be None for a single number.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vjp(lambda x: x * x, x, torch.tensor([1.0, 10.0]))[1]
    tensor([ 2., 40.])
    """
    given, several_inputs = _as_tuple(inputs, "inputs")
    args = _arguments(given, create_graph)
    outputs, several = _as_tuple(func(*args), "outputs of the user-provided function")
    v = _vector(v, outputs, "user-provided function returns")
    found = _gradients(outputs, args, v, create_graph, strict, "The output")
    return _result(outputs, several, create_graph), _result(found, several_inputs, create_graph)


@enable_grad()
def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), the product of the Jacobian of `func` with v).

    `v` is like `inputs`; it may be None for a single number.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.jvp(lambda x: x.prod(), x, torch.tensor([1.0, 10.0]))[1]
    tensor(12.)
    """
    given, _ = _as_tuple(inputs, "inputs")
    v = _vector(v, given, "input to the user-provided function")
    args = _arguments(given, create_graph)
    outputs, several = _as_tuple(func(*args), "outputs of the user-provided function")
    # The gradient by x is linear in the cotangents w; its gradient by w is the product.
    w = tuple(FUNCTIONS["zeros_like"](y).requires_grad_() for y in outputs)
    slopes = _gradients(outputs, args, w, True, strict, "The output")
    found = _gradients(slopes, w, v, create_graph, False, "The output")
    return _result(outputs, several, create_graph), _result(found, several, create_graph)


@enable_grad()
def jacobian(
    func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"
):
    """The derivative of each result of `func` by each input: tensors of shape [*result, *input].

    For several results or inputs: tuples, of results outside, of inputs inside. It is computed
    row by row whatever `vectorize` and `strategy` say.

    >>> import flambeau as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x.sum(), torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    given, several_inputs = _as_tuple(inputs, "inputs given to jacobian")
    args = _arguments(given, create_graph)
    outputs, several = _as_tuple(func(*args), "outputs of the user-provided function")
    found = []
    for k, y in enumerate(outputs):
        columns = zip(*_rows(k, y, args, create_graph, strict), strict=True)
        blocks = [
            FUNCTIONS["stack"](list(column)).reshape(y.shape + x.shape)
            if column
            else FUNCTIONS["zeros"](y.shape + x.shape, dtype=x.dtype)
            for column, x in zip(list(columns) or [()] * len(args), args, strict=True)
        ]
        found.append(_result(tuple(blocks), several_inputs, create_graph))
    return tuple(found) if several else found[0]


def _rows(k, y, args, create_graph, strict):
    """For each element of result `k` the gradients by all inputs."""
    rows, flat = [], y.reshape(-1)
    units = FUNCTIONS["eye"](flat.numel(), dtype=y.dtype)
    sync.realize(units)
    for unit in units.unbind():
        row = _gradients([flat], args, [unit], create_graph, strict, f"Output {k}")
        if not create_graph:
            for g in row:
                sync.realize(g)  # so that all rows are the same small program
        rows.append(row)
    return rows


@enable_grad()
def hessian(
    func,
    inputs,
    create_graph=False,
    strict=False,
    vectorize=False,
    outer_jacobian_strategy="reverse-mode",
):
    """The second derivatives of `func`, which returns one number: the Jacobian of its gradient.

    A tensor of shape [*input, *input], or for several inputs a tuple of tuples of them.
    Raises: RuntimeError if `func` returns more than one element.

    >>> import flambeau as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    given, several = _as_tuple(inputs, "inputs given to hessian")

    def slopes(*args):
        y = _number(func(*args), "hessian")
        seed = FUNCTIONS["ones_like"](y, requires_grad=False)
        return _gradients([y], args, [seed], True, strict, "The output")

    args = given if create_graph else tuple(x.detach() for x in given)
    found = jacobian(slopes, args, create_graph, strict)
    return found if several else found[0][0]


def _number(y, name):
    if not isinstance(y, Tensor):
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if y.numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return y


@enable_grad()
def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), the product of v with the Hessian of `func`); `v` is like `inputs`.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), x, torch.tensor([1.0, 10.0]))[1]
    tensor([  6., 120.])
    """
    given, several = _as_tuple(inputs, "inputs")
    v = _vector(v, given, "input to the user-provided function")
    args = _arguments(given, create_graph)
    y = _number(func(*args), "vhp")
    seed = FUNCTIONS["ones_like"](y, requires_grad=False)
    slopes = _gradients([y], args, [seed], True, strict, "The output")
    found = _gradients(slopes, args, v, create_graph, strict, "The jacobian")
    return _result((y,), False, create_graph), _result(found, several, create_graph)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """As `vhp`: (func(inputs), the product of the Hessian, which is symmetric, with v)."""
    return vhp(func, inputs, v, create_graph, strict)
