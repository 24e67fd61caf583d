"""Recurrent layers: Elman networks, LSTM and GRU, over sequences and as single steps."""

import math
import numbers
import warnings

import flambeau

from ..recorder.trace import autocast_dtype
from . import init
from .functional import recurrent
from .module import Module
from .parameter import Parameter
from .tree import Held
from .utils.rnn import PackedSequence

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
]

# For each mode: the function, and how many rows of weights there are for each of the state.
_MODES = {
    "GRU": (recurrent.gru, 3),
    "LSTM": (recurrent.lstm, 4),
    "RNN_RELU": (recurrent.rnn_relu, 1),
    "RNN_TANH": (recurrent.rnn_tanh, 1),
}


def _initialize(module):
    """Draw all parameters uniformly from +-1 / sqrt(hidden_size)."""
    bound = 1 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share: their parameters, and the shapes they take.

    Parameters, for layer k (and with the suffix "_reverse" for the second direction):
    `weight_ih_lk` of shape (gates * hidden_size, features of the layer below), `weight_hh_lk` of
    shape (gates * hidden_size, hidden_size), `bias_ih_lk` and `bias_hh_lk` if `bias`, and
    `weight_hr_lk` of shape (proj_size, hidden_size) if states are projected; all drawn uniformly
    from +-1 / sqrt(hidden_size).

    Raises ValueError or TypeError for options that make no sense.
    """

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.mode = mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout, self.proj_size = float(dropout), proj_size
        _check_dropout(dropout, num_layers)
        for name in ("bias", "batch_first"):
            _check_type(name, getattr(self, name), bool)
        for name in ("input_size", "hidden_size", "num_layers"):
            size = getattr(self, name)
            if name != "num_layers":
                _check_type(name, size, int)
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _MODES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self._all_weights = [
            self._add_weights(layer, suffix, {"device": device, "dtype": dtype})
            for layer in range(num_layers)
            for suffix in ("", "_reverse")[: self._directions]
        ]
        self.reset_parameters()

    def _add_weights(self, layer, suffix, options):
        """Make the parameters of a layer in one direction; returns their names."""
        rows, state = _MODES[self.mode][1] * self.hidden_size, self._state_size
        inputs = state * self._directions if layer else self.input_size
        shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, state)}
        if self.bias:
            shapes.update(bias_ih=(rows,), bias_hh=(rows,))
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = []
        for kind, shape in shapes.items():
            names.append(f"{kind}_l{layer}{suffix}")
            self.register_parameter(names[-1], Parameter(flambeau.empty(shape, **options)))
        return names

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    @property
    def _state_size(self):
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self):
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self):
        """Accept what PyTorch accepts, to no effect: no library wants its parameters in a row."""

    def reset_parameters(self):
        """Draw all parameters anew."""
        _initialize(self)

    def extra_repr(self):
        """The sizes, and the options that are not the usual ones."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        usual |= {"dropout": 0, "bidirectional": False}
        shown = [f"{self.input_size}, {self.hidden_size}"]
        for name, value in usual.items():
            if getattr(self, name) != value:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)

    # The computation; the states are a tuple of one tensor, or of two for an LSTM.

    def _compute(self, input, states):
        """(result, last states) for an input and initial states, or None."""
        if isinstance(input, PackedSequence):
            return self._compute_packed(input, states)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched, along = input.dim() == 3, 0 if self.batch_first else 1
        if states is not None:
            self._check_dims(states, input.dim())
        if not batched:
            input = input.unsqueeze(along)
            states = states and tuple(s.unsqueeze(1) for s in states)
        self._check_input(input, 3)
        states = self._initial(states, input.shape[along], input)
        out, *last = self._call((input, self._argument(states)), (self.batch_first,))
        if not batched:
            out, last = out.squeeze(along), [s.squeeze(1) for s in last]
        return out, tuple(last)

    def _compute_packed(self, sequence, states):
        data, sizes, order, unorder = sequence
        self._check_input(data, 2)
        if states is not None and order is not None:
            states = tuple(s.index_select(1, order) for s in states)
        states = self._initial(states, int(sizes[0]), data)
        out, *last = self._call((data, sizes, self._argument(states)), ())
        if unorder is not None:
            last = [s.index_select(1, unorder) for s in last]
        return PackedSequence(out, sizes, order, unorder), tuple(last)

    def _call(self, first, more):
        weights = [weight for weights in self.all_weights for weight in weights]
        return _MODES[self.mode][0](
            *(*first, weights, self.bias, self.num_layers),
            *(self.dropout, self.training, bool(self.bidirectional), *more),
        )

    def _argument(self, states):
        return states if self.mode == "LSTM" else states[0]

    def _initial(self, states, batch, input):
        """The states, checked; zeros for None."""
        layers = self.num_layers * self._directions
        shapes = [(layers, batch, self._state_size), (layers, batch, self.hidden_size)]
        if states is None:
            shapes = shapes if self.mode == "LSTM" else shapes[:1]
            return tuple(
                flambeau.zeros(shape, dtype=input.dtype, device=input.device) for shape in shapes
            )
        for k, (state, shape) in enumerate(zip(states, shapes, strict=False)):
            if tuple(state.shape) != shape:
                which = f"hidden[{k}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {which} size {shape}, got {list(state.shape)}")
        return states

    def _check_dims(self, states, dims):
        if any(state.dim() != dims for state in states):
            kind = "batched 3-D" if dims == 3 else "unbatched 2-D"
            names = "hx and cx" if self.mode == "LSTM" else "hx"
            raise RuntimeError(
                f"For {kind} input, {names} should also be {dims}-D but got "
                f"{' and '.join(f'{s.dim()}-D' for s in states)}"
            )

    def _check_input(self, input, dims):
        dtype = self.all_weights[0][0].dtype
        if input.dtype != dtype and autocast_dtype() is None:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert "
                f"input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.shape[-1]}"
            )


def _check_dropout(dropout, num_layers):
    if (
        isinstance(dropout, bool)
        or not isinstance(dropout, numbers.Number)
        or not 0 <= dropout <= 1
    ):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            f"element being zeroed, got {dropout!r}"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}",
            stacklevel=4,
        )


def _check_type(name, value, expected):
    if not isinstance(value, expected):
        raise TypeError(
            f"{name} should be of type {expected.__name__}, got: {type(value).__name__}"
        )


class RNN(RNNBase):
    """h_t = tanh(w_ih x_t + b_ih + w_hh h_(t-1) + b_hh), in layers; relu on demand.

    Takes an input of shape (time, N, input_size), (N, time, input_size) if `batch_first`,
    (time, input_size), or a PackedSequence, and a first state of shape (num_layers * directions,
    N, hidden_size), zeros by default. Returns the results of all steps in the last layer, and the
    last state. `dropout` is applied between layers. Raises ValueError for another nonlinearity.

    >>> import flambeau as torch
    >>> layer = torch.nn.RNN(10, 20, num_layers=2)
    >>> out, h = layer(torch.zeros(5, 3, 10))
    >>> out.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        nonlinearity="tanh",
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        _refuse_projection(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            *("RNN_" + nonlinearity.upper(), input_size, hidden_size, num_layers, bias),
            *(batch_first, dropout, bidirectional, 0, device, dtype),
        )
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        """(results, last state)."""
        out, (h,) = self._compute(input, None if hx is None else (hx,))
        return out, h


class LSTM(RNNBase):
    """Layers of long short-term memory; see `flambeau.lstm_cell` for a step.

    Takes an input of shape (time, N, input_size), (N, time, input_size) if `batch_first`,
    (time, input_size), or a PackedSequence, and first states (h, c) of shapes (num_layers *
    directions, N, hidden_size), zeros by default. Returns the results of all steps in the last
    layer, and the last (h, c). With a `proj_size`, h is multiplied with `weight_hr` to that size.

    >>> import flambeau as torch
    >>> layer = torch.nn.LSTM(10, 20, bidirectional=True, batch_first=True)
    >>> out, (h, c) = layer(torch.zeros(3, 5, 10))
    >>> out.shape, c.shape
    (torch.Size([3, 5, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__(
            *("LSTM", input_size, hidden_size, num_layers, bias),
            *(batch_first, dropout, bidirectional, proj_size, device, dtype),
        )

    def forward(self, input, hx=None):
        """(results, last states)."""
        return self._compute(input, None if hx is None else (hx[0], hx[1]))


class GRU(RNNBase):
    """Layers of gated recurrent units; see `flambeau.gru_cell` for a step.

    Takes an input of shape (time, N, input_size), (N, time, input_size) if `batch_first`,
    (time, input_size), or a PackedSequence, and a first state of shape (num_layers * directions,
    N, hidden_size), zeros by default. Returns the results of all steps in the last layer, and the
    last state.
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        _refuse_projection(proj_size)
        super().__init__(
            *("GRU", input_size, hidden_size, num_layers, bias),
            *(batch_first, dropout, bidirectional, 0, device, dtype),
        )

    def forward(self, input, hx=None):
        """(results, last state)."""
        out, (h,) = self._compute(input, None if hx is None else (hx,))
        return out, h


def _refuse_projection(proj_size):
    if proj_size:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNNCellBase(Module):
    """What the single steps share.

    Parameters: `weight_ih` of shape (num_chunks * hidden_size, input_size), `weight_hh` of shape
    (num_chunks * hidden_size, hidden_size), and `bias_ih` and `bias_hh` if `bias`; all drawn
    uniformly from +-1 / sqrt(hidden_size).
    """

    weight_ih, weight_hh, bias_ih, bias_hh = Held(), Held(), Held(), Held()

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        shapes.update(dict.fromkeys(("bias_ih", "bias_hh"), (rows,) if bias else None))
        for name, shape in shapes.items():
            options = {"device": device, "dtype": dtype}
            value = None if shape is None else Parameter(flambeau.empty(shape, **options))
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw all parameters anew."""
        _initialize(self)

    def extra_repr(self):
        """The sizes, and the options that are not the usual ones."""
        bias = "" if self.bias is True else f", bias={self.bias}"
        return f"{self.input_size}, {self.hidden_size}{bias}"

    def _step(self, function, input, states):
        """The next states, a tuple, for an input with or without a batch dim."""
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for k, state in enumerate(states or ()):
            if state.dim() not in (1, 2):
                which = "hidden" if len(states) == 1 else f"hx[{k}]"
                raise ValueError(
                    f"{name}: Expected {which} to be 1D or 2D, got {state.dim()}D instead"
                )
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            states = states and tuple(s.unsqueeze(0) for s in states)
        if states is None:
            shape = (input.shape[0], self.hidden_size)
            zeros = flambeau.zeros(shape, dtype=input.dtype, device=input.device)
            states = (zeros, zeros)
        result = function(input, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result if batched else tuple(s.squeeze(0) for s in result)


def _single(function):
    """A step with one state as one with a tuple of states."""
    return lambda input, states, *weights: (function(input, states[0], *weights),)


_STEPS = {
    "gru": _single(recurrent.gru_cell),
    "relu": _single(recurrent.rnn_relu_cell),
    "tanh": _single(recurrent.rnn_tanh_cell),
}


class RNNCell(RNNCellBase):
    """h' = tanh(w_ih x + b_ih + w_hh h + b_hh), for one step; relu on demand.

    Takes an input of shape (N, input_size) or (input_size) and a state of shape (N, hidden_size)
    or (hidden_size), zeros by default; returns the next state.

    >>> import flambeau as torch
    >>> torch.nn.RNNCell(10, 20)(torch.zeros(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        """The next state. Raises RuntimeError for an unknown nonlinearity."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(_STEPS[self.nonlinearity], input, None if hx is None else (hx,))[0]

    def extra_repr(self):
        """The sizes, and the options that are not the usual ones."""
        usual = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if usual else f", nonlinearity={self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """A step of a long short-term memory; see `flambeau.lstm_cell`.

    Takes an input of shape (N, input_size) or (input_size) and states (h, c) of shapes
    (N, hidden_size) or (hidden_size), zeros by default; returns the next (h, c).
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        """The next (h, c)."""
        return self._step(recurrent.lstm_cell, input, None if hx is None else tuple(hx))


class GRUCell(RNNCellBase):
    """A step of a gated recurrent unit; see `flambeau.gru_cell`.

    Takes an input of shape (N, input_size) or (input_size) and a state of shape (N, hidden_size)
    or (hidden_size), zeros by default; returns the next state.
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        """The next state."""
        return self._step(_STEPS["gru"], input, None if hx is None else (hx,))[0]
