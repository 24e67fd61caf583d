"""Files to load from and to save to: opened, named in errors, and replaced in one step."""

import contextlib
import os
import pickle
import stat

__all__ = ["is_path", "name_of", "named_in_errors", "open_to_read", "open_to_write"]

_OPEN_FILES = "/proc/self/fd"


def is_path(f):
    """Whether `f` names a file rather than being one."""
    return isinstance(f, (str, os.PathLike))


def name_of(f):
    """What errors call a file."""
    if is_path(f):
        return os.fspath(f)
    name = getattr(f, "name", None)
    return name if isinstance(name, str) else f"<{type(f).__name__}>"


@contextlib.contextmanager
def named_in_errors(f):
    """Errors about damage in a file say which file it is."""
    try:
        yield
    except (pickle.UnpicklingError, RuntimeError) as error:
        if type(error) not in (pickle.UnpicklingError, RuntimeError):
            raise
        raise type(error)(f"{name_of(f)}: {error}") from error


@contextlib.contextmanager
def open_to_read(f):
    """The binary file `f` names, or `f` itself if it is one that can be read and sought in."""
    if is_path(f):
        with open(f, "rb") as file:
            yield file
        return
    for method in ("read", "seek", "tell"):
        if not hasattr(f, method):
            raise AttributeError(
                f"load expects a path or a binary file that is seekable; {type(f).__name__} has no "
                f"{method!r}. Read the data into an io.BytesIO first and load from that"
            )
    yield f


@contextlib.contextmanager
def open_to_write(f):
    """A binary file to write to: `f` itself, or one that takes the place of the file `f` names.

    What is written goes beside the old file, reaches the disk, and then replaces it in one step: a
    crash leaves either the old file or the new one. Permissions stay as they were.
    """
    if not is_path(f):
        if not hasattr(f, "write"):
            raise AttributeError(
                "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
            )
        yield f
        return
    target = os.path.realpath(f)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {os.path.dirname(os.fspath(f))} does not exist.")
    mode = os.stat(target).st_mode if os.path.exists(target) else None
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:  # a pipe or a device keeps its place; a folder is an error
            yield file
        return
    yield from _replace(target, folder, mode)


def _replace(target, folder, mode):
    beside = os.path.join(folder, f".{os.path.basename(target)[:200]}.{os.urandom(6).hex()}.tmp")
    try:
        nameless = _open_nameless(folder)
        with nameless or open(beside, "xb") as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(
                    file.fileno() if os.chmod in os.supports_fd else beside, stat.S_IMODE(mode)
                )
            os.fsync(file.fileno())
            if nameless:
                number = file.fileno()
                # Python follows the link to the file only where a folder is given, here unused.
                os.link(f"{_OPEN_FILES}/{number}", beside, src_dir_fd=number)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _open_nameless(folder):
    """A new file that nothing is left of if this process is killed; None where there are none."""
    try:
        os.stat(_OPEN_FILES)
        return open(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666), "wb")
    except (AttributeError, OSError):
        return None


def _sync_folder(folder):
    """Make a rename reach the disk, where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
