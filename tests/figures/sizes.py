"""Every figure at any number of models and categories, from tables of numbers by chance."""

from __future__ import annotations

from matplotlib.figure import Figure

from synthsight.figures.adaptation import adaptation
from synthsight.figures.distances import distances
from synthsight.figures.failures import failures
from synthsight.figures.models import models
from synthsight.figures.samples import samples
from synthsight.figures.transfer import transfer
from synthsight.figures.transfer_curves import transfer_curves
from synthsight.plan.figures import FIGURES
from tests.figures import test_adaptation, test_learning, test_people, test_statistics, test_vqa
from tests.figures.test_classifiers import (
    LONG_MODELS,
    RULE,
    make_accuracy,
    make_manifest,
    make_overview,
    make_scores,
    names,
    picture,
)

#: Names of all figures.
NAMES = [row.name for row in FIGURES]

#: Numbers of models, and of categories.
MODELS, CATEGORIES = (1, 12, 30, 100), (1, 17, 40, 200)

#: Figures that say nothing of single categories.
OF_MODELS = {
    *("reference", "robustness", "generators", "kappa", "difficulty", "ranking", "people"),
    *("transfer", "transfer_curves", "distances", "adaptation", "vqa_samples", "vqa_accuracy"),
    *("vqa_seeing", "vqa_kinds", "vqa_calibration"),
}

#: Those that say nothing of single models.
OF_CATEGORIES = {"samples", "failures", "drops", "confusions", "gallery"}


def sizes(name: str) -> list[tuple[int, int]]:
    """The numbers of models and categories that a figure is looked at with."""
    if name in OF_MODELS:
        return [(each, 17) for each in MODELS]
    if name in OF_CATEGORIES:
        return [(12, each) for each in CATEGORIES]
    both = list(zip(MODELS, CATEGORIES, strict=True))
    return [*both, (MODELS[0], CATEGORIES[-1]), (MODELS[-1], CATEGORIES[0])]


def draw(name: str, n_models: int, n_categories: int) -> Figure:
    """Draw a figure of so many models and categories."""
    nets = [LONG_MODELS[i] if i % 3 else f"net{i}" for i in range(n_models)]
    categories = [f"great_white_shark_{i}" if i % 4 else f"kite{i}" for i in range(n_categories)]
    makers = ["dalle", "a_long_generator_name", "sd"]
    if name == "overview":
        return make_overview(nets, categories, ["dalle", "sd"])
    if name == "models":
        return models(make_accuracy(nets, categories), RULE, 1, 5)
    if name == "samples":
        return samples(make_manifest(categories, ["dalle", "sd"], each=4), (), picture)
    if name == "failures":
        classes = [f"web site, website, internet site, number {index}" for index in range(8)]
        scores = make_scores(min(n_categories, 30), 3)
        return failures(scores, classes, LONG_MODELS[0], "kite", RULE, picture)
    if name == "people":
        return test_people.draw(nets, n_models, ["photo", "dalle", "sd"])
    if name == "adaptation":
        table = test_adaptation.table([f"{net}+finetune" for net in nets])
        return adaptation(table, {"photo"}, 0.95)
    if name in ("transfer", "transfer_curves"):
        sources = names("generator", n_models)
        table = test_learning.transfer_table(nets[:6], sources)
        return transfer(table) if name == "transfer" else transfer_curves(table)
    if name == "distances":
        sources = names("generator", n_models)
        table = test_learning.distance_table(nets[:6], sources)
        return distances(table, test_learning.accuracy_table(sources), RULE)
    if name.startswith("vqa_"):
        answers = test_vqa.make_answers(nets, images=40, first_words=names("word", n_models))
        return test_vqa.draw(name, answers)
    return test_statistics.draw(name, nets, categories, makers)
