"""The package beside a Snakefile is the one that runs, or what would have run is said."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthsight.clone import PACKAGE, OtherCopyError, is_clone, own_version, require_own
from tests import warm
from tests.support import REPOSITORY, Project, copy_workflow

SNAKEMAKE = Path(sys.executable).with_name("snakemake")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project, run with an environment that was made in another folder."""
    copied = copy_workflow(tmp_path_factory.mktemp("clones") / "a copy {x} <y>")
    shutil.copy(REPOSITORY / "config.yaml", copied.folder)
    shutil.copytree(REPOSITORY / "demo", copied.folder / "demo")
    shutil.copytree(REPOSITORY / "resources", copied.folder / "resources", dirs_exist_ok=True)
    return copied


def run(folder: Path, *command: object) -> tuple[int, str]:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTHONPATH"] = str(REPOSITORY / "src")
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_a_copy_runs_its_own_package_and_takes_nothing_from_the_working_folder(
    clone: Project,
) -> None:
    """Braces and angles in the folder's name are no wildcards, and stray modules are not run."""
    for stray in ("random.py", "queue.py", "timm.py"):
        (clone.folder / stray).write_text("raise SystemExit('a stray file was run')\n")
    table = "results/demo/tables/label_audit.csv"
    status, said = run(clone.folder, SNAKEMAKE, table, "--cores", "1", "--resources", "gpu=0")
    assert status == 0, said
    for stray in ("random.py", "queue.py", "timm.py"):
        (clone.folder / stray).unlink()
    broken = clone.folder / "src" / "synthsight" / "canonical.py"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(text + "raise ValueError('the copy is broken')\n", encoding="utf-8")
    status, said = run(clone.folder, SNAKEMAKE, "--dry-run")
    broken.write_text(text, encoding="utf-8")
    assert status != 0
    assert "the copy is broken" in said


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["-m", "synthsight", "check", "config.yaml"], "synthsight check: the current folder"),
        (
            ["workflow/scripts/index_images.py", "--spec", "{}", "--output", "x"],
            "index_images: this program",
        ),
    ],
)
def test_a_program_of_another_copy_is_refused(
    clone: Project, command: list[str], what: str
) -> None:
    status, said = run(clone.folder, sys.executable, *command)
    assert status == 1, said
    assert said.startswith(what)
    assert str(clone.folder / "src" / "synthsight") in said
    assert str(PACKAGE) in said
    assert "Traceback" not in said


def test_a_snakefile_without_its_package_is_told_what_would_have_run(tmp_path: Path) -> None:
    require_own(REPOSITORY, "it")
    assert is_clone(REPOSITORY)
    assert not is_clone(tmp_path)
    with pytest.raises(OtherCopyError, match=r"does not exist.*copied in part") as caught:
        require_own(tmp_path, "it")
    assert str(PACKAGE) in str(caught.value)


# The configuration, before Snakemake reads it ----------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"run: a\nrun: b\n", "config.yaml, line 2: the key 'run' is also on line 1"),
        (b"run: a\nimages: [\n", "config.yaml, line 3, column 1: "),
        ("run: a\n".encode("utf-16"), "not UTF-8 text but UTF-16"),
    ],
)
def test_the_plain_command_says_where_a_configuration_is_wrong(
    clone: Project, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    done = warm.run([SNAKEMAKE, "-s", clone.folder / "Snakefile", "--dry-run"], tmp_path)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.long
def test_two_keys_in_a_file_of_an_option_are_refused(clone: Project, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("run: a\nimages:\n  root: b\n  root: c\n")
    command = (SNAKEMAKE, "-s", clone.folder / "Snakefile", "--dry-run", "--configfile", "two.yaml")
    done = warm.run(command, tmp_path)
    assert done.returncode != 0
    assert "two.yaml, line 4: the key 'root' is also on line 3" in done.stdout + done.stderr


#: A locale in which Python reads the names of files as ASCII; one of ISO 8859 does as badly.
NOT_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        (SNAKEMAKE, "--dry-run"),
        (sys.executable, "-m", "synthsight", "check", "config.yaml"),
        (sys.executable, "-m", "synthsight", "init", "resources/demo/images"),
    ],
    ids=["snakemake", "check", "init"],
)
def test_a_locale_that_reads_other_names_is_refused(command: tuple[object, ...]) -> None:
    environment = {**os.environ, **NOT_UTF8}
    done = subprocess.run(
        list(map(str, command)), cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "names of files are read as ascii" in said and "PYTHONUTF8=1" in said
    assert "Traceback" not in said


def test_the_version_is_that_of_the_code_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is installed, or was before the project was copied or moved."""
    monkeypatch.setattr("synthsight.clone.PACKAGE", tmp_path / "src" / "synthsight")
    installed = importlib.metadata.version("synthsight")
    assert own_version() == installed, "not in a clone"
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\nname = "synthsight"\nversion = "99.1"\n')
    assert own_version() == "99.1"
    for content in ('[project]\nname = "else"\nversion = "99.1"\n', "[project", "[project]\n"):
        file.write_text(content)
        assert own_version() == installed, content
