"""One side of a comparison: a finished run, and what of it is compared."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from synthsight.comparing.errors import CompareError
from synthsight.files import read_json
from synthsight.images.sources import read_sources
from synthsight.library.errors import ApiError
from synthsight.library.planned import Planned
from synthsight.library.runs import Run, open_run
from synthsight.library.vectors import notes_of
from synthsight.origin import KEY
from synthsight.plan.record import FETCH, NOTING
from synthsight.statistics.adapted import uncounted
from synthsight.statistics.answers import Answers, read_answers
from synthsight.statistics.hits import Scored, read_scored
from synthsight.tables import read_parquet

#: The folders of what the numbers are made from.
_BEHIND = ("images", "scores", "vqa", "tables")


@dataclass(frozen=True)
class Side:
    """A finished run.

    Attributes:
        name: what it is called in sentences.
        run: the run.
        planned: its last plan, all of whose files are there.
    """

    name: str
    run: Run
    planned: Planned

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The classifiers, adapted models and imported predictions with scores."""
        return self.planned.wanted("scores")

    @cached_property
    def vqa_models(self) -> tuple[str, ...]:
        """The models that answered questions."""
        return self.planned.wanted("vqa")

    @cached_property
    def adapted(self) -> frozenset[str]:
        """The models that were trained on the run's own images, unless there are no others."""
        if not self.models:
            return frozenset()
        return frozenset(uncounted(self.run.table("accuracy")))

    @cached_property
    def images(self) -> pd.DataFrame:
        """The images that count: ``image, category, generator, group, real, sha256``."""
        left_out = self.planned.left_out()
        columns = ["image", "category", "generator", "sha256", "status"]
        parts = [read_parquet(path, columns) for path in self.planned.manifests()]
        table = pd.concat([part.to_pandas() for part in parts], ignore_index=True)
        used = table[(table["status"] == "ok") & ~table["image"].isin(list(left_out))]
        found = used.drop(columns=["status", "generator"])
        paths = self.planned.made_by(_SOURCES)
        if not paths:
            raise CompareError(
                f"{self.run.folder} was made by a version that noted no groups of images: run "
                "Snakemake again with its configuration"
            )
        known = pd.concat([read_sources(path).to_pandas() for path in paths])
        known = known[["image", "generator", "group", "real"]]
        images: pd.DataFrame = found.merge(known, on="image", how="left", validate="one_to_one")
        return images

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The matching rules, sorted; none of a run without classifiers."""
        return tuple(self.scoring(self.models[0])["rules"]) if self.models else ()

    @cached_property
    def definitions(self) -> dict[str, str]:
        """What each category accepts beyond its name, as canonical text."""
        if not self.models:
            return {}
        found = self.scoring(self.models[0])["categories"]
        return {name: json.dumps(each, sort_keys=True) for name, each in found.items()}

    def scoring(self, model: str) -> Mapping[str, Any]:
        """The settings with which a model is scored."""
        return self.planned.spec(f"scores/{model}.parquet") or {}

    def scored(self, model: str) -> Scored:
        """A model's hits, image by image, with the ``sha256`` of each image.

        Raises:
            CompareError: an image of the scores is not among those of the manifests.
        """
        found = read_scored([self.planned.path(f"scores/{model}.parquet")])
        images = found.images.merge(
            self.images[["image", "sha256"]], on="image", how="left", validate="one_to_one"
        )
        if images["sha256"].isna().any():
            raise CompareError(
                f"scores of {model!r} in {self.run.folder} are about an image that the run does "
                f"not have, {images.loc[images['sha256'].isna(), 'image'].iloc[0]!r}: run "
                "Snakemake again with its configuration"
            )
        return Scored(found.rules, found.models, images, found.hits, found.known)

    @cached_property
    def answers(self) -> Answers | None:
        """The answers to questions, of all models; None if none were asked."""
        if not self.vqa_models:
            return None
        return read_answers([self.planned.path(f"vqa/{name}.parquet") for name in self.vqa_models])

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The configuration with its defaults, without what changes no result."""
        found: dict[str, Any] = (self.planned.spec(self.run.report.name) or {}).get("settings", {})
        return {key: value for key, value in found.items() if key != "run"}

    @cached_property
    def abouts(self) -> dict[str, dict[str, Any]]:
        """What is known of each model: weights, preprocessing, classes.

        Nothing of a VQA model whose weights are gone, and their note with them.
        """
        notes = notes_of({*self.models, *self.vqa_models}, self.planned.made_by(*NOTING))
        fetched = notes_of({*self.vqa_models}, self.planned.made_by(*FETCH))
        found = {each["name"]: each for each in (*fetched, *notes)}
        for model in self.models:
            found[model] = {**self._logits(model), **self._labels(model), **found.get(model, {})}
        return {name: _about(each) for name, each in found.items()}

    def _logits(self, model: str) -> dict[str, Any]:
        imported = model in self.planned.wanted("predictions")
        if imported:
            return read_json(self.planned.path(f"predictions/{model}.json"), ["predictions"])
        return self.run.about(model)

    def _labels(self, model: str) -> dict[str, Any]:
        """The labels by their content, where they are a file of the user's."""
        spec = self.scoring(model)
        return {"label_space": spec.get("content", spec.get("labels"))}

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions of the libraries behind the numbers, and devices."""
        found = self.planned.versions(*_BEHIND)
        return {name: ", ".join(sorted(each)) for name, each in sorted(found.items())}


#: What is not needed any more once logits are there, and takes the most room.
_NEEDLESS = "pixels/"

#: The program that writes what is known of images.
_SOURCES = "find_sources"

#: Of what is known of a model, this is no part of what it is, or said elsewhere.
_NOT_OF_MODEL = (KEY, "name", "model", "reference", "compile", "checksum", "license", "parameters")


def _about(note: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in note.items() if key not in _NOT_OF_MODEL}


def open_sides(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> tuple[Side, Side]:
    """Open the two runs of a comparison.

    Args:
        a: the first: its name, if it is in ``results/``, or its folder.
        b: the second.

    Raises:
        ApiError: there is no such run.
        CompareError: one is not finished, or they are the same.
    """
    runs = open_run(a), open_run(b)
    if os.path.realpath(runs[0].folder) == os.path.realpath(runs[1].folder):
        raise CompareError(f"{os.fspath(a)!r} and {os.fspath(b)!r} are the same run: name two")
    names = [run.name for run in runs]
    if names[0] == names[1]:
        names = [str(run.folder) for run in runs]
    first, second = (_finished(run, name) for run, name in zip(runs, names, strict=True))
    return first, second


def name_of(run: str | os.PathLike[str]) -> str:
    """What a run is called, by its name or folder."""
    return Path(os.path.abspath(run)).name


def _finished(run: Run, name: str) -> Side:
    """A run, once it is known to be finished."""
    planned = Planned(run.folder)
    try:
        missing = planned.missing()
    except ApiError as error:
        raise CompareError(f"the run {run.name!r} cannot be compared: {error}") from None
    missing = {path: why for path, why in missing.items() if not path.startswith(_NEEDLESS)}
    if missing:  # what others are made from says more than these
        path = min(missing, key=lambda each: (missing[each].startswith("made from"), each))
        why = missing[path]
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise CompareError(
            f"the run {run.name!r} is not finished: {Path(run.folder, path)} is {_why(why)}{more}. "
            "Run Snakemake again with its configuration"
        )
    return Side(name, Run(run.folder, planned), planned)


def _why(why: str) -> str:
    return why if why.startswith("not") else f"of an earlier configuration, {why}"
