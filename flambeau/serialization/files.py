"""Files to load from and to save to: opened, named in errors, and replaced in one step."""

import contextlib
import os
import stat

__all__ = ["is_path", "name_of", "open_to_read", "open_to_write"]


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
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _sync_folder(folder):
    """Make a rename reach the disk, where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
