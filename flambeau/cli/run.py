"""`flambeau run`: a PyTorch program, unchanged, on flambeau."""

import os
import sys

__all__ = ["run"]

USAGE = """\
usage: flambeau run SCRIPT [args]
       flambeau run -m MODULE [args]

Run a Python program as `python` would, but with `import torch` and all its submodules giving
flambeau. The processes that it starts, such as the workers of a DataLoader, have that too."""


def run(argv):
    """Run the program that `argv` names, with its arguments. Returns the exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if argv else 2
    if argv[0] == "-m":
        if len(argv) == 1:
            print("flambeau run: -m needs the name of a module", file=sys.stderr)
            return 2
        start, target, args = _run_module, argv[1], argv[2:]
    else:
        if not os.path.exists(argv[0]):
            print(f"flambeau run: no file {argv[0]!r}", file=sys.stderr)
            return 2
        start, target, args = _run_script, argv[0], argv[1:]
    _alias_torch()
    sys.excepthook = _show_error
    start(target, args)
    return 0


def _alias_torch():
    """Let `import torch` give flambeau, here and in the processes that are started."""
    from .as_torch import sitecustomize

    sitecustomize.install()
    folder = os.path.dirname(os.path.abspath(sitecustomize.__file__))
    before = [entry for entry in [os.environ.get("PYTHONPATH")] if entry]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *before])


def _run_module(name, args):
    import runpy

    _set_first_path(os.getcwd())
    sys.argv = [name, *args]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_script(script, args):
    sys.argv = [script, *args]
    if os.path.isdir(script) or script.endswith((".zip", ".pyz")):
        import runpy

        del sys.path[0]
        runpy.run_path(script, run_name="__main__")
        return
    _set_first_path(os.path.dirname(os.path.realpath(script)))
    _run_file(os.path.abspath(script))


def _run_file(path):
    """What `runpy.run_path` does, except that `__main__` stays in place for what runs at exit."""
    import builtins
    import io
    import types
    from importlib.machinery import SourceFileLoader

    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__dict__.update(
        __file__=path,
        __builtins__=builtins,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", path),
        __package__=None,
        __spec__=None,
    )
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, main.__dict__)


def _set_first_path(folder):
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _show_error(kind, error, trace):
    """Show an uncaught error without the frames of this command."""
    program = vars(sys.modules["__main__"])
    first = trace
    while first is not None and first.tb_frame.f_globals is not program:
        first = first.tb_next
    if first is not None or kind is SyntaxError:
        trace = first
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
