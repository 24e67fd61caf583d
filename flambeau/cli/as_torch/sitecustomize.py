"""Makes `import torch` give flambeau, in this process and in every Python that it starts.

`flambeau run` calls `install` and puts this folder at the head of PYTHONPATH: Python imports a
`sitecustomize` when it starts, so worker processes have it too, however they are made. The module
stands alone, imports no more than it needs, and imports flambeau only when torch is asked for.
"""

import sys
from importlib.machinery import ModuleSpec

__all__ = ["TorchIsFlambeau", "install"]

NAME, REAL = "torch", "flambeau"


class TorchIsFlambeau:
    """A finder on `sys.meta_path`: `torch.x` is the very module `flambeau.x`."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The spec of a module whose name starts with `torch`, if flambeau has it."""
        if name != NAME and not name.startswith(NAME + "."):
            return None
        real = REAL + name[len(NAME) :]
        if real not in sys.modules:
            from importlib.util import find_spec

            if find_spec(real) is None:
                return None
        return ModuleSpec(name, _Alias(real))

    @staticmethod
    def find_distributions(context):
        """What `importlib.metadata` knows of torch: that it is there, and a version."""
        if context.name != NAME:
            return []
        from importlib.metadata import Distribution

        class Torch(Distribution):
            def read_text(self, filename):
                if filename != "METADATA":
                    return None
                import flambeau

                return f"Metadata-Version: 2.1\nName: torch\nVersion: {flambeau.__version__}\n"

            def locate_file(self, path):
                return path

        return [Torch()]


class _Alias:
    """Loads a module under a second name."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        from importlib import import_module

        module = import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module):
        # The import system has given it the spec of the second name.
        module.__spec__ = self.spec
        if self.real == REAL:
            module.__name__ = NAME  # some libraries look at it
            module.torch = module  # as it is in PyTorch, where some call it so


def install():
    """Put the finder before all others, once."""
    if TorchIsFlambeau not in sys.meta_path:
        sys.meta_path.insert(0, TorchIsFlambeau)


def _import_hidden():
    """Import the `sitecustomize` that this one hides, if there is one."""
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    mine = sys.modules.pop("sitecustomize")
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    try:
        import sitecustomize  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", mine)


if __name__ == "sitecustomize":  # Python starts.
    install()
    _import_hidden()
