"""The VQA families by name, and how to find a checkpoint's. Can be imported without torch.

To add a family, add a file to this package with a subclass of
:class:`synthsight.vqa.families.base.VqaModel`, and a line to :data:`FAMILIES`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.contents import another_kind
from synthsight.doors import Registry
from synthsight.errors import SynthsightError
from synthsight.files import hint_at, is_file, is_folder
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.vqa.families.base import VqaModel

#: The families: by the ``model_type`` in their models' config.json, and :data:`CHAT` for all of
#: :data:`CONVERSING`.
FAMILIES: Registry[type[VqaModel[Any, Any, Any]]] = Registry(
    "VQA family",
    {
        "ofa": "synthsight.vqa.families.ofa:Ofa",
        "vilt": "synthsight.vqa.families.vilt:Vilt",
        "blip": "synthsight.vqa.families.blip:Blip",
        "chat": "synthsight.vqa.families.chat:Chat",
    },
)

#: The family of models that continue a conversation about an image.
CHAT = "chat"

#: What transformers continues a text about an image with, by model_type. A test compares it with
#: the installed transformers, which takes too long to import here.
CONVERSING = (
    "aria",
    "aya_vision",
    "blip-2",
    "chameleon",
    "cohere2_vision",
    "cohere_compass",
    "cosmos3_edge",
    "cosmos3_omni",
    "deepseek_ocr2",
    "deepseek_vl",
    "deepseek_vl_hybrid",
    "dots3_note",
    "emu3",
    "ernie4_5_vl_moe",
    "exaone4_5",
    "fast_vlm",
    "fuyu",
    "gemma3",
    "gemma3n",
    "gemma4",
    "gemma4_unified",
    "git",
    "glm46v",
    "glm4v",
    "glm4v_moe",
    "glm5_next",
    "glm_ocr",
    "glmga",
    "got_ocr2",
    "granite4_vision",
    "granite_docling",
    "hunyuan_vl",
    "hyperclovax_vision_v2",
    "idefics",
    "idefics2",
    "idefics3",
    "inkling2",
    "inkling_mm_model",
    "instructblip",
    "instructblipvideo",
    "internvl",
    "janus",
    "kimi_k25",
    "kosmos-2",
    "kosmos-2.5",
    "lfm2_vl",
    "lfm3_vl",
    "lighton_ocr",
    "llama4",
    "llava",
    "llava_next",
    "llava_next_video",
    "llava_onevision",
    "minicpm_ocr",
    "minicpmv4_6",
    "minicpmv4_7",
    "minimax_m3_vl",
    "mistral3",
    "mistral4",
    "mistral_large4",
    "mllama",
    "molmo2",
    "muse_glimmer",
    "muse_spark",
    "nemotron_h_omni",
    "ovis2",
    "paddleocr_vl",
    "paligemma",
    "perception_lm",
    "pp_chart2table",
    "qianfan_ocr",
    "qwen2_5_omni_thinker",
    "qwen2_5_vl",
    "qwen2_vl",
    "qwen3_5",
    "qwen3_5_moe",
    "qwen3_omni_moe_thinker",
    "qwen3_vl",
    "qwen3_vl_moe",
    "qwen4_exp",
    "shieldgemma2",
    "smolvlm",
    "step3p7",
    "unlimited_ocr",
    "video_llama_3",
    "video_llava",
    "vipllava",
)

#: What transformers has under that name, too, and is none: what reads the question in an encoder of
#: its own, what fills in a text in no order, and what acts or reads proteins.
OTHERWISE = (
    *("florence2", "pix2struct", "pp_formulanet", "t5gemma2", "udop", "vision-encoder-decoder"),
    *("diffusion_gemma", "evolla", "pi0"),
)

#: The family of single-file checkpoints without a config.json: fairseq's.
_OF_SINGLE_FILES = "ofa"


class FamilyError(SynthsightError):
    """A checkpoint of no known family; the message says where it is and what it is."""


def family_of(checkpoint: str | Path) -> str:
    """The family of a checkpoint, found without reading any weights.

    Args:
        checkpoint: a folder with a config.json, or a single file.

    Raises:
        FamilyError: there is no such file or folder, config.json is missing or cannot be read, or
            its ``model_type`` is not a known family.
    """
    path = Path(checkpoint)
    if is_file(path):
        return _OF_SINGLE_FILES
    if not is_folder(path):
        raise FamilyError(
            f"no file or folder {str(checkpoint)!r} (relative paths start at {Path.cwd()})"
            f"{hint_at(checkpoint)}"
        )
    config = path / "config.json"
    try:
        found = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except OSError:
        raise FamilyError(
            f"no config.json in {checkpoint}: it must say what the model is"
        ) from None
    except (ValueError, AttributeError, RecursionError):
        kind = another_kind(config, "json", "text")
        what = f": it is {kind}" if kind else ""
        raise FamilyError(
            f"{config} is not a JSON mapping{what}; put the published one there"
        ) from None
    if found in CONVERSING:
        return CHAT
    if not isinstance(found, str) or found not in FAMILIES or found == CHAT:
        known = [name for name in FAMILIES if name != CHAT]
        raise FamilyError(
            f"{config} has the model_type {found!r}; supported: {', '.join(known)} and those of "
            "transformers that converse about an image, such as llava or qwen3_vl"
            f"{did_you_mean(str(found), [*known, *CONVERSING])}"
        )
    return found


def doors_of(checkpoint: str | None) -> tuple[str, ...]:
    """The modules of the families that a model may belong to, for code digests.

    For a local checkpoint, that is one. The family of a hub model (None) is known only once it has
    been fetched; since what decides a rerun must be the same before and after, all are returned.

    Raises:
        FamilyError: see :func:`family_of`.
    """
    families = list(FAMILIES) if checkpoint is None else [family_of(checkpoint)]
    return tuple(FAMILIES.module(family) for family in families)
