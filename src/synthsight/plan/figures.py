"""The figures of a run, one row for each: rules, targets and captions follow from it.

A figure needs a function in ``synthsight/figures``, a row here and a caption,
``workflow/report/figures/NAME.rst``. The function is called with its inputs, as read by
:mod:`synthsight.readers`, and the settings in its spec, all by name, and returns a
matplotlib figure; ``plot.py`` saves it in the formats that the configuration asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from synthsight.plan import asking, looks, specs
from synthsight.plan.experiment import Experiment
from synthsight.plan.tables import (
    always,
    with_a_line,
    with_adapted,
    with_attributes,
    with_blind,
    with_distances,
    with_generators,
    with_people_s_labels,
    with_photographs,
    with_questions,
    with_transfer,
)


def _once(_: Experiment) -> Iterable[tuple[str, ...]]:
    return [()]


def _pages(images_or_models: int, per_page: int) -> range:
    return range(1, (images_or_models - 1) // per_page + 2)


def _by_page(experiment: Experiment) -> Iterable[tuple[str, ...]]:
    models = len(_pages(len(experiment.models), looks.models_per_page(experiment)))
    parts = len(_pages(len(experiment.categories), looks.CATEGORIES_PER_PAGE))
    return [(str(page),) for page in range(1, models * parts + 1)]


def _by_category(experiment: Experiment) -> Iterable[tuple[str, ...]]:
    return [(category,) for category in experiment.categories]


def _by_vqa_model_and_page(experiment: Experiment) -> Iterable[tuple[str, ...]]:
    """At most three pages per model, as in the paper; in a narrow figure as many images."""
    if experiment.vqa is None:
        return []
    each = asking.images_per_page(experiment)
    most = 3 * asking.IMAGES_PER_PAGE // each
    pages = list(_pages(experiment.vqa.images, each))[:most]
    return [(model, str(page)) for model in experiment.vqa.models for page in pages]


@dataclass(frozen=True)
class Figure:
    """One figure, or one for each value of its wildcards.

    Attributes:
        name: name of its files in ``figures/``; its rule is ``plot_NAME``.
        function: ``"module:function"``.
        section: its heading in Snakemake's own report.
        inputs: for each of the function's parameters, the name of its input (see
            :meth:`synthsight.plan.files.Files.input`).
        spec: the settings it depends on besides its inputs, given its wildcards' values.
        wildcards: wildcards whose values are appended to the files' names with underscores.
        instances: their values in an experiment.
        pictures: which images it shows, those of ``images`` or of ``questions``, which the function
            gets through its argument ``read``; None if it shows none. The program's further input
            :data:`synthsight.inputs.INDEXED` holds their checksums.
        group: group of the submission on a cluster.
        when: whether an experiment has it.
    """

    name: str
    function: str
    section: str
    inputs: Mapping[str, str]
    spec: Callable[..., specs.Spec] | None = None
    wildcards: tuple[str, ...] = ()
    instances: Callable[[Experiment], Iterable[tuple[str, ...]]] = _once
    pictures: str | None = None
    group: str = "results"
    when: Callable[[Experiment], bool] = always

    @property
    def stem(self) -> str:
        """The name of its files without extension, with the wildcards in braces."""
        return "_".join((self.name, *(f"{{{name}}}" for name in self.wildcards)))

    @property
    def log(self) -> str:
        """The name of its log without extension, with the wildcards in braces."""
        values = "_".join(f"{{{name}}}" for name in self.wildcards)
        return f"plot_{self.name}/{values}" if values else f"plot_{self.name}"

    def settings(self, experiment: Experiment, *values: str) -> specs.Spec:
        """The spec of one instance: what the function depends on, and the look of all figures."""
        own = {} if self.spec is None else self.spec(experiment, *values)
        return {**own, **looks.look(experiment)}

    def root(self, experiment: Experiment) -> str:
        """The folder of the images that it shows; empty if it shows none."""
        if self.pictures is None:
            return ""
        if self.pictures == "images":
            return experiment.settings.images.root
        assert experiment.vqa is not None
        return experiment.vqa.root

    def files_of(self, experiment: Experiment) -> Iterator[tuple[tuple[str, ...], str]]:
        """The values of its wildcards, and its files' name without extension, one by one."""
        for values in self.instances(experiment):
            named = dict(zip(self.wildcards, values, strict=True))
            yield tuple(values), self.stem.format(**named)

    @property
    def labels(self) -> dict[str, str]:
        """Its labels in Snakemake's own report."""
        return {
            "figure": self.name.removeprefix("vqa_"),
            **{name.removeprefix("vqa_"): f"{{{name}}}" for name in self.wildcards},
        }


FIGURES = (
    Figure(
        "samples",
        "synthsight.figures.samples:samples",
        "Images",
        {"manifest": "manifests", "photographs": "photographs"},
        pictures="images",
        group="images",
    ),
    Figure(
        "overview",
        "synthsight.figures.overview:overview",
        "Accuracy",
        {
            "accuracy": "accuracy",
            "agreement": "agreement",
            "manifest": "manifests",
            "reference": "reference",
            "photographs": "photographs",
        },
        specs.rule_and_level,
    ),
    Figure(
        "models",
        "synthsight.figures.models:models",
        "Accuracy",
        {"accuracy": "accuracy"},
        looks.models_page,
        ("page",),
        _by_page,
    ),
    Figure(
        "failures",
        "synthsight.figures.failures:failures_of_best",
        "Failures",
        {"accuracy": "accuracy", "scores": "scores"},
        specs.failures,
        ("category",),
        _by_category,
        pictures="images",
    ),
    Figure(
        "rules", "synthsight.figures.rules:rules", "Accuracy", {"accuracy": "accuracy"}, specs.rule
    ),
    Figure(
        "reference",
        "synthsight.figures.reference:reference",
        "Accuracy",
        {"table": "reference"},
        specs.rule_and_level,
    ),
    Figure(
        "drops",
        "synthsight.figures.reference:drops",
        "Accuracy",
        {"table": "reference"},
        specs.rule_level_and_adapted,
        when=with_photographs,
    ),
    Figure(
        "robustness",
        "synthsight.figures.robustness:robustness",
        "Accuracy",
        {"table": "robustness", "reference": "reference"},
        specs.rule_level_and_adapted,
        when=with_a_line,
    ),
    Figure(
        "generators",
        "synthsight.figures.generators:generators",
        "Generators",
        {"accuracy": "accuracy", "differences": "generators", "photographs": "photographs"},
        specs.rule_level_and_adapted,
        when=with_generators,
    ),
    Figure("kappa", "synthsight.figures.kappa:kappa", "Agreement", {"table": "kappa"}, specs.rule),
    Figure(
        "difficulty",
        "synthsight.figures.difficulty:difficulty",
        "Agreement",
        {"table": "difficulty", "photographs": "photographs"},
        specs.rule_and_adapted,
    ),
    Figure(
        "ranking",
        "synthsight.figures.ranking:ranking",
        "Accuracy",
        {"table": "ranking"},
        specs.rule_and_adapted,
    ),
    Figure(
        "attributes",
        "synthsight.figures.attributes:attributes",
        "Accuracy",
        {"table": "attributes"},
        specs.rule_and_level,
        when=with_attributes,
    ),
    Figure(
        "calibration",
        "synthsight.figures.calibration:calibration",
        "Accuracy",
        {"table": "calibration", "bins": "calibration_bins"},
        specs.rule_and_level,
    ),
    Figure(
        "confusions",
        "synthsight.figures.confusions:confusions",
        "Failures",
        {"table": "confusions"},
        specs.rule_and_adapted,
    ),
    Figure(
        "gallery",
        "synthsight.figures.gallery:gallery",
        "Agreement",
        {"images": "images"},
        specs.rule_and_adapted,
        pictures="images",
    ),
    Figure(
        "people",
        "synthsight.figures.people:people",
        "People",
        {"table": "people", "groups": "people_groups", "photographs": "photographs"},
        specs.rule_level_and_adapted,
        when=with_people_s_labels,
    ),
    Figure(
        "transfer",
        "synthsight.figures.transfer:transfer",
        "Learning",
        {"table": "transfer"},
        specs.level,
        when=with_transfer,
    ),
    Figure(
        "transfer_curves",
        "synthsight.figures.transfer_curves:transfer_curves",
        "Learning",
        {"table": "transfer"},
        specs.level,
        when=with_transfer,
    ),
    Figure(
        "distances",
        "synthsight.figures.distances:distances",
        "Learning",
        {"table": "distances", "accuracy": "accuracy"},
        specs.rule_and_level,
        when=with_distances,
    ),
    Figure(
        "adaptation",
        "synthsight.figures.adaptation:adaptation",
        "Learning",
        {"table": "adaptation", "photographs": "photographs"},
        specs.level,
        when=with_adapted,
    ),
    Figure(
        "vqa_samples",
        "synthsight.figures.vqa_samples:vqa_samples_of",
        "Questions",
        {"answers": "answers_of_model"},
        asking.vqa_samples_page,
        ("vqa_model", "page"),
        _by_vqa_model_and_page,
        pictures="questions",
        when=with_questions,
    ),
    Figure(
        "vqa_accuracy",
        "synthsight.figures.vqa_accuracy:vqa_accuracy",
        "Questions",
        {"table": "vqa"},
        specs.level_and_unit,
        when=with_questions,
    ),
    Figure(
        "vqa_seeing",
        "synthsight.figures.vqa_seeing:vqa_seeing",
        "Questions",
        {"table": "vqa", "groups": "vqa_groups"},
        specs.level_and_unit,
        when=with_blind,
    ),
    Figure(
        "vqa_kinds",
        "synthsight.figures.vqa_kinds:vqa_kinds",
        "Questions",
        {"groups": "vqa_groups", "table": "vqa"},
        specs.level_and_unit,
        when=with_questions,
    ),
    Figure(
        "vqa_calibration",
        "synthsight.figures.vqa_calibration:vqa_calibration",
        "Questions",
        {"calibration": "vqa_calibration", "table": "vqa"},
        specs.level_and_unit,
        when=with_questions,
    ),
)
