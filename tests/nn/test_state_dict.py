"""`flambeau.nn.state_dict`: keys, metadata and error texts are those of torch."""

from collections import OrderedDict

import pytest

import flambeau
from flambeau import nn


def build(lib):
    """A module with parameters, buffers and children."""
    module = lib.nn.Sequential(
        OrderedDict(lin=lib.nn.Linear(2, 3), norm=lib.nn.BatchNorm1d(3), act=lib.nn.ReLU())
    )
    module.register_buffer("cache", lib.zeros(1), persistent=False)
    module.register_parameter("nothing", None)
    return module


def test_keys_and_metadata(torch):
    ours, theirs = build(flambeau).state_dict(), build(torch).state_dict()
    assert list(ours) == list(theirs)
    assert ours._metadata == theirs._metadata
    assert type(ours) is OrderedDict
    assert not any(t.requires_grad for t in ours.values())


def test_keep_vars_and_prefix():
    module = build(flambeau)
    state = module.state_dict(keep_vars=True, prefix="top.")
    assert state["top.lin.weight"] is module.lin.weight
    destination = OrderedDict(old=1)
    assert module.state_dict(destination=destination) is destination
    assert list(destination)[:2] == ["old", "lin.weight"]


def test_positional_arguments_warn():
    with pytest.warns(FutureWarning, match="Positional args"):
        state = build(flambeau).state_dict(OrderedDict(), "x.")
    assert "x.lin.weight" in state


def test_state_shares_memory():
    module = build(flambeau)
    state = module.state_dict()
    with flambeau.no_grad():
        module.lin.bias.fill_(7)
    assert state["lin.bias"].tolist() == [7.0] * 3


def test_load_copies():
    source, target = build(flambeau), build(flambeau)
    weight = target.lin.weight
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert result == ([], [])
    assert target.lin.weight is weight
    assert weight.tolist() == source.lin.weight.tolist()
    with flambeau.no_grad():
        source.lin.weight.fill_(0)
    assert weight.abs().sum().item() > 0


def test_load_assigns():
    source, target = build(flambeau), build(flambeau)
    target.lin.weight.requires_grad_(False)
    state = source.state_dict()
    target.load_state_dict(state, assign=True)
    assert isinstance(target.lin.weight, nn.Parameter)
    assert not target.lin.weight.requires_grad
    assert target.lin.bias.requires_grad
    with flambeau.no_grad():
        source.lin.weight.fill_(5)
    assert target.lin.weight.tolist() == source.lin.weight.tolist()


def spoil_missing(lib, state):
    del state["lin.weight"], state["norm.running_mean"]


def spoil_unexpected(lib, state):
    state.update({"lin.x": lib.ones(1), "y": lib.ones(1), "z.w": lib.ones(1)})


def spoil_shape(lib, state):
    state["lin.weight"] = lib.ones(5, 5)


def spoil_all(lib, state):
    spoil_missing(lib, state)
    spoil_unexpected(lib, state)
    state["lin.bias"] = lib.ones(1)


def spoil_kind(lib, state):
    state["lin.weight"] = [1.0]


SPOILERS = [spoil_missing, spoil_unexpected, spoil_shape, spoil_all, spoil_kind]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda s: s.__name__)
def test_error_texts(torch, spoil):
    texts = []
    for lib in (flambeau, torch):
        module = build(lib)
        state = module.state_dict()
        spoil(lib, state)
        with pytest.raises(RuntimeError) as caught:
            module.load_state_dict(state)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_not_strict(torch):
    results = []
    for lib in (flambeau, torch):
        module = build(lib)
        state = module.state_dict()
        spoil_missing(lib, state)
        spoil_unexpected(lib, state)
        results.append(module.load_state_dict(state, strict=False))
    assert tuple(results[0]) == tuple(results[1])
    assert repr(results[0]) == repr(results[1])


def test_not_a_mapping():
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'list'>"):
        build(flambeau).load_state_dict([])


def test_scalar_from_vector_of_one():
    module = nn.Module()
    module.p = nn.Parameter(flambeau.tensor(1.0))
    module.load_state_dict({"p": flambeau.tensor([3.0])})
    assert module.p.item() == 3.0


def test_state_of_another_dtype_is_cast():
    module = nn.Linear(2, 1, bias=False)
    module.load_state_dict({"weight": flambeau.ones(1, 2, dtype=flambeau.float64)})
    assert module.weight.dtype == flambeau.float32


def test_old_batch_norm_state_has_no_batch_count():
    module = nn.BatchNorm1d(2)
    state = module.state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match='Missing key.*"num_batches_tracked"'):
        module.load_state_dict(state)
    state._metadata[""]["version"] = 1
    module.load_state_dict(state)


class WithExtra(nn.Module):
    """A module whose state is more than tensors."""

    def __init__(self, extra):
        super().__init__()
        self.extra = extra

    def get_extra_state(self):
        return self.extra

    def set_extra_state(self, state):
        self.extra = state


def test_extra_state():
    state = nn.Sequential(WithExtra({"a": 1})).state_dict()
    assert list(state) == ["0._extra_state"]
    module = nn.Sequential(WithExtra(None))
    module.load_state_dict(state)
    assert module[0].extra == {"a": 1}
    with pytest.raises(RuntimeError, match='Missing key.*"0._extra_state"'):
        module.load_state_dict({})
    with pytest.raises(RuntimeError, match='Unexpected key.*"0._extra_state"'):
        nn.Sequential(nn.ReLU()).load_state_dict(state)
    with pytest.raises(RuntimeError, match="ReLU has no extra state"):
        nn.ReLU().get_extra_state()


def test_hooks():
    log = []
    module = nn.Sequential(nn.Linear(1, 1))
    child = module[0]
    child.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))
    child.register_state_dict_post_hook(lambda m, s, prefix, meta: s.update({prefix + "x": 1}))
    child.register_load_state_dict_pre_hook(lambda m, s, prefix, *rest: s.pop(prefix + "x"))
    child.register_load_state_dict_post_hook(lambda m, keys: log.append(keys.missing_keys))
    state = module.state_dict()
    assert state["0.x"] == 1
    del state["0.bias"]
    with pytest.raises(RuntimeError, match="0.bias"):
        module.load_state_dict(state)
    assert log == [("pre", "0.", False), ["0.bias"]]


def test_post_hook_may_forgive():
    module = nn.Linear(1, 1)
    module.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    module.load_state_dict({})
    module.register_load_state_dict_post_hook(lambda m, keys: keys)
    with pytest.raises(AssertionError, match="not expected to return"):
        module.load_state_dict({})


def test_results_of_state_dict_hooks():
    module = nn.Linear(1, 1)
    module.register_state_dict_post_hook(lambda m, state, prefix, meta: state)
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        module.state_dict()
    module = nn.Linear(1, 1)
    handle = module._register_state_dict_hook(lambda m, state, prefix, meta: {"other": 1})
    assert module.state_dict() == {"other": 1}
    handle.remove()
    assert list(module.state_dict()) == ["weight", "bias"]
