"""Targets and their files, and what Snakemake's graph of jobs is given besides.

Snakemake makes the graph after the Snakefile has been read, from the command line alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from synthsight.errors import SynthsightError
from synthsight.plan.exports import exports_of, path_of
from synthsight.plan.left_out import goes_on
from synthsight.wording import did_you_mean

if TYPE_CHECKING:
    from synthsight.plan.files import Files

#: What can be asked for by name besides the rules of single jobs.
NAMED = (
    *("images", "weights", "logits", "features", "answers", "scores", "tables", "figures"),
    "rating",
)


def files_of_targets(files: Files) -> dict[str, list[str]]:
    """The files of each named target; ``all`` is the default.

    That includes logits, features and what is learned, so that a deleted file is made again.

    Args:
        files: of the run.
    """
    return {
        "weights": [*files.weights, *files.vqa_weights],
        "logits": files.logits,
        "features": files.featured.features,
        "answers": files.answers,
        "scores": [*files.scores, *files.vqa_scores],
        "tables": files.tables,
        "figures": files.figures,
        "rating": files.rating_pages,
        "all": [
            *(*files.logits, *files.featured.features, *files.answers, *files.tables),
            *(*files.featured.learned, *files.figures, files.report, *files.featured.split),
            *(path_of(row, files.run) for row in exports_of(files.experiment)),
        ],
    }


class TargetError(SynthsightError):
    """A target that no rule makes."""


class Rule(Protocol):
    """What is needed of a rule of Snakemake's."""

    name: str

    def is_producer(self, requested_output: str) -> bool:
        """Whether it makes a file."""


def prepare_graph(
    stale: frozenset[str],
    run: str,
    begin: Callable[[], None],
    told: Callable[[frozenset[str]], None],
    done: Callable[[Iterable[str]], None],
) -> None:
    """Have Snakemake's next graph run the jobs of some files, and refuse targets that nobody makes.

    ``--forcerun`` would do the first, but it also makes the files targets; these are made only if a
    target needs them.

    Args:
        stale: the files.
        run: folder of the run's results, for the message.
        begin: called when a run begins, but for a dry one: once the folder is locked, and also if
            there is nothing to be done, when Snakemake calls no ``onstart``. An error of it ends
            the run.
        told: called with all files that will be made, before ``begin``; in a dry run, too.
        done: called after ``begin`` if there is nothing to be done, with the inputs and outputs of
            all jobs.
    """
    from snakemake import workflow  # type: ignore[import-untyped]
    from snakemake.exceptions import CliException  # type: ignore[import-untyped]

    class Graph(workflow.DAG):  # type: ignore[misc]
        def __init__(
            self,
            of: Any,
            rules: Iterable[Any],
            *,
            targetfiles: Iterable[str] = (),
            forcefiles: Iterable[str] = (),
            forceall: bool = False,
            **named: Any,
        ) -> None:
            rules = list(rules)
            try:
                require_files(targetfiles or (), rules, run)
            except TargetError as error:
                raise CliException(str(error)) from None
            forced = {*(forcefiles or ()), *stale}
            forceall = forceall and not goes_on()  # what could be made again has been
            super().__init__(
                *(of, rules),
                **{**named, "targetfiles": targetfiles, "forcefiles": forced, "forceall": forceall},
            )

        async def postprocess(self, *given: Any, check_initial: bool = False, **named: Any) -> None:
            await super().postprocess(*given, check_initial=check_initial, **named)
            if check_initial:
                jobs = [*self.needrun_jobs()]
                made = frozenset(os.fspath(file) for job in jobs for file in job.output)
                told(made)
                if not self.workflow.dryrun:
                    try:
                        begin()
                    except SynthsightError as error:
                        raise CliException(str(error)) from None
                    if not jobs:
                        done(os.fspath(f) for job in self.jobs for f in (*job.input, *job.output))

    workflow.DAG = Graph


def require_files(targets: Iterable[str], rules: Iterable[Rule], run: str) -> None:
    """Check that each target is a file that exists or that a rule makes.

    Args:
        targets: as requested, without the names of rules.
        rules: those of the workflow.
        run: folder of the run's results.

    Raises:
        TargetError: naming the first that is neither, close names and what there is.
    """
    rules = list(rules)
    for target in targets:
        if os.path.exists(target) or any(rule.is_producer(target) for rule in rules):
            continue
        close = did_you_mean(target, [*NAMED, *(rule.name for rule in rules)]) or "."
        raise TargetError(
            f"nothing makes {target!r}{close} Targets are {', '.join(NAMED)}, and single files "
            f"such as {run}/tables/accuracy.csv; without one everything is made"
        )
