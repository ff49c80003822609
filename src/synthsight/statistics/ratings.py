"""What people say of items (images, questions), the starting point of all statistics about it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.statistics.hits import rules_of, sample_of
from synthsight.statistics.moments import Codes, Floats
from synthsight.tables import ALL, metadata_of, read_parquet

Flags = npt.NDArray[np.bool_]

#: The columns of people's labels that describe an image.
IMAGE = ["image", "category", "generator", "group", "real"]


@dataclass(frozen=True)
class Ratings:
    """Responses of raters to items; a rater responds to an item once, or not at all.

    Attributes:
        items: one row per item.
        strata: (items,), the number of each item's stratum (category).
        groups: (items,), the number of each item's unit of chance.
        raters: their names, sorted.
        item: (responses,), the number of the item.
        rater: (responses,), the number of the rater.
        correct: (responses,), whether the response is right.
        response: (responses,), what it is.
    """

    items: pd.DataFrame
    strata: Codes
    groups: Codes
    raters: tuple[str, ...]
    item: Codes
    rater: Codes
    correct: Flags
    response: npt.NDArray[np.object_]

    def part(self, chosen: Flags) -> Ratings:
        """The chosen items (items,), with the raters of any of them."""
        return self._of(chosen, chosen[self.item])

    def of_rater(self, rater: int) -> Ratings:
        """What one rater says, of the items that this one has rated."""
        kept = self.rater == rater
        return self._of(np.isin(np.arange(len(self.items)), self.item[kept]), kept)

    def without_rater(self, rater: int) -> Ratings:
        """What all others say, of the items that any of them has rated."""
        kept = self.rater != rater
        return self._of(np.isin(np.arange(len(self.items)), self.item[kept]), kept)

    def _of(self, items: Flags, responses: Flags) -> Ratings:
        number = np.cumsum(items) - 1
        raters, codes = np.unique(self.rater[responses], return_inverse=True)
        return Ratings(
            items=self.items[items].reset_index(drop=True),
            strata=np.unique(self.strata[items], return_inverse=True)[1],
            groups=np.unique(self.groups[items], return_inverse=True)[1],
            raters=tuple(self.raters[each] for each in raters),
            item=number[self.item[responses]],
            rater=codes,
            correct=self.correct[responses],
            response=self.response[responses],
        )

    @cached_property
    def raters_of_item(self) -> npt.NDArray[np.int64]:
        """(items,), how many raters each item has; at least 1."""
        return np.bincount(self.item, minlength=len(self.items))

    def mean_of_items(self, values: Floats) -> Floats:
        """The mean over each item's responses, (items, columns), of values (responses, columns)."""
        sums = np.zeros((len(self.items), values.shape[1]))
        np.add.at(sums, self.item, values)
        return sums / self.raters_of_item[:, None]

    @cached_property
    def share(self) -> Floats:
        """(items,), the share of an item's raters who are right."""
        return self.mean_of_items(self.correct[:, None].astype(np.float64))[:, 0]

    @property
    def recognised(self) -> Flags:
        """(items,), whether more than half of an item's raters are right."""
        right = np.bincount(self.item, self.correct, minlength=len(self.items))
        found: Flags = 2 * right > self.raters_of_item
        return found

    @cached_property
    def votes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Codes]:
        """How often each response was given to each item, (items, responses there are).

        Returns:
            These counts; then (responses,) the column of each response; and (items,) the largest
            count of each item.
        """
        names, columns = np.unique(self.response.astype(str), return_inverse=True)
        counts = np.zeros((len(self.items), len(names)), np.int64)
        np.add.at(counts, (self.item, columns), 1)
        return counts, columns, counts.max(axis=1)

    def table(self) -> tuple[Flags, Flags]:
        """Whether each rater has rated each item, and is right about it, (items, raters) each."""
        rated = np.zeros((len(self.items), len(self.raters)), np.bool_)
        right = rated.copy()
        rated[self.item, self.rater] = True
        right[self.item, self.rater] = self.correct
        return rated, right


def read_labels(path: str | os.PathLike[str]) -> Ratings:
    """Read people's labels.

    Args:
        path: Parquet file of :func:`synthsight.people.import_people.import_labels`.
    """
    rows = read_parquet(path, ["rater", *IMAGE, "response", "correct"]).to_pandas()
    items = rows[IMAGE].drop_duplicates("image").sort_values("image", ignore_index=True)
    sample = sample_of(items)
    groups = np.arange(len(items)) if sample.groups is None else sample.groups
    return ratings_of(rows, items, sample.strata, groups, pd.Index(items["image"]), rows["image"])


def ratings_of(
    rows: pd.DataFrame,
    items: pd.DataFrame,
    strata: Codes,
    groups: Codes,
    keys: pd.Index,
    of_rows: pd.Series,
) -> Ratings:
    """Ratings from rows with ``rater``, ``response`` and ``correct``.

    Args:
        rows: one per response.
        items: one row per item, each with a response.
        strata: see :class:`Ratings`.
        groups: likewise.
        keys: what tells each item.
        of_rows: the key of each row's item.
    """
    raters, names = pd.factorize(rows["rater"], sort=True)
    return Ratings(
        items=items,
        strata=strata,
        groups=np.unique(groups, return_inverse=True)[1],
        raters=tuple(map(str, names)),
        item=keys.get_indexer(pd.Index(of_rows)),
        rater=raters,
        correct=rows["correct"].to_numpy(bool),
        response=rows["response"].to_numpy(object),
    )


def sources_of(images: pd.DataFrame) -> Iterator[tuple[str, Flags]]:
    """The sources with a row of their own: all generated images, then each that has a name.

    Args:
        images: with the columns :data:`IMAGE`.

    Yields:
        The name, ``*`` for all generated images together, and which images (images,) are from it.
    """
    real = images["real"].to_numpy(bool)
    if not real.all():
        yield ALL, ~real
    for name in sorted(images["generator"].dropna().unique()):
        yield str(name), (images["generator"] == name).to_numpy(bool)


@dataclass(frozen=True)
class ModelHits:
    """Top-1 hits of models on the images that people rated, under one rule.

    Attributes:
        rule: the matching rule.
        models: their names, sorted.
        hits: (images, models).
    """

    rule: str
    models: tuple[str, ...]
    hits: Flags

    def without(self, models: Collection[str]) -> ModelHits:
        """The same without some models; all of them where no other would be left."""
        kept = np.array([name not in models for name in self.models], bool)
        if not kept.any():
            return self
        names = tuple(name for name in self.models if name not in models)
        return ModelHits(self.rule, names, self.hits[:, kept])


def read_model_hits(
    scores: Sequence[str | os.PathLike[str]], images: Sequence[str]
) -> tuple[list[ModelHits], list[str]]:
    """Read which of some images each model gets, under each rule.

    Args:
        scores: Parquet files of scores, one per model.
        images: their paths.

    Returns:
        The hits, by rule; and a sentence on each model that lacks a hit, or a miss, for any of
        these images under a rule, and is left out there.
    """
    by_rule: dict[str, dict[str, Flags]] = {rule: {} for rule in rules_of(scores[0])}
    lacking = []
    for path in scores:
        wanted = [("image", "in", list(images))]
        file = read_parquet(path, ["image", "rule", "top1_hit"], filters=wanted)
        model, rows = metadata_of(file.schema, "model", path), file.to_pandas()
        for rule, of_rule in by_rule.items():
            of_images = rows[rows["rule"] == rule].set_index("image")["top1_hit"].reindex(images)
            if missing := int(of_images.isna().sum()):
                lacking.append(
                    f"{model} has no hit or miss for {missing:,} of {len(images):,} images that "
                    f"people rated, under {rule}, and is left out there"
                )
            else:
                of_rule[model] = of_images.to_numpy(bool)
    found = [
        ModelHits(
            rule,
            tuple(sorted(hits)),
            np.array([hits[model] for model in sorted(hits)], np.bool_).reshape(-1, len(images)).T,
        )
        for rule, hits in by_rule.items()
    ]
    return found, lacking
