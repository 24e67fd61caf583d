"""Runs the same call in flambeau and in torch, and compares what comes out."""

import functools

import numpy as np
import pytest

import flambeau

TOLERANCE = {"float16": 1e-3, "bfloat16": 1.6e-2, "float32": 2e-5, "float64": 1e-9}


def to_numpy(tensor):
    """The numbers of a tensor of either library; bfloat16 as float32."""
    tensor = tensor.detach()
    tensor = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
    return tensor.numpy(force=True)


class Twins:
    """The two libraries, and the ways to compare them."""

    def __init__(self, torch):
        self.torch = torch
        self.generator = torch.Generator().manual_seed(1)

    def randn(self, *shape, grad=True, dtype=None):
        """A torch tensor of normal numbers, always the same for the same test."""
        x = self.torch.randn(shape, generator=self.generator)
        x = x.to(getattr(self.torch, dtype or "float32"))
        return x.requires_grad_(grad)

    def rand(self, *shape, grad=True):
        """A torch tensor of numbers between 0.05 and 0.95."""
        x = self.torch.rand(shape, generator=self.generator) * 0.9 + 0.05
        return x.requires_grad_(grad)

    def randint(self, high, *shape):
        """A torch tensor of class indices."""
        return self.torch.randint(high, shape, generator=self.generator)

    def ours(self, value):
        """The counterpart of a torch value in flambeau."""
        if isinstance(value, self.torch.Tensor):
            name = str(value.dtype).removeprefix("torch.")
            copy = flambeau.from_numpy(np.array(to_numpy(value)))
            copy = copy.to(getattr(flambeau, name))
            return copy.requires_grad_() if value.requires_grad else copy
        if isinstance(value, self.torch.dtype):
            return getattr(flambeau, str(value).removeprefix("torch."))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.ours, value))
        if isinstance(value, dict):
            return {key: self.ours(item) for key, item in value.items()}
        return value

    def close(self, ours, theirs, what="result", slack=1):
        """Assert that a result of flambeau is that of torch: structure, dtype, shape, numbers."""
        if isinstance(theirs, (list, tuple)):
            assert len(ours) == len(theirs), what
            for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
                self.close(a, b, f"{what}[{i}]", slack)
        elif isinstance(theirs, self.torch.Tensor):
            assert str(ours.dtype) == str(theirs.dtype), what
            assert tuple(ours.shape) == tuple(theirs.shape), what
            tolerance = slack * TOLERANCE.get(str(theirs.dtype).removeprefix("torch."), 0)
            np.testing.assert_allclose(
                to_numpy(ours), to_numpy(theirs), rtol=tolerance, atol=tolerance, err_msg=what
            )
        else:
            assert ours == theirs, what

    def check(self, path, *args, second=False, **kwargs):
        """Call the function at a path in both; compare results and gradients.

        With `second`, also those of the gradients. Returns our result.
        """
        ours, theirs = self.ours((args, kwargs)), (args, kwargs)
        ours_out = _run(flambeau, path, ours)
        theirs_out = _run(self.torch, path, theirs)
        self.close(ours_out, theirs_out, path)
        self.check_gradients(ours_out, theirs_out, _leaves(ours), _leaves(theirs), second)
        return ours_out

    def check_gradients(self, ours_out, theirs_out, ours, theirs, second=False):
        """Compare the gradients of results with regard to leaves."""
        theirs = [t for t in theirs if t.requires_grad]
        ours = [t for t in ours if t.requires_grad]
        if not theirs or not getattr(theirs_out, "requires_grad", False):
            return
        assert ours_out.requires_grad
        weights = self.randn(*theirs_out.shape, grad=False).to(theirs_out.dtype)
        options = {"create_graph": second, "allow_unused": True}
        expected = self.torch.autograd.grad(theirs_out, theirs, weights, **options)
        got = flambeau.autograd.grad(ours_out, ours, self.ours(weights), **options)
        self._close_gradients(got, expected, "gradient")
        if second:
            self._check_second(got, expected, ours, theirs)

    def _check_second(self, got, expected, ours, theirs):
        total = sum((g * g).sum() for g in expected if g is not None)
        our_total = sum((g * g).sum() for g in got if g is not None)
        if total.requires_grad:
            expected = self.torch.autograd.grad(total, theirs, allow_unused=True)
            got = [None] * len(ours)  # where our rule knows that the gradient is constant
            if our_total.requires_grad:
                got = flambeau.autograd.grad(our_total, ours, allow_unused=True)
            self._close_gradients(got, expected, "second gradient", 20)

    def _close_gradients(self, got, expected, what, slack=1):
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            if a is None or b is None:  # none, or zeros, is the same thing
                assert all(g is None or not to_numpy(g).any() for g in (a, b)), f"{what} {i}"
            else:
                self.close(a, b, f"{what} {i}", slack)

    def build(self, name, *args, **kwargs):
        """The module of that name in both libraries, with the parameters of torch's."""
        theirs = getattr(self.torch.nn, name)(*args, **kwargs)
        args, kwargs = self.ours((args, kwargs))
        ours = getattr(flambeau.nn, name)(*args, **kwargs)
        assert repr(ours) == repr(theirs)
        state = self.ours(dict(theirs.state_dict()))
        assert list(ours.state_dict()) == list(state)
        ours.load_state_dict(state)
        return ours, theirs

    def check_module(self, modules, *inputs):
        """Compare a pair of modules: result, gradients of inputs and parameters, buffers."""
        ours, theirs = modules
        our_inputs = self.ours(inputs)
        ours_out, theirs_out = ours(*our_inputs), theirs(*inputs)
        self.close(ours_out, theirs_out)
        self.check_gradients(
            *(ours_out, theirs_out),
            [*_leaves(our_inputs), *ours.parameters()],
            [*_leaves(inputs), *theirs.parameters()],
        )
        buffers = dict(ours.named_buffers())
        for key, buffer in theirs.named_buffers():
            self.close(buffers[key], buffer, key)

    def same_error(self, path, *args, text=None, **kwargs):
        """Assert that a call fails in both with the same class; returns our message."""
        theirs = _error(self.torch, path, (args, kwargs))
        ours = _error(flambeau, path, self.ours((args, kwargs)))
        assert type(ours) is type(theirs), f"{ours!r} instead of {theirs!r}"
        if text is not None:
            assert text in str(ours), str(ours)
        return str(ours)


def _run(library, path, arguments):
    function = functools.reduce(getattr, path.split("."), library)
    args, kwargs = arguments
    return function(*args, **kwargs)


def _error(library, path, arguments):
    with pytest.raises(Exception) as caught:
        _run(library, path, arguments)
    return caught.value


def _leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value] if hasattr(value, "requires_grad") else []


@pytest.fixture
def twins(torch):
    """flambeau and torch side by side."""
    return Twins(torch)
