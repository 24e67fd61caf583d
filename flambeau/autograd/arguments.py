"""What `backward` and `grad` are asked: their arguments checked, and cotangents made for roots."""

from collections import namedtuple

from ..formats import strided
from ..ops.api import FUNCTIONS
from ..recorder.handle import Tensor

__all__ = ["GradientEdge", "as_list", "check_inputs", "cotangents", "roots_of"]


class GradientEdge(namedtuple("GradientEdge", ("node", "output_nr", "ownership_token"))):
    """Where the gradient of a tensor goes: an operation and the number of its result.

    `backward` and `grad` take it in place of the tensor. `ownership_token` keeps it alive.
    """

    __slots__ = ()

    def __new__(cls, node, output_nr, ownership_token=None):
        return super().__new__(cls, node, output_nr, ownership_token)


def as_list(tensors):
    """A list of one tensor or of several, for gradient edges what stands for them."""
    one = isinstance(tensors, (Tensor, GradientEdge))
    return [_tensor_of(x) for x in ([tensors] if one else tensors)]


def _tensor_of(x):
    if not isinstance(x, GradientEdge):
        return x
    if x.ownership_token is None:
        raise RuntimeError("this GradientEdge was not made by `get_gradient_edge`")
    return x.ownership_token


def roots_of(tensors):
    """The tensors that a pass starts from. Raises RuntimeError for one without a graph."""
    roots = as_list(tensors)
    for k, root in enumerate(roots):
        if not isinstance(root, Tensor):
            raise TypeError(f"element {k} of tensors must be a Tensor, not {type(root).__name__}")
        if not root._meta.requires_grad:
            raise RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )
    return roots


def check_inputs(inputs, name):
    """The tensors that gradients are asked for, as a list; of a sparse one its values.

    Raises RuntimeError for what is no tensor.
    """
    targets = as_list(inputs)
    if not targets:
        raise RuntimeError(f"`inputs` argument to `{name}()` cannot be empty.")
    for t in targets:
        if not isinstance(t, Tensor):
            raise RuntimeError(
                f"all inputs have to be Tensors or GradientEdges, but got {type(t).__name__}"
            )
    return [t if t.layout is strided else t._val for t in targets]


def cotangents(roots, given, batched=False):
    """A cotangent for each root: the given one, or 1 for a root of one element."""
    if given is None:
        given = [None] * len(roots)
    given = as_list(given)
    if len(given) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(given)} gradients")
    pairs = enumerate(zip(roots, given, strict=True))
    return [_one(root) if g is None else _fitting(root, g, k, batched) for k, (root, g) in pairs]


def _one(root):
    if not isinstance(root, Tensor):
        raise TypeError(f"element 0 of tensors must be a Tensor, not {type(root).__name__}")
    meta = root._meta
    if meta.numel != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if not meta.dtype.is_floating_point:
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got torch."
            f"{meta.dtype.name}"
        )
    return FUNCTIONS["ones"](meta.shape, dtype=meta.dtype)


def _fitting(root, g, k, batched):
    if not isinstance(g, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    shape, wanted = g._meta.shape, root._meta.shape
    if (shape[1:] if batched else shape) != wanted or (batched and not shape):
        places = f"grad_output[{k}] has a shape of {shape} and output[{k}] has a shape of {wanted}."
        if not batched:
            raise RuntimeError(f"Mismatch in shape: {places}")
        raise RuntimeError(
            "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as "
            "the batch dimension. The sizes of the remaining dimensions are expected to match the "
            f"shape of corresponding output, but a mismatch was detected: {places}"
        )
    kinds = g._meta.dtype, root._meta.dtype
    if kinds[0].is_complex is not kinds[1].is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{k}] has a dtype of torch.{kinds[0].name} and output"
            f"[{k}] has a dtype of torch.{kinds[1].name}."
        )
    return g
