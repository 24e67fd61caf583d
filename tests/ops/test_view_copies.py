"""Copies of what views show: memory of their own, contiguous, and `out`."""

import flambeau


def test_memory():
    """A copy is contiguous and does not see later writes."""
    x = flambeau.arange(6).reshape(2, 3)
    for copy in (flambeau.t_copy(x), flambeau.expand_copy(x, (2, 2, 3)), flambeau.alias_copy(x)):
        assert copy.is_contiguous()
        assert copy._base is None
    copy = flambeau.narrow_copy(x, 1, 0, 2)
    x.zero_()
    assert copy.tolist() == [[0, 1], [3, 4]]


def test_out():
    """One result is written into a tensor, several into a list."""
    x = flambeau.arange(6).reshape(2, 3)
    out = flambeau.empty(0, dtype=flambeau.int64)
    assert flambeau.t_copy(x, out=out) is out
    assert out.shape == (3, 2)
    outs = [flambeau.empty(2, 2, dtype=flambeau.int64), flambeau.empty(2, 1, dtype=flambeau.int64)]
    assert flambeau.split_copy(x, 2, 1, out=outs) is None
    assert outs[1].tolist() == [[2], [5]]
