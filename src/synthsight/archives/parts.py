"""The file that a download grows in, and what is noted of it for the next attempt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from synthsight.files import atomic


def size_of(part: Path) -> int:
    """Bytes that have arrived."""
    return part.stat().st_size if part.exists() else 0


def drive_folder(part: Path) -> Path:
    """Where the client for Google Drive keeps its own part."""
    return part.with_name(f"{part.name}.drive")


def _about(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def read_about(part: Path) -> dict[str, Any]:
    """What was noted of an earlier attempt; empty if there is nothing, or it cannot be read."""
    try:
        about = json.loads(_about(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def write_about(part: Path, about: dict[str, Any]) -> None:
    """Note what the next attempt must know."""
    with atomic(_about(part)) as temporary:
        temporary.write_text(json.dumps(about), encoding="utf-8")


def drop(part: Path) -> None:
    """Delete what :func:`synthsight.archives.download.download` has written, complete or not."""
    part.unlink(missing_ok=True)
    _about(part).unlink(missing_ok=True)
    shutil.rmtree(drive_folder(part), ignore_errors=True)
