"""Where usable images come from: generators or real photographs, and which belong together.

Images of one prompt, seed or scene are not independent draws. What belongs together is a *group*,
told by a table of the images or by a pattern on their names; an image of which nothing is known is
a group of its own.
Neither groups nor what is real change any pixel, so both stand beside the manifests and not in
them: no model classifies anything again if they change.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthsight import origin
from synthsight.errors import SynthsightError
from synthsight.files import atomic
from synthsight.images.endings import SUFFIXES
from synthsight.tables import read_parquet, read_schema
from synthsight.wording import one_line

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("category", pa.string()),
        ("generator", pa.string()),
        pa.field("group", pa.string(), nullable=False),
        pa.field("real", pa.bool_(), nullable=False),
    ]
)

#: With what a table says besides.
FURTHER = pa.schema([*SCHEMA, ("prompt", pa.string()), ("split", pa.string())])

#: What a table says of each image: its group, prompt and split, by the image.
Known = Mapping[str, Sequence[str | None]]

#: Between a group's category and what the pattern captured. No image's path has two slashes in a
#: row, so that no group is called like an image that is a group of its own.
BETWEEN = "//"

#: The name of the capturing group of a pattern that has several.
_NAME = "group"

#: Categories that a sentence names.
_NAMED = 3

#: The last capturing group that RE2 can refer to by number.
_LAST = 9


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


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern that should tell groups; None if nothing is."""
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{pattern!r} is not a regular expression: {error}"
    if compiled.groups != 1 and _NAME not in compiled.groupindex:
        return (
            f"{pattern!r} has {compiled.groups or 'no'} capturing groups: put what images of one "
            r"prompt, seed or scene have in common into parentheses, as in '(.*)_\d+', and "
            "write (?:...) for others, or call it (?P<group>...)"
        )
    if _number(pattern) > _LAST:
        return f"{pattern!r} has too many capturing groups before (?P<group>...): write (?:...)"
    try:
        groups_of([""], pattern)
    except pa.ArrowInvalid as error:
        return (
            f"{pattern!r} cannot be used: {one_line(error, 120)} (the syntax is RE2's, which "
            "has neither lookaround nor backreferences, so that no name takes long to match)"
        )
    return None


def _number(pattern: str) -> int:
    """The number of the capturing group that tells groups."""
    return re.compile(pattern).groupindex.get(_NAME, 1)


def groups_of(names: Sequence[str], pattern: str) -> list[str | None]:
    """What a pattern captures in each name; None where it does not match all of the name.

    RE2 matches, which takes time in proportion to a name's length, whatever the pattern. What is
    captured is normalised to NFC, as systems differ in how they store names.

    Args:
        names: as :func:`name_in_category` gives them.
        pattern: of which :func:`pattern_problem` says nothing.
    """
    whole = rf"\A(?:{pattern})\z"
    texts = pa.array(names, pa.string())
    found = pc.match_substring_regex(texts, whole)
    captured = pc.replace_substring_regex(texts, whole, rf"\{_number(pattern)}")
    return [
        unicodedata.normalize("NFC", text) if matches else None
        for matches, text in zip(found.to_pylist(), captured.to_pylist(), strict=True)
    ]


def name_in_category(image: str, generator: str | None, category: str | None = None) -> str:
    """An image's path below its category's folder, without the ending of an image file.

    Of an image that a table has in another place, it is the path below the images' root.

    Args:
        image: path below the images' root.
        generator: whose folder it is in, or None.
        category: the one that a table says, whatever the image's folder; None if the folder says
            it, by its own name or by another of the category's.
    """
    if category is None:
        name = image.split("/", 1 if generator is None else 2)[-1]
    else:
        places = (f"{generator}/{category}/", f"{category}/")
        name = image.removeprefix(next(filter(image.startswith, places[generator is None :]), ""))
    ending = PurePosixPath(name).suffix
    return name.removesuffix(ending) if ending.lower() in SUFFIXES else name


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
        known: what a table says of each image, as :data:`synthsight.images.rows.KNOWN`: its group,
            prompt and split; None if it says nothing.

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
        told = (known[image][0] for image in images)
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
        columns += [[known[image][place] for image in images] for place in (1, 2)]
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
        known: gives what a table says of the images of a category, see :func:`describe`, by its
            name; None if there is nothing that it says.
        by: what of the table tells groups; None if nothing of it does.
        excluded: images that are left out although they are usable, as duplicates.

    Returns:
        What people should know of the groups that a pattern or a table tells, in sentences.

    Raises:
        SourcesError: no image is left of a category, or of a generator.
    """
    columns = ["image", "category", "generator", "status"]
    for path in manifests:
        read_schema(path, columns)
    found = _Found() if by is None else _Found(by)
    makers = dict[str | None, bool]()

    def tables() -> Iterator[pa.Table]:
        for path in manifests:
            usable = _kept(path, columns, excluded, makers)
            if usable["image"]:
                name = usable["category"][0]
                told = None if known is None else known(name)
                images, generators = usable["image"], usable["generator"]
                yield found.count(describe(name, images, generators, sources, told))
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
    """The usable images of a category that are not left out as duplicates.

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
    """About a category, or a generator, all of whose images are duplicates."""
    of = f"of the {what} {name!r}" if name is not None else f"without a {what}"
    return (
        f"no image {of} is left: all of them are left out as duplicates (images.duplicates: "
        "exclude), for the reasons in tables/excluded.csv. Remove the duplicates that should not "
        + ("be there, leave it out of `categories`" if what == "category" else "be there")
        + ", or write `duplicates: keep` below `images`"
    )


@dataclass
class _Found:
    """What a pattern or a table has found, counted over tables from :func:`describe`.

    Attributes:
        by: what tells groups, a key of the configuration.
        images: the number of images.
        alone: of those, how many no group is told of, so that they are groups of their own.
        first: the first of these.
        groups: the number of groups, these included.
        whole: the categories all of whose images are one group.
    """

    by: str = "images.group"
    images: int = 0
    alone: int = 0
    first: str = ""
    groups: int = 0
    whole: tuple[str, ...] = ()

    def count(self, table: pa.Table) -> pa.Table:
        """Count one more category; returns its table."""
        own = pc.equal(table["image"], table["group"])
        alone = table["image"].filter(own)
        if len(alone) and not self.alone:
            self.first = alone[0].as_py()
        groups = pc.count_distinct(table["group"]).as_py()
        if groups == 1 < len(table):
            self.whole = (*self.whole, table["category"][0].as_py())
        self.images += len(table)
        self.alone += len(alone)
        self.groups += groups
        return table

    def sentences(self) -> list[str]:
        """What people should know of it, in sentences."""
        said = [f"{self.images:,} images in {self.groups:,} groups ({self.by})"]
        if self.alone:
            said.append(
                f"{self.alone:,} of {self.images:,} images have no {self._lacking()}, "
                f"and each counts as a group of its own: {self.first!r}"
                + (", ..." if self.alone > 1 else "")
            )
        if self.groups == self.images > self.alone:
            said.append(f"no two images are in one group: {self._question('much')}")
        if self.whole:
            named = ", ".join(map(repr, self.whole[:_NAMED]))
            more = ", ..." if len(self.whole) > _NAMED else ""
            said.append(
                f"all images of a category are one group, in {named}{more}: "
                f"{self._question('little')}"
            )
        return said

    def _lacking(self) -> str:
        return (
            "name that images.group matches" if self.by == "images.group" else f"text in {self.by}"
        )

    def _question(self, amount: str) -> str:
        if self.by == "images.group":
            return f"does images.group capture too {amount}?"
        return f"is it {self.by} that tells which belong together?"
