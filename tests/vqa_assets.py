"""Small VQA models with random weights, saved as the hub has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Words that the models of transformers know.
WORDS = ("yes", "no", "is", "it", "red", "round", "the", "a", "there", "dog", "tall", "?", ".")


def save_ofa(folder: Path, seed: int = 0) -> None:
    """A small OFA with a vocabulary of bytes, `` yes`` and `` no``."""
    import torch
    from safetensors.torch import save_file
    from tokenizers.pre_tokenizers import ByteLevel

    from synthsight.vqa.ofa.config import OFAConfig
    from synthsight.vqa.ofa.model import EMBEDDING_COPIES, OFA

    letters = sorted(ByteLevel.alphabet())
    merges = [("Ġ", "y"), ("Ġy", "e"), ("Ġye", "s"), ("Ġ", "n"), ("Ġn", "o")]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *letters, *map("".join, merges)]
    folder.mkdir(parents=True)
    vocab = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {
        **{"vocab_size": len(tokens), "d_model": 32, "max_position_embeddings": 128},
        **{"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
        **{"encoder_attention_heads": 2, "decoder_attention_heads": 2, "token_bucket_size": 16},
        **{"image_bucket_size": 4, "resnet_type": "resnet18", "resnet_width": 8},
        **{"patch_image_size": 64, "prompt_type": "prev_output"},
    }
    config = OFAConfig.from_dict({"model_type": "ofa", **settings})
    (folder / "config.json").write_text(json.dumps({"model_type": "ofa", **settings}))
    torch.manual_seed(seed)
    model = OFA(config)
    state = {
        name: tensor * 5 if tensor.ndim == 2 else tensor
        for name, tensor in model.state_dict().items()
        if name not in EMBEDDING_COPIES
    }
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")


def save_vilt(folder: Path, seed: int = 0) -> None:
    """A small ViLT that knows four answers."""
    import torch
    import transformers

    torch.manual_seed(seed)
    config = transformers.ViltConfig(
        **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
        **{"intermediate_size": 64, "image_size": 64, "patch_size": 16, "vocab_size": 32},
        id2label={0: "2", 1: "no", 2: "red", 3: "yes"},
        label2id={"2": 0, "no": 1, "red": 2, "yes": 3},
    )
    model = transformers.ViltForQuestionAnswering(config)
    _loosen(model)
    model.save_pretrained(folder)
    transformers.ViltImageProcessorPil(size={"shortest_edge": 64}, size_divisor=16).save_pretrained(
        folder
    )
    _save_tokenizer(folder)


def save_blip(folder: Path, seed: int = 0) -> None:
    """A small BLIP."""
    import torch
    import transformers

    torch.manual_seed(seed)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = transformers.BlipTextConfig(
        **size,
        **{"encoder_hidden_size": 32, "intermediate_size": 64, "vocab_size": 32},
        **{"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0},
        **{"projection_dim": 16, "max_position_embeddings": 40, "is_decoder": True},
    )
    vision = transformers.BlipVisionConfig(
        **size, intermediate_size=64, image_size=64, patch_size=16, projection_dim=16
    )
    config = transformers.BlipConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16
    )
    model = transformers.BlipForQuestionAnswering(config)
    _loosen(model)
    model.save_pretrained(folder)
    transformers.BlipImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    _save_tokenizer(folder)


def _loosen(model: Any) -> None:
    """Weights large enough for the answers to differ."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)


def _save_tokenizer(folder: Path) -> None:
    import transformers

    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    tokenizer = transformers.BertTokenizer(vocab={t: number for number, t in enumerate(tokens)})
    tokenizer.save_pretrained(folder)
