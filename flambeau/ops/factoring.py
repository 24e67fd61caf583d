"""What factorizations share: checks of their arguments, their errors, and when these come."""

from .. import dtypes
from ..errors import LinAlgError
from ..recorder import trace
from .matrices import title

__all__ = ["check_kind", "check_system", "now", "raise_first"]


def check_kind(name, x, error=NotImplementedError):
    """Raise unless `x` has elements of float32, float64, complex64 or complex128.

    `error` is raised for whole numbers, NotImplementedError for floats of 16 bits.
    """
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise error(
            f"{name}: Expected a floating point or complex tensor as input. Got {title(kind)}"
        )
    if kind.to_real() not in (dtypes.float32, dtypes.float64):
        raise NotImplementedError(f'"{name}" not implemented for {title(kind)!r}')


def check_system(name, a, b, left=True):
    """Raise RuntimeError unless A X = B, or X A = B, is an equation of matrices."""
    n = a._meta.shape[-1]
    rows, columns = b._meta.shape[-2:]
    if n != (rows if left else columns):
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({a._meta.shape[-2]}x{n} and {rows}x{columns})"
        )


def raise_first(info, lead, name, message, error=LinAlgError):
    """Raise `error` for the first matrix of a stack of which LAPACK told a number.

    lead: the dims of the stack; message: a text with {0} in the place of the number.
    """
    if info.any():
        k = int((info != 0).argmax())
        place = f"(Batch element {k}): " if lead else ""
        raise error(f"{name}: {place}{message.format(info[k])}")


def now(result):
    """`result`, computed: so that what only the data shows is raised where it is caught.

    Programs try a factorization and do something else if there is none.
    """
    if not trace.local.trace.hold:
        trace.flush()
    return result
