"""A start that finds everything as an earlier one left it ends at once; any other does not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthsight.plan import unchanged
from synthsight.plan.unchanged import Look


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small clone and project, in which starts may seal what they see at once."""
    for name in ("src/code.py", "rules/rule.smk", "Snakefile", "config.yaml", "labels.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for name in ("results/one.parquet", "images/a/1.png", "images/a/2.png", "packages/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".snakemake" / "metadata").mkdir(parents=True)
    (tmp_path / ".snakemake" / "metadata" / "b25l").write_text("params")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/bin/snakemake", "--cores", "2"])
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "packages")])
    monkeypatch.setattr(unchanged, "_OLDER", -(10**15))
    return tmp_path


def begin(place: Path, **settings: object) -> Look:
    named = {f"{name}_settings": None for name in unchanged._SETTINGS} | settings
    workflow = SimpleNamespace(is_main_process=True, **named)
    return Look.of(workflow, place, place / ".snakemake" / "synthsight")


def look(place: Path) -> Look:
    """A whole start, which finds that there is nothing to do."""
    start = begin(place)
    with start.watching():
        Path("config.yaml").read_text()
        os.stat("labels.txt")
        assert not Path("labels.csv").exists()
        for folder, _, names in os.walk("images"):
            for name in names:
                os.stat(os.path.join(folder, name))
    start.note("Note: all is well")
    start.seal(["results/one.parquet"], ["results/plan.json"])
    return start


def test_what_was_said_is_said_again(place: Path) -> None:
    assert begin(place).unchanged() is None
    look(place)
    assert begin(place).unchanged() == ["Note: all is well"]


def exchange(path: str) -> None:
    """Another file of the same name, size and time."""
    status = os.stat(path)
    Path("new").write_bytes(bytes(status.st_size))
    os.utime("new", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace("new", path)


CHANGES: dict[str, Callable[[], object]] = {
    "a file that was read": lambda: Path("config.yaml").write_text("other text"),
    "a file that was looked at": lambda: Path("labels.txt").write_text("more labels"),
    "a file that was missing": lambda: Path("labels.csv").write_text(""),
    "one more image": lambda: Path("images/a/3.png").write_text("3"),
    "one image less": lambda: os.unlink("images/a/1.png"),
    "an image with another name": lambda: os.rename("images/a/1.png", "images/a/0.png"),
    "a touched image": lambda: os.utime("images/a/1.png", ns=(1, 1)),
    "an image in another's place": lambda: exchange("images/a/1.png"),
    "one more folder": lambda: os.mkdir("images/b"),
    "a result that is missing": lambda: os.unlink("results/one.parquet"),
    "a result that was written": lambda: Path("results/one.parquet").write_text("two"),
    "the plan of another run": lambda: Path("results/plan.json").write_text("other"),
    "what Snakemake remembers": lambda: Path(".snakemake/metadata/b25l").write_text("none"),
    "what was not finished": lambda: os.mkdir(".snakemake/incomplete"),
    "Snakemake's records": lambda: shutil.rmtree(".snakemake"),
    "code": lambda: Path("src/code.py").write_text("x = 1"),
    "new code": lambda: Path("src/more.py").write_text("x = 1"),
    "a rule": lambda: Path("rules/rule.smk").write_text("rule:"),
    "the Snakefile": lambda: Path("Snakefile").write_text("rule all:"),
    "another package": lambda: os.mkdir("packages/other-1.0.dist-info"),
    "another target": lambda: sys.argv.append("tables"),
    "an option that says what to make": lambda: sys.argv.append("--forceall"),
    "another environment": lambda: os.environ.update(SNAKEMAKE_PROFILE="slurm"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_leads_to_the_whole_plan(
    change: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "")
    look(place)
    assert begin(place).unchanged() is not None
    CHANGES[change]()
    assert begin(place).unchanged() is None


def test_settings_of_profiles_count(place: Path) -> None:
    look(place)
    assert begin(place, storage_settings={"notemp": True}).unchanged() is None


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--dry-run"], ["-n"], ["--forceall"], ["-F"], ["--report", "x.html"], ["--summary"]),
        *(["--touch"], ["--unlock"], ["-R", "score"], ["--delete-all-output"], ["--lint"]),
        *(["--mode", "subprocess"], ["--forcerun=score"], ["--report-after-run"], ["--cor", "1"]),
    ],
)
def test_commands_that_do_something_else_are_never_cut_short(
    arguments: list[str], place: Path
) -> None:
    sys.argv += arguments
    look(place)
    assert begin(place).unchanged() is None


@pytest.mark.parametrize("arguments", [["-c2"], ["-c", "2"], ["--cores=2"], ["-j4", "tables"]])
def test_ordinary_commands_are(arguments: list[str], place: Path) -> None:
    sys.argv[1:] = arguments
    look(place)
    assert begin(place).unchanged() is not None


def test_a_program_that_uses_snakemake_is_not_ended(place: Path) -> None:
    sys.argv[0] = "my_script.py"
    look(place)
    assert begin(place).unchanged() is None


def test_files_too_new_to_tell_a_change_are_not_relied_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "_OLDER", 10**15)
    look(place)
    assert begin(place).unchanged() is None


def test_what_the_start_wrote_itself_may_be_new(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "_OLDER", 0)
    start = begin(place)
    newest = max(path.stat().st_ctime_ns for path in place.rglob("*") if path.is_file())
    start._began = newest + 1
    Path("results/plan.json").write_text("plan")
    start.seal(["results/one.parquet"], ["results/plan.json"])
    assert begin(place).unchanged() == []


def test_a_damaged_seal_is_none(place: Path) -> None:
    look(place)
    (seal,) = (place / ".snakemake" / "synthsight" / "unchanged").iterdir()
    for text in ("", "[]", "{}", '{"digest": 1, "said": [], "folders": 1, "files": []}'):
        seal.write_text(text)
        assert begin(place).unchanged() is None


def test_the_commands_used_last_are_remembered(place: Path) -> None:
    folder = place / ".snakemake" / "synthsight" / "unchanged"
    for number in range(unchanged._COMMANDS + 3):
        sys.argv[2] = str(number + 1)
        look(place)
        (seal,) = {*folder.iterdir()} - {
            path for path in folder.iterdir() if path.stat().st_mtime < 1e9
        }
        os.utime(seal, (number, number))
    assert len([*folder.iterdir()]) == unchanged._COMMANDS
    assert begin(place).unchanged() is not None
    sys.argv[2] = "1"
    assert begin(place).unchanged() is None


def test_a_run_at_work_is_told_of(place: Path) -> None:
    from synthsight.plan.others import _HELD, hold

    look(place)
    hold(place / ".snakemake" / "synthsight")
    try:
        assert begin(place).unchanged() is None
    finally:
        _HELD.pop().close()
    assert begin(place).unchanged() is not None


def test_many_files_of_a_folder_need_no_list(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "_MANY", 1)
    look(place)
    assert begin(place).unchanged() is not None
    Path("images/a/2.png").write_text("other")
    assert begin(place).unchanged() is None
