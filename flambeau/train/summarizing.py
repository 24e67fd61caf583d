"""`summary`: the layers of a model, what they make, and whether a step will fit into memory."""

import copy
import math
import os
from collections import namedtuple

import flambeau

__all__ = ["Layer", "Summary", "summary"]

Layer = namedtuple("Layer", ("path", "kind", "shapes", "parameters", "nbytes"))
Layer.__doc__ = """A module of a model: its path, its class, the shapes of its results ([] if it was
not called), the number of its own parameters, and the bytes of its results."""

_UNITS = ("B", "KB", "MB", "GB", "TB")


class Summary:
    """What there is to say of a model; `str` is a table.

    Attributes:
        layers: a `Layer` for each module. parameters, trainable: their number.
        parameter_bytes, buffer_bytes: their memory.
        forward_bytes, step_bytes: the most memory in use in a forward pass, and in a training step
            with its gradients but without the optimizer's state, input and parameters included,
            as planned; step_bytes is None if there is nothing to differentiate.
        optimizer_bytes: of the state that an optimizer has so far.
        available: the bytes that are free on this machine, or None.
    """

    def __init__(self, model, layers):
        self.name, self.layers = type(model).__name__, layers
        parameters = list(model.parameters())
        self.parameters = sum(p.numel() for p in parameters)
        self.trainable = sum(p.numel() for p in parameters if p.requires_grad)
        self.parameter_bytes = _nbytes(parameters)
        self.buffer_bytes = _nbytes(model.buffers())
        self.forward_bytes = self.step_bytes = None
        self.optimizer_bytes, self.available = 0, _available()

    @property
    def needed(self):
        """The bytes that a step takes besides the parameters and the state that are there."""
        most = self.step_bytes if self.step_bytes is not None else self.forward_bytes
        return max(0, most - self.parameter_bytes - self.buffer_bytes)

    @property
    def fits(self):
        """Whether a step fits into the memory that is free; None if that is not known."""
        return None if self.available is None else self.needed <= self.available

    def __str__(self):
        rows = [("layer", "kind", "output", "parameters", "memory")]
        for layer in self.layers:
            depth = layer.path.count(".") + 1 if layer.path else 0
            name = layer.path.rpartition(".")[2] or self.name
            shapes = ", ".join(str(list(s)) for s in layer.shapes) or "-"
            count = f"{layer.parameters:,}" if layer.parameters else "-"
            rows.append(("  " * depth + name, layer.kind, shapes, count, size_text(layer.nbytes)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [_aligned(row, widths) for row in rows]
        lines.insert(1, "  ".join("-" * w for w in widths))
        return "\n".join([*lines, "", *self._facts()])

    __repr__ = __str__

    def _facts(self):
        """The lines below the table."""
        yield (
            f"{self.parameters:,} parameters, {self.trainable:,} of them trainable: "
            f"{size_text(self.parameter_bytes)}"
        )
        yield f"forward pass: {size_text(self.forward_bytes)} at most"
        if self.step_bytes is not None:
            state = self.optimizer_bytes
            more = f", and {size_text(state)} of optimizer state" if state else ""
            yield f"training step: {size_text(self.step_bytes)} at most{more}"
        if self.available is not None:
            verdict = "fits into" if self.fits else "DOES NOT FIT into"
            yield f"this {verdict} the {size_text(self.available)} that are free"


def _aligned(row, widths):
    """The cells of a row, numbers to the right."""
    sides = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust)
    cells = [side(c, w) for side, c, w in zip(sides, row, widths, strict=True)]
    return "  ".join(cells).rstrip()


def size_text(nbytes):
    """A number of bytes in the unit that suits it.

    >>> size_text(2_500_000)
    '2.5 MB'
    """
    size, unit = float(nbytes), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def _nbytes(tensors):
    return sum(x.nbytes for x in tensors)


def _tensors(value):
    """The tensors in what a module returns."""
    if isinstance(value, flambeau.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [x for item in value for x in _tensors(item)]
    return []


def _available():
    """The bytes of memory that are free on this machine, or None."""
    try:
        with open("/proc/meminfo") as f:
            facts = dict(line.split(":", 1) for line in f)
        return 1024 * int(facts["MemAvailable"].split()[0])
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError):
        return None


def summary(model, *inputs, optimizer=None):
    """The layers of a model and the memory it takes, without computing anything.

    Args: inputs: the arguments of the model: tensors, or tuples of sizes, for which random numbers
        stand; optimizer: one whose state counts, too.
    A forward pass, and one with its gradients, are recorded and planned, but not run, unless the
    model looks at its values. Parameters and buffers stay as they are.

    >>> import flambeau as torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU())
    >>> about = torch.train.summary(net, (64, 784))
    >>> about.parameters, about.layers[1].shapes, about.fits
    (78500, [torch.Size([64, 100])], True)
    """
    args = [flambeau.empty(x) if _is_size(x) else x for x in inputs]
    # Its buffers are written to in training; the parameters are the model's own.
    twin = copy.deepcopy(model, {id(p): p for p in model.parameters()})
    flambeau.synchronize()
    layers, outputs = _recorded_layers(twin, args)
    about = Summary(model, layers)
    about.forward_bytes = _peak(model)
    loss = sum((x.sum() for x in _tensors(outputs) if x.requires_grad), 0)
    parameters = [p for p in twin.parameters() if p.requires_grad]
    if isinstance(loss, flambeau.Tensor) and parameters:
        outputs = None
        grads = flambeau.autograd.grad(loss, parameters, allow_unused=True)
        about.step_bytes = max(_peak(model), about.forward_bytes)
        del grads
    if optimizer is not None:
        about.optimizer_bytes = _nbytes(_tensors(list(optimizer.state.values())))
    return about


def _is_size(x):
    return isinstance(x, (tuple, list)) and all(isinstance(n, int) for n in x)


def _peak(model):
    """The most memory that running what is recorded would take, with the parameters not in it."""
    peak = flambeau.why(pending=True).peak
    return max(peak, _nbytes(model.parameters()) + _nbytes(model.buffers()))


def _recorded_layers(model, args):
    """(a `Layer` for each module, what the model returns)."""
    made, handles = {}, []

    def note(module, args, result):
        tensors = _tensors(result)
        made.setdefault(id(module), ([], []))
        made[id(module)][0].extend(x.shape for x in tensors)
        made[id(module)][1].extend(x.nbytes for x in tensors)

    for module in model.modules():
        handles.append(module.register_forward_hook(note))
    try:
        outputs = model(*args)
    finally:
        for handle in handles:
            handle.remove()
    layers = []
    for path, module in model.named_modules():
        shapes, sizes = made.get(id(module), ([], []))
        own = sum(math.prod(p.shape) for p in module.parameters(recurse=False))
        layers.append(Layer(path, type(module).__name__, shapes, own, sum(sizes)))
    return layers, outputs
