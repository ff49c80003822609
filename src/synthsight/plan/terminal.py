"""What a run says on the terminal: what there is to do, how far it is, how it ended.

Snakemake tells job by job, with all inputs and reasons. That stands in its log file; the profile
keeps it from the screen, and this says there what a user looks for.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthsight.plan.left_out import LeftOut
from synthsight.plan.pace import FIGURES, Pace, in_words, kind_of
from synthsight.plan.parts import SUFFIX
from synthsight.wording import one_line, printable

#: Failed jobs that are listed in the end.
SHOWN = 20

#: What to do after a run that failed.
AGAIN = (
    "What is finished is kept. Mend what the lines say, and start the same command again: it goes "
    "on from there."
)

#: Seconds between two lines on how far it is: at least, at most, and as a share of what has passed.
PAUSE, _LONGEST, _SHARE = 5.0, 60.0, 0.05

#: Bytes that are free where hardly anything can be written any more.
_SPACE = 2**20

#: Bytes at the end of a job's log in which its last line is looked for.
_TAIL = 2**16

#: What becomes of what a job is about, by its rule; those of parts are called after these.
_DOES = {
    "prepare_pixels": "images decoded",
    "classify": "images classified",
    "embed": "images embedded",
    "ask": "questions answered",
    "ask_endpoint": "questions answered by servers",
    "ask_blind": "questions answered blind",
    "ask_endpoint_blind": "questions answered blind by servers",
}

#: Of Snakemake's own messages those that are kept from the screen, where jobs are not told there:
#: that jobs are chosen, begin and end.
_KEPT = ("job_started", "job_finished", "progress")


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Attributes:
        rule: its rule.
        wildcards: what it was about.
        why: the last line of its log.
        log: where that is; None if it has none.
        group: the jobs that it was submitted with, of which any may have failed; None if alone.
    """

    rule: str
    wildcards: Mapping[str, str]
    why: str
    log: str | None
    group: str | None = None

    def __str__(self) -> str:
        job = " ".join([self.rule, *self.wildcards.values()])
        return printable(f"{job}: {self.why}{f' ({self.log})' if self.log else ''}")


@dataclass
class _Work:
    """Jobs of a rule: images or questions in all, in those that are done, and when last told."""

    total: int = 0
    done: int = 0
    said: int = 0


@dataclass(frozen=True)
class _Begun:
    """A job that has begun: its rule, its wildcards, and when."""

    rule: str
    wildcards: Mapping[str, str]
    at: float


@dataclass
class Watch:
    """What is seen of a run, from the records that Snakemake logs.

    Attributes:
        images: how many images each category has; none as long as that is not known.
        parts: how many each part of a category has, by category and part.
        questions: how many questions each shard has.
        pace: how long jobs take.
        say: called with a line for the terminal.
        fail: likewise, with what went wrong.
    """

    images: Mapping[str, int]
    parts: Mapping[tuple[str, str], int]
    questions: Mapping[str, int]
    pace: Pace
    say: Callable[[str], None]
    fail: Callable[[str], None]
    _jobs: dict[int, _Begun] = field(default_factory=dict)
    _failed: dict[int, Failure] = field(default_factory=dict)
    _work: dict[str, _Work] = field(default_factory=dict)
    _all: int = 0
    _finished: int = 0
    _began: float = 0.0
    _said: float = 0.0

    def begin(self, jobs: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """Say what there is to do, before the first job.

        Args:
            jobs: the rule and the wildcards of each.
        """
        self._began = self._said = time.monotonic()
        categories: set[str] = set()
        kinds = []
        for rule, wildcards in jobs:
            self._all += 1
            size = self._size(wildcards)
            kinds.append((kind_of(rule, wildcards), self._weight(rule, wildcards)))
            does = rule.removesuffix(SUFFIX)
            if does in _DOES and size:
                categories |= {*filter(None, [wildcards.get("category")])}
                self._work.setdefault(does, _Work()).total += size
        parts = []
        for rule, does in _DOES.items():
            if rule in self._work:
                what, _, done = does.partition(" ")
                parts.append(f"{self._work[rule].total:,} {what} to be {done}")
        about = f": {', '.join(parts)}" if parts else ""
        about += f" (categories: {len(categories)})" if categories else ""
        whole = self.pace.begin(kinds)
        takes = "" if whole is None else f"; by earlier jobs about {in_words(whole)}"
        self.say(f"{self._all:,} job{'' if self._all == 1 else 's'}{about}{takes}")

    def end(self) -> None:
        """Keep what jobs took, at the end of a run, however it ended."""
        self.pace.save(time.monotonic() - self._began)

    def note(self, record: logging.LogRecord) -> None:
        """Take note of what Snakemake logs."""
        event = str(getattr(record, "event", None) or "")
        if event == "job_info":
            known: Any = record
            wildcards = dict(known.wildcards or {})
            self._jobs[known.jobid] = _Begun(known.rule_name, wildcards, time.monotonic())
        elif event == "job_error":
            if not getattr(record, "indent", False):  # else it is told by its group
                self._fails(vars(record))
        elif event == "group_error":
            for each in getattr(record, "job_error_info", ()):
                self._fails(each, str(record.groupid))  # type: ignore[attr-defined]
        elif event == "job_finished":
            self._finishes(record.job_id)  # type: ignore[attr-defined]

    @property
    def failures(self) -> Mapping[int, Failure]:
        """The jobs that have failed and were not tried again with success, by number."""
        return self._failed

    def failed(self, next_step: str = AGAIN) -> list[str]:
        """What to say in the end of a run that failed: nothing if no job did.

        Args:
            next_step: the last line: what happens now, or what to do.
        """
        if not self._failed:
            return []
        failures = list(self._failed.values())
        number = len(failures)
        more = number - SHOWN
        return [
            f"{number:,} job{'s' if number > 1 else ''} failed, {self._finished:,} finished:",
            *(f"  {each}" for each in failures[:SHOWN]),
            *([f"  and {more:,} more"] if more > 0 else []),
            printable(next_step),
        ]

    def _fails(self, about: Mapping[str, Any], group: str | None = None) -> None:
        begun = self._jobs.get(about["jobid"]) or _Begun(about["rule_name"], {}, 0.0)
        logs = [str(each) for each in about.get("log") or ()]
        failure = Failure(
            *(begun.rule, begun.wildcards),
            _why(logs) if logs else "it keeps no log",
            logs[0] if logs else None,
            group,
        )
        self._failed[about["jobid"]] = failure
        self.fail(f"Failed: {failure}")

    def _finishes(self, job: int) -> None:
        self._finished += 1
        self._failed.pop(job, None)  # it was tried again
        now = time.monotonic()
        begun = self._jobs.pop(job, None)
        complete = False
        if begun is not None:
            kind = kind_of(begun.rule, begun.wildcards)
            self.pace.finish(kind, self._weight(begun.rule, begun.wildcards), now - begun.at)
            if (work := self._work.get(begun.rule.removesuffix(SUFFIX))) is not None:
                work.done += self._size(begun.wildcards)
                complete = work.done >= work.total
        pause = min(_LONGEST, max(PAUSE, _SHARE * (now - self._began)))
        if complete or now >= self._said + pause:
            self._said = now
            self.say(self._progress(now - self._began))

    def _progress(self, elapsed: float) -> str:
        """How far it is, and of which images or questions more are done than were before."""
        parts = []
        for rule, does in _DOES.items():
            work = self._work.get(rule)
            if work is not None and work.done > work.said:
                parts.append(f"{work.done:,} of {work.total:,} {does}")
                work.said = work.done
        left = self.pace.left(elapsed)
        parts += [] if left is None else [f"about {in_words(left)} left"]
        about = f": {', '.join(parts)}" if parts else ""
        return f"{self._finished:,} of {self._all:,} jobs{about}"

    def _weight(self, rule: str, wildcards: Mapping[str, str]) -> int:
        """What a job's time goes with; drawing a figure takes as long for any number of images."""
        return 1 if rule.startswith(FIGURES) else self._size(wildcards) or 1

    def _size(self, wildcards: Mapping[str, str]) -> int:
        """How many images or questions a job is about; 0 if that is not known."""
        category = wildcards.get("category", "")
        if "part" in wildcards:
            return self.parts.get((category, wildcards["part"]), 0)
        return self.images.get(category, 0) or self.questions.get(wildcards.get("shard", ""), 0)


class Listener(logging.Handler):
    """Passes what Snakemake logs to a :class:`Watch`; it fails no run."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a record."""
        try:
            self._watch.note(record)
        except Exception:
            self.handleError(record)


def settle(logger: logging.Logger) -> None:
    """Let Snakemake's log file say everything, and the screen nothing of how jobs are chosen.

    A profile's ``quiet`` holds for both, and leaves these lines; how far it is a :class:`Watch`
    says. What another version of Snakemake does not have is left as it is.
    """
    for handler in logger.handlers:
        parts = [each for each in (*handler.filters, handler.formatter) if hasattr(each, "quiet")]
        if isinstance(handler, logging.FileHandler):
            for each in parts:
                each.quiet = set()  # type: ignore[union-attr]
        elif any("rules" in map(_value, each.quiet or ()) for each in parts):  # type: ignore[union-attr]
            handler.addFilter(_tells)


def _value(member: Any) -> str:
    """The word for a member of an enumeration, or the word itself."""
    return str(getattr(member, "name", member)).lower()


def _tells(record: logging.LogRecord) -> bool:
    """Whether a record is more than that jobs are being chosen, begin or end."""
    chosen = record.msg == "Select jobs to execute..."
    return not chosen and str(getattr(record, "event", None) or "") not in _KEPT


def succeeded(folder: Path, rules: Collection[str], left_out: Sequence[LeftOut] = ()) -> list[str]:
    """What to say in the end of a run that succeeded: the answer, the report, what was left out.

    Args:
        folder: ``results/{run}``.
        rules: those that the run had jobs of, finished earlier or now.
        left_out: the models that failed, which it did without.
    """
    failed = [f"Without {printable(each)}." for each in left_out]
    if failed:
        failed += ["The next run tries again what failed."]
    if "report" not in rules:
        return [f"Results: {folder}", *failed]
    from synthsight.library.errors import ApiError
    from synthsight.library.runs import at_once, open_run

    try:
        run = at_once(open_run(folder))
        answer = run.summary()[0]
        out = [len(run.table(name)) if name in run.tables else 0 for name in _LEFT_OUT]
    except (ApiError, OSError) as error:
        page = folder / "report.html"
        return [f"The report is {page}; its answer cannot be told: {error}", *failed]
    parts = [
        f"{number:,} {what if number > 1 else what[:-1]} ({folder / 'tables' / name}.csv)"
        for (name, what), number in zip(_LEFT_OUT.items(), out, strict=True)
        if number
    ]
    return [
        answer,
        f"Report: {run.report}",
        f"Left out: {', '.join(parts) or ('nothing else' if failed else 'nothing')}.",
        *failed,
    ]


_LEFT_OUT = {"excluded": "files", "excluded_questions": "questions"}


def _why(logs: Sequence[str]) -> str:
    """What a job's log says last. On a full disk it may say nothing, or what came of that."""
    said, full = _last_line(logs) or "its log is empty", os.strerror(errno.ENOSPC)
    with suppress(OSError):
        if full not in said and shutil.disk_usage(Path(logs[0]).parent).free < _SPACE:
            return f"{said} ({full} where its log is; free some space and run again)"
    return said


def _last_line(logs: Iterable[str]) -> str | None:
    """The last line of the first log that has one."""
    for log in logs:
        with suppress(OSError), open(log, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
            if found := [one_line(line) for line in lines if line.strip()]:
                return found[-1]
    return None
