"""The `flambeau` command: `demo`, `info`, `inspect`, and `run`, which runs PyTorch programs."""

import sys

__all__ = ["main"]

USAGE = """\
usage: flambeau COMMAND [arguments]

  demo                   train a network on the iris data, plot its loss, tell its accuracy
  info                   versions, processor, threads, cache, devices, environment variables
  inspect FILE           what is in a checkpoint or a safetensors file; runs nothing of it
  run SCRIPT [args]      run a PyTorch program, with flambeau in the place of torch
  run -m MODULE [args]   the same for a module, such as `run -m pytest`

`flambeau COMMAND --help` tells more."""


def main(argv=None):
    """Run the command line `argv`, that of this process if None. Returns the exit status.

    >>> from flambeau.cli import main
    >>> main(["--version"])
    flambeau 0.1.0
    0
    """
    # Not argparse: what stands after `run SCRIPT` belongs to the script, whatever it looks like.
    argv = sys.argv[1:] if argv is None else list(argv)
    command, rest = (argv[0], argv[1:]) if argv else ("--help", [])
    if command in ("-h", "--help"):
        print(USAGE)
    elif command == "--version":
        from .info import version

        print(f"flambeau {version()}")
    elif command == "demo":
        from .demo import demo

        return demo(rest)
    elif command == "info":
        from .info import info

        return info(rest)
    elif command == "inspect":
        from .inspect import inspect

        return inspect(rest)
    elif command == "run":
        from .run import run

        return run(rest)
    else:
        print(f"flambeau: no command {command!r}\n\n{USAGE}", file=sys.stderr)
        return 2
    return 0
