"""Handles that remove hooks."""

import copy
import pickle
import warnings
from collections import OrderedDict

import pytest

import flambeau
from flambeau.nn.hooks import register_module_forward_hook
from flambeau.utils.hooks import RemovableHandle, unserializable_hook, warn_if_has_hooks


def registered(count=2):
    """A handle, and the dicts it has an entry in."""
    dicts = [OrderedDict() for _ in range(count)]
    handle = RemovableHandle(dicts[0], extra_dict=dicts[1:])
    for d in dicts:
        d[handle.id] = d["other"] = 1
    return handle, dicts


def test_remove():
    handle, dicts = registered(3)
    for _ in range(2):
        handle.remove()
        assert [list(d) for d in dicts] == [["other"]] * 3
    with registered()[0] as handle:
        assert isinstance(handle, RemovableHandle)
    one, extra = OrderedDict(), OrderedDict()
    handle = RemovableHandle(one, extra_dict=extra)
    extra[handle.id] = 1
    handle.remove()
    assert not extra


def test_what_returns_handles():
    layer = flambeau.nn.Linear(2, 2)
    optimizer = flambeau.optim.SGD(layer.parameters())
    for handle in (
        layer.register_forward_hook(print),
        layer.weight.register_hook(print),
        optimizer.register_step_post_hook(print),
        register_module_forward_hook(print),
    ):
        assert isinstance(handle, RemovableHandle)
        handle.remove()


def test_dicts_that_are_gone_and_copies():
    handle, dicts = registered()
    again, (first, second) = copy.deepcopy((handle, dicts))
    again.remove()
    assert handle.id not in first
    assert handle.id not in second
    assert handle.id in dicts[0]
    alone = pickle.loads(pickle.dumps((handle, dicts)))[0]
    alone.remove()
    dicts.clear()
    handle.remove()


def test_ids_that_are_taken():
    hooks = OrderedDict()
    taken = RemovableHandle(hooks).id + 1
    hooks[taken] = print
    assert RemovableHandle(hooks).id not in (taken, taken - 1)


def test_hooks_of_tensors_that_are_not_saved():
    x = flambeau.ones(1, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_has_hooks(x)
        x.register_hook(unserializable_hook(lambda g: g))
        warn_if_has_hooks(x)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="will not be serialized"):
        warn_if_has_hooks(x)
