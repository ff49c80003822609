"""A run of the workflow as data frames, read from the files that it has written."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from synthsight.files import read_json
from synthsight.images.groups import PATTERNS
from synthsight.images.manifest import read_manifest
from synthsight.library import arguments
from synthsight.library.errors import ApiError
from synthsight.library.images import read_manifests, read_map
from synthsight.library.planned import Planned
from synthsight.library.scored import COLUMNS, with_scoring
from synthsight.library.scores import class_names, read_scores
from synthsight.library.vectors import notes_of, read_vectors
from synthsight.plan.record import FETCH, NOTING
from synthsight.report import answer
from synthsight.report.imported import no_duplicates
from synthsight.report.left_out import of_left_out
from synthsight.report.remarks import remarks
from synthsight.report.tables import read_table
from synthsight.wording import did_you_mean, one_line

#: The folders of which a run has at least one.
_PARTS = ("images", "tables", "scores")

#: The folders of what the page is made from: tables, and what says how numbers came about.
_ON_PAGE = ("images", "scores", "vqa", "tables", "thumbnails/images", "thumbnails/questions")


def open_run(run: str | os.PathLike[str]) -> Run:
    """Open a run of the workflow, finished or not.

    Args:
        run: its folder, or its name if it is in ``results/`` of the current folder.

    Raises:
        ApiError: there is no such run.
    """
    arguments.path("a run", run)
    for folder in (Path(run), Path("results", run)):
        if any((folder / part).is_dir() for part in _PARTS):
            return Run(folder)
    known = sorted({p.parent.name for x in _PARTS for p in Path().glob(f"results/[!.]*/{x}/")})
    others = f"; runs in results/: {', '.join(known) or 'none'}"
    hint = did_you_mean(Path(run).name, known) or others
    raise ApiError(f"no run {os.fspath(run)!r} (looked from {Path.cwd()}){hint}")


def at_once(run: Run) -> Run:
    """The same run for whoever asks several things in a row: its files are looked at once."""
    return replace(run, _held=Planned(run.folder))


@dataclass(frozen=True)
class Run:
    """The results of a run of the workflow; files are read when requested.

    Attributes:
        folder: ``results/{run}``.
    """

    folder: Path
    _held: Planned | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the folder as a text, too."""
        object.__setattr__(self, "folder", Path(arguments.path("a run's folder", self.folder)))

    @property
    def name(self) -> str:
        """The run's name."""
        return Path(os.path.abspath(self.folder)).name

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that exist and are of the run's last plan."""
        return self._planned.right("tables", ".parquet")

    @property
    def models(self) -> tuple[str, ...]:
        """The classifiers that have scores or logits, of the run's last plan; see :attr:`missing`.

        One may have logits of some categories only, and no scores yet.
        """
        planned = self._planned
        begun = (m for m in planned.folders("logits") if planned.right(f"logits/{m}", ".parquet"))
        return tuple(sorted({*planned.right("scores", ".parquet"), *begun}))

    @property
    def vqa_models(self) -> tuple[str, ...]:
        """The VQA models that have answers, of the run's last plan; see :attr:`missing`."""
        return self._planned.right("vqa", ".parquet")

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that have manifests, of the run's last plan; see :attr:`missing`."""
        return self._planned.right("images", ".parquet")

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that exist in each format, and are of the run's last plan."""
        return self._planned.right("figures", *self._planned.endings("figures"))

    @property
    def missing(self) -> dict[str, str]:
        """What of the run's last plan is not there: why, by the file's path in the folder.

        It is ``not there yet``, or is a file of an earlier configuration, which is then described.
        Nothing is missing of a finished run.
        """
        return self._planned.missing()

    def table(self, name: str) -> pd.DataFrame:
        """A table by name, such as ``accuracy``; docs/methods.md explains the columns.

        Raises:
            ApiError: there is no such table.
        """
        return self._table(self._planned, name)

    def images(self) -> pd.DataFrame:
        """The manifests of all categories: one row for each file found.

        Returns:
            The fields of :class:`synthsight.images.manifest.ImageRecord`, and after ``generator``
            the image's ``group``, which is itself where nothing is known, and whether it is
            ``real``; files whose ``status`` is not ``ok`` were left out, for the stated ``reason``,
            and these two are missing. Duplicates are among them where the run excludes these.

        Warns:
            UserWarning: the manifests of some categories are not there yet, or what is known of the
                images' sources is not, or not of the run's last plan, so that both are missing
                everywhere; or it is not known yet which usable images are excluded.

        Raises:
            ApiError: there are no manifests, or one is not of the run's last plan.
        """
        planned = self._planned
        names = self._so_far(planned, "images", "manifests")
        return read_manifests(planned, names)

    def map(self, model: str) -> pd.DataFrame:
        """Where each image lies on the map of a model's features.

        Returns:
            ``image, x, y``, and each image's ``category`` and ``generator``.

        Raises:
            ApiError: there is no such map, or what is known of the images' sources is not there, or
                one of them is not of the run's last plan.
        """
        planned = self._planned
        self._known("map", model, planned.names("maps"), planned.wanted("maps"))
        return read_map(planned, model)

    def scores(self, model: str, rule: str | None = None) -> pd.DataFrame:
        """A classifier's hits: one row for each image and rule.

        Args:
            model: its name.
            rule: the rule to select; None for all.

        Returns:
            ``image, category, generator, group, real, rule, top1_hit, top5_hit`` (``group`` is
            missing where it is the image itself, hits where they are not known); ``predicted``, up
            to five names of classes, best first; ``classes``, their indices; ``probability``.

        Raises:
            ApiError: there is no such model, or the run has not computed the rule.
        """
        frame = read_scores(self._scores_of(model))
        if rule is None:
            return frame
        self._known("rule", rule, tuple(frame["rule"].unique()))
        return frame[frame["rule"] == rule].reset_index(drop=True)

    def logits(self, model: str, category: str | None = None) -> pd.DataFrame:
        """The logits of a classifier, float32.

        Args:
            model: its name.
            category: the category to select; None for all.

        Returns:
            One row for each image, indexed by ``category`` and ``image``, and one column for each
            class, named by its index; :meth:`classes` has the names. The frame knows how the run
            scores it, for :func:`synthsight.api.score`. What the run excludes is left out, such
            as duplicates.

        Warns:
            UserWarning: the logits of some categories, or what is excluded, is not there yet.

        Raises:
            ApiError: there is no such model, or it has no logits of such a category.
        """
        planned = self._planned
        names = self._logits_of(planned, model)
        if category is None:
            names = self._so_far(planned, f"logits/{model}", f"logits of {model!r}")
        else:
            self._known("category", category, names, planned.wanted(f"logits/{model}"))
            names = (category,)
        # The plan says how they are scored, whether or not that has been done.
        spec = planned.spec(f"scores/{model}.parquet")
        frame = read_vectors(planned, f"logits/{model}", names, "logits", COLUMNS)
        return with_scoring(frame, spec, self._project)

    def features(self, model: str, category: str | None = None) -> pd.DataFrame:
        """The features of a classifier or an encoder, float32.

        Args:
            model: its name.
            category: the category to select; None for all.

        Returns:
            One row for each image, as of :meth:`logits`, and one column for each feature.

        Warns:
            UserWarning: the features of some categories, or what is excluded, is not there yet.

        Raises:
            ApiError: there is no such model, or it has no features (of such a category).
        """
        planned, part = self._planned, f"features/{model}"
        there, wanted = planned.folders("features"), planned.wanted_folders("features")
        self._known("model with features", model, there, wanted)
        if category is not None:
            self._known("category", category, planned.names(part), planned.wanted(part))
        so_far = f"features of {model!r}"
        names = self._so_far(planned, part, so_far) if category is None else (category,)
        return read_vectors(planned, part, names, "features", "feature")

    def classes(self, model: str) -> tuple[str, ...]:
        """One name for each class of a classifier, in the order of its logits.

        Raises:
            ApiError: there are no scores of such a model.
        """
        return class_names(pq.read_schema(self._scores_of(model)))

    def answers(self, model: str) -> pd.DataFrame:
        """A VQA model's answers: one row for each question that was asked.

        Returns:
            ``image, number, question, answer`` (the truth), ``generator, first_word, kind, p_yes,
            mass, predicted, correct, reason`` (of no answer), ``said, p_yes_blind, correct_blind``.

        Raises:
            ApiError: there is no such model.
        """
        planned = self._planned
        self._known("VQA model", model, planned.names("vqa"), planned.wanted("vqa"))
        return pd.read_parquet(planned.path(f"vqa/{model}.parquet"))

    def about(self, model: str) -> dict[str, Any]:
        """How a classifier's logits were computed, or predictions made elsewhere were read.

        Returns:
            Architecture, geometry, normalisation, label space, precision, source and sha256 of the
            weights; of predictions, the file, its sha256 and what it holds.

        Raises:
            ApiError: there are no logits of such a model.
        """
        planned = self._planned
        if model in planned.wanted("predictions"):
            return read_json(planned.path(f"predictions/{model}.json"), ["predictions"])
        first = self._logits_of(planned, model)[0]
        schema = pq.read_schema(planned.path(f"logits/{model}/{first}.parquet"))
        found: dict[str, Any] = json.loads(schema.metadata[b"synthsight"])
        return found

    @property
    def report(self) -> Path:
        """The run's report page; it exists once everything else does."""
        return self.folder / "report.html"

    @property
    def rule(self) -> str:
        """The primary matching rule."""
        return self._planned.record.rule

    @property
    def level(self) -> float:
        """The confidence level of the intervals, in 0..1."""
        return self._planned.record.level

    def summary(self) -> list[str]:
        """The run's answer in a few sentences, those that its report begins with.

        Raises:
            ApiError: the run is not finished.
        """
        if not self.report.is_file():
            raise ApiError(f"the run {self.name!r} is not finished: there is no {self.report}")
        planned = self._planned
        names = planned.wanted("tables")
        planned.paths(f"{planned.record.run}/tables/{name}.parquet" for name in names)
        tables = {name: self._table(planned, name) for name in names}
        planned.path(self.report.name)
        return answer.answers(tables, planned.record.rule, planned.record.level)

    def remarks(self) -> list[str]:
        """What to know before trusting the run's numbers, in sentences, as on its report.

        Raises:
            ApiError: a manifest, scores or answers are not there, or not of the run's last plan.
        """
        planned = self._planned
        notes = [*planned.made_by(*FETCH), *planned.made_by(*NOTING)]
        shown = {*planned.wanted("scores"), *planned.wanted("vqa")}
        told = planned.spec(self.report.name) or {}
        return of_left_out(told.get("left_out", ())) + remarks(
            (each for path in planned.manifests() for each in read_manifest(path)),
            planned.made_by("score"),
            notes_of(shown, notes),
            self._table(planned, "duplicates"),
            self._table(planned, "vqa") if "vqa" in planned.wanted("tables") else None,
            planned.versions(*_ON_PAGE),
            told.get("groups", {}).get("images", PATTERNS[0]),
            *(frozenset(out := planned.left_out()), no_duplicates(out.items())),
            asked=sum(pq.read_metadata(path).num_rows for path in planned.made_by("score_vqa")[:1]),
        )

    @property
    def _project(self) -> Path:
        """The folder that the run's relative paths start at, not following links."""
        return Path(os.path.abspath(self.folder / ".." / ".."))

    @property
    def _planned(self) -> Planned:
        """What is there of the run's last plan now: a run may be at work meanwhile."""
        return Planned(self.folder) if self._held is None else self._held

    def _table(self, planned: Planned, name: str) -> pd.DataFrame:
        self._known("table", name, planned.names("tables"), planned.wanted("tables"))
        return read_table(planned.path(f"tables/{name}.parquet"))

    def _scores_of(self, model: str) -> Path:
        planned = self._planned
        self._known("model", model, planned.names("scores"), planned.wanted("scores"), "scores of ")
        return planned.path(f"scores/{model}.parquet")

    def _logits_of(self, planned: Planned, model: str) -> tuple[str, ...]:
        """The categories of which a model has logits."""
        wanted = sorted({*planned.wanted("scores")} - {*planned.wanted("predictions")})
        self._known("model", model, planned.folders("logits"), wanted, "logits of ")
        return planned.names(f"logits/{model}")

    def _known(
        self, what: str, name: str, there: Sequence[str], planned: Sequence[str] = (), of: str = ""
    ) -> None:
        """Check a name.

        Args:
            what: what it is one of.
            name: the name.
            there: those that are there.
            planned: those that will be.
            of: what is there of it.

        Raises:
            ApiError: it is not there; the message says whether it will be.
        """
        if arguments.text(f"a {what}", name) in there:
            return
        if name in planned:
            raise ApiError(
                f"the run {self.name!r} has no {of}{what} {name!r} yet: run Snakemake with its "
                "configuration"
            )
        hint = did_you_mean(name, there) or f"; available: {', '.join(there) or 'none yet'}"
        raise ApiError(f"the run {self.name!r} has no {what} {name!r}{hint}")

    def _so_far(self, planned: Planned, part: str, what: str) -> tuple[str, ...]:
        """The categories in one of the run's folders, with a warning if more of them will be."""
        there = planned.names(part)
        absent = [name for name in planned.wanted(part) if name not in there]
        if not there:
            raise ApiError(f"the run {self.name!r} has no {what} yet")
        if absent:
            warnings.warn(
                f"the run {self.name!r} is not finished: there are no {what} of "
                f"{one_line(', '.join(map(repr, absent)), 200)} yet",
                stacklevel=3,
            )
        return there
