"""The settings of what is said of images besides what they show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AttributeSettings:
    """``images.attributes``."""

    table: str | None
    image: str | None
    columns: tuple[str, ...] | None
    compare: tuple[str, ...] | None
