"""Products with weights: linear and bilinear maps."""

from ...ops.core import composite
from ...ops.matmul import linear

__all__ = ["bilinear", "linear"]


@composite
def _bilinear(x1, x2, weight, bias):
    if weight.dim() != 3:
        raise RuntimeError(f"bilinear(): weight {list(weight.shape)} must have 3 dims")
    for d, (n1, n2) in enumerate(zip(x1.shape[:-1], x2.shape[:-1], strict=False)):
        if n1 != n2:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {d}: got {n1} and {n2}"
            )
    outputs, in1, in2 = weight.shape
    if x1.dim() != x2.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {x1.dim()} and {x2.dim()}"
        )
    for name, x, size in (("input1", x1, in1), ("input2", x2, in2)):
        if x.shape[-1] != size:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {x.shape[-1]} but "
                f"expected {size}"
            )
    rows1, rows2 = x1.reshape(-1, in1), x2.reshape(-1, in2)
    # (N, in1) x (in1, out * in2), then a dot product with the second input for each output.
    half = rows1.matmul(weight.permute(1, 0, 2).reshape(in1, outputs * in2))
    half = half.reshape(rows1.shape[0], outputs, in2)
    out = half.matmul(rows2.unsqueeze(2)).reshape(*x1.shape[:-1], outputs)
    return out if bias is None else out + bias


def bilinear(input1, input2, weight, bias=None):
    """sum_ij input1_i * weight_oij * input2_j + bias_o.

    Args:
        input1, input2: of shapes (*, in1_features) and (*, in2_features).
        weight: of shape (out_features, in1_features, in2_features).
        bias: of shape (out_features).
    Returns: a tensor of shape (*, out_features).

    Raises RuntimeError if the shapes do not fit.
    """
    return _bilinear(input1, input2, weight, bias)
