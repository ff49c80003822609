"""A file under its name is whole, and nothing is left of a writer that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthsight.files import (
    FileError,
    atomic,
    can_be_written,
    check_sha256,
    check_unchanged,
    keep,
    read_kept,
    sha256_of,
    sweep,
)

#: Writes half of a file and then does what its second argument says.
HALF = """
import os, signal, sys
from pathlib import Path
from synthsight.files import atomic
with atomic(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
    temporary.write_text("whole")
"""


def write_half(path: Path, then: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, path, then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(".")
    return process


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    with atomic(path) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("1")
    with pytest.raises(ValueError, match="half"), atomic(path) as temporary:
        temporary.write_text("2")
        raise ValueError("half")
    assert path.read_text() == "1"
    assert names(path.parent) == {"table.csv"}


def test_the_rest_of_a_killed_writer_goes_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    process = write_half(path, "die")
    process.wait()
    (left,) = names(tmp_path)
    assert left == f".{process.pid}.table.csv"
    (tmp_path / f".{process.pid}.other.csv").touch()
    (tmp_path / ".hidden.table.csv").touch()
    with atomic(path) as temporary:
        assert left not in names(tmp_path)
        temporary.write_text("whole")
    assert names(tmp_path) == {"table.csv", f".{process.pid}.other.csv", ".hidden.table.csv"}


def test_a_writer_that_is_at_work_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    process = write_half(path, "wait")
    with atomic(path) as temporary:
        temporary.write_text("mine")
    assert names(tmp_path) == {"table.csv", f".{process.pid}.table.csv"}
    process.communicate("")
    assert process.returncode == 0
    assert path.read_text() == "whole"
    assert names(tmp_path) == {"table.csv"}


def test_a_folder_that_was_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".1.model").mkdir()
    (tmp_path / ".1.model" / "config.json").touch()
    (tmp_path / ".2.model").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    sweep(tmp_path / "model")
    assert names(tmp_path) == {".2.model", "elsewhere"}, "a link is not followed"


def test_what_saves_time_is_done_without_where_it_cannot_be_kept(tmp_path: Path) -> None:
    keep(tmp_path / "kept" / "a.json", "1")
    assert (tmp_path / "kept" / "a.json").read_text() == "1"

    (tmp_path / "file").touch()
    keep(tmp_path / "file" / "a.json", "1")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b'{"a": 1}', b"[" * 10**5]
)
def test_a_cache_that_is_damaged_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert read_kept(path, lambda kept: isinstance(kept, dict) and "b" in kept) is None
    assert read_kept(tmp_path / "none.json", lambda kept: True) is None
    keep(path, '{"b": 2}')
    assert read_kept(path, lambda kept: "b" in kept) == {"b": 2}


def test_a_folder_that_can_be_made_can_be_written_and_one_below_a_file_cannot(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    assert can_be_written(tmp_path) and can_be_written(tmp_path / "a" / "b")
    assert not can_be_written(tmp_path / "file") and not can_be_written(tmp_path / "file" / "a")
    assert not can_be_written(tmp_path / ("a" * 300) / "b")


def test_a_file_is_what_was_planned_and_noted_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("pizza\nkite\n")
    before = sha256_of(path)
    check_unchanged(path, before)
    check_sha256(path, before, "note.json")
    path.write_text("kite\npizza\n")
    with pytest.raises(FileError, match=r"labels\.txt has changed since the run began"):
        check_unchanged(path, before)
    with pytest.raises(FileError, match=r"labels\.txt is not the file that note\.json describes"):
        check_sha256(path, before, "note.json")
