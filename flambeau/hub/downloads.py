"""Files from URLs, checked and kept."""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
import uuid
import warnings
import zipfile
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from ..serialization import load
from .folder import get_dir

__all__ = ["download_url_to_file", "load_state_dict_from_url"]

CHUNK = 128 * 1024  # bytes
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # bfd8deac of resnet18-bfd8deac.pth


class _Progress:
    """What tqdm shows, in short, where that is not installed."""

    def __init__(self, total, disable, **_):
        self.total, self.disable, self.done = total, disable, 0

    def update(self, count):
        """Tell that `count` more bytes have come."""
        self.done += count
        if not self.disable:
            share = f"{100 * self.done / self.total:.1f}%" if self.total else f"{self.done} bytes"
            sys.stderr.write("\r" + share)
            sys.stderr.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.disable:
            sys.stderr.write("\n")


def _progress(total, shown):
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        tqdm = _Progress
    return tqdm(total=total, disable=not shown, unit="B", unit_scale=True, unit_divisor=1024)


def download_url_to_file(url, dst, hash_prefix=None, progress=True):
    """Download a file. What is at `dst` is replaced when the new file is complete.

    Args:
        dst: the path to save it at.
        hash_prefix: what its SHA-256, in hexadecimal, has to begin with.
        progress: whether to show on stderr how far it is.

    Raises RuntimeError for another hash, and what `urllib` raises.
    """
    dst = os.path.expanduser(dst)
    partial = f"{dst}.{uuid.uuid4().hex}.partial"
    digest = hashlib.sha256()
    try:
        request = Request(url, headers={"User-Agent": "torch.hub"})
        with open(partial, "xb") as file, urlopen(request) as source:
            length = source.headers.get("Content-Length")
            with _progress(int(length) if length else None, progress) as shown:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    shown.update(len(chunk))
        if hash_prefix is not None and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(
                f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")'
            )
        os.replace(partial, dst)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)


def load_state_dict_from_url(
    url,
    model_dir=None,
    map_location=None,
    progress=True,
    check_hash=False,
    file_name=None,
    weights_only=False,
):
    """What `flambeau.load` makes of a file, which is downloaded unless it is there already.

    Args:
        model_dir: the folder to keep it in, by default `checkpoints` in `get_dir()`.
        map_location: see `flambeau.load`.
        progress: whether to show on stderr how far the download is.
        check_hash: check the SHA-256 against the digits in the file's name, `name-digits.ext`.
        file_name: the name to keep it under, by default the one in the URL.
        weights_only: see `flambeau.load`. Pass True for files that you do not trust.

    Raises RuntimeError for another hash, and what `urllib` and `flambeau.load` raise.
    """
    if os.getenv("TORCH_MODEL_ZOO"):
        warnings.warn(
            "TORCH_MODEL_ZOO is deprecated, please use env TORCH_HOME instead",
            UserWarning,
            stacklevel=2,
        )
    model_dir = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(model_dir, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(model_dir, name)
    if not os.path.exists(path):
        sys.stdout.write(f'Downloading: "{url}" to {path}\n')
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, found and found.group(1), progress)
    options = {"map_location": map_location, "weights_only": weights_only}
    if not zipfile.is_zipfile(path):
        return load(path, **options)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != 1 or members[0].is_dir():
            return load(path, **options)
        # One file that the user has zipped. What it was called there does not matter.
        with tempfile.TemporaryFile() as file:
            file.write(archive.read(members[0]))
            file.seek(0)
            return load(file, **options)
