"""How all figures of a run look, as its configuration states it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthsight.figures.look import Look
from synthsight.plan.experiment import Experiment

#: Widths of figures in inches: the text of a journal's page, and one of its two columns.
WIDTHS = {"two": 7.2, "one": 3.3}

#: Pixels per inch, unless stated.
DPI = 200


def narrow(experiment: Experiment) -> bool:
    """Whether figures have no room for panels side by side."""
    return Look(width=width(experiment)).narrow


def width(experiment: Experiment) -> float:
    """Inches of a figure's width."""
    stated = experiment.settings.figures.width
    return WIDTHS[stated] if isinstance(stated, str) else stated


def look(experiment: Experiment) -> Mapping[str, Any]:
    """How all figures look, where that is not as usual; font files count by their contents."""
    about = experiment.settings.figures
    inches = width(experiment)
    found = {
        **({} if inches == WIDTHS["two"] else {"width": inches}),
        **({} if about.title else {"title": False}),
        **({} if about.dpi == DPI else {"dpi": about.dpi}),
        **({"fonts": about.fonts} if about.fonts else {}),
        **({"contents": experiment.fonts} if experiment.fonts else {}),
    }
    return {"look": found} if found else {}
