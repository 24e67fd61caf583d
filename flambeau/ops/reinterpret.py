"""Views of the same bytes as elements of another dtype."""

from ..recorder.handle import intern
from .core import View

__all__ = ["as_complex_op", "as_real_op", "view_dtype_op"]


class _Reinterpret(View):
    """The bytes of a tensor seen as another dtype.

    scale(meta, dtype) gives (shape, strides, offset) in elements of `dtype`.
    """

    def infer(self, operands, attrs):
        (x,) = operands
        shape, strides, offset = self.geometry(x, attrs["dtype"])
        return intern(shape, attrs["dtype"], tuple(strides), offset)

    def lower(self, build, inputs, operands, attrs, metas):
        """Copied to be contiguous, the bytes reinterpreted."""
        (x,) = inputs
        flat = build.bitcast(build.reshape(x, (x.numel,)), attrs["dtype"])
        return build.reshape(flat, metas[0].shape)


def _scaled_geometry(meta, dtype):
    old, new = meta.dtype.itemsize, dtype.itemsize
    if old == new:
        return meta.shape, meta.strides, meta.offset
    if not meta.shape:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {meta.dtype} as {dtype} (different element sizes)"
        )
    if meta.strides[-1] != 1:
        raise RuntimeError(
            f"self.stride(-1) must be 1 to view {meta.dtype} as {dtype} (different element sizes), "
            f"but got {meta.strides[-1]}"
        )
    size = meta.shape[-1] * old
    if size % new or meta.offset * old % new or any(s * old % new for s in meta.strides[:-1]):
        raise RuntimeError(
            f"self.size(-1) must be divisible by {new // old} to view {meta.dtype} as {dtype} "
            f"(different element sizes), but got {meta.shape[-1]}"
        )
    strides = [s * old // new for s in meta.strides[:-1]]
    return (*meta.shape[:-1], size // new), (*strides, 1), meta.offset * old // new


view_dtype_op = _Reinterpret("view_dtype", _scaled_geometry, None)


view_dtype_op.differentiable = False


def _real_geometry(meta, dtype):
    return (*meta.shape, 2), (*(2 * s for s in meta.strides), 1), 2 * meta.offset


def _complex_geometry(meta, dtype):
    if meta.strides[-1] != 1 or meta.offset % 2 or any(s % 2 for s in meta.strides[:-1]):
        raise RuntimeError("Tensor must have a stride of 1 for its last dimension")
    return meta.shape[:-1], [s // 2 for s in meta.strides[:-1]], meta.offset // 2


as_real_op = _Reinterpret("view_as_real", _real_geometry, None)


as_complex_op = _Reinterpret("view_as_complex", _complex_geometry, None)


as_real_op.vjp_rule = lambda g, out, x, dtype: as_complex_op(g.contiguous(), dtype=x._meta.dtype)


as_complex_op.vjp_rule = lambda g, out, x, dtype: as_real_op(g, dtype=x._meta.dtype)


def _view_dtype(x, dtype):
    return view_dtype_op(x, dtype=dtype)
