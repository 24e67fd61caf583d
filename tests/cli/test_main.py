"""The command line itself, and `flambeau info`."""

import pytest

from flambeau.cli import main


def test_help(capsys):
    for argv in ([], ["--help"], ["-h"]):
        assert main(argv) == 0
        assert "run SCRIPT" in capsys.readouterr().out


def test_unknown_command(capsys):
    assert main(["fly"]) == 2
    assert "no command 'fly'" in capsys.readouterr().err


def test_info(capsys):
    import llvmlite
    import numpy

    from flambeau import config

    assert main(["info"]) == 0
    text = capsys.readouterr().out
    for what in (numpy.__version__, llvmlite.__version__, "Threads", "Compiled", "CPU"):
        assert what in text
    for name in config.VARIABLES:
        assert name in text


def test_info_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["info", "--help"])
    assert ended.value.code == 0
    assert "usage: flambeau info" in capsys.readouterr().out
