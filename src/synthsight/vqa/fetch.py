"""Fetching a VQA model: its weights as safetensors, config and tokenizer, and a note about them.

Like :mod:`synthsight.classifiers.weights`, this stage may use the network, so no later one needs
to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synthsight.errors import SynthsightError
from synthsight.files import atomic, sha256_of, sweep, temporary_name
from synthsight.inference.folders import contents, weight_files
from synthsight.inference.hub import stated_by
from synthsight.inference.repositories import (
    HubError,
    digests_of,
    download,
    download_weights,
    license_of,
    sum_of,
)
from synthsight.inference.weights import store, store_files
from synthsight.origin import entry
from synthsight.vqa.families.base import Collected, Published, load_vqa
from synthsight.vqa.families.registry import FAMILIES, family_of
from synthsight.wording import one_line

#: Said of weights that could not be linked.
_TWICE = (
    "the weights cannot be linked from the hub's cache, which is on another file system, and are "
    "copied: with HF_HOME set to a folder on this one they would take space once"
)


class VqaModelError(SynthsightError):
    """A VQA model that cannot be fetched or used; the message says what to do."""


def fetch_vqa(
    settings: Mapping[str, Any],
    weights: str | os.PathLike[str],
    note: str | os.PathLike[str],
    folder: str | os.PathLike[str],
) -> dict[str, Any]:
    """Fetch a VQA model and build it once, as it will be used, before anything is written.

    Weights are stored in their original dtype, and memory-mapped rather than read into memory. A
    hub's that are used as they are, are linked: they take space once.

    Args:
        settings: ``name``, ``model`` (OWNER/NAME of a hub repository, perhaps with @REVISION) or
            ``checkpoint`` (a local folder, or a fairseq file of OFA), and, where they differ from
            the published ones, ``tokenizer``, ``image_size``, ``prompt``, ``interpolate_position``
            and ``reference``; None for those that do not.
        weights: the safetensors file to write.
        note: the JSON file to write: family, source, the sha256 of each file of weights and of all
            (for several files, that of their ``sha256sum`` lines) and of each file in ``folder``,
            settings, licence, reference.
        folder: the folder to write: config.json and what the tokenizer and processor need, and
            weights that are in several files.

    Returns:
        The content of the note.

    Raises:
        VqaModelError: it cannot be fetched, is refused, or cannot be asked questions.
    """
    repository, _, wanted = (settings["model"] or "").partition("@")
    origin = f"hf-hub:{repository}" if repository else str(settings["checkpoint"])
    try:
        source = (
            download(repository, wanted or None) if repository else Path(settings["checkpoint"])
        )
        # Checked first: the weights may be large, and downloading them futile.
        family = family_of(source)
        if repository:
            download_weights(repository, source)
        files = [source] if source.is_file() else weight_files(source)
        kind = FAMILIES.load(family)
        license_, published = _facts(source, files, kind.published, repository)
        digests, checksum = digests_of(files, source if repository else None)
    except HubError as error:
        raise VqaModelError(str(error)) from error
    except VqaModelError:
        raise
    except SynthsightError as error:
        raise VqaModelError(f"{origin}: {error}") from error
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary = temporary_name(target)
    try:
        temporary.mkdir()
        try:
            collected = kind.collect(source, settings, published, temporary)
            _check_finite(collected.state)
            load_vqa(family, temporary, collected.state, collected.settings, torch.device("cpu"))
        except SynthsightError as error:
            raise VqaModelError(f"{origin}: {error}") from error
        except (RuntimeError, ValueError, OSError) as error:
            raise VqaModelError(f"{origin} cannot be used: {one_line(error, 600)}") from error
        with atomic(weights) as path:
            if collected.files and repository:
                parts = {file: digests[file.name] for file in collected.files}
                if not store_files(parts, path, temporary):
                    print(_TWICE, flush=True)
            else:  # a local file may be written again in its place, and would change here, too
                store(collected.state, path)
            stored = sha256_of(path)
        record = {
            "name": settings["name"],
            "family": family,
            "source": origin,
            "revision": source.name if repository else None,
            "checksum": checksum,
            "license": license_,
            "sha256": sum_of(digests),
            "files": digests,
            "safetensors_sha256": stored,
            "folder": contents(temporary),
            "parameters": _parameters(collected),
            "settings": dict(collected.settings),
            "reference": settings["reference"]
            or (published.reference and dict(published.reference)),
            **entry(note),
        }
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    with atomic(note) as path:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def _facts(
    source: Path,
    files: Sequence[Path],
    known: Mapping[str, Published],
    repository: str,
) -> tuple[str | None, Published]:
    """Licence and published facts; for a local model, those stated in its (first) file."""
    if repository:
        return license_of(source), known.get(repository, Published())
    try:
        license_, reference = stated_by(files[0], ("yes_no", "overall"))
    except ValueError as error:
        raise VqaModelError(str(error)) from error
    return license_, Published(reference=reference)


def _check_finite(state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise VqaModelError(f"{name} holds NaN or infinite values")


def _parameters(collected: Collected) -> int:
    return sum(v.numel() for v in collected.state.values() if v.is_floating_point())
