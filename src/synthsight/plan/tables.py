"""The tables of a run, one row for each: rules, targets, captions and the report follow from it.

A table computed from scores or answers needs a function in ``synthsight/statistics``, a row here
and a caption, ``workflow/report/tables/NAME.rst``. The function is called with the
:class:`synthsight.tables.Outputs`, its inputs and the settings in its spec, all by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from synthsight.plan import asking, learning, specs
from synthsight.plan.experiment import Experiment
from synthsight.statistics.columns import LEAST_MODELS


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: name of its files in ``tables/``.
        csv: whether it is also for people, as a CSV; tables only for other stages are Parquet.
    """

    name: str
    csv: bool = True


def always(_: Experiment) -> bool:
    """True: for rows that every experiment has."""
    return True


def with_generators(experiment: Experiment) -> bool:
    """Whether there are several generators to compare."""
    return len(experiment.generators) > 1


def with_photographs(experiment: Experiment) -> bool:
    """Whether there are real photographs beside the generated images."""
    return bool(experiment.real)


def with_a_line(experiment: Experiment) -> bool:
    """Whether there are photographs, and enough models to fit a line to."""
    others = len(experiment.models) - len(experiment.adapted)
    return with_photographs(experiment) and others >= LEAST_MODELS


def with_questions(experiment: Experiment) -> bool:
    """Whether yes/no questions are asked."""
    return experiment.vqa is not None


def with_blind(experiment: Experiment) -> bool:
    """Whether they are also asked without the images, which answers made elsewhere cannot be."""
    vqa = experiment.settings.vqa
    return vqa is not None and vqa.blind and any(model.answers is None for model in vqa.models)


def with_people(experiment: Experiment) -> bool:
    """Whether people say anything."""
    return experiment.people is not None


def with_people_s_labels(experiment: Experiment) -> bool:
    """Whether people say what images show."""
    return experiment.people is not None and bool(experiment.people.labels)


def with_people_s_answers(experiment: Experiment) -> bool:
    """Whether people answer the questions."""
    return experiment.people is not None and bool(experiment.people.answers)


def with_transfer(experiment: Experiment) -> bool:
    """Whether classifiers are trained on one source and tested on another."""
    return experiment.settings.transfer is not None


def with_distances(experiment: Experiment) -> bool:
    """Whether it is measured how far generated images are from photographs."""
    return experiment.settings.distances is not None


def with_adapted(experiment: Experiment) -> bool:
    """Whether models are trained on the run's images."""
    return bool(experiment.settings.adapt)


def with_attributes(experiment: Experiment) -> bool:
    """Whether more is known of images than what they show."""
    return experiment.attributes is not None


@dataclass(frozen=True)
class Statistic:
    """A rule that makes tables.

    Attributes:
        rule: its name.
        tables: the tables that it makes.
        function: ``"module:function"`` for ``tabulate.py``; None if the rule has a program and a
            rule file of its own.
        inputs: for each of the function's parameters, the name of its input (see
            :meth:`synthsight.plan.files.Files.input`).
        spec: the settings it depends on besides its inputs, if any.
        when: whether an experiment has it.
    """

    rule: str
    tables: tuple[Table, ...]
    function: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    spec: Callable[[Experiment], specs.Spec] | None = None
    when: Callable[[Experiment], bool] = always


STATISTICS = (
    Statistic(
        "accuracy",
        (Table("accuracy"),),
        "synthsight.statistics.accuracy:tabulate",
        {"scores": "scores"},
        specs.level_and_adapted,
    ),
    Statistic(
        "models",
        (Table("models"),),
        "synthsight.statistics.models:tabulate",
        {"notes": "notes", "vqa_notes": "vqa_notes"},
        specs.models,
    ),
    Statistic(
        "agreement",
        (
            Table("agreement"),
            Table("difficulty"),
            Table("images", csv=False),
            Table("kappa"),
        ),
        "synthsight.statistics.agreement:tabulate",
        {"scores": "scores"},
        specs.level_and_adapted,
    ),
    Statistic(
        "compare",
        (
            Table("comparisons"),
            Table("ranking"),
        ),
        "synthsight.statistics.compare:tabulate",
        {"scores": "scores"},
        specs.ranked,
    ),
    Statistic(
        "confusions",
        (Table("confusions"),),
        "synthsight.statistics.confusions:tabulate",
        {"scores": "scores"},
        specs.adapted,
    ),
    Statistic(
        "calibration",
        (Table("calibration"), Table("calibration_bins")),
        "synthsight.statistics.calibration:tabulate",
        {"scores": "scores"},
        specs.drawn,
    ),
    Statistic(
        "reference",
        (Table("reference"),),
        "synthsight.statistics.reference:tabulate",
        {"accuracy": "accuracy", "notes": "notes", "scores": "scores"},
        specs.level,
    ),
    Statistic(
        "robustness",
        (Table("robustness"),),
        "synthsight.statistics.robustness:tabulate",
        {"scores": "scores"},
        specs.ranked,
        with_a_line,
    ),
    Statistic(
        "generators",
        (Table("generators"),),
        "synthsight.statistics.generators:tabulate",
        {"scores": "scores"},
        specs.level_and_adapted,
        with_generators,
    ),
    Statistic(
        "attributes",
        (Table("attributes"),),
        "synthsight.statistics.attributes:tabulate",
        {"scores": "scores", "attributes": "attributes_of_images"},
        specs.attributes,
        with_attributes,
    ),
    Statistic(
        "list_excluded_questions",
        (Table("excluded_questions"),),
        spec=asking.list_excluded_questions,
        when=with_questions,
    ),
    Statistic(
        "vqa",
        (
            Table("vqa"),
            Table("vqa_groups"),
            Table("vqa_questions"),
            Table("vqa_calibration"),
            Table("vqa_comparisons"),
        ),
        "synthsight.statistics.vqa:tabulate",
        {"answers": "answers", "notes": "vqa_notes"},
        specs.level,
        with_questions,
    ),
    Statistic(
        "people",
        (
            Table("people"),
            Table("people_agreement"),
            Table("people_images"),
            Table("people_groups"),
            Table("people_recognisable"),
        ),
        "synthsight.statistics.people:tabulate",
        {"labels": "labels_by_people", "scores": "scores"},
        specs.people,
        with_people_s_labels,
    ),
    Statistic(
        "people_answers",
        (Table("people_answers"),),
        "synthsight.statistics.people_answers:tabulate",
        {"given": "answers_by_people", "answers": "answers"},
        specs.people_answers,
        with_people_s_answers,
    ),
    Statistic(
        "transfer",
        (Table("transfer"), Table("transfer_categories")),
        "synthsight.statistics.transfer:tabulate",
        {"pairs": "heads", "categories": "heads_by_category"},
        when=with_transfer,
    ),
    Statistic(
        "distances",
        (Table("distances"),),
        "synthsight.statistics.distances:tabulate",
        {"measured": "distances_by_model"},
        when=with_distances,
    ),
    Statistic(
        "adaptation",
        (Table("adaptation"),),
        "synthsight.statistics.adaptation:tabulate",
        {"scores": "scores", "parts": "adapted_parts"},
        learning.adaptation,
        with_adapted,
    ),
    Statistic(
        "import_people", (Table("people_excluded"),), spec=specs.import_people, when=with_people
    ),
    Statistic("label_audit", (Table("label_audit"),), spec=specs.label_audit),
    Statistic("list_excluded", (Table("excluded"),), spec=specs.list_excluded),
    Statistic("find_duplicates", (Table("duplicates"),), spec=specs.find_duplicates),
)

#: Every table, by name.
TABLES = {table.name: table for statistic in STATISTICS for table in statistic.tables}
