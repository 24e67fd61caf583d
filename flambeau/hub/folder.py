"""The folder where downloads are kept, the same as PyTorch's."""

import os
import warnings

__all__ = ["get_dir", "set_dir"]

_chosen = None


def get_dir():
    """The folder where downloads are kept.

    It is what `set_dir` set, otherwise `$TORCH_HOME/hub`, otherwise `torch/hub` in
    `$XDG_CACHE_HOME`, which is `~/.cache` by default.
    """
    if os.getenv("TORCH_HUB"):
        warnings.warn(
            "TORCH_HUB is deprecated, please use env TORCH_HOME instead", UserWarning, stacklevel=2
        )
    if _chosen is not None:
        return _chosen
    cache = os.getenv("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    home = os.getenv("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d):
    """Keep downloads in the folder `d`, a path."""
    global _chosen
    _chosen = os.path.expanduser(d)
