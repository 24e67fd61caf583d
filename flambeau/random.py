"""`flambeau.random`: the state of the default generator."""

import contextlib

from .ops.api import FUNCTIONS

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]

get_rng_state = FUNCTIONS["get_rng_state"]
initial_seed = FUNCTIONS["initial_seed"]
manual_seed = FUNCTIONS["manual_seed"]
seed = FUNCTIONS["seed"]
set_rng_state = FUNCTIONS["set_rng_state"]


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, device_type="cpu"):
    """Random numbers drawn within a `with` block leave the generator as it was before.

    >>> import flambeau as torch
    >>> torch.manual_seed(0).initial_seed()
    0
    >>> with torch.random.fork_rng():
    ...     hidden = torch.rand(1)
    >>> torch.rand(1).equal(hidden)
    True
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
