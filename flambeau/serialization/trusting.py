"""A reader of pickles that builds any Python object, for files that are trusted."""

import pickle

from . import plain
from .names import find_counterpart

__all__ = ["unpickle"]


def unpickle(file, load_storage, **pickle_load_args):
    """The object that the pickle at the position of `file` builds, with any code it wants run.

    Names of PyTorch mean what stands for them in flambeau.
    """

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if module.partition(".")[0] != "torch":
                return super().find_class(module, name)
            found = plain.find(module, name)
            return find_counterpart(module, name) if found is None else found

        def persistent_load(self, pid):
            # Files of old name the source of a module's class beside the class.
            return pid[1] if pid[0] == "module" else load_storage(pid)

    try:
        return Unpickler(file, **pickle_load_args).load()
    except EOFError as error:
        raise pickle.UnpicklingError("the pickle is cut off") from error
