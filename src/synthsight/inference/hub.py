"""Shared by fetching classifiers and VQA models: the hub's cache, checksums, file metadata."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
from huggingface_hub.constants import HF_HUB_CACHE

from synthsight.contents import kind_of_file
from synthsight.files import sha256_of
from synthsight.wording import one_line


def check_cached(file: Path) -> tuple[str, str]:
    """Check a file in the hub's cache against the checksum that the hub states for it.

    The cache names a file by what the hub states, and links to it: the sha256 of a large one, and
    Git's name of the content, a sha1, of others.

    Returns:
        Its sha256 in hex, and ``verified``, ``differs`` or ``none stated``.
    """
    digest = sha256_of(file)
    stated = file.resolve().name
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", stated):
        return digest, "none stated"
    found = digest if len(stated) == len(digest) else _git_name_of(file)
    return digest, "verified" if stated == found else "differs"


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


def warn_of_checksum(note: Mapping[str, Any]) -> None:
    """Print a warning if a note says that a cached file does not match its stated checksum."""
    if note["checksum"] == "differs":
        print(
            f"WARNING: a file in the cache does not have the checksum that {note['source']} "
            "states: it is incomplete, or another file. Its sha256 is recorded in the note."
        )
