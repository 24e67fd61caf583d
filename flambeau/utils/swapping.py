"""Exchanging what two tensors are."""

import copyreg
import weakref

from ..recorder.trace import flush

__all__ = ["swap_tensors"]


def swap_tensors(t1, t2):
    """Make each of two tensors what the other was: values, gradient, class and attributes.

    Whoever holds one of them then holds the content of the other. Do not call `backward` for what
    was computed from them before: graphs know the objects, so gradients go to the wrong content.

    Raises RuntimeError if their classes have different slots.

    >>> import flambeau as torch
    >>> a, b = torch.zeros(2), torch.ones(3)
    >>> torch.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1., 1., 1.]), tensor([0., 0.]))
    """
    if t1 is t2:
        return
    slots = [set(copyreg._slotnames(type(t))) for t in (t1, t2)]
    if slots[0] != slots[1]:
        raise RuntimeError("Cannot swap t1 and t2 if they have different slots")
    flush()  # what is recorded knows tensors by identity
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for slot in slots[0]:
        _swap_slot(t1, t2, slot)
    for new, old in ((t1, t2), (t2, t1)):
        _rename_alias(new._storage, old, new, t1._storage is t2._storage)


def _swap_slot(t1, t2, slot):
    values = [(t, getattr(t, slot)) for t in (t1, t2) if hasattr(t, slot)]
    for t, _ in values:
        delattr(t, slot)
    for t, value in values:
        setattr(t2 if t is t1 else t1, slot, value)


def _rename_alias(storage, old, new, is_common):
    """Let a storage know that `new` views it where `old` did."""
    if storage is None or is_common:
        return
    kept = [r for r in storage.aliases if r() is not None and r() is not old]
    storage.aliases = [*kept, weakref.ref(new)]
