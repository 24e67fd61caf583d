"""What is done with the values that operations save for the backward pass.

An operation saves the operands and results that its derivative rule uses. The values of recorded
operations never change, so a gradient is right whatever is written in place afterwards; what hooks
return is in the user's hands.
"""

import contextlib

from . import watch

__all__ = [
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class saved_tensors_hooks:
    """Within a `with` block, operations save `pack_hook(x)` in place of each tensor x.

    The backward pass uses `unpack_hook` of what that returned. Of nested blocks the innermost
    counts. `pack_hook` is called right after the operation, without recording gradients.

    Raises: RuntimeError if `pack_hook` changes its argument in place; TypeError, in the backward
        pass, if `unpack_hook` returns no tensor.

    >>> import flambeau as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda x: x.numpy() * 2, torch.from_numpy):
    ...     y = x.exp()
    >>> y.sum().backward()
    >>> x.grad
    tensor([5.4366, 5.4366])
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        watch.push(watch.Hooks(self.pack_hook, self.unpack_hook))

    def __exit__(self, *_):
        watch.pop()


class save_on_cpu(saved_tensors_hooks):
    """Within a `with` block, operations save their tensors in the memory of the CPU.

    The backward pass takes them back to the device they came from. `pin_memory` asks for memory
    that devices can read, and says nothing of tensors that are on the CPU already.
    """

    def __init__(self, pin_memory=False, device_type="cuda"):
        def pack(x):
            return x.device, x.cpu()

        def unpack(packed):
            device, x = packed
            return x.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message):
    """Within a `with` block, setting hooks of saved tensors raises RuntimeError(error_message)."""
    before = watch.forbid(error_message)
    try:
        yield
    finally:
        watch.allow(before)


class _Mutation:
    """What `allow_mutation_on_saved_tensors` yields."""

    def clear(self):
        """Nothing is kept beside the saved values themselves, so there is nothing to give up."""


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Within a `with` block, tensors that a custom `Function` saves may be changed afterwards.

    Its `backward` gets them as they were. (Those of other operations always may be.)
    Raises: RuntimeError if it is nested.
    """
    if watch.mutation_allowed():
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    watch.allow_mutation(True)
    try:
        yield _Mutation()
    finally:
        watch.allow_mutation(False)
