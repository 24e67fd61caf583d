"""How a program is tried in both libraries: once in PyTorch, several times in flambeau.

flambeau interprets what it sees for the first time, compiles it the second time, and jumps over
whole backward passes it knows: so every program runs at least three times.
"""

import warnings

import numpy as np
import pytest

import flambeau

TIMES = 3
EXPECTED = (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError)


def plain(x):
    """What can be seen of a result: tensors become their facts and an array."""
    if hasattr(x, "requires_grad") and hasattr(x, "detach"):
        facts = {"dtype": str(x.dtype), "shape": tuple(x.shape), "grad": x.requires_grad}
        facts["leaf"] = x.is_leaf
        values = x.detach().resolve_conj().clone().numpy()
        return {"tensor": facts, "values": np.array(values)}
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    if isinstance(x, dict):
        return {str(k): plain(y) for k, y in x.items()}
    return x


def outcome(library, program, args):
    """What a program returns, or the error it ends with."""
    library.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plain(program(library, *args))
    except EXPECTED as error:
        return {"error": type(error).__name__, "text": str(error)}
    finally:
        library.set_grad_enabled(True)


def compare(ours, theirs, where):
    """Assert that outcomes are the same: numbers within rounding, messages in how they begin."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), f"{where}: {ours!r} instead of {theirs!r}"
        assert ours.keys() == theirs.keys(), f"{where}: {ours!r} instead of {theirs!r}"
        for key in theirs:
            if key == "text":
                assert ours[key][:30].lower() == theirs[key][:30].lower(), where
            else:
                compare(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), f"{where}: {ours!r}"
        assert len(ours) == len(theirs), f"{where}: {ours!r} instead of {theirs!r}"
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            compare(a, b, f"{where}[{k}]")
    elif isinstance(theirs, np.ndarray):
        tight = theirs.dtype in (np.float64, np.complex128)
        rtol, atol = (1e-9, 1e-11) if tight else (2e-5, 1e-6)
        np.testing.assert_allclose(ours, theirs, rtol, atol, equal_nan=True, err_msg=where)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=2e-5, abs=1e-6), where
    else:
        assert ours == theirs, where


@pytest.fixture
def agree(torch):
    """agree(program, *args): assert that program(library, *args) has the same outcome in both."""

    def check(program, *args):
        wanted = outcome(torch, program, args)
        for k in range(TIMES):
            compare(outcome(flambeau, program, args), wanted, f"run {k + 1}")
        return wanted

    return check
