"""The specs of the rules that learn from features: see :mod:`synthsight.plan.specs`."""

from __future__ import annotations

from synthsight.plan.experiment import Experiment
from synthsight.plan.specs import Spec, level


def train_heads(experiment: Experiment, model: str) -> Spec:
    """How classifiers are trained on a model's features, on how many images, and tested."""
    about = experiment.settings.transfer
    assert about is not None
    return {
        "model": model,
        "per_category": sorted(about.per_category, key=str),
        "folds": about.folds,
        "resamples": about.resamples,
        "seed": experiment.settings.intervals.seed,
        **level(experiment),
    }


def measure_distances(experiment: Experiment, model: str) -> Spec:
    """How the distance from the photographs is measured in a model's features."""
    about = experiment.settings.distances
    assert about is not None
    return {
        "model": model,
        "nearest": about.nearest,
        "halves": about.halves,
        "permutations": about.permutations,
        "seed": experiment.settings.intervals.seed,
        **level(experiment),
    }


def map_images(experiment: Experiment, model: str) -> Spec:
    """How a model's features become places on a map."""
    about = experiment.settings.map
    assert about is not None
    return {
        "model": model,
        "perplexity": about.perplexity,
        "most": about.images,
        "seed": experiment.settings.intervals.seed,
    }


def export_split(experiment: Experiment) -> Spec:
    """How images are divided into training and test for other programs."""
    about = experiment.settings.transfer
    assert about is not None
    return {
        "root": experiment.settings.images.root,
        "folds": about.folds,
        "seed": experiment.settings.intervals.seed,
    }
