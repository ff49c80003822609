"""The exported division: when it is made, and made again."""

from __future__ import annotations

import shutil
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support import Project, draw_image
from tests.workflow.test_plans_features import with_features


def configured(project: Project, **transfer: Any) -> None:
    """Ask for the export of a division."""
    about = {"export": True, "folds": 3, **transfer}
    project.configure(with_features(project.config, "resnet", transfer=about))


@pytest.mark.long
def test_a_division_is_made_of_the_images_alone_and_again_when_they_change(
    project: Project,
) -> None:
    configured(project)
    run = project.results.relative_to(project.folder)
    split, table = f"{run}/split", f"{run}/split.parquet"
    assert project.plan(table) == {("export_split",)}
    assert ("export_split",) in project.plan(), "it is part of everything"
    project.run(table)
    links = pq.read_table(project.folder / table)["link"].to_pylist()
    assert {link.split("/")[0] for link in links} == {"train", "test"}
    assert all((project.folder / split / link).is_file() for link in links)
    assert project.plan(split, table) == set()

    shutil.rmtree(project.folder / split)
    assert project.plan(split, table) == {("export_split",)}
    project.run(split, table)

    image = pq.read_table(project.folder / table)["image"][0].as_py()
    root = project.folder / project.config["images"]["root"]
    draw_image((root / image).with_name("new.png"), 99)
    (root / image).unlink()
    jobs = project.plan(split, table)
    assert ("export_split",) in jobs and ("find_sources",) in jobs
    assert not any(job[0] in ("classify", "embed", "train_heads") for job in jobs)
    project.run(split, table)
    names = {path.name for path in (project.folder / split).rglob("*.png") if path.is_symlink()}
    images = pq.read_table(project.folder / table)["image"].to_pylist()
    assert "new.png" in names and image not in images
    assert all(path.is_file() for path in (project.folder / split).rglob("*.png"))

    configured(project, folds=4)
    assert project.plan(split, table) == {("export_split",)}

    configured(project, export=False)
    assert ("export_split",) not in project.plan()
    said = project.snakemake("--dry-run")
    assert "split.parquet" in said.stdout + said.stderr
