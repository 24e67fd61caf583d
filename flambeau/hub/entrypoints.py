"""The functions that a repository offers in its file `hubconf.py`."""

import contextlib
import importlib.util
import os
import sys

from .github import cached_repository

__all__ = ["help", "list", "load"]

CONFIG = "hubconf.py"


def list(github, force_reload=False, skip_validation=False, trust_repo="check", verbose=True):
    """The names of all functions that a repository of GitHub offers.

    The arguments are as those of `load`.
    """
    folder = cached_repository(github, force_reload, trust_repo, verbose, skip_validation)
    with _opened(folder) as config:
        names = dir(config)
    return [n for n in names if callable(getattr(config, n)) and not n.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo="check"):
    """The docstring of a function that a repository of GitHub offers.

    The arguments are as those of `load`.
    """
    folder = cached_repository(github, force_reload, trust_repo, True, skip_validation)
    with _opened(folder) as config:
        return _entrypoint(config, model).__doc__


def load(
    repo_or_dir,
    model,
    *args,
    source="github",
    trust_repo="check",
    force_reload=False,
    verbose=True,
    skip_validation=False,
    **kwargs,
):
    """What a function makes that a repository, or a folder, offers in its `hubconf.py`.

    Args:
        repo_or_dir: "owner/name" or "owner/name:ref", a branch or tag; or a path.
        model: the name of the function.
        args, kwargs: its arguments.
        source: "github", or "local" for a path.
        trust_repo: True trusts the repository from now on, False asks the user, "check" asks
            unless it is trusted.
        force_reload: download it in any case.
        verbose: tell if it is there already.
        skip_validation: do not ask GitHub whether the ref is one of the repository itself.

    Raises ValueError for another source, or a name that is no string; RuntimeError for a function
    that is not there, or libraries that are missing.
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        options = (force_reload, trust_repo, verbose, skip_validation)
        repo_or_dir = cached_repository(repo_or_dir, *options)
    with _opened(repo_or_dir) as config:
        return _entrypoint(config, model)(*args, **kwargs)


@contextlib.contextmanager
def _opened(folder):
    """The module `hubconf.py` of a folder, which others can be imported from meanwhile."""
    folder = os.fspath(folder)
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(CONFIG, os.path.join(folder, CONFIG))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(folder)


def _entrypoint(config, name):
    if not isinstance(name, str):
        raise ValueError("Invalid input: model should be a string of function name")
    libraries = getattr(config, "dependencies", None) or ()
    missing = [x for x in libraries if importlib.util.find_spec(x) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    function = getattr(config, name, None)
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return function
