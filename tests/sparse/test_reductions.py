"""Sums and softmax of sparse tensors, against PyTorch."""

import re

import pytest

CASES = """
s.sum(); s.sum(0); s.sum(1); s.sum([0, 1]); s.sum(1, keepdim=True); s.sum((0,), keepdim=True)
s.long().sum(); s.bool().sum(); s.bool().sum(0); s.sum(dtype=T.float64); T.sum(s); T.sum(s, 0)
T.sparse.sum(s); T.sparse.sum(s, 0); T.sparse.sum(s, [0, 1])
T.sparse.sum(s, 1, dtype=T.float64); T.sparse.sum(s, -1); T.sparse.sum(s, 2)
T.sparse.sum(hybrid, 1); T.sparse.sum(hybrid, 0); T.sparse.sum(hybrid, (0, 1))
T.sparse.sum(csr); T.sparse.sum(d); T.sparse.sum(s.long())
T.sparse.sum(s.long(), 0, dtype=T.float32); T.sparse.sum(s, ()); T.sparse.sum(s, (0, 0))
csr.sum(); csr.long().sum(); csr.sum(0); csr.sum(1, keepdim=True); csr.sum((0, 1), keepdim=True)
csr.sum(0, keepdim=True); cube.sum((0, 2)); cube.sum(1); s.norm(); s.norm(1); T.norm(s); s.any()
s.mean(); s.max(); s.prod(); s.all(); s.argmax(); s.any(0); csr.norm(); csr.mean()
T.sparse.softmax(s, 1); T.sparse.softmax(s, 0); T.sparse.softmax(s, -1); T.sparse.softmax(s, 2)
T.sparse.softmax(hybrid, 1); T.sparse.softmax(hybrid, 0); T.sparse.softmax(cube, 1)
T.sparse.softmax(s, 1, dtype=T.float64); T.sparse.softmax(s.long(), 1); T.sparse.softmax(csr, 1)
T.sparse.softmax(d, 1); T.sparse.log_softmax(s, 1); T.sparse.log_softmax(s, 0)
T.sparse.log_softmax(hybrid, 1); T.sparse.softmax(T.zeros(2, 3).to_sparse(), 1); T.softmax(s, 1)
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(same, expression):
    same(expression)
