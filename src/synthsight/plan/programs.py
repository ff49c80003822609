"""The workflow's programs: what they import by name, and which of them each worker imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthsight.classifiers.registry import library_modules
from synthsight.doors import module_of
from synthsight.plan.experiment import Experiment
from synthsight.plan.exports import EXPORTS
from synthsight.plan.figures import FIGURES
from synthsight.plan.tables import STATISTICS
from synthsight.vqa.families.registry import doors_of

#: Programs that the worker for models imports; the one for tables imports all others.
WITH_MODELS = ("classify", "embed", "finetune", "ask", "fetch_weights", "fetch_vqa")

#: Programs that no worker runs.
ALONE = ("with_worker", "fetch_images", "ask_endpoint")


@dataclass(frozen=True)
class Imports:
    """What a worker imports before it serves jobs.

    Attributes:
        programs: files of the programs.
        doors: modules that these programs import by name.
    """

    programs: tuple[Path, ...] = ()
    doors: tuple[str, ...] = ()


def library_door(experiment: Experiment, model: str) -> str:
    """The module of a classifier's or an encoder's library."""
    (module,) = library_modules(experiment.loaded[model].architecture["library"])
    return module


def base_door(experiment: Experiment, adapted: str) -> str:
    """The module of the library of what an adapted model is made from."""
    return library_door(experiment, experiment.adapted[adapted].base)


def family_doors(experiment: Experiment, vqa_model: str) -> tuple[str, ...]:
    """The modules of the families that a VQA model that is run may belong to."""
    assert experiment.vqa is not None
    return doors_of(experiment.vqa.networks[vqa_model].checkpoint)


def row_doors(experiment: Experiment) -> tuple[str, ...]:
    """The modules of the functions that tables, figures and exports name."""
    functions = [
        *(row.function for row in STATISTICS if row.function and row.when(experiment)),
        *(row.function for row in FIGURES if row.when(experiment)),
        *(row.function for row in EXPORTS if row.when(experiment)),
    ]
    return tuple(dict.fromkeys(map(module_of, functions)))


def model_doors(experiment: Experiment) -> tuple[str, ...]:
    """The modules that an experiment's models need."""
    libraries = (library_door(experiment, name) for name in experiment.loaded)
    vqa_models = experiment.vqa.networks if experiment.vqa else ()
    families = (door for name in vqa_models for door in family_doors(experiment, name))
    return tuple(dict.fromkeys([*libraries, *families]))


def workers(experiment: Experiment, scripts: Path) -> dict[str, Imports]:
    """What each worker of a workflow imports.

    Args:
        experiment: its setting ``worker`` says whether jobs use workers. If not, there is one that
            serves no program; through it, jobs share devices and end with the workflow.
        scripts: folder of the programs.
    """
    if not experiment.settings.worker:
        return {"none": Imports()}
    others = sorted({path.stem for path in scripts.glob("*.py")} - {*WITH_MODELS, *ALONE})

    def files(names: tuple[str, ...] | list[str]) -> tuple[Path, ...]:
        return tuple(scripts / f"{name}.py" for name in names)

    # What trains imports much that others do without.
    idle = {"finetune"} if not any(each.training for each in experiment.adapted.values()) else set()
    wanted = tuple(name for name in WITH_MODELS if name not in idle)
    models = {"models": Imports(files(wanted), model_doors(experiment))}
    return {
        **(models if experiment.loaded or (experiment.vqa and experiment.vqa.networks) else {}),
        "tables": Imports(files(others), row_doors(experiment)),
    }
