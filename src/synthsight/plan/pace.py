"""How long a run takes: from what jobs of each kind took, in this run and in the last that had any.

What is not known is not told: there is no estimate as long as more than a few of the jobs are of
kinds that have never been timed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from synthsight.files import keep

#: The share of a run's jobs of unknown kinds up to which there is an estimate, and the share of its
#: work, and the seconds, from which on it is told from the run itself.
_UNKNOWN, _ENOUGH, _EARLY = 0.1, 0.05, 10.0

#: Jobs from which on a run says how many are at work at a time.
_MANY = 20

#: Begins the rules of figures.
FIGURES = "plot_"

#: Under this name stand the seconds of all jobs of a run, and of the run.
_RUN = ""


def kind_of(rule: str, wildcards: Mapping[str, str]) -> str:
    """The kind of a job: those of a kind take about as long, by image or question.

    That is its rule and what it runs; figures are of one kind.
    """
    if rule.startswith(FIGURES):
        return FIGURES
    about = (wildcards.get(name) for name in ("model", "vqa_model", "geometry"))
    return " ".join([rule, *filter(None, about)])


@dataclass
class _Spent:
    """Seconds spent on jobs of a kind, and their size in all."""

    seconds: float = 0.0
    size: float = 0.0

    def add(self, seconds: float, size: float) -> None:
        self.seconds += seconds
        self.size += size


@dataclass
class Pace:
    """The pace of a run.

    Attributes:
        kept: JSON file with what earlier jobs took; None if nothing is to be told, as where jobs
            wait in a queue for as long as they do.
        cores: how many the run has: how many jobs are at work at a time follows from them.
    """

    kept: Path | None
    cores: int | None
    _before: dict[str, _Spent] = field(default_factory=dict)
    _now: dict[str, _Spent] = field(default_factory=dict)
    _open: dict[str, list[float]] = field(default_factory=dict)
    _jobs: int = 0

    def begin(self, jobs: Iterable[tuple[str, float]]) -> float | None:
        """The jobs of a run, each with its kind and its size.

        Returns:
            The seconds that they will take; None if too little is known.
        """
        self._before = self._read()
        for kind, size in jobs:
            number_and_size = self._open.setdefault(kind, [0, 0.0])
            number_and_size[0] += 1
            number_and_size[1] += size
        run = self._before.get(_RUN)
        work = self._work()
        return None if run is None or work is None else work * run.size / run.seconds

    def finish(self, kind: str, size: float, seconds: float) -> None:
        """A job is finished, after so many seconds."""
        self._jobs += 1
        self._now.setdefault(kind, _Spent()).add(seconds, size)
        if kind in self._open:
            self._open[kind][0] -= 1
            self._open[kind][1] -= size

    def left(self, elapsed: float) -> float | None:
        """The seconds until the run ends; None if too little is known.

        Args:
            elapsed: seconds since it began.
        """
        done = sum(spent.seconds for spent in self._now.values())
        work = self._work()
        if work is None or elapsed < _EARLY or done < _ENOUGH * (done + work):
            return None
        return work * elapsed / done

    def save(self, elapsed: float) -> None:
        """Keep what jobs took, for later runs.

        Args:
            elapsed: seconds that the run took.
        """
        if self.kept is None or not self._now:
            return
        known = {**self._before, **self._now}
        if self._jobs >= _MANY and elapsed > 0:
            done = sum(spent.seconds for spent in self._now.values())
            known[_RUN] = _Spent(done, elapsed)
        content = {kind: [each.seconds, each.size] for kind, each in known.items()}
        keep(self.kept, json.dumps({"cores": self.cores, "kinds": content}))

    def _read(self) -> dict[str, _Spent]:
        found: dict[str, _Spent] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            content = json.loads((self.kept or Path()).read_text(encoding="utf-8"))
            for kind, (seconds, size) in content["kinds"].items():
                if seconds > 0 and size > 0:
                    found[kind] = _Spent(float(seconds), float(size))
            if content["cores"] != self.cores:
                found.pop(_RUN, None)
        return found

    def _work(self) -> float | None:
        """The seconds that the open jobs will take, one after another; None if that is unknown."""
        if self.kept is None:
            return None
        total = unknown = 0.0
        known: list[tuple[float, float]] = []
        for kind, (number, size) in self._open.items():
            spent = self._now.get(kind) or self._before.get(kind)
            total += number
            if spent is None:
                unknown += number
            else:
                known.append((number, size * spent.seconds / spent.size))
        if not known or unknown > _UNKNOWN * total:
            return None
        jobs = sum(number for number, _ in known)
        seconds = sum(each for _, each in known)
        return seconds + (unknown * seconds / jobs if jobs else 0.0)


def in_words(seconds: float) -> str:
    """A time as it is estimated: no more exact than that."""
    if seconds < 55:
        return f"{max(10, 10 * round(seconds / 10))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(10 * round(minutes / 10), 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours + (minutes > 30)} h"
