"""The hits of all models side by side, the starting point of all statistics over models."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthsight.errors import SynthsightError
from synthsight.statistics.moments import Sample
from synthsight.tables import ALL, metadata_of, read_batches, read_parquet

#: Rows read at a time where they are only counted: the bound on memory.
_ROWS = 65536

#: What scores say of an image.
_IMAGE = ["image", "category", "generator", "group", "real"]

#: The two kinds of hit.
HITS = ("top1", "top5")


class HitsError(SynthsightError):
    """Scores of different models that are not about the same images."""


def count(
    scores: str | os.PathLike[str], keys: Sequence[str], sums: Mapping[str, str]
) -> pd.DataFrame:
    """Count the rows of a file of scores by some of its columns, reading it part by part.

    Args:
        scores: Parquet file from :func:`synthsight.classifiers.score.score`.
        keys: columns to count by; a missing value counts as a value.
        sums: columns of hits to sum as well, by the name for each sum.

    Returns:
        ``keys``, ``n`` rows, and the counts of ``sums``, NaN where hits are not known.
    """
    wanted = [([], "count_all"), *((column, "sum") for column in sums.values())]
    parts = [
        pa.table(batch).group_by(list(keys)).aggregate(wanted)
        for batch in read_batches(scores, [*keys, *sums.values()], _ROWS)
    ]
    names = {"count_all": "n", **{f"{column}_sum": name for name, column in sums.items()}}
    summed = pa.concat_tables(parts).group_by(list(keys)).aggregate([(n, "sum") for n in names])
    table: pd.DataFrame = summed.to_pandas()
    table = table.rename(columns={f"{column}_sum": name for column, name in names.items()})
    for name in sums:  # missing where hits are not known, and then all of them are
        table[name] = table[name].astype("float64" if table[name].isna().any() else "int64")
    return table


@dataclass(frozen=True)
class Hits:
    """Hits of several models on the same images under one rule.

    Of predictions that were made elsewhere some hits may not be known: then none of a kind is, of
    all images. Such models are no columns of that kind.

    Attributes:
        rule: the matching rule.
        models: names of all models.
        images: one row per image: ``image``, ``category``, ``generator`` (may be missing),
            ``group`` (missing where the image is its own) and ``real``, whether it is a photograph.
        top1: bool (images, models whose top-1 hits are known).
        top5: likewise.
        known: by kind of hit, the names of these models, in the order of the columns; None if it is
            all models.
    """

    rule: str
    models: tuple[str, ...]
    images: pd.DataFrame
    top1: npt.NDArray[np.bool_]
    top5: npt.NDArray[np.bool_]
    known: Mapping[str, tuple[str, ...]] | None = None

    def models_of(self, hit: str) -> tuple[str, ...]:
        """The models whose hits of a kind are known, in the order of the columns."""
        return self.models if self.known is None else self.known[hit]

    def of(self, hit: str) -> npt.NDArray[np.bool_]:
        """The hits ``top1`` or ``top5``, by name."""
        return self.top1 if hit == "top1" else self.top5

    def without(self, models: Collection[str]) -> Hits:
        """The same without some models; all of them where no other would be left."""
        names = tuple(name for name in self.models if name not in models)
        if not names or len(names) == len(self.models):
            return self
        kept = {hit: [name in names for name in self.models_of(hit)] for hit in HITS}
        known = None
        if self.known is not None:
            known = {hit: tuple(n for n in self.known[hit] if n in names) for hit in HITS}
        sides = {hit: self.of(hit)[:, kept[hit]] for hit in HITS}
        return replace(self, models=names, top1=sides["top1"], top5=sides["top5"], known=known)

    def part(self, chosen: npt.NDArray[np.bool_]) -> Hits:
        """The chosen images (images,), in their order."""
        images = self.images[chosen].reset_index(drop=True)
        return replace(self, images=images, top1=self.top1[chosen], top5=self.top5[chosen])


def rules_of(scores: str | os.PathLike[str]) -> list[str]:
    """The rules in a file from :func:`synthsight.classifiers.score.score`, sorted."""
    return sorted(read_parquet(scores, ["rule"]).column("rule").unique().to_pylist())


def read_hits(scores: Sequence[str | os.PathLike[str]], rule: str) -> Hits:
    """Read the hits of all models under one rule, fully loading one model at a time.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images in the same order.
        rule: the matching rule.

    Raises:
        HitsError: no files, or files that differ in their images.
    """
    images: pd.DataFrame | None = None
    models: list[str] = []
    found: dict[str, list[npt.NDArray[np.bool_]]] = {hit: [] for hit in HITS}
    known: dict[str, list[str]] = {hit: [] for hit in HITS}
    for path in scores:
        file = read_parquet(
            path,
            [*_IMAGE, "rule", "top1_hit", "top5_hit"],
            filters=[("rule", "=", rule)],
        )
        described = file.select(_IMAGE).to_pandas()
        if images is None:
            images = described
        elif not images.equals(described):
            raise HitsError(f"{path} is not about the same images as {scores[0]}")
        models.append(metadata_of(file.schema, "model", path))
        for hit in HITS:
            column = file.column(f"{hit}_hit")
            if column.null_count == 0:
                found[hit].append(column.to_numpy())
                known[hit].append(models[-1])
            elif column.null_count < len(column):
                raise HitsError(f"{path} has {hit} hits of some images and not of others")
    if images is None:
        raise HitsError("no scores")
    none = np.zeros((len(images), 0), bool)
    sides = {hit: np.column_stack(of) if of else none for hit, of in found.items()}
    complete = all(known[hit] == models for hit in HITS)
    return Hits(
        *(rule, tuple(models), images, sides["top1"], sides["top5"]),
        None if complete else {hit: tuple(names) for hit, names in known.items()},
    )


@dataclass(frozen=True)
class Scored:
    """The hits of all models under all rules, in an order independent of the files'.

    Attributes:
        rules: sorted.
        models: sorted.
        images: one row per image, sorted by ``image``, with the columns of :class:`Hits`.
        hits: bool (images, rules, hits, models), the hits in the order of :data:`HITS`; nothing
            where they are not known. :meth:`of_rule` and :meth:`of_model` give those that are.
        known: bool (rules, hits, models); None if all are.
    """

    rules: tuple[str, ...]
    models: tuple[str, ...]
    images: pd.DataFrame
    hits: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_] | None = None

    def of_rule(self, rule: int, hit: int) -> tuple[tuple[str, ...], npt.NDArray[np.bool_]]:
        """The models whose hits under a rule are known, and these, (images, models).

        Args:
            rule: its number.
            hit: the number of the kind of hit.
        """
        if self.known is None:
            return self.models, self.hits[:, rule, hit]
        chosen = self.known[rule, hit]
        names = tuple(name for name, is_known in zip(self.models, chosen, strict=True) if is_known)
        return names, self.hits[:, rule, hit][:, chosen]

    def of_model(self, model: int, hit: int) -> tuple[tuple[str, ...], npt.NDArray[np.bool_]]:
        """The rules under which a model's hits are known, and these, (images, rules)."""
        if self.known is None:
            return self.rules, self.hits[:, :, hit, model]
        chosen = self.known[:, hit, model]
        names = tuple(name for name, is_known in zip(self.rules, chosen, strict=True) if is_known)
        return names, self.hits[:, :, hit, model][:, chosen]

    def without(self, models: Collection[str]) -> Scored:
        """The same without some models; all of them where no other would be left."""
        kept = np.array([name not in models for name in self.models])
        if kept.all() or not kept.any():
            return self
        names = tuple(name for name in self.models if name not in models)
        known = None if self.known is None else self.known[:, :, kept]
        return Scored(self.rules, names, self.images, self.hits[:, :, :, kept], known)

    def part(self, chosen: npt.NDArray[np.bool_]) -> Scored:
        """The chosen images, in their order."""
        images = self.images[chosen].reset_index(drop=True)
        return replace(self, images=images, hits=self.hits[chosen])


def sample_of(images: pd.DataFrame) -> Sample:
    """Categories as strata, and groups, of images with the columns of :class:`Hits`."""
    strata = pd.factorize(images["category"], sort=True)[0]
    if images["group"].isna().all():
        return Sample(strata)
    # An image without a group is one by itself, which no group is called like.
    alone = np.arange(len(images)) + len(images)
    codes = pd.factorize(images["group"])[0]
    return Sample(strata, np.where(codes < 0, alone, codes))


def sources(images: pd.DataFrame) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The sources that models are compared on: all generated images, and all real photographs.

    Args:
        images: with the columns of :class:`Hits`.

    Yields:
        The name of each that has images, ``*`` for generated ones and the names of their generators
        for photographs, and which images (images,) are from it.
    """
    real = images["real"].to_numpy(bool)
    if not real.all():
        yield ALL, ~real
    if real.any():
        yield name_of_real(images["generator"][real]), real


def name_of_real(generators: Iterable[str]) -> str:
    """What all real photographs together are called."""
    return " + ".join(sorted(set(generators)))


def read_scored(scores: Sequence[str | os.PathLike[str]]) -> Scored:
    """Read the hits of all models under all rules.

    Args:
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model, about
            the same images under the same rules.

    Raises:
        HitsError: no files, or files or rules that differ in their images.
    """
    if not scores:
        raise HitsError("no scores")
    rules = rules_of(scores[0])
    tables: list[Hits] = []
    for rule in rules:
        table = read_hits(scores, rule)
        if tables and not table.images["image"].equals(tables[0].images["image"]):
            raise HitsError(f"{rules[0]} and {rule} are not about the same images")
        tables.append(table)
    first = tables[0]
    by_image = first.images["image"].argsort(kind="stable").to_numpy()
    by_model = np.array(sorted(range(len(first.models)), key=first.models.__getitem__))
    known = np.array(
        [[[m in table.models_of(hit) for m in first.models] for hit in HITS] for table in tables]
    )
    hits = np.zeros((len(first.images), *known.shape), bool)
    for r, table in enumerate(tables):
        for h, hit in enumerate(HITS):
            hits[:, r, h, known[r, h]] = table.of(hit)
    return Scored(
        rules=tuple(rules),
        models=tuple(first.models[place] for place in by_model),
        images=first.images.iloc[by_image].reset_index(drop=True),
        hits=hits[by_image][..., by_model],
        known=None if known.all() else known[..., by_model],
    )
