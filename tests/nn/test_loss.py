"""`flambeau.nn.loss` and `flambeau.nn.loss_ranking` against torch."""

import pytest

from flambeau.nn import loss, loss_ranking

REAL = ["L1Loss", "MSELoss", "SmoothL1Loss"]


def inputs_of(twins, name):
    """Arguments that fit a loss."""
    classes, signs = twins.randint(4, 3), twins.randint(2, 3, 4) * 2 - 1
    x, y, z = twins.randn(3, 4), twins.randn(3, 4), twins.randn(3, 4)
    return {
        "NLLLoss": (x, classes),
        "CTCLoss": (twins.randn(5, 3, 4), twins.randint(3, 3, 2) + 1, (5, 5, 4), (2, 2, 1)),
        "CrossEntropyLoss": (x, classes),
        "MultiMarginLoss": (x, classes),
        "MultiLabelMarginLoss": (x, twins.randint(4, 3, 4)),
        "BCELoss": (twins.rand(3, 4), twins.rand(3, 4)),
        "BCEWithLogitsLoss": (x, twins.rand(3, 4)),
        "MultiLabelSoftMarginLoss": (x, twins.rand(3, 4)),
        "KLDivLoss": (x, twins.rand(3, 4)),
        "GaussianNLLLoss": (x, y, twins.rand(3, 4)),
        "PoissonNLLLoss": (x, classes.float().unsqueeze(1).expand(3, 4)),
        "HingeEmbeddingLoss": (x, signs),
        "SoftMarginLoss": (x, signs),
        "MarginRankingLoss": (x, y, signs),
        "CosineEmbeddingLoss": (x, y, signs[:, 0]),
        "TripletMarginLoss": (x, y, z),
        "TripletMarginWithDistanceLoss": (x, y, z),
    }.get(name, (x, y))


NAMES = sorted(loss.__all__ + loss_ranking.__all__)
OPTIONS = [
    ("SmoothL1Loss", {"beta": 0.5}),
    ("HuberLoss", {"delta": 0.5}),
    ("PoissonNLLLoss", {"log_input": False, "full": True}),
    ("GaussianNLLLoss", {"full": True, "eps": 0.1}),
    ("NLLLoss", {"ignore_index": 1}),
    ("CrossEntropyLoss", {"ignore_index": 1, "label_smoothing": 0.1}),
    ("KLDivLoss", {"log_target": True, "reduction": "batchmean"}),
    ("HingeEmbeddingLoss", {"margin": 0.5}),
    ("MarginRankingLoss", {"margin": 0.5}),
    ("CosineEmbeddingLoss", {"margin": 0.5}),
    ("TripletMarginLoss", {"margin": 2.0, "p": 1.0, "swap": True}),
    ("TripletMarginWithDistanceLoss", {"margin": 2.0, "swap": True}),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5}),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.filterwarnings("ignore:reduction")
def test_reductions(twins, name, reduction):
    if name == "PoissonNLLLoss":
        modules = twins.build(name, log_input=False, reduction=reduction)
        args = inputs_of(twins, name)
        twins.check_module(modules, args[0].detach().abs().requires_grad_(), *args[1:])
    else:
        twins.check_module(twins.build(name, reduction=reduction), *inputs_of(twins, name))


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_options(twins, name, options):
    args = inputs_of(twins, name)
    if name == "PoissonNLLLoss":
        args = (args[0].detach().abs().requires_grad_(), *args[1:])
    twins.check_module(twins.build(name, **options), *args)


WEIGHTED = ["NLLLoss", "CrossEntropyLoss", "MultiMarginLoss", "BCELoss", "BCEWithLogitsLoss"]


@pytest.mark.parametrize("name", [*WEIGHTED, "MultiLabelSoftMarginLoss"])
def test_weights(twins, name):
    modules = twins.build(name, weight=twins.rand(4, grad=False))
    assert list(modules[0].state_dict()) == ["weight"]
    twins.check_module(modules, *inputs_of(twins, name))


def test_pos_weight(twins):
    modules = twins.build("BCEWithLogitsLoss", pos_weight=3 * twins.rand(4, grad=False))
    twins.check_module(modules, *inputs_of(twins, "BCEWithLogitsLoss"))


def test_distance_function(twins):
    options = {"distance_function": lambda a, b: (a - b).abs().sum(-1)}
    modules = twins.build("TripletMarginWithDistanceLoss", **options)
    twins.check_module(modules, *inputs_of(twins, "TripletMarginWithDistanceLoss"))


@pytest.mark.parametrize("name", REAL + WEIGHTED)
def test_legacy_reductions(twins, name):
    with pytest.warns(UserWarning, match="reduction='sum' instead"):
        modules = twins.build(name, size_average=False)
    assert modules[0].reduction == "sum"


def test_errors(twins, torch):
    twins.same_error("nn.HuberLoss", delta="x", text="delta must be a float or int")
    twins.same_error("nn.TripletMarginLoss", 0.0, text="got 0.0 instead")
    twins.same_error("nn.TripletMarginWithDistanceLoss", margin=-1.0)
    twins.same_error("nn.MultiMarginLoss", 3)
    twins.same_error("nn.MultiMarginLoss", weight=torch.ones(1, 2))
