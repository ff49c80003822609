"""Shards of questions: how they are formed, checked against their images, and stored."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import cache
from operator import attrgetter
from pathlib import Path

import pyarrow as pa

from synthsight.images.examine import examine_all
from synthsight.tables import read_parquet, write_parquet
from synthsight.vqa.question import Question
from synthsight.vqa.repeats import repeats_about_copies

#: What changes no answer.
_NOT_DIGESTED = ("line", "group", "file")


@dataclass(frozen=True)
class ShardRow:
    """A row of a shard: a valid question, and whether its image can be used.

    Attributes:
        number: its number among its image's questions, from 1, in the order of the file.
        image: see :class:`synthsight.vqa.question.Question`.
        question: likewise.
        answer: ``yes`` or ``no``.
        generator: as in :class:`synthsight.vqa.question.Question`.
        objects: likewise.
        sha256: sha256 of the image's bytes, in hex; None if they cannot be read.
        status: ``ok`` or ``excluded``.
        reason: why it is excluded; None if it is not.
    """

    number: int
    image: str
    question: str
    answer: str
    generator: str | None
    objects: str | None
    sha256: str | None
    status: str
    reason: str | None


def shard_of(image: str, shards: int) -> str:
    """The shard, ``1`` to ``shards``, of all questions about an image.

    It depends only on the image's name, so adding or removing questions moves no others.
    """
    return str(int.from_bytes(hashlib.sha256(image.encode()).digest()[:8], "big") % shards + 1)


def deal(questions: Iterable[Question], shards: int) -> dict[str, list[Question]]:
    """The valid questions of each shard that has any, by shard."""
    dealt: dict[str, list[Question]] = {}
    of = cache(lambda image: shard_of(image, shards))
    for question in questions:
        if question.reason is None:
            dealt.setdefault(of(question.image), []).append(question)
    return dict(sorted(dealt.items(), key=lambda item: int(item[0])))


def shard_digest(questions: Sequence[Question], root: Path) -> str:
    """A digest of a shard's content, and of its images' sizes and modification times.

    Line numbers are left out, so a question added further up changes only its own shard, and so
    are groups, which change no answer.
    """
    digest = hashlib.sha256()
    names = sorted(each.name for each in fields(Question) if each.name not in _NOT_DIGESTED)
    kept, texts = attrgetter(*names), [f"{json.dumps(name)}:" for name in names]
    for question in questions:
        # As canonical_json writes the mapping, in a third of the time: all values are text or None.
        values = zip(texts, map(json.dumps, kept(question)), strict=True)
        row = "{" + ",".join(text + value for text, value in values) + "}"
        digest.update(row.encode() + b"\0")
    for image in sorted({question.image for question in questions}):
        with suppress(OSError):  # it has just been removed
            status = (root / image).stat()
            digest.update(f"{image} {status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def number_questions(questions: Iterable[Question]) -> list[tuple[int, Question]]:
    """Questions with their numbers among those of their image, sorted by image and number."""
    numbers: Counter[str] = Counter()
    numbered = []
    for question in questions:
        numbers[question.image] += 1
        numbered.append((numbers[question.image], question))
    return sorted(numbered, key=lambda item: (item[1].image, item[0]))


def index_questions(questions: Sequence[Question], root: Path, max_pixels: int) -> list[ShardRow]:
    """The rows of a shard, sorted by image and number; each image is decoded once, to check it.

    Args:
        questions: the shard's questions, in the order of the file.
        root: folder that image paths are relative to; no file outside it is read.
        max_pixels: bound on an image's width x height.
    """
    images = sorted({question.image for question in questions})
    found = dict(zip(images, examine_all(root, images, max_pixels), strict=True))
    return [
        ShardRow(
            number=number,
            image=question.image,
            question=question.question,
            answer=question.answer,
            generator=question.generator,
            objects=question.objects,
            sha256=found[question.image].sha256,
            status="ok" if found[question.image].reason is None else "excluded",
            reason=found[question.image].reason,
        )
        for number, question in number_questions(questions)
    ]


def write_shard(output: str | os.PathLike[str], rows: Sequence[ShardRow]) -> None:
    """Write a shard as Parquet, atomically; the columns are :class:`ShardRow`'s fields."""
    names = [field.name for field in fields(ShardRow)]
    schema = pa.schema([(name, pa.int32() if name == "number" else pa.string()) for name in names])
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    write_parquet(output, table, compression="zstd")


def read_shard(path: str | os.PathLike[str]) -> list[ShardRow]:
    """The rows of a file written by :func:`write_shard`.

    Raises:
        synthsight.files.FileError: it is damaged, or lacks a column.
    """
    names = [field.name for field in fields(ShardRow)]
    return [ShardRow(**row) for row in read_parquet(path, names).to_pylist()]


def read_left_out(paths: Iterable[str | os.PathLike[str]]) -> dict[tuple[str, str], str]:
    """Why questions of all shards are left out, by image and question.

    An image cannot be used, or it is the same picture as another one that is asked the same.

    Raises:
        synthsight.files.FileError: a shard is damaged, or lacks a column.
    """
    rows = [row for path in paths for row in read_shard(path)]
    unusable = {(row.image, row.question): row.reason for row in rows if row.reason is not None}
    copies = repeats_about_copies(
        (row.image, row.question, row.answer, row.sha256)
        for row in rows
        if row.reason is None and row.sha256 is not None
    )
    return unusable | copies
