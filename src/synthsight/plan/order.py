"""The order of jobs: priorities, of which Snakemake takes the higher first."""

from __future__ import annotations

from synthsight.plan.experiment import Experiment


def of_model(experiment: Experiment, model: str) -> int:
    """The priority of a classifier's jobs: the configuration's first model goes first.

    Encoders come after the classifiers.
    """
    vqa = experiment.vqa
    behind = len(vqa.models) if vqa else 0
    names = [*experiment.models, *experiment.encoders]
    return behind + len(names) - names.index(model)


def of_pixels(experiment: Experiment, model: str) -> float:
    """Priority of making pixels for one model only: just below that of classifying them."""
    return of_model(experiment, model) - 0.5


def of_features(experiment: Experiment, model: str) -> float:
    """Priority of reading features: just below that of classifying with the same model."""
    return of_model(experiment, model) - 0.25


def of_vqa_model(experiment: Experiment, vqa_model: str) -> int:
    """The priority of a VQA model's jobs, which come after those of the classifiers."""
    assert experiment.vqa is not None
    names = list(experiment.vqa.models)
    return len(names) - names.index(vqa_model)
