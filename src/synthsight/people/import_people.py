"""From files of what people say to tables of it, a row a response, joined to the run's images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from synthsight.errors import SynthsightError
from synthsight.files import check_unchanged
from synthsight.people.disguise import disguised
from synthsight.people.finding import RatedImages
from synthsight.people.responses import Response, Vocabulary, read_responses, vocabulary_of
from synthsight.spelling import name_key, spelt
from synthsight.tables import ALL, read_parquet
from synthsight.values import NO, YES
from synthsight.vqa.joining import RunQuestions
from synthsight.vqa.repeats import comparable
from synthsight.vqa.words import yes_or_no
from synthsight.wording import did_you_mean, one_line

#: Schema of people's labels.
LABELS = pa.schema(
    [
        ("rater", pa.string()),
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        ("group", pa.string()),
        ("real", pa.bool_()),
        ("response", pa.string()),
        ("correct", pa.bool_()),
    ]
)

#: Schema of people's answers to questions.
ANSWERS = pa.schema(
    [
        *((name, pa.string()) for name in ("rater", "image", "question", "answer", "response")),
        ("correct", pa.bool_()),
    ]
)

#: The table of responses that are left out.
EXCLUDED = [
    *(("file", pa.string()), ("line", pa.int64()), ("rater", pa.string())),
    *((name, pa.string()) for name in ("image", "question", "response", "reason")),
]


class PeopleError(SynthsightError):
    """Nothing that people say can be used."""


@dataclass(frozen=True)
class Given:
    """Files of what people say, as planned.

    Attributes:
        files: the sha256 of each file by its path.
        columns: the files' names for the columns.
    """

    files: Mapping[str, str]
    columns: Mapping[str, str]

    def read(self, kind: str) -> list[Response]:
        """All rows of the files, in the order of their names.

        Raises:
            synthsight.files.FileError: one has changed since the run began.
            synthsight.tabular.TableError: one cannot be read.
        """
        rows = []
        for path in sorted(self.files):
            check_unchanged(path, self.files[path])
            rows += read_responses(Path(path), self.columns, kind, [])
        return rows


@dataclass(frozen=True)
class Imported:
    """What people say, joined to the run.

    Attributes:
        table: a row for each response that counts.
        excluded: the others, each with its reason.
        notes: what people should know, in sentences.
    """

    table: pa.Table
    excluded: list[Response]
    notes: list[str]


def import_labels(
    given: Given,
    manifests: Sequence[str | os.PathLike[str]],
    sources: str | os.PathLike[str],
    categories: Sequence[str],
    root: str,
    excluded: Sequence[str | os.PathLike[str]] = (),
) -> Imported:
    """Join people's labels to the images of a run.

    A response is right if it is the image's category; ``other`` and ``cannot tell`` are not. Of a
    rater's responses to one image the first counts.

    Args:
        given: the files.
        manifests: of all categories.
        sources: the file from :func:`synthsight.images.sources.write_sources`.
        categories: of the run, which people chose from.
        root: folder of the images.
        excluded: the table of what is excluded, where it holds more than the manifests.

    Returns:
        The columns :data:`LABELS`, sorted by rater and image.

    Raises:
        PeopleError: no response can be used.
    """
    responses = given.read("labels")
    used = set(read_parquet(sources, ["image"])["image"].to_pylist())
    reasons: dict[str, str] = {}
    for path in excluded:
        rows = read_parquet(path, ["image", "reason"]).to_pylist()
        reasons |= {row["image"]: row["reason"] for row in rows}
    images: dict[str, str | None] = {}
    names: dict[str, str] = {}
    for path in manifests:
        rows = read_parquet(path, ["image", "sha256", "status", "reason"]).to_pylist()
        for row in rows:
            image = row["image"]
            images[image] = None if image in used else _why_not(row, reasons)
            if row["sha256"] is not None:
                names[disguised(image, row["sha256"])] = image
    find = RatedImages(images, names, root)
    rated = sorted({find.find(each.image)[0] for each in responses if not each.reason})
    known = read_parquet(sources, LABELS.names[1:6], filters=[("image", "in", rated)])
    about = {row["image"]: row for row in known.to_pylist()}
    for image, row in about.items():
        row["group"] = None if row["group"] == image else row["group"]

    def finish(response: Response, meant: str) -> tuple[dict[str, Any], str | None]:
        row = about[response.image]
        if response.stated is not None and name_key(response.stated) != name_key(row["category"]):
            return {}, (
                f"its file says that the image shows {response.stated!r}, and in the run it shows "
                f"{row['category']!r}: is it the same image?"
            )
        return {**row, "correct": meant == row["category"]}, None

    return _join(given, responses, "labels", find, vocabulary_of(categories), LABELS, finish)


def _why_not(row: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """Why an image of a manifest is not used, for ``reasons`` that the manifest does not know."""
    if row["status"] == "ok":
        return f"the image is left out: {reasons.get(row['image'], 'tables/excluded.csv says why')}"
    return f"the image is excluded: {row['reason']}"


def import_answers(
    given: Given, questions: Sequence[str | os.PathLike[str]], root: str
) -> Imported:
    """Join people's answers to the questions of a run, by image and text.

    Of a rater's answers to one question the first counts. ``cannot tell`` is not right. A sentence
    says yes or no if exactly one of these words stands in it.

    Args:
        given: the files.
        questions: the shards of questions.
        root: folder of the images that these are about.

    Returns:
        The columns :data:`ANSWERS`, sorted by rater, image and question.

    Raises:
        PeopleError: no response can be used.
    """
    asked = RunQuestions(questions)
    find = RatedImages(dict.fromkeys(asked.images), asked.names, root)
    words = {**dict.fromkeys(sorted(YES), "yes"), **dict.fromkeys(sorted(NO), "no")}

    def finish(response: Response, meant: str) -> tuple[dict[str, Any], str | None]:
        text, of_image = comparable(str(response.question)), asked.about(response.image)
        row = of_image.get(text)
        if row is None:
            hint = did_you_mean(text, of_image)
            return {}, f"no such question about this image{hint}"
        if row["status"] != "ok":
            return {}, f"the question is left out: {row['reason']}"
        return {**row, "correct": meant == row["answer"]}, None

    vocabulary = Vocabulary({"yes": "yes", "no": "no", **words}, sentences=yes_or_no)
    responses = given.read("answers")
    return _join(given, responses, "answers", find, vocabulary, ANSWERS, finish)


def _join(
    given: Given,
    responses: Sequence[Response],
    kind: str,
    find: RatedImages,
    vocabulary: Vocabulary,
    schema: pa.Schema,
    finish: Callable[[Response, str], tuple[dict[str, Any], str | None]],
) -> Imported:
    """Join the responses of files to what they are about.

    Args:
        given: the files.
        responses: their rows.
        kind: what people were asked for.
        find: the images.
        vocabulary: what responses mean.
        schema: of the rows.
        finish: gives the columns that depend on the image, or why the response cannot be used.
    """
    rows: list[dict[str, Any]] = []
    excluded: list[Response] = []
    first: dict[tuple[str, ...], Response] = {}
    hint = cache(lambda written: did_you_mean(written, vocabulary.known))
    for response in responses:
        meant = vocabulary.meant(response.response)
        image, reason = find.find(response.image) if response.reason is None else ("", None)
        reason = response.reason or reason
        if reason is None and response.rater == ALL:
            reason = f"a rater cannot be called {ALL!r}, which stands for all in the tables"
        elif reason is None and meant is None:
            reason = f"not one of the possible responses{hint(response.response)}"
        row: dict[str, Any] = {}
        if reason is None and meant is not None:
            row, reason = finish(replace(response, image=image), meant)
        if reason is None:
            key = (response.rater, image, str(row.get("question", "")))
            other = first.setdefault(key, response)
            if other is not response:
                where = "" if other.file == response.file else f"{other.file}, "
                reason = f"the rater has said it before ({where}line {other.line})"
        if reason is None:
            rows.append({**row, "rater": response.rater, "response": meant})
        else:
            excluded.append(replace(response, reason=reason))
    if not rows:
        named = " and ".join(sorted(given.files))
        why = f"; line {excluded[0].line}: {excluded[0].reason}" if excluded else ""
        count = _count(len(responses), "response")
        raise PeopleError(f"{named}: none of {count} can be used{why}")
    table = pa.Table.from_pylist(rows, schema=schema)
    keys = [(name, "ascending") for name in ("rater", "image", "question") if name in schema.names]
    notes = list(_notes(given, kind, table, responses, excluded, find))
    if vocabulary.sentences_read:
        written, meant = next(iter(vocabulary.sentences_read.items()))
        notes.append(
            f"{' and '.join(sorted(given.files))}: "
            f"{_count(len(vocabulary.sentences_read), 'response')} in words of people's own, read "
            f"by the yes or no in it, the first: {one_line(written, 80)!r} as {meant}"
        )
    return Imported(table.sort_by(keys), excluded, notes)


def _notes(
    given: Given,
    kind: str,
    table: pa.Table,
    responses: Sequence[Response],
    excluded: Sequence[Response],
    find: RatedImages,
) -> Iterator[str]:
    """What people should know of what was read."""
    raters = sorted(pc.unique(table["rater"]).to_pylist())
    images = len(pc.unique(table["image"]))
    named = " and ".join(sorted(given.files))
    lost = ""
    if excluded:
        are = "is" if len(excluded) == 1 else "are"
        lost = (
            f"; {len(excluded):,} of {len(responses):,} rows {are} left out; "
            "tables/people_excluded.csv says which and why"
        )
    what = _count(len(table), kind.removesuffix("s"))
    of = f"{_count(len(raters), 'rater')} about {_count(images, 'image')}"
    yield f"{named}: {what} of {of}{lost}"
    if find.renamed:
        written, image = next(iter(find.renamed.items()))
        many = len(find.renamed) > 1
        are, these = ("are", "these") if many else ("is", "that")
        how = f"{are} written otherwise than in the run and {are} taken for {these}"
        count = _count(len(find.renamed), "image")
        yield f"{named}: {count} {how}, the first: {written!r} for {image!r}"
    alike: dict[str, list[str]] = {}
    for rater in raters:
        alike.setdefault(name_key(rater), []).append(rater)
    for same in alike.values():
        if len(same) > 1:
            yield (
                f"{named}: the raters {' and '.join(spelt(same))} count as {len(same)} people; if "
                "they are one, give them one name"
            )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
