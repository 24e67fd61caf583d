"""`flambeau.nn.functional.loss_classification` against torch."""

import pytest

import flambeau
import flambeau.nn.functional as F

REDUCTIONS = ["mean", "sum", "none"]
SHAPES = [(5,), (4, 5), (4, 5, 3), (2, 5, 3, 2)]


def targets(twins, shape):
    batch = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
    return twins.randint(shape[1] if len(shape) > 1 else shape[0], *batch)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy(twins, shape, reduction, weighted, smoothing):
    options = {"reduction": reduction, "label_smoothing": smoothing}
    if weighted:
        options["weight"] = twins.rand(5, grad=False).double()
    x, target = twins.randn(*shape, dtype="float64"), targets(twins, shape)
    twins.check("nn.functional.cross_entropy", x, target, second=True, **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_ignores_an_index(twins, reduction, weighted, smoothing):
    options = {"reduction": reduction, "label_smoothing": smoothing, "ignore_index": 1}
    if weighted:
        options["weight"] = twins.rand(3, grad=False)
    x = twins.randn(6, 3)
    target = twins.torch.tensor([0, 1, 2, 1, 0, 2])
    twins.check("nn.functional.cross_entropy", x, target, **options)
    options["ignore_index"] = -100
    target = twins.torch.tensor([0, -100, 2, -100, 0, 2])
    twins.check("nn.functional.cross_entropy", x, target, **options)


def test_cross_entropy_of_nothing(twins, torch):
    x = twins.randn(2, 3)
    twins.check("nn.functional.cross_entropy", x, torch.tensor([-100, -100]))
    empty = twins.randn(0, 3)
    twins.check("nn.functional.cross_entropy", empty, torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities(twins, shape, reduction, weighted, smoothing):
    options = {"reduction": reduction, "label_smoothing": smoothing}
    if weighted:
        options["weight"] = twins.rand(5, grad=False)
    twins.check("nn.functional.cross_entropy", twins.randn(*shape), twins.rand(*shape), **options)


def test_cross_entropy_of_large_scores(twins, torch):
    x = torch.tensor([[1000.0, -1000.0], [0.0, 90.0]], requires_grad=True)
    twins.check("nn.functional.cross_entropy", x, torch.tensor([1, 1]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_cross_entropy_in_half_precision(twins, dtype):
    twins.check("nn.functional.cross_entropy", twins.randn(4, 9, dtype=dtype), twins.randint(9, 4))


def test_cross_entropy_of_bytes(twins):
    twins.check("nn.functional.cross_entropy", twins.randn(4, 9), twins.randint(9, 4).byte())


def test_cross_entropy_errors(twins, torch):
    path, x = "nn.functional.cross_entropy", torch.ones(3, 5)
    classes = torch.zeros(3, dtype=torch.int64)
    twins.same_error(path, x, classes[:2], text="batch_size (3) to match target batch_size (2)")
    twins.same_error(path, x, classes.float(), text="expected target dtype to be Long or Byte")
    twins.same_error(path, x, classes.int(), text="int32")
    twins.same_error(path, x, torch.ones(3, 4), text="multi-target not supported")
    twins.same_error(path, x, classes.unsqueeze(1), text="[3, 1]")
    twins.same_error(path, x, classes, weight=torch.ones(4), text="all 5 classes")
    twins.same_error(path, torch.ones(3, 5, 2), torch.zeros(3, 3).long(), text="got [3, 3]")
    twins.same_error(path, x.long(), classes, text="int64")
    twins.same_error(path, x, classes, reduction="foo", text="foo is not a valid value")
    twins.same_error(path, x, classes, label_smoothing=1.5, text="Got: 1.5")
    twins.same_error(path, torch.ones(()), torch.tensor(0))
    twins.same_error(path, x, x, ignore_index=2, text="ignore_index is not supported")
    twins.same_error(path, x, x.long(), text="Expected floating point type")
    twins.same_error(path, x, torch.tensor(0))
    weight = torch.ones(5, requires_grad=True)
    x = x.requires_grad_()
    with pytest.raises(RuntimeError, match="derivative for 'weight' is not implemented"):
        F.cross_entropy(*twins.ours((x, classes, weight)))


def test_class_out_of_range():
    with pytest.raises(IndexError):
        F.cross_entropy(flambeau.ones(1, 3), flambeau.tensor([7])).item()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_nll_loss(twins, shape, reduction, weighted, ignore_index):
    options = {"reduction": reduction, "ignore_index": ignore_index}
    if weighted:
        options["weight"] = twins.rand(5, grad=False)
    target = twins.torch.tensor(2) if len(shape) == 1 else targets(twins, shape)
    twins.check("nn.functional.nll_loss", twins.randn(*shape), target, **options)


def test_nll_loss_errors(twins, torch):
    path, x = "nn.functional.nll_loss", torch.ones(3, 5)
    classes = torch.zeros(3, dtype=torch.int64)
    twins.same_error(path, x, classes[:2])
    twins.same_error(path, x, classes.unsqueeze(1))
    twins.same_error(path, x, classes.float())
    twins.same_error(path, x, classes, torch.ones(4))
    twins.same_error(path, torch.ones(3, 5, 2), torch.zeros(3, 3).long())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(), (6,), (3, 4), (0,)])
class TestBinary:
    def test_binary_cross_entropy(self, twins, reduction, weighted, shape):
        options = {"reduction": reduction}
        if weighted:
            options["weight"] = twins.rand(*shape[1:], grad=False)
        args = twins.rand(*shape), twins.rand(*shape)
        twins.check("nn.functional.binary_cross_entropy", *args, **options)

    @pytest.mark.parametrize("positive", [False, True])
    def test_with_logits(self, twins, reduction, weighted, shape, positive):
        options = {"reduction": reduction}
        if weighted:
            options["weight"] = twins.rand(*shape[1:], grad=False)
        if positive:
            options["pos_weight"] = 3 * twins.rand(*shape[-1:], grad=False)
        args = twins.randn(*shape), twins.rand(*shape)
        path = "nn.functional.binary_cross_entropy_with_logits"
        twins.check(path, *args, second=shape == (3, 4), **options)


def test_binary_cross_entropy_at_the_ends(twins, torch):
    x = torch.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    target = torch.tensor([0.0, 1.0, 1.0, 0.0])
    twins.check("nn.functional.binary_cross_entropy", x, target)


def test_large_logits(twins, torch):
    x = torch.tensor([-1000.0, 1000.0, -30.0, 30.0], requires_grad=True)
    target = torch.tensor([0.0, 0.0, 1.0, 1.0])
    twins.check("nn.functional.binary_cross_entropy_with_logits", x, target)


def test_binary_cross_entropy_errors(twins, torch):
    path, x = "nn.functional.binary_cross_entropy", torch.ones(3, 5)
    twins.same_error(path, x, torch.ones(3, 4), text="different to the input size")
    twins.same_error(path, x, x.long(), text="int64")
    twins.same_error(path, x, x, weight=torch.ones(4))
    path += "_with_logits"
    twins.same_error(path, x, torch.ones(3, 4), text="must be the same as input size")
    twins.same_error(path, x, x.long(), text="int64")
    twins.same_error(path, x, x, pos_weight=torch.ones(4))


@pytest.mark.parametrize("reduction", ["batchmean", "sum", "none"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div(twins, reduction, log_target):
    options = {"reduction": reduction, "log_target": log_target}
    twins.check("nn.functional.kl_div", twins.randn(3, 4), twins.rand(3, 4), **options)


def test_kl_div_of_zeros(twins, torch):
    target = torch.tensor([0.0, 1.0])
    twins.check("nn.functional.kl_div", twins.randn(2), target, reduction="sum")


def test_kl_div_mean_warns(twins):
    with pytest.warns(UserWarning, match="batchmean"):
        twins.check("nn.functional.kl_div", twins.randn(3, 4), twins.rand(3, 4))


def test_kl_div_errors(twins, torch):
    path, x = "nn.functional.kl_div", torch.ones(3)
    twins.same_error(path, x, x.long(), reduction="sum")
    twins.same_error(path, x, x, reduction="foo")
