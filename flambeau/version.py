"""The version of flambeau, and what it was built for."""

__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]

__version__ = "0.1.0"
cuda = hip = None
git_version = "unknown"
debug = False
