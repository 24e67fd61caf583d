"""The versions: of PyTorch's API that is followed, and of flambeau itself."""

from .torch_version import TorchVersion

__all__ = ["__version__", "cuda", "debug", "flambeau", "git_version", "hip"]

flambeau = "0.1.0"
__version__ = TorchVersion(f"2.13.0+flambeau.{flambeau}")
cuda = hip = None
git_version = "unknown"
debug = False
