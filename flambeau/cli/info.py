"""`flambeau info`: what flambeau finds on this machine."""

import argparse
import os
import platform
import sys

__all__ = ["info", "version"]

FEATURES = ("avx512f", "avx2", "avx", "fma", "f16c", "sve2", "sve", "neon")


def version():
    """The version of flambeau."""
    from flambeau.version import __version__

    return __version__


def info(argv):
    """Print a line per fact. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="flambeau info",
        description="Show versions, processor, threads, cache, devices and environment variables.",
    )
    parser.parse_args(argv)
    from flambeau import config

    for name, value in _facts():
        print(f"{name:17} {value}")
    print("\nenvironment variables")
    for line in config.describe():
        print(f"  {line}")
    return 0


def _facts():
    import llvmlite
    import numpy

    import flambeau

    yield "flambeau", f"{version()} in {os.path.dirname(flambeau.__file__)}"
    yield "python", f"{platform.python_version()} in {sys.executable}"
    yield "numpy", numpy.__version__
    yield "llvmlite", f"{llvmlite.__version__} (LLVM {_llvm_version()})"
    yield "scipy-openblas32", _installed("scipy-openblas32")
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "cpu", _processor()
    yield "threads", f"{flambeau.get_num_threads()} of {os.cpu_count()} logical processors"
    yield "devices", ", ".join(_devices())
    yield "cache", _cache()


def _llvm_version():
    from llvmlite import binding

    return ".".join(map(str, binding.llvm_version_info))


def _installed(name):
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor():
    from llvmlite import binding

    there = binding.get_host_cpu_features()
    features = [name for name in FEATURES if there.get(name)]
    return f"{_processor_name()} ({binding.get_host_cpu_name()}: {', '.join(features)})"


def _processor_name():
    try:
        with open("/proc/cpuinfo") as file:
            names = [line for line in file if line.startswith("model name")]
    except OSError:
        names = []
    if names:
        return names[0].partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _devices():
    import flambeau

    yield "cpu"
    for i in range(flambeau.cuda.device_count()):
        yield f"cuda:{i} {flambeau.cuda.get_device_name(i)}"


def _cache():
    from flambeau.backends.llvm.jit import cache_folder

    folder = cache_folder()
    if folder is None:
        return "none on disk"
    sizes = [
        os.path.getsize(os.path.join(parent, file))
        for parent, _, files in os.walk(folder)
        for file in files
    ]
    return f"{folder} ({len(sizes)} kernels, {sum(sizes) / 1e6:.1f} MB)"
