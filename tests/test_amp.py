"""Mixed precision: the dtypes that PyTorch chooses, and the scaler's arithmetic."""

import warnings

import pytest

import flambeau

SHAPES = {
    "mm": lambda t, x: t.mm(x, x.t()),
    "matmul": lambda t, x: x @ x.t(),
    "bmm": lambda t, x: t.bmm(x[None], x.t()[None]),
    "addmm": lambda t, x: t.addmm(t.ones(4), x, x.t()),
    "baddbmm": lambda t, x: t.baddbmm(t.ones(4), x[None], x.t()[None]),
    "einsum": lambda t, x: t.einsum("ij,kj->ik", x, x),
    "linear": lambda t, x: t.nn.functional.linear(x, x, t.ones(4)),
    "mixed linear": lambda t, x: t.nn.functional.linear(x.bfloat16(), x, t.ones(4)),
    "mixed mm": lambda t, x: t.mm(x.bfloat16(), x.t()),
    "double stays": lambda t, x: x.double() @ x.t().double(),
    "add": lambda t, x: x + 1,
    "softmax": lambda t, x: t.softmax(x @ x.t(), 1),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x @ x.t(), t.arange(4)),
    "mse_loss": lambda t, x: t.nn.functional.mse_loss(x @ x.t(), x @ x.t()),
    "nested off": lambda t, x: off(t, x),
}


def off(t, x):
    with t.autocast("cpu", enabled=False):
        return x @ x.t()


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", SHAPES)
def test_dtypes(torch, name, kind):
    """The dtype of the result within autocast is PyTorch's, and of a leaf's gradient its own."""
    found = []
    for library in (flambeau, torch):
        x = library.linspace(-1, 1, 12).reshape(4, 3).requires_grad_()
        with library.autocast("cpu", dtype=getattr(library, kind)):
            y = SHAPES[name](library, x)
        y.float().sum().backward()
        numbers = y.detach().float().reshape(-1).tolist()
        found.append((str(y.dtype)[-8:], str(x.grad.dtype)[-8:], numbers))
    ours, theirs = found
    assert ours[:2] == theirs[:2]
    assert ours[2] == pytest.approx(theirs[2], rel=1e-2, abs=1e-2)


def test_the_mode_ends_with_its_block():
    x = flambeau.ones(2, 2)
    with flambeau.autocast("cpu"):
        assert flambeau.is_autocast_enabled("cpu")
        inside = x @ x
        assert inside.tolist() == [[2.0, 2.0], [2.0, 2.0]]  # a sync point within
        assert (x @ x).dtype is flambeau.bfloat16
    assert not flambeau.is_autocast_enabled("cpu")
    assert (x @ x).dtype is flambeau.float32


def test_a_decorated_function():
    @flambeau.autocast("cpu")
    def product(x):
        return x @ x

    assert product(flambeau.ones(2, 2)).dtype is flambeau.bfloat16


def test_no_such_device_is_off():
    with pytest.warns(UserWarning, match="not available"), flambeau.autocast("cuda"):
        assert (flambeau.ones(2, 2) @ flambeau.ones(2, 2)).dtype is flambeau.float32


def test_other_dtypes_are_off():
    with pytest.warns(UserWarning, match="not supported"), flambeau.autocast("cpu", flambeau.int8):
        assert (flambeau.ones(2, 2) @ flambeau.ones(2, 2)).dtype is flambeau.float32


def train(torch):
    """Losses, weights and scales of steps of which one overflows."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    record = []
    for step in range(6):
        optimizer.zero_grad()
        loss = model(torch.full((4, 3), 1e30 if step == 3 else 0.5)).square().sum()
        scaler.scale(loss).backward()
        if step == 1:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        record.append([scaler.get_scale(), *model.weight.detach().reshape(-1).tolist()])
    return record, scaler.state_dict()


def test_scaler(torch):
    ours, state = train(flambeau)
    theirs, their_state = train(torch)
    for x, y in zip(ours, theirs, strict=True):
        assert x == pytest.approx(y, rel=1e-5)
    assert state == their_state


def test_scaler_without_its_device():
    with pytest.warns(UserWarning, match="not available"):
        scaler = flambeau.amp.GradScaler("cuda")
    loss = flambeau.ones(())
    assert scaler.scale(loss) is loss
    assert scaler.state_dict() == {}


def test_scaler_mistakes(torch):
    for library in (flambeau, torch):
        p = library.ones(2, requires_grad=True)
        optimizer = library.optim.SGD([p], 0.1)
        scaler = library.amp.GradScaler("cpu")
        with pytest.raises(AssertionError):
            scaler.update()
        scaler.scale(p.sum()).backward()
        scaler.unscale_(optimizer)
        with pytest.raises(RuntimeError, match="already been called"):
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        with pytest.raises(RuntimeError, match="already been called"):
            scaler.step(optimizer)


def test_custom_functions_keep_the_mode():
    """`custom_fwd` casts the inputs and turns autocast off; `custom_bwd` does as `forward` did."""
    seen = []

    class Square(flambeau.autograd.Function):
        @staticmethod
        @flambeau.amp.custom_fwd(device_type="cpu", cast_inputs=flambeau.float32)
        def forward(ctx, x):
            ctx.save_for_backward(x)
            seen.append((x.dtype, flambeau.is_autocast_enabled("cpu")))
            return x * x

        @staticmethod
        @flambeau.amp.custom_bwd(device_type="cpu")
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            seen.append(flambeau.is_autocast_enabled("cpu"))
            return 2 * x * g

    x = flambeau.ones(2, dtype=flambeau.bfloat16, requires_grad=True)
    with warnings.catch_warnings(), flambeau.autocast("cpu"):
        y = Square.apply(x)
    y.sum().backward()
    assert seen == [(flambeau.float32, False), False]
    assert x.grad.tolist() == [2.0, 2.0]
