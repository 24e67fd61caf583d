"""How sparse tensors print, character by character as in PyTorch."""

import re

import pytest

CASES = """
s; c; csr; hybrid; b.to_sparse_csr(); csr.t(); s.double(); s.long(); s.half(); csr.double()
csr.int(); T.sparse_coo_tensor((2, 3)); T.zeros(2, 3).to_sparse_csr(); T.tensor(3.0).to_sparse()
s * 1j; s.requires_grad_(); s.requires_grad_() * 2; csr.requires_grad_()
csr.requires_grad_() * 2; s.requires_grad_().t(); s.requires_grad_().coalesce()
s.requires_grad_() - b; s.requires_grad_() / 2; c.requires_grad_().to_sparse_csr()
d.requires_grad_().to_sparse(); d.requires_grad_().to_sparse_csr()
d.requires_grad_().sparse_mask(c); d.requires_grad_() * c; s.requires_grad_().clone()
s.requires_grad_().double(); s.requires_grad_().abs(); T.sparse.softmax(s.requires_grad_(), 1)
c.requires_grad_().values(); s.requires_grad_().to_dense(); s.requires_grad_() @ m
T.sparse_coo_tensor(i, v.requires_grad_(), (2, 3)); T.sparse_coo_tensor(i, v * 1000.5, (2, 3))
T.sparse_coo_tensor(T.arange(1200)[None], T.arange(1200.0), (1200,)); T.eye(12).to_sparse_csr()
T.sparse_coo_tensor(T.arange(60)[None], T.arange(60.0) * 1.5, (1200,))
T.eye(40).to_sparse_csr()
T.sparse_coo_tensor(T.arange(3)[None], T.arange(12.0).reshape(3, 2, 2), (4, 2, 2)); [s, csr]
T.sparse_coo_tensor([[0, 1], [2, 0], [0, 0]], v[:2], (2, 3, 1)); s.bool()
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(both, expression):
    ours, theirs = both(expression)
    assert repr(ours) == repr(theirs)
