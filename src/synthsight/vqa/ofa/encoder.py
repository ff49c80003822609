"""The encoder: image patches and text tokens in one sequence (OFA, section 3.1).

The patches come first, then the tokens. An image's patches do not depend on the question, so they
are computed once (:meth:`Encoder.embed`) and used for all questions about the image. The attention
biases depend only on the grid and the text's length: a short text's bias is a corner of a longer
one's, so the encoder caches one set of them and slices it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthsight.vqa.ofa.config import PAD, RESNET_BLOCKS, OFAConfig, OFAError
from synthsight.vqa.ofa.layers import EncoderLayer, attention_scale
from synthsight.vqa.ofa.positions import (
    absolute_bias,
    grid_ids,
    image_buckets,
    relative_bias,
    split_heads,
    token_buckets,
)
from synthsight.vqa.ofa.resnet import STRIDE, ResNetStem

#: Cached biases cover text lengths rounded up to a multiple of this, so they seldom have to grow.
_TEXT_STEP = 16


@dataclass(frozen=True)
class ImageFeatures:
    """Images as the encoder takes them, before any question is known.

    Attributes:
        patches: (images, patches, d_model), in row-major order of the grid.
        grid: ``(rows, columns)`` of patches.
    """

    patches: Tensor
    grid: tuple[int, int]

    def at(self, index: Tensor) -> ImageFeatures:
        """The features of some images, which may repeat; ``index`` is int64 (n,)."""
        return ImageFeatures(self.patches[index.to(self.patches.device)], self.grid)


@dataclass(frozen=True)
class Encoded:
    """What the decoder attends to; ``s`` is the number of patches and tokens together.

    Attributes:
        hidden: (batch, s, d_model).
        padding: bool (batch, s), True where there is no token; None if there is no padding.
        positions: (s, d_model), the normalised position embeddings, the same for the whole batch.
    """

    hidden: Tensor
    padding: Tensor | None
    positions: Tensor


class Encoder(nn.Module):
    """See the module's docstring; attribute names are those of the published checkpoints."""

    def __init__(self, config: OFAConfig) -> None:
        super().__init__()
        self.config = config
        d_model, heads = config.d_model, config.encoder_attention_heads
        grid = config.image_bucket_size
        self.embed_tokens = nn.Embedding(config.vocab_size, d_model)
        self.layernorm_embedding = nn.LayerNorm(d_model)
        self.type_embedding = nn.Embedding(2, d_model)
        self.embed_images = ResNetStem(RESNET_BLOCKS[config.resnet_type], config.resnet_width)
        self.image_proj = nn.Linear(config.grid_channels, d_model)
        self.patch_layernorm_embedding = nn.LayerNorm(d_model)
        self.embed_positions = nn.Embedding(config.max_position_embeddings + 2, d_model)
        self.embed_image_positions = nn.Embedding(grid**2 + 1, d_model)
        self.pos_ln = nn.LayerNorm(d_model)
        self.image_pos_ln = nn.LayerNorm(d_model)
        self.pos_q_linear = nn.Linear(d_model, d_model)
        self.pos_k_linear = nn.Linear(d_model, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, heads, config.encoder_ffn_dim)
            for _ in range(config.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(d_model)
        self.token_rel_pos_table_list = relative_tables(
            config.encoder_layers, 2 * config.token_bucket_size - 1, heads
        )
        self.image_rel_pos_table_list = relative_tables(
            config.encoder_layers, (2 * grid - 1) ** 2 + 3, heads
        )
        self._kept: tuple[Any, Tensor, list[Tensor]] | None = None

    def embed(self, pixel_values: Tensor) -> ImageFeatures:
        """The part of the encoder that sees the image alone: stem, projection, type, norm.

        Args:
            pixel_values: (images, 3, height, width), normalised to -1..1.

        Raises:
            OFAError: the images have more patches along a side than the model has positions.
        """
        self._check_grid(*(-(-side // STRIDE) for side in pixel_values.shape[2:]))
        maps = self.embed_images(pixel_values)
        grid = (maps.shape[2], maps.shape[3])
        patches = self.image_proj(maps.flatten(2).transpose(1, 2))
        patches = self.patch_layernorm_embedding(patches + self.type_embedding.weight[1])
        return ImageFeatures(patches, grid)

    def forward(self, input_ids: Tensor, features: ImageFeatures) -> Encoded:
        """Encode questions with their images.

        Args:
            input_ids: int64 (batch, length), padded on the right. Results do not depend on the
                padding; without any, less memory is needed.
            features: features of as many images.

        Raises:
            OFAError: the numbers differ, or a text is too long.
        """
        batch, length = input_ids.shape
        patches, config = features.patches, self.config
        if len(patches) != batch:
            raise OFAError(f"{batch} texts with {len(patches)} images: each text needs one image")
        if length > config.max_position_embeddings:
            raise OFAError(
                f"a text has {length} tokens; the model takes {config.max_position_embeddings}"
            )
        text = self.embed_tokens(input_ids) + self.type_embedding.weight[0]
        x = torch.cat([patches, self.layernorm_embedding(text)], dim=1)
        padding = functional.pad(input_ids == PAD, (patches.shape[1], 0))
        padded = bool(padding.any())
        if padded:
            x = x.masked_fill(padding[:, :, None], 0)
        positions, biases = self._geometry(features.grid, length)
        for layer, bias in zip(self.layers, biases, strict=True):
            if padded:
                bias = bias.masked_fill(padding[:, None, None, :], -torch.inf)
            x = layer(x, bias)
        return Encoded(self.layer_norm(x), padding if padded else None, positions)

    def position_embedding(self, grid: tuple[int, int], length: int) -> Tensor:
        """Normalised position embeddings of patches and tokens, (patches + length, d_model).

        With ``interpolate_position``, a grid larger than that of the first training stage gets
        that stage's embeddings, stretched bilinearly.

        Raises:
            OFAError: the grid is larger than the model has positions for.
        """
        config = self.config
        self._check_grid(*grid)
        size, device = config.image_bucket_size, self.embed_positions.weight.device
        original = config.orig_patch_image_size // STRIDE
        if config.interpolate_position and grid[0] * grid[1] > original**2:
            small = self.embed_image_positions(grid_ids(original, original, size, device))
            maps = small.T.unflatten(1, (original, original))[None]
            maps = functional.interpolate(maps, size=grid, mode="bilinear", align_corners=False)
            image = maps[0].flatten(1).T
        else:
            image = self.embed_image_positions(grid_ids(*grid, size, device))
        text = self.embed_positions.weight[:length]
        return torch.cat([self.image_pos_ln(image), self.pos_ln(text)])

    def attention_biases(self, grid: tuple[int, int], positions: Tensor) -> list[Tensor]:
        """The bias of each layer, (1, heads, s, s).

        The absolute part is shared by the layers. The relative part applies between tokens and
        between patches, but not between a token and a patch.

        Args:
            grid: ``(rows, columns)`` of patches.
            positions: (s, d_model), from :meth:`position_embedding`.
        """
        config = self.config
        heads = config.encoder_attention_heads
        scale = attention_scale(config.d_model, heads)
        absolute = absolute_bias(
            split_heads(self.pos_q_linear(positions), heads),
            split_heads(self.pos_k_linear(positions), heads),
            scale,
        )
        patches = grid[0] * grid[1]
        length = len(positions) - patches
        ids = grid_ids(*grid, config.image_bucket_size, positions.device)
        steps = torch.arange(length, device=positions.device)
        between_patches = image_buckets(ids, ids, config.image_bucket_size)
        between_tokens = token_buckets(
            steps, steps, config.token_bucket_size, config.max_position_embeddings
        )
        biases = []
        for image, text in zip(
            self.image_rel_pos_table_list, self.token_rel_pos_table_list, strict=True
        ):
            image_bias = relative_bias(image.get_parameter("weight"), between_patches)
            text_bias = relative_bias(text.get_parameter("weight"), between_tokens)
            bias = absolute + functional.pad(image_bias, (0, length, 0, length))
            bias = bias + functional.pad(text_bias, (patches, 0, patches, 0))
            biases.append(bias[None])
        return biases

    def _check_grid(self, rows: int, columns: int) -> None:
        size = self.config.image_bucket_size
        if max(rows, columns) > size:
            raise OFAError(
                f"an image of {rows} x {columns} patches: the model has positions for {size} x "
                f"{size}, that is, for images of at most {STRIDE * size} pixels per side"
            )

    def _geometry(self, grid: tuple[int, int], length: int) -> tuple[Tensor, list[Tensor]]:
        """Position embeddings and biases, cached for the next call unless gradients are needed."""
        if torch.is_grad_enabled():
            positions = self.position_embedding(grid, length)
            return positions, self.attention_biases(grid, positions)
        size = grid[0] * grid[1] + length
        key = (grid, self._weights())
        if self._kept is None or self._kept[0] != key or len(self._kept[1]) < size:
            longest = min(
                -(-length // _TEXT_STEP) * _TEXT_STEP, self.config.max_position_embeddings
            )
            self._kept = None  # frees memory first
            positions = self.position_embedding(grid, longest)
            self._kept = (key, positions, self.attention_biases(grid, positions))
        _, positions, biases = self._kept
        return positions[:size], [bias[:, :, :size, :size] for bias in biases]

    def _weights(self) -> tuple[Any, ...]:
        """A key that changes whenever a weight that the cached tensors depend on does."""
        modules = (
            self.embed_positions,
            self.embed_image_positions,
            self.pos_ln,
            self.image_pos_ln,
            self.pos_q_linear,
            self.pos_k_linear,
            self.token_rel_pos_table_list,
            self.image_rel_pos_table_list,
        )
        return tuple(
            (weight.data_ptr(), weight.dtype, 0 if weight.is_inference() else weight._version)
            for module in modules
            for weight in module.parameters()
        )


def relative_tables(layers: int, buckets: int, heads: int) -> nn.ModuleList:
    """A table of relative position biases (buckets, heads) for each layer, initially zero."""
    tables = nn.ModuleList(nn.Embedding(buckets, heads) for _ in range(layers))
    for table in tables:
        nn.init.zeros_(table.get_parameter("weight"))
    return tables
