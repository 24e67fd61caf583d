"""`flambeau.nn.functional.loss_regression` against torch."""

import pytest

import flambeau
import flambeau.nn.functional as F
from flambeau import config

REDUCTIONS = ["mean", "sum", "none"]
SIMPLE = [
    ("mse_loss", {}),
    ("l1_loss", {}),
    ("smooth_l1_loss", {}),
    ("smooth_l1_loss", {"beta": 0.3}),
    ("smooth_l1_loss", {"beta": 0}),
    ("huber_loss", {}),
    ("huber_loss", {"delta": 0.4}),
]


@pytest.mark.parametrize(("name", "options"), SIMPLE)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0,)])
def test_values_and_gradients(twins, name, options, reduction, shape):
    inputs = twins.randn(*shape), twins.randn(*shape)
    options = {**options, "reduction": reduction}
    twins.check(f"nn.functional.{name}", *inputs, second=bool(shape != (0,)), **options)


@pytest.mark.parametrize(("name", "options"), SIMPLE)
def test_dtypes(twins, name, options):
    path = f"nn.functional.{name}"
    twins.check(path, twins.randn(3, dtype="float64"), twins.randn(3, dtype="float64"), **options)
    if name != "huber_loss":  # which torch has for one dtype only
        twins.check(path, twins.randn(3), twins.randint(5, 3), **options)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_broadcasting_warns(twins, name):
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[4\]\)\).*Size\(\[4, 1\]\)"):
        twins.check(f"nn.functional.{name}", twins.randn(4, 1), twins.randn(4))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_broadcasting_is_an_error_in_strict_mode(monkeypatch, name):
    monkeypatch.setattr(config, "strict", True)
    with pytest.raises(ValueError, match="different to the input size"):
        getattr(F, name)(flambeau.ones(4, 1), flambeau.ones(4))


def test_warning_is_at_the_line_of_the_caller():
    with pytest.warns(UserWarning, match="broadcasting") as caught:
        flambeau.nn.MSELoss()(flambeau.ones(4, 1), flambeau.ones(4))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights(twins, name, reduction):
    args = twins.randn(2, 3), twins.randn(2, 3)
    weight = twins.rand(2, 3, grad=False)
    twins.check(f"nn.functional.{name}", *args, reduction=reduction, weight=weight)
    twins.same_error(f"nn.functional.{name}", *args, weight=twins.randn(3), text="same size")


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "poisson_nll_loss"])
@pytest.mark.parametrize("legacy", [{"size_average": False}, {"reduce": False}, {"reduce": True}])
def test_legacy_reductions(twins, name, legacy):
    with pytest.warns(UserWarning, match="please use reduction="):
        twins.check(f"nn.functional.{name}", twins.randn(4), twins.randn(4), **legacy)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_errors(twins, name):
    path, x = f"nn.functional.{name}", twins.randn(3, 5)
    twins.same_error(path, x, x, reduction="foo", text="foo is not a valid value")
    with pytest.warns(UserWarning, match="size"):
        twins.same_error(path, x, twins.randn(3, 4))


def test_errors_of_options(twins):
    x = twins.randn(3)
    twins.same_error("nn.functional.smooth_l1_loss", x, x, beta=-1.0)
    twins.same_error("nn.functional.huber_loss", x, x, delta=0.0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_nll_loss(twins, reduction, log_input, full):
    options = {"log_input": log_input, "full": full, "reduction": reduction}
    target = twins.randint(5, 3, 4).float()
    twins.check("nn.functional.poisson_nll_loss", twins.rand(3, 4), target, **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (3,)])
def test_gaussian_nll_loss(twins, reduction, full, shape):
    args = twins.randn(3, 4), twins.randn(3, 4), twins.rand(*shape)
    twins.check("nn.functional.gaussian_nll_loss", *args, full=full, reduction=reduction)


def test_gaussian_nll_loss_limits_variances(twins, torch):
    var = torch.tensor([0.0, 1.0, 1e-9], requires_grad=True)
    twins.check("nn.functional.gaussian_nll_loss", twins.randn(3), twins.randn(3), var)
    twins.check("nn.functional.gaussian_nll_loss", twins.randn(3), twins.randn(3), 0.5)


def test_gaussian_nll_loss_errors(twins):
    path, x = "nn.functional.gaussian_nll_loss", twins.randn(3, 4, grad=False)
    twins.same_error(path, x, x, twins.rand(2), text="incorrect size")
    twins.same_error(path, x, x, -twins.rand(3, 4), text="negative")
    twins.same_error(path, x, x, -1.0, text="negative")
    twins.same_error(path, x, x, x.abs(), reduction="x")
