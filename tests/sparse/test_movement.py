"""Sparse tensors rearranged, cut and joined, against PyTorch."""

import re

import pytest

CASES = """
s.t(); s.t().t(); c.t(); s.transpose(0, 1); cube.transpose(0, 2); s.transpose(0, 3); hybrid.t()
hybrid.transpose(0, 1); hybrid.transpose(0, 0); s.permute(1, 0); s.permute(0, 1)
T.permute(s, (1, 0)); cube.permute(2, 0, 1); hybrid.permute(0, 1); hybrid.permute(1, 0)
cube.t(); row.to_sparse().t(); T.t(s); T.transpose(s, 0, 1); s.T; s.mT; s.H; s.clone().t_()
s.clone().transpose_(0, 1); csr.t(); csr.t().t(); csr.transpose(0, 1).to_dense(); csr.t().layout
csr.t().crow_indices(); s.unsqueeze(0); s.unsqueeze(-1); s.unsqueeze(5); hybrid.unsqueeze(1)
hybrid.unsqueeze(2); T.cat([s, b]); T.cat([s, b], 1); T.cat([s, d]); T.cat([s, hybrid])
T.cat([hybrid, hybrid], 1); T.cat([s, T.ones(1, 2).to_sparse()]); T.stack([s, b])
T.stack([s, b], 2); csr.unsqueeze(0); s.index_select(0, T.tensor([1, 0, 1]))
T.index_select(s, 1, T.tensor([2])); s[0, 2]; s[0, 1]; s.index_select(2, T.tensor([0]))
s.index_select(0, T.tensor([3])); hybrid.index_select(1, T.tensor([2])); s.select(0, 1)
s.select(2, 0); s.select(0, 5); hybrid.select(1, 1); csr.select(0, 1); csr[0]; s[0]; s[-1]; s[5]
s[0][2]; s[:, 1]; s[None]; s[..., 0]; s[0:1]; s[d > 2]; csr[0, 2]; hybrid[0]; hybrid[0, 1]
hybrid[1]; list(s); s.unbind(); len(s); s.narrow_copy(0, 0, 1); s.narrow_copy(1, 1, 2)
s.narrow(0, 0, 1); s.reshape(3, 2); s.view(3, 2); s.flatten(); s.expand(2, 2, 3); s.repeat(2, 1)
s.squeeze(); s.flip(0); s.split(1); s.tril(); s.diagonal(); s.sort(); s.cumsum(0); s.nonzero()
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(same, expression):
    same(expression)
