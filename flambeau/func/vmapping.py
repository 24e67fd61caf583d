"""`vmap`: a function of one sample is recorded once, and its record replayed for all samples.

While it is recorded the function gets the first sample. Nothing is computed with that: the values
are dead as soon as the record has been replayed with all samples along a batch dim (see
`batching`). So it costs no more than the same function written for batches.
"""

import contextlib
import functools
import threading

from ..autograd import modes
from ..autograd.tape import dense
from ..ops.api import FUNCTIONS
from ..recorder.entering import enter
from ..recorder.handle import DEAD, Tensor
from ..recorder.states import FREE, LEAF, MODE, WRITE
from ..recorder.trace import flush, local
from ..utils._pytree import tree_flatten, tree_unflatten
from .batching import Batch, step

__all__ = ["is_recording", "outside_of_recording", "vmap"]


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that maps `func` over dims of its arguments, and stacks what it returns.

    Args: in_dims: the dim of each argument that is mapped over, None for those that are the same
        for all; one for all arguments, or nested as they are. out_dims: where the dim comes in the
        results. randomness: "error", "same" (the same numbers for all samples) or "different".
        chunk_size: how many samples are computed at once (default: all).
    Raises: ValueError for dims that do not fit, RuntimeError where the function looks at a number.

    >>> import flambeau as torch
    >>> torch.vmap(torch.dot)(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. "
            f"Got {randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        leaves, spec = tree_flatten(args)
        keywords, keyword_spec = tree_flatten(kwargs)
        dims = _dims_of(in_dims, args, spec, leaves)
        dims += [0 if isinstance(x, Tensor) else None for x in keywords]
        leaves = leaves + keywords
        size = _batch_size(leaves, dims)

        def call(values):
            count = len(values) - len(keywords)
            given = tree_unflatten(values[count:], keyword_spec)
            return func(*tree_unflatten(values[:count], spec), **given)

        limit = size if chunk_size is None else chunk_size
        if size <= limit:
            return _mapped(call, leaves, dims, out_dims, size, randomness)
        parts = []
        for start in range(0, size, limit):
            count = min(limit, size - start)
            part = [
                x if d is None else x.narrow(d, start, count)
                for x, d in zip(leaves, dims, strict=True)
            ]
            parts.append(_mapped(call, part, dims, out_dims, count, randomness))
        return _joined(parts, out_dims)

    return wrapped


def _joined(parts, out_dims):
    flat = [tree_flatten(p) for p in parts]
    spec = flat[0][1]
    places = _out_dims(out_dims, spec)
    columns = zip(*[leaves for leaves, _ in flat], strict=True)
    joined = [
        column[0] if d is None else FUNCTIONS["cat"](list(column), d)
        for column, d in zip(columns, places, strict=True)
    ]
    return tree_unflatten(joined, spec)


def _dims_of(in_dims, args, spec, leaves):
    """The mapped dim of each leaf of the arguments, counted from the front, or None."""
    if not isinstance(in_dims, (int, tuple, list, dict)) and in_dims is not None:
        raise ValueError(
            f"vmap: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            "vmap: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over "
            "a function with no inputs. The latter is unsupported."
        )
    found = _spread(tuple(in_dims) if isinstance(in_dims, list) else in_dims, spec)
    if found is None:
        raise ValueError(
            f"vmap: in_dims={in_dims} is not compatible with the structure of inputs: the "
            "arguments are nested in another way."
        )
    dims = []
    for x, d in zip(leaves, found, strict=True):
        if d is None:
            dims.append(None)
            continue
        if not isinstance(d, int):
            raise ValueError(f"vmap: got in_dim={d}, which is not an int or None.")
        if not isinstance(x, Tensor):
            raise ValueError(
                f"vmap: got in_dim={d} for an input of type {type(x)}, which can not be mapped "
                "over. If you did not intend to vmap over it, use None as its in_dim."
            )
        ndim = len(x._meta.shape)
        if not -ndim <= d < ndim:
            raise ValueError(
                f"vmap: got in_dim={d} for an input of dimensionality {ndim}; expected in_dim to "
                f"satisfy -{ndim} <= in_dim < {ndim}."
            )
        dims.append(d % ndim)
    return dims


def _spread(dims, spec):
    """A leaf of `dims` for each leaf of a structure, None if it has another structure."""
    if spec.is_leaf():
        return [dims]
    if dims is None or isinstance(dims, int):
        return [dims] * spec.num_leaves
    leaves, own = _children(dims)
    if own is not spec.type or len(leaves) != spec.num_children:
        return None
    parts = [_spread(d, s) for d, s in zip(leaves, spec.children_specs, strict=True)]
    return None if any(p is None for p in parts) else [x for p in parts for x in p]


def _children(tree):
    first = [True]

    def is_leaf(x):
        root, first[0] = first[0], False
        return not root

    children, spec = tree_flatten(tree, is_leaf)
    return children, spec.type


def _batch_size(leaves, dims):
    sizes = {x._meta.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None}
    if not sizes:
        raise ValueError("vmap: at least one input must be mapped over: all in_dims are None.")
    if len(sizes) > 1:
        found = [x._meta.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{found} for the mapped dimension"
        )
    return sizes.pop()


def _out_dims(out_dims, spec):
    found = _spread(tuple(out_dims) if isinstance(out_dims, list) else out_dims, spec)
    if found is None:
        raise ValueError(
            f"vmap: out_dims={out_dims} is not compatible with the structure of the outputs."
        )
    return found


def _mapped(call, leaves, dims, out_dims, size, randomness):
    if randomness == "different":
        return _each(call, leaves, dims, out_dims, size)
    with _held():
        return _replayed(_Recording(leaves, dims, size, randomness), call, out_dims)


@contextlib.contextmanager
def _held():
    """Keep the segment from being run by itself, what it recorded until afterwards."""
    trace = local.trace
    trace.hold += 1
    try:
        yield
    finally:
        trace.hold -= 1
        if trace.segment.eager and not trace.hold and trace.root is None:
            flush()


def _replayed(recorded, call, out_dims):
    outputs, spec = tree_flatten(recorded.run(call))
    places = _out_dims(out_dims, spec)
    for x in outputs:
        if not isinstance(x, Tensor):
            raise ValueError(
                f"vmap: the function must only return Tensors, got type {type(x)}. Did you mean "
                "to set out_dims= to None for that output?"
            )
    results = recorded.replay(outputs)
    return tree_unflatten(
        [_placed(x, d, recorded.size) for x, d in zip(results, places, strict=True)], spec
    )


def _placed(x, dim, size):
    """A result with its batch dim where it is asked for."""
    if dim is None:
        if isinstance(x, Batch):
            raise ValueError("vmap: out_dims is None for a result that depends on the samples")
        return x
    x = x.tensor if isinstance(x, Batch) else x.expand((size, *x._meta.shape)).clone()
    return x.movedim(0, dim) if dim else x


def _each(call, leaves, dims, out_dims, size):
    """The function for each sample by itself: each draws its own random numbers."""
    rows, spec = [], None
    for k in range(size):
        sample = [x if d is None else x.select(d, k) for x, d in zip(leaves, dims, strict=True)]
        row, spec = tree_flatten(call(sample))
        rows.append(row)
    places = _out_dims(out_dims, spec)
    stacked = [
        FUNCTIONS["stack"](list(column), d)
        for column, d in zip(zip(*rows, strict=True), places, strict=True)
    ]
    return tree_unflatten(stacked, spec)


NEEDED = (
    "vmap: the function needed a value of one sample, which is not known while it is recorded for "
    "all of them"
)
_active = threading.local()


def _recordings():
    """Those that are under way in this thread, the innermost last."""
    if not hasattr(_active, "stack"):
        _active.stack = []
    return _active.stack


def is_recording():
    """Whether a function of one sample is being recorded in this thread."""
    return bool(_recordings())


@contextlib.contextmanager
def outside_of_recording():
    """The innermost recording; what is done within is done for all its samples.

    It is recorded all the same, so that no value can be looked at.
    """
    recording, sampling = _recordings().pop(), local.trace.sampling
    sampling[-1] = "same"
    try:
        yield recording
    finally:
        _recordings().append(recording)
        sampling[-1] = recording.randomness


class _Recording:
    """The record of a function of one sample, and its replay with all of them."""

    def __init__(self, leaves, dims, size, randomness):
        self.size, self.randomness = size, randomness
        self.trace = local.trace
        self.batches, self.samples = {}, []
        self.mapped = []
        for x, d in zip(leaves, dims, strict=True):
            if d is None:
                self.samples.append(x)
                continue
            whole = x if d == 0 else x.movedim(d, 0)
            sample = whole.select(0, 0).clone() if size else _empty(whole)
            self.samples.append(sample)
            self.mapped.append((x, d, whole, sample))
        segment = self.trace.segment
        for _, _, whole, sample in self.mapped:
            enter(whole, segment)
            self.batches[enter(sample, segment)] = Batch(whole)

    def run(self, call):
        """Record the function."""
        trace = self.trace
        self.segment, self.start = trace.segment, trace.segment.node
        self.replayed = self.start.end
        self.first = [sample._pos for *_, sample in self.mapped]
        trace.sampling.append(self.randomness)
        _recordings().append(self)
        try:
            return call(self.samples)
        finally:
            trace.sampling.pop()
            _recordings().pop()

    def so_far(self, x):
        """The value of a tensor of the function: a `Batch`, or a tensor that is no sample's."""
        position = enter(x, self.segment)
        self._catch_up()
        return self._value(position)

    def sample_of(self, whole):
        """A tensor to go on with that stands for all samples, which are along dim 0."""
        if self.segment is not self.trace.segment:
            raise RuntimeError(NEEDED)
        sample = whole.select(0, 0).clone() if self.size else _empty(whole)
        self.batches[enter(sample, self.segment)] = Batch(whole)
        return sample

    def _catch_up(self):
        """Replay what was recorded since the last time."""
        if self.segment is not self.trace.segment:
            raise RuntimeError(NEEDED)
        self.path = self.segment.node.path()
        self.index = {p: s for s in self.path for p in range(s.first, s.end)}
        first, self.replayed = self.replayed, self.segment.node.end
        for state in self.path:
            if state.first >= first and state.metas:
                self._step(state)

    def replay(self, outputs):
        """The results for all samples: `Batch`es, or tensors that do not depend on them."""
        segment = self.segment
        if segment is not self.trace.segment:
            raise RuntimeError(NEEDED)
        positions = [enter(x, segment) for x in outputs]
        changed = [
            (x, d, sample)
            for (x, d, _, sample), before in zip(self.mapped, self.first, strict=True)
            if enter(sample, segment) != before
        ]
        changed = [(x, d, sample._pos) for x, d, sample in changed]
        self._catch_up()
        for x, d, position in changed:
            value = self._value(position)
            value = value.tensor if isinstance(value, Batch) else value.expand_as(x)
            FUNCTIONS["movedim"](x, d, 0).copy_(value)
        return [self._value(p) for p in positions]

    def _meta(self, position):
        state = self.index[position]
        return state.metas[position - state.first]

    def _value(self, position):
        found = self.batches.get(position)
        if found is None:
            found = self.batches[position] = self._handle(position)
        return found

    def _handle(self, position):
        """A tensor for a value that does not depend on the samples."""
        segment, meta = self.segment, dense(self._meta(position))
        known = segment.handles[position]
        if known is not DEAD and known._segment is segment and known._pos == position:
            return known
        out = Tensor.__new__(Tensor)
        out._segment, out._pos, out._meta, out._storage = segment, position, meta, None
        segment.handles[position] = out
        return out

    def _step(self, state):
        """Replay a state if it depends on the samples."""
        op = state.op
        if op is LEAF or op is MODE or op is FREE:
            return
        places = [p for p in state.operands if type(p) is int]
        if not any(isinstance(self.batches.get(p), Batch) for p in places):
            return
        if op is WRITE and not isinstance(self.batches.get(places[0]), Batch):
            if places[0] < self.start.end or self.index[places[0]].op is LEAF:
                raise RuntimeError(
                    "vmap: a tensor that is the same for all samples can not be changed in place "
                    "by values that differ from sample to sample"
                )
        numbers = {k: self.segment.scalars[s] for k, s in state.slots().items()}
        with modes.set_grad_enabled(state.parent.grad_mode):
            results = step(state, self._value, self._meta, numbers, self.size)
        for position, result in enumerate(results, state.first):
            self.batches[position] = result


def _empty(whole):
    return whole.new_zeros(whole._meta.shape[1:]).requires_grad_(whole._meta.requires_grad)
