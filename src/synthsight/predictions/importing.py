"""Importing predictions that were made elsewhere: joined with the run's images, and counted."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthsight.files import atomic, sha256_of
from synthsight.labels.spaces import LabelSpace
from synthsight.origin import entry
from synthsight.predictions.classes import Classes
from synthsight.predictions.distributions import Matrix, is_matrix, read_matrix
from synthsight.predictions.joining import SHOWN, JoinError, Names
from synthsight.predictions.reading import Ranked, read_ranked
from synthsight.predictions.source import Source, open_source
from synthsight.predictions.stored import ROWS, About, schema_of, write_stored
from synthsight.tables import read_parquet

#: What is done about images without a prediction.
MISSING = ("refuse", "wrong", "exclude")


@dataclass(frozen=True)
class Wanted:
    """Which predictions are imported.

    Attributes:
        model: the name that they go by.
        file: where they are.
        labels: whose classes they name.
        missing: one of :data:`MISSING`.
        columns: names of columns, by what they hold.
        reference: the model's accuracy on real photographs, if the user states it.
    """

    model: str
    file: Path
    labels: LabelSpace
    missing: str = "refuse"
    columns: Mapping[str, str] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Images:
    """The usable images, category by category, sorted in each."""

    names: list[str]
    categories: list[str]
    starts: list[int]
    unusable: list[str]

    def parts(self) -> Iterator[tuple[str, int, int]]:
        """Each category with its first image, and the one after its last."""
        for category, (start, end) in zip(self.categories, pairwise(self.starts), strict=True):
            yield category, start, end


def import_predictions(
    wanted: Wanted,
    manifests: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    note: str | os.PathLike[str],
) -> list[str]:
    """Import predictions about the run's usable images.

    Args:
        wanted: which.
        manifests: of all categories, in the order of their names.
        output: the Parquet file, see :mod:`synthsight.predictions.stored`.
        note: the JSON file about them, in the place of one about weights.

    Returns:
        Sentences for people: what was recognised, what is missing, what was left aside.

    Raises:
        JoinError: images have no prediction, and are to have one; or none has; names of images
            mean the same one, or have different folders in front; or the run has no usable image.
        synthsight.errors.SynthsightError: the file cannot be used.
    """
    images = _images(manifests)
    if not images.names:
        raise JoinError(
            f"{wanted.file}: the run has no image that can be used, so nothing is imported. The "
            "table `excluded` says why"
        )
    names = Names(images.names, images.unusable)
    source = open_source(wanted.file, wanted.columns)
    classes = Classes(wanted.labels)
    count = len(images.names)
    found: Ranked | Matrix
    with tempfile.TemporaryFile(dir=Path(output).parent) as room:
        try:
            if is_matrix(source):
                found = read_matrix(source, names, len(wanted.labels), count, room)
            else:
                found = read_ranked(source, names, classes, count)
        except JoinError as error:
            raise JoinError(f"{wanted.file}: {error}") from None
        there = found.lengths > 0
        _check_join(wanted, images, names, there)
        kept = np.ones(count, bool) if wanted.missing == "wrong" else there
        kind = "logits" if isinstance(found, Matrix) else "ranks"
        about = About(
            model=wanted.model,
            label_space=wanted.labels.name,
            kind=kind,
            ranks=int(found.lengths[there].min()),
            missing=wanted.missing,
            rows={name: int(kept[start:end].sum()) for name, start, end in images.parts()},
        )
        parts = _parts(images, kept, found)
        write_stored(output, about, parts, schema_of(kind, len(wanted.labels)))
    record = _note(wanted, source, names, found, about, images, there)
    with atomic(note) as temporary:
        text = json.dumps({**record, **entry(note)}, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return sentences(record)


def _images(manifests: Sequence[str | os.PathLike[str]]) -> _Images:
    names: list[str] = []
    categories: list[str] = []
    starts = [0]
    unusable: list[str] = []
    for path in manifests:
        table = read_parquet(path, ["image", "category", "status"])
        usable: list[str] = []
        for image, status in zip(
            table["image"].to_pylist(), table["status"].to_pylist(), strict=True
        ):
            (usable if status == "ok" else unusable).append(image)
        categories.append(table["category"][0].as_py() if len(table) else Path(path).stem)
        names += sorted(usable)
        starts.append(len(names))
    return _Images(names, categories, starts, unusable)


def _check_join(
    wanted: Wanted, images: _Images, names: Names, there: npt.NDArray[np.bool_]
) -> None:
    """Refuse a file that is about other images, or does not have all of the run's."""
    count = len(images.names)
    missing = np.flatnonzero(~there)
    if len(missing) == count:
        said = f"{wanted.file}: no row has a prediction for one of the run's {count:,} images"
        if names.first:
            said += f". It names {names.first[0]!r}{names.close_to(names.first[0])}"
            said += f"; the run has {images.names[0]!r}"
        raise JoinError(f"{said}. Paths are written from images.root")
    if len(missing) and wanted.missing == "refuse":
        first = ", ".join(images.names[number] for number in missing[:SHOWN])
        more = ", ..." if len(missing) > SHOWN else ""
        said = (
            f"{wanted.file}: {len(missing):,} of the run's {count:,} images have no prediction of "
            f"{wanted.model}: {first}{more}"
        )
        if names.first:
            other = names.first[0]
            said += f". It names {names.unknown:,} images that the run does not have, such as "
            said += f"{other!r}{names.close_to(other)}"
        raise JoinError(
            f"{said}. Add them, or write `missing: wrong` (they count as wrong) or `missing: "
            "exclude` (they are left out for all models) beside `predictions`. Copies that "
            "images.duplicates leaves out are among the run's images here"
        )


def _parts(
    images: _Images, kept: npt.NDArray[np.bool_], found: Ranked | Matrix
) -> Iterator[pa.Table]:
    """The rows that are written, of one category and at most :data:`ROWS` at a time."""
    ends = np.cumsum(found.lengths) if isinstance(found, Ranked) else None
    for category, start, end in images.parts():
        of_category = np.flatnonzero(kept[start:end]) + start
        for first in range(0, len(of_category), ROWS):
            rows = of_category[first : first + ROWS]
            columns = {
                "image": pa.array([images.names[row] for row in rows], pa.string()),
                "category": pa.array([category] * len(rows), pa.string()),
            }
            if isinstance(found, Matrix):
                columns["logits"] = found.array(rows)
            else:
                assert ends is not None
                columns |= _ranked(found, ends, rows)
            yield pa.table(columns)


def _ranked(
    found: Ranked, ends: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    """The columns of some images' ranked classes; those without prediction have empty lists."""
    lengths = found.lengths[rows]
    offsets = pa.array(np.r_[0, np.cumsum(lengths)].astype(np.int32))
    starts = np.repeat(ends[rows] - lengths - np.r_[0, np.cumsum(lengths)[:-1]], lengths)
    taken = starts + np.arange(int(lengths.sum()))
    probability = found.probability[taken]
    values = pa.array(probability, pa.float32(), mask=np.isnan(probability))
    return {
        "predicted": pa.ListArray.from_arrays(offsets, pa.array(found.classes[taken], pa.int32())),
        "probability": pa.ListArray.from_arrays(offsets, values),
    }


def _note(
    wanted: Wanted,
    source: Source,
    names: Names,
    found: Ranked | Matrix,
    about: About,
    images: _Images,
    there: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """What the note says; its keys are those of notes about weights, where they mean the same."""
    missing = np.flatnonzero(~there)
    stated = isinstance(found, Matrix) or bool((~np.isnan(found.probability)).any())
    return {
        "name": wanted.model,
        "library": "predictions",
        "source": str(wanted.file),
        "sha256": sha256_of(wanted.file),
        "license": None,
        "reference": None if wanted.reference is None else dict(wanted.reference),
        "predictions": {
            "format": source.kind,
            "columns": {
                **source.layout.single,
                **{role: list(each) for role, each in source.layout.numbered.items()},
            },
            "unread": list(source.layout.unread),
            "rows": found.rows,
            "kind": about.kind,
            "order": found.by,
            "ties": {"first": found.ties[0], "fifth": found.ties[1]},
            "ranks": about.ranks,
            "classes": len(wanted.labels),
            "probability": stated,
            "label_space": about.label_space,
            "images": len(images.names),
            "missing": {
                "what": wanted.missing,
                "count": len(missing),
                "first": [images.names[number] for number in missing[:SHOWN]],
            },
            "unknown": {"count": names.unknown, "first": names.first},
            "unusable": names.unusable,
            "renamed": names.renamed,
            "example": names.example,
            "folders": names.folders,
        },
    }


def sentences(note: Mapping[str, Any]) -> list[str]:
    """What people should know about imported predictions, from their note."""
    about, name = note["predictions"], note["name"]
    ranks = "one class" if about["ranks"] == 1 else f"{about['ranks']} classes"
    kinds = {"logits": "all classes", "ranks": f"{ranks} for each image, or more"}
    said = [
        f"{name}: {about['rows']:,} rows of {note['source']} ({about['format']}) with "
        f"{kinds[about['kind']]}, {'with' if about['probability'] else 'without'} probabilities"
    ]
    columns = about["columns"].items()
    read = [f"{role}: {each if isinstance(each, str) else these(each)}" for role, each in columns]
    unread = f"; not read: {these(about['unread'])}" if about["unread"] else ""
    said.append(f"columns that are read: {', '.join(read)}{unread}")
    ties = ties_of(about)
    said += [ties] if ties else []
    missing = about["missing"]
    if missing["count"]:
        done = {
            "wrong": "counted as wrong, unless they are duplicates that are left out",
            "exclude": "left out for all models",
        }[missing["what"]]
        first = ", ".join(missing["first"])
        said.append(f"{missing['count']:,} images without a prediction are {done}: {first}")
    if about["unknown"]["count"]:
        first = ", ".join(about["unknown"]["first"])
        said.append(f"{about['unknown']['count']:,} images in it are none of the run's: {first}")
    if about["unusable"]:
        said.append(f"{about['unusable']:,} images in it are excluded from the run")
    if about["renamed"]:
        written, image = about["example"]
        front = f", all with {about['folders']} in front" if about["folders"] else ""
        said.append(
            f"{about['renamed']:,} images are written otherwise in it{front}; each can mean one "
            f"alone: {written} is {image}"
        )
    return said


def these(names: Sequence[str]) -> str:
    """A few names in words; of many, the first and the last."""
    return ", ".join(names) if len(names) <= SHOWN else f"{names[0]} ... {names[-1]}"


def ties_of(about: Mapping[str, Any]) -> str | None:
    """What to know of equal probabilities, from a note; None if there are none."""
    ties = about.get("ties") or {"first": 0, "fifth": 0}  # older notes do not say
    if not any(ties.values()):
        return None
    what = "logits" if about["order"] == "logits" else "probabilities"
    return (
        f"equal {what} in {ties['first']:,} images at the first place, and in {ties['fifth']:,} at "
        "the fifth and the next: the class with the lower index goes first, by no merit of its own"
    )
