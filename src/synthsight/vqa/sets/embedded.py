"""Sets of questions that hold their images: writing these as files, and the questions beside them.

Parquet of the Hugging Face hub has images as bytes in a column, VLMEvalKit's tables have them as
base64. What is written can be read as any other file of questions.
"""

from __future__ import annotations

import ast
import csv
import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.archives.containers import UnpackError
from synthsight.archives.unpack import Folder, bound_of
from synthsight.contents import IMAGES, kind_of
from synthsight.errors import SynthsightError
from synthsight.files import temporary_name
from synthsight.images.endings import SUFFIXES
from synthsight.junk import is_ignored
from synthsight.tabular import Form, TableError, may_hold_images, read_rows
from synthsight.values import text_of
from synthsight.vqa.sets.forms import CELL, KNOWN, decoded, is_embedded

#: What is written: the questions, and the folder of images.
QUESTIONS, PICTURES = "questions.csv", "images"

#: Seconds since 1970: the time of all files, so that the same set always gives the same listing.
_TIME = 315532800.0

#: Bytes of images that are read at a time, about, the most rows, and bytes read at once.
_BATCH, _ROWS, _BUFFER = 2**24, 256, 2**20

#: Letters of a file's name, without its ending.
_STEM = 100

#: The column by which VLMEvalKit's rows say which of them an image is in.
_INDEX = "index"


class EmbeddedError(SynthsightError):
    """A set of questions whose images cannot be written."""


@dataclass
class Written:
    """What came out of a set.

    Attributes:
        column: the column of images, which holds their paths now.
        columns: all columns of the file of questions.
        rows: number of questions.
        images: number of files; several questions may be about one.
        dropped: columns that hold no text and no number, so that they are left out.
        without: questions without an image, each with the reason.
    """

    column: str
    columns: list[str] = field(default_factory=list)
    rows: int = 0
    images: int = 0
    dropped: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def unpack_questions(files: Sequence[Path], folder: Path, column: str | None = None) -> Written:
    """Write the images of a set of questions into a folder, and a file of questions beside them.

    An image that several rows have is written once. The folder appears when everything is in it.

    Args:
        files: Parquet files, or tables with images as base64; parts of one set.
        folder: it must not exist, or be empty.
        column: that of the images; None if it can be told.

    Raises:
        EmbeddedError: the folder is in use, there are no images in a file, or several columns of
            them; or the disk is full.
        synthsight.tabular.TableError: a file cannot be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EmbeddedError(f"{folder} is there already, and not empty: name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(folder)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        writer = _Writer(Folder(temporary, bound_of(sum(map(_size, files)))))
        for file in files:
            writer.take(file, column)
        written = writer.finish(temporary / QUESTIONS)
        if folder.exists():
            folder.rmdir()
        os.replace(temporary, folder)
    except UnpackError as error:
        raise EmbeddedError(f"{files[0]}: {error}") from error
    except OSError as error:
        raise EmbeddedError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from error


class _Writer:
    """Takes rows, and writes their images."""

    def __init__(self, out: Folder) -> None:
        self.out = out
        self.written: Written | None = None
        self.rows: list[dict[str, str]] = []
        self.places: list[str] = []
        self.paths: dict[str, str] = {}
        self.names: set[str] = set()
        self.waiting: list[tuple[int, str]] = []
        self.by_index: dict[str, str] = {}

    def take(self, file: Path, column: str | None) -> None:
        """Take all rows of a file."""
        parquet = file.suffix.lower() == ".parquet"
        found = _image_column(file, column, parquet)
        if self.written is None:
            self.written = Written(found)
        elif self.written.column != found:
            raise EmbeddedError(
                f"{file} has its images in the column {found!r}, the file before it in "
                f"{self.written.column!r}: unpack them one by one"
            )
        for number, row in _parquet_rows(file) if parquet else read_rows(file, _FORM):
            place = f"{file}, {'row' if parquet else 'line'} {number}"
            cells = {name: cell for name, cell in row.items() if name != found}
            self._add(place, cells, row.get(found))

    def _add(self, place: str, cells: Mapping[str, Any], image: Any) -> None:
        assert self.written is not None
        texts: dict[str, str] = {}
        for name, cell in cells.items():
            if isinstance(cell, dict | list | tuple | bytes):
                if name not in self.written.dropped:
                    self.written.dropped.append(name)
            else:
                texts[name] = text_of(cell)
        content, called = _content(image)
        index = texts.get(_INDEX, "")
        path = ""
        if content is not None:
            path = self._write(content, called or index)
        elif isinstance(image, str) and image.strip() and len(image) <= len(index) + 64:
            # VLMEvalKit keeps an image once, and names its row in others.
            self.waiting.append((len(self.rows), image.strip()))
        else:
            self.written.without.append(f"{place}: {_fault(image)}")
        if index and path:
            self.by_index.setdefault(index, path)
        self.rows.append({**texts, self.written.column: path})
        self.places.append(place)

    def _write(self, content: bytes, called: str) -> str:
        """Write an image, unless it has been written, and give its path."""
        digest = sha256(content).hexdigest()
        if digest not in self.paths:
            ending = "." + kind_of(content[:4096]).name.replace("jpeg", "jpg")
            stem = _stem(called) or digest[:16]
            if f"{stem}{ending}".casefold() in self.names:
                stem = f"{stem}~{digest[:16]}"
            self.names.add(f"{stem}{ending}".casefold())
            self.out.write((PICTURES, stem + ending), io.BytesIO(content), _TIME)
            self.paths[digest] = f"{PICTURES}/{stem}{ending}"
        return self.paths[digest]

    def finish(self, questions: Path) -> Written:
        """Write the file of questions."""
        assert self.written is not None
        column = self.written.column
        for number, index in self.waiting:
            path = self.by_index.get(index, "")
            self.rows[number][column] = path
            if not path:
                self.written.without.append(
                    f"{self.places[number]}: {index[:80]!r} is no image, and no row's {_INDEX}"
                )
        if not self.paths:
            raise EmbeddedError(
                f"no image in the column {column!r}: {self.written.without[0]}"
                if self.written.without
                else f"no image in the column {column!r}, which is empty"
            )
        names = [column]
        names += dict.fromkeys(name for row in self.rows for name in row if name != column)
        with open(questions, "w", encoding="utf-8", newline="") as lines:
            table = csv.DictWriter(lines, names, restval="")
            table.writeheader()
            table.writerows(self.rows)
        self.written.columns, self.written.rows = names, len(self.rows)
        self.written.images = len(self.paths)
        return self.written


#: Tables are read whatever columns they have.
_FORM = Form({}, (), "vqa.columns", "a file of questions", "questions", KNOWN, cell=CELL)


def _image_column(file: Path, wanted: str | None, parquet: bool) -> str:
    """The column that holds the images."""
    if parquet:
        try:
            schema = pq.read_schema(file)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{file} is not a readable Parquet file: {error}") from error
        names = list(map(str, schema.names))
        found = [each.name for each in schema if may_hold_images(each.type)]
    else:
        row = next(read_rows(file, _FORM), (0, {}))[1]
        names = list(row)
        found = [name for name, cell in row.items() if is_embedded(cell)]
    if wanted is not None:
        if wanted not in names:
            raise EmbeddedError(f"{file} has no column {wanted!r}. It has: {', '.join(names)}")
        return wanted
    if len(found) > 1 and "image" in found:
        return "image"
    if len(found) != 1:
        many = f"several columns with images: {', '.join(found)}" if found else "no images in it"
        what = "say which with --image" if found else f"its columns are {', '.join(names)}"
        raise EmbeddedError(f"{file} has {many}; {what}")
    return str(found[0])


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a Parquet file, a few at a time, with their numbers from 1."""
    number = 0
    try:
        with pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as opened:
            about = opened.metadata
            groups = map(about.row_group, range(about.num_row_groups))
            largest = max((g.total_byte_size // max(1, g.num_rows) for g in groups), default=1)
            rows = int(min(_ROWS, max(1, _BATCH // max(1, largest))))
            for batch in opened.iter_batches(rows, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise TableError(f"{file}, after row {number}: cannot be read: {error}") from error


def _content(image: Any) -> tuple[bytes | None, str]:
    """The bytes of an image in a cell, if it holds one, and what its file was called."""
    if isinstance(image, dict):
        path = image.get("path")
        return _content(image.get("bytes"))[0], path if isinstance(path, str) else ""
    if isinstance(image, bytes):
        return (image if kind_of(image[:4096]).name in IMAGES else None), ""
    return (decoded(image) if isinstance(image, str) and is_embedded(image) else None), ""


def _fault(image: Any) -> str:
    """Why a cell holds no image."""
    if image is None or image == "" or (isinstance(image, dict) and not image.get("bytes")):
        return "no image"
    if isinstance(image, str) and image.lstrip()[:1] == "[":
        try:
            several = ast.literal_eval(image.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            several = []
        if isinstance(several, list) and several:
            return f"{len(several)} images, and a question here is about one"
    if isinstance(image, list):
        return f"{len(image)} images, and a question here is about one"
    content = image.get("bytes") if isinstance(image, dict) else image
    kind = kind_of(content[:4096]).words if isinstance(content, bytes) else "no image in base64"
    return f"it is {kind}"


def _stem(called: str) -> str:
    """A file's name without its ending; empty where there is none that can be used."""
    name = called.replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, ending = os.path.splitext(name)
    name = stem if ending.lower() in SUFFIXES else name
    name = re.sub(r'[<>:"|?*\x00-\x1f]', "_", name)
    name = "".join(letter if letter.isprintable() else "_" for letter in name).strip(" .")
    name = name.encode(errors="replace")[:_STEM].decode(errors="ignore")
    return "" if is_ignored(name) else name
