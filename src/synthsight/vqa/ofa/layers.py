"""Attention and the layers of both stacks, with the norms of NormFormer (OFA, section 3.1).

NormFormer adds to the pre-norm transformer a factor for each head (``c_attn``), a norm after
attention (``*_mid_layer_norm``) and one within the feed-forward block (``ffn_layer_norm``). The
attribute names are those of the published checkpoints.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthsight.vqa.ofa.positions import split_heads

#: Keys and values of attention, each (batch, heads, n, head dimension).
KeysValues = tuple[Tensor, Tensor]


def attention_scale(d_model: int, heads: int) -> float:
    """The factor that scales attention scores, for both content and positions.

    Scores are sums of a content part and a position part, hence the 2 (as in TUPE).
    """
    return float((2 * d_model / heads) ** -0.5)


class Attention(nn.Module):
    """Multi-head attention with an additive bias and a learned factor per head."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = attention_scale(d_model, heads)
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        self.c_attn = nn.Parameter(torch.ones(heads))

    def keys_values(self, x: Tensor) -> KeysValues:
        """Keys and values (batch, heads, n, head dimension) from (batch, n, d_model)."""
        return split_heads(self.k_proj(x), self.heads), split_heads(self.v_proj(x), self.heads)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Attend.

        Args:
            x: (batch, q, d_model), the queries' input.
            keys: (batch or 1, heads, k, head dimension).
            values: likewise.
            bias: (batch or 1, heads, q, k), added to the scaled scores; -inf where masked.

        Returns:
            (batch, q, d_model).
        """
        queries = split_heads(self.q_proj(x), self.heads)
        keys, values = (each.expand(len(x), -1, -1, -1) for each in (keys, values))
        attended = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=bias, scale=self.scale
        )
        attended = attended * self.c_attn[:, None, None]
        return cast(Tensor, self.out_proj(attended.transpose(1, 2).flatten(2)))


class _FeedForward(nn.Module):
    """The feed-forward block that ends the layers of both stacks."""

    def __init__(self, d_model: int, ffn_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(d_model, ffn_dim)
        self.ffn_layer_norm = nn.LayerNorm(ffn_dim)
        self.fc2 = nn.Linear(ffn_dim, d_model)
        self.final_layer_norm = nn.LayerNorm(d_model)

    def feed_forward(self, x: Tensor) -> Tensor:
        inner = functional.gelu(self.fc1(self.final_layer_norm(x)))
        return x + cast(Tensor, self.fc2(self.ffn_layer_norm(inner)))


class EncoderLayer(_FeedForward):
    """Self-attention and feed-forward."""

    def __init__(self, d_model: int, heads: int, ffn_dim: int) -> None:
        super().__init__(d_model, ffn_dim)
        self.self_attn = Attention(d_model, heads)
        self.self_attn_layer_norm = nn.LayerNorm(d_model)
        self.self_attn_mid_layer_norm = nn.LayerNorm(d_model)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Map (batch, n, d_model) to the same shape, with a bias (batch or 1, heads, n, n)."""
        normed = self.self_attn_layer_norm(x)
        attended = self.self_attn(normed, *self.self_attn.keys_values(normed), bias)
        return self.feed_forward(x + self.self_attn_mid_layer_norm(attended))


class DecoderLayer(_FeedForward):
    """Causal self-attention, cross-attention to the encoder's output, feed-forward."""

    def __init__(self, d_model: int, heads: int, ffn_dim: int) -> None:
        super().__init__(d_model, ffn_dim)
        self.self_attn = Attention(d_model, heads)
        self.self_attn_layer_norm = nn.LayerNorm(d_model)
        self.self_attn_mid_layer_norm = nn.LayerNorm(d_model)
        self.cross_attn = Attention(d_model, heads)
        self.cross_attn_layer_norm = nn.LayerNorm(d_model)
        self.cross_attn_mid_layer_norm = nn.LayerNorm(d_model)

    def forward(
        self,
        x: Tensor,
        self_bias: Tensor,
        cross_bias: Tensor,
        cross: KeysValues,
        past: KeysValues | None,
    ) -> tuple[Tensor, KeysValues]:
        """Take new tokens.

        Args:
            x: (batch, n, d_model).
            self_bias: (1, heads, n, past + n), causal mask included.
            cross_bias: (batch or 1, heads, n, s), padding mask included.
            cross: keys and values of the encoder's output, from ``cross_attn.keys_values``.
            past: keys and values of the earlier tokens in self-attention; None if there are none.

        Returns:
            The new ``x``, and keys and values of all tokens so far.
        """
        normed = self.self_attn_layer_norm(x)
        keys, values = self.self_attn.keys_values(normed)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        x = x + self.self_attn_mid_layer_norm(self.self_attn(normed, keys, values, self_bias))
        attended = self.cross_attn(self.cross_attn_layer_norm(x), *cross, cross_bias)
        return self.feed_forward(x + self.cross_attn_mid_layer_norm(attended)), (keys, values)
