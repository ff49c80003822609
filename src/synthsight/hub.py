"""What fetching classifiers and fetching VQA models share: a hub's cache, and checksums."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.constants import HF_HUB_CACHE

from synthsight.files import sha256_of


def check_cached(file: Path) -> tuple[str, str]:
    """A file of the hub's cache against the sum that the hub states for it.

    The cache names a large file by the sha256 that the hub states, and links to it.

    Returns:
        Its sha256 in hex, and ``verified``, ``differs`` or ``none stated``.
    """
    digest = sha256_of(file)
    stated = file.resolve().name
    if not re.fullmatch(r"[0-9a-f]{64}", stated):
        return digest, "none stated"
    return digest, "verified" if stated == digest else "differs"


def not_brought(source: str, error: Exception, local: str) -> str:
    """What to say when a hub's files could not be brought; ``local`` is what to name instead."""
    cause = " ".join(str(error).split())[:300]
    return (
        f"{source} could not be brought ({type(error).__name__}: {cause}). On a machine without "
        f"internet: download it elsewhere, copy the hub's cache folder ({HF_HUB_CACHE}) here, or "
        f"name {local} in the model's `checkpoint`"
    )


def warn_of_checksum(note: Mapping[str, Any]) -> None:
    """Print a warning if a note says that a file in the cache is not the one that was stated."""
    if note["checksum"] == "differs":
        print(
            f"WARNING: the file in the cache does not have the checksum that {note['source']} "
            "states: it is incomplete, or it is another file. Its sha256 is kept in the note."
        )
