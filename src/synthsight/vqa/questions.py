"""Yes/no questions about images: read from a file, checked, and dealt out in shards."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import os
import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.files import atomic
from synthsight.images.examine import examine_all
from synthsight.images.reading import SUFFIXES

#: Endings of the files that are read.
FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".parquet")

#: Bound on the rows of a Parquet file, of which a few bytes can hold any number.
MAX_ROWS = 10_000_000

#: Missing images for which a close name is looked for: that costs a look at every name there is.
_HINTS = 100

#: Columns that a file need not have.
OPTIONAL = ("generator", "objects")

_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})


class QuestionsError(SynthsightError):
    """A file of questions that cannot be read at all; the message is for a person."""


@dataclass(frozen=True)
class Question:
    """A question, as it stands in the file.

    Attributes:
        line: of the file, from 1; in Parquet, where there are no lines, the row, from 1.
        image: path below the images' root, POSIX form.
        question: its text, without blanks around it.
        answer: ``yes`` or ``no``, the truth; what the file says where it is neither.
        generator: of the image, or None.
        objects: names of objects in the image, ``&&`` between them, for OFA's prompt, or None.
        reason: why the question is left out; None if it is not.
    """

    line: int
    image: str
    question: str
    answer: str
    generator: str | None = None
    objects: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ShardRow:
    """A row of a shard: a sound question, and whether its image can be used.

    Attributes:
        number: which of its image's questions it is, from 1, in the order of the file.
        image: see :class:`Question`, as the others.
        question: likewise.
        answer: ``yes`` or ``no``.
        generator: likewise.
        objects: likewise.
        sha256: of the image's bytes, in hex; None where they cannot be read.
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


# Reading ---------------------------------------------------------------------------------------


def read_questions(path: Path, columns: Mapping[str, str], root: Path) -> list[Question]:
    """Read a file of questions; those that cannot be asked have a ``reason``.

    A reason is a missing or unusable name of an image, an empty question, an answer other than
    yes/no, true/false, 1/0 (in any case), or a question that the file has twice: the later one is
    left out if the answers agree, both if they do not, since either may be wrong. Images are looked
    for, not opened.

    Args:
        path: CSV, TSV, JSON (a list of mappings), JSONL or Parquet, by its ending; text is UTF-8.
        columns: what the columns image, question, answer, generator and objects are called in the
            file. The last two may be missing under these very names.
        root: folder that the images' paths start from.

    Raises:
        QuestionsError: the file cannot be read, or lacks a column.
    """
    rows = _checked_columns(path, _read_rows(path, columns), columns)
    find = _ImageFinder(root)
    questions = [_parse(line, row, columns, find) for line, row in rows]
    return _without_repeats(questions)


def _read_rows(path: Path, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and content of each row."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise QuestionsError(f"{path}: the ending must be one of {' '.join(FORMATS)}")
    try:
        if path.exists() and not path.is_file():
            raise QuestionsError(f"{path} is not a regular file")
        if ending == ".parquet":
            yield from _read_parquet(path, columns)
            return
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise QuestionsError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise QuestionsError(f"{path}, line {line}: not UTF-8 text; save it as UTF-8") from error
    if ending in (".csv", ".tsv"):
        yield from _read_delimited(path, text, "," if ending == ".csv" else "\t")
    elif ending == ".jsonl":
        for line, content in enumerate(text.split("\n"), start=1):
            if content.strip():
                yield line, _mapping(path, line, _json(path, content, line))
    else:
        yield from _read_json_list(path, text)


def _read_delimited(path: Path, text: str, separator: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] | None = None
    line = 1  # where a row begins: one with line ends in quotes has several lines
    try:
        for row in reader:
            start, line = line, reader.line_num + 1
            if not row:
                continue
            if header is None:
                header = row
                twice = [name for name, count in Counter(header).items() if count > 1]
                if twice:
                    raise QuestionsError(f"{path}, line {start}: two columns {twice[0]!r}")
                continue
            if len(row) != len(header):
                raise QuestionsError(
                    f"{path}, line {start}: {len(row)} values, but the header has {len(header)}. "
                    "Text with the separator in it belongs in double quotes"
                )
            yield start, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise QuestionsError(f"{path}, line {line}: {error}") from error
    if header is None:
        raise QuestionsError(f"{path} is empty; its first line must name the columns")


def _read_json_list(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Element by element, so that each one's line is known."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)

    def skip(position: int) -> int:
        while position < len(text) and text[position] in " \t\r\n":
            position += 1
        return position

    def wrong(position: int, message: str) -> QuestionsError:
        return QuestionsError(f"{path}, line {text.count(chr(10), 0, position) + 1}: {message}")

    position = skip(0)
    if text[position : position + 1] != "[":
        raise wrong(position, "expected a list of mappings: [{...}, {...}]")
    position = skip(position + 1)
    line, counted = 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            element, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise wrong(error.pos, error.msg) from error
        except RecursionError as error:
            raise wrong(position, "nested too deeply") from error
        except ValueError as error:
            raise wrong(position, str(error)) from error
        yield line, _mapping(path, line, element)
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "]":
            raise wrong(position, "expected a comma or the end of the list")
    if skip(position + 1) != len(text):
        raise wrong(skip(position + 1), "text behind the end of the list")


def _json(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise QuestionsError(f"{path}, line {line}: {error.msg}") from error
    except RecursionError as error:
        raise QuestionsError(f"{path}, line {line}: nested too deeply") from error
    except ValueError as error:
        raise QuestionsError(f"{path}, line {line}: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping of JSON, in which no key may stand twice."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f"the key {twice!r} stands twice in a mapping")
    return mapping


def _mapping(path: Path, line: int, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise QuestionsError(f"{path}, line {line}: expected a mapping with the columns as keys")
    return value


def _read_parquet(path: Path, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Of the columns those that are asked for; the others are named, and empty."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            rows = file.metadata.num_rows
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise QuestionsError(f"{path}: two columns {twice[0]!r}")
            if rows > MAX_ROWS:
                raise QuestionsError(f"{path}: {rows:,} rows, the limit is {MAX_ROWS:,}")
            wanted = [name for name in names if name in columns.values()]
            found = file.read(columns=wanted).to_pylist()
    except QuestionsError:
        raise
    except FileNotFoundError:
        raise
    except Exception as error:  # its reader raises nearly anything on damaged files
        raise QuestionsError(f"{path} is no Parquet file that can be read: {error}") from error
    others = dict.fromkeys(set(names) - set(wanted))
    yield from ((number, {**others, **row}) for number, row in enumerate(found, start=1))


def _checked_columns(
    path: Path, rows: Iterable[tuple[int, dict[str, Any]]], columns: Mapping[str, str]
) -> list[tuple[int, dict[str, Any]]]:
    """The rows, if the file has every column that it must have in at least one of them."""
    found = list(rows)
    names = list(dict.fromkeys(name for _, row in found for name in row))
    if not found:
        raise QuestionsError(f"{path} has no questions")
    for key, name in columns.items():
        if name not in names and not (key in OPTIONAL and name == key):
            close = difflib.get_close_matches(name, map(str, names), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise QuestionsError(
                f"{path} has no column {name!r}{hint}. It has: {_shown(names)}. Say "
                f"in vqa.columns.{key} what the column is called"
            )
    return found


def _shown(names: Sequence[str], keep: int = 30) -> str:
    shown = ", ".join(name[:80] for name in map(str, names[:keep]))
    return shown if len(names) <= keep else f"{shown} and {len(names) - keep} more"


# Checking --------------------------------------------------------------------------------------


class _ImageFinder:
    """Whether images are there; looks each of them up once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing = 0
        self.resolved_root = root.resolve()
        self.reason = cache(self._reason)

    def _reason(self, image: str) -> str | None:
        """Why an image cannot be used, as far as its name tells, or None."""
        path = PurePosixPath(image)
        if path.is_absolute() or ".." in path.parts or "\0" in image:
            return f"the image's path must lead from {self.root} downwards"
        file = self.root / path
        try:
            # Before anything else, since a link on the way may lead anywhere.
            if not file.resolve().is_relative_to(self.resolved_root):
                return f"a link that leads out of {self.root}: copy the file instead"
            if not file.exists():
                return f"no such image below {self.root}{self._close(path, file.parent)}"
        except (OSError, RuntimeError) as error:  # a name that is too long, a loop of links
            return f"cannot be looked for: {getattr(error, 'strerror', None) or 'a loop of links'}"
        if file.suffix.lower() not in SUFFIXES:
            return f"not an image by its name (endings that are read: {' '.join(sorted(SUFFIXES))})"
        return None

    def _close(self, path: PurePosixPath, folder: Path) -> str:
        """What to say of the name most like a missing one; of the first missing ones only."""
        self.missing += 1
        if self.missing > _HINTS:
            return ""
        hint = difflib.get_close_matches(path.name[:255], self._names(folder), n=1)
        return f"; close: {(path.parent / hint[0]).as_posix()}" if hint else ""

    @cache  # noqa: B019 (it lives as long as one reading of a file)
    def _names(self, folder: Path) -> list[str]:
        return sorted(os.listdir(folder)) if folder.is_dir() else []


def _parse(
    line: int, row: Mapping[str, Any], columns: Mapping[str, str], find: _ImageFinder
) -> Question:
    values = {key: _text(row.get(name)) for key, name in columns.items()}
    image = PurePosixPath(values["image"]).as_posix() if values["image"] else ""
    answer = values["answer"].lower()
    reason = None
    if not all(_is_text(value) for value in values.values()):
        reason = "text with half a character in it (a lone surrogate)"
        values = {key: value.encode("utf-8", "replace").decode() for key, value in values.items()}
        image = image.encode("utf-8", "replace").decode()
    elif not image:
        reason = "no image"
    elif not values["question"]:
        reason = "an empty question"
    elif answer not in _YES | _NO:
        found = f"{values['answer']!r}" if answer else "none"
        reason = f"the answer must be yes or no (or true/false, 1/0); found {found}"
    else:
        answer = "yes" if answer in _YES else "no"
        reason = find.reason(image)
    return Question(
        line=line,
        image=image,
        question=values["question"],
        answer=answer if reason is None else values["answer"],
        generator=values.get("generator") or None,
        objects=values.get("objects") or None,
        reason=reason,
    )


def _is_text(value: str) -> bool:
    """Whether any file can hold it; JSON can name what none can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str:
    """A cell as text: true is ``true``, 1.0 is ``1``, nothing is empty."""
    if isinstance(value, dict | list | tuple):
        return reprlib.repr(value)  # which is short, however much there is
    if value is None or value != value:  # NaN, which Parquet may hold for nothing
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return str(value).strip()


def _without_repeats(questions: Sequence[Question]) -> list[Question]:
    """The questions, repeats of the same one about the same image marked.

    Case, and how many blanks stand between words, make no difference.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, question in enumerate(questions):
        if question.reason is None:
            spoken = " ".join(question.question.casefold().split())
            groups.setdefault((question.image, spoken), []).append(index)
    marked = list(questions)
    for first, *others in groups.values():
        same = {questions[index].answer for index in (first, *others)}
        for index in others if len(same) == 1 else (first, *others) if others else ():
            other = first if index != first else others[0]
            line = questions[other].line
            reason = f"the same question as in line {line}"
            if len(same) > 1:
                lines = ", ".join(str(questions[i].line) for i in (first, *others) if i != index)
                reason = f"asked in line {lines} too, but with different answers"
            marked[index] = replace(questions[index], reason=reason)
    return marked


# Shards ----------------------------------------------------------------------------------------


def shard_of(image: str, shards: int) -> str:
    """The shard, ``1`` to ``shards``, of all questions about an image.

    It depends on nothing but the image's name, so questions that come or go move no other ones.
    """
    return str(int.from_bytes(hashlib.sha256(image.encode()).digest()[:8], "big") % shards + 1)


def deal(questions: Iterable[Question], shards: int) -> dict[str, list[Question]]:
    """The sound questions of each shard that has any, by shard."""
    dealt: dict[str, list[Question]] = {}
    for question in questions:
        if question.reason is None:
            dealt.setdefault(shard_of(question.image, shards), []).append(question)
    return dict(sorted(dealt.items(), key=lambda item: int(item[0])))


def shard_digest(questions: Sequence[Question], root: Path) -> str:
    """A digest of all that a shard holds, and of its images' sizes and times of change.

    Lines are not in it: a question further up changes no shard but its own.
    """
    digest = hashlib.sha256()
    for question in questions:
        row = asdict(question)
        del row["line"]
        digest.update(canonical_json(row).encode() + b"\0")
    for image in sorted({question.image for question in questions}):
        with suppress(OSError):  # it has just gone
            status = (root / image).stat()
            digest.update(f"{image} {status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def index_questions(questions: Sequence[Question], root: Path, max_pixels: int) -> list[ShardRow]:
    """The rows of a shard, sorted by image and number; each image is decoded once, to check it.

    Args:
        questions: the shard's, in the order of the file.
        root: folder that the images' paths start from; no file outside it is read.
        max_pixels: bound on an image's width x height.
    """
    numbers: Counter[str] = Counter()
    images = sorted({question.image for question in questions})
    found = dict(zip(images, examine_all(root, images, max_pixels), strict=True))
    rows = []
    for question in questions:
        image = question.image
        numbers[image] += 1
        rows.append(
            ShardRow(
                number=numbers[image],
                image=image,
                question=question.question,
                answer=question.answer,
                generator=question.generator,
                objects=question.objects,
                sha256=found[image].sha256,
                status="ok" if found[image].reason is None else "excluded",
                reason=found[image].reason,
            )
        )
    return sorted(rows, key=lambda row: (row.image, row.number))


def write_shard(output: str | os.PathLike[str], rows: Sequence[ShardRow]) -> None:
    """Write a shard as Parquet, atomically; the columns are :class:`ShardRow`'s fields."""
    names = [field.name for field in fields(ShardRow)]
    schema = pa.schema([(name, pa.int32() if name == "number" else pa.string()) for name in names])
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    with atomic(output) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_shard(path: str | os.PathLike[str]) -> list[ShardRow]:
    """The rows of a file of :func:`write_shard`."""
    return [ShardRow(**row) for row in pq.read_table(path).to_pylist()]
