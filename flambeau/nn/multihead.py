"""Attention in many heads."""

import flambeau

from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """The last `Linear` of `MultiheadAttention`, under the name that PyTorch prints for it."""


class MultiheadAttention(Module):
    """concat(head_1, ..., head_h) W_o, where head_i attends with E / h features (arXiv:1706.03762).

    Parameters: `in_proj_weight` of shape (3 E, E), Glorot-uniform, for query, key and value; or,
    if kdim or vdim is another size than E, `q_proj_weight`, `k_proj_weight` and `v_proj_weight`;
    `in_proj_bias` of zeros; `out_proj`, a `Linear`; with add_bias_kv `bias_k` and `bias_v`.

    Args:
        embed_dim: E, the features of queries and results; num_heads divides it.
        dropout: the probability of zeros among the weights, in training.
        bias: whether the projections have biases.
        add_bias_kv: whether one more key and value is learnt; add_zero_attn: whether one more key
            and value is zeros.
        kdim, vdim: the features of keys and values, E by default.
        batch_first: whether inputs and results are (N, L, E) instead of (L, N, E).
    Raises: ValueError for sizes that are not positive, AssertionError for heads that do not divide.

    >>> import flambeau as torch
    >>> attention = torch.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = torch.zeros(3, 5, 8)
    >>> made, weights = attention(x, x, x)
    >>> made.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    in_proj_weight, in_proj_bias = Held(), Held()
    q_proj_weight, k_proj_weight, v_proj_weight = Held(), Held(), Held()
    bias_k, bias_v = Held(), Held()

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first = dropout, batch_first
        self.add_zero_attn = add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self._make_parameters(bias, add_bias_kv, {"device": device, "dtype": dtype})
        self._reset_parameters()

    def _make_parameters(self, bias, add_bias_kv, options):
        e = self.embed_dim
        separate = {
            "q_proj_weight": (e, e),
            "k_proj_weight": (e, self.kdim),
            "v_proj_weight": (e, self.vdim),
        }
        packed = {"in_proj_weight": (3 * e, e)}
        self._qkv_same_embed_dim = self.kdim == self.vdim == e
        used, unused = (packed, separate) if self._qkv_same_embed_dim else (separate, packed)
        for name, shape in used.items():
            self.register_parameter(name, Parameter(flambeau.empty(shape, **options)))
        for name in unused:
            self.register_parameter(name, None)
        in_bias = Parameter(flambeau.empty(3 * e, **options)) if bias else None
        self.register_parameter("in_proj_bias", in_bias)
        self.out_proj = NonDynamicallyQuantizableLinear(e, e, bias, **options)
        if add_bias_kv:
            self.bias_k = Parameter(flambeau.empty((1, 1, e), **options))
            self.bias_v = Parameter(flambeau.empty((1, 1, e), **options))
        else:
            self.bias_k = self.bias_v = None

    def _reset_parameters(self):
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """The values that the keys let through, and the weights that did so.

        Args:
            query, key, value: (L, N, E), (S, N, kdim) and (S, N, vdim), or batch first, or without
                the batch dim N.
            key_padding_mask: (N, S), and attn_mask: (L, S) or (N * num_heads, L, S): true for what
                is left out, or numbers to add to the scores.
            need_weights: whether to return the weights; without, the computation is quicker.
            average_attn_weights: whether they are the means over the heads.
            is_causal: a hint that attn_mask, which has to be given too, is causal.
        Returns: a tensor of the shape of the query, and the weights, (N, L, S) or
            (N, num_heads, L, S), or None.
        Raises: AssertionError or RuntimeError for shapes and dtypes that do not fit.
        """
        turned = self.batch_first and query.dim() == 3
        if turned:
            query, key, value = _turned(query, key, value)
        made, weights = F.multi_head_attention_forward(
            *(query, key, value, self.embed_dim, self.num_heads),
            *(self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v),
            *(self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias),
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (made.transpose(0, 1) if turned else made), weights


def _turned(query, key, value):
    """Batch second instead of first. What was one tensor stays one, so one product projects it."""
    made = {id(x): x.transpose(0, 1) for x in (query, key, value) if x.dim() == 3}
    return [made.get(id(x), x) for x in (query, key, value)]
