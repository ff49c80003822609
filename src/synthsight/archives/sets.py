"""What the files of ``images.archive`` are, and how their images get into one folder.

Archives are unpacked as they are. Parquet files and WebDatasets become a folder for each category,
below one for each generator if they state any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthsight.archives import hugging_face, webdataset
from synthsight.archives.containers import UnpackError, container_of
from synthsight.archives.rows import Reading, Writer, writing
from synthsight.archives.unpack import Folder, Unpacked, bound_of, damage, unpack_into
from synthsight.files import is_file


@dataclass(frozen=True)
class Part:
    """A file of a set.

    Attributes:
        file: where it is.
        name: what messages call it.
        given: whether it is the user's own, beside which more may lie; a download is alone.
    """

    file: Path
    name: str
    given: bool


def unpack_all(parts: Sequence[Part], folder: Path, reading: Reading) -> Unpacked:
    """Put the images of one or several files into an empty folder.

    Args:
        parts: archives; or Parquet files with images in them; or tars of a WebDataset.
        folder: it must exist and be empty. After an error its content is useless.
        reading: how sets with a row an image are read.

    Raises:
        UnpackError: one is refused; they are of several kinds; or no image has come out.
    """
    out = Folder(folder, bound_of(sum(part.file.stat().st_size for part in parts)))
    kinds = []
    for part in parts:
        with _reading(part, parts):
            kinds.append(container_of(part.file))
    if "parquet" in kinds:
        _one_kind(parts, ["Parquet" if kind == "parquet" else "no Parquet" for kind in kinds])
        _read_parquet(parts, out, reading)
    else:
        samples = []
        for part, kind in zip(parts, kinds, strict=True):
            with _reading(part, parts):
                samples.append(None if kind == "zip" else _recognise(part, kind, reading))
        if any(each is not None for each in samples):
            _one_kind(parts, ["no WebDataset" if s is None else "a WebDataset" for s in samples])
            known = [each for each in samples if each is not None]
            _read_samples(parts, kinds, known, out, reading)
        elif reading != Reading():
            raise UnpackError(
                "images.archive.columns and labels are for Parquet and WebDataset, and this is an "
                "archive of folders"
            )
        else:
            for part in parts:
                with _reading(part, parts):
                    unpack_into(part.file, out)
    if not out.result.files:
        left_out = out.result.left_out
        raise UnpackError(
            f"no image is in it ({left_out[0]})" if left_out else "it contains no files"
        )
    return out.result


@contextmanager
def _reading(part: Part, parts: Sequence[Part]) -> Iterator[None]:
    """Explain damage, and say in which of several files it is."""
    try:
        with damage():
            yield
    except UnpackError as error:
        if len(parts) == 1 or part.name in str(error):
            raise
        raise UnpackError(f"{part.name}: {error}") from error


def _one_kind(parts: Sequence[Part], kinds: Sequence[str]) -> None:
    """Refuse files of several kinds, of which each means another way to read."""
    for part, kind in zip(parts, kinds, strict=True):
        if kind != kinds[0]:
            raise UnpackError(
                f"{parts[0].name} is {kinds[0]} and {part.name} is {kind}: name files of one kind "
                "in images.archive.url"
            )


# Parquet ---------------------------------------------------------------------------------------


def _read_parquet(parts: Sequence[Part], out: Folder, reading: Reading) -> None:
    tables: list[hugging_face.Table] = []
    with writing(out) as writer:
        for part in parts:
            with _reading(part, parts):
                tables.append(hugging_face.read_rows(part.file, reading, part.name, writer))
                _same_columns(parts[0], tables[0].columns, part, tables[-1].columns)
    first = tables[0]
    splits = Counter(
        split for part in parts if (split := hugging_face.split_of(part.name)) is not None
    )
    named_by = "the schema's ClassLabel" if first.by_schema else reading.labels
    _tell("Parquet", first.columns, writer, None if first.names is None else named_by)
    out.result.notes += dict.fromkeys(note for table in tables for note in table.notes)
    if len(splits) > 1:
        listed = ", ".join(f"{name!r} ({count})" for name, count in sorted(splits.items()))
        out.result.notes.append(
            f"by the names of the files these are the splits {listed}, and the images of all are "
            "used. For some of them, list their files in images.archive.url"
        )


def _same_columns(
    one: Part,
    columns: Mapping[str, str | None],
    other: Part,
    others: Mapping[str, str | None],
) -> None:
    """Refuse files that state different things of their images."""
    for role, name in columns.items():
        if name != others[role]:
            raise UnpackError(
                f"the {role} is {_column(name)} in {one.name} and {_column(others[role])} in "
                f"{other.name}: name files of one set in images.archive.url, or the column in "
                "images.archive.columns"
            )


def _column(name: str | None) -> str:
    return "in no column" if name is None else f"the column {name!r}"


# WebDataset ------------------------------------------------------------------------------------


def _recognise(part: Part, kind: str, reading: Reading) -> webdataset.Samples | None:
    above = [part.file.parent, part.file.absolute().parent.parent] if part.given else []
    files = [file for folder in above if is_file(file := folder / webdataset.NAMES)]
    return webdataset.recognise(part.file, kind, reading, part.name, files[0] if files else None)


def _read_samples(
    parts: Sequence[Part],
    kinds: Sequence[str],
    samples: Sequence[webdataset.Samples],
    out: Folder,
    reading: Reading,
) -> None:
    with writing(out) as writer:
        for part, kind, each in zip(parts, kinds, samples, strict=True):
            with _reading(part, parts):
                _same_columns(parts[0], samples[0].columns, part, each.columns)
                if each.generators != samples[0].generators or each.names != samples[0].names:
                    raise UnpackError(
                        f"its generators or the names of its classes are not stated as in "
                        f"{parts[0].name}: name files of one set in images.archive.url"
                    )
                webdataset.read_samples(part.file, kind, each, part.name, writer)
    _tell("WebDataset", samples[0].columns, writer, samples[0].named_by)
    out.result.notes += dict.fromkeys(note for each in samples for note in each.notes)


def _tell(
    kind: str, columns: Mapping[str, str | None], writer: Writer, named_by: str | None
) -> None:
    """Record how a set was read, and say it."""
    result = writer.out.result
    taken = {role: name for role, name in columns.items() if name is not None}
    result.set = {
        "kind": kind,
        "columns": taken,
        "labels": named_by,
        "rows": writer.rows,
        "categories": len(writer.categories),
    }
    what = ", ".join(f"{role} from {name!r}" for role, name in taken.items())
    classes = "" if named_by is None else f"; numbers of classes are named by {named_by}"
    result.notes.append(
        f"{kind}: {writer.rows:,} rows, {len(writer.categories):,} categories; {what}{classes}"
    )
