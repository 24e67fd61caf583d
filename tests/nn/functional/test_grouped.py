"""`flambeau.nn.functional.grouped` against torch."""

import pytest

import flambeau
import flambeau.nn.functional as F

G, M, K, N = 3, 7, 16, 8
FORMS = {
    "rows": ((M, K), (G, K, N), (2, 5, 7)),
    "columns": ((G, M, K), (K, N), (3, 3, 8)),
    "inner": ((M, K), (K, N), (4, 9, 16)),
}


def groups(a, b, ends, name):
    """The products one by one."""
    spans = list(zip((0, *ends), ends, strict=False))
    if name == "rows":
        return flambeau.cat([a[s:e] @ b[i] for i, (s, e) in enumerate(spans)])
    if name == "columns":
        return flambeau.cat([a[i] @ b[:, s:e] for i, (s, e) in enumerate(spans)], 1)
    return flambeau.stack([a[:, s:e] @ b[s:e] for s, e in spans])


@pytest.mark.parametrize("name", FORMS)
def test_value_and_gradients(twins, torch, name):
    left, right, ends = FORMS[name]
    a, b = twins.randn(*left, grad=False), twins.randn(*right, grad=False)
    offs = torch.tensor(ends, dtype=torch.int32)
    ours = [x.requires_grad_() for x in twins.ours([a, b])]
    made = F.grouped_mm(*ours, offs=twins.ours(offs))
    twins.close(made, torch.nn.functional.grouped_mm(a, b, offs=offs))
    expected = groups(*ours, ends, name)
    pairs = [flambeau.autograd.grad((x * x).sum(), ours) for x in (made, expected)]
    for got, wanted in zip(*pairs, strict=True):
        assert flambeau.allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(twins, torch, dtype):
    a, b = twins.randn(M, K, grad=False, dtype=dtype), twins.randn(G, K, N, grad=False, dtype=dtype)
    offs = torch.tensor([2, 5, 7], dtype=torch.int32)
    twins.check("nn.functional.grouped_mm", a, b, offs=offs)


def test_batches(twins):
    twins.check("nn.functional.grouped_mm", twins.randn(G, M, K), twins.randn(G, K, N))


def test_behind_the_last_group():
    made = F.grouped_mm(
        *(flambeau.ones(4, 2), flambeau.ones(2, 2, 3)),
        offs=flambeau.tensor([1, 3], dtype=flambeau.int32),
    )
    assert made.sum(1).tolist() == [6.0, 6.0, 6.0, 0.0]


def test_second_derivative():
    a = flambeau.randn(4, 2).requires_grad_()
    b = flambeau.randn(2, 2, 3).requires_grad_()
    offs = flambeau.tensor([1, 4], dtype=flambeau.int32)
    (g,) = flambeau.autograd.grad((F.grouped_mm(a, b, offs=offs) ** 2).sum(), a, create_graph=True)
    flambeau.autograd.backward((g * g).sum())
    expected = a.detach().clone().requires_grad_()
    made = flambeau.cat([expected[:1] @ b[0], expected[1:] @ b[1]])
    (g,) = flambeau.autograd.grad((made**2).sum(), expected, create_graph=True)
    wanted = flambeau.autograd.grad((g * g).sum(), expected)[0]
    assert flambeau.allclose(a.grad, wanted, rtol=1e-4, atol=1e-4)


def test_what_it_refuses(torch):
    found = []
    for t in (flambeau, torch):
        call = t.nn.functional.grouped_mm
        a, b = t.ones(M, K), t.ones(G, K, N)
        offs = t.tensor([2, 5, 7], dtype=t.int32)
        for args, how in (
            ((a, b), {}),
            ((t.ones(G, M, K), b), {"offs": offs}),
            ((t.ones(2, M, K), b), {}),
            ((a, b), {"offs": offs.long()}),
            ((a, b), {"offs": offs[:2]}),
            ((a, b), {"offs": offs[None]}),
            ((a[0], b), {"offs": offs}),
            ((a[:, :8], b), {"offs": offs}),
            ((a.double(), b), {"offs": offs}),
            ((a, b.double()), {"offs": offs}),
            ((a, b), {"offs": offs, "bias": t.ones(N)}),
            ((a, b), {"offs": offs, "out_dtype": t.bfloat16}),
        ):
            with pytest.raises(RuntimeError) as caught:
                call(*args, **how)
            found.append(str(caught.value)[:20])
    assert found[:12] == found[12:]
