"""`flambeau.nn.attention.bias` against torch."""

import pytest

import flambeau
from flambeau.nn.attention import bias


@pytest.mark.filterwarnings("ignore:Lower right causal bias will produce NaNs")  # it does not
@pytest.mark.parametrize("name", ["causal_upper_left", "causal_lower_right"])
@pytest.mark.parametrize("sizes", [(3, 3), (2, 4), (4, 2)])
def test_in_attention(twins, torch, name, sizes):
    theirs = getattr(pytest.importorskip("torch.nn.attention.bias"), name)(*sizes)
    ours = getattr(bias, name)(*sizes)
    assert repr(ours) == repr(theirs)
    kinds = (bias.CausalVariant.UPPER_LEFT, bias.CausalVariant.LOWER_RIGHT)
    assert ours.variant == kinds[name == "causal_lower_right"] == int(theirs.variant)
    assert (ours.seq_len_q, ours.seq_len_kv) == sizes
    q, kv = (twins.randn(2, n, 4) for n in sizes)
    attend = flambeau.nn.functional.scaled_dot_product_attention
    made = attend(*twins.ours([q, kv, kv]), attn_mask=ours)
    twins.close(made, torch.nn.functional.scaled_dot_product_attention(q, kv, kv, attn_mask=theirs))


def test_number_of_sizes():
    with pytest.raises(AssertionError, match="causal_upper_left only supports 2D"):
        bias.causal_upper_left(2)
    with pytest.raises(AssertionError, match="causal_lower_right only supports 2D"):
        bias.causal_lower_right(2, 3, 4)
