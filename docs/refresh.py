"""Runs the code of the pages in this folder and puts what it prints into them.

`python docs/refresh.py` rewrites the pages; the tests call `refreshed` and want no change:

- a block `python NAME.py` is a file in the folder of the commands after it,
- a block `console` is a command, `$ ...`, and what it prints,
- a block `python` that is followed by blocks `text LIBRARY` is run with `torch` as that library;
  such a block holds what it prints and the error that it ends in, if any.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

__all__ = ["refreshed"]

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def console(command, folder):
    """What a command prints, run in a folder with this Python."""
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    settings = {k: v for k, v in os.environ.items() if not k.startswith("FLAMBEAU_")}
    settings.update(PATH=path, PYTHONPATH=str(ROOT), FLAMBEAU_CACHE="0", COLUMNS="100")
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=settings, capture_output=True, text=True
    )
    text = done.stdout + "".join(done.stderr.splitlines(keepends=True)[-1:])
    return text.replace(f"{folder}/", "")


def outcome(code, library):
    """What a piece of code prints with a library, and the error that it ends in."""
    printed = io.StringIO()
    names = {"torch": library, "nn": library.nn, "F": library.nn.functional}
    library.manual_seed(0)
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        os.chdir(folder)
        try:
            exec(compile(code, "example.py", "exec"), names)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
        finally:
            os.chdir(here)
    lines = (textwrap.wrap(line, 96) or [""] for line in printed.getvalue().rstrip().splitlines())
    return "\n".join("\n".join(wrapped) for wrapped in lines) + "\n"


def refreshed(page, libraries):
    """The text of a page with what its code prints now, for {name: library} of those at hand."""
    code = ""
    with tempfile.TemporaryDirectory() as folder:

        def block(match):
            nonlocal code
            kind, body = match.groups()
            words = kind.split()
            if words[:1] == ["python"]:
                code = body
                if len(words) == 2:
                    Path(folder, words[1]).write_text(body)
            elif words == ["console"]:
                command = body.splitlines()[0]
                body = f"{command}\n{console(command.removeprefix('$ '), folder)}"
            elif words[:1] == ["text"] and len(words) == 2 and words[1] in libraries:
                body = outcome(code, libraries[words[1]])
            return f"```{kind}\n{body}```"

        return FENCE.sub(block, page)


def main():
    """Rewrite the pages of this folder."""
    sys.path.insert(0, str(ROOT))
    import torch

    import flambeau

    for path in sorted(Path(__file__).parent.glob("*.md")):
        path.write_text(refreshed(path.read_text(), {"torch": torch, "flambeau": flambeau}))


if __name__ == "__main__":
    main()
