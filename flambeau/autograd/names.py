"""What PyTorch calls the derivatives of operations: the names of `grad_fn`."""

from ..recorder.states import VIEW, WRITE

__all__ = ["grad_name", "writes_all"]

# What PyTorch calls the derivatives of operations that have another name here.
_NAMES = {
    "to": "ToCopyBackward0",
    "clamp": "ClampBackward1",
    "slice": "SliceBackward0",
    "index_put": "IndexPutBackward0",
    "cross_entropy": "NllLossBackward0",
    "nll_loss": "NllLossBackward0",
    "layer_norm": "NativeLayerNormBackward0",
    "batch_norm": "NativeBatchNormBackward0",
    "batch_norm_training": "NativeBatchNormBackward0",
    "einsum": "ViewBackward0",
    "l1_loss": "MeanBackward0",
    "kl_div": "MeanBackward0",
    "normalize": "DivBackward0",
    "matmul": "UnsafeViewBackward0",
    "group_norm": "NativeGroupNormBackward0",
    "bce": "BinaryCrossEntropyBackward0",
    "bce_with_logits": "BinaryCrossEntropyWithLogitsBackward0",
    "dropout": "MulBackward0",
    "sparse_mm": "MmBackward0",
}
_OVER_DIMS = ("sum", "mean", "prod", "std", "var", "logsumexp")


def grad_name(state):
    """What PyTorch calls the derivative of a record, such as "MulBackward0"."""
    op = state.op
    if op is VIEW:
        return "AsStridedBackward0"
    if op is WRITE:
        return "CopyBackwards" if writes_all(state) else "CopySlices"
    if op.name in _OVER_DIMS and op.name != "logsumexp":
        whole = state.attrs.get("keepdim") is False and not state.meta.shape
        return f"{op.name.capitalize()}Backward{0 if whole else 1}"
    by_number = bool(state.operands) and type(state.operands[0]) is not int
    if op.name == "pow":
        of_tensors = len(state.operands) > 1 and type(state.operands[1]) is int
        return "PowBackward2" if by_number else f"PowBackward{int(of_tensors)}"
    if op.name in ("sub", "div") and by_number:
        return "RsubBackward1" if op.name == "sub" else "MulBackward0"
    if op.name == "linear":
        kinds = ("View", "Addmm") if state.operands[2] is not None else ("UnsafeView", "Mm")
        return kinds[len(state.meta.shape) == 2] + "Backward0"
    if op.derivative is not None:
        return op.derivative if isinstance(op.derivative, str) else op.derivative(state)
    if op.name == "squeeze" and "dims" in state.attrs:
        return "SqueezeBackward1"
    return _NAMES.get(op.name.strip("_")) or op.grad_name


def writes_all(state):
    """Whether a write replaces the whole content."""
    region, meta = state.attrs["geometry"], state.meta
    return region.shape == meta.shape and region.strides == meta.strides
