"""Products with weights: linear and bilinear maps."""

from ...ops.core import composite

__all__ = ["bilinear", "linear"]


@composite
def _linear(x, weight, bias):
    _check_linear(x, weight, bias)
    if weight.dim() == 1:
        out = x.matmul(weight)
    else:
        out = x.matmul(weight.t())
    return out if bias is None else out + bias


def _check_linear(x, weight, bias):
    shapes = f"input {list(x.shape)} has {{}} features, weight {list(weight.shape)} expects {{}}"
    if x.dim() == 0 or weight.dim() == 0:
        raise RuntimeError(
            "both arguments to linear need to be at least 1D, but they are "
            f"{x.dim()}D and {weight.dim()}D"
        )
    if weight.dim() > 2:
        raise RuntimeError(
            f"linear(): weight {list(weight.shape)} has {weight.dim()} dims, expected at most 2"
        )
    if x.shape[-1] != weight.shape[-1]:
        raise RuntimeError("linear(): " + shapes.format(x.shape[-1], weight.shape[-1]))
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != x.dtype:
            raise RuntimeError(
                f"linear(): expected input and {name} to have the same dtype, but got: "
                f"{x.dtype} {list(x.shape)} and {other.dtype} {list(other.shape)}"
            )
    outputs = weight.shape[0] if weight.dim() == 2 else None
    if bias is not None and bias.dim() == 1 and outputs is not None:
        if bias.shape[0] not in (1, outputs):
            raise RuntimeError(
                f"linear(): bias {list(bias.shape)} does not fit weight {list(weight.shape)}, "
                f"which gives {outputs} features"
            )


@_linear.vjp
def _(g, out, x, weight, bias):
    if weight.dim() == 1:
        rows = x.reshape(-1, x.shape[-1])
        return g.unsqueeze(-1) * weight, g.reshape(-1).matmul(rows), g
    rows, columns = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    return g.matmul(weight), columns.t().matmul(rows), None if bias is None else g


def linear(input, weight, bias=None):
    """input @ weight.T + bias.

    Args:
        input: of shape (*, in_features).
        weight: of shape (out_features, in_features), or (in_features) for one output without dim.
        bias: of shape (out_features).
    Returns: a tensor of shape (*, out_features).

    Raises RuntimeError if the number of features or the dtypes differ.

    >>> import flambeau as torch
    >>> torch.nn.functional.linear(torch.ones(1, 3), torch.ones(2, 3), torch.zeros(2))
    tensor([[3., 3.]])
    """
    return _linear(input, weight, bias)


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
