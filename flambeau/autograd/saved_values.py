"""What a `grad_fn` shows of the values that its operation keeps for the backward pass.

The names are those of PyTorch: `_saved_self` and `_saved_other` for operands, else what the public
function calls them, `_saved_result` for a result; numbers and dims among the arguments as well.
"""

import inspect

from ..dtypes import float64
from ..ops.api import FUNCTIONS
from ..ops.core import Elementwise
from ..ops.from_data import make_tensor
from ..recorder import sync
from ..recorder.states import VIEW, WRITE
from ..recorder.trace import local
from .needs import needs_of, needs_of_state
from .paths import freed_positions, index_path, meta_at
from .rules import FREED
from .tape import Current, Saved

__all__ = ["saved_names", "saved_value"]

PREFIX = "_saved_"
_SHOWN = frozenset(("dim", "dims", "exponent", "keepdim"))  # of the static attributes
_WITH_INPUT = ("_batch_norm_training", "_group_norm", "_layer_norm", "convolution")
_AS_TENSORS = ("div", "mul", "where")  # operations that make tensors of numbers


def saved_names(state):
    """{name: index, as in `needs_of`, or the name of a static attribute} of a record."""
    if state.grad != "op" or state.op in (VIEW, WRITE):
        return {}
    index = index_path(state.path())
    described = [_with_grad(place, index, state) for place in state.operands]
    wanted = needs_of(state.op, described, tuple(state.attrs.items()), state.metas)
    operands = _operand_names(state)
    found = {}
    for key in wanted:
        if key >= 0:
            found[PREFIX + operands[key]] = key
        elif len(state.metas) == 1:
            found[PREFIX + "result"] = key
        else:
            indices = len(state.metas) == 2 and not state.metas[-1 - key].dtype.is_floating_point
            found[PREFIX + ("indices" if indices else f"result{-1 - key}")] = key
    for name in _SHOWN & state.attrs.keys():
        found[PREFIX + ("dim" if name == "dims" else name)] = name
    return found


def _with_grad(place, index, state):
    """What an operand is for `needs_of`, as if its gradient were asked for."""
    if place is None or (type(place) is not int and not isinstance(state.op, Elementwise)):
        return getattr(place, "kind", place)
    meta = meta_at(index, place) if type(place) is int else state.meta
    return meta.with_grad(True) if meta.dtype.is_floating_point or meta.dtype.is_complex else meta


def _operand_names(state):
    op, count = state.op, len(state.operands)
    public = FUNCTIONS.get(op.name)
    described = public if public is not None else getattr(op, "function", None)
    names = [] if described is None else list(inspect.signature(described).parameters)
    names = [n for n in names if n not in state.attrs and n not in ("args", "dim", "kwargs")]
    first = "input" if op.name in _WITH_INPUT else "self"
    names = [first if n in ("input", "x") else n for n in names[:count]]
    if len(names) < count:
        return [first, "other", *(f"operand{k}" for k in range(2, count))]
    return names


def saved_value(state, name, home, leaves):
    """The value with a name: a tensor, a number, or None if no gradient asks for it.

    Args: home: the graph, or the segment that is still being recorded, of `state`; leaves: where
    gradients end in it. Raises: RuntimeError if the graph was freed.
    """
    key = saved_names(state)[name]
    if type(key) is str:
        return state.attrs[key]
    index = index_path(state.path())
    recording = home is local.trace.segment
    if recording:
        source = Current(home, freed_positions(home.node.path(), index_path(home.node.path())))
    else:
        source = Saved(home)
        source.tied = {}  # the values show where they come from, in whatever mode
    if state.first in source.freed:
        raise RuntimeError(FREED)
    if key not in needs_of_state(state, index):
        return None
    kept = home.contexts.get(("packed", state.first))
    if kept is not None and key in kept.items:
        return kept.value(key, state, source)
    place = state.first - 1 - key if key < 0 else state.operands[key]
    if type(place) is not int:
        number = home.scalars[state.slots()[key]]
        if state.op.name not in _AS_TENSORS:
            return number
        return make_tensor(number, dtype=float64 if type(number) is float else None)
    owner, _ = leaves.get(place, (None, None))
    if owner is not None and (recording or _unchanged(owner, home.saved.get(place))):
        return owner
    return source.tensor(place)


def _unchanged(owner, kept):
    """Whether a tensor still has the values that were kept of it."""
    if kept is None or owner._meta.shape != kept._meta.shape:
        return False
    return sync.to_array(owner).tobytes() == sync.to_array(kept).tobytes()
