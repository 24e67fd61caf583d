"""The table of samples for the public functions, and how one is tried in both libraries.

Each file of `samples/` has a function `records(s)` that returns {name: record}; `s` offers the
helpers of `Samples`. A name is that of a function, such as "add", or of a method, "Tensor.expand".
"""

import dataclasses
import importlib.util
import pathlib
import zlib

import numpy as np
import pytest

import flambeau
from flambeau.recorder import cuts

KINDS = {"float": "float32", "int": "int64", "bool": "bool", "complex": "complex64"}


@dataclasses.dataclass(frozen=True)
class Spec:
    """A tensor to be made: its shape, and numbers between `low` and `high`, or the given ones.

    A `fixed` one has the dtype of its numbers whatever dtype is tried, and gets no gradient.
    """

    shape: tuple = ()
    low: float = -2.0
    high: float = 2.0
    values: object = None
    fixed: str = ""


@dataclasses.dataclass(frozen=True)
class Call:
    """Arguments, with a `Spec` in the place of each tensor."""

    args: tuple
    kwargs: dict

    def tensors(self):
        """The specs of tensors that take part in gradients."""
        return [x for x in leaves((self.args, self.kwargs)) if isinstance(x, Spec) and not x.fixed]


@dataclasses.dataclass
class Record:
    """The samples of a function, and what is true of it.

    kinds: what to try besides float32: "int", "bool", "complex".
    grad, second: whether it has derivatives, and second ones, to compare.
    call: how to call it, if not by its name: a function of the library and the arguments.
    rtol: of float32 values. form: only dtype and shape are compared. methods: whether a method of
    that name is the same. strided: whether operands may be views. name: of the function, where it
    has several records.
    """

    calls: tuple
    kinds: tuple = ("int", "bool", "complex")
    grad: bool = True
    second: bool = True
    call: object = None
    rtol: float = 1e-5
    form: bool = False
    methods: bool = True
    strided: bool = True
    name: str = ""


class Samples:
    """What the files of samples are written with."""

    @staticmethod
    def t(*shape, low=-2.0, high=2.0):
        """A tensor of numbers between `low` and `high`."""
        return Spec(shape, low, high)

    @staticmethod
    def given(values):
        """A tensor of these numbers, in the dtype that is tried."""
        return Spec(np.shape(values), values=np.asarray(values))

    @staticmethod
    def ints(*shape, low=0, high=3):
        """A tensor of int64 from low to high - 1, whatever dtype is tried."""
        return Spec(shape, low, high, fixed="int64")

    @staticmethod
    def bools(*shape):
        """A tensor of bools, whatever dtype is tried."""
        return Spec(shape, 0, 2, fixed="bool")

    @staticmethod
    def exact(values, dtype="int64"):
        """A tensor of these numbers and this dtype, whatever dtype is tried."""
        return Spec(np.shape(values), values=np.asarray(values), fixed=dtype)

    @staticmethod
    def call(*args, **kwargs):
        """One call."""
        return Call(args, kwargs)

    @staticmethod
    def copy(record):
        """A record of its own with the same facts."""
        return dataclasses.replace(record)

    @staticmethod
    def record(*calls, **facts):
        """The record of a function; calls that are no `Call` are those with one argument."""
        calls = tuple(c if isinstance(c, Call) else Call((c,), {}) for c in calls)
        return Record(calls, **facts)

    def unary(self, low=-2.0, high=2.0, **facts):
        """A function of one tensor: a matrix, a 0-dim, an empty and a one-element one."""
        shapes = ((3, 4), (), (0, 2), (2, 1, 3))
        return self.record(*(self.t(*s, low=low, high=high) for s in shapes), **facts)

    def binary(self, low=-2.0, high=2.0, number=1.5, **facts):
        """A function of two tensors that broadcast, or of a tensor and a number."""

        def t(*shape):
            return self.t(*shape, low=low, high=high)

        shapes = (((3, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3), ()), ((), ()), ((0, 2), (1, 2)))
        calls = [self.call(t(*a), t(*b)) for a, b in shapes]
        if number is not None:
            calls.append(self.call(t(2, 3), number))
        return self.record(*calls, **facts)


def leaves(value):
    """What is not a container in nested lists, tuples and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _load():
    table = {}
    for path in sorted((pathlib.Path(__file__).parent / "samples").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"op_samples_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        records = module.records(Samples())
        twice = table.keys() & records.keys()
        if twice:
            raise ValueError(f"{path.name}: {sorted(twice)} have samples already")
        table.update(records)
    return table


TABLE = _load()


class Trial:
    """One call of a function in one library."""

    def __init__(self, library, name, record):
        self.library, self.name, self.record = library, record.name or name, record

    def make(self, call, dtype, strided=False, grad=False, seed=0):
        """The arguments, with tensors for specs, and a list of those that require gradients."""
        random = np.random.default_rng(zlib.crc32(f"{self.name} {seed}".encode()))
        tracked = []

        def build(x):
            if isinstance(x, Spec):
                made = self.tensor(x, dtype, strided, random)
                if grad and not x.fixed:
                    made.requires_grad_()
                    tracked.append(made)
                return made
            if isinstance(x, (list, tuple)):
                return type(x)(map(build, x))
            if isinstance(x, dict):
                return {k: build(v) for k, v in x.items()}
            if isinstance(x, str) and x.startswith("dtype:"):
                return getattr(self.library, x[6:])
            return x

        return build(call.args), build(call.kwargs), tracked

    def tensor(self, spec, dtype, strided, random):
        """A tensor as described, contiguous or not."""
        array = numbers(spec, dtype, random)
        if not strided or array.ndim == 0:
            return self.library.from_numpy(array)
        if array.ndim == 1:
            wide = np.repeat(array, 2)
            return self.library.from_numpy(wide)[::2]
        order = list(range(array.ndim))[::-1]
        return self.library.from_numpy(np.ascontiguousarray(array.transpose(order))).permute(order)

    def run(self, args, kwargs):
        """What the function returns."""
        if self.record.call is not None:
            return self.record.call(self.library, *args, **kwargs)
        if self.name.startswith("Tensor."):
            return getattr(args[0], self.name.removeprefix("Tensor."))(*args[1:], **kwargs)
        target = self.library
        for part in self.name.split("."):
            target = getattr(target, part)
        return target(*args, **kwargs)


def numbers(spec, dtype, random):
    """The array of a spec, in the dtype asked for unless it is fixed."""
    kind = np.dtype(spec.fixed or dtype)
    if spec.values is not None:
        return np.array(spec.values).astype(kind)
    if spec.fixed:
        return random.integers(int(spec.low), int(spec.high), spec.shape).astype(kind)
    values = np.asarray(random.uniform(spec.low, spec.high, spec.shape))
    if kind.kind == "c":
        values = values + 1j * random.uniform(spec.low, spec.high, spec.shape)
    elif kind.kind in "iu":
        values = np.trunc(values * 2)
    elif kind.kind == "b":
        values = values > (spec.low + spec.high) / 2
    return np.asarray(values).astype(kind)


def as_numpy(x):
    """The numbers of a tensor of either library."""
    return x.detach().resolve_conj().numpy(force=True)


def assert_same(ours, theirs, rtol, atol, what="result", form=False):
    """Assert that results agree in structure, dtype, shape and, unless `form`, numbers."""
    if isinstance(theirs, (list, tuple)):
        assert isinstance(ours, (list, tuple)), f"{what}: {ours!r}"
        assert len(ours) == len(theirs), what
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, rtol, atol, f"{what}[{k}]", form)
    elif hasattr(theirs, "detach"):
        assert isinstance(ours, flambeau.Tensor), f"{what}: {ours!r}"
        assert str(ours.dtype) == str(theirs.dtype), what
        assert tuple(ours.shape) == tuple(theirs.shape), what
        if not form:
            a, b = as_numpy(ours), as_numpy(theirs)
            np.testing.assert_allclose(a, b, rtol, atol, equal_nan=True, err_msg=what)
    elif not form:
        assert str(ours) == str(theirs), what


@pytest.fixture(scope="session")
def libraries(torch):
    """flambeau and PyTorch."""
    return flambeau, torch


@pytest.fixture(autouse=True)
def uncut(monkeypatch):
    """No line of the tests is one to cut at: what is compared exactly is then one program."""
    monkeypatch.setattr(cuts, "_cut", {})
    monkeypatch.setattr(cuts, "_forks", {})
