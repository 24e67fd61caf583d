"""What looks at every operation that this thread records."""

import contextlib

from . import watch

__all__ = ["observe"]


@contextlib.contextmanager
def observe(look):
    """Within the block, call `look(op, operands, attrs, result)` for every recorded operation.

    Those of backward passes count, too. `attrs` is a tuple of (name, value) pairs.
    """

    def policy(op, operands, attrs, result):
        if outer is not None:
            result = outer(op, operands, attrs, result)
        look(op, operands, attrs, result)
        return result

    outer = watch.set_policy(policy)
    try:
        yield
    finally:
        watch.set_policy(outer)
