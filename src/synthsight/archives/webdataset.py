"""WebDataset: tars in which the members of a sample stand together and share a key.

``000012.jpg``, ``000012.cls``, ``000012.txt`` and ``000012.json`` are one sample: the image, the
number or the name of its class, its prompt, and whatever else is known. The key is what precedes
the first dot of the last part of the name (webdataset's ``base_plus_ext``).
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthsight.archives.containers import UnpackError
from synthsight.archives.rows import (
    MAX_IMAGE,
    ROLES,
    USUAL,
    Reading,
    Row,
    Writer,
    choose,
    folders_of,
    listed,
    named_labels,
    no_names,
    unread,
)
from synthsight.archives.tars import members
from synthsight.archives.unpack import Folder
from synthsight.images.endings import SUFFIXES

#: The file that says what classes given as numbers are called, a name in each line.
NAMES = "classnames.txt"

#: Members that are looked at to see whether a tar is a WebDataset.
_LOOKED_AT = 1000

#: Bytes of a member that is text, and of :data:`NAMES`.
_MAX_TEXT, _MAX_NAMES = 2**20, 2**24

_KEY = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class Samples:
    """What the samples of a tar hold.

    Attributes:
        columns: for each role the ending of a member, or a key of the ``.json``; None if there is
            none. Without one for the image, each sample has one, of whatever ending.
        names: the folders of the classes by number; None if nothing names them.
        named_by: what does.
        generators: whether generators are stated.
        notes: on columns that are not read.
    """

    columns: Mapping[str, str | None]
    names: tuple[str, ...] | None
    named_by: str | None
    generators: bool
    notes: tuple[str, ...]


@dataclass
class _Sample:
    """Members with one key, by their endings."""

    key: str
    seconds: float
    content: dict[str, bytes] = field(default_factory=dict)
    endings: set[str] = field(default_factory=set)
    fault: str | None = None

    def about(self) -> dict[str, Any]:
        """What its ``.json`` says; empty if it has none, or one that is damaged or no mapping."""
        try:
            found = json.loads(self.content.get("json", b"{}"))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def value(self, column: str | None) -> str | int | None:
        """What a column says, as text or a whole number; None if it says nothing."""
        if column is None:
            return None
        if column in self.content:
            value: Any = self.content[column].decode(errors="surrogateescape").strip()
            if column == "cls" and _NUMBER.fullmatch(value):
                value = int(value)
        else:
            value = self.about().get(column)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        return (value.strip() or None) if isinstance(value, str) else value

    def text(self, column: str | None) -> str | None:
        """The same, as text."""
        value = self.value(column)
        return None if value is None else str(value)


def recognise(
    path: Path, kind: str, reading: Reading, source: str, beside: Path | None
) -> Samples | None:
    """What the samples of a tar hold; None if it is an ordinary one, to be unpacked as it is.

    It is a WebDataset if an image has a ``.cls`` beside it that shares its key, or lies in no
    folder and has a ``.json`` with a category in it; also if columns are named.

    Args:
        path: the file.
        kind: how it is compressed.
        reading: how it is to be read.
        source: what messages call it.
        beside: a file like :data:`NAMES` outside the tar, if there is one.

    Raises:
        UnpackError: several columns are possible, or nothing says what numbers stand for.
    """
    listing: list[str] = []
    samples: list[_Sample] = []
    with closing(_samples(path, kind, None, None, listing, lambda _: None)) as found:
        for sample in found:
            samples.append(sample)
            sample.content = {
                ending: content
                for ending, content in sample.content.items()
                if not _is_image(ending)
            }
            if len(listing) > _LOOKED_AT:
                break
    pictured = [sample for sample in samples if any(map(_is_image, sample.endings))]
    if not reading.columns and not any(_is_labelled(sample) for sample in pictured):
        return None
    if not pictured:
        raise UnpackError(f"none of the first members of {source} is an image")
    columns = _columns(pictured, reading, source)
    names, named_by = None, None
    if reading.labels is not None:
        names, named_by = named_labels(reading.labels), reading.labels
    else:
        inside = next((s for s in samples if s.key == "classnames" and "txt" in s.content), None)
        if inside is not None:
            names, named_by = _class_names(inside.content["txt"], source), f"{NAMES} in {source}"
        elif beside is not None:
            with open(beside, "rb") as handle:
                names = _class_names(handle.read(_MAX_NAMES), str(beside))
            named_by = str(beside)
    first = pictured[0]
    if names is None and isinstance(first.value(columns["category"]), int):
        texts = [
            name
            for name, value in first.about().items()
            if name.lower() in USUAL["category"] and isinstance(value, str)
        ]
        if "category" in reading.columns or len(texts) != 1:
            raise no_names(source)
        columns["category"] = texts[0]
    generators = first.value(columns["generator"]) is not None
    keys = sorted({key for sample in pictured for key in {*sample.endings, *sample.about()}})
    return Samples(columns, names, named_by, generators, tuple(unread(keys, columns)))


def read_samples(path: Path, kind: str, samples: Samples, source: str, writer: Writer) -> None:
    """Write the images of a WebDataset's tar.

    Args:
        path: the file.
        kind: how it is compressed.
        samples: what :func:`recognise` has found in it.
        source: what messages call it.
        writer: takes the samples.

    Raises:
        UnpackError: a name leads out of the folder, it is damaged, and what the writer refuses.
    """
    columns = samples.columns
    texts = {name for role, name in columns.items() if role != "image" and name is not None}
    out = writer.out
    wanted = columns["image"] or ""
    for sample in _samples(path, kind, wanted, texts | {"json"}, [], out.check_bound, out):
        if sample.key == "classnames" and sample.endings == {"txt"}:
            continue
        place = f"sample {sample.key}"
        images = [ending for ending in sorted(sample.content) if _is_wanted(ending, wanted)]
        if sample.fault is not None or len(images) != 1:
            reason = sample.fault or _no_single(wanted, images, sample)
            out.result.leave_out(f"{source}, {place}: {reason}")
            continue
        row = Row(
            file=source,
            row=place,
            content=sample.content[images[0]],
            name=sample.key,
            category=sample.value(columns["category"]),
            generator=sample.text(columns["generator"]),
            group=sample.text(columns["group"]),
            prompt=sample.text(columns["prompt"]),
            seconds=sample.seconds,
        )
        writer.write(row, samples.names, samples.generators)


def _samples(
    path: Path,
    kind: str,
    image: str | None,
    texts: set[str] | None,
    listing: list[str],
    check: Callable[[int], None],
    out: Folder | None = None,
) -> Generator[_Sample]:
    """The samples of a tar, in its order.

    Args:
        path: the file.
        kind: how it is compressed.
        image: the ending whose content is kept, empty for that of any image; None keeps no image's.
        texts: other endings whose content is kept; None keeps all small ones.
        listing: to which the names of members are added, if no folder is given.
        check: bounds how far it is read.
        out: checks names, and records what is left out.
    """
    current: _Sample | None = None
    for handle, member in members(path, kind, check):
        parts = tuple(each for each in member.name.split("/") if each not in ("", "."))
        if out is None:
            listing.append(member.name)
        else:
            found = out.path(member.name)
            if found is None:
                continue
            parts = found
        if member.isdir() or not parts:
            continue
        name = "/".join(parts)
        match = _KEY.fullmatch(name)
        if match is None or not member.isreg() or member.issparse():
            if out is not None:
                out.leave_out(parts, "it is no sample's" if member.isreg() else "it is no file")
            continue
        key, ending = match[1], match[2].lower()
        if current is not None and (current.key != key or ending in current.endings):
            yield current
            current = None
        if current is None:
            current = _Sample(key, float(member.mtime))
        _add(current, ending, handle, member, image, texts)
    if current is not None:
        yield current


def _add(
    sample: _Sample,
    ending: str,
    handle: tarfile.TarFile,
    member: tarfile.TarInfo,
    image: str | None,
    texts: set[str] | None,
) -> None:
    """Read a member of a sample, if it is one that is used."""
    sample.endings.add(ending)
    if image is not None and _is_wanted(ending, image):
        most = MAX_IMAGE
    elif texts is None and not _is_image(ending):
        most = _MAX_NAMES if sample.key == "classnames" else _MAX_TEXT
    elif texts is not None and ending in texts:
        most = _MAX_TEXT
    else:
        return
    if member.size > most:
        sample.fault = f"its member {ending!r} has {member.size:,} bytes, more than {most:,}"
        return
    content = handle.extractfile(member)
    assert content is not None  # it is a file
    sample.content[ending] = content.read()


def _is_image(ending: str) -> bool:
    return f".{ending.rpartition('.')[2]}" in SUFFIXES


def _is_wanted(ending: str, wanted: str) -> bool:
    """Whether a member is the image: of the wanted ending, or any if that is empty."""
    return ending == wanted if wanted else _is_image(ending)


def _no_single(wanted: str, images: list[str], sample: _Sample) -> str:
    if images:
        return f"several images: {listed(images)}"
    return f"no {repr(wanted) if wanted else 'image'}, but {listed(sorted(sample.endings))}"


def _is_labelled(sample: _Sample) -> bool:
    """Whether a sample with an image says what it shows, beyond its folder."""
    if "cls" in sample.endings:
        return True
    return "/" not in sample.key and any(
        name.lower() in USUAL["category"] and isinstance(value, str | int)
        for name, value in sample.about().items()
    )


def _columns(samples: list[_Sample], reading: Reading, source: str) -> dict[str, str | None]:
    """Where the samples have what is known of an image."""
    endings = sorted({ending for sample in samples for ending in sample.endings})
    keys = sorted({name for sample in samples for name in sample.about()})
    known = [*endings, *(key for key in keys if key not in endings)]
    images = [ending for ending in endings if _is_image(ending)]
    one = all(sum(map(_is_image, sample.endings)) == 1 for sample in samples)
    columns: dict[str, str | None] = {"image": None}
    if "image" in reading.columns or not one:
        columns["image"] = choose("image", reading.columns, known, source, images)
    others = [name for name in known if name not in images]
    for role in ROLES[1:]:
        usual = {"category": "cls", "prompt": "txt"}.get(role)
        if role not in reading.columns and usual in endings:
            columns[role] = usual
        else:
            columns[role] = choose(role, reading.columns, others, source)
    if columns["category"] is None:
        raise UnpackError(
            f"nothing in {source} says what an image shows: there are {listed(others)}. Write "
            "which does in images.archive.columns: {category: NAME}"
        )
    return columns


def _class_names(content: bytes, source: str) -> tuple[str, ...]:
    """The folders of the classes that a file with a name in each line lists."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UnpackError(f"{source}: {NAMES} is not UTF-8") from None
    while lines and not lines[-1].strip():
        lines.pop()
    return folders_of([line.strip() for line in lines], f"{NAMES} of {source}")
