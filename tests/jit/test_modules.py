"""What script and trace return behaves as what they were given."""

import copy
import pickle

import pytest

import flambeau
from flambeau import jit, nn


class Gate(nn.Module):
    """A module whose path depends on its input."""

    limit: jit.Final[float] = 0.5

    def __init__(self, size=3):
        super().__init__()
        self.inner = nn.Linear(size, size)
        self.count = 0

    def forward(self, x):
        self.count += 1
        return self.inner(x) if x.sum() > self.limit else x

    @jit.export
    def twice(self, x):
        return self(self(x))


@pytest.mark.parametrize(
    "make", [jit.script, lambda m: jit.trace(m, flambeau.ones(3)), lambda m: _trace_both(m)]
)
def test_modules(make):
    module = Gate()
    scripted = make(module)
    assert isinstance(scripted, (jit.ScriptModule, Gate))
    assert scripted.original_name == "Gate"
    assert repr(scripted) == repr(module)
    x = flambeau.ones(3)
    assert flambeau.equal(scripted(x), module(x))
    assert flambeau.equal(scripted(-x), -x)
    assert flambeau.equal(scripted.twice(-x), -x)
    assert [id(p) for p in scripted.parameters()] == [id(p) for p in module.parameters()]
    scripted.eval()
    assert not module.training
    scripted.label = "one"
    assert module.label == "one"
    scripted(x).sum().backward()
    assert module.inner.weight.grad is not None
    assert jit.script(scripted) is scripted
    assert scripted.count == module.count > 2


def _trace_both(module):
    x = flambeau.ones(3)
    return jit.trace_module(module, {"forward": x, "twice": (x,)})


def test_functions():
    def f(x, scale=2):
        return x * scale

    assert jit.script(f) is f
    assert jit.trace(f, (flambeau.ones(1),)) is f
    assert jit.trace(f, example_kwarg_inputs={"x": flambeau.ones(1)}) is f
    assert jit.script(Gate) is Gate
    assert jit.script([1]) == [1]
    assert not jit.is_scripting()
    assert not jit.is_tracing()
    module = Gate()
    x = {"x": flambeau.ones(3)}
    jit.trace_module(module, {"forward": x}, example_inputs_is_kwarg=True)
    assert module.count == 1


def test_subclasses():
    class Scale(jit.ScriptModule):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(flambeau.tensor(2.0))

        @jit.script_method
        def forward(self, x):
            return self.factor * x

    scale = Scale()
    assert jit.script(scale) is scale
    assert scale(flambeau.ones(1)).tolist() == [2.0]


def test_copies_are_scripted_too():
    scripted = jit.script(Gate())
    x = flambeau.ones(3)
    for other in (copy.deepcopy(scripted), pickle.loads(pickle.dumps(scripted))):
        assert isinstance(other, jit.ScriptModule)
        assert isinstance(other, Gate)
        assert flambeau.equal(other(x), scripted(x))
        assert other.inner.weight is not scripted.inner.weight
    net = nn.Sequential(scripted, nn.ReLU())
    assert isinstance(copy.deepcopy(net)[0], jit.ScriptModule)
    assert list(net.state_dict()) == ["0.inner.weight", "0.inner.bias"]


def test_freeze():
    scripted = jit.script(Gate())
    with pytest.raises(RuntimeError, match="modules in eval mode"):
        jit.freeze(scripted)
    with pytest.raises(RuntimeError, match="expects a ScriptModule"):
        jit.freeze(Gate().eval())
    assert jit.optimize_for_inference(scripted) is scripted
    for freeze in (jit.freeze, jit.optimize_for_inference):
        frozen, x = freeze(scripted.eval()), flambeau.ones(3)
        before = frozen(x)
        assert flambeau.equal(before, scripted(x))
        assert not before.requires_grad
        with flambeau.no_grad():
            scripted.inner.bias += 1
        assert flambeau.equal(frozen(x), before)


def test_errors():
    with pytest.raises(RuntimeError, match="example"):
        jit.trace(Gate())
    with pytest.raises(RuntimeError):
        jit.trace(Gate(), flambeau.ones(7))
    with pytest.raises(TypeError, match="can not be scripted"):
        jit.script(3)
