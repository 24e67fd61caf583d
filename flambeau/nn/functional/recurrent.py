"""Recurrences: layers that carry a state from one time step to the next, and their single steps.

All time steps are multiplied with the input weights at once; a step is the product of the state
with the recurrent weights and one composite for the rest. A padded batch of shape (time, N, *) is
computed as the packed one whose steps all have N rows.
"""

import flambeau

from ...ops.core import composite
from ...ops.matmul import linear
from ...tensor import Tensor
from .dropout import dropout

__all__ = [
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
]


# One step, given the products of the input (gx) and of the state (gh) with their weights.


@composite(name="rnn_tanh_step")
def _tanh_step(gx, gh):
    return (gx + gh).tanh()


@_tanh_step.vjp
def _(g, out, gx, gh):
    d = g * (1 - out * out)
    return d, d


@composite(name="rnn_relu_step")
def _relu_step(gx, gh):
    return (gx + gh).relu()


@_relu_step.vjp
def _(g, out, gx, gh):
    d = flambeau.where(out > 0, g, 0)
    return d, d


def _lstm_gates(gx, gh):
    i, f, g, o = (gx + gh).chunk(4, -1)
    return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


@composite(name="lstm_step", multi=True)
def _lstm_step(gx, gh, c):
    i, f, g, o = _lstm_gates(gx, gh)
    c = f * c + i * g
    return o * c.tanh(), c


@composite(name="lstm_step_backward", multi=True)
def _lstm_step_backward(by_h, by_c, gx, gh, c, following):
    i, f, g, o = _lstm_gates(gx, gh)
    squashed = following.tanh()
    by_o = by_h * squashed * o * (1 - o)
    by_c = by_c + by_h * o * (1 - squashed * squashed)
    by_i, by_f, by_g = by_c * g * i * (1 - i), by_c * c * f * (1 - f), by_c * i * (1 - g * g)
    return flambeau.cat((by_i, by_f, by_g, by_o), -1), by_c * f


@_lstm_step.vjp
def _(gs, outs, gx, gh, c):
    by_gates, by_c = _lstm_step_backward(*gs, gx, gh, c, outs[1])
    return by_gates, by_gates, by_c


def _gru_gates(gx, gh):
    (rx, zx, nx), (rh, zh, nh) = gx.chunk(3, -1), gh.chunk(3, -1)
    r = (rx + rh).sigmoid()
    return r, (zx + zh).sigmoid(), (nx + r * nh).tanh(), nh


@composite(name="gru_step")
def _gru_step(gx, gh, h):
    _, z, n, _ = _gru_gates(gx, gh)
    return n + z * (h - n)


@composite(name="gru_step_backward", multi=True)
def _gru_step_backward(g, gx, gh, h):
    r, z, n, nh = _gru_gates(gx, gh)
    by_n = g * (1 - z) * (1 - n * n)
    by_z = g * (h - n) * z * (1 - z)
    by_r = by_n * nh * r * (1 - r)
    by_gx = flambeau.cat((by_r, by_z, by_n), -1)
    return by_gx, flambeau.cat((by_r, by_z, by_n * r), -1), g * z


@_gru_step.vjp
def _(g, out, gx, gh, h):
    return _gru_step_backward(g, gx, gh, h)


# A layer in one direction.


@composite(name="time_steps", multi=True)
def _time_steps(x, *, sizes):
    """The rows of each step, as one record: the gradient of many views would be as many sums."""
    return tuple(x.split(sizes))


@_time_steps.vjp
def _(gs, outs, x, *, sizes):
    return (flambeau.cat(gs),)


class _Cell:
    """The step of a kind of recurrence: what it does with the weights of a layer.

    states: how many states it carries.
    """

    def __init__(self, name, step):
        self.name, self.step = name, step
        self.states = 2 if name == "lstm" else 1
        # Only in a GRU the bias of the state's product is not just added to the other's.
        self.joint_bias = name != "gru"

    def of_inputs(self, x, w_ih, b_ih, b_hh):
        """The part of the gates that does not depend on the state."""
        if self.joint_bias and b_hh is not None:
            b_ih = b_hh if b_ih is None else b_ih + b_hh
        return linear(x, w_ih, b_ih)

    def __call__(self, gx, state, w_hh, b_hh, w_hr=None):
        """The next state, a tuple."""
        gh = linear(state[0], w_hh, None if self.joint_bias else b_hh)
        if self.name == "lstm":
            h, c = self.step(gx, gh, state[1])
            return (h if w_hr is None else linear(h, w_hr)), c
        if self.name == "gru":
            return (self.step(gx, gh, state[0]),)
        return (self.step(gx, gh),)


_TANH = _Cell("rnn_tanh", _tanh_step)
_RELU = _Cell("rnn_relu", _relu_step)
_LSTM = _Cell("lstm", _lstm_step)
_GRU = _Cell("gru", _gru_step)


class _Weights:
    """The weights of a layer in one direction, from their list."""

    def __init__(self, params, has_biases):
        self.w_ih, self.w_hh, *rest = params
        self.b_ih, self.b_hh = (rest.pop(0), rest.pop(0)) if has_biases else (None, None)
        self.w_hr = rest.pop(0) if rest else None


def _forward(cell, steps, sizes, state, weights):
    """(results of all steps, last state of each row) from the first step to the last.

    The rows whose sequences have ended leave the state: it is that of the others only.
    """
    results, ended, rows = [], [], sizes[0]
    for gx, size in zip(steps, sizes, strict=True):
        if size < rows:
            ended.append(tuple(s[size:] for s in state))
            state, rows = tuple(s[:size] for s in state), size
        state = cell(gx, state, weights.w_hh, weights.b_hh, weights.w_hr)
        results.append(state[0])
    if ended:
        state = tuple(flambeau.cat(parts) for parts in zip(state, *reversed(ended), strict=True))
    return results, state


def _backward(cell, steps, sizes, initial, weights):
    """The same from the last step to the first; rows enter where their sequences end."""
    results, rows = [], sizes[-1]
    state = tuple(s[:rows] for s in initial)
    for gx, size in zip(reversed(steps), reversed(sizes), strict=True):
        if size > rows:
            state = tuple(
                flambeau.cat((s, new[rows:size])) for s, new in zip(state, initial, strict=True)
            )
            rows = size
        state = cell(gx, state, weights.w_hh, weights.b_hh, weights.w_hr)
        results.append(state[0])
    return results[::-1], state


def _direction(cell, x, sizes, initial, weights, reverse):
    """(the results of shape (rows of all steps, features), the last state) of one direction."""
    for s in initial:
        if s.shape[0] != sizes[0]:
            raise RuntimeError(
                f"{cell.name}(): the input has {sizes[0]} sequences, the hidden state "
                f"{s.shape[0]}; its shape must be (layers * directions, batch, features)"
            )
    gates = cell.of_inputs(x, weights.w_ih, weights.b_ih, weights.b_hh)
    steps = _time_steps(gates, sizes=sizes)
    run = _backward if reverse else _forward
    results, state = run(cell, steps, sizes, initial, weights)
    return flambeau.cat(results), state


# Stacked layers.


def _split_params(cell, params, has_biases, layers, states):
    """The weights of each layer and direction. Raises RuntimeError unless they are complete."""
    params = tuple(params)
    each = 4 if has_biases else 2
    if cell.name == "lstm" and len(states) > 1 and states[0].shape[2:] != states[1].shape[2:]:
        each += 1
    if len(params) != each * layers:
        raise RuntimeError(
            f"{cell.name}(): expected {each * layers} weights, {each} for each layer and "
            f"direction, got {len(params)}"
        )
    return [_Weights(params[k : k + each], has_biases) for k in range(0, len(params), each)]


def _stacked(cell, x, sizes, hx, params, has_biases, num_layers, p, train, bidirectional):
    """(results of the last layer, the final states) for rows `x` of steps with `sizes` rows."""
    if len(hx) != cell.states:
        raise RuntimeError(f"{cell.name} expects two hidden states, got {len(hx)}")
    directions = 2 if bidirectional else 1
    weights = _split_params(cell, params, has_biases, num_layers * directions, hx)
    if any(s.dim() != 3 or s.shape[0] != len(weights) for s in hx):
        raise RuntimeError(
            f"{cell.name}(): expected hidden states of shape ({len(weights)}, batch, features), "
            f"got {' and '.join(str(list(s.shape)) for s in hx)}"
        )
    finals = []
    for layer in range(num_layers):
        if layer and p and train:
            x = dropout(x, p)
        results = []
        for direction in range(directions):
            k = layer * directions + direction
            initial = tuple(s[k] for s in hx)
            out, state = _direction(cell, x, sizes, initial, weights[k], direction == 1)
            results.append(out)
            finals.append(state)
        x = flambeau.cat(results, -1) if bidirectional else results[0]
    return x, *(flambeau.stack(states) for states in zip(*finals, strict=True))


def _hidden_states(hx):
    return (hx,) if isinstance(hx, Tensor) else tuple(hx)


def _recurrence(cell, doc):
    """The public function of a kind of recurrence, with both of its signatures."""

    def padded(
        input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first
    ):
        x = input.transpose(0, 1) if batch_first else input
        if x.dim() != 3:
            raise RuntimeError(f"{cell.name}(): input must have 3 dimensions, got {x.dim()}")
        time, batch, features = x.shape
        if not time:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        rows, sizes, hx = x.reshape(time * batch, features), (batch,) * time, _hidden_states(hx)
        out, *states = _stacked(
            *(cell, rows, sizes, hx, params, has_biases),
            *(num_layers, dropout, train, bidirectional),
        )
        out = out.reshape(time, batch, out.shape[1])
        return out.transpose(0, 1) if batch_first else out, *states

    def packed(
        data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional
    ):
        sizes = tuple(batch_sizes.tolist())
        if not sizes:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if list(sizes) != sorted(sizes, reverse=True) or sum(sizes) != len(data):
            raise RuntimeError(
                f"{cell.name}(): batch_sizes {list(sizes)} must decrease and add up to the "
                f"{len(data)} rows of data"
            )
        return _stacked(
            *(cell, data, sizes, _hidden_states(hx), params, has_biases),
            *(num_layers, dropout, train, bidirectional),
        )

    def function(*args, **kwargs):
        # Where a padded call has its states, or the list of weights, a packed one has a tensor.
        at = 3 - cell.states
        is_packed = "batch_sizes" in kwargs or (len(args) > at and isinstance(args[at], Tensor))
        return (packed if is_packed else padded)(*args, **kwargs)

    function.__name__ = function.__qualname__ = cell.name
    function.__doc__ = doc + _SHAPES
    return function


_SHAPES = """

    Called as `(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)` with an input of shape (time, N, features), or (N, time, features) if
    `batch_first`; or, for packed sequences, as `(data, batch_sizes, hx, params, has_biases,
    num_layers, dropout, train, bidirectional)` with the rows of all steps in `data`.

    Args:
        hx: the initial state, of shape (num_layers * directions, N, hidden); two for an LSTM.
        params: for each layer and direction w_ih, w_hh, then b_ih and b_hh if `has_biases`, then
            w_hr if the states of an LSTM are projected.
        dropout: the probability to drop what goes from layer to layer, if `train`.
    Returns: the results of all steps, and the last state (two for an LSTM).

    Raises RuntimeError where shapes or numbers of weights do not fit.
    """

rnn_tanh = _recurrence(_TANH, "h' = tanh(w_ih x + b_ih + w_hh h + b_hh), over all time steps.")
rnn_relu = _recurrence(_RELU, "h' = relu(w_ih x + b_ih + w_hh h + b_hh), over all time steps.")
lstm = _recurrence(_LSTM, "The recurrence of `lstm_cell` over all time steps.")
gru = _recurrence(_GRU, "The recurrence of `gru_cell` over all time steps.")


# Single steps.


def _check_cell(name, input, states, hidden, w_ih):
    """Raise RuntimeError unless a step fits its weights; IndexError for a vector."""
    rows, features = input.size(0), input.size(1)
    if features != w_ih.shape[1]:
        raise RuntimeError(
            f"{name}(): input has inconsistent input_size: got {features} expected {w_ih.shape[1]}"
        )
    for k, state in enumerate(states):
        if state.size(0) != rows:
            raise RuntimeError(
                f"{name}(): Input batch size {rows} doesn't match hidden{k} batch size "
                f"{state.size(0)}"
            )
        if state.size(1) != hidden:
            raise RuntimeError(
                f"{name}(): hidden{k} has inconsistent hidden_size: got {state.size(1)}, expected "
                f"{hidden}"
            )


def _one_step(cell, input, states, w_ih, w_hh, b_ih, b_hh):
    _check_cell(cell.name + "_cell", input, states, w_hh.shape[1], w_ih)
    return cell(cell.of_inputs(input, w_ih, b_ih, b_hh), states, w_hh, b_hh)


def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """h' = tanh(w_ih x + b_ih + w_hh h + b_hh), for x of shape (N, in) and h of (N, hidden).

    Raises RuntimeError where shapes do not fit.
    """
    return _one_step(_TANH, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """h' = relu(w_ih x + b_ih + w_hh h + b_hh), for x of shape (N, in) and h of (N, hidden).

    Raises RuntimeError where shapes do not fit.
    """
    return _one_step(_RELU, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """A step of a long short-term memory: the next (h, c) for an input and `hx` = (h, c).

    i, f, g, o = w_ih x + b_ih + w_hh h + b_hh, in four parts;
    c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c').
    Shapes: (N, in) for x, (N, hidden) for states. Raises RuntimeError where shapes do not fit.
    """
    if len(hx) != 2:
        raise RuntimeError(f"lstm_cell expects two hidden states, got {len(hx)}")
    return _one_step(_LSTM, input, tuple(hx), w_ih, w_hh, b_ih, b_hh)


def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """A step of a gated recurrent unit.

    The products w_ih x + b_ih and w_hh h + b_hh have three parts, for r, z and n:
    r = sigmoid(rx + rh);  z = sigmoid(zx + zh);  n = tanh(nx + r nh);  h' = (1 - z) n + z h.
    Shapes: (N, in) for x, (N, hidden) for h. Raises RuntimeError where shapes do not fit.
    """
    return _one_step(_GRU, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]
