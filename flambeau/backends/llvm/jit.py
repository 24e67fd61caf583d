"""Compiles LLVM IR to machine code, and keeps it in memory and on disk.

A compiled object is a file named by the hash of its text, the CPU and the versions; it is written
beside and renamed, and read only if its checksum fits, so that several processes can share it.
"""

import hashlib
import os
import sys
import tempfile
import threading
import zlib

import llvmlite
import llvmlite.binding as llvm

from ... import config

__all__ = ["compiled", "compiled_count"]

_lock = threading.RLock()
_addresses = {}
_engine = None
_target = None
compiled_count = 0  # kernels compiled, not found on disk, by this process
read_count = 0  # kernels found on disk


def _start():
    global _engine, _target
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    _target = target.create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )
    _engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target)


def _identity():
    return "|".join((llvm.get_host_cpu_name(), llvmlite.__version__, sys.platform, "1"))


def cache_folder():
    """The folder of compiled kernels, or None if none are kept on disk."""
    if config.cache == "0":
        return None
    if config.cache:
        return config.cache
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "flambeau")


def _read(path):
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        return None
    if len(data) < 8 or int.from_bytes(data[:8], "little") != zlib.crc32(data[8:]):
        return None
    return data[8:]


def _write(path, data):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path))
        with os.fdopen(handle, "wb") as f:
            f.write(zlib.crc32(data).to_bytes(8, "little") + data)
        os.replace(beside, path)
    except OSError:
        pass  # a cache that can not be written is only slower


def _object(text, loops):
    """The machine code of a module; `loops` says whether LLVM may vectorise and unroll them."""
    global compiled_count
    if "llvm" in config.show or "all" in config.show:
        print(text)
    compiled_count += 1
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = loops
    options.loop_unrolling = options.loop_interleaving = loops
    builder = llvm.create_pass_builder(_target, options)
    builder.getModulePassManager().run(module, builder)
    return _target.emit_object(module)


def compiled(key, make_text, loops=True):
    """The address of the function of a structure; make_text(symbol) gives its module.

    loops: whether LLVM may vectorise and unroll loops, which takes most of the time.
    """
    global read_count
    address = _addresses.get(key)
    if address is not None:
        return address
    with _lock:
        if key in _addresses:
            return _addresses[key]
        if _engine is None:
            _start()
        name = hashlib.blake2b(f"{_identity()}|{key!r}".encode(), digest_size=16).hexdigest()
        symbol = f"fb_{name}"
        folder = cache_folder()
        path = os.path.join(folder, _source_version(), name) if folder else None
        data = _read(path) if path else None
        if data is None:
            data = _object(make_text(symbol), loops)
            if path:
                _write(path, data)
        else:
            read_count += 1
        _engine.add_object_file(llvm.ObjectFileRef.from_data(data))
        _engine.finalize_object()
        address = _engine.get_function_address(symbol)
        if not address:
            raise RuntimeError(f"the compiled kernel {symbol} has no address")
        _addresses[key] = address
        return address


def known(key):
    """Whether a structure is compiled in this process."""
    return key in _addresses


_version = None


def _source_version():
    """A name that changes with the source of the code generator."""
    global _version
    if _version is None:
        here = os.path.dirname(os.path.abspath(__file__))
        stamp = hashlib.blake2b(digest_size=8)
        for name in sorted(os.listdir(here)):
            if name.endswith(".py"):
                info = os.stat(os.path.join(here, name))
                stamp.update(f"{name}:{info.st_size}:{info.st_mtime_ns};".encode())
        _version = stamp.hexdigest()
    return _version
