"""Models that failed and are left out of a run, as ``on_failure: leave_out`` asks for.

What is made of all models (tables, figures, the page) is planned anew without them, so none of it
mixes the two. Which they are stands in ``results/{run}/left_out.json``: written when such a run
begins, removed when one begins with all models. Jobs, which plan in processes of their own, and
Snakemake's own report go by that file; a start tries all models again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthsight.errors import SynthsightError
from synthsight.files import atomic
from synthsight.wording import one_line, printable

if TYPE_CHECKING:
    from synthsight.plan.experiment import Experiment
    from synthsight.plan.settings import Settings

#: The file's name in the folder of a run's results.
NAME = "left_out.json"

#: The value of ``on_failure`` that asks for it.
LEAVE_OUT = "leave_out"

#: Set to its id by a process before it is replaced by one that goes on without some models.
GOES_ON = "SYNTHSIGHT_LEAVES_OUT"

#: The most that is told of what a log says.
_MOST = 500


class NothingLeftError(SynthsightError):
    """No classifier would be left."""


class NotNotedError(SynthsightError):
    """It cannot be written down which models are left out."""


@dataclass(frozen=True)
class LeftOut:
    """A model that is left out.

    Attributes:
        model: its name.
        rule: the rule of the job that failed; of a model that is made from one that failed, what
            that lacks.
        why: the last line of the job's log, on one line, or from which model it is made.
    """

    model: str
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.model} (failed in {self.rule}: {one_line(self.why, _MOST)})"


def without_failed(
    experiment: Experiment, is_main_process: bool, arguments: Sequence[str]
) -> Experiment:
    """The experiment as it is planned now: without models that were left out, if it goes on so.

    Args:
        experiment: with all models.
        is_main_process: whether this is no job of a run.
        arguments: the command line. Snakemake's report is about the run that there was.

    Raises:
        NothingLeftError: no classifier would be left.
    """
    left = read_left_out(Path("results", experiment.settings.run))
    if experiment.settings.on_failure != LEAVE_OUT or experiment.pending or not left:
        return experiment
    reports = any(each.split("=")[0] == "--report" for each in arguments)
    if is_main_process and not reports and not goes_on():
        known = [str(each) for each in left if each.model in names_of(experiment)]
        note = f"left out of the last run and tried again now: {'; '.join(known)}"
        return replace(experiment, warnings=(*experiment.warnings, *([note] if known else [])))
    return leave_out(experiment, left)


def goes_on() -> bool:
    """Whether this process replaced one in which models failed, to go on without them."""
    return os.environ.get(GOES_ON) == str(os.getpid())


def names_of(experiment: Experiment) -> set[str]:
    """The names of all models, of whatever kind."""
    vqa = experiment.vqa.models if experiment.vqa else {}
    return {*experiment.models, *experiment.encoders, *vqa}


def with_made_of(experiment: Experiment, left: Iterable[LeftOut]) -> list[LeftOut]:
    """Models that are left out, and those that are made from one of them; sorted by name."""
    found = {each.model: each for each in left if each.model in names_of(experiment)}
    for name, about in experiment.adapted.items():
        if name not in found and (base := found.get(about.base)) is not None:
            found[name] = LeftOut(name, base.rule, f"it is made from {base.model}, which failed")
    return [found[name] for name in sorted(found)]


def leave_out(experiment: Experiment, left: Iterable[LeftOut]) -> Experiment:
    """An experiment without some of its models, and without those that are made from them.

    What is left without any model goes with them: the questions, and what people answered to them;
    what is learned from features.

    Args:
        experiment: with all models.
        left: the models; names that it does not have count for nothing.

    Raises:
        NothingLeftError: no classifier would be left but those that are trained on the images.
    """
    gone = with_made_of(experiment, left)
    names = {each.model for each in gone}
    models = {name: each for name, each in experiment.models.items() if name not in names}
    if not models.keys() - experiment.adapted.keys():
        every = "; ".join(map(str, gone))
        raise NothingLeftError(f"there is no classifier left to go on with: {every}")
    encoders = {name: each for name, each in experiment.encoders.items() if name not in names}
    embedded = experiment.embedded.keys() - names
    settings = _without(experiment.settings, names, embedded)
    vqa, people = experiment.vqa, experiment.people
    if vqa is not None:
        asked = {name: each for name, each in vqa.models.items() if name not in names}
        vqa = replace(vqa, models=asked) if asked else None
    if people is not None and vqa is None:
        people = replace(people, answers={}) if people.labels else None
    return replace(
        experiment,
        settings=settings,
        models=models,
        encoders=encoders,
        vqa=vqa,
        people=people,
        left_out=tuple(gone),
        warnings=(*experiment.warnings, *(f"left out: {each}" for each in gone)),
    )


def _without(settings: Settings, names: Collection[str], embedded: Collection[str]) -> Settings:
    """The settings without some models; ``embedded`` are those left whose features there are."""
    learned: dict[str, Any] = {}
    for key in ("transfer", "distances", "map"):
        about = getattr(settings, key)
        if about is None:
            continue
        chosen = about.models
        if chosen is not None:
            about = replace(about, models=tuple(each for each in chosen if each not in names))
        learned[key] = about if (embedded if chosen is None else about.models) else None
    vqa = settings.vqa
    if vqa is not None:
        asked = tuple(each for each in vqa.models if each.name not in names)
        vqa = replace(vqa, models=asked) if asked else None
    return replace(
        settings,
        models=tuple(each for each in settings.models if each.name not in names),
        encoders=tuple(each for each in settings.encoders if each.name not in names),
        adapt=tuple(each for each in settings.adapt if each.name not in names),
        vqa=vqa,
        **learned,
    )


# The file ----------------------------------------------------------------------------------------


def read_left_out(folder: Path) -> list[LeftOut]:
    """The models that the last run left out; none if there is no such file, or it is damaged.

    Args:
        folder: of the run's results.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return [LeftOut(str(e["model"]), str(e["rule"]), str(e["why"])) for e in content]
    return []


def write_left_out(left: Sequence[LeftOut], folder: Path) -> None:
    """Say which models a run leaves out, in the folder of its results; nothing if it has all.

    Raises:
        NotNotedError: it cannot be written, so jobs could not know.
    """
    path = folder / NAME
    if not left:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return
    text = json.dumps([vars(each) for each in left], ensure_ascii=False, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise NotNotedError(
            f"{path} cannot be written ({error.strerror}), so no model is left out"
        ) from error


# In words ----------------------------------------------------------------------------------------


def as_spec(left: Iterable[LeftOut]) -> list[Mapping[str, str]]:
    """What the page is told: the models, and why."""
    return [{**vars(each), "why": one_line(each.why, _MOST)} for each in left]


def captioned(caption: Path, left: Sequence[LeftOut], folder: Path) -> str:
    """The file of a caption for Snakemake's report, which says which models are left out.

    Args:
        caption: the file that says what is shown.
        left: the models that are left out.
        folder: for files that say both.

    Returns:
        The caption's own path if no model is left out, or the path of a copy with one more
        sentence.
    """
    if not left:
        return str(caption)
    found = folder / caption.parent.name / caption.name
    models = "; ".join(_plain(str(each)) for each in left)
    text = f"{caption.read_text(encoding='utf-8').rstrip()}\n\n**Without models that failed**: "
    found.parent.mkdir(parents=True, exist_ok=True)
    with atomic(found) as temporary:
        temporary.write_text(f"{text}{models}.\n", encoding="utf-8")
    return str(found.resolve())


def _plain(text: str) -> str:
    """A text that neither Jinja nor reStructuredText takes for more than it is."""
    marked = "".join(f"\\{each}" if each in "\\*`_|<>[]:" else each for each in printable(text))
    return "{{ " + json.dumps(marked, ensure_ascii=False) + " }}"
