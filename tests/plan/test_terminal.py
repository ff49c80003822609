"""What a run says on the terminal."""

from __future__ import annotations

import logging
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import terminal
from synthsight.plan.pace import Pace
from synthsight.plan.terminal import Listener, Watch, settle, succeeded
from tests.support import Project

CATEGORIES = {"bagel": 30, "clock": 12}
PARTS = {("clock", "1-of-2"): 7, ("clock", "2-of-2"): 5}


class Seen:
    """A watch, and what it says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.failed: list[str] = []
        self.pace = Pace(None, 2)
        questions = {"0": 8}
        self.watch = Watch(
            *(CATEGORIES, PARTS, questions, self.pace), self.said.append, self.failed.append
        )

    def log(self, event: str | None, **more: Any) -> None:
        record = logging.makeLogRecord({"event": event, **more})
        Listener(self.watch).handle(record)

    def start(self, job: int, rule: str, **wildcards: str) -> None:
        self.log("job_info", jobid=job, rule_name=rule, wildcards=wildcards)

    def fail(self, job: int, rule: str, *logs: Path) -> None:
        self.log("job_error", jobid=job, rule_name=rule, log=[str(each) for each in logs])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(terminal, "PAUSE", 0.0)
    return Seen()


def test_what_there_is_to_do_is_said_in_images(seen: Seen) -> None:
    seen.watch.begin(
        [
            ("classify", {"model": "a", "category": "bagel"}),
            ("classify", {"model": "b", "category": "bagel"}),
            ("embed", {"model": "a", "category": "clock"}),
            ("score", {"model": "a"}),
            ("ask", {"vqa_model": "a", "shard": "0"}),
        ]
    )
    assert seen.said == [
        "5 jobs: 60 images to be classified, 12 images to be embedded, 8 questions to be answered "
        "(categories: 2)"
    ]


def test_progress_counts_images(seen: Seen) -> None:
    seen.watch.begin(("classify", {"category": category}) for category in CATEGORIES)
    for job, category in enumerate(CATEGORIES):
        seen.start(job, "classify", model="a", category=category)
    seen.log("job_finished", job_id=1)
    seen.log("job_finished", job_id=0)
    assert seen.said[1:] == [
        "1 of 2 jobs: 12 of 42 images classified",
        "2 of 2 jobs: 42 of 42 images classified",
    ]


def test_parts_of_a_category_count_with_whole_ones(seen: Seen) -> None:
    jobs = [("classify", {"category": "bagel"})]
    jobs += [("classify_part", {"category": "clock", "part": part}) for _, part in PARTS]
    seen.watch.begin([*jobs, ("join_logits", {"category": "clock"})])
    for number, (rule, wildcards) in enumerate(jobs):
        seen.start(number, rule, **wildcards)
        seen.log("job_finished", job_id=number)
    assert seen.said[0] == "4 jobs: 42 images to be classified (categories: 2)"
    assert seen.said[-1] == "3 of 4 jobs: 42 of 42 images classified", "the last always is"


def test_progress_is_not_said_more_often_than_it_can_be_read(monkeypatch: Any) -> None:
    monkeypatch.setattr(terminal, "PAUSE", 1e9)
    seen = Seen()
    seen.watch.begin(("classify", {"category": category}) for category in CATEGORIES)
    for job, category in enumerate(CATEGORIES):
        seen.start(job, "classify", category=category)
        seen.log("job_finished", job_id=job)
    assert seen.said[1:] == ["2 of 2 jobs: 42 of 42 images classified"], "the last always is"


def test_how_long_it_takes_is_said_where_jobs_of_its_kind_have_been_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])

    def run() -> list[str]:
        seen = Seen()
        seen.pace.kept = tmp_path / "pace.json"
        jobs = [("classify", {"model": str(n), "category": "clock"}) for n in range(4)] * 6
        seen.watch.begin(jobs)
        for number, (rule, wildcards) in enumerate(jobs):
            seen.start(number, rule, **wildcards)
            now[0] += 10
            seen.log("job_finished", job_id=number)
        seen.watch.end()
        return seen.said

    first, again = run(), run()
    assert "by earlier jobs" not in first[0] and "left" not in first[3]
    assert first[4].endswith("48 of 288 images classified, about 3 min left")
    assert again[0].endswith("(categories: 1); by earlier jobs about 4 min")
    assert again[2].endswith("24 of 288 images classified, about 4 min left")


def test_lines_are_rarer_the_longer_a_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PAUSE", 5.0)
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    seen = Seen()
    jobs = 10 * 3600
    seen.watch.begin(("classify", {"model": "a", "category": "clock"}) for _ in range(jobs))
    for number in range(jobs):
        seen.start(number, "classify", model="a", category="clock")
        now[0] += 1
        seen.log("job_finished", job_id=number)
    assert 500 < len(seen.said) < 800, "in ten hours"


def test_a_failed_job_is_named_with_the_last_line_of_its_log(seen: Seen, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("reading\nclassify: a.png: no \x1b[31mimage\n\n", encoding="utf-8")
    seen.start(3, "classify", model="a", category="bagel")
    seen.fail(3, "classify", log)
    (line,) = seen.failed
    assert line == f"Failed: classify a bagel: classify: a.png: no \\x1b[31mimage ({log})"


def test_where_the_disk_is_full_an_empty_log_says_so(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "log").write_text("plot: a.pdf: No space left on device; free some\n")
    usage = terminal.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(terminal.shutil, "disk_usage", lambda _: usage._replace(free=4096))
    seen.fail(1, "plot", tmp_path / "empty")
    seen.fail(2, "plot", tmp_path / "log")
    assert "its log is empty (No space left on device where its log is; free" in seen.failed[0]
    assert seen.failed[1].count("No space left") == 1


def test_in_the_end_all_failures_are_there_and_what_to_do(seen: Seen, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    seen.log("job_finished", job_id=9)
    seen.fail(1, "score", empty)
    seen.fail(2, "all")
    seen.fail(4, "vqa", tmp_path / "missing")
    first, *failures, last = seen.watch.failed()
    assert first == "3 jobs failed, 1 finished:"
    assert failures == [
        f"  score: its log is empty ({empty})",
        "  all: it keeps no log",
        f"  vqa: its log is empty ({tmp_path / 'missing'})",
    ]
    assert "start the same command again" in last


def test_more_failures_than_can_be_read_are_counted(seen: Seen) -> None:
    for job in range(terminal.SHOWN + 3):
        seen.fail(job, "score")
    assert seen.watch.failed()[-2] == "  and 3 more"


def test_a_job_that_was_tried_again_has_not_failed(seen: Seen) -> None:
    seen.fail(1, "score")
    seen.log("job_finished", job_id=1)
    assert seen.watch.failed() == []


def test_failures_of_a_submission_are_those_of_its_jobs(seen: Seen) -> None:
    seen.start(1, "classify", model="a", category="bagel")
    infos = [{"jobid": 1, "rule_name": "classify", "log": []}, {"jobid": 2, "rule_name": "score"}]
    seen.log("group_error", groupid="x", job_error_info=infos)
    assert [line.split(":")[1] for line in seen.failed] == [" classify a bagel", " score"]


def test_a_record_that_is_not_as_expected_fails_no_run(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    seen.log("job_info")
    seen.log("job_error")
    assert seen.watch.failed() == []


class Quiet(IntEnum):
    RULES = 0


class Filter:
    def __init__(self, quiet: set[Quiet]) -> None:
        self.quiet = quiet

    def filter(self, record: logging.LogRecord) -> bool:
        return True


def test_the_log_file_says_all_and_the_screen_not_how_jobs_are_chosen(tmp_path: Path) -> None:
    logger = logging.Logger("a")
    screen, file = logging.StreamHandler(), logging.FileHandler(tmp_path / "log")
    for handler in (screen, file):
        handler.addFilter(Filter({Quiet.RULES}))
        logger.addHandler(handler)
    settle(logger)
    assert [each.quiet for each in file.filters] == [set()]  # type: ignore[union-attr]
    chosen = logging.makeLogRecord({"msg": "Select jobs to execute..."})
    started = logging.makeLogRecord({"msg": "Execute 1 jobs...", "event": "job_started"})
    other = logging.makeLogRecord({"msg": "Building DAG of jobs..."})
    ended = logging.makeLogRecord({"msg": "Finished jobid: 1", "event": "job_finished"})
    progress = logging.makeLogRecord({"msg": None, "event": "progress"})
    for kept in (chosen, started, ended, progress):
        assert not screen.filter(kept) and file.filter(kept)
    assert screen.filter(other) and file.filter(other)
    file.close()


def test_a_screen_that_is_to_say_all_says_it() -> None:
    logger = logging.Logger("a")
    screen = logging.StreamHandler()
    screen.addFilter(Filter(set()))
    logger.addHandler(screen)
    settle(logger)
    assert screen.filter(logging.makeLogRecord({"msg": "Select jobs to execute..."}))


def test_a_run_without_its_report_says_where_its_files_are() -> None:
    assert succeeded(Path("results/a"), {"score"}) == ["Results: results/a"]


def test_an_answer_that_cannot_be_told_is_no_failure(tmp_path: Path) -> None:
    (line,) = succeeded(tmp_path, {"report"})
    assert "cannot be told" in line and str(tmp_path / "report.html") in line


# The command itself -------------------------------------------------------------------------------

QUIET = ("--quiet", "rules", "host", "reason")  # as the profile has it


@pytest.mark.long
def test_a_run_ends_with_the_answer_the_report_and_what_was_left_out(project: Project) -> None:
    (project.results / "report.html").unlink()
    said = project.run(*QUIET)
    lines = said.splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("Report: "))
    assert lines[at - 1].startswith("Shown ") and lines[at - 1].endswith(".")
    assert lines[at] == "Report: results/small/report.html"
    assert lines[at + 1].startswith("Left out: ")
    assert "rule report:" not in said and "Select jobs" not in said and "reason:" not in said
    (log,) = log_of(said, project.folder)
    assert "rule report:" in log and "reason:" in log


def log_of(said: str, folder: Path) -> list[str]:
    """Snakemake's log file, which a run names."""
    names = [line for line in said.splitlines() if line.startswith("Complete log(s): ")]
    return [
        (folder / name.removeprefix("Complete log(s): ")).read_text(encoding="utf-8")
        for name in names
    ]


@pytest.mark.long
def test_a_run_that_fails_says_in_the_end_what_failed_and_why(project: Project) -> None:
    (project.folder / "checkpoints" / "resnet.safetensors").write_bytes(b"<html>no such page")
    said = project.fail(*QUIET)
    end = said[said.rindex("failed, ") :]
    assert "  fetch_weights resnet-" in end and "start the same command again" in end
    assert "checkpoints/resnet.safetensors" in end
    assert "SYNTHSIGHT_WORKER" not in said
    assert len(max(said.splitlines(), key=len)) < 1200
