"""Libraries that flambeau can use but does not need: imported where they are asked for."""

import importlib

__all__ = ["optional"]


def optional(module, extra):
    """A module of an optional library.

    Args: module: its name; extra: the extra of flambeau that installs it.
    Raises: ModuleNotFoundError that says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != library:
            raise
        raise ModuleNotFoundError(
            f"{library} is not installed; get it with: pip install 'flambeau[{extra}]'",
            name=library,
        ) from None
