"""Files without the elements of tensors: `skip_data`."""

import threading

__all__ = ["skip_data", "skips_data"]

_local = threading.local()


class skip_data:
    """Inside a `with` block, `save` leaves the elements of tensors out, and `load` reads none.

    A file has room for what was left out, all zeros, so that it can be written there later. Loaded
    tensors hold zeros.

    Args: materialize_fake_tensors: accepted as in PyTorch; no tensor is a fake one.

    >>> import io
    >>> import flambeau as torch
    >>> from flambeau.serialization import load, save, skip_data
    >>> file = io.BytesIO()
    >>> with skip_data():
    ...     save(torch.ones(2), file)
    >>> _ = file.seek(0)
    >>> load(file)
    tensor([0., 0.])
    """

    def __init__(self, materialize_fake_tensors=False):
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self):
        self._before = skips_data()
        _local.skips = True
        return self

    def __exit__(self, *_):
        _local.skips = self._before


def skips_data():
    """Whether this thread is inside such a block."""
    return getattr(_local, "skips", False)
