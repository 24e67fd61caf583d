"""Where a NaN came from: the program that made it is run again by the interpreter."""

from . import config

__all__ = ["debug_nans"]


def debug_nans(mode=True):
    """Whether a program whose results have a NaN raises an error that says where it came from.

    Results are looked at when they are computed: at a sync point such as `item()`, and at the end
    of `optimizer.step()`. One with a NaN has its program run again, operation by operation, and a
    FloatingPointError names the first operation that made a NaN out of numbers, and its line; for
    a NaN made of an infinity also where that came from. Only what is looked at counts: a NaN that
    `where` does not choose is no error. `FLAMBEAU_NANS=1` does so from the start.

    >>> import flambeau as torch
    >>> torch.debug_nans()
    >>> x = torch.tensor([1.0, -1.0])
    >>> x.log().sum().item()
    Traceback (most recent call last):
    ...
    FloatingPointError: log made the first NaN, at ...
    >>> torch.debug_nans(False)
    """
    config.nans = bool(mode)
