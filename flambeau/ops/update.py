"""Updating many tensors in place by one rule, as one record: what optimizers are made of."""

from ..recorder import inplace
from ..recorder.entering import enter_all
from ..recorder.handle import DEAD, Tensor
from ..recorder.states import add_state
from ..recorder.trace import exclusive, flush, local, set_grad_mode
from .core import Composite

__all__ = ["sync_point", "update_all"]

_ops = {}


def sync_point():
    """Run what is recorded: the end of an optimizer's step."""
    flush()


class _Update(Composite):
    """A rule mapped over groups of tensors, all in one record.

    The rule gets the targets and inputs of one group, then the shared numbers, and returns the new
    values of the targets.
    """

    differentiable = False
    multi = True

    def __init__(self, rule):
        super().__init__("update_" + rule.__name__.strip("_"), rule)
        self.rule, self.function = rule, self.map_over

    def map_over(self, *operands, layout, static):
        """The new values of all targets; layout: (groups, targets each, inputs each)."""
        groups, width, more = layout
        first, second = groups * width, groups * (width + more)
        numbers = operands[second:]
        results = []
        for k in range(groups):
            targets = operands[k * width : (k + 1) * width]
            inputs = operands[first + k * more : first + (k + 1) * more]
            made = self.rule(*targets, *inputs, *numbers, **dict(static))
            results.extend(made if isinstance(made, tuple) else (made,))
        return tuple(results)


class _Replay:
    """Where the writes of an update ended, and which targets are leaves of gradients."""

    __slots__ = ("end", "first", "leaves")


@exclusive
def update_all(rule, targets, inputs, scalars, **static):
    """Write rule(*targets[i], *inputs[i], *scalars, **static) into targets[i], for all i.

    Args: targets: tuples of tensors that the rule returns new values for; inputs: tuples of
        further tensors, one per group; scalars: numbers shared by all; static: hashables.
    Gradients are not recorded, as under `no_grad`.
    """
    op = _ops.get(rule)
    if op is None:
        op = _ops[rule] = _Update(rule)
    if local.trace.segment.node.full:
        flush()
    segment = local.trace.segment
    flat = [t for group in targets for t in group]
    everything = flat + [t for group in inputs for t in group]
    positions = enter_all(everything, segment)
    layout = (len(targets), len(targets[0]), len(inputs[0]) if inputs else 0)
    kinds = tuple(map(type, scalars))
    attrs = (("layout", layout), ("static", tuple(static.items())))
    operands = (*positions, *kinds)
    key = (op, operands, attrs)
    node = segment.node
    state = node.next.get(key)
    if state is None:
        state = _add(op, node, key, operands, attrs, everything, kinds)
    segment.node = state
    segment.scalars.extend(scalars)
    replay = state.macros.get("writes")
    if replay is not None and all(t._storage is None for t in flat):
        _write_again(segment, replay, flat, positions)
    else:
        _write_first(segment, state, flat)
    if segment.eager and not local.trace.hold:
        flush()


def _add(op, node, key, operands, attrs, tensors, kinds):
    described = [*(t._meta for t in tensors), *kinds]
    metas, expansion = op.infer_all(described, dict(attrs))
    state = add_state(node, key, op, operands, dict(attrs), metas, expansion=expansion)
    return state


def _write_first(segment, state, flat):
    made = []
    for k, meta in enumerate(state.metas):
        out = Tensor.__new__(Tensor)
        out._segment, out._pos, out._meta, out._storage = segment, state.first + k, meta, None
        made.append(out)
    segment.handles.extend(made)
    enabled = segment.node.grad_mode
    simple = all(t._storage is None for t in flat)
    trace = local.trace
    trace.hold += 1  # memory that is shared with the outside is written at the end
    if enabled:
        set_grad_mode(False)
    for target, value in zip(flat, made, strict=True):
        inplace.write(target, value)
    if enabled:
        set_grad_mode(True)
    trace.hold -= 1
    if simple:
        replay = _Replay()
        replay.end, replay.first = segment.node, state.end
        replay.leaves = [k for k, t in enumerate(flat) if t._meta.requires_grad]
        state.macros["writes"] = replay
        for p in range(state.first, state.end):
            segment.handles[p] = DEAD


def _write_again(segment, replay, flat, positions):
    handles = segment.handles
    for p in positions[: len(flat)]:
        handles[p] = DEAD
    handles.extend([DEAD] * len(flat))
    handles.extend(flat)
    p = replay.first
    leaves = segment.grad_leaves
    for target in flat:
        target._pos = p
        p += 1
    for k in replay.leaves:
        leaves[replay.first + k] = (flat[k], None)
    segment.node = replay.end
