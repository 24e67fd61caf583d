"""What there is to know about an installation."""

import subprocess
import sys

import flambeau
from flambeau.utils import collect_env


def test_facts(monkeypatch):
    env = collect_env.get_env_info()
    assert env.torch_version == flambeau.__version__
    assert env.python_version.startswith(sys.version.split()[0])
    assert env.is_cuda_available == str(flambeau.cuda.is_available())
    assert "numpy" in env.pip_packages
    monkeypatch.setattr(collect_env, "LIBRARIES", ("no such library",))
    assert collect_env.get_env_info().pip_packages == "no such library not installed"


def test_text():
    env = collect_env.get_env_info()
    text = collect_env.pretty_str(env._replace(libc_version=None))
    assert len(text.splitlines()) == len(env)
    assert "Libc version: unknown" in text
    assert collect_env.get_pretty_env_info().startswith("flambeau version: ")


def test_as_a_program():
    command = [sys.executable, "-m", "flambeau.utils.collect_env"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("flambeau version: ")
