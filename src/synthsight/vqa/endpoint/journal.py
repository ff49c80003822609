"""The journal of an endpoint's answers: each is kept as it comes, so that nothing is asked twice.

JSON lines, a file for each shard, in a folder of the model's own. Whoever asks reads all files of
the folder, so it does not matter how questions are divided. Nothing is ever deleted: an answer that
was paid for, or of a server that is no more, cannot be had again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from synthsight.errors import SynthsightError
from synthsight.vqa.endpoint.reply import Reply

#: How lines begin: with the digest of what was asked.
_LINE = re.compile(r'\{"asked": "([0-9a-f]{64})", ')

#: Seconds after which what was written is also forced to the disk. A process that is killed loses
#: nothing that it has written; only a machine that fails loses what was not forced.
_FORCE = 1.0


class JournalError(SynthsightError):
    """A journal that another process writes."""


@dataclass(frozen=True)
class Entry:
    """An answer as it came.

    Attributes:
        reply: what was replied.
        at: when, UTC, in ISO format, to the second.
        picture: how the picture was sent: see :class:`synthsight.vqa.endpoint.pictures.Picture`.
        dialect: what was asked for: see :class:`synthsight.vqa.endpoint.request.Dialect`.
    """

    reply: Reply
    at: str
    picture: str
    dialect: Mapping[str, Any]


def read_journals(folder: Path, asked: Collection[str]) -> dict[str, Entry]:
    """What is known already of what is to be asked.

    A last line without an end is left out: a process was killed as it wrote, or is just writing.
    Other lines that cannot be read are left out with a warning; their questions are asked again.

    Args:
        folder: of a model's journals; it need not exist.
        asked: digests of what is to be asked.

    Returns:
        The entries, by digest; the last one of each.
    """
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.jsonl")):
        with open(path, encoding="utf-8", errors="replace", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith("\n"):
                    break
                start = _LINE.match(line)
                if start is not None and start[1] not in asked:
                    continue
                entry = _parse(line)
                if start is None or entry is None:
                    print(f"WARNING: {path}, line {number}, is damaged and left out", flush=True)
                elif start[1] not in found or found[start[1]].at <= entry.at:
                    found[start[1]] = entry
    return found


def _parse(line: str) -> Entry | None:
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        content = json.loads(line)
        reply = content["reply"]
        tokens = reply["tokens"]
        if tokens is not None:
            reply = {**reply, "tokens": tuple((str(token), float(p)) for token, p in tokens)}
        dialect = dict(content["dialect"])
        return Entry(Reply(**reply), str(content["at"]), str(content["picture"]), dialect)
    return None


class Journal:
    """A journal that is written, by one process at a time.

    Args:
        path: the file; a line at its end that was not finished is removed.

    Raises:
        JournalError: another process writes it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file: IO[bytes] = open(path, "ab+")  # noqa: SIM115 - closed by close()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(
                f"{path} is being written by another process, which asks the same questions: wait "
                "for it, or end it"
            ) from None
        except OSError:
            pass  # a file system without locks
        self._drop_torn()
        self._forced = time.monotonic()

    def _drop_torn(self) -> None:
        """Remove what stands behind the last end of a line."""
        end = self._file.seek(0, os.SEEK_END)
        place = end
        while place:
            begin = max(0, place - 2**16)
            self._file.seek(begin)
            last = self._file.read(place - begin).rfind(b"\n")
            if last >= 0:
                place = begin + last + 1
                break
            place = begin
        if place < end:
            self._file.truncate(place)
            print(f"{self._path}: its last line was not finished and is removed", flush=True)

    def add(self, asked: str, entry: Entry) -> None:
        """Keep an answer.

        Args:
            asked: digest of what was asked.
            entry: the answer.

        Raises:
            OSError: it cannot be written (its ``errno`` is set).
        """
        content = {"asked": asked, **asdict(entry)}
        self._file.write(json.dumps(content, ensure_ascii=True).encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._forced >= _FORCE:
            self._force()

    def _force(self) -> None:
        os.fsync(self._file.fileno())
        self._forced = time.monotonic()

    def close(self) -> None:
        """Force what was written to the disk, and let others write."""
        self._force()
        self._file.close()
