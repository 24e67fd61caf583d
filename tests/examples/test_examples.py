"""Every example runs, and gives with flambeau the figures that it gives with PyTorch."""

import pathlib
import sys
import types

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
# Few epochs; and no dropout, as random masks are drawn in another way than by PyTorch.
ARGUMENTS = {
    "01_tensors_and_broadcasting": None,
    "02_autograd_thermometers": ["--epochs", "500", "--plot", "plot.png"],
    "03_iris_train": ["--epochs", "20", "--plot", "plot.png"],
    "04_iris_validate": ["--epochs", "20", "--plot", "plot.png"],
    "05_iris_dataloader": ["--epochs", "4", "--plot", "plot.png"],
    "06_digits": ["--epochs", "2", "--dropout", "0", "--plot", "plot.png"],
}


@pytest.fixture(autouse=True)
def plots(monkeypatch, tmp_path):
    for module in ("sklearn", "tqdm"):
        pytest.importorskip(module)
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)


def load(name, library="flambeau"):
    """The example as a module, with the imports of `library`."""
    path = FOLDER / f"{name}.py"
    source = path.read_text()
    if library != "flambeau":
        source = source.replace("import flambeau as torch", f"import {library}")
        source = source.replace("from flambeau", f"from {library}")
        assert "flambeau" not in source
    module = types.ModuleType(name)
    exec(compile(source, path, "exec"), vars(module))
    return module


def run(name, library="flambeau"):
    """What `main` returns, as one list of numbers."""
    arguments = ARGUMENTS[name]
    main = load(name, library).main
    result = main() if arguments is None else main(arguments)
    if isinstance(result, tuple):
        result = [loss for losses in result for loss in losses]
    return result


def test_all_examples_are_tested():
    assert sorted(ARGUMENTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_same_losses(torch, name):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours, theirs = run(name), run(name, "torch")
    finally:
        torch.set_num_threads(threads)
    assert ours == (None if theirs is None else pytest.approx(theirs, rel=1e-4))
    assert ARGUMENTS[name] is None or pathlib.Path("plot.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["01_tensors_and_broadcasting", "02_autograd_thermometers"])
def test_same_text(torch, capsys, name):
    run(name)
    ours = capsys.readouterr().out
    run(name, "torch")
    assert ours == capsys.readouterr().out


def test_thermometer_figures(capsys):
    run("02_autograd_thermometers")
    text = capsys.readouterr().out
    assert "gradient: tensor([4517.2969,   82.6000])" in text
    assert "tensor([1.7761, 0.1064], requires_grad=True)" in text


def test_best_weights_are_saved():
    run("05_iris_dataloader")
    import flambeau

    weights = flambeau.load("iris.pt")
    assert {name: tuple(value.shape) for name, value in weights.items()} == {
        "0.weight": (64, 4),
        "0.bias": (64,),
        "2.weight": (3, 64),
        "2.bias": (3,),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the example has no main guard for spawn")
def test_workers_give_the_same():
    here = load("05_iris_dataloader").main(["--epochs", "2"])
    beside = load("05_iris_dataloader").main(["--epochs", "2", "--workers", "1"])
    for ours, expected in zip(beside, here, strict=True):
        # Batches that are made here may be computed in one program with what uses them.
        assert ours == pytest.approx(expected, rel=1e-6)
