"""The specs of the rules that learn from features: see :mod:`synthsight.plan.specs`."""

from __future__ import annotations

from synthsight.plan.experiment import Experiment
from synthsight.plan.specs import Spec, level


def fit_linear(experiment: Experiment, model: str) -> Spec:
    """How new last layers are fitted to a model's features, and on which images."""
    return {**join_folds(experiment, model), **_trained(experiment, model)}


def finetune(experiment: Experiment, model: str, fold: str) -> Spec:
    """Everything that affects a network that is trained without one part of the images.

    What the categories are called where they are matched does not: see :func:`join_folds`.
    """
    about = experiment.adapted[model]
    base = experiment.loaded[about.base]
    return {
        "name": model,
        "model": about.base,
        "architecture": base.architecture,
        "geometry": base.geometry.as_dict(),
        "mean": base.mean,
        "std": base.std,
        "precision": experiment.settings.precision,
        "layers": about.head.layers,
        "length": about.head.length,
        "categories": sorted(experiment.categories),
        "fold": int(fold),
        **about.training,
        **_trained(experiment, model),
    }


def join_folds(experiment: Experiment, model: str) -> Spec:
    """What an adapted model is called, is made from and calls its classes."""
    about = experiment.adapted[model]
    return {
        "model": model,
        "base": about.base,
        "encoder": about.is_encoder,
        "method": about.method,
        "label_space": about.labels,
        "classes": about.classes,
    }


def adaptation(experiment: Experiment) -> Spec:
    """The level, and of which categories what is adapted has no class."""
    models = experiment.adapted.values()
    unnamed = {each.base: sorted(each.unnamed) for each in models if each.unnamed}
    return {**level(experiment), **({"unnamed": unnamed} if unnamed else {})}


def _trained(experiment: Experiment, model: str) -> Spec:
    """On which images an adapted model's networks are trained."""
    about = experiment.adapted[model]
    return {"sources": about.sources, "folds": about.folds, "seed": about.seed}


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
