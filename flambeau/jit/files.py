"""Scripted modules in files of flambeau's own."""

import os

from ..serialization import load as _load
from ..serialization import save as _save

__all__ = ["load", "save"]

FORMAT = "flambeau.jit 1"


def save(m, f, _extra_files=None):
    """Save a module, or a function, to a file that `flambeau.jit.load` reads.

    Its class, or the function, is not part of the file: it has to be importable where it is
    loaded. PyTorch can not read the file; give it the `state_dict`.

    Args:
        f: a path, or a binary file to write to.
        _extra_files: {name: content}, strings or bytes to keep along with it.
    """
    extra = {
        name: content.encode() if isinstance(content, str) else bytes(content)
        for name, content in (_extra_files or {}).items()
    }
    _save({"format": FORMAT, "object": m, "extra_files": extra}, f)


def load(f, map_location=None, _extra_files=None, _restore_shapes=False):
    """What `flambeau.jit.save` wrote. It may run code: load only files that you trust.

    Args:
        f: a path, or a binary file that is seekable.
        map_location: see `flambeau.load`.
        _extra_files: a dict whose keys name further content; it gets that, as bytes.

    Raises ValueError for a path that is not there, RuntimeError for a TorchScript archive, or any
    other file.
    """
    if isinstance(f, (str, os.PathLike)) and not os.path.exists(f):
        raise ValueError(f"The provided filename {f} does not exist")
    try:
        content = _load(f, map_location, weights_only=False)
    except RuntimeError as error:
        if "TorchScript" not in str(error):
            raise
        raise RuntimeError(
            "this is a TorchScript archive, which holds a compiled program that only PyTorch can "
            "run. Load it there, save its state_dict, and load that into the model's Python class"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RuntimeError("this file was not written by flambeau.jit.save; try flambeau.load")
    for name in _extra_files or ():
        if name in content["extra_files"]:
            _extra_files[name] = content["extra_files"][name]
    return content["object"]
