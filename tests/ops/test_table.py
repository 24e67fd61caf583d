"""Every public function against PyTorch, by the samples in `samples/`."""

import inspect
import itertools

import numpy as np
import pytest

import flambeau
from flambeau.ops.api import FUNCTIONS, METHODS

# Random numbers, and what hands them out, are compared with PyTorch's in test_random.py
# and test_random_gamma.py.
RANDOM = {
    *("_dirichlet_grad", "_sample_dirichlet", "_standard_gamma", "_standard_gamma_grad"),
    *("Generator", "bernoulli", "binomial", "dropout", "get_rng_state", "initial_seed"),
    *("manual_seed", "multinomial", "normal", "poisson", "rand", "rand_like", "randint"),
    *("randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state"),
}


# What PyTorch warns about is how a function is called, not what it gives.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch", "ignore:.*torch.*")


def pytest_generate_tests(metafunc):
    """One test per record that the test is about."""
    if "record" in metafunc.fixturenames:
        table = table_of(metafunc)
        chosen = getattr(metafunc.function, "about", lambda name, record: True)
        rows = [(name, record) for name, record in table.items() if chosen(name, record)]
        metafunc.parametrize(("name", "record"), rows, ids=[name for name, _ in rows])


def table_of(metafunc):
    """The table, from the conftest next to this file."""
    plugins = metafunc.config.pluginmanager.get_plugins()
    return next(p.TABLE for p in plugins if hasattr(p, "TABLE") and hasattr(p, "Trial"))


def about(condition):
    """Mark a test as one for the records that fulfil a condition."""

    def mark(f):
        f.about = condition
        return f

    return mark


@pytest.fixture
def trials(libraries, request, name, record):
    """Two trials of the function: flambeau's and PyTorch's."""
    helpers = table_module(request)
    return [helpers.Trial(library, name, record) for library in libraries]


def table_module(request):
    """The conftest next to this file."""
    plugins = request.config.pluginmanager.get_plugins()
    return next(p for p in plugins if hasattr(p, "TABLE") and hasattr(p, "Trial"))


@pytest.fixture
def same(request):
    """The comparison of two results."""
    return table_module(request).assert_same


def accepted(trial, call, dtype, **how):
    """What the function gives, in a tuple, or None if the library refuses the arguments."""
    try:
        args, kwargs, _ = trial.make(call, dtype, **how)
        return (trial.run(args, kwargs),)
    except (RuntimeError, TypeError, ValueError, NotImplementedError, IndexError):
        return None


def test_every_function_has_samples(request):
    """A public function without samples can not be trusted; lists have tests of their own."""
    named = {record.name or name for name, record in table_module(request).TABLE.items()}
    lists = {name for name in FUNCTIONS if name.startswith("_foreach")}
    second = {name for name, f in FUNCTIONS.items() if getattr(f, "__name__", name) in named}
    assert sorted(FUNCTIONS.keys() - RANDOM - named - lists - second) == []


def test_no_record_is_left_behind(request):
    """A record is for something that exists."""
    for name, record in table_module(request).TABLE.items():
        target = flambeau
        for part in (record.name or name).split("."):
            target = getattr(target, part)


def test_value(trials, same, record):
    """Value, dtype and shape in float32; broadcasting, 0-dim and empty ones are among the calls."""
    for k, call in enumerate(record.calls):
        results = [t.run(*t.make(call, "float32", seed=k)[:2]) for t in trials]
        same(*results, record.rtol, 1e-5, f"call {k}", record.form)


@about(lambda name, record: record.strided and not record.form)
def test_non_contiguous(trials, same, record):
    """Operands that are permuted or strided views."""
    for k, call in enumerate(record.calls):
        theirs = accepted(trials[1], call, "float32", strided=True, seed=k)
        if theirs is not None:
            ours = trials[0].run(*trials[0].make(call, "float32", strided=True, seed=k)[:2])
            same(ours, theirs[0], record.rtol, 1e-5, f"call {k}", record.form)


@about(lambda name, record: record.kinds)
def test_other_dtypes(trials, same, record):
    """Integers, bools and complex numbers, where PyTorch takes them."""
    names = {"int": "int64", "bool": "bool", "complex": "complex64", "double": "float64"}
    for kind, (k, call) in itertools.product(record.kinds, enumerate(record.calls)):
        theirs = accepted(trials[1], call, names[kind])
        if theirs is not None:
            args, kwargs, _ = trials[0].make(call, names[kind])
            ours = trials[0].run(args, kwargs)
            same(ours, theirs[0], 2 * record.rtol, 2e-5, f"{kind} call {k}", record.form)


def derive(trial, call, second, seed):
    """Gradients for a fixed cotangent and, if asked for, gradients of a function of these."""
    library = trial.library
    args, kwargs, inputs = trial.make(call, "float64", grad=True, seed=seed)
    out = trial.run(args, kwargs)
    outs = [x for x in out if hasattr(x, "detach")] if isinstance(out, (list, tuple)) else [out]
    outs = [x for x in outs if x.requires_grad]
    if not outs or not inputs:
        return None
    first = library.autograd.grad(
        outs, inputs, [weights(library, x) for x in outs], create_graph=second, allow_unused=True
    )
    if not second:
        return list(first)
    onward = [g for g in first if g is not None and g.requires_grad]
    if not onward:
        return None
    cotangents = [weights(library, g) for g in onward]
    return list(library.autograd.grad(onward, inputs, cotangents, allow_unused=True))


def weights(library, like):
    """A fixed cotangent."""
    values = np.cos(np.arange(like.numel(), dtype=np.float64)).reshape(tuple(like.shape))
    return library.from_numpy(np.asarray(values)).to(like.dtype)


def filled(grads, call, library):
    """Gradients with zeros for None."""
    shapes = [spec.shape for spec in call.tensors()]
    pairs = zip(grads, shapes, strict=True)
    return [library.zeros(s, dtype=library.float64) if g is None else g for g, s in pairs]


@about(lambda name, record: record.grad)
def test_gradient(trials, same, record):
    """The first derivative."""
    for k, call in enumerate(record.calls):
        theirs = derive(trials[1], call, False, k)
        if theirs is not None:
            ours = derive(trials[0], call, False, k)
            assert ours is not None, f"call {k} has no gradient"
            pairs = zip((ours, theirs), trials, strict=True)
            same(*(filled(g, call, t.library) for g, t in pairs), 1e-7, 1e-7, f"call {k}")


@about(lambda name, record: record.grad and record.second)
def test_second_derivative(trials, same, record):
    """The derivative of the first derivative, where PyTorch has it."""
    for k, call in enumerate(record.calls):
        try:
            theirs = derive(trials[1], call, True, k)
        except RuntimeError:
            continue
        if theirs is not None:
            ours = derive(trials[0], call, True, k) or [None] * len(theirs)
            pairs = zip((ours, theirs), trials, strict=True)
            same(*(filled(g, call, t.library) for g, t in pairs), 1e-6, 1e-6, f"call {k}")


def is_method(name, record):
    """Whether the first argument is a tensor and the function a method too."""
    first = record.calls[0].args[:1]
    return (
        record.methods
        and not record.name
        and name in METHODS
        and bool(first)
        and hasattr(first[0], "fixed")
    )


@about(is_method)
def test_method(trials, same, name, record):
    """The method gives what the function gives."""
    for k, call in enumerate(record.calls):
        args, kwargs, _ = trials[0].make(call, "float32", seed=k)
        if hasattr(args[0], "detach"):
            by_function = trials[0].run(args, kwargs)
            by_method = getattr(args[0], name)(*args[1:], **kwargs)
            same(by_method, by_function, 0, 0, f"call {k}", record.form)


@about(lambda name, record: is_method(name, record) and name + "_" in METHODS)
def test_in_place(trials, same, name, record):
    """The in-place method changes its tensor into the result, where PyTorch lets it."""
    for k, call in enumerate(record.calls):
        made = [t.make(call, "float32", seed=k)[:2] for t in trials]
        results = []
        for args, kwargs in reversed(made):
            method = getattr(args[0], name + "_", None)
            if method is None:
                return
            if not results:  # PyTorch goes first
                try:
                    method(*args[1:], **kwargs)
                except RuntimeError:
                    break
            else:
                assert method(*args[1:], **kwargs) is args[0]
            results.append(args[0])
        if len(results) == 2:
            same(results[1], results[0], record.rtol, 1e-5, f"call {k}", record.form)


def takes_out(name, record):
    """Whether the function has the argument `out`."""
    f = FUNCTIONS.get(name)
    if not hasattr(f, "__wrapped__") or record.call is not None or record.form:
        return False
    return "out" in inspect.signature(f, follow_wrapped=False).parameters


@about(takes_out)
def test_out(trials, same, record):
    """The result is written into `out`, which is resized to fit."""
    trial = trials[0]
    for k, call in enumerate(record.calls):
        args, kwargs, _ = trial.make(call, "float32", seed=k)
        expected = trial.run(args, kwargs)
        if isinstance(expected, flambeau.Tensor):
            out = flambeau.empty(0, dtype=expected.dtype)
            assert trial.run(args, {**kwargs, "out": out}) is out
            same(out, expected, 0, 0, f"call {k}")
