"""Anomaly detection: which operation, and which line, the first NaN came from."""

import inspect
import warnings

import pytest

import flambeau

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def nan_of_a_root(t):
    x = leaf(t, 0.0, -1.0)
    with t.autograd.detect_anomaly():
        x.sqrt().sum().backward()


@program
def nan_further_down(t):
    x = leaf(t, 0.0, 1.0)
    with t.autograd.set_detect_anomaly(True):
        y = (x * 3).sqrt() * 0
        y.sum().backward()


@program
def nan_of_a_custom_function(t):
    class Bad(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    with t.autograd.detect_anomaly():
        Bad.apply(leaf(t, 1.0)).sum().backward()


@program
def nan_of_grad(t):
    x = leaf(t, 0.0)
    with t.autograd.detect_anomaly():
        t.autograd.grad(x.log() * 0 * x.sqrt(), x)


@program
def nan_in_a_second_derivative(t):
    x = leaf(t, 0.0)
    with t.autograd.detect_anomaly():
        (g,) = t.autograd.grad((x**2).sum(), x, create_graph=True)
        (g.sqrt() * 0).backward()


@program
def nothing_wrong(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.detect_anomaly():
        (x.exp() * x).sum().backward()
    return x.grad


@program
def nan_is_not_looked_for(t):
    x = leaf(t, 0.0, -1.0)
    with t.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
    return x.grad


@program
def nan_of_what_needs_no_gradient_does_not_count(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.detect_anomaly():
        (x * t.tensor([0.0, float("inf")])).sum().backward()
    return x.grad


@program
def is_enabled(t):
    found = [t.is_anomaly_enabled()]
    with t.autograd.set_detect_anomaly(True, check_nan=False):
        found += [t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()]
        with t.autograd.set_detect_anomaly(False):
            found.append(t.is_anomaly_enabled())
        found.append(t.is_anomaly_enabled())
    t.autograd.set_detect_anomaly(True)
    found.append(t.is_anomaly_enabled())
    t.autograd.set_detect_anomaly(False)
    return [*found, t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()]


@program
def needs_a_bool(t):
    t.autograd.set_detect_anomaly("yes")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)


def _logarithm(x):
    return x.log()


def test_names_the_line_of_the_call():
    first = inspect.currentframe().f_lineno
    with flambeau.autograd.set_detect_anomaly(True):
        x = flambeau.tensor([0.0], requires_grad=True)
        good = _logarithm(x + 1)
        bad = _logarithm(x) * 0
        loss = (good + bad).sum()
        raises = pytest.raises(RuntimeError, match=r"'LogBackward0' returned nan .* 0th")
        with pytest.warns(UserWarning, match="LogBackward0") as seen, raises as error:
            loss.backward()
    called = _logarithm.__code__.co_firstlineno + 1
    assert f'{__file__}", line {called}' in str(error.value)
    text = str(seen[0].message)
    assert f'{__file__}", line {called}' in text
    assert f'{__file__}", line {first + 4}' in text
    assert f'{__file__}", line {first + 3}' not in text


def test_errors_of_a_derivative_are_located():
    class Fails(flambeau.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")

    x = flambeau.ones(1, requires_grad=True)
    warns = pytest.warns(UserWarning, match="Error detected in FailsBackward")
    with flambeau.autograd.set_detect_anomaly(True):
        y = Fails.apply(x)
        with warns, pytest.raises(ValueError, match="mine"):
            y.backward()


def test_warns_when_it_is_turned_on():
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        flambeau.autograd.detect_anomaly()


def test_a_training_step_is_the_same():
    def train(anomaly):
        flambeau.manual_seed(0)
        model = flambeau.nn.Sequential(
            flambeau.nn.Linear(3, 4), flambeau.nn.Tanh(), flambeau.nn.Linear(4, 1)
        )
        step = flambeau.optim.SGD(model.parameters(), 0.1)
        for _ in range(3):
            with flambeau.autograd.set_detect_anomaly(anomaly):
                loss = model(flambeau.randn(5, 3)).pow(2).mean()
                step.zero_grad()
                loss.backward()
                step.step()
        return [p.tolist() for p in model.parameters()]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(True) == train(False)
