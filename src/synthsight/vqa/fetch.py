"""Fetching a VQA model: its weights as safetensors, config and tokenizer, and a note about them.

Like :mod:`synthsight.classifiers.weights`, this stage may use the network, so no later one needs
to.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from torch import Tensor

from synthsight.errors import SynthsightError
from synthsight.files import atomic, sha256_of, sweep, temporary_name
from synthsight.inference.hub import check_cached, not_brought, stated_by
from synthsight.origin import entry
from synthsight.vqa.families.base import Collected, Published, load_vqa
from synthsight.vqa.families.registry import FAMILIES, family_of
from synthsight.vqa.folders import (
    SMALL,
    WEIGHTS,
    contents,
    files_in,
    small_files,
    weight_files,
)
from synthsight.vqa.weights import store
from synthsight.wording import one_line


class VqaModelError(SynthsightError):
    """A VQA model that cannot be fetched or used; the message says what to do."""


def fetch_vqa(
    settings: Mapping[str, Any],
    weights: str | os.PathLike[str],
    note: str | os.PathLike[str],
    folder: str | os.PathLike[str],
) -> dict[str, Any]:
    """Fetch a VQA model and build it once, as it will be used, before anything is written.

    Weights are stored in their original dtype, and memory-mapped rather than read into memory.

    Args:
        settings: ``name``, ``model`` (OWNER/NAME of a hub repository, perhaps with @REVISION) or
            ``checkpoint`` (a local folder, or a fairseq file of OFA), and, where they differ from
            the published ones, ``tokenizer``, ``image_size``, ``prompt``, ``interpolate_position``
            and ``reference``; None for those that do not.
        weights: the safetensors file to write.
        note: the JSON file to write: family, source, the sha256 of each file of weights and of all
            (for several files, that of their ``sha256sum`` lines) and of each file in ``folder``,
            settings, licence, reference.
        folder: the folder to write: config.json and what the tokenizer and processor need.

    Returns:
        The content of the note.

    Raises:
        VqaModelError: it cannot be fetched, is refused, or cannot be asked questions.
    """
    repository: str | None = None
    if settings["checkpoint"] is not None:
        source, origin = Path(settings["checkpoint"]), str(settings["checkpoint"])
        revision = None
    else:
        repository, _, wanted = settings["model"].partition("@")
        source, origin = _download(repository, wanted or None), f"hf-hub:{repository}"
        revision = source.name
    try:
        # Checked first: the weights may be large, and downloading them futile.
        family = family_of(source)
        if repository is not None:
            _download_weights(repository, source)
        files = [source] if source.is_file() else weight_files(source)
        kind = FAMILIES.load(family)
        license_, published = _facts(source, files, kind.published, repository)
        digests, checksum = _digests(files, source if repository is not None else None)
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
            store(collected.state, path)
            stored = sha256_of(path)
        record = {
            "name": settings["name"],
            "family": family,
            "source": origin,
            "revision": revision,
            "checksum": checksum,
            "license": license_,
            "sha256": _sum_of(digests),
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


def _download(repository: str, revision: str | None) -> Path:
    """Download a repository's small files to the hub's cache; the folder is named by revision."""
    try:
        return Path(
            huggingface_hub.snapshot_download(
                repository,
                revision=revision,
                allow_patterns=[*(f"*{ending}" for ending in SMALL), "README.md"],
            )
        )
    except Exception as error:
        raise _not_brought(repository, error) from error


def _download_weights(repository: str, folder: Path) -> None:
    """Download the weights of the same revision next to the small files: one file or several."""
    failure: Exception = FileNotFoundError("no weights")
    for single, index in WEIGHTS:
        choices = [[single]]
        if (folder / index).is_file():
            choices.append(files_in(folder / index))
        for names in choices:
            try:
                for name in names:
                    huggingface_hub.hf_hub_download(repository, name, revision=folder.name)
                return
            except (EntryNotFoundError, LocalEntryNotFoundError) as error:
                failure = error
            except Exception as error:
                raise _not_brought(repository, error) from error
    raise _not_brought(repository, failure) from failure


def _not_brought(repository: str, error: Exception) -> VqaModelError:
    """The hub's client raises many types of error, from several libraries."""
    return VqaModelError(not_brought(f"hf-hub:{repository}", error, "a local folder"))


def _facts(
    source: Path,
    files: Sequence[Path],
    known: Mapping[str, Published],
    repository: str | None,
) -> tuple[str | None, Published]:
    """Licence and published facts; for a local model, those stated in its (first) file."""
    if repository is not None:
        return _license(source), known.get(repository, Published())
    try:
        license_, reference = stated_by(files[0], ("yes_no", "overall"))
    except ValueError as error:
        raise VqaModelError(str(error)) from error
    return license_, Published(reference=reference)


def _license(folder: Path) -> str | None:
    """The licence that the repository's README states, or None."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    try:
        data = huggingface_hub.ModelCard.load(readme).data
    except Exception:  # a README is free text, and a licence that cannot be read is unknown
        return None
    license_ = data.get("license")
    return license_ if isinstance(license_, str) else None


def _digests(files: Sequence[Path], hub: Path | None) -> tuple[dict[str, str], str]:
    """The sha256 of each file of weights by name, and how a hub's files compare with its sums.

    The model is ``verified`` only if every file is, those of the tokenizer as well as of weights.

    Args:
        files: the files of weights.
        hub: the folder that a hub's files are in; None for local ones.

    Raises:
        synthsight.inference.hub.ChecksumError: a hub's file has another one than the hub states.
    """
    if hub is None:
        return {file.name: sha256_of(file) for file in files}, "none stated"
    checked = {file.name: check_cached(file) for file in files}
    others = [check_cached(hub / name) for name in small_files(hub)]
    outcomes = {outcome for _, outcome in (*checked.values(), *others)}
    checksum = "verified" if outcomes == {"verified"} else "none stated"
    return {name: digest for name, (digest, _) in checked.items()}, checksum


def _sum_of(digests: Mapping[str, str]) -> str:
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _check_finite(state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise VqaModelError(f"{name} holds NaN or infinite values")


def _parameters(collected: Collected) -> int:
    return sum(v.numel() for v in collected.state.values() if v.is_floating_point())
