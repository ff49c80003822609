"""Bringing a VQA model to one place: weights as safetensors, config and tokenizer, and a note.

Like :mod:`synthsight.classifiers.weights`, a stage that may use the network, so that none after it
needs to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from safetensors.torch import save_file
from torch import Tensor

from synthsight.errors import SynthsightError
from synthsight.files import atomic, sha256_of, sweep, temporary_name
from synthsight.inference.hub import check_cached, not_brought, stated_by
from synthsight.vqa.models import OFA_ANSWERS, load_vqa, read_config
from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.config import OFAConfig, OFAError
from synthsight.vqa.ofa.tokenizer import OFATokenizer

StateDict = dict[str, Tensor]

#: A repository's weights, the first that it has; and what else is taken of it.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SMALL = ("*.json", "*.txt", "*.model", "README.md")

#: Files of OFA's vocabulary, as on the hub or as in fairseq.
_VOCABULARIES = (("vocab.json", "merges.txt"), ("dict.txt", "encoder.json", "vocab.bpe"))

#: transformers' class for each of its families.
_CLASSES = {"vilt": "ViltForQuestionAnswering", "blip": "BlipForQuestionAnswering"}


class VqaModelError(SynthsightError):
    """A VQA model that cannot be brought or used; the message says what to do."""


@dataclass(frozen=True)
class Known:
    """What is published about a repository's model.

    Attributes:
        image_size: OFA's, in pixels.
        prompt: OFA's; see :class:`synthsight.vqa.models.Ofa`.
        interpolate_position: OFA's.
        reference: accuracy on VQA-v2, ``{"yes_no", "overall", "source"}``.
    """

    image_size: int | None = None
    prompt: str | None = None
    interpolate_position: bool = False
    reference: Mapping[str, Any] | None = None


#: Repositories whose settings and accuracies are published apart from their files. OFA-huge went on
#: training at 480 pixels with its positions interpolated from the 256 that it began with.
KNOWN = {
    "OFA-Sys/ofa-tiny": Known(256, "none"),
    "OFA-Sys/ofa-medium": Known(256, "none"),
    "OFA-Sys/ofa-base": Known(384, "none"),
    "OFA-Sys/ofa-large": Known(480, "none"),
    "OFA-Sys/ofa-huge": Known(480, "none", True),
    "OFA-Sys/ofa-huge-vqa": Known(
        480,
        "question",
        True,
        {"yes_no": 0.9466, "overall": 0.8198, "source": "VQA-v2 test-std, OFA-huge finetuned"},
    ),
    "dandelin/vilt-b32-finetuned-vqa": Known(
        reference={"yes_no": None, "overall": 0.7126, "source": "VQA-v2 test-dev, ViLT's paper"}
    ),
    "Salesforce/blip-vqa-base": Known(
        reference={"yes_no": None, "overall": 0.7825, "source": "VQA-v2 test-dev, BLIP's paper"}
    ),
}


def fetch_vqa(
    settings: Mapping[str, Any],
    weights: str | os.PathLike[str],
    note: str | os.PathLike[str],
    folder: str | os.PathLike[str],
) -> dict[str, Any]:
    """Bring a VQA model; before anything is written it is built once, as it will be used.

    Args:
        settings: ``name``, ``model`` (OWNER/NAME of a hub's repository, perhaps with @REVISION) or
            ``checkpoint`` (a local folder, or a fairseq file of OFA), and, where they differ from
            what is published, ``tokenizer``, ``image_size``, ``prompt``, ``interpolate_position``
            and ``reference``; None for those that do not.
        weights: the safetensors file to write.
        note: the JSON file to write: family, source, sha256, settings, licence, reference.
        folder: the folder to write: config.json and what tokenizer and image processor need.

    Returns:
        What the note holds.

    Raises:
        VqaModelError: it cannot be brought, is refused, or is no model that can be asked.
    """
    about: dict[str, Any] = {"revision": None, "checksum": "none stated", "license": None}
    if settings["checkpoint"] is not None:
        source = Path(settings["checkpoint"])
        origin, known = str(source), Known()
    else:
        repository, _, revision = settings["model"].partition("@")
        source, about = _download(repository, revision or None)
        origin, known = f"hf-hub:{repository}", KNOWN.get(repository, Known())
    file = source if source.is_file() else _weights_file(source, origin)
    if settings["checkpoint"] is not None:
        try:
            about["license"], stated = stated_by(file, ("yes_no", "overall"))
        except ValueError as error:
            raise VqaModelError(str(error)) from error
        known = Known(reference=stated)
    family = "ofa"
    if source.is_dir():
        family = str(read_config(source).get("model_type"))
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary = temporary_name(target)
    try:
        temporary.mkdir()
        used: dict[str, Any] = {}
        if family == "ofa":
            state, used = _ofa(source, settings, known, temporary)
        elif family in _CLASSES:
            state = _transformers(family, source, temporary)
        else:
            known_families = ", ".join(("ofa", *_CLASSES))
            raise VqaModelError(
                f"{origin} has the model_type {family!r}; supported: {known_families}"
            )
        for key, tensor in state.items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                raise VqaModelError(f"{origin}: {key} holds NaN or infinite values")
        try:
            load_vqa(family, temporary, state, used, torch.device("cpu"))
        except (OFAError, RuntimeError, ValueError, OSError) as error:
            lines = " ".join(str(error).split())
            raise VqaModelError(f"{origin} cannot be used: {lines[:600]}") from error
        with atomic(weights) as path:
            # Clones, since tensors that share memory cannot be stored.
            save_file({k: v.detach().clone().contiguous() for k, v in state.items()}, path)
            digest = sha256_of(path)
        record = {
            "name": settings["name"],
            "family": family,
            "source": origin,
            **about,
            "sha256": sha256_of(file),
            "safetensors_sha256": digest,
            "parameters": sum(v.numel() for v in state.values() if v.is_floating_point()),
            "settings": used,
            "reference": settings["reference"] or (known.reference and dict(known.reference)),
        }
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    with atomic(note) as path:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def _weights_file(folder: Path, origin: str) -> Path:
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise VqaModelError(f"{origin} has no weights: {' or '.join(_WEIGHTS)} was expected")


def _download(repository: str, revision: str | None) -> tuple[Path, dict[str, Any]]:
    """The hub's files, in its cache, and what it says of them."""
    try:
        folder = Path(
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=list(_SMALL)
            )
        )
        for name in _WEIGHTS:
            try:
                file = huggingface_hub.hf_hub_download(repository, name, revision=revision)
                break
            except (EntryNotFoundError, LocalEntryNotFoundError):
                if name == _WEIGHTS[-1]:
                    raise
    except Exception as error:
        # The hub's client wraps what went wrong in many types of several libraries.
        source = f"hf-hub:{repository}"
        raise VqaModelError(not_brought(source, error, "a local folder")) from error
    _, checksum = check_cached(Path(file))
    return folder, {"revision": folder.name, "checksum": checksum, "license": _license(folder)}


def _license(folder: Path) -> str | None:
    """As the repository's README states it."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    try:
        data = huggingface_hub.ModelCard.load(readme).data
    except Exception:  # a README is free text, and a licence that cannot be read is unknown
        return None
    license_ = data.get("license")
    return license_ if isinstance(license_, str) else None


def _ofa(
    source: Path, settings: Mapping[str, Any], known: Known, folder: Path
) -> tuple[StateDict, dict[str, Any]]:
    """Weights and settings of an OFA; its config and vocabulary are put into ``folder``."""
    try:
        config, state = load_checkpoint(source)
        used = _ofa_settings(settings, known, config)
        vocabulary = Path(settings["tokenizer"] or (source if source.is_dir() else source.parent))
        names = next(
            (
                names
                for names in _VOCABULARIES
                if all((vocabulary / name).is_file() for name in names)
            ),
            None,
        )
        if names is None:
            raise OFAError(
                f"no vocabulary in {vocabulary} ({' and '.join(_VOCABULARIES[0])}, or "
                f"{', '.join(_VOCABULARIES[1])}). Name a folder that has it in the model's "
                "`tokenizer`"
            )
        for name in names:
            shutil.copyfile(vocabulary / name, folder / name)
        tokenizer = OFATokenizer.from_folder(folder)
        for answer in OFA_ANSWERS:
            tokenizer.single(answer)
    except OFAError as error:
        raise VqaModelError(str(error)) from error
    about = {"model_type": "ofa", **config.as_dict()}
    (folder / "config.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return state, used


def _ofa_settings(settings: Mapping[str, Any], known: Known, config: OFAConfig) -> dict[str, Any]:
    """As the user says, else as published, else as the checkpoint says."""
    stated = {None: None, "prev_output": "question", "none": "none"}.get(config.prompt_type)
    prompt = settings["prompt"] or known.prompt or stated
    if prompt is None:
        raise OFAError(
            "nothing says what its decoder begins with: give the model's `prompt`, question for a "
            "checkpoint that was finetuned on VQA, none for a pretrained one"
        )
    interpolate = settings["interpolate_position"]
    return {
        "image_size": settings["image_size"] or known.image_size or config.image_side,
        "prompt": prompt,
        "interpolate_position": (
            known.interpolate_position or config.interpolate_position
            if interpolate is None
            else interpolate
        ),
    }


def _transformers(family: str, source: Path, folder: Path) -> StateDict:
    """Weights of a model of transformers; its small files are copied into ``folder``."""
    import transformers

    builder = getattr(transformers, _CLASSES[family])
    try:
        model, loaded = builder.from_pretrained(
            source, local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:  # a damaged folder makes transformers raise nearly anything
        lines = " ".join(str(error).split())
        raise VqaModelError(f"{source} cannot be read: {lines[:600]}") from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        # Old checkpoints hold the positions 0, 1, 2, ..., which are no weights.
        found = [key for key in loaded.get(kind) or () if not str(key).endswith("position_ids")]
        if found:
            some = ", ".join(map(str, sorted(map(str, found))[:6]))
            raise VqaModelError(f"{source} does not fit {family}: {kind}: {some}")
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name not in _WEIGHTS and path.suffix in (".json", ".txt"):
            shutil.copyfile(path, folder / path.name)
    state: StateDict = model.state_dict()
    return state
