"""Gradients through sparse tensors, and gradients that are sparse, against PyTorch."""

import re

import numpy as np
import pytest

import flambeau

# Of a coalesced leaf `x`; where PyTorch gives a dense gradient, ours has the indices of `x`.
THROUGH = """
(x * 2).to_dense(); x.to_dense(); T.sparse.mm(x, m); T.mm(x, m); x @ m; x @ row; T.sparse.sum(x)
T.sparse.sum(x, 0).to_dense(); x.sum(); T.sparse.softmax(x, 1).to_dense()
x.coalesce().values() ** 2; T.sparse.log_softmax(x, 1).to_dense() * d; x.t().to_dense() * d.t()
T.ones(2, 3) + x; (x * d).to_dense(); T.sparse.mm(x, b.t()).to_dense()
x.to_sparse_csr().to_dense() * d; (x + b).to_dense() * d; x.abs().to_dense()
x.clone().to_dense(); x.double().to_dense(); x.coalesce().values() * 3
T.sparse.addmm(T.ones(2, 4), x, m); (x / 2).to_dense(); (-x).to_dense(); x.square().to_dense()
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", THROUGH.strip()))
@pytest.mark.parametrize("start", ["c", "s"])
def test_of_a_leaf(both, expression, start):
    def of(name):
        return (
            f"[(y.sum().backward(), x.grad.to_dense() * (x.detach().to_dense() != 0))[1] "
            f"for x in [{name}.requires_grad_()] for y in [{expression}]][0]"
        )

    ours, theirs = both(of(start))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 1e-5, 1e-6)


TO_DENSE = """
x.to_sparse().to_dense() * d; x.to_sparse(1).to_dense(); x.to_sparse_csr().to_dense() * d
T.sparse.mm(b.t(), x); T.sparse.mm(x.to_sparse(), m); x.sparse_mask(b).to_dense() * d; x + b
(x * b).to_dense(); csr.t() @ x; T.sparse.addmm(x, b, T.ones(3, 3))
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", TO_DENSE.strip()))
def test_of_a_dense_leaf(both, expression):
    ours, theirs = both(
        f"[(y.sum().backward(), x.grad.to_dense())[1] for x in [d.requires_grad_()] "
        f"for y in [{expression}]][0]"
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 1e-5, 1e-6)


def test_of_values_given():
    v = flambeau.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = flambeau.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], v, (2, 3))
    assert not x.is_leaf
    (x.to_dense() * flambeau.arange(6.0).reshape(2, 3)).sum().backward()
    assert v.grad.tolist() == [2.0, 3.0, 5.0]


def test_autograd_grad_gives_a_sparse_one():
    x = flambeau.eye(2).to_sparse().requires_grad_()
    (g,) = flambeau.autograd.grad((x.to_dense() * 3).sum(), x)
    assert g.layout is flambeau.sparse_coo
    assert g.to_dense().tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert x.grad is None


EMBEDDINGS = """
e(I([[1, 3], [1, 0]]), w, sparse=True); e(I([1, 3]), w, padding_idx=1, sparse=True) * 2
e(I([1, 3]), w, sparse=True) + e(I([1, 2]), w, sparse=True)
e(I([], dtype=T.int64), w, sparse=True); e(I([1, 3]), w, sparse=True) + e(I([1, 2]), w)
e(I([1, 3]), w, scale_grad_by_freq=True, sparse=True); e(I([1, 3]), w * 2, sparse=True)
bag(I([1, 3, 1, 0]), w, I([0, 2]), sparse=True)
bag(I([1, 3, 1, 0]), w, I([0, 2]), mode="sum", sparse=True); bag(I([[1, 3]]), w, sparse=True)
bag(I([1, 3, 1, 0]), w, I([0, 2]), mode="max", sparse=True)
bag(I([1, 3, 1, 0]), w, I([0, 2]), sparse=True, padding_idx=3)
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", EMBEDDINGS.strip()))
def test_of_rows_of_a_table(both, expression):
    ours, theirs = both(
        "[((y ** 2).sum().backward(), w.grad)[1] for e in [T.nn.functional.embedding] "
        "for bag in [T.nn.functional.embedding_bag] for I in [T.tensor] "
        "for w in [T.arange(10.0).reshape(5, 2).requires_grad_()] "
        f"for y in [{expression}]][0]"
    )
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs))
        return
    assert ours.is_sparse is theirs.is_sparse or "w * 2" in expression
    np.testing.assert_allclose(ours.to_dense().numpy(), theirs.to_dense().numpy(), 1e-5)


def test_gradients_accumulate():
    table = flambeau.nn.Embedding(4, 2, sparse=True)
    for _ in range(2):
        table(flambeau.tensor([1, 2])).sum().backward()
    assert table.weight.grad.is_sparse
    assert table.weight.grad.to_dense()[:, 0].tolist() == [0.0, 2.0, 2.0, 0.0]
    table.weight.sum().backward()
    assert table.weight.grad.tolist() == [[1.0, 1.0], [3.0, 3.0], [3.0, 3.0], [1.0, 1.0]]


OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SparseAdam", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_optimizers_take_them(torch, name, options):
    found = []
    for library in (flambeau, torch):
        w = library.nn.Parameter(library.arange(10.0).reshape(5, 2))
        optimizer = getattr(library.optim, name)([w], **options)
        for rows in ([1, 3, 1], [0, 1], [4, 4]):
            optimizer.zero_grad()
            taken = library.nn.functional.embedding(library.tensor(rows), w, sparse=True)
            (taken**2).sum().backward()
            optimizer.step()
        found.append(w.detach().numpy())
    np.testing.assert_allclose(*found, 1e-5, 1e-6)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adamax", "NAdam", "RAdam"])
def test_other_optimizers_refuse_them(name):
    w = flambeau.nn.Parameter(flambeau.ones(3, 2))
    flambeau.nn.functional.embedding(flambeau.tensor([1]), w, sparse=True).sum().backward()
    with pytest.raises(RuntimeError, match="sparse gradients"):
        getattr(flambeau.optim, name)([w]).step()
