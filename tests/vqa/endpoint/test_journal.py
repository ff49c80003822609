"""The journal of an endpoint's answers, whatever happened to who wrote it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from synthsight.vqa.endpoint.journal import Entry, Journal, JournalError, read_journals
from synthsight.vqa.endpoint.reply import Reply

ONE, TWO = "1" * 64, "2" * 64


def entry(text: str, tokens: tuple[tuple[str, float], ...] | None = None) -> Entry:
    return Entry(Reply(text, tokens=tokens), "2026-01-01T00:00:00+00:00", "file", {"top": 20})


def write(path: Path, **entries: Entry) -> None:
    journal = Journal(path)
    for asked, each in entries.items():
        journal.add({"one": ONE, "two": TWO}[asked], each)
    journal.close()


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    told = entry("Yes, \u2028 \n \U0001f600", (("Yes", -0.25), (" no", -9999.0)))
    write(tmp_path / "a" / "1.jsonl", one=told, two=entry("No"))
    assert read_journals(tmp_path / "a", {ONE}) == {ONE: told}
    assert read_journals(tmp_path / "nowhere", {ONE}) == {}


def test_the_last_answer_to_a_question_counts(tmp_path: Path) -> None:
    later = dataclasses.replace(entry("No"), at="2026-01-02T00:00:00+00:00")
    write(tmp_path / "1.jsonl", one=later)
    write(tmp_path / "2.jsonl", one=entry("Yes"))
    assert read_journals(tmp_path, {ONE}) == {ONE: later}


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path / "1.jsonl", one=entry("Yes"))
    write(tmp_path / "2.jsonl", two=entry("No"))
    assert set(read_journals(tmp_path, {ONE, TWO})) == {ONE, TWO}


@pytest.mark.parametrize("left", [1, 70, 200])
def test_a_line_that_was_not_finished_is_none(left: int, tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    write(path, one=entry("Yes"))
    whole = path.read_bytes()
    write(path, two=entry("No"))
    path.write_bytes(path.read_bytes()[: len(whole) + left])
    assert set(read_journals(tmp_path, {ONE, TWO})) == {ONE}
    write(path, two=entry("No, again"))
    found = read_journals(tmp_path, {ONE, TWO})
    assert found == {ONE: entry("Yes"), TWO: entry("No, again")}
    assert path.read_bytes().startswith(whole)


def test_a_file_of_one_unfinished_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    path.write_bytes(b'{"asked": "' + b"x" * 200_000)
    write(path, one=entry("Yes"))
    assert read_journals(tmp_path, {ONE}) == {ONE: entry("Yes")}


def test_a_damaged_line_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "1.jsonl"
    path.write_text(f'nonsense\n{{"asked": "{ONE}", "reply": 7}}\n', encoding="utf-8")
    write(path, two=entry("No"))
    assert set(read_journals(tmp_path, {ONE, TWO})) == {TWO}
    said = capsys.readouterr().out
    assert f"WARNING: {path}, line 1, is damaged and left out" in said
    assert f"WARNING: {path}, line 2, is damaged and left out" in said


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path / "1.jsonl")
    with pytest.raises(JournalError, match="is being written by another process"):
        Journal(tmp_path / "1.jsonl")
    first.close()
    Journal(tmp_path / "1.jsonl").close()
