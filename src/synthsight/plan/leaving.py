"""The end of a run in which jobs failed: whether it goes on without the models that they are about.

With ``on_failure: leave_out`` the same command starts anew, once Snakemake has released its lock,
and plans without these models. All that is about single models, or about images alone, has been
made by then. That is not done where it would hide something: if a job failed that is about all
models, if what failed is the machine, or if the run was interrupted.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from synthsight.errors import SynthsightError
from synthsight.plan.files import Files
from synthsight.plan.left_out import (
    GOES_ON,
    LEAVE_OUT,
    LeftOut,
    leave_out,
    with_made_of,
    write_left_out,
)
from synthsight.plan.pace import FIGURES
from synthsight.plan.parts import JOINED_BY, SUFFIX
from synthsight.plan.restart import can_begin_anew, replace_at_exit
from synthsight.plan.terminal import Failure

Job = TypeVar("Job", bound=Hashable)

#: The wildcards of jobs that are about one model: its name, or what its weights are called.
_NAMES, _STEMS = ("model", "vqa_model"), ("stem", "vqa_stem")

#: What programs say where the machine is at fault, which is the same whatever model it runs.
_OF_MACHINES = tuple(
    os.strerror(number)
    for number in (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE),
        *(errno.EMFILE, errno.ENFILE),
    )
)


class StaysError(SynthsightError):
    """A run that failed and does not go on without some models; the message says why not."""


def go_on(files: Files, failures: Mapping[int, Failure], dag: Any, scheduler: Any) -> str | None:
    """Go on without the models whose jobs failed, if the configuration asks for it.

    Args:
        files: of the run.
        failures: its failed jobs, by Snakemake's number.
        dag: Snakemake's graph of jobs.
        scheduler: Snakemake's scheduler of them.

    Returns:
        What to say of it; None if the configuration does not ask for it, or no job failed.

    Raises:
        StaysError: it cannot.
        synthsight.plan.left_out.NothingLeftError: no classifier would be left.
    """
    experiment = files.experiment
    if experiment.settings.on_failure != LEAVE_OUT or experiment.pending or not failures:
        return None
    failed = {job for each in scheduler.failed for job in getattr(each, "jobs", [each])}
    stopped = getattr(scheduler, "_user_kill", None) or open_jobs(
        dag.needrun_jobs(), failed, _needs(dag)
    )
    if stopped:
        raise StaysError("the run was interrupted, so no model is left out")
    left = failed_models(list(failures.values()), files)
    new = with_made_of(experiment, left)
    leave_out(experiment, new)  # or says that no classifier is left
    if not can_begin_anew():
        raise StaysError("only the command `snakemake` can go on without models")
    write_left_out(
        sorted([*experiment.left_out, *new], key=lambda each: each.model), Path(files.run)
    )
    os.environ[GOES_ON] = str(os.getpid())
    replace_at_exit()
    return f"Going on without {', '.join(each.model for each in new)}, as `on_failure` asks for."


def _needs(dag: Any) -> Callable[[Any], Iterable[Any]]:
    """The jobs that a job waits for: those that are submitted together wait for each other's."""
    of_groups: dict[int, list[Any]] = {}

    def needs(job: Any) -> Iterable[Any]:
        group = dag.get_job_group(job)
        if group is None:
            return list(dag.dependencies[job])
        if id(group) not in of_groups:
            within = {*group.jobs}
            before = {each for member in within for each in dag.dependencies[member]}
            of_groups[id(group)] = list(before - within)
        return of_groups[id(group)]

    return needs


def open_jobs(
    unfinished: Iterable[Job], failed: Collection[Job], needs: Callable[[Job], Iterable[Job]]
) -> list[Job]:
    """Jobs that are neither finished nor failed, nor wait for one that has: those of a run's end.

    Args:
        unfinished: all that are not finished.
        failed: those that failed for good.
        needs: the jobs whose files a job reads.
    """
    blocked = dict.fromkeys(failed, True)
    waiting = [*unfinished]
    among = {*waiting}
    for job in waiting:
        path = [job]
        while path:  # without recursion: chains of jobs may be long
            last = path[-1]
            if last not in blocked:
                before = [each for each in needs(last) if each in among]
                if unknown := [each for each in before if each not in blocked]:
                    path += unknown
                    continue
                blocked[last] = any(blocked[each] for each in before)
            path.pop()
    return [job for job in waiting if not blocked[job]]


def failed_models(failures: Sequence[Failure], files: Files) -> list[LeftOut]:
    """The models that failed jobs are about, one entry each.

    Jobs that were submitted together fail together: then it is those whose log ends with an error,
    unless all are about one model.

    Args:
        failures: the jobs.
        files: of the run.

    Raises:
        StaysError: one is about no single model, or not about its model's work.
    """
    groups: dict[str, list[Failure]] = {}
    for number, each in enumerate(failures):
        groups.setdefault(each.group or f" {number}", []).append(each)
    left: dict[str, LeftOut] = {}
    for jobs in groups.values():
        blamed = [job for job in jobs if _says_error(job)] or jobs
        if len({_model_of(job, files) for job in jobs}) > 1:
            blamed = [job for job in jobs if _says_error(job)]
            if not blamed:
                raise StaysError(
                    "jobs of several models were submitted together, and no log says which of them "
                    "failed, so no model is left out"
                )
        for job in blamed:
            model = _model_of(job, files)
            if model is None:
                raise StaysError(
                    f"what failed ({job.rule}) is not about a single model, so none is left out"
                )
            if any(error in job.why for error in _OF_MACHINES):
                raise StaysError(f"{job.why}: that is no model's fault, so none is left out")
            why = job.why.removeprefix(f"{_program_of(job)}: ")
            left.setdefault(model, LeftOut(model, job.rule, why))
    return list(left.values())


def _model_of(job: Failure, files: Files) -> str | None:
    """The model that a job is about."""
    if job.rule.startswith(FIGURES):
        return None  # one that cannot be drawn says nothing of a model
    for name in _NAMES:
        if name in job.wildcards:
            return job.wildcards[name]
    for name in _STEMS:
        if name in job.wildcards:
            return files.model_of(job.wildcards[name])
    return None


def _says_error(job: Failure) -> bool:
    """Whether a job's log ends as a program's does that refuses something: with its name."""
    return job.why.startswith(f"{_program_of(job)}: ")


def _program_of(job: Failure) -> str:
    """The program of a job: some rules differ in what it is given alone."""
    rule = re.sub(r"_blind$|_to_embed$|_to_adapt$", "", job.rule.removesuffix(SUFFIX))
    return JOINED_BY.get(rule, rule)
