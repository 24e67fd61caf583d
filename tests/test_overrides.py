"""`__torch_function__`: subclasses of Tensor, other classes and modes are asked as by PyTorch."""

import copy
import gc
import subprocess
import sys

import pytest

import flambeau
from flambeau import overrides


def logging_class(lib):
    """A subclass that notes what it is asked."""

    class Logged(lib.Tensor):
        seen = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs or {})

    return Logged


CALLS = {
    "add": lambda lib, x, p: x + 1,
    "radd": lambda lib, x, p: 1 + x,
    "plain first": lambda lib, x, p: p + x,
    "function": lambda lib, x, p: lib.add(p, x),
    "method": lambda lib, x, p: x.sum(),
    "plain method": lambda lib, x, p: p.add(x),
    "shape": lambda lib, x, p: tuple(x.shape),
    "in place": lambda lib, x, p: x.add_(1),
    "list": lambda lib, x, p: lib.cat([p, x]),
    "item": lambda lib, x, p: x[0],
    "F": lambda lib, x, p: lib.nn.functional.relu(x),
    "linear": lambda lib, x, p: lib.nn.functional.linear(x, p),
    "numpy": lambda lib, x, p: x.numpy().tolist(),
    "pair": lambda lib, x, p: x.max(0),
    "softmax": lambda lib, x, p: lib.softmax(x, 0),
    "matmul": lambda lib, x, p: x @ p.T,
    "tolist": lambda lib, x, p: x.tolist(),
    "neg": lambda lib, x, p: -x,
    "greater": lambda lib, x, p: x > 0,
    "like": lambda lib, x, p: lib.zeros_like(x),
    "where": lambda lib, x, p: lib.where(p > 0, x, p),
    "to": lambda lib, x, p: x.to(lib.float64),
    "unbind": lambda lib, x, p: x.unbind(0),
    "len": lambda lib, x, p: len(x),
    "grad": lambda lib, x, p: x.grad,
    "transposed": lambda lib, x, p: x.T,
    "keyword": lambda lib, x, p: lib.sum(input=x, dim=0),
    "rsub": lambda lib, x, p: 2 - x,
}


def classes(value):
    """The class of a result, and of what is in it."""
    inner = [type(v).__name__ for v in value] if isinstance(value, tuple) else []
    return [type(value).__name__, *inner]


@pytest.mark.parametrize("name", list(CALLS))
def test_as_pytorch(torch, name):
    """The same functions are asked about, and results have the same classes."""
    found = []
    for lib in (flambeau, torch):
        kind = logging_class(lib)
        x, p = lib.ones(2, 3).as_subclass(kind), lib.ones(2, 3)
        result = CALLS[name](lib, x, p)
        found.append((kind.seen, classes(result)))
    assert found[0] == found[1]


def test_plain_subclass():
    """A subclass that says nothing of functions is kept by them."""

    class Mine(flambeau.Tensor):
        pass

    x = Mine([1.0, 2.0])
    assert type(x * 2) is Mine
    assert type(x.exp().reshape(2, 1)) is Mine
    assert type(flambeau.stack([x, x])) is Mine
    assert type(flambeau.nn.Linear(2, 3)(x)) is Mine
    assert type(flambeau.linalg.norm(x)) is type(flambeau.fft.fft(x)) is Mine
    assert (x + x).tolist() == [2, 4]
    assert type(flambeau.ones(2) + 1) is flambeau.Tensor
    values, indices = x.sort()
    assert type(values) is type(indices) is Mine
    assert type(copy.deepcopy(x)) is Mine

    class Below(Mine):
        pass

    assert type(x + Below([1.0, 1.0])) is Below


def test_gradients():
    """Gradients pass through subclasses, also where one becomes another."""
    kind = logging_class(flambeau)
    w = flambeau.ones(3, requires_grad=True)
    y = (w.as_subclass(kind) * 2).sum()
    assert type(y) is kind
    y.backward()
    assert w.grad.tolist() == [2, 2, 2]
    x = flambeau.ones(3).as_subclass(kind).requires_grad_()
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_parameters_are_plain():
    """Parameters and their subclasses are handled as plain tensors."""

    class Own(flambeau.nn.Parameter):
        pass

    assert type(Own(flambeau.ones(2)) + 1) is flambeau.Tensor
    assert not overrides.has_torch_function((flambeau.nn.Parameter(flambeau.ones(1)),))


def test_slots():
    """A subclass with attributes of its own in slots."""

    class Slotted(flambeau.Tensor):
        __slots__ = ("more",)

    x = flambeau.Tensor._make_subclass(Slotted, flambeau.ones(2))
    assert type(x + 1) is Slotted


def test_own_methods_stay():
    """What a subclass defines itself is its own; it may refuse functions."""

    class Odd(flambeau.Tensor):
        def double(self):
            return self + self

        def exp(self):
            return "exp"

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func is flambeau.Tensor.sin or func == flambeau.cos:
                return NotImplemented
            return super().__torch_function__(func, types, args, kwargs)

    x = flambeau.ones(2).as_subclass(Odd)
    assert x.double().tolist() == [2, 2]
    assert x.exp() == "exp"
    for f in (x.sin, lambda: flambeau.cos(x)):
        with pytest.raises(TypeError, match="no implementation found for 'torch"):
            f()


class Diagonal:
    """A matrix with one number; no tensor."""

    def __init__(self, size, value):
        self.size, self.value = size, value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in HANDLED or not all(issubclass(t, (flambeau.Tensor, cls)) for t in types):
            return NotImplemented
        return HANDLED[func](*args, **(kwargs or {}))


HANDLED = {
    flambeau.mean: lambda d: d.value / d.size,
    flambeau.add: lambda a, b: Diagonal(a.size, a.value + b.value),
    flambeau.stack: lambda ds: [d.value for d in ds],
}


def test_other_classes():
    """Classes that are no tensors, found by the functions as they were before any subclass."""
    d = Diagonal(4, 2.0)
    assert flambeau.mean(d) == 0.5
    assert flambeau.add(d, d).value == 4
    assert flambeau.stack([d, d]) == [2, 2]
    with pytest.raises(TypeError, match="no implementation found for 'torch.sum'"):
        flambeau.sum(d)
    with pytest.raises(TypeError):
        flambeau.sum("text")
    assert overrides.is_tensor_like(d)
    assert overrides.is_tensor_like(flambeau.ones(1))
    assert not overrides.is_tensor_like(1)


class Names(overrides.TorchFunctionMode):
    """Notes the names of functions."""

    def __init__(self):
        self.names = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_modes():
    """A mode sees functions, methods and operators, but not what they do inside."""
    x = flambeau.ones(2, 2)
    with Names() as mode:
        y = flambeau.softmax(x + 1, 0).sum() * 2
        flambeau.nn.functional.gelu(x)
        assert flambeau.add == HANDLED_KEY
    assert mode.names == ["add", "softmax", "sum", "mul", "gelu"]
    assert y.item() == 4
    assert (x + 1).sum().item() == 8
    assert len(mode.names) == 5
    assert not overrides.has_torch_function((x,))


HANDLED_KEY = flambeau.add


def test_nested_modes():
    """The inner mode is asked first, and then the outer one."""
    with Names() as outer:
        with Names() as inner:
            flambeau.ones(2)
        with overrides.BaseTorchFunctionMode():
            flambeau.zeros(2)
    assert inner.names == ["ones"]
    assert outer.names == ["ones", "zeros"]


def test_modes_and_subclasses():
    """The mode is asked before the subclass; a mode may answer itself."""
    kind = logging_class(flambeau)
    x = flambeau.ones(2).as_subclass(kind)
    with Names() as mode:
        assert type(flambeau.exp(x)) is kind
    assert mode.names == ["exp"]
    assert kind.seen == ["exp"]

    class Answer(overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return 42 if func == flambeau.exp else func(*args, **(kwargs or {}))

    with Answer():
        assert flambeau.exp(x) == 42
        assert flambeau.ones(1).item() == 1
    with pytest.raises(NotImplementedError), overrides.TorchFunctionMode():
        flambeau.ones(1)
    assert flambeau.ones(1).item() == 1


def test_functions_of_ones_own():
    """`has_torch_function`, `handle_torch_function` and `wrap_torch_function`."""

    @overrides.wrap_torch_function(lambda x: (x,))
    def triple(x):
        return x * 3

    kind = logging_class(flambeau)
    assert triple(flambeau.ones(1)).item() == 3
    triple(flambeau.ones(1).as_subclass(kind))
    assert kind.seen == ["triple", "triple"] or kind.seen[0] == "triple"
    with Names() as mode:
        triple(flambeau.ones(1))
    assert "triple" in mode.names
    x = flambeau.ones(1).as_subclass(kind)
    assert overrides.has_torch_function_unary(x)
    assert overrides.has_torch_function_variadic(1, x)
    for disabled in (overrides.DisableTorchFunctionSubclass, overrides.DisableTorchFunction):
        with disabled():
            assert not overrides.has_torch_function((x,))
            assert type(x + 1) is flambeau.Tensor


def test_names():
    """What functions are called, and which there are."""
    assert overrides.resolve_name(flambeau.add) == "torch.add"
    assert overrides.resolve_name(flambeau.Tensor.add_) == "torch.Tensor.add_"
    assert overrides.resolve_name(len) is None
    assert overrides.is_tensor_method_or_property(flambeau.Tensor.exp_)
    assert overrides.is_tensor_method_or_property(flambeau.Tensor.shape.__get__)
    assert not overrides.is_tensor_method_or_property(len)
    functions = overrides.get_overridable_functions()
    assert flambeau.add in functions[flambeau]
    assert flambeau.Tensor.add in functions[flambeau.Tensor]


def test_nothing_without_need():
    """Functions and methods are as they are until a subclass or a mode is made."""
    program = (
        "import flambeau, types; from flambeau.ops.api import FUNCTIONS, METHODS; "
        "f = lambda: all(vars(flambeau).get(n) in (None, g) for n, g in FUNCTIONS.items()) and "
        "all(isinstance(vars(flambeau.Tensor)[n], type(g)) for n, g in METHODS.items()); "
        "assert f(); flambeau.nn.Linear(1, 1); assert type(flambeau.add) is types.FunctionType; "
        "mode = flambeau.overrides.BaseTorchFunctionMode(); mode.__enter__(); "
        "assert type(flambeau.Tensor.__add__).__name__ == 'Overridable'; mode.__exit__(); "
        "assert type(flambeau.Tensor.__add__) is types.FunctionType"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_programs_run_with_subclasses():
    """Values that are alive as a subclass are computed and freed as others."""
    kind = logging_class(flambeau)
    x = flambeau.ones(3).as_subclass(kind)
    y = x + 1
    flambeau.synchronize()
    z = (y * 2).exp()
    del y
    gc.collect()
    assert z.log().tolist() == pytest.approx([4, 4, 4])


def test_copies_and_files(tmp_path):
    """Modules that hold functions are copied and saved by the functions' own names."""

    class Some(flambeau.Tensor):
        pass

    assert Some([1.0]).item() == 1
    layer = flambeau.nn.TransformerEncoderLayer(4, 1, 4, activation=flambeau.nn.functional.relu)
    assert copy.deepcopy(layer).activation == flambeau.nn.functional.relu
    flambeau.save(layer, tmp_path / "layer.pt")
    back = flambeau.load(tmp_path / "layer.pt", weights_only=False)
    assert back.activation == flambeau.nn.functional.relu
    assert b"overriding" not in (tmp_path / "layer.pt").read_bytes()
