"""The decoder, which takes an answer's tokens a few at a time (OFA, section 3.1).

:class:`Past` holds the keys and values of what was decoded before. Biases are computed for the
positions of the new tokens against those of all tokens so far, so it makes no difference whether
tokens come all at once or one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from synthsight.vqa.ofa.config import OFAConfig, OFAError
from synthsight.vqa.ofa.encoder import Encoded, relative_tables
from synthsight.vqa.ofa.layers import DecoderLayer, KeysValues, attention_scale
from synthsight.vqa.ofa.positions import absolute_bias, relative_bias, split_heads, token_buckets


@dataclass(frozen=True)
class Past:
    """What the decoder has seen: the encoder's output and the tokens so far.

    Attributes:
        cross: keys and values of the encoder's output, one pair per layer; a batch of one serves
            any number of rows.
        position_keys: (heads, s, head dimension), projected positions of the encoder's output.
        padding: bool (batch or 1, s), True where the encoder's input is padding; None without any.
        own: keys and values of the tokens so far, one pair per layer; empty at the start.
    """

    cross: tuple[KeysValues, ...]
    position_keys: Tensor
    padding: Tensor | None
    own: tuple[KeysValues, ...] = ()

    @property
    def length(self) -> int:
        """Number of tokens so far."""
        return self.own[0][0].shape[2] if self.own else 0

    def row(self, row: int, length: int) -> Past:
        """One row of the batch, with the first ``length`` of its tokens."""
        part = slice(row, row + 1)
        return replace(
            self,
            cross=tuple((keys[part], values[part]) for keys, values in self.cross),
            padding=None if self.padding is None else self.padding[part],
            own=tuple(
                (keys[part, :, :length], values[part, :, :length]) for keys, values in self.own
            ),
        )

    def branch(self, rows: Tensor) -> Past:
        """The rows to continue with, int64 (n,); a row may be taken several times.

        Only for rows that share one encoder output, as after :meth:`row`.
        """
        return replace(self, own=tuple((keys[rows], values[rows]) for keys, values in self.own))


class Decoder(nn.Module):
    """See the module's docstring; attribute names are those of the published checkpoints.

    Four groups of weights serve image generation and are not used here: they are declared so that
    checkpoints are read and written in full.

    Args:
        config: the architecture.
        embed_tokens: the encoder's token embedding, which is shared.
    """

    def __init__(self, config: OFAConfig, embed_tokens: nn.Embedding) -> None:
        super().__init__()
        self.config = config
        d_model, heads = config.d_model, config.decoder_attention_heads
        grid = config.image_bucket_size
        self.embed_tokens = embed_tokens
        self.layernorm_embedding = nn.LayerNorm(d_model)
        self.embed_positions = nn.Embedding(config.max_position_embeddings + 2, d_model)
        self.pos_ln = nn.LayerNorm(d_model)
        self.self_pos_q_linear = nn.Linear(d_model, d_model)
        self.self_pos_k_linear = nn.Linear(d_model, d_model)
        self.cross_pos_q_linear = nn.Linear(d_model, d_model)
        self.cross_pos_k_linear = nn.Linear(d_model, d_model)
        self.layers = nn.ModuleList(
            DecoderLayer(d_model, heads, config.decoder_ffn_dim)
            for _ in range(config.decoder_layers)
        )
        self.layer_norm = nn.LayerNorm(d_model)
        self.token_rel_pos_table_list = relative_tables(
            config.decoder_layers, 2 * config.token_bucket_size - 1, heads
        )
        self.output_projection = nn.Linear(d_model, config.vocab_size, bias=False)
        # For image generation only:
        self.embed_image_positions = nn.Embedding(grid**2 + 1, d_model)
        self.image_pos_ln = nn.LayerNorm(d_model)
        self.code_layernorm_embedding = nn.LayerNorm(d_model)
        self.image_rel_pos_table_list = relative_tables(
            config.decoder_layers, (2 * grid - 1) ** 2 + 3, heads
        )

    def start(self, encoded: Encoded) -> Past:
        """The state before the first token."""
        position_keys = self.cross_pos_k_linear(encoded.positions)
        return Past(
            cross=tuple(layer.cross_attn.keys_values(encoded.hidden) for layer in self._layers()),
            position_keys=split_heads(position_keys, self.config.decoder_attention_heads),
            padding=encoded.padding,
        )

    def forward(self, input_ids: Tensor, past: Past) -> tuple[Tensor, Past]:
        """Take new tokens.

        Args:
            input_ids: int64 (batch, n). Shorter rows are padded on the right; this needs no mask,
                since a token attends only to earlier ones. Outputs at padding are meaningless, and
                :meth:`Past.row` cuts them off.
            past: the state so far, which is not modified.

        Returns:
            ``(hidden, past)``: (batch, n, d_model) after the last norm, and the new state.

        Raises:
            OFAError: there are more tokens than the model has positions for.
        """
        config = self.config
        start, end = past.length, past.length + input_ids.shape[1]
        if end > config.max_position_embeddings:
            raise OFAError(
                f"{end} tokens for the decoder; the model takes {config.max_position_embeddings}"
            )
        heads = config.decoder_attention_heads
        scale = attention_scale(config.d_model, heads)
        positions = self.pos_ln(self.embed_positions.weight[:end])
        absolute = absolute_bias(
            split_heads(self.self_pos_q_linear(positions[start:]), heads),
            split_heads(self.self_pos_k_linear(positions), heads),
            scale,
        )
        steps = torch.arange(end, device=input_ids.device)
        buckets = token_buckets(
            steps[start:], steps, config.token_bucket_size, config.max_position_embeddings
        )
        future = steps[None, :] > steps[start:, None]
        cross_queries = split_heads(self.cross_pos_q_linear(positions[start:]), heads)
        cross_bias = absolute_bias(cross_queries, past.position_keys, scale)[None]
        if past.padding is not None:
            cross_bias = cross_bias.masked_fill(past.padding[:, None, None, :], -torch.inf)

        x = self.layernorm_embedding(self.embed_tokens(input_ids))
        own = []
        for number, layer in enumerate(self._layers()):
            relative = relative_bias(self._table(number), buckets)
            bias = (absolute + relative).masked_fill(future, -torch.inf)[None]
            before = past.own[number] if past.own else None
            x, keys_values = layer(x, bias, cross_bias, past.cross[number], before)
            own.append(keys_values)
        return self.layer_norm(x), replace(past, own=tuple(own))

    def _layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]

    def _table(self, number: int) -> Tensor:
        return self.token_rel_pos_table_list[number].get_parameter("weight")
