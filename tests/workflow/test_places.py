"""A run in another folder than the workflow's: what is looked for there, what beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import PARTS, REPOSITORY, Project


@pytest.fixture(name="apart")
def apart_(project: Project) -> Project:
    """The finished project without the workflow that made it."""
    for part in PARTS:
        path = project.folder / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return project


@pytest.mark.long
def test_a_finished_run_has_nothing_to_do_whichever_snakefile_and_folder_are_named(
    apart: Project, tmp_path: Path
) -> None:
    """Programs, schema, profile and definitions are those beside the Snakefile."""
    (tmp_path / "away").mkdir()
    away = Project(tmp_path / "away")
    snakefile = REPOSITORY / "Snakefile"
    assert apart.plan("--snakefile", str(snakefile)) == set()
    config = shutil.copy(apart.folder / "config.yaml", away.folder / "mine.yaml")
    (apart.folder / "config.yaml").unlink()
    named = ("--configfile", Path(config).name, "--directory", "../project")
    assert away.plan("--snakefile", str(snakefile), *named) == set()
    told = away.fail("--snakefile", str(snakefile), "--directory", "../project")
    assert (
        f"no file 'config.yaml' (relative paths start at {apart.folder}); there is one in" in told
    )
    assert f"in {REPOSITORY}: run it in that folder; name another with --configfile" in told


@pytest.mark.long
def test_a_home_that_cannot_be_written_is_not_needed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by Snakemake, which has caches there, nor by the library that draws."""
    home = tmp_path / "home"
    home.write_text("a file")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    (project.results / "figures" / "kappa.png").unlink()
    project.configure({**project.config, "worker": False})
    project.run("results/small/figures/kappa.png")
    assert (project.results / "logs" / "plot_kappa.log").read_text() == ""
    assert (project.folder / ".snakemake" / "cache" / "matplotlib").is_dir()


@pytest.mark.long
def test_definitions_in_the_working_folder_come_before_the_projects(apart: Project) -> None:
    own = apart.folder / "resources" / "categories.yaml"
    own.write_text("bagel:\n  also: [pretzel]\n", encoding="utf-8")
    rules = {job[0] for job in apart.plan("--snakefile", str(REPOSITORY / "Snakefile"))}
    assert {"score", "label_audit"} <= rules and "classify" not in rules
