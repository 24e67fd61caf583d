"""Counts the multiplications and additions of matrix products, convolutions and attention."""

import math

from ..autograd.operations import observe
from ..autograd.rules import takes_gradient
from ..profiler.regions import Regions, region_of
from ..recorder.trace import local

__all__ = ["FlopCounterMode", "register_flop_formula"]

_FORMULAS = {}


def register_flop_formula(targets, get_raw=False):
    """A decorator that says how many operations on numbers an operation of flambeau takes.

    The function gets the shapes of the operands (None for what is no tensor), and as `out_shape`
    that of the result; with `get_raw` it gets what describes them, and the attributes by name.
    Args: targets: the name of an operation, or a list of names.
    """
    names = targets if isinstance(targets, (list, tuple)) else [targets]

    def register(formula):
        for name in names:
            _FORMULAS[str(name)] = _counting(formula, get_raw)
        return formula

    return register


def _counting(formula, get_raw=False):
    """A formula as a function of what describes the operands and the result, and the attributes."""

    def count(operands, result, attrs):
        if get_raw:
            return formula(*operands, out_val=result, **attrs)
        shapes = [getattr(x, "shape", None) for x in operands]
        return formula(*shapes, out_shape=result.shape)

    return count


@register_flop_formula("bmm")
def _product(a, b, out_shape):
    return 2 * math.prod(out_shape) * a[-1]


@register_flop_formula("convolution")
def _convolution(x, weight, *_, out_shape):
    return 2 * math.prod(out_shape) * math.prod(weight[1:])


@register_flop_formula("transposed")
def _transposed(x, weight, *_, out_shape):
    return 2 * math.prod(x) * math.prod(weight[1:])


@register_flop_formula("kernel_gradient", get_raw=True)
def _kernel_gradient(x, y, *, out_val, **attrs):
    return 2 * y.numel * math.prod(out_val.shape[1:])


class _Regions(Regions):
    """Regions that take back the counts of gradients that nobody needs: they are not computed."""

    def __init__(self, counter):
        super().__init__()
        self.counter = counter

    def derived(self, through, state, gs, source):
        """The derivative of a record."""
        counter = self.counter
        outer, counter.noted = counter.noted, []
        try:
            pairs = list(super().derived(through, state, gs, source))
            for position, g in pairs:
                if not takes_gradient(position, source):
                    counter.take_back(g)
            return pairs
        finally:
            counter.noted = outer


class FlopCounterMode:
    """A context that counts the operations on numbers of products and convolutions, by module.

    A multiplication and an addition are two. What is counted is what is recorded, forward and
    backward, whether it is computed later or not; elementwise operations are not.

    Args:
        mods: accepted as in PyTorch: modules are known by themselves.
        depth: how deep in the model the modules of the table are. display: print it at the end.
        custom_mapping: {name of an operation: formula}, see `register_flop_formula`.

    >>> import flambeau as torch
    >>> from flambeau.utils.flop_counter import FlopCounterMode
    >>> with FlopCounterMode(display=False) as counter:
    ...     _ = torch.nn.Linear(3, 4)(torch.ones(2, 3))
    >>> counter.get_total_flops()
    48
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        self.depth, self.display = depth, display
        self.flop_counts = {}
        self.noted = None  # within a derivative: [(result, modules, operation, count)]
        self._formulas = dict(_FORMULAS)
        for name, formula in (custom_mapping or {}).items():
            self._formulas[str(name)] = _counting(formula)
        self._known, self._contexts = {}, ()

    def __enter__(self):
        self.flop_counts = {"Global": {}}
        self._contexts = _Regions(self), observe(self._look)
        for context in self._contexts:
            context.__enter__()
        return self

    def __exit__(self, *error):
        for context in reversed(self._contexts):
            context.__exit__(*error)
        if self.display:
            print(self.get_table())

    def _look(self, op, operands, attrs, result):
        state = local.trace.segment.node
        metas = [getattr(x, "_meta", None) for x in operands]
        count = self._count(state.op, metas, state)
        if count:
            names = ("Global", *region_of(state)[1])
            if self.noted is not None:
                self.noted.append((result, names, op.name, count))
            self._add(names, op.name, count)

    def _add(self, names, op, count):
        for name in names:
            counts = self.flop_counts.setdefault(name, {})
            counts[op] = counts.get(op, 0) + count

    def take_back(self, unneeded):
        """Do not count what made a gradient."""
        for result, names, op, count in self.noted:
            if result is unneeded:
                self._add(names, op, -count)

    def _count(self, op, operands, state):
        """The number for a record, by its formula or by what it is made of."""
        formula = self._formulas.get(op.name)
        if formula is not None:
            return formula(operands, state.meta, state.attrs)
        if not op.composite:
            return 0
        found = self._known.get(state.expansion)
        if found is None:
            found = self._known[state.expansion] = self._inside(state.expansion.path)
        return found

    def _inside(self, path):
        metas, total = [], 0
        for state in path:
            operands = [metas[p] if type(p) is int else None for p in state.operands]
            if hasattr(state.op, "vjp_rule"):
                total += self._count(state.op, operands, state)
            metas.extend(state.metas)
        return total

    def get_flop_counts(self):
        """{path of a module: {name of an operation: count}}; "Global" is everything."""
        return {
            name: {op: count for op, count in counts.items() if count}
            for name, counts in self.flop_counts.items()
        }

    def get_total_flops(self):
        """The number of all operations."""
        return sum(self.flop_counts.get("Global", {}).values())

    def get_table(self, depth=None):
        """The counts as a text: modules to a depth, and the operations in them."""
        depth = self.depth if depth is None else depth
        whole = self.get_total_flops()
        rows = [("Module", "FLOP", "% Total")]
        for name, counts in self.flop_counts.items():
            level = 0 if name == "Global" else name.count(".") + 1
            if level > depth:
                continue
            indent = " " * level
            rows.append(_row(indent + name, sum(counts.values()), whole))
            rows += [_row(f"{indent} - {op}", count, whole) for op, count in counts.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        made = [
            f"{a.ljust(widths[0])}  {b.rjust(widths[1])}  {c.rjust(widths[2])}" for a, b, c in rows
        ]
        return "\n".join([made[0], "  ".join("-" * w for w in widths), *made[1:]])


def _row(name, count, whole):
    return name, _short(count), f"{100 * count / whole if whole else 0:.2f}%"


def _short(count):
    """A count with a suffix for thousands.

    >>> _short(12345678)
    '12.346M'
    """
    for suffix in ("", "K", "M", "B", "T"):
        if count < 1000 or suffix == "T":
            break
        count /= 1000
    return f"{count:.3f}{suffix}"
