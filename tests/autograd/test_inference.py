"""Tensors that were made in inference mode."""

import pytest

import flambeau

from .programs import Programs, leaf, square

PROGRAMS = Programs()
program = PROGRAMS.add


def made(t, sync=False):
    """A tensor made in inference mode, in memory or not."""
    with t.inference_mode():
        x = t.ones(3) * 2
        y = t.tensor([1.0, 2.0, 3.0])
    if sync:
        x.tolist()
    return x, y


for sync in (False, True):

    def which_are(t, sync=sync):
        x, y = made(t, sync)
        others = x + 1, x.clone(), x[:2], x.detach(), x.view(3, 1), y[0]
        return [z.is_inference() for z in (x, y, *others)], t.is_inference(x)

    def saved_for_backward(t, sync=sync):
        return leaf(t, 1.0, 2.0, 3.0) * made(t, sync)[0]

    def not_saved_for_backward(t, sync=sync):
        y = leaf(t, 1.0, 2.0, 3.0) + made(t, sync)[0]
        y.sum().backward()
        return y

    def written(t, sync=sync):
        made(t, sync)[0].add_(1)

    def written_by_index(t, sync=sync):
        made(t, sync)[1][0] = 3.0

    def view_written(t, sync=sync):
        made(t, sync)[0][:2].zero_()

    def requires_grad(t, sync=sync):
        made(t, sync)[0].requires_grad_()

    def version(t, sync=sync):
        return made(t, sync)[0]._version

    def saved_by_a_custom_function(t, sync=sync):
        class Product(t.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.save_for_backward(y)
                return x * y

        return Product.apply(leaf(t, 1.0, 2.0, 3.0), made(t, sync)[0])

    def changed_in_inference_mode(t, sync=sync):
        x, _ = made(t, sync)
        with t.inference_mode():
            x.add_(1)
            x[0] = 7.0
        return x.is_inference(), x

    def clone_is_ordinary(t, sync=sync):
        x = made(t, sync)[0].clone()
        x.add_(1)
        x.requires_grad_()
        square(t).apply(x).sum().backward()
        return x.grad

    for f in (
        *(which_are, saved_for_backward, not_saved_for_backward, written, written_by_index),
        *(view_written, requires_grad, version, saved_by_a_custom_function),
        *(changed_in_inference_mode, clone_is_ordinary),
    ):
        f.__name__ += "_in_memory" if sync else ""
        PROGRAMS.append(f)


@program
def ordinary_tensors_stay_so(t):
    x = t.ones(3)
    with t.inference_mode():
        x.add_(1)
        view = x[:2]
    found = x.is_inference(), view.is_inference(), x._version
    x.mul_(2)
    return found, x


@program
def of_a_parameter(t):
    w = leaf(t, 1.0, 2.0)
    with t.inference_mode():
        y = w * 2
    return y.requires_grad, y.is_inference(), y.is_leaf, y.grad_fn


@program
def normal_mode_within(t):
    w = leaf(t, 1.0, 2.0)
    with t.inference_mode(), t.inference_mode(False):
        y = w * 2
    return y.requires_grad, y.is_inference()


@program
def a_model_after_inference(t):
    t.manual_seed(0)
    m = t.nn.Linear(3, 2)
    x = t.ones(4, 3)
    with t.inference_mode():
        m(x).sum().item()
    m(x).sum().backward()
    with t.inference_mode():
        y = m(x)
    return m.weight.grad, y.is_inference(), y.clone()


@program
def backward_of_inference(t):
    w = leaf(t, 1.0, 2.0)
    with t.inference_mode():
        y = (w * 2).sum()
    y.backward()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)


def test_known_programs_are_checked_again():
    w = flambeau.ones(3, requires_grad=True)
    for _ in range(3):
        (w * (flambeau.ones(3) * 2)).sum().backward()
        x, _ = made(flambeau)
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
            w * x
