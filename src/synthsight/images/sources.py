"""Where usable images come from: generators or real photographs, and which belong together.

Images of one prompt, seed or scene are not independent draws. What belongs together is a *group*,
told by a table of the images, by the set that they were unpacked from or by a pattern on their
names; an image of which nothing is known is a group of its own.
Neither groups nor what is real change any pixel, so both stand beside the manifests and not in
them: no model classifies anything again if they change.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.errors import SynthsightError
from synthsight.files import atomic
from synthsight.images.groups import Found, groups_of, name_in_category
from synthsight.tables import read_parquet, read_schema

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        pa.field("group", pa.string(), nullable=False),
        pa.field("real", pa.bool_(), nullable=False),
    ]
)

#: With what a table or a set says besides.
FURTHER = pa.schema([*SCHEMA, ("prompt", pa.string()), ("split", pa.string())])

#: What a table or a set says of images: group, prompt and split, by the image.
Known = Mapping[str, Sequence[str | None]]

#: What is known of an image of which nothing is said.
_NOTHING = (None, None, None)


#: Between a group's category and what the pattern captured. No image's path has two slashes in a
#: row, so that no group is called like an image that is a group of its own.
BETWEEN = "//"


class SourcesError(SynthsightError):
    """Nothing is left of what the run is about."""


@dataclass(frozen=True)
class Sources:
    """What is known about where images come from.

    Attributes:
        real: the generators' folders that hold real photographs.
        group: a pattern that tells groups, see :func:`groups_of`; None if nothing is known.
        table: whether a table says what images show, so that they may lie in any folder.
    """

    real: frozenset[str] = frozenset()
    group: str | None = None
    table: bool = False


def describe(
    category: str,
    images: Sequence[str],
    generators: Sequence[str | None],
    sources: Sources = Sources(),
    known: Known | None = None,
) -> pa.Table:
    """The sources of the images of one category.

    A group is called ``category//captured``: what the pattern captures in the names of images of
    two generators is one group, as when both were given the same prompt; in two categories it is
    two. An image whose name the pattern does not match is the only one of its group, which is then
    called like the image. What a table says is a group is called likewise.

    Args:
        category: its name.
        images: paths below the images' root.
        generators: whose folder each is in, or None.
        sources: what is known.
        known: what a table or a set says of images, as :data:`synthsight.images.rows.KNOWN`: their
            groups, prompts and splits; None if there is nothing that says it.

    Returns:
        A row per image, the columns of :data:`SCHEMA`, with ``known`` also those of
        :data:`FURTHER`.
    """
    captured: list[str | None] = [None] * len(images)
    if sources.group is not None:
        pairs = zip(images, generators, strict=True)
        said = category if sources.table else None
        captured = groups_of([name_in_category(*pair, said) for pair in pairs], sources.group)
    elif known is not None:
        told = (known.get(image, _NOTHING)[0] for image in images)
        captured = [None if text is None else unicodedata.normalize("NFC", text) for text in told]
    groups = [
        image if text is None else f"{category}{BETWEEN}{text}"
        for image, text in zip(images, captured, strict=True)
    ]
    real = [generator is not None and generator in sources.real for generator in generators]
    columns = [list(images), [category] * len(images), list(generators), groups, real]
    schema = SCHEMA
    if known is not None:
        schema = FURTHER
        said_of = [known.get(image, _NOTHING) for image in images]
        columns += [[about[place] for about in said_of] for place in (1, 2)]
    arrays = [pa.array(column, f.type) for column, f in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def write_sources(
    output: str | os.PathLike[str], tables: Iterable[pa.Table], schema: pa.Schema = SCHEMA
) -> None:
    """Write the sources of all images as Parquet, atomically: a row group for each category.

    Args:
        output: the file.
        tables: from :func:`describe`, made one at a time, of files whose schemas have been read:
            these are part of the output's own record.
        schema: :data:`SCHEMA` or :data:`FURTHER`.
    """
    schema = schema.with_metadata(origin.metadata(output))
    with (
        atomic(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for table in tables:
            writer.write_table(table.replace_schema_metadata(schema.metadata))


def read_sources(path: str | os.PathLike[str], category: str | None = None) -> pa.Table:
    """The sources in a file written by :func:`write_sources`.

    Args:
        path: the file.
        category: the category to read; None for all.

    Raises:
        synthsight.files.FileError: it is damaged, or lacks a column.
    """
    filters = None if category is None else [("category", "=", category)]
    return read_parquet(path, SCHEMA.names, filters=filters)


def find_sources(
    manifests: Sequence[str | os.PathLike[str]],
    sources: Sources,
    output: str | os.PathLike[str],
    known: Callable[[str], Known] | None = None,
    by: str | None = None,
    excluded: Collection[str] = frozenset(),
) -> list[str]:
    """Write the sources of all usable images, one category at a time.

    Args:
        manifests: of the categories, sorted by their names.
        sources: what is known.
        output: the file, see :func:`write_sources`.
        known: gives what a table or a set says of the images of a category, see :func:`describe`,
            by its name; None if there is nothing that says anything.
        by: what of it tells groups, in words; None if nothing of it does.
        excluded: images that are left out although they are usable, such as duplicates.

    Returns:
        What people should know of the groups that are told, in sentences.

    Raises:
        SourcesError: no image is left of a category, or of a generator.
    """
    columns = ["image", "category", "generator", "status"]
    for path in manifests:
        read_schema(path, columns)
    found = Found() if by is None else Found(by)
    makers = dict[str | None, bool]()

    def tables() -> Iterator[pa.Table]:
        for path in manifests:
            usable = _kept(path, columns, excluded, makers)
            if usable["image"]:
                name = usable["category"][0]
                told = None if known is None else known(name)
                images, generators = usable["image"], usable["generator"]
                table = describe(name, images, generators, sources, told)
                groups = table["group"].to_pylist()
                found.count(images, groups, told or {}, name)
                yield table
        for name, kept in makers.items():
            if not kept:
                raise SourcesError(_none_left("generator", name))

    write_sources(output, tables(), SCHEMA if known is None else FURTHER)
    return [] if sources.group is None and by is None else found.sentences()


def _kept(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    excluded: Collection[str],
    makers: dict[str | None, bool],
) -> dict[str, list[Any]]:
    """The usable images of a category that are not left out all the same.

    Args:
        path: its manifest.
        columns: what to read of it.
        excluded: images to leave out.
        makers: whether any image of a generator is left, which is added to.
    """
    usable = read_parquet(path, columns, filters=[("status", "=", "ok")])
    left = pc.invert(pc.is_in(usable["image"], pa.array(list(excluded), pa.string())))
    kept = usable.filter(left)
    if len(usable) and not len(kept):
        raise SourcesError(_none_left("category", usable["category"][0].as_py()))
    for table in (usable, kept):
        for generator in table["generator"].unique().to_pylist():
            makers[generator] = makers.get(generator, False) or table is kept
    content: dict[str, list[Any]] = kept.to_pydict()
    return content


def _none_left(what: str, name: str | None) -> str:
    """About a category, or a generator, all of whose usable images are left out."""
    of = f"of the {what} {name!r}" if name is not None else f"without a {what}"
    return (
        f"no image {of} is left: all of them are left out as duplicates (images.duplicates: "
        "exclude), for the reasons in tables/excluded.csv. Remove the duplicates that should not "
        + ("be there, leave it out of `categories`" if what == "category" else "be there")
        + ", or write `duplicates: keep` below `images`. Where the reason is a prediction that is "
        "missing (models[].missing: exclude), add it; where it is a mark (images.marks), take "
        "that back"
    )
