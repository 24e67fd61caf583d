"""`flambeau.nn.functional.unpooling` against torch."""

import pytest

import flambeau

F = flambeau.nn.functional
SIZES = (7, 6, 5)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2}], ids=str)
def test_max_unpool(twins, n, options):
    x = twins.randn(2, 2, *SIZES[:n], grad=False)
    pool = getattr(twins.torch.nn.functional, f"max_pool{n}d")
    value, indices = pool(x, **options, return_indices=True)
    value = value.detach().requires_grad_()
    size = SIZES[:n]
    path = f"nn.functional.max_unpool{n}d"
    twins.check(path, value, indices, **options, output_size=size, second=True)
    twins.check(path, value[0].detach(), indices[0], **options, output_size=size)
    twins.check(path, value, indices, **options, output_size=(2, 2, *size))


def test_gradients():
    flambeau.manual_seed(0)
    x = flambeau.randn(1, 2, 4, 4, dtype=flambeau.float64)
    value, indices = F.max_pool2d(x, 2, return_indices=True)
    value.requires_grad_()
    assert flambeau.autograd.gradcheck(lambda v: F.max_unpool2d(v, indices, 2), (value,))
    assert flambeau.autograd.gradgradcheck(lambda v: F.max_unpool2d(v, indices, 2), (value,))


def test_errors(twins):
    path, x = "nn.functional.max_unpool2d", twins.randn(1, 1, 2, 2)
    indices = twins.torch.zeros(1, 1, 2, 2, dtype=twins.torch.int64)
    twins.same_error(path, x, indices.float(), 2, text="type int64")
    twins.same_error(path, x, indices.int(), 2, text="type int64")
    twins.same_error(path, x, indices[..., :1], 2, text="Expected shape of indices")
    twins.same_error(path, x[0, 0], indices[0, 0], 2, text="should be a 3d or 4d Tensor")
    twins.same_error(path, x, indices, 2, output_size=(9, 9), text="must be between 2 and 6")
    twins.same_error(path, x, indices, 2, output_size=(1, 1, 1, 1, 5), text="has a length of '5'")
    twins.same_error(path, x.long(), indices, 2)
