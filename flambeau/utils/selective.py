"""Which results a checkpointed function keeps after all, operation by operation."""

import enum

from ..autograd import watch
from ..recorder import inplace

__all__ = [
    "CheckpointPolicy",
    "SelectiveCheckpointContext",
    "create_selective_checkpoint_contexts",
]


class CheckpointPolicy(enum.Enum):
    """What becomes of a result: kept for the second run (SAVE), or computed again (RECOMPUTE)."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEPT = frozenset(
    (
        CheckpointPolicy.MUST_SAVE,
        CheckpointPolicy.PREFER_SAVE,
        CheckpointPolicy.MUST_CPU_OFFLOAD,
        CheckpointPolicy.PREFER_CPU_OFFLOAD,
    )
)


class SelectiveCheckpointContext:
    """What a policy is told beside the operation: whether it is asked in the second run."""

    def __init__(self, *, is_recompute, op_output=None):
        self.is_recompute, self.op_output = is_recompute, op_output


class _Watching:
    """Within a `with` block, sees each operation: subclasses say what is done with it."""

    def __enter__(self):
        self.outer = watch.set_policy(self.see)

    def __exit__(self, *_):
        watch.set_policy(self.outer)


class _Keeping(_Watching):
    """Keeps the results that the policy chooses, in the order of the operations."""

    def __init__(self, policy, kept):
        self.policy, self.kept = policy, kept

    def __enter__(self):
        self.kept.clear()
        super().__enter__()

    def see(self, op, operands, attrs, out):
        """Keep the result, or None in its place."""
        context = SelectiveCheckpointContext(is_recompute=False, op_output=out)
        chosen = self.policy(context, op, *operands, **dict(attrs))
        if isinstance(chosen, bool):
            chosen = CheckpointPolicy.MUST_SAVE if chosen else CheckpointPolicy.PREFER_RECOMPUTE
        outs = out if isinstance(out, tuple) else (out,)
        keep = chosen in _KEPT and not op.view
        self.kept.append((op, tuple(map(inplace.snapshot, outs)) if keep else None))
        return out


class _Using(_Watching):
    """Gives the kept results to the operations of the second run, instead of computing them."""

    def __init__(self, kept):
        self.kept, self.seen = kept, 0

    def __enter__(self):
        self.seen = 0
        super().__enter__()

    def see(self, op, operands, attrs, out):
        """The result: as kept, or as it is. Raises RuntimeError if the operations differ."""
        index, self.seen = self.seen, self.seen + 1
        if index >= len(self.kept) or self.kept[index][0] is not op:
            raise RuntimeError(
                f"{op.name} invocation index {index} encountered during backward but not found in "
                "storage. This can happen if the operations in the checkpointed region are "
                "nondeterministic or depend on global state that changed between forward and "
                "backward."
            )
        values = self.kept[index][1]
        if values is None:
            return out
        outs = out if isinstance(out, tuple) else (out,)
        made = tuple(map(inplace.with_value, outs, values))
        return made if isinstance(out, tuple) else made[0]


def create_selective_checkpoint_contexts(policy_fn_or_list, allow_cache_entry_mutation=False):
    """Two context managers for `context_fn`: what the first keeps the second uses.

    Args: policy_fn_or_list: policy(context, op, *operands, **attributes) returning a
        `CheckpointPolicy` or a bool, or a list of what is to be kept: operations, or public
        functions by whose name one is called.

    >>> import flambeau as torch
    >>> from functools import partial
    >>> from flambeau.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> x = torch.ones(2, requires_grad=True)
    >>> contexts = partial(create_selective_checkpoint_contexts, [torch.exp])
    >>> y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False, context_fn=contexts)
    >>> y.sum().backward()
    >>> x.grad
    tensor([-2.4784, -2.4784])
    """
    policy = policy_fn_or_list
    if isinstance(policy, (list, tuple)):
        names = {getattr(f, "name", None) or getattr(f, "__name__", None) for f in policy}
        if None in names:
            raise ValueError(f"Expected operations or functions in the list, but got {policy}")

        def policy(context, op, *args, **kwargs):
            return op.name in names

    elif not callable(policy):
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    kept = []
    return _Keeping(policy, kept), _Using(kept)
