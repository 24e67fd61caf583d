"""`flambeau run` runs programs that import torch."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from flambeau.cli import main

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def program(tmp_path):
    """A function that runs text as `program.py` and gives the finished process."""

    def run(text, *args, module=False, code=0):
        (tmp_path / "program.py").write_text(textwrap.dedent(text))
        target = ["-m", "program"] if module else ["program.py"]
        done = subprocess.run(
            [sys.executable, "-m", "flambeau", "run", *target, *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def test_modules_are_those_of_flambeau(program):
    program(
        """
        import sys
        import torch
        import torch.nn as nn, torch.optim as optim
        import torch.nn.functional as F
        from torch import Tensor, nn as again
        from torch.utils.data import DataLoader
        from torch.optim.lr_scheduler import StepLR
        import flambeau, flambeau.nn.functional, flambeau.utils.data

        assert torch is flambeau is torch.torch and torch.__name__ == "torch"
        assert nn is flambeau.nn is again is sys.modules["torch.nn"]
        assert F is flambeau.nn.functional is torch.nn.functional
        assert DataLoader is flambeau.utils.data.DataLoader
        assert torch.__spec__.name == "flambeau" and nn.__spec__.name == "flambeau.nn"
        assert float((torch.ones(2) + 1).sum()) == 4.0
        """
    )


def test_what_flambeau_lacks(program):
    program(
        """
        import importlib.metadata, importlib.util
        import torch

        assert importlib.util.find_spec("torch") is not None
        assert importlib.util.find_spec("torch.no_such_thing") is None
        try:
            import torch.no_such_thing
        except ModuleNotFoundError as error:
            assert error.name == "torch.no_such_thing"
        else:
            raise AssertionError
        assert importlib.metadata.version("torch") == torch.__version__
        """
    )


@pytest.mark.parametrize("module", [False, True])
def test_looks_like_python(program, module):
    done = program(
        """
        import os, sys
        assert __name__ == "__main__"
        assert sys.modules["__main__"].__dict__ is globals()
        assert __file__ == os.path.abspath("program.py")
        assert os.path.samefile(sys.path[0], os.getcwd())
        assert os.path.basename(sys.argv[0]) == "program.py"
        print(*sys.argv[1:])
        sys.exit(3)
        """,
        *("-m", "--epochs", "2", "-h"),
        module=module,
        code=3,
    )
    assert done.stdout.split() == ["-m", "--epochs", "2", "-h"]


def test_functions_of_the_program_can_be_pickled(program):
    program(
        """
        import atexit, pickle

        def f():
            return 1

        @atexit.register
        def check():
            assert pickle.loads(pickle.dumps(f))() == 1

        check()
        """
    )


def test_errors_show_the_program_alone(program):
    done = program("def f():\n    return 1 / 0\n\nf()", code=1)
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "program.py" in lines[1]
    assert lines[-1].startswith("ZeroDivisionError")
    assert "flambeau" not in done.stderr
    done = program("x = (", code=1)
    assert done.stderr.splitlines()[-1].startswith("SyntaxError")
    assert "flambeau" not in done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has spawn alone")
def test_workers_have_it_too(program, method):
    done = program(
        """
        import sys
        import torch
        from torch.utils.data import DataLoader, Dataset

        class Names(Dataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                import torch.nn
                return torch.nn.__name__

        if __name__ == "__main__":
            loader = DataLoader(Names(), num_workers=1, multiprocessing_context=sys.argv[1])
            print(*[name for batch in loader for name in batch])
        """,
        method,
    )
    assert done.stdout.split() == ["flambeau.nn"] * 2


def test_processes_have_it_too(program, tmp_path):
    hidden = tmp_path / "site"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.hidden = True\n")
    done = program(
        f"""
        import os, subprocess, sys
        os.environ["PYTHONPATH"] += os.pathsep + {str(hidden)!r}
        code = "import sys, torch; print(torch.__package__, sys.hidden, sys.path)"
        print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
        """
    )
    assert done.stdout.startswith("flambeau True ")
    assert "as_torch" not in done.stdout


def test_folders_and_archives(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("helper.py", "name = __import__('torch').__package__")
        archive.writestr("__main__.py", "import helper, sys; print(helper.name, sys.argv[1:])")
    done = subprocess.run(
        [sys.executable, "-m", "flambeau", "run", str(tmp_path / "app.zip"), "a"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "flambeau ['a']", done.stderr


def test_wrong_use(capsys):
    assert main(["run"]) == 2
    assert main(["run", "--help"]) == 0
    assert main(["run", "-m"]) == 2
    assert main(["run", "no such file.py"]) == 2
    assert "no file 'no such file.py'" in capsys.readouterr().err
