"""Matrix products with sparse operands, against PyTorch."""

import re

import pytest

CASES = """
s @ m; T.mm(s, m); s.mm(m); s.matmul(m); T.matmul(s, m); s @ row; s.mv(row); T.mv(s, row)
csr @ m; csr.mm(m); csr @ row; csr.mv(row); s @ s; s @ s.t(); m.t() @ c.t(); m.t() @ csr.t()
row @ c.t(); T.mm(m.t(), c.t()); T.mm(s, m.double()); T.mm(s, m[:2]); T.mm(s.long(), m.long())
s.mv(row[:2]); csr @ m[:2]; csr @ m.double(); csr @ row[:2]; s @ T.ones(3, 2, 2)
T.mm(hybrid, m); T.addmm(T.ones(2, 4), s, m); T.addmm(T.ones(2, 4), s, m, beta=2, alpha=3)
T.addmm(T.ones(4), s, m); T.ones(2, 4).addmm(s, m); T.ones(2, 4).addmm_(s, m)
T.addmm(T.ones(2, 4), csr, m); T.addmm(T.ones(4), csr, m); T.addmm(T.ones(3, 3), d.t(), s)
T.addmm(s, s, m); T.sparse.addmm(T.ones(2, 4), s, m)
T.sparse.addmm(T.ones(2, 4), s, m, beta=2, alpha=3); T.sparse.mm(s, m); T.sparse.mm(s, c.t())
T.sparse.mm(csr, m); T.sparse.mm(m.t(), c.t()); T.sparse.mm(csr, m, "sum")
T.sparse.mm(csr, m, "mean"); T.sparse.mm(csr, m, "amax"); T.sparse.mm(csr, m, reduce="amin")
T.sparse.mm(s, m, "amax"); T.sparse.mm(d, m); T.smm(s, m); T.hspmm(s, m)
T.bmm(cube, T.ones(2, 3, 2)); T.bmm(T.ones(2, 2, 3), cube); T.bmm(s, m)
T.nn.functional.linear(T.ones(2, 3), s); T.nn.functional.linear(T.ones(2, 3), csr)
T.nn.functional.linear(T.ones(3), s); T.sparse.sampled_addmm(csr, T.ones(2, 2), T.ones(2, 3))
T.dot(s[0], row); T.zeros(2, 3).to_sparse() @ m; T.zeros(0, 3).to_sparse() @ m
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(same, expression):
    same(expression)
