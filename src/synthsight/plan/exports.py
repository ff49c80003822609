"""What a run exports, one row for each file: rules and targets follow from it.

A file needs a function in ``synthsight/export`` and a row here. The function is called with its
tables and the settings in its spec, all by name, and returns what ``export.py`` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from synthsight.plan import specs
from synthsight.plan.experiment import Experiment
from synthsight.plan.left_out import as_spec
from synthsight.plan.tables import always, with_questions, with_transfer


@dataclass(frozen=True)
class Export:
    """One file.

    Attributes:
        name: its name in ``export/``; its rule is ``export_`` and the name without its ending.
        function: ``"module:function"``.
        inputs: for each of the function's parameters, the name of its table.
        spec: the settings it depends on besides its tables.
        when: whether an experiment has it.
    """

    name: str
    function: str
    inputs: Mapping[str, str]
    spec: Callable[[Experiment], specs.Spec]
    when: Callable[[Experiment], bool] = always

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return f"export_{self.name.partition('.')[0]}"

    def settings(self, experiment: Experiment) -> specs.Spec:
        """Its spec, with the models that failed and are left out, where there are any."""
        left = experiment.left_out
        return {**self.spec(experiment), **({"left_out": as_spec(left)} if left else {})}


def of_run(experiment: Experiment) -> specs.Spec:
    """For files about the whole run."""
    run = {"run": experiment.settings.run}
    return {**specs.level(experiment), **run, **specs.adapted(experiment)}


def without_questions(experiment: Experiment) -> bool:
    """Whether no questions are asked."""
    return not with_questions(experiment)


_HARNESS = {"accuracy": "accuracy", "excluded": "excluded"}
_RECORDS = {"accuracy": "accuracy"}
_VQA = {"vqa": "vqa"}

EXPORTS = (
    Export(
        "accuracy.tex",
        "synthsight.export.accuracy:accuracy",
        {
            "accuracy": "accuracy",
            "reference": "reference",
            "comparisons": "comparisons",
            "excluded": "excluded",
        },
        specs.rule_level_and_adapted,
    ),
    Export(
        "vqa.tex",
        "synthsight.export.vqa:vqa",
        {"table": "vqa", "comparisons": "vqa_comparisons", "excluded": "excluded_questions"},
        specs.level_and_unit,
        with_questions,
    ),
    Export(
        "transfer.tex",
        "synthsight.export.transfer:transfer",
        {"table": "transfer"},
        specs.level,
        with_transfer,
    ),
    *(
        Export(
            name,
            f"synthsight.export.harness:{function}",
            {**inputs, **(_VQA if when is with_questions else {})},
            of_run,
            when,
        )
        for name, function, inputs in (
            ("results.json", "results", _HARNESS),
            ("every_eval_ever.jsonl", "records", _RECORDS),
        )
        for when in (with_questions, without_questions)
    ),
)


def exports_of(experiment: Experiment) -> list[Export]:
    """The files that an experiment has."""
    return [row for row in EXPORTS if row.when(experiment)]


def path_of(row: Export, run: str) -> str:
    """Where a file is, given the folder of the run's results."""
    return f"{run}/export/{row.name}"
