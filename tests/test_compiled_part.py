"""`flambeau._C`: what programs ask of PyTorch's compiled part."""

import flambeau
from flambeau import _C


def test_questions():
    assert _C._log_api_usage_once("a program") is None
    assert _C._get_tracing_state() is None
    assert not _C._jit_set_profiling_mode(False)
    assert not _C._jit_set_profiling_executor(False)
    assert _C._LinAlgError is flambeau.linalg.LinAlgError
    assert _C.Generator is flambeau.Generator


def test_transforms_are_known():
    seen = []

    def f(x):
        seen.append(_C._are_functorch_transforms_active())
        return x

    flambeau.vmap(f)(flambeau.ones(2))
    assert seen == [True]
    assert not _C._are_functorch_transforms_active()


def test_disabled_torch_function():
    class Quiet(flambeau.Tensor):
        __torch_function__ = _C._disabled_torch_function_impl

    x = flambeau.ones(2).as_subclass(Quiet)
    assert (x + 1).tolist() == [2.0, 2.0]
