"""What a result file says of its own making: program, settings, code, and versions of libraries.

Snakemake remembers the first three as well, but in a folder of its own. A file's own word survives
copying and cleaning up, and tells a file that was put in the place of another. A program's runner
opens an origin (see :mod:`synthsight.program`); readers add to it what the files that they read say
of the versions behind them; writers store it.

Parquet, Arrow and JSON hold the whole origin. Pictures and pages hold it without versions and with
shortened inputs. A CSV file can hold nothing; the Parquet file beside it holds its
sha256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from synthsight.canonical import canonical_json
from synthsight.files import MAKE_AGAIN, FileError

#: The key in a file's metadata.
KEY = "synthsight.origin"

#: A mark in a file without metadata of this kind: a digest, and the rest. The bytes of a file that
#: follow a text may be letters by chance (a checksum, in a PNG), so the inputs have an end.
_MARK = re.compile(rb"synthsight-origin:([0-9a-f]{32})(?:\.([A-Za-z0-9_=-]+)\.)?")

#: Where a mark stands in a file: near its beginning or its end.
_NEAR = 2**20

#: The name of a part of a category, and of the folder of its files: ``3-of-16``.
PART = re.compile(r"([1-9][0-9]*)-of-([1-9][0-9]*)")

#: How many characters of an input's chain are in a mark: thousands of inputs have to fit.
_IN_MARK = 12

#: The key of a device among the versions.
DEVICE = "device"

#: By the program that wrote them, the settings that must be the same in all files of which one
#: program makes something.
_SHARED = {"score": ("rules", "aggregation", "categories")}


@dataclass(frozen=True)
class Origin:
    """How a file was made.

    Attributes:
        program: name of the program.
        spec: canonical JSON of the settings that it was given.
        code: digest of its code.
        versions: the versions of each library behind the file's numbers, those of its inputs
            included, and under :data:`DEVICE` the devices; more than one of a library means a mix.
        file: the file's name and its folder's.
        inputs: the :attr:`chain` of each file that it was made from, by program and file.
        beside: the sha256 of the same content as CSV, in a file beside this one; empty if none.
    """

    program: str
    spec: str
    code: str
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    beside: str = ""

    @property
    def name(self) -> str:
        """What distinguishes the file from others of its run: its program and its place."""
        return f"{self.program} {self.file}"

    @cached_property
    def digest(self) -> str:
        """Of what decides the content, given the inputs."""
        return _digest([self.program, self.spec, self.code, self.file])

    @cached_property
    def chain(self) -> str:
        """Of all that decides the content: of this origin and those of its inputs, and theirs."""
        return _digest([self.digest, dict(self.inputs)])

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the inverse of :func:`from_dict`."""
        return {
            "program": self.program,
            "spec": json.loads(self.spec),
            "code": self.code,
            "versions": {name: list(found) for name, found in sorted(self.versions.items())},
            "file": self.file,
            "inputs": dict(sorted(self.inputs.items())),
            **({"beside": self.beside} if self.beside else {}),
        }


def from_dict(content: Mapping[str, Any]) -> Origin:
    """The origin that a mapping describes.

    Raises:
        KeyError, TypeError, AttributeError: it is not what :meth:`Origin.as_dict` returns.
    """
    return Origin(
        str(content["program"]),
        canonical_json(content["spec"]),
        str(content["code"]),
        {str(name): tuple(map(str, found)) for name, found in content["versions"].items()},
        str(content["file"]),
        {str(name): str(chain) for name, chain in content["inputs"].items()},
        str(content.get("beside", "")),
    )


@dataclass(frozen=True)
class Mark:
    """What a file says that holds no whole origin.

    Attributes:
        digest: :attr:`Origin.digest`.
        inputs: as in :class:`Origin`, but only the beginning of each chain.
        spec: as in :class:`Origin`; None in a mark of an earlier version.
        code: likewise.
        file: likewise.
    """

    digest: str
    inputs: Mapping[str, str]
    spec: str | None = None
    code: str = ""
    file: str = ""


def _digest(content: object) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:32]


def short(path: str | os.PathLike[str]) -> str:
    """A file's name in its folder: what an origin calls it, wherever the results are.

    Pixels that one model alone uses are called like those that all of a geometry share, since
    results are the same with both (see :attr:`synthsight.plan.files.Files.pixels`). Answers without
    seeing the images, and what is made of a part of a category, are in a folder of their model's,
    or geometry's, whose name goes before.
    """
    # At each start, for each file; a pathlib.Path takes ten times as long.
    *_, above, folder, name = ("", "", *os.fspath(path).split("/"))
    if folder == "blind" or (folder[:1].isdigit() and PART.fullmatch(folder)):
        return f"{_shared(above, name)}/{folder}/{name}"
    return f"{_shared(folder, name)}/{name}"


def _shared(folder: str, name: str) -> str:
    """A folder's name, without the model that alone uses the pixels in it."""
    return folder.partition("-of-")[0] if name.endswith(".arrow") else folder


# What is being made ------------------------------------------------------------------------------


@dataclass
class _Making:
    """An origin in the making."""

    program: str
    spec: str
    code: str
    versions: dict[str, set[str]] = field(default_factory=dict)
    shared: dict[tuple[str, str], tuple[object, str]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    def of(self, path: str | os.PathLike[str]) -> Origin:
        versions = {name: tuple(sorted(found)) for name, found in self.versions.items()}
        inputs = dict(self.inputs)
        return Origin(self.program, self.spec, self.code, versions, short(path), inputs)


_making: ContextVar[_Making | None] = ContextVar("making", default=None)


@contextmanager
def making(program: str, spec: object, code: str) -> Iterator[None]:
    """Give the files that are written in the block an origin.

    Args:
        program: name of the program that writes them.
        spec: its settings.
        code: digest of its code.
    """
    token = _making.set(_Making(program, canonical_json(spec), code))
    try:
        yield
    finally:
        _making.reset(token)


def made_with(*packages: str, device: str | None = None) -> None:
    """Record that what is being made depends on these packages, and on a device."""
    found = {package: [version(package)] for package in packages}
    _add({**found, **({DEVICE: [device]} if device else {})})


def depends_on(path: str | os.PathLike[str], metadata: Mapping[bytes, bytes] | None) -> None:
    """Record that what is being made depends on a file.

    Args:
        path: the file.
        metadata: of its schema.

    Raises:
        FileError: it was made as another file, or with other settings than one read before.
    """
    current = _making.get()
    found = _parse((metadata or {}).get(KEY.encode()))
    if current is None or found is None:
        return
    if found.file != short(path):
        raise FileError(f"{path} was made as {found.file}, not for this place; {MAKE_AGAIN}")
    spec = json.loads(found.spec)
    for key in _SHARED.get(found.program, ()):
        value, first = current.shared.setdefault(
            (found.program, key), (spec.get(key), os.fspath(path))
        )
        if value != spec.get(key):
            raise FileError(f"{path} and {first} were made with different {key!r}; {MAKE_AGAIN}")
    current.inputs[found.name] = found.chain
    _add(found.versions)


def depends_on_note(note: Mapping[str, Any]) -> None:
    """Record that what is being made depends on the weights that a note is about."""
    current = _making.get()
    if current is not None and KEY in note:
        found = from_dict(note[KEY])
        current.inputs[found.name] = found.chain


def versions() -> dict[str, tuple[str, ...]]:
    """The versions recorded so far."""
    current = _making.get()
    return dict(current.of("").versions) if current else {}


def metadata(path: str | os.PathLike[str], beside: str = "") -> dict[str, str]:
    """What to add to the metadata of a Parquet or Arrow file; nothing outside of programs.

    Args:
        path: the file.
        beside: as in :class:`Origin`.
    """
    current = _making.get()
    if current is None:
        return {}
    return {KEY: canonical_json(replace(current.of(path), beside=beside).as_dict())}


def entry(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What to add to the content of a JSON file; nothing outside of programs."""
    current = _making.get()
    return {} if current is None else {KEY: current.of(path).as_dict()}


def mark(path: str | os.PathLike[str]) -> str | None:
    """Text for a picture's or a page's metadata; None outside of programs."""
    current = _making.get()
    if current is None:
        return None
    made = current.of(path)
    content = {
        "spec": json.loads(made.spec),
        "code": made.code,
        "file": made.file,
        "inputs": {name: chain[:_IN_MARK] for name, chain in made.inputs.items()},
    }
    packed = base64.urlsafe_b64encode(zlib.compress(canonical_json(content).encode()))
    return f"synthsight-origin:{made.digest}.{packed.decode()}."


def _add(found: Mapping[str, Iterable[str]]) -> None:
    current = _making.get()
    if current is not None:
        for name, each in found.items():
            current.versions.setdefault(name, set()).update(each)


# What was made -----------------------------------------------------------------------------------


def read_origin(path: str | os.PathLike[str]) -> Origin | Mark | None:
    """What a file says of its making.

    Args:
        path: Parquet, Arrow, JSON, or a file that holds a :func:`mark`.

    Returns:
        The origin; a mark if that is all the file holds; None if it says nothing or cannot be read.
    """
    ending = Path(path).suffix
    try:
        if ending in (".parquet", ".arrow"):
            return _parse((_schema(path, ending).metadata or {}).get(KEY.encode()))
        if ending == ".json":
            return from_dict(json.loads(Path(path).read_text(encoding="utf-8"))[KEY])
        with open(path, "rb") as file:
            head = file.read(_NEAR)
            file.seek(max(0, os.fstat(file.fileno()).st_size - _NEAR))
            found = _MARK.search(head) or _MARK.search(file.read())
        return None if found is None else _unpack(found[1].decode(), found[2])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None


def _unpack(digest: str, packed: bytes | None) -> Mark:
    """A mark; one of an earlier version holds less."""
    if packed is None:
        return Mark(digest, {})
    unpacker = zlib.decompressobj()
    content = json.loads(unpacker.decompress(base64.urlsafe_b64decode(packed), 2**26))
    if "spec" not in content:
        return Mark(digest, {})
    inputs = {str(name): str(chain) for name, chain in content["inputs"].items()}
    spec = canonical_json(content["spec"])
    return Mark(digest, inputs, spec, str(content["code"]), str(content["file"]))


def _schema(path: str | os.PathLike[str], ending: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if ending == ".parquet":
        return pq.read_schema(path)
    with pa.memory_map(os.fspath(path)) as source:
        return pa.ipc.open_file(source).schema


def _parse(text: bytes | None) -> Origin | None:
    try:
        return None if text is None else from_dict(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
