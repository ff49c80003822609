"""The pictures that people rate: which, and under names that say nothing of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from PIL import Image

from synthsight.errors import SynthsightError
from synthsight.images.sampling import stratified_sample
from synthsight.pages.pictures import as_webp
from synthsight.people.disguise import disguised
from synthsight.tables import read_parquet, write_parquet
from synthsight.vqa.kinds import kind
from synthsight.vqa.shards import read_left_out, read_shard

#: Quality of the WebP files, 0 to 100: people judge what is in the picture, not how it was stored.
QUALITY = 80

_SCHEMA = pa.schema(
    [("name", pa.string()), ("webp", pa.binary()), ("questions", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class Picture:
    """What a page shows of one image.

    Attributes:
        name: its disguised name (:func:`synthsight.people.disguise.disguised`).
        webp: the picture.
        questions: what is asked about it; none where people say what it shows.
    """

    name: str
    webp: bytes
    questions: tuple[str, ...]


def choose_images(sources: str | os.PathLike[str], limit: int, seed: int) -> list[str]:
    """A sample of a run's images, in proportion to categories and, in each, to sources.

    Args:
        sources: ``sources/images.parquet``, which holds the usable images but for duplicates that
            are left out.
        limit: how many; see :func:`synthsight.images.sampling.stratified_sample`.
        seed: another one chooses others.

    Raises:
        synthsight.files.FileError: the file is damaged, or lacks a column.
    """
    table = read_parquet(sources, ["image", "category", "generator"]).to_pydict()
    images: dict[str, dict[str | None, list[str]]] = {}
    for image, category, source in zip(*table.values(), strict=True):
        images.setdefault(category, {}).setdefault(source, []).append(image)
    return stratified_sample(images, limit, seed)


def choose_questions(
    shards: Sequence[str | os.PathLike[str]], limit: int, seed: int
) -> dict[tuple[str, str], list[str]]:
    """A sample of a run's questions, in proportion to their kinds and, in each, to generators.

    Args:
        shards: of the questions, all of them. Those that are left out as unusable, or as repeats
            about copies of a picture, are not asked of people either.
        limit: how many questions.
        seed: another one chooses others.

    Returns:
        By image and its sha256 the questions about it, sorted.

    Raises:
        synthsight.files.FileError: a shard is damaged, or lacks a column.
    """
    left_out = read_left_out(shards)
    rows = {}
    strata: dict[str, dict[str | None, list[str]]] = {}
    for row in (row for path in shards for row in read_shard(path)):
        if (row.image, row.question) in left_out or row.sha256 is None:
            continue
        key = f"{row.image}\0{row.question}"
        rows[key] = row
        of_kind = strata.setdefault(kind(row.question), {})
        of_kind.setdefault(row.generator, []).append(key)
    chosen: dict[tuple[str, str], list[str]] = {}
    for key in stratified_sample(strata, limit, seed):
        row = rows[key]
        chosen.setdefault((row.image, str(row.sha256)), []).append(row.question)
    return {image: sorted(questions) for image, questions in chosen.items()}


def write_pictures(
    images: Mapping[tuple[str, str], Iterable[str]],
    read: Callable[[str], Image.Image],
    side: int,
    output: str | os.PathLike[str],
) -> int:
    """Write pictures for a page, in the order of their disguised names.

    Each is drawn anew from the pixels that models see: nothing of what a file says of itself, such
    as a camera, a program or a colour profile, is in it.

    Args:
        images: by image and its sha256 what is asked about it.
        read: returns the RGB image of a key.
        side: bound in pixels on the long side; smaller images keep their size.
        output: the file, written atomically: ``name``, ``webp``, ``questions``.

    Returns:
        The size of all pictures, in bytes.

    Raises:
        SynthsightError: there is no image, or two would have one name.
    """
    if not images:
        raise SynthsightError(
            "nothing can be shown to people: all images, or questions, are left out, for the "
            "reasons in tables/excluded.csv and tables/excluded_questions.csv"
        )
    found: dict[str, tuple[str, list[str]]] = {}
    for (image, sha256), questions in images.items():
        name = disguised(image, sha256)
        if name in found:
            raise SynthsightError(f"{found[name][0]!r} and {image!r} have one disguised name")
        found[name] = (image, sorted(questions))
    names = sorted(found)
    pictures = [as_webp(read(found[name][0]), side, QUALITY) for name in names]
    table = pa.table([names, pictures, [found[name][1] for name in names]], schema=_SCHEMA)
    # WebP cannot be compressed any further.
    write_parquet(output, table, compression="none", use_dictionary=False)
    return sum(map(len, pictures))


def read_pictures(path: str | os.PathLike[str]) -> list[Picture]:
    """The pictures in a file written by :func:`write_pictures`.

    Raises:
        synthsight.files.FileError: it is damaged, or lacks a column.
    """
    rows = read_parquet(path, _SCHEMA.names).to_pylist()
    return [Picture(row["name"], row["webp"], tuple(row["questions"])) for row in rows]
