"""Small random chat models of five families, built as their repositories are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

SENTENCES = (
    "Is the dog red? Answer yes or no.",
    "Is there a red, round dog on the table? Answer yes or no.",
    "yes no Yes No YES NO answer en user assistant",
)

#: A question and its picture, between marks of the speakers.
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}IMAGE{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

#: What stands for the image in each family's texts, and all special tokens of its vocabulary.
MARKS = {
    "llava": ("<image>", ("<image>",)),
    "qwen2_5_vl": (
        "<|vision_start|><|image_pad|><|vision_end|>",
        ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
    ),
    "qwen3_vl": (
        "<|vision_start|><|image_pad|><|vision_end|>",
        ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
    ),
    "smolvlm": (
        "<image>",
        (
            *("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
            *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
        ),
    ),
    "paligemma": ("<image>", ("<image>",)),
}
MARKS["qwen2_vl"] = MARKS["qwen2_5_vl"]
MARKS["idefics3"] = MARKS["smolvlm"]

FAMILIES = tuple(MARKS)

TEXT: dict[str, Any] = {
    **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512},
    **{"tie_word_embeddings": False},
}


def vocabulary(kind: str) -> Any:
    """A byte-level vocabulary in which yes and no are single tokens."""
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>", *MARKS[kind][1]]
    inner.train_from_iterator(
        SENTENCES * 20,
        tokenizers.trainers.BpeTrainer(
            vocab_size=420 + len(special),
            special_tokens=special,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **{"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"},
        **{"model_max_length": 512, "padding_side": "right"},
        additional_special_tokens=[*MARKS[kind][1]],
    )


def save(folder: Path, kind: str) -> Any:
    """Write a random model of a family as a repository's folder; returns the model."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = vocabulary(kind)
    model = getattr(_Builders, kind)(folder, tokenizer)
    with torch.no_grad():  # wide enough that answers differ
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    model.save_pretrained(folder)
    return model.eval()


def _template(kind: str) -> str:
    return TEMPLATE.replace("IMAGE", MARKS[kind][0])


class _Builders:
    """A function for each family: writes the processor and returns the model."""

    @staticmethod
    def llava(folder: Path, tokenizer: Any) -> Any:
        vision = transformers.CLIPVisionConfig(
            **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3},
            **{"num_attention_heads": 2, "image_size": 28, "patch_size": 14},
        )
        image = tokenizer.convert_tokens_to_ids("<image>")
        config = transformers.LlavaConfig(
            vision_config=vision,
            text_config=transformers.LlamaConfig(**TEXT, vocab_size=len(tokenizer)),
            image_token_index=image,
        )
        transformers.LlavaProcessor(
            transformers.CLIPImageProcessor(
                size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
            ),
            tokenizer,
            **{"patch_size": 14, "vision_feature_select_strategy": "default"},
            **{"num_additional_image_tokens": 1, "chat_template": _template("llava")},
        ).save_pretrained(folder)
        return transformers.LlavaForConditionalGeneration(config)

    @staticmethod
    def _qwen(folder: Path, tokenizer: Any, kind: str) -> Any:
        marks = {
            f"{what}_token_id": tokenizer.convert_tokens_to_ids(f"<|{token}|>")
            for what, token in (
                *(("image", "image_pad"), ("video", "video_pad")),
                *(("vision_start", "vision_start"), ("vision_end", "vision_end")),
            )
        }
        patch = 16 if kind == "qwen3_vl" else 14
        processing = transformers.Qwen2VLImageProcessor(
            **{"patch_size": patch, "merge_size": 2, "temporal_patch_size": 2},
            size={"shortest_edge": (2 * patch) ** 2, "longest_edge": 9 * (2 * patch) ** 2},
        )
        video = transformers.Qwen2VLVideoProcessor(patch_size=patch)
        rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
        text = {**TEXT, "vocab_size": len(tokenizer), "head_dim": 8, "rope_parameters": rope}
        if kind == "qwen2_5_vl":
            seeing = {
                **{"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2},
                **{"out_hidden_size": 32, "patch_size": 14, "window_size": 56},
                **{"fullatt_block_indexes": [1], "spatial_merge_size": 2},
            }
            config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=seeing, **marks)
            processor: Any = transformers.Qwen2_5_VLProcessor
            model: Any = transformers.Qwen2_5_VLForConditionalGeneration
        elif kind == "qwen2_vl":
            seeing = {
                **{"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2},
                **{"patch_size": 14, "spatial_merge_size": 2, "mlp_ratio": 2},
            }
            config = transformers.Qwen2VLConfig(text_config=text, vision_config=seeing, **marks)
            processor = transformers.Qwen2VLProcessor
            model = transformers.Qwen2VLForConditionalGeneration
        else:
            seeing = {
                **{"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2},
                **{"out_hidden_size": 32, "patch_size": 16, "num_position_embeddings": 64},
                **{"deepstack_visual_indexes": [0], "spatial_merge_size": 2},
            }
            config = transformers.Qwen3VLConfig(text_config=text, vision_config=seeing, **marks)
            processor = transformers.Qwen3VLProcessor
            model = transformers.Qwen3VLForConditionalGeneration
            video = transformers.Qwen3VLVideoProcessor(patch_size=patch)
        processor(processing, tokenizer, video, chat_template=_template(kind)).save_pretrained(
            folder
        )
        return model(config)

    @staticmethod
    def qwen2_5_vl(folder: Path, tokenizer: Any) -> Any:
        return _Builders._qwen(folder, tokenizer, "qwen2_5_vl")

    @staticmethod
    def qwen2_vl(folder: Path, tokenizer: Any) -> Any:
        return _Builders._qwen(folder, tokenizer, "qwen2_vl")

    @staticmethod
    def qwen3_vl(folder: Path, tokenizer: Any) -> Any:
        return _Builders._qwen(folder, tokenizer, "qwen3_vl")

    @staticmethod
    def smolvlm(folder: Path, tokenizer: Any) -> Any:
        vision = {
            **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "image_size": 32, "patch_size": 8},
        }
        config = transformers.SmolVLMConfig(
            vision_config=vision,
            text_config=transformers.LlamaConfig(**TEXT, vocab_size=len(tokenizer)).to_dict(),
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
            **{"scale_factor": 2, "pad_token_id": tokenizer.pad_token_id},
        )
        transformers.SmolVLMProcessor(
            transformers.SmolVLMImageProcessor(
                size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
            ),
            tokenizer,
            transformers.SmolVLMVideoProcessor(),
            **{"image_seq_len": 4, "chat_template": _template("smolvlm")},
        ).save_pretrained(folder)
        return transformers.SmolVLMForConditionalGeneration(config)

    @staticmethod
    def idefics3(folder: Path, tokenizer: Any) -> Any:
        vision = {
            **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "image_size": 32, "patch_size": 8},
        }
        config = transformers.Idefics3Config(
            vision_config=vision,
            text_config=transformers.LlamaConfig(**TEXT, vocab_size=len(tokenizer)).to_dict(),
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
            **{"scale_factor": 2, "pad_token_id": tokenizer.pad_token_id},
        )
        transformers.Idefics3Processor(
            transformers.Idefics3ImageProcessor(
                size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
            ),
            tokenizer,
            **{"image_seq_len": 4, "chat_template": _template("idefics3")},
        ).save_pretrained(folder)
        return transformers.Idefics3ForConditionalGeneration(config)

    @staticmethod
    def paligemma(folder: Path, tokenizer: Any) -> Any:
        vision = {
            **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "image_size": 28, "patch_size": 14},
            **{"projection_dim": 32},
        }
        processor = transformers.PaliGemmaProcessor(
            _with_length(transformers.SiglipImageProcessor(size={"height": 28, "width": 28}), 4),
            tokenizer,
        )
        text = transformers.GemmaConfig(**TEXT, vocab_size=len(tokenizer), head_dim=8)
        config = transformers.PaliGemmaConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=processor.image_token_id,
            projection_dim=32,
        )
        processor.save_pretrained(folder)
        model = transformers.PaliGemmaForConditionalGeneration(config)
        model.resize_token_embeddings(len(processor.tokenizer))
        return model


def _with_length(processor: Any, tokens: int) -> Any:
    processor.image_seq_length = tokens
    return processor
