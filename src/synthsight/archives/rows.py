"""Sets that hold a row for each image: where each goes, what its classes are called.

Hugging Face Parquet and WebDataset give an image's bytes, its category as text or a number, and
perhaps its generator, its prompt and what group it belongs to. All of that is the word of a
stranger: names become single parts of paths, and no row ever replaces another.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.archives.containers import UnpackError
from synthsight.archives.unpack import MAX_MEMBERS, Folder
from synthsight.contents import kind_of
from synthsight.images.endings import SUFFIXES
from synthsight.junk import is_ignored
from synthsight.labels.files import LabelError
from synthsight.labels.matching import words
from synthsight.labels.spaces import IMAGENETS, load_labels

#: What a column can be: the image, and what is known of it.
ROLES = ("image", "category", "generator", "group", "prompt")

#: What columns are called that need not be named, in lower case.
USUAL: Mapping[str, tuple[str, ...]] = {
    "category": ("category", "label", "labels", "class", "class_name", "class_label", "cls"),
    "generator": ("generator",),
    "group": ("group",),
    "prompt": ("prompt", "caption", "text"),
}

#: What columns are called that people may expect to count, and that are not read, in lower case.
_UNREAD: Mapping[str, tuple[str, ...]] = {
    "split": ("split", "subset", "fold"),
    "real": ("real", "is_real", "fake", "is_fake", "is_generated"),
}

#: The file in the folder of unpacked images that says what the set says of each. Hidden, so that no
#: search for images finds it.
RECORD = ".synthsight.parquet"

#: Its columns: the image's path below the folder, what is said of it (null where nothing is), and
#: the file and the row or sample that it came from.
RECORD_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("image", *ROLES[1:], "file")] + [("row", pa.string())]
)

#: Bytes of one image. What is larger is left out: it would have to be held in memory.
MAX_IMAGE = 2**28

#: Seconds since 1970: the time of files that come without one (the first that a zip can say), so
#: that the same set always gives the same listing.
TIME = 315532800.0

#: Endings by what a file is; others get ``.bin`` and a reason in the manifest.
_ENDINGS = {
    "jpeg": ".jpg",
    "tiff": ".tif",
    **{name: f".{name}" for name in ("png", "gif", "bmp", "webp", "avif")},
}

#: Bytes of a file's name, without its ending, and of a folder's.
_MAX_STEM, _MAX_FOLDER = 150, 120

#: Letters of a group's name and of a prompt: many rows are held at a time.
_MAX_TEXT = 20_000

#: Rows of the record that are written at a time.
_AT_A_TIME = 1000

#: What a message lists of many.
_NAMED = 5


@dataclass(frozen=True)
class Reading:
    """How a set is read, as far as a person has said.

    Attributes:
        columns: the name of the column for each of :data:`ROLES` that is named.
        labels: a label space by name, or a label file, that names classes given as numbers.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: str | None = None


@dataclass(frozen=True)
class Row:
    """One image of a set, as the set has it.

    Attributes:
        file: what messages call the file that it is in.
        row: the row or sample in it, in words.
        content: the image's bytes; None if the set does not hold them.
        name: what the set calls its file; may be empty.
        category: text, a number that stands for a class, or None.
        generator: likewise, as text; None if it has none or none is known.
        group: likewise.
        prompt: likewise.
        seconds: its time, since 1970.
    """

    file: str
    row: str
    content: bytes | None
    name: str
    category: str | int | None
    generator: str | None = None
    group: str | None = None
    prompt: str | None = None
    seconds: float = TIME

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.file}, {self.row}"


# Classes ---------------------------------------------------------------------------------------


def folders_of(names: Sequence[str], source: str) -> tuple[str, ...]:
    """The folders of the classes that a list of names stands for, by number.

    Two classes of ImageNet are called crane. So where all names are those of its 1,000 classes in
    their order, the folders are called by their synsets.

    Raises:
        UnpackError: two classes of another list have the same name.
    """
    imagenet = load_labels("imagenet-1k")
    assert imagenet.synsets is not None
    if len(names) == len(imagenet) and all(
        words(name.split(",")[0]) in {words(each) for each in (simple, *lemmas)}
        for name, simple, lemmas in zip(names, imagenet.simple, imagenet.lemmas, strict=True)
    ):
        return imagenet.synsets
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UnpackError(
            f"{source} calls {twice[0]!r} several classes: name a label file with different names "
            "in images.archive.labels"
        )
    return tuple(names)


def named_labels(labels: str) -> tuple[str, ...]:
    """The folders of the classes of ``images.archive.labels``, by number.

    Raises:
        UnpackError: there is no such label space or file, or two of its classes have one name.
    """
    try:
        space = load_labels(labels)
    except LabelError as error:
        raise UnpackError(f"images.archive.labels: {error}") from error
    return (
        space.synsets if labels in IMAGENETS and space.synsets else folders_of(space.simple, labels)
    )


def no_names(source: str) -> UnpackError:
    """That classes are numbers, and nothing says which."""
    return UnpackError(
        f"{source} gives classes as numbers, and nothing says what they are. Write what names them "
        "into images.archive.labels: imagenet-1k, if they are ImageNet's in its order, or a file "
        "with a name in each line"
    )


# Choosing columns ------------------------------------------------------------------------------


def choose(
    role: str,
    named: Mapping[str, str],
    known: Sequence[str],
    source: str,
    better: Sequence[str] = (),
) -> str | None:
    """The column for a role: the one that is named, or the only one that it can be.

    Args:
        role: one of :data:`ROLES`.
        named: the names that a person has given.
        known: all columns that there are; those of nested ones have dots.
        source: what messages call the set.
        better: columns that something else than their name tells; usual names count, too.

    Raises:
        UnpackError: there is no column of the given name, or several are possible.
    """
    if role in named:
        if named[role] not in known:
            raise UnpackError(
                f"{source} has no column {named[role]!r} (images.archive.columns.{role}); it has "
                f"{listed(known)}"
            )
        return named[role]
    taken = set(named.values())
    usual = [name for name in known if name.rpartition(".")[2].lower() in USUAL.get(role, ())]
    found = [name for name in dict.fromkeys((*better, *usual)) if name not in taken]
    if role == "prompt":  # no number needs it, so the first will do
        order = USUAL[role]
        found = sorted(found, key=lambda name: order.index(name.rpartition(".")[2].lower()))[:1]
    if len(found) > 1:
        raise UnpackError(
            f"{source} has several columns that can be the {role}: {listed(found)}. Write which in "
            f"images.archive.columns: {{{role}: {found[0]}}}"
        )
    return found[0] if found else None


def unread(known: Sequence[str], taken: Mapping[str, str | None]) -> list[str]:
    """Notes on columns that seem to tell splits or photographs, and tell nothing here.

    Args:
        known: all columns that there are.
        taken: those that are read, by role.
    """
    remedies = {
        "split": "the images of all are used. For some of them, make a table of the images "
        "(images.table, images.split)",
        "real": "photographs are told by images.real alone, which names generators: if this column "
        "tells them, write `generator` for it below images.archive.columns",
    }
    return [
        f"the column {name!r} is not read: {remedies[kind]}"
        for kind, names in _UNREAD.items()
        for name in known
        if name.rpartition(".")[2].lower() in names and name not in taken.values()
    ]


def listed(names: Sequence[str]) -> str:
    """Names in quotes, the first twenty of many."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return (", ".join(map(repr, names[:20])) or "none") + more


# Writing ---------------------------------------------------------------------------------------


class Writer:
    """Puts the rows of a set into ``<generator>/<category>/<name>``, and notes what they say.

    Attributes:
        out: the folder.
        rows: how many rows have come.
        categories: how many images each category has.
    """

    def __init__(self, out: Folder, record: pq.ParquetWriter) -> None:
        self.out = out
        self.rows = 0
        self.categories: Counter[str] = Counter()
        self._record = record
        self._pending: list[tuple[str | None, ...]] = []

    def write(self, row: Row, names: Sequence[str] | None, generators: bool) -> None:
        """Write a row's image, or leave it out with the reason.

        Args:
            row: the row.
            names: the folders of the classes that numbers stand for; None if nothing says.
            generators: whether the set says of images which generator made them.

        Raises:
            UnpackError: there are too many rows, a number stands for a class and nothing says for
                which, or more comes out than the bounds of :mod:`synthsight.archives.unpack` allow.
        """
        self.rows += 1
        if self.rows > MAX_MEMBERS:
            raise UnpackError(f"it has more than {MAX_MEMBERS:,} rows")
        category = row.category
        if isinstance(category, int):
            if names is None:
                raise no_names(row.place)
            category = names[category] if 0 <= category < len(names) else None
        reason = self._reason(row, category, generators)
        if reason is not None:
            self.out.result.leave_out(f"{row.place}: {reason}")
            return
        assert category is not None and row.content is not None
        folder = (category,) if row.generator is None else (row.generator, category)
        parts = self._free(folder, row)
        self.out.write(parts, io.BytesIO(row.content), row.seconds)
        self.categories[category] += 1
        said = (category, row.generator, row.group, row.prompt)
        self._pending.append(("/".join(parts), *said, row.file, row.row))
        if len(self._pending) == _AT_A_TIME:
            self.flush()

    def _reason(self, row: Row, category: str | None, generators: bool) -> str | None:
        """Why a row is left out; None if it is not."""
        if row.content is None and row.name:
            return f"only the path {row.name[:100]!r} of a file elsewhere is in the set, no image"
        if not row.content:
            return "it has no image"
        if len(row.content) > MAX_IMAGE:
            return f"an image of {len(row.content):,} bytes, more than {MAX_IMAGE:,}"
        if category is None:
            number = row.category
            return "it has no category" if number is None else f"no class has the number {number}"
        if generators and row.generator is None:
            return "it has no generator, as others have"
        if not generators and row.generator is not None:
            return "it has a generator, and others have none"
        for role, text in (("group", row.group), ("prompt", row.prompt)):
            if text is not None and len(text) > _MAX_TEXT:
                return f"its {role} has {len(text):,} letters, more than {_MAX_TEXT:,}"
        for part in (category, row.generator):
            if part is not None and (fault := _bad_folder(part)):
                return fault
        return None

    def _free(self, folder: tuple[str, ...], row: Row) -> tuple[str, ...]:
        """Where a row's file goes: its own name, or one that is not taken yet."""
        assert row.content is not None
        stem, ending = _stem(row), _ENDINGS.get(kind_of(row.content[:4096]).name, ".bin")
        parts = (*folder, stem + ending)
        more = 0
        while os.path.lexists(self.out.root / Path(*parts)):
            mark = f"~{self.rows}" + (f"~{more}" if more else "")
            parts = (*folder, stem + mark + ending)
            more += 1
        return parts

    def flush(self) -> None:
        """Write what is noted of the latest rows."""
        columns = list(zip(*self._pending, strict=True)) or [()] * len(RECORD_SCHEMA)
        arrays = [pa.array([_text(v) for v in column], pa.string()) for column in columns]
        self._record.write_table(pa.table(arrays, schema=RECORD_SCHEMA))
        self._pending.clear()


@contextmanager
def writing(out: Folder) -> Iterator[Writer]:
    """A writer of rows into a folder, with the record of what is said of each."""
    with pq.ParquetWriter(out.root / RECORD, RECORD_SCHEMA, compression="zstd") as record:
        writer = Writer(out, record)
        yield writer
        writer.flush()


def _text(value: str | None) -> str | None:
    """Text that UTF-8 can hold: bytes that are none have come as lone surrogates."""
    return None if value is None else re.sub("[\ud800-\udfff]", "\ufffd", value)


def _bad_folder(name: str) -> str | None:
    """Why a category or generator cannot be a folder's name; None if it can."""
    if (
        not name.strip()
        or not name.isprintable()
        or is_ignored(name)
        or re.search(r"[/\\]", name)
        or len(os.fsencode(name)) > _MAX_FOLDER
    ):
        return f"{name[:100]!r} cannot be the name of a folder"
    return None


def _stem(row: Row) -> str:
    """The name of a row's file without its ending: the set's, or by the bytes where it has none."""
    assert row.content is not None
    name = row.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    ending = PurePosixPath(name).suffix
    name = name.removesuffix(ending) if ending.lower() in SUFFIXES else name
    name = "".join(letter if letter.isprintable() else "_" for letter in name).strip(" .")
    name = name.encode(errors="replace")[:_MAX_STEM].decode(errors="ignore")
    if not name or is_ignored(name):
        return hashlib.sha256(row.content).hexdigest()[:16]
    return name
