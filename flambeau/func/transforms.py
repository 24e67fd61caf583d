"""Derivatives as functions of functions: `grad`, `vjp`, `jvp`, Jacobians and Hessians.

The argument that is differentiated by becomes a tensor of its own: a new leaf, or, if it takes
part in gradients already (another transformation, or the caller's graph), a view of it, so that
derivatives of derivatives go on through it. A forward derivative is the derivative of the
backward one by the cotangent, on which that depends linearly: what is not needed for it is never
computed.
"""

import functools

from ..autograd import engine, modes
from ..autograd.transposing import transposing
from ..ops.api import FUNCTIONS
from ..recorder import inplace
from ..recorder.handle import Tensor
from ..utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten
from .reach import reaches_others
from .vmapping import vmap

__all__ = [
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "vjp",
]


def _own(x):
    """A tensor to differentiate by, with the value of `x`."""
    if x._meta.requires_grad:
        return x.view_as(x)
    return x.detach().requires_grad_()


def _settled(tree, leaves):
    """Results without the graph of tensors that only a transformation knew."""
    own = {id(x) for x in leaves}

    def settle(x):
        if not isinstance(x, Tensor) or not x._meta.requires_grad:
            return x
        return x if reaches_others(x, own) else inplace.detached(x)

    return tree_map(settle, tree)


def _check_float(x, name):
    kind = x._meta.dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            f"{name}: expected all inputs to be floating-point or complex tensors, got {kind.name}"
        )


def _own_tree(tree, name):
    """(a tree of tensors to differentiate by, its leaves, the structure)."""
    leaves, spec = tree_flatten(tree)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise ValueError(f"{name}: Expected all inputs to be Tensors, got {type(x)}.")
        _check_float(x, name)
    own = [_own(x) for x in leaves]
    return tree_unflatten(own, spec), own, spec


def _chosen(args, argnums, name):
    """The arguments that `argnums`, an int or a tuple of them, names."""
    if isinstance(argnums, bool) or not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
    found = []
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(
                f"Got argnum={n}, but only {len(args)} positional inputs: {name} counts them from 0"
            )
        found.append(n % len(args))
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return found


def _with(args, numbers, values):
    args = list(args)
    for n, value in zip(numbers, values, strict=True):
        args[n] = value
    return args


def _gradients(outputs, inputs, seeds, create_graph=True):
    """The gradients of tensors by others, zeros where nothing depends on one."""
    pairs = [(y, g) for y, g in zip(outputs, seeds, strict=True) if y._meta.requires_grad]
    found = [None] * len(inputs)
    if pairs:
        found = engine.grad(
            [y for y, _ in pairs],
            inputs,
            [g for _, g in pairs],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    return [
        FUNCTIONS["zeros_like"](x, requires_grad=False) if g is None else g
        for x, g in zip(inputs, found, strict=True)
    ]


def _split_aux(result, has_aux, name):
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return result


def grad_and_value(func, argnums=0, has_aux=False):
    """A function that returns the gradient of `func`, a scalar, and its value.

    Args: argnums: the argument, or the tuple of them, to differentiate by. has_aux: whether
        `func` returns (scalar, anything); the value is then such a pair.

    >>> import flambeau as torch
    >>> torch.func.grad_and_value(lambda x: x**3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        numbers = _chosen(args, argnums, "grad")
        with modes.enable_grad():
            trees = [_own_tree(args[n], "grad") for n in numbers]
            leaves = [x for _, own, _ in trees for x in own]
            result = func(*_with(args, numbers, [t for t, _, _ in trees]), **kwargs)
            value, aux = _split_aux(result, has_aux, "grad_and_value")
            _check_scalar(value)
            seed = FUNCTIONS["ones_like"](value, requires_grad=False)
            found = iter(_gradients([value], leaves, [seed]))
            grads = [tree_unflatten([next(found) for _ in own], spec) for _, own, spec in trees]
        grads = grads[0] if isinstance(argnums, int) else tuple(grads)
        grads, value, aux = _settled((grads, value, aux), leaves)
        return grads, ((value, aux) if has_aux else value)

    return wrapped


def _check_scalar(value):
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"Expected the function given to grad to return a single tensor, got {type(value)}"
        )
    if value._meta.shape:
        raise RuntimeError(
            "Expected the function given to grad to return a scalar tensor, got tensor with "
            f"{len(value._meta.shape)} dims. Maybe you wanted to use the vjp or jacrev APIs "
            "instead?"
        )


def grad(func, argnums=0, has_aux=False):
    """A function that returns the gradient of `func`, which returns a scalar.

    Args: as `grad_and_value`; with has_aux it returns (gradient, aux).

    >>> import flambeau as torch
    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.5)) == -torch.tensor(0.5).sin()
    tensor(True)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapped


def _outputs(result, name):
    """(the tensors of a result, its structure)."""
    leaves, spec = tree_flatten(result)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise RuntimeError(
                f"{name}: Expected f to be a function that has only Tensor outputs, got {type(x)}"
            )
    return leaves, spec


def vjp(func, *primals, has_aux=False):
    """(what `func` returns, a function of cotangents that returns those of the primals).

    >>> import flambeau as torch
    >>> y, back = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> back(torch.ones(2))
    (tensor([1., 1.]),)
    """
    with modes.enable_grad():
        own, leaves, spec = _own_tree(primals, "vjp")
        result, aux = _split_aux(func(*own), has_aux, "vjp")
        outputs, out_spec = _outputs(result, "vjp")

    def back(cotangents, *more, retain_graph=True, create_graph=None):
        given = (cotangents, *more) if more else cotangents
        seeds, seed_spec = tree_flatten(given)
        if seed_spec != out_spec:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {seed_spec}, primal output: {out_spec}"
            )
        with modes.enable_grad():
            found = _gradients(outputs, leaves, seeds)
        return _settled(tree_unflatten(found, spec), leaves)

    settled = _settled((tree_unflatten(outputs, out_spec), aux), leaves)
    return (settled[0], back, settled[1]) if has_aux else (settled[0], back)


def _pushed(outputs, leaves):
    """A function of tangents of the leaves that returns those of the outputs."""
    seeds = [FUNCTIONS["zeros_like"](y, requires_grad=False).requires_grad_() for y in outputs]
    with transposing():
        back = _gradients(outputs, leaves, seeds)

    def push(tangents):
        return _gradients(back, seeds, tangents)

    return push, seeds


def _check_tangents(primals, tangents, name):
    leaves, spec = tree_flatten(primals)
    given, given_spec = tree_flatten(tangents)
    if spec != given_spec:
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For "
            f"example, if primals is a tuple of 3 tensors, tangents also must be. Got primals "
            f"with structure {spec} and tangents with structure {given_spec}"
        )
    for x, t in zip(leaves, given, strict=True):
        if not isinstance(x, Tensor) or not isinstance(t, Tensor):
            raise RuntimeError(f"{name}: Expected primals and tangents to be Tensors")
        if x._meta.shape != t._meta.shape:
            raise RuntimeError(
                f"{name}: a primal of shape {list(x._meta.shape)} has a tangent of shape "
                f"{list(t._meta.shape)}"
            )
    return given


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(what `func` returns for the primals, its derivative along the tangents).

    Args: primals, tangents: tuples of tensors, or of trees of them. strict: an error if a result
        does not depend on the primals.

    >>> import flambeau as torch
    >>> torch.func.jvp(torch.exp, (torch.zeros(2),), (torch.tensor([1.0, 2.0]),))
    (tensor([1., 1.]), tensor([1., 2.]))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"jvp: Expected primals to be a tuple. E.g. it should be valid to call f(*primals). "
            f"Got {type(primals)}"
        )
    given = _check_tangents(primals, tangents, "jvp")
    with modes.enable_grad():
        own, leaves, _ = _own_tree(primals, "jvp")
        result, aux = _split_aux(func(*own), has_aux, "jvp")
        outputs, spec = _outputs(result, "jvp")
        if strict and not all(y._meta.requires_grad for y in outputs):
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the "
                "inputs. This is not allowed with strict=True."
            )
        push, seeds = _pushed(outputs, leaves)
        moved = push(given)
    own = [*leaves, *seeds]
    outputs, moved, aux = _settled((outputs, moved, aux), own)
    pair = tree_unflatten(outputs, spec), tree_unflatten(moved, spec)
    return (*pair, aux) if has_aux else pair


def linearize(func, *primals):
    """(what `func` returns, its derivative as a linear function of tangents).

    >>> import flambeau as torch
    >>> y, push = torch.func.linearize(torch.sin, torch.zeros(2))
    >>> push(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    with modes.enable_grad():
        own, leaves, _ = _own_tree(primals, "linearize")
        outputs, spec = _outputs(func(*own), "linearize")
        push, seeds = _pushed(outputs, leaves)
    own = [*leaves, *seeds]

    def along(*tangents):
        given = _check_tangents(primals, tangents, "linearize")
        with modes.enable_grad():
            moved = push(given)
        return tree_unflatten(_settled(moved, own), spec)

    return tree_unflatten(_settled(outputs, own), spec), along


def _basis(tensors):
    """For each tensor the rows of the identity over all their elements, in its shape."""
    sizes = [x.numel() for x in tensors]
    total, first, rows = sum(sizes), 0, []
    for x, n in zip(tensors, sizes, strict=True):
        eye = x.new_zeros((total, n))
        eye.diagonal(-first).fill_(1)
        rows.append(eye.reshape((total, *x._meta.shape)))
        first += n
    return rows, sizes


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None):
    """A function that returns the Jacobian of `func`, row by row by backward derivatives.

    For an output of shape [*out] and an argument of shape [*in] it has the shape [*out, *in];
    trees of outputs and arguments give trees of Jacobians.

    >>> import flambeau as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        numbers = _chosen(args, argnums, "jacrev")
        chosen = tuple(args[n] for n in numbers)

        def of_chosen(*values):
            return func(*_with(args, numbers, values), **kwargs)

        found = vjp(of_chosen, *chosen, has_aux=has_aux)
        value, back = found[:2]
        outputs, out_spec = tree_flatten(value)
        rows, sizes = _basis(outputs)
        pull = vmap(lambda *seeds: back(tree_unflatten(seeds, out_spec)), chunk_size=chunk_size)
        jacobians = pull(*rows)  # a tree as `chosen`, rows in front
        parts = [x.split(sizes, 0) for x in tree_leaves(jacobians)]
        in_spec = tree_flatten(chosen)[1]
        trees = []
        for k, y in enumerate(outputs):
            leaves = [p[k].reshape((*y._meta.shape, *p[k]._meta.shape[1:])) for p in parts]
            tree = tree_unflatten(leaves, in_spec)
            trees.append(tree[0] if isinstance(argnums, int) else tree)
        jacobian = tree_unflatten(trees, out_spec)
        return (jacobian, found[2]) if has_aux else jacobian

    return wrapped


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """A function that returns the Jacobian of `func`, column by column by forward derivatives.

    The shapes are those of `jacrev`.

    >>> import flambeau as torch
    >>> torch.func.jacfwd(lambda x: x * x)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        numbers = _chosen(args, argnums, "jacfwd")
        chosen = tuple(args[n] for n in numbers)
        leaves, in_spec = tree_flatten(chosen)

        def of_chosen(*values):
            return func(*_with(args, numbers, values), **kwargs)

        columns, sizes = _basis(leaves)

        def push(*tangents):
            return jvp(of_chosen, chosen, tree_unflatten(tangents, in_spec), has_aux=has_aux)[1:]

        out_dims = (-1, None) if has_aux else (-1,)
        moved = vmap(push, out_dims=out_dims, randomness=randomness)(*columns)
        outputs, out_spec = tree_flatten(moved[0])
        trees = []
        for y in outputs:
            parts = y.split(sizes, -1)
            shaped = [
                p.reshape((*p._meta.shape[:-1], *x._meta.shape))
                for p, x in zip(parts, leaves, strict=True)
            ]
            tree = tree_unflatten(shaped, in_spec)
            trees.append(tree[0] if isinstance(argnums, int) else tree)
        jacobian = tree_unflatten(trees, out_spec)
        return (jacobian, moved[1]) if has_aux else jacobian

    return wrapped


def hessian(func, argnums=0):
    """A function that returns the Hessian of `func`: forward derivatives of backward ones.

    >>> import flambeau as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
