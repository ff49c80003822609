"""Shared by fetching classifiers and VQA models: libraries' caches, checksums, file metadata.

Can be imported without torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

import safetensors
from huggingface_hub.constants import HF_HUB_CACHE

from synthsight.contents import kind_of_file
from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.wording import one_line


class ChecksumError(SynthsightError):
    """A cached file is not the one that its source has."""


def check_cached(file: Path) -> tuple[str, str]:
    """Check a file in the hub's cache against the checksum that the hub states for it.

    The cache names a file by what the hub states, and links to it: the sha256 of a large one, and
    Git's name of the content, a sha1, of others.

    Returns:
        Its sha256 in hex, and ``verified`` or ``none stated``.

    Raises:
        ChecksumError: it has another one.
    """
    digest = sha256_of(file)
    blob = file.resolve()
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", blob.name):
        return digest, "none stated"
    found = digest if len(blob.name) == len(digest) else _git_name_of(file)
    if blob.name != found:
        raise _other_file(f"{file.name} in the hub's cache", blob, blob.name, found)
    return digest, "verified"


def cached_by_torch(url: str) -> Path:
    """Where :mod:`torch.hub` keeps what it has downloaded from an address."""
    import torch.hub  # seconds, which the configuration, which reads this module, need not wait

    return Path(torch.hub.get_dir()) / "checkpoints" / PurePosixPath(urlparse(url).path).name


def check_named(file: Path) -> tuple[str, str]:
    """Check a file whose name may state the beginning of its sha256: ``resnet18-f37072fd.pth``.

    torch compares them when it downloads, if it is asked to, and never again.

    Returns:
        Its sha256 in hex, and ``verified`` or ``none stated``.

    Raises:
        ChecksumError: it has another one.
    """
    digest = sha256_of(file)
    stated = re.search(r"-([0-9a-f]{8,})\.", file.name)
    if stated is None:
        return digest, "none stated"
    if not digest.startswith(stated[1]):
        raise _other_file(file.name, file, stated[1], digest)
    return digest, "verified"


def _other_file(name: str, path: Path, stated: str, found: str) -> ChecksumError:
    return ChecksumError(
        f"{name} does not have the checksum that its source states ({stated}, found {found}): it "
        f"is incomplete, or another file. Delete {path} and run again, or, if it is what you want, "
        "copy it elsewhere and name it in the model's `checkpoint`"
    )


def _git_name_of(file: Path) -> str:
    """What Git calls a file's content."""
    found = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with open(file, "rb") as handle:
        while part := handle.read(2**20):
            found.update(part)
    return found.hexdigest()


def stated_by(file: Path, accuracies: Sequence[str]) -> tuple[str | None, dict[str, Any] | None]:
    """Licence and reference accuracy in the metadata of a safetensors file.

    Args:
        file: the file; one of another format, whatever its name, has neither.
        accuracies: keys of the fractions that its ``reference`` may hold, besides ``source``.

    Raises:
        ValueError: the file cannot be read, or its reference is not of this form.
    """
    try:
        if kind_of_file(file).name != "safetensors":
            return None, None
        with safetensors.safe_open(file, "pt") as handle:
            metadata = handle.metadata() or {}
        stated = json.loads(metadata.get("reference", "null"))
    except (safetensors.SafetensorError, ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    if stated is None:
        return metadata.get("license"), None
    fractions = [stated.get(key) for key in accuracies] if isinstance(stated, dict) else [-1]
    if not all(
        value is None or (isinstance(value, int | float) and 0 <= value <= 1) for value in fractions
    ) or not isinstance(stated.get("source"), str | None):
        raise ValueError(
            f"{file}: the `reference` in its metadata must be a JSON object of "
            f"{', '.join(accuracies)} between 0 and 1, and source; it is {str(stated)[:100]}"
        )
    return metadata.get("license"), {key: stated.get(key) for key in (*accuracies, "source")}


def not_brought(source: str, error: Exception, local: str) -> str:
    """The message for a hub's files that could not be fetched; ``local`` is the alternative."""
    cause = one_line(error)[:300]
    return (
        f"{source} could not be fetched ({type(error).__name__}: {cause}). On a machine without "
        f"internet access, download it elsewhere and copy the hub's cache folder ({HF_HUB_CACHE}) "
        f"here, or name {local} in the model's `checkpoint`"
    )
