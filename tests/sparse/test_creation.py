"""Sparse tensors made of their parts, of dense tensors and of each other, against PyTorch."""

import copy
import pickle
import re

import pytest

import flambeau

CASES = """
T.sparse_coo_tensor(i, v); T.sparse_coo_tensor((2, 3))
T.sparse_coo_tensor(size=(2, 3), dtype=T.int64)
T.sparse_coo_tensor(i, v.double(), (2, 3), requires_grad=True)
T.sparse_coo_tensor(i, v, (1, 3)); T.sparse_coo_tensor([[0, 1], [1, 0]], [1, 2], (2, 2))
T.sparse_coo_tensor(i, v, (2, 3), dtype=T.int32)
T.sparse_coo_tensor(i, v, (2, 3), is_coalesced=True); T.sparse_coo_tensor(i, v, (2, 3, 4))
T.sparse_coo_tensor(i, v[:3], (2, 3)); T.sparse_coo_tensor(i.float(), v, (2, 3))
T.sparse_coo_tensor(i[0], v, (2,)); T.sparse_coo_tensor(i, T.tensor(1.0), (2, 3))
T.sparse_coo_tensor(T.zeros(0, 1).long(), T.tensor([2.0]), ()); T.sparse_coo_tensor(-i, v)
T.sparse_coo_tensor([[0]], [2.0], (1,)); T.sparse_coo_tensor(T.zeros(2, 0), T.zeros(0))
T.sparse_coo_tensor("a", v); T.sparse_coo_tensor(i); T.sparse_coo_tensor(i, v, 5)
T.sparse_coo_tensor(i, v.long(), (2, 3), requires_grad=True)
T.sparse_coo_tensor(i, v, (1, 3), check_invariants=True); T.sparse_coo_tensor(i, v, (2, -3))
T.sparse_coo_tensor(-i, v, (2, 3), check_invariants=True)
T.sparse_coo_tensor(i, v, (2, 3), check_invariants=True, is_coalesced=True)
T.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [4.0, 4, 5])
T.sparse_csc_tensor([0, 1, 3], [2, 0, 1], [4.0, 4, 5])
T.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [4.0, 4, 5], (2, 3), dtype=T.float64)
T.sparse_csr_tensor([0, 1, 4], [2, 0, 2], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([1, 1, 3], [2, 0, 2], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([0, 1, 3], [2, 0, 3], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([0, 1, 3], [2, 2, 0], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([0, 3], [2, 2, 0], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([0, 1, 3], [2, 0], [4.0, 4, 5], (2, 3), check_invariants=True)
T.sparse_csr_tensor([0, 1, 3], [2, 0, 1], [4.0, 4, 5], (2, 3, 1), check_invariants=True)
T.sparse_compressed_tensor([0, 1, 3], [2, 0, 1], [4.0, 4, 5], (2, 3), layout=T.sparse_csr)
d.to_sparse(); d.to_sparse(1); d.to_sparse(3); d.to_sparse(0); d.to_sparse_coo()
d.to_sparse_csr(); d.to_sparse(layout=T.sparse_csr); d.to_sparse(layout=T.sparse_coo)
(d > 3).to_sparse(); d.to_sparse_csr(dense_dim=1); s.to_sparse(); s.to_sparse_csr()
csr.to_sparse(); csr.to_sparse_coo(); d.to(T.complex64).to_sparse(); d.bool().to_sparse_csr()
T.tensor(3.0).to_sparse(); T.tensor(0.0).to_sparse(); T.zeros(2, 3).to_sparse()
T.zeros(2, 3).to_sparse_csr(); T.zeros(0, 3).to_sparse()
T.tensor([0.0, float("nan")]).to_sparse(); d.to_dense(); s.to_dense(); csr.to_dense()
hybrid.to_dense(); s.to_dense(dtype=T.int64); s.bool().to_dense(); s.coalesce()
s.bool().coalesce(); s.half().coalesce(); s.to(T.complex64).coalesce(); hybrid.coalesce()
d.sparse_mask(c); d.sparse_mask(s); d.sparse_mask(csr); c.sparse_mask(c); d.sparse_mask(d)
d.double().sparse_mask(c); d[:1].sparse_mask(c); s.sparse_mask(b); c.sparse_mask(csr)
csr.sparse_mask(csr); s.clone().sparse_resize_((3, 3), 2, 0)
s.clone().sparse_resize_and_clear_((3, 3), 2, 0); T.zeros(2, 3, layout=T.sparse_coo)
T.zeros(2, 3, layout=T.sparse_csr); T.ones(2, 3, layout=T.sparse_coo)
T.empty(2, 3, layout=T.sparse_coo); T.zeros_like(s); T.empty_like(s); T.zeros_like(csr)
T.ones_like(s); T.zeros_like(s, dtype=T.int64); T.zeros_like(s, layout=T.strided)
T.zeros_like(d, layout=T.sparse_coo); s.new_zeros(2, 2); s.new_empty((2, 2))
s.new_tensor([1.0]); s.clone().zero_(); s.clone().copy_(b); s.clone().copy_(d)
T.ones(2, 3).copy_(s); s.double(); s.long(); s.half(); s.bool(); s.to(T.int32); csr.double()
csr.int(); s.clone(); c.clone(); s.detach(); csr.clone(); s.to("cpu") is s; s.float() is s
s.to(T.float64, copy=True); s.to(b); d.to_sparse().type_as(c.double()); d.type_as(s); s.data
T.sparse.spdiags(T.arange(6.0).reshape(2, 3), T.tensor([0, 1]), (3, 3)); T.clone(s); T.detach(s)
T.sparse.spdiags(T.arange(3.0), T.tensor([-1]), (3, 3))
T.sparse.check_sparse_tensor_invariants.is_enabled(); s.indices(); s.values(); s._indices()
s._values(); s._nnz(); s.nnz(); s.is_coalesced(); c.indices(); d.indices(); d.values(); d._nnz()
d.sparse_dim(); d.dense_dim(); d.is_coalesced(); d.coalesce(); d.crow_indices()
s.crow_indices(); csr.crow_indices(); csr.col_indices(); csr.values(); csr._nnz(); csr.indices()
csr._indices(); csr._values(); csr.is_coalesced(); csr.coalesce(); csr.sparse_dim()
s.layout, csr.layout, s.is_sparse, csr.is_sparse, s.is_sparse_csr, csr.is_sparse_csr, d.is_sparse
s.shape, s.size(), s.size(1), s.dim(), s.ndim, s.numel(), s.dtype, s.device, s.element_size()
s.nbytes; csr.nbytes; s.stride(); s.is_contiguous(); csr.stride(); csr.is_contiguous()
s.data_ptr(); s.storage(); s.untyped_storage(); s.storage_offset(); s.numpy(); s.tolist()
s.item(); bool(s); float(T.sparse_coo_tensor([[0]], [2.0], (1,))); T.typename(s); s.type()
csr.type(); T.is_tensor(s); T.is_floating_point(s), T.is_complex(s), s.is_signed(), T.numel(s)
T.result_type(s, d); d.expand_as(s)
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(same, expression):
    same(expression)


def test_check_sparse_tensor_invariants():
    switch = flambeau.sparse.check_sparse_tensor_invariants
    with switch():
        assert switch.is_enabled()
        with pytest.raises(RuntimeError, match="size is 1 but found index 3"):
            flambeau.sparse_coo_tensor([[3]], [1.0], (1,))
    assert not switch.is_enabled()


def test_an_index_out_of_range_is_found_when_it_is_used():
    x = flambeau.sparse_coo_tensor([[3]], [1.0], (1,))
    with pytest.raises(RuntimeError, match="size is 1 but found index 3"):
        x.to_dense()


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
def test_copies(layout):
    x = flambeau.eye(3).to_sparse(layout=getattr(flambeau, layout)).requires_grad_()
    for again in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert repr(again) == repr(x)
