"""How many small pictures of each category are made, so that few are made in vain."""

from __future__ import annotations

from synthsight.images.sampling import pictures_at_most
from synthsight.plan.experiment import Experiment


def most_pictures(experiment: Experiment, category: str) -> int:
    """How many pictures of a category the report may have at most."""
    return pictures_at_most(_files(experiment, category), _files(experiment), _limit(experiment))


def fewer_pictures(experiment: Experiment) -> dict[str, int]:
    """Of which categories these are fewer than the report may have in all, and how many."""
    total, limit = _files(experiment), _limit(experiment)
    bounds = {
        name: pictures_at_most(_files(experiment, name), total, limit)
        for name in experiment.categories
    }
    return {name: bound for name, bound in bounds.items() if bound < limit}


def _files(experiment: Experiment, *names: str) -> int:
    """How many files there are of these categories; without a name of all."""
    categories = experiment.categories
    return sum(categories[name].listing.files for name in names or categories)


def _limit(experiment: Experiment) -> int:
    return experiment.settings.report.images
