"""What PyTorch refuses is refused here too, and with the same class of exception."""

import numpy as np
import pytest

import flambeau

CALLS = [
    "T.logsumexp(x, None)",
    "T.max(2, x)",
    "T.min(x, dim=(0, 1))",
    "T.prod(x, dim=(0, 1))",
    "T.argmax(x, dim=(0,))",
    "T.aminmax(x, dim=(0, 1))",
    "T.aminmax(x, dim=0, out=(T.empty(4), T.empty(4, dtype=T.float64)))",
    "T.sum(x, dim=1.0)",
    "T.amax(none)",
    "T.amin(none, dim=())",
    "T.amax(none, dim=1)",
    "T.aminmax(none)",
    "T.argmin(none, dim=1)",
    "x.var_mean()",
    "x.max(keepdim=True)",
    "T.gather(x, 0, i, out=T.empty(1, 4, dtype=T.float64))",
    "T.gather(x, 0, i, out=x)",
    "T.gather(x, 0, i + 7).tolist()",
    "T.scatter(x, 0, i + 7, 1.0).tolist()",
    "T.index_select(x, 0, i[0] + 7).tolist()",
    "x[i[0] + 7].tolist()",
    "T.take(x, i[0], out=x[0])",
    "T.masked_select(x, x > 0, out=x.view(-1))",
    "T.kthvalue(x[0], 2, out=(x[0], i[0]))",
    "T.complex(x.double(), x.double(), out=T.empty(3, 4, dtype=T.complex64))",
    "T.masked_fill(x, x > 0, 1j)",
    "T.masked_scatter(x, x > 0, i)",
    "T.masked_scatter(x, x > 0, x[0, :0]).tolist()",
    "T.index_fill(x, 0, i[0, :1], 1j)",
    "T.scatter(x, 0, i, x, reduce='bad')",
    "T.as_strided(x, (2,), (1, 2))",
    "T.as_strided(x, (2, 2), (1, -2), 1)",
    "T.narrow(x, 0, T.tensor(True), 1)",
    "T.narrow(x, 0, T.tensor([1]), 1)",
    "x.fill_(1j)",
    "int(x)",
    "float(x)",
    "x.item()",
    "~x",
    "T.bitwise_and(x, 1)",
    "x << 1",
    "T.abs(i > 0)",
    "-(i > 0)",
    "T.floor(i > 0)",
    "T.ceil(T.complex(x, x))",
    "T.complex(x, x) < 1",
    "T.complex(x, x).amax()",
    "T.complex(x, x).max(0)",
    "T.maximum(T.complex(x, x), T.complex(x, x))",
    "T.sign(T.complex(x, x))",
    "T.atan2(T.complex(x, x), T.complex(x, x))",
    "T.clamp(T.complex(x, x), 0, 1)",
    "T.mode(T.complex(x, x))",
    "T.logaddexp(i, i)",
    "T.nextafter(i, i)",
    "T.gcd(x, x)",
    "T.add(i, i, alpha=1.5)",
    "T.sub(x, x, alpha=1j)",
    "(i // 0).tolist()",
    "(i % 0).tolist()",
    "T.fmod(i, 0).tolist()",
    "T.div(i, 0, rounding_mode='trunc').tolist()",
    "T.adjoint(x[0])",
    "T.as_strided_scatter(x, x[:2, :2], (2, 2), (200, 200))",
    "T.special.zeta(2, 3)",
    "T.special.xlog1py(2, 3)",
    "T.Tensor.__radd__(2, x)",
    "T.Tensor.__rand__(2, i)",
    "T.logcumsumexp(i, 0)",
    "T.signal.windows.hann(5, layout=T.sparse_coo)",
    "T.signal.windows.kaiser(5, layout=T.sparse_coo)",
    "x.requires_grad_() and T.linalg.qr(x, 'r')[1].sum().backward()",
    "x.requires_grad_() and T.linalg.qr(x.t(), 'complete')[1].sum().backward()",
]


def error_of(library, call):
    """What a call raises."""
    names = {
        "T": library,
        "x": library.from_numpy(np.arange(12, dtype=np.float32).reshape(3, 4) - 5),
        "i": library.from_numpy(np.zeros((1, 4), np.int64)),
        "none": library.from_numpy(np.zeros((2, 0), np.float32)),
    }
    with pytest.raises(Exception) as caught:
        eval(call, names)
    return caught.value


@pytest.mark.parametrize("call", CALLS)
def test_error(torch, call):
    """The class is PyTorch's or one below it."""
    theirs, ours = error_of(torch, call), error_of(flambeau, call)
    assert isinstance(ours, type(theirs)), f"{ours!r} instead of {theirs!r}"
    assert str(ours)
