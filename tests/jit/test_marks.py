"""Marks for a compiler, and settings of one: they change nothing."""

from flambeau import jit


def test_decorators():
    def f(x):
        return x

    for mark in (jit.export, jit.unused, jit.interface, jit.script_method, jit.script_if_tracing):
        assert mark(f) is f
    assert jit.ignore(f) is f
    assert jit.ignore(drop=True)(f) is f
    assert jit.ignore()(f) is f
    assert jit.annotate(list[int], []) == []


def test_attributes(torch):
    ours, theirs = jit.Attribute(1, int), torch.jit.Attribute(1, int)
    assert ours._fields == theirs._fields
    assert tuple(ours) == tuple(theirs)
    assert repr(ours) == repr(theirs)
    assert issubclass(jit.TracerWarning, Warning)


def test_settings():
    before = jit.set_fusion_strategy([("STATIC", 3)])
    assert jit.set_fusion_strategy(before) == [("STATIC", 3)]
    assert not jit.onednn_fusion_enabled()
    jit.enable_onednn_fusion(True)
    assert jit.onednn_fusion_enabled()
    jit.enable_onednn_fusion(False)
    for context in (jit.fuser("fuser1"), jit.optimized_execution(True), jit.strict_fusion()):
        with context:
            pass
