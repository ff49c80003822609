"""The settings of what a run shows: figures, the report, the pages for raters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureSettings:
    """``figures``."""

    width: str | float
    formats: tuple[str, ...]
    dpi: int
    title: bool
    fonts: tuple[str, ...]


@dataclass(frozen=True)
class ReportSettings:
    """``report``."""

    thumbnail: int
    images: int


@dataclass(frozen=True)
class RatingSettings:
    """``rating``."""

    images: int
    questions: int
    seed: int
    side: int
    instructions: str | None
    consent: str | None
