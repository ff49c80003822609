"""A run of the workflow as data frames, read from the files that it has written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.library.errors import ApiError
from synthsight.library.scores import class_names, read_scores, with_scoring
from synthsight.report import answer
from synthsight.report.tables import read_table
from synthsight.wording import did_you_mean

#: What precedes the data of a report page, which are JSON.
_PAGE_DATA = '<script type="application/json" id="data">'


def open_run(run: str | os.PathLike[str]) -> Run:
    """Open a run of the workflow, finished or not.

    Args:
        run: its folder, or its name if it is in ``results/`` of the current folder.

    Raises:
        ApiError: there is no such run.
    """
    for folder in (Path(run), Path("results", run)):
        if any((folder / part).is_dir() for part in ("images", "tables", "scores")):
            return Run(folder)
    known = _names(Path("results"), "*/")
    hint = (
        did_you_mean(Path(run).name, known) or f"; runs in results/: {', '.join(known) or 'none'}"
    )
    raise ApiError(f"no run {os.fspath(run)!r} (looked from {Path.cwd()}){hint}")


@dataclass(frozen=True)
class Run:
    """The results of a run of the workflow; files are read when requested.

    Attributes:
        folder: ``results/{run}``.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.resolve().name

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that exist."""
        return _names(self.folder / "tables", "*.parquet")

    @property
    def models(self) -> tuple[str, ...]:
        """The classifiers that have scores or logits."""
        scored = _names(self.folder / "scores", "*.parquet")
        return tuple(sorted({*scored, *_names(self.folder / "logits", "*/")}))

    @property
    def vqa_models(self) -> tuple[str, ...]:
        """The VQA models that have answers."""
        return _names(self.folder / "vqa", "*.parquet")

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that have manifests."""
        return _names(self.folder / "images", "*.parquet")

    def table(self, name: str) -> pd.DataFrame:
        """A table by name, such as ``accuracy``; docs/methods.md explains the columns.

        Raises:
            ApiError: there is no such table.
        """
        self._known("table", name, self.tables)
        return read_table(self.folder / "tables" / f"{name}.parquet")

    def images(self) -> pd.DataFrame:
        """The manifests of all categories: one row for each file found.

        Returns:
            The fields of :class:`synthsight.images.manifest.ImageRecord`; files whose ``status`` is
            not ``ok`` were left out, for the stated ``reason``.
        """
        self._needed("manifests", self.categories)
        files = [self.folder / "images" / f"{name}.parquet" for name in self.categories]
        table = pa.concat_tables([pq.read_table(file) for file in files])
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def scores(self, model: str, rule: str | None = None) -> pd.DataFrame:
        """A classifier's hits: one row for each image and rule.

        Args:
            model: its name.
            rule: the rule to select; None for all.

        Returns:
            ``image, category, generator, rule, top1_hit, top5_hit``; ``predicted``, the names of up
            to five classes, best first; ``classes``, their indices; ``probability``.

        Raises:
            ApiError: there is no such model, or the run has not computed the rule.
        """
        self._known("model", model, _names(self.folder / "scores", "*.parquet"))
        frame = read_scores(self.folder / "scores" / f"{model}.parquet")
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
            scored it, for :func:`synthsight.api.score`.

        Raises:
            ApiError: there is no such model, or it has no logits of such a category.
        """
        folder = self._logits_of(model)
        names = _names(folder, "*.parquet")
        if category is not None:
            self._known("category", category, names)
            names = (category,)
        frames = []
        for name in names:
            table = pq.read_table(folder / f"{name}.parquet").combine_chunks()
            column = table.column("logits")
            width = column.type.list_size
            values = np.concatenate(
                [np.empty(0, np.float32), *(chunk.flatten().to_numpy() for chunk in column.chunks)]
            )
            images = table.column("image").to_pylist()
            index = pd.MultiIndex.from_product([[name], images], names=["category", "image"])
            columns = pd.RangeIndex(width, name="class")
            frames.append(pd.DataFrame(values.reshape(-1, width), index, columns))
        scores = self.folder / "scores" / f"{model}.parquet"
        return with_scoring(pd.concat(frames), scores, self.folder.resolve().parents[1])

    def classes(self, model: str) -> tuple[str, ...]:
        """One name for each class of a classifier, in the order of its logits.

        Raises:
            ApiError: there are no scores of such a model.
        """
        self._known("model", model, _names(self.folder / "scores", "*.parquet"))
        return class_names(pq.read_schema(self.folder / "scores" / f"{model}.parquet"))

    def answers(self, model: str) -> pd.DataFrame:
        """A VQA model's answers: one row for each question that was asked.

        Returns:
            ``image, number, question, answer`` (the truth), ``generator, first_word, kind, p_yes,
            predicted, correct, reason``; the last says why a model could not take a question.

        Raises:
            ApiError: there is no such model.
        """
        self._known("VQA model", model, self.vqa_models)
        return pd.read_parquet(self.folder / "vqa" / f"{model}.parquet")

    def about(self, model: str) -> dict[str, Any]:
        """How a classifier's logits were computed.

        Returns:
            Architecture, geometry, normalisation, label space, precision, and the source and
            sha256 of the weights.

        Raises:
            ApiError: there are no logits of such a model.
        """
        folder = self._logits_of(model)
        schema = pq.read_schema(folder / f"{_names(folder, '*.parquet')[0]}.parquet")
        found: dict[str, Any] = json.loads(schema.metadata[b"synthsight"])
        return found

    @property
    def report(self) -> Path:
        """The run's report page; it exists once everything else does."""
        return self.folder / "report.html"

    @property
    def rule(self) -> str:
        """The primary matching rule.

        Raises:
            ApiError: the run is not finished.
        """
        return str(self._page["rule"])

    @property
    def level(self) -> float:
        """The confidence level of the intervals, in 0..1.

        Raises:
            ApiError: the run is not finished.
        """
        return float(self._page["level"])

    def summary(self) -> list[str]:
        """The run's answer in a few sentences, those that its report begins with.

        Raises:
            ApiError: the run is not finished.
        """
        rule, level = self.rule, self.level
        return answer.answers({name: self.table(name) for name in self.tables}, rule, level)

    @cached_property
    def _page(self) -> dict[str, Any]:
        """The data of the report, the only file that has the settings of the whole run."""
        if not self.report.is_file():
            raise ApiError(f"the run {self.name!r} is not finished: there is no {self.report}")
        text = self.report.read_text(encoding="utf-8")
        _, found, data = text.partition(_PAGE_DATA)
        if not found:
            raise ApiError(f"{self.report} is not a synthsight report: remove it and run again")
        page: dict[str, Any] = json.JSONDecoder().raw_decode(data)[0]
        return page

    def _logits_of(self, model: str) -> Path:
        self._known("model", model, _names(self.folder / "logits", "*/"))
        folder = self.folder / "logits" / model
        self._needed(f"logits of {model!r}", _names(folder, "*.parquet"))
        return folder

    def _known(self, what: str, name: str, known: Sequence[str]) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or f"; available: {', '.join(known) or 'none yet'}"
            raise ApiError(f"the run {self.name!r} has no {what} {name!r}{hint}")

    def _needed(self, what: str, there: Sequence[str]) -> None:
        if not there:
            raise ApiError(f"the run {self.name!r} has no {what} yet")


def _names(folder: Path, *patterns: str) -> tuple[str, ...]:
    """Names in a folder, without extensions: files by pattern, folders by ``*/``."""
    found = {
        path.name if path.is_dir() else path.stem
        for pattern in patterns
        for path in folder.glob(pattern)
        if not path.name.startswith(".")
    }
    return tuple(sorted(found))
