"""`flambeau.random`."""

import flambeau


def test_fork_rng():
    """What is drawn inside leaves no trace outside."""
    flambeau.manual_seed(3)
    expected = flambeau.rand(2)
    flambeau.manual_seed(3)
    with flambeau.random.fork_rng():
        flambeau.rand(5)
    assert flambeau.rand(2).equal(expected)


def test_fork_rng_disabled():
    """Unless it is switched off."""
    flambeau.manual_seed(3)
    with flambeau.random.fork_rng(enabled=False):
        first = flambeau.rand(2)
    flambeau.manual_seed(3)
    assert flambeau.rand(2).equal(first)
