"""Small random chat models of eleven kinds, built as their repositories are."""

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
MARKS["llava_next"] = MARKS["llava_onevision"] = MARKS["llava"]
MARKS["internvl"] = ("<IMG_CONTEXT>", ("<img>", "</img>", "<IMG_CONTEXT>", "<video>"))
MARKS["gemma3"] = ("<boi>", ("<boi>", "<eoi>", "<imgs>"))

#: The marks that a tokenizer itself must know by name.
NAMED = {
    "internvl": {
        **{"start_image_token": "<img>", "end_image_token": "</img>"},
        **{"context_image_token": "<IMG_CONTEXT>", "video_token": "<video>"},
    },
    "gemma3": {"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<imgs>"},
}

FAMILIES = tuple(MARKS)

TEXT: dict[str, Any] = {
    **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512},
    **{"tie_word_embeddings": False},
}


VISION: dict[str, Any] = {
    **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3},
    **{"num_attention_heads": 2, "image_size": 28, "patch_size": 14},
}

#: The sizes into which pictures are cut by those that cut them.
PINPOINTS = [[28, 56], [56, 28], [56, 56]]


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
        **(
            {"extra_special_tokens": NAMED[kind]}
            if kind in NAMED
            else {"additional_special_tokens": [*MARKS[kind][1]]}
        ),
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
    def llava_next(folder: Path, tokenizer: Any) -> Any:
        config = transformers.LlavaNextConfig(
            vision_config=transformers.CLIPVisionConfig(**VISION),
            text_config=transformers.LlamaConfig(**TEXT, vocab_size=len(tokenizer)),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_grid_pinpoints=PINPOINTS,
        )
        images = transformers.LlavaNextImageProcessor(
            size={"shortest_edge": 28},
            crop_size={"height": 28, "width": 28},
            image_grid_pinpoints=PINPOINTS,
        )
        transformers.LlavaNextProcessor(
            images,
            tokenizer,
            **{"patch_size": 14, "vision_feature_select_strategy": "default"},
            **{"num_additional_image_tokens": 1, "chat_template": _template("llava_next")},
        ).save_pretrained(folder)
        return transformers.LlavaNextForConditionalGeneration(config)

    @staticmethod
    def llava_onevision(folder: Path, tokenizer: Any) -> Any:
        config = transformers.LlavaOnevisionConfig(
            vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
            text_config=transformers.Qwen2Config(**TEXT, vocab_size=len(tokenizer)),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_grid_pinpoints=PINPOINTS,
            vision_feature_select_strategy="full",
        )
        size = {"height": 28, "width": 28}
        transformers.LlavaOnevisionProcessor(
            transformers.LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=PINPOINTS),
            tokenizer,
            transformers.LlavaOnevisionVideoProcessor(size=size),
            **{"num_image_tokens": 4, "vision_feature_select_strategy": "full"},
            chat_template=_template("llava_onevision"),
        ).save_pretrained(folder)
        return transformers.LlavaOnevisionForConditionalGeneration(config)

    @staticmethod
    def internvl(folder: Path, tokenizer: Any) -> Any:
        vision = {**VISION, "image_size": [28, 28], "patch_size": [14, 14]}
        config = transformers.InternVLConfig(
            vision_config=transformers.InternVLVisionConfig(**vision),
            text_config=transformers.Qwen2Config(**TEXT, vocab_size=len(tokenizer)),
            image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
            downsample_ratio=0.5,
        )
        size = {"height": 28, "width": 28}
        transformers.InternVLProcessor(
            transformers.GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=4),
            tokenizer,
            transformers.InternVLVideoProcessor(size=size),
            **{"image_seq_length": 1, "chat_template": _template("internvl")},
        ).save_pretrained(folder)
        return transformers.InternVLForConditionalGeneration(config)

    @staticmethod
    def gemma3(folder: Path, tokenizer: Any) -> Any:
        """With sliding windows that are shorter than what is put."""
        layers = ["sliding_attention", "full_attention", "sliding_attention"]
        text = {**TEXT, "num_hidden_layers": 3, "layer_types": layers, "sliding_window": 16}
        config = transformers.Gemma3Config(
            vision_config=transformers.SiglipVisionConfig(
                **{**VISION, "image_size": 56}, vision_use_head=False
            ),
            text_config=transformers.Gemma3TextConfig(
                **text, vocab_size=len(tokenizer), head_dim=8
            ),
            mm_tokens_per_image=4,
            image_token_index=tokenizer.convert_tokens_to_ids("<imgs>"),
            boi_token_index=tokenizer.convert_tokens_to_ids("<boi>"),
            eoi_token_index=tokenizer.convert_tokens_to_ids("<eoi>"),
        )
        transformers.Gemma3Processor(
            transformers.Gemma3ImageProcessor(size={"height": 56, "width": 56}),
            tokenizer,
            **{"image_seq_length": 4, "chat_template": _template("gemma3")},
        ).save_pretrained(folder)
        return transformers.Gemma3ForConditionalGeneration(config)

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
