"""How figures look: their width, what fits on a page, and what of it their specs say."""

from __future__ import annotations

from synthsight.figures.look import Look
from synthsight.plan import specs
from synthsight.plan.experiment import Experiment

#: Models on one page of figures/models_*, as in the paper's Figures 5 and 6, and on a narrow one.
MODELS_PER_PAGE, MODELS_NARROW = 5, 2

#: Categories on one page of figures/models_*, of which there is a page after the other if there are
#: more.
CATEGORIES_PER_PAGE = 60

#: Widths of figures in inches: the text of a journal's page, and one of its two columns.
WIDTHS = {"two": 7.2, "one": 3.3}

#: Pixels per inch, unless stated.
DPI = 200


def models_page(experiment: Experiment, page: str) -> specs.Spec:
    """For a page of figures/models_*."""
    per_page = models_per_page(experiment)
    many = len(experiment.categories) > CATEGORIES_PER_PAGE
    parts = {"categories_per_page": CATEGORIES_PER_PAGE} if many else {}
    return {**specs.rule_and_level(experiment), "page": int(page), "per_page": per_page, **parts}


def models_per_page(experiment: Experiment) -> int:
    """Models on one page of figures/models_*."""
    return MODELS_NARROW if narrow(experiment) else MODELS_PER_PAGE


def narrow(experiment: Experiment) -> bool:
    """Whether figures have no room for panels side by side."""
    return Look(width=width(experiment)).narrow


def width(experiment: Experiment) -> float:
    """Inches of a figure's width."""
    stated = experiment.settings.figures.width
    return WIDTHS[stated] if isinstance(stated, str) else stated


def look(experiment: Experiment) -> specs.Spec:
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
