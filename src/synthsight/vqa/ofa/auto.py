"""OFA for transformers' Auto classes, which do not include it: import this module to register it.

Afterwards, ``AutoModelForVisualQuestionAnswering.from_pretrained(folder)`` returns a wrapper whose
attribute ``ofa`` is the :class:`synthsight.vqa.ofa.model.OFA` to pass to the functions of
:mod:`synthsight.vqa.ofa.answers`. It is a convenience: only
:func:`synthsight.vqa.ofa.checkpoint.load_checkpoint` checks a checkpoint in full.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForVisualQuestionAnswering,
    PreTrainedConfig,
    PreTrainedModel,
)

from synthsight.vqa.ofa.config import OFAConfig
from synthsight.vqa.ofa.model import EMBEDDING, EMBEDDING_COPIES, OFA


class OFAHubConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """The content of a hub folder's ``config.json``; interpreted by :class:`OFAConfig`."""

    model_type = "ofa"
    is_encoder_decoder: bool = True
    tie_word_embeddings: bool = True


class OFAForVisualQuestionAnswering(PreTrainedModel):  # type: ignore[no-untyped-call]
    """The network behind transformers' interface for loading and saving.

    Raises:
        OFAError: the configuration asks for a network that is not implemented.
    """

    config_class = OFAHubConfig
    main_input_name = "pixel_values"
    ofa: OFA
    _tied_weights_keys = dict.fromkeys(EMBEDDING_COPIES, EMBEDDING)
    _keys_to_ignore_on_load_unexpected = [r"_rp_bucket$", "image_position_idx"]  # noqa: RUF012

    def __init__(self, config: OFAHubConfig) -> None:
        super().__init__(config)
        network = OFA(OFAConfig.from_dict(config.to_dict()))
        self.encoder, self.decoder = network.encoder, network.decoder
        # Not registered as a module: checkpoints have encoder and decoder at the top level.
        object.__setattr__(self, "ofa", network)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Do nothing: weights missing from a checkpoint stay as OFA initialised them."""

    def forward(
        self, pixel_values: Tensor, input_ids: Tensor, decoder_input_ids: Tensor, **_: Any
    ) -> Tensor:
        """See :meth:`synthsight.vqa.ofa.model.OFA.forward`."""
        logits: Tensor = self.ofa(pixel_values, input_ids, decoder_input_ids)
        return logits


AutoConfig.register("ofa", OFAHubConfig)
AutoModelForVisualQuestionAnswering.register(OFAHubConfig, OFAForVisualQuestionAnswering)
