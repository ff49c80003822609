"""The workflow's programs: which of them a warm worker imports, and what they import by name."""

from __future__ import annotations

from pathlib import Path

from synthsight.doors import module_of
from synthsight.plan.experiment import Experiment
from synthsight.plan.figures import FIGURES
from synthsight.plan.tables import STATISTICS

#: The programs that the worker for models imports; the one for tables imports all others.
WITH_MODELS = ("classify", "ask", "fetch_weights", "fetch_vqa")

#: Programs that no worker runs.
ALONE = ("with_worker", "fetch_images")


def doors(experiment: Experiment) -> tuple[str, ...]:
    """The modules that programs of an experiment import by name."""
    entries = [
        *(row.function for row in STATISTICS if row.function and row.when(experiment)),
        *(row.function for row in FIGURES if row.when(experiment)),
    ]
    return tuple(dict.fromkeys(map(module_of, entries)))


def workers(experiment: Experiment, scripts: Path) -> dict[str, list[Path]]:
    """The programs that each worker of a workflow imports.

    Args:
        experiment: whose setting ``worker`` says whether there are any; without them one
            that serves no program makes jobs share devices and end with the workflow.
        scripts: folder of the programs.
    """
    if not experiment.settings.worker:
        return {"none": []}
    others = {path.stem for path in scripts.glob("*.py")} - {*WITH_MODELS, *ALONE}
    programs = {"models": WITH_MODELS, "tables": sorted(others)}
    return {name: [scripts / f"{each}.py" for each in some] for name, some in programs.items()}
