"""`flambeau.nn.functional.fold` against torch."""

import pytest

import flambeau

OPTIONS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0)},
    {"kernel_size": 3, "dilation": 2, "padding": 2},
    {"kernel_size": (3, 2), "dilation": (2, 3), "stride": (3, 2), "padding": 2},
    {"kernel_size": 2, "stride": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_unfold(twins, options):
    twins.check("nn.functional.unfold", twins.randn(2, 3, 6, 7), second=True, **options)
    twins.check("nn.functional.unfold", twins.randn(3, 6, 7), **options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_fold(twins, options):
    columns = twins.torch.nn.functional.unfold(twins.torch.zeros(2, 3, 6, 7), **options)
    twins.check(
        *("nn.functional.fold", twins.randn(*columns.shape), (6, 7)), second=True, **options
    )
    twins.check("nn.functional.fold", twins.randn(*columns.shape[1:]), (6, 7), **options)


@pytest.mark.parametrize("dtype", ["bool", "complex64", "float16", "bfloat16"])
def test_dtypes(twins, dtype):
    x = (twins.randint(5, 1, 2, 5, 5) - 2).to(getattr(twins.torch, dtype))
    twins.check("nn.functional.unfold", x, 2, padding=1)
    twins.check("nn.functional.fold", x.reshape(1, 2, 25)[:, :, :16].repeat(1, 2, 1), (5, 5), 2)


def test_fold_is_the_gradient_of_unfold():
    flambeau.manual_seed(0)
    x = flambeau.randn(1, 2, 5, 6, dtype=flambeau.float64, requires_grad=True)

    def unfold(x):
        return flambeau.nn.functional.unfold(x, (2, 3), dilation=(1, 2), padding=1, stride=2)

    assert flambeau.autograd.gradcheck(unfold, (x,))
    assert flambeau.autograd.gradgradcheck(unfold, (x,))


def test_empty(twins):
    twins.check("nn.functional.unfold", twins.randn(0, 3, 5, 5), 2)
    twins.check("nn.functional.fold", twins.randn(0, 12, 16), (5, 5), 2)


def test_errors_of_unfold(twins):
    path, x = "nn.functional.unfold", twins.randn(1, 3, 5, 5)
    twins.same_error(path, x[0, 0], 2)
    twins.same_error(path, x, 7, text="calculated shape of the array of sliding blocks as (-1, -1)")
    twins.same_error(path, x, (2, 2, 2), text="kernel_size equals to 2, but got size 3")
    twins.same_error(path, x, 0, text="kernel size should be greater than zero")
    twins.same_error(path, x, 2, stride=0, text="stride")
    twins.same_error(path, x, 2, padding=-1, text="padding")
    twins.same_error(path, x, 2, dilation=0, text="dilation")
    twins.same_error(path, x[:, :0], 2)
    twins.same_error(path, x.long(), 2)


def test_errors_of_fold(twins):
    path, x = "nn.functional.fold", twins.randn(1, 12, 16)
    twins.same_error(path, x[:, :11], (5, 5), 2, text="input.size(1)=11 and kernel_size=(2, 2)")
    twins.same_error(path, x[..., :15], (5, 5), 2, text="4 * 4 = 16, but got input.size(2)=15")
    twins.same_error(path, x[None], (5, 5), 2)
    twins.same_error(path, x.long(), (5, 5), 2)
    twins.same_error(path, x, (5, 5, 5), 2)
    twins.same_error(path, x, (1, 1), 2)
