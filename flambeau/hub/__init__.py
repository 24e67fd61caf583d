"""`flambeau.hub`: models and checkpoints from elsewhere, kept in a folder of this machine."""

from .downloads import HASH_REGEX, download_url_to_file, load_state_dict_from_url
from .entrypoints import help, list, load
from .folder import get_dir, set_dir

__all__ = [
    "HASH_REGEX",
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]
