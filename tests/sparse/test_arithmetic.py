"""Arithmetic and functions of elements of sparse tensors, against PyTorch."""

import re

import pytest

SUMS = """
s + b; s - b; s + s; b + b; b - c; s.add(b, alpha=2); T.add(s, b); s + d; d + s; d - s; s - d
d + csr; csr + d; d.add(s, alpha=2); T.add(d, s, alpha=2); T.sub(d, s); s + 1; 1 + s; s - 1
s + row; row + s; hybrid + hybrid; T.ones(4, 3) + hybrid; s + b.double(); s + b.long()
s.long() + b.long(); s.long() + 1.5 * b; csr + csr; csr - csr; csr.add(csr, alpha=2); csr + 1
s.bool() + b.bool(); s + T.ones(3, 3).to_sparse(); s + T.ones(3).to_sparse(); s.clone().add_(b)
s.clone().sub_(b); T.ones(2, 3).add_(s); T.ones(2, 3).sub_(csr)
"""
PRODUCTS = """
s * 2; 2 * s; s * 2.5; s.long() * 2.5; s * True; s * T.tensor(2.0); T.tensor(2.0) * s
s * T.tensor([2.0]); s * d; d * s; s * row; row * s; s * row.reshape(1, 3); s * T.ones(2, 1)
s * T.ones(5, 2, 3); s * T.ones(3, 3); s * b; b * s; c * b; s * c; s * s; s * b.double()
hybrid * hybrid; hybrid * T.ones(4, 3); hybrid * T.ones(3); csr * 2; csr * d; d * csr; csr * csr
csr * T.tensor(2.0); s * T.ones(3).to_sparse(); d.mul(s); s * T.tensor(2.0, dtype=T.float64)
s / 2; s.long() / 2; s / 0; s / T.tensor(2.0); s / d; s / b; d / s; s / row; 2 / s; csr / 2
s // 2; s.div(2, rounding_mode="floor"); s.div(2, rounding_mode="trunc"); s % 2; s ** 2
s ** 0.5; s ** -1; s ** 0; 2 ** s; s.pow(s); csr ** 2; s.clone().mul_(2); s.clone().mul_(b)
s.clone().div_(2); s.clone().pow_(2); csr.clone().mul_(2); s.long().mul_(2.5); s.long().div_(2)
T.ones(2, 3).mul_(s); s.requires_grad_().mul_(2)
"""
FUNCTIONS = """
-s; +s; abs(s); s.neg(); s.abs(); s.sqrt(); s.sin(); s.tan(); s.asin(); s.atan(); s.sinh()
s.tanh(); s.asinh(); s.atanh(); s.log1p(); s.expm1(); s.floor(); s.ceil(); s.round(); s.trunc()
s.frac(); s.sign(); s.sgn(); s.signbit(); s.isnan(); s.isinf(); s.isposinf(); s.isneginf()
s.relu(); s.deg2rad(); s.rad2deg(); s.erf(); s.square(); s.nan_to_num(); T.sin(s); T.relu(s)
T.abs(s); T.nn.functional.relu(s); s.long().sin(); s.long().sqrt(); s.half().sin()
s.long().abs(); -csr; csr.abs(); csr.sin(); csr.sqrt(); csr.tanh(); csr.relu(); csr.long().sin()
csr.square(); s.exp(); s.cos(); s.log(); s.sigmoid(); s.reciprocal(); s.rsqrt(); csr.exp()
s.clamp(0, 1); s.clone().neg_(); c.clone().sqrt_(); s.clone().sqrt_(); s.clone().abs_()
csr.clone().sin_(); s.conj(); s.real; (s * 1j).imag; (s * 1j).abs(); s.is_conj()
s.resolve_conj(); T.conj(s); s == s; s == b; s < 1; s.eq(b); s.equal(s); T.isclose(s, s)
s.clamp(0, 1); s.where(d > 1, s)
"""
CASES = set(re.split(r"[;\n]\s*", (SUMS + PRODUCTS + FUNCTIONS).strip()))


@pytest.mark.parametrize("expression", sorted(CASES))
def test_as_in_torch(same, expression):
    same(expression)
