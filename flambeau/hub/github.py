"""Repositories of GitHub as folders of this machine."""

import json
import os
import shutil
import sys
import tempfile
import warnings
import zipfile
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from .downloads import download_url_to_file
from .folder import get_dir

__all__ = ["cached_repository"]

TRUSTED_OWNERS = ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")


def cached_repository(
    github, force_reload=False, trust_repo="check", verbose=True, skip_validation=False
):
    """The folder of a repository, which is downloaded unless it is there already.

    Args:
        github: "owner/name" or "owner/name:ref", where ref is a branch, a tag or a commit.
        force_reload: download it in any case.
        trust_repo: True adds it to the list of trusted ones, False asks the user, "check" asks
            unless it is there.
        verbose: tell if it is there.
        skip_validation: do not ask GitHub whether the ref is one of the repository itself.

    Raises ValueError for a ref that is not there, RuntimeError without connection, or where the
    user does not trust it.
    """
    os.makedirs(get_dir(), exist_ok=True)
    owner, name, ref = _parts(github)
    folder = os.path.join(get_dir(), _folder_name(owner, name, ref))
    _check_trust(owner, name, os.path.basename(folder), trust_repo)
    if os.path.exists(folder) and not force_reload:
        if verbose:
            sys.stderr.write(f"Using cache found in {folder}\n")
        return folder
    if not skip_validation:
        _require_own_ref(owner, name, ref)
    with tempfile.TemporaryDirectory(dir=get_dir(), prefix=".download-") as place:
        archive = os.path.join(place, "archive.zip")
        _download(owner, name, ref, archive)
        unpacked = _unpack(archive, os.path.join(place, "content"))
        if os.path.exists(folder):
            shutil.rmtree(folder)
        shutil.move(unpacked, folder)
    return folder


def _folder_name(owner, name, ref):
    return f"{owner}_{name}_{ref.replace('/', '_')}"


def _parts(github):
    """(owner, name, ref); without a ref, that of the default branch."""
    repository, _, ref = github.partition(":")
    owner, name = repository.split("/")
    if ref:
        return owner, name, ref
    try:
        with urlopen(f"https://github.com/{owner}/{name}/tree/main/"):
            return owner, name, "main"
    except HTTPError as error:
        if error.code == 404:
            return owner, name, "master"
        raise
    except URLError as error:
        for ref in ("main", "master"):
            if os.path.exists(os.path.join(get_dir(), _folder_name(owner, name, ref))):
                return owner, name, ref
        raise RuntimeError(
            "It looks like there is no internet connection and the repo could not be found in the "
            f"cache ({get_dir()})"
        ) from error


def _check_trust(owner, name, folder, trust_repo):
    """Ask the user where that is due; note that the repository is trusted."""
    path, known = os.path.join(get_dir(), "trusted_list"), f"{owner}_{name}"
    trusted = []
    if os.path.exists(path):
        with open(path) as file:
            trusted = [line.strip() for line in file]
    is_there = os.path.isdir(os.path.join(get_dir(), folder))
    is_trusted = known in trusted or is_there or owner in TRUSTED_OWNERS
    if trust_repo is False or (trust_repo == "check" and not is_trusted):
        answer = input(
            f"The repository {known} does not belong to the list of trusted repositories and as "
            "such cannot be downloaded. Do you trust this repository and wish to add it to the "
            "trusted list of repositories (y/N)?"
        ).lower()
        if answer in ("n", "no", ""):
            raise RuntimeError("Untrusted repository.")
        if answer not in ("y", "yes"):
            raise ValueError(f"Unrecognized response {answer}.")
    if not is_trusted:
        with open(path, "a") as file:
            file.write(known + "\n")


def _require_own_ref(owner, name, ref):
    """Raise ValueError unless a ref is a branch, a tag or the head of one of a repository.

    GitHub also serves the commits of forks under the address of the original.
    """
    headers = {"Accept": "application/vnd.github.v3+json"}
    if os.environ.get("GITHUB_TOKEN"):
        headers["Authorization"] = f"token {os.environ['GITHUB_TOKEN']}"
    for kind in ("branches", "tags"):
        page = 1
        url = f"https://api.github.com/repos/{owner}/{name}/{kind}?per_page=100&page="
        while found := _ask(url + str(page), headers):
            if any(x["name"] == ref or x["commit"]["sha"].startswith(ref) for x in found):
                return
            page += 1
    raise ValueError(
        f"Cannot find {ref} in https://github.com/{owner}/{name}. If it's a commit from a forked "
        "repo, please call hub.load() with forked repo directly."
    )


def _ask(url, headers):
    """GitHub's answer; without the token if that does not permit it."""
    try:
        with urlopen(Request(url, headers=headers)) as answer:
            return json.load(answer)
    except HTTPError:
        if headers.pop("Authorization", None) is None:
            raise
        return _ask(url, headers)


def _download(owner, name, ref, path):
    url = f"https://github.com/{owner}/{name}/zipball/"
    sys.stdout.write(f'Downloading: "{url}{ref}" to {path}\n')
    try:
        download_url_to_file(url + ref, path, progress=False)
    except HTTPError as error:
        if error.code != 300:  # several choices
            raise
        warnings.warn(
            f"The ref {ref} is ambiguous. Perhaps it is both a tag and a branch in the repo? "
            "Torchhub will now assume that it's a branch. You can disambiguate tags and branches "
            "by explicitly passing refs/heads/branch_name or refs/tags/tag_name as the ref. That "
            "might require using skip_validation=True.",
            UserWarning,
            stacklevel=4,
        )
        download_url_to_file(f"{url}refs/heads/{ref}", path, progress=False)


def _unpack(archive, place):
    """The one folder in a zip archive. Raises ValueError for paths that lead out of `place`."""
    with zipfile.ZipFile(archive) as content:
        for member in content.namelist():
            parts = member.replace("\\", "/").split("/")
            if ".." in parts or not parts[0] or ":" in parts[0]:
                raise ValueError(f"Archive entry escapes target directory: {member}")
        content.extractall(place)
    return os.path.join(place, os.listdir(place)[0])
