"""The whole model (OFA, section 3), in three steps that can be called separately.

1. :meth:`OFA.embed_images`: once for each image.
2. :meth:`OFA.encode`: once for each question.
3. ``model.decoder``: on the decoder's prompt, then on the answer.

Dropout and everything else specific to training is left out. Gradients do flow.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthsight.vqa.ofa.config import OFAConfig, OFAError
from synthsight.vqa.ofa.decoder import Decoder
from synthsight.vqa.ofa.encoder import Encoded, Encoder, ImageFeatures

#: The token embedding serves encoder, decoder and output; it is stored under the first name.
EMBEDDING = "encoder.embed_tokens.weight"
EMBEDDING_COPIES = ("decoder.embed_tokens.weight", "decoder.output_projection.weight")

#: Standard deviation of freshly initialised weights, as published (``init_std``).
_INIT_STD = 0.02


class OFA(nn.Module):
    """Encoder and decoder with one token embedding; random weights until some are loaded."""

    def __init__(self, config: OFAConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config, self.encoder.embed_tokens)
        self.tie()
        for name, module in self.named_modules():
            if "rel_pos_table" in name:
                continue  # initially zero
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=_INIT_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def tie(self) -> None:
        """Make the output projection use the token embedding's weight."""
        self.decoder.output_projection.weight = self.encoder.embed_tokens.weight

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.encoder.embed_tokens.weight.device

    def embed_images(self, pixel_values: Tensor) -> ImageFeatures:
        """Compute the features of images that do not depend on the question.

        Args:
            pixel_values: float (images, 3, height, width), from
                :func:`synthsight.vqa.ofa.processing.pixel_values`.
        """
        return self.encoder.embed(pixel_values)

    def encode(
        self, input_ids: Tensor, features: ImageFeatures, images: Tensor | None = None
    ) -> Encoded:
        """Encode questions.

        Args:
            input_ids: int64 (batch, length), padded on the right.
            features: features of some images.
            images: int64 (batch,), index of the image that each question is about; None if question
                ``i`` is about image ``i``.
        """
        return self.encoder.forward(input_ids, features if images is None else features.at(images))

    def logits(self, hidden: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Scores of the next token.

        Args:
            hidden: (..., d_model), from the decoder.
            tokens: int64 (n,), the tokens of interest; None for all.

        Returns:
            (..., n) or (..., vocab_size).
        """
        weight = self.decoder.output_projection.weight
        return functional.linear(hidden, weight if tokens is None else weight[tokens])

    def forward(self, pixel_values: Tensor, input_ids: Tensor, decoder_input_ids: Tensor) -> Tensor:
        """Everything at once: logits (batch, n, vocab_size).

        Args:
            pixel_values: float (batch, 3, height, width).
            input_ids: int64 (batch, length), padded on the right.
            decoder_input_ids: int64 (batch, n), likewise.
        """
        encoded = self.encode(input_ids, self.embed_images(pixel_values))
        hidden, _ = self.decoder(decoder_input_ids, self.decoder.start(encoded))
        return self.logits(hidden)


def build(config: OFAConfig, state: Mapping[str, Tensor]) -> OFA:
    """A model with its weights, in evaluation mode, without a needless random initialisation.

    Args:
        config: the architecture.
        state: as returned by :func:`synthsight.vqa.ofa.checkpoint.load_checkpoint`: the token
            embedding under :data:`EMBEDDING` alone, or under all its names. The model uses these
            tensors themselves, not copies.

    Raises:
        OFAError: a tensor is missing, unexpected or of another shape.
    """
    full = {name: state[EMBEDDING] for name in EMBEDDING_COPIES if EMBEDDING in state}
    with torch.device("meta"):
        model = OFA(config)
    try:
        model.load_state_dict({**full, **state}, assign=True)
    except RuntimeError as error:
        lines = " ".join(str(error).split())
        raise OFAError(f"the weights do not fit the configuration: {lines[:600]}") from error
    model.tie()
    return model.eval()
