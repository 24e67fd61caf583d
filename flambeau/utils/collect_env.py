"""What there is to know about an installation, for reports of problems.

`python -m flambeau.utils.collect_env` prints it.
"""

import os
import platform
import sys
from collections import namedtuple
from importlib import metadata

import flambeau

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info", "main", "pretty_str"]

FEATURES = ("avx512f", "avx2", "avx", "fma", "f16c", "sve2", "sve", "neon")
LIBRARIES = ("llvmlite", "numpy", "scipy-openblas32")

# {field: what it is called where it is shown}
FIELDS = {
    "torch_version": "flambeau version",
    "location": "Installed in",
    "python_version": "Python version",
    "python_executable": "Python executable",
    "python_platform": "Python platform",
    "os": "OS",
    "libc_version": "Libc version",
    "cpu_info": "CPU",
    "threads": "Threads",
    "is_cuda_available": "Is CUDA available",
    "nvidia_gpu_models": "GPU models",
    "llvm_version": "LLVM version",
    "cache": "Compiled kernels",
    "pip_packages": "Versions of relevant libraries",
}

SystemEnv = namedtuple("SystemEnv", tuple(FIELDS))
SystemEnv.__doc__ = "What `get_env_info` finds: strings, or None for what can not be known."


def get_env_info():
    """The facts about this installation, as a `SystemEnv`.

    >>> import flambeau as torch
    >>> from flambeau.utils import collect_env
    >>> collect_env.get_env_info().torch_version == torch.__version__
    True
    """
    gpus = [flambeau.cuda.get_device_name(i) for i in range(flambeau.cuda.device_count())]
    return SystemEnv(
        torch_version=flambeau.__version__,
        location=os.path.dirname(flambeau.__file__),
        python_version=sys.version.replace("\n", " "),
        python_executable=sys.executable,
        python_platform=platform.platform(),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        libc_version="-".join(filter(None, platform.libc_ver())) or None,
        cpu_info=_processor(),
        threads=f"{flambeau.get_num_threads()} of {os.cpu_count()} logical processors",
        is_cuda_available=str(flambeau.cuda.is_available()),
        nvidia_gpu_models=", ".join(gpus) or "none",
        llvm_version=_llvm_version(),
        cache=_cache(),
        pip_packages=", ".join(f"{name} {_installed(name)}" for name in LIBRARIES),
    )


def pretty_str(envinfo):
    """The facts as text, a line each."""
    lines = (f"{name}: {value or 'unknown'}" for name, value in _named(envinfo))
    return "\n".join(lines)


def _named(envinfo):
    return zip(FIELDS.values(), envinfo, strict=True)


def get_pretty_env_info():
    """The facts about this installation as text, a line each."""
    return pretty_str(get_env_info())


def main():
    """Print the facts about this installation."""
    print(get_pretty_env_info())


def _installed(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _llvm_version():
    from llvmlite import binding

    return ".".join(map(str, binding.llvm_version_info))


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


def _cache():
    """The folder of compiled kernels, their number and size."""
    from ..backends.llvm.jit import cache_folder

    folder = cache_folder()
    if folder is None:
        return "none on disk"
    sizes = [
        os.path.getsize(os.path.join(parent, file))
        for parent, _, files in os.walk(folder)
        for file in files
    ]
    return f"{folder} ({len(sizes)} kernels, {sum(sizes) / 1e6:.1f} MB)"


if __name__ == "__main__":
    main()
