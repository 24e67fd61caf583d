"""`flambeau info`: what flambeau finds on this machine."""

import argparse

__all__ = ["info", "version"]


def version():
    """The version of flambeau."""
    from flambeau.version import flambeau

    return flambeau


def info(argv):
    """Print a line per fact. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="flambeau info",
        description="Show versions, processor, threads, cache, devices and environment variables.",
    )
    parser.parse_args(argv)
    from flambeau import config
    from flambeau.utils import collect_env

    print(collect_env.get_pretty_env_info())
    print("\nenvironment variables")
    for line in config.describe():
        print(f"  {line}")
    return 0
