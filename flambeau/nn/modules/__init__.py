"""Where PyTorch keeps its layers: `nn.modules.conv.Conv2d` is `nn.Conv2d`.

Each submodule shows the names, those of base classes too, of the modules that stand behind it.
"""

import sys
from importlib import import_module
from types import ModuleType

from . import utils  # noqa: F401

_HOMES = {
    "activation": ("activation", "multihead"),
    "adaptive": ("adaptive",),
    "batchnorm": ("batchnorm", "sync_batchnorm", "lazy_batchnorm"),
    "channelshuffle": ("pixels",),
    "container": ("containers", "parameter_containers"),
    "conv": ("conv", "lazy_conv"),
    "distance": ("distance",),
    "dropout": ("dropout",),
    "flatten": ("flatten",),
    "fold": ("fold",),
    "instancenorm": ("batchnorm", "lazy_batchnorm"),
    "lazy": ("lazy",),
    "linear": ("linear", "lazy_linear", "multihead"),
    "loss": ("loss", "loss_ranking"),
    "module": ("module", "state_dict"),
    "normalization": ("normalization",),
    "padding": ("padding",),
    "pixelshuffle": ("pixels",),
    "pooling": ("pooling",),
    "rnn": ("recurrent",),
    "sparse": ("embedding",),
    "transformer": ("transformer",),
    "upsampling": ("upsampling",),
}


class _Submodule(ModuleType):
    """A place whose names are defined in other modules, which are imported when asked for."""

    def __init__(self, name, homes):
        super().__init__(f"{__name__}.{name}", f"The layers of `nn.modules.{name}`.")
        self._homes = homes

    def __getattr__(self, name):
        if not name.startswith("__"):
            for home in self._homes:
                module = import_module(f"..{home}", __name__)
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


for _name, _modules in _HOMES.items():
    _made = _Submodule(_name, _modules)
    sys.modules[_made.__name__] = globals()[_name] = _made


def __getattr__(name):
    nn = import_module("...nn", __name__)
    if name.startswith("__") or not hasattr(nn, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(nn, name)


def __dir__():
    return sorted({*globals(), *import_module("...nn", __name__).__all__})
