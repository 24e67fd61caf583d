"""Compiles LLVM IR to machine code, and keeps it in memory and on disk.

The kernels of a program are compiled side by side, in as many threads as there are cores. A
compiled object is a file named by the hash of its text, the CPU and the versions; it is written
beside and renamed, and read only if its checksum fits, so that several processes can share it.
"""

import hashlib
import os
import sys
import tempfile
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from ctypes import string_at

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding import ffi

from ... import config

__all__ = ["compiled", "known", "prepare"]

_lock = threading.RLock()
_addresses = {}
_engine = None


class _Compiler(threading.local):
    """What a thread compiles with: LLVM lets threads work side by side if they share nothing."""

    def __init__(self):
        target = llvm.Target.from_default_triple()
        self.context = llvm.create_context()
        self.machine = target.create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=3,
            reloc="default",
            codemodel="jitdefault",
            jit=True,
        )

    def object(self, text, loops):
        """The machine code of a module; `loops`: whether LLVM may vectorise and unroll them."""
        module = llvm.parse_assembly(text, self.context)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = options.slp_vectorization = loops
        options.loop_unrolling = options.loop_interleaving = loops
        builder = llvm.create_pass_builder(self.machine, options)
        _unlocked("LLVMPY_RunNewModulePassManager")(builder.getModulePassManager(), module, builder)
        with ffi.OutputString() as error:
            emit = _unlocked("LLVMPY_TargetMachineEmitToMemory")
            memory = emit(self.machine, module, 1, error)
            if not memory:
                raise RuntimeError(str(error))
        try:
            start = ffi.lib.LLVMPY_GetBufferStart(memory)
            return string_at(start, ffi.lib.LLVMPY_GetBufferSize(memory))
        finally:
            ffi.lib.LLVMPY_DisposeMemoryBuffer(memory)


def _unlocked(name):
    """A function of llvmlite's library without the lock that lets one thread at a time call any."""
    function = getattr(ffi.lib, name)
    return getattr(function, "_cfn", function)


_compiler = None


def _start():
    global _engine, _compiler
    if _engine is None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _compiler = _Compiler()
        # The engine owns the machine that it is given.
        _engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _Compiler().machine)


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


class _Wanted:
    """The function of a structure on its way to machine code: from disk, or from a text."""

    def __init__(self, key, make_text):
        name = hashlib.blake2b(f"{_identity()}|{key!r}".encode(), digest_size=16).hexdigest()
        self.key, self.symbol = key, f"fb_{name}"
        folder = cache_folder()
        self.path = os.path.join(folder, _source_version(), name) if folder else None
        self.code = _read(self.path) if self.path else None
        self.text = None
        if self.code is None:
            self.text = make_text(self.symbol)
            if "llvm" in config.show or "all" in config.show:
                print(self.text)

    def compile(self, loops):
        """Make the machine code, which needs nothing that other threads use."""
        self.code = _compiler.object(self.text, loops)
        if self.path:
            _write(self.path, self.code)

    def link(self):
        """Make the function known by its address."""
        _engine.add_object_file(llvm.ObjectFileRef.from_data(self.code))
        _engine.finalize_object()
        address = _engine.get_function_address(self.symbol)
        if not address:
            raise RuntimeError(f"the compiled kernel {self.symbol} has no address")
        _addresses[self.key] = address


def compiled(key, make_text, loops=True):
    """The address of the function of a structure; make_text(symbol) gives its module.

    loops: whether LLVM may vectorise and unroll loops, which takes most of the time.
    """
    address = _addresses.get(key)
    if address is None:
        prepare({key: make_text}, loops)
        address = _addresses[key]
    return address


def prepare(wanted, loops=True):
    """Compile the functions of several structures, {key: make_text}, that are not there yet.

    Returns: {key: "compiled" or "disk", where its machine code came from}.
    """
    global compiled_count
    if all(key in _addresses for key in wanted):
        return {}
    with _lock:  # one thread at a time writes texts and links; several compile
        _start()
        missing = [_Wanted(*item) for item in wanted.items() if item[0] not in _addresses]
        fresh = [x for x in missing if x.text is not None]
        if len(fresh) > 1 and config.cores() > 1:
            with ThreadPoolExecutor(min(len(fresh), config.cores())) as pool:
                list(pool.map(lambda x: x.compile(loops), fresh))
        else:
            for x in fresh:
                x.compile(loops)
        for x in missing:
            x.link()
        compiled_count += len(fresh)
    return {x.key: "disk" if x.text is None else "compiled" for x in missing}


compiled_count = 0  # kernels compiled, not found on disk, by this process


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
