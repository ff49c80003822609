"""Images from a table: the same bytes as from folders, and what a changed row runs again."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.support import Job, Project, draw_image
from tests.workflow.test_plans import CATEGORIES, FAN_IN, GEOMETRIES, MODELS, SCORES

TABLE = "images.csv"

Row = dict[str, str]


def rows_of_folders(project: Project) -> list[Row]:
    """What the folders say, as a table does."""
    root = project.folder / "pictures"
    found = sorted(path.relative_to(root).parts for path in root.glob("*/*/*"))
    return [
        {"image": "/".join(parts), "category": parts[1], "generator": parts[0], "group": parts[2]}
        for parts in found
        if parts[1] in CATEGORIES
    ]


def write(project: Project, rows: list[Row]) -> None:
    with open(project.folder / TABLE, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edited(project: Project, image: str, **values: str) -> None:
    """Change an image's row."""
    with open(project.folder / TABLE, encoding="utf-8", newline="") as file:
        rows = [dict(row) for row in csv.DictReader(file)]
    (row,) = (row for row in rows if row["image"] == image)
    row |= values
    write(project, rows)


def contents(project: Project) -> dict[str, object]:
    """Manifests and scores without their records, and the tables for people as bytes."""
    found: dict[str, object] = {}
    for pattern in ("images/*.parquet", "scores/*.parquet", "sources/*.parquet"):
        for path in project.results.glob(pattern):
            table = pq.read_table(path).replace_schema_metadata(None)
            found[path.relative_to(project.results).as_posix()] = table.to_pylist()
    for path in (project.results / "tables").glob("*.csv"):
        found[path.name] = path.read_bytes()
    return found


@pytest.mark.long
def test_a_table_that_says_what_folders_say_gives_the_same(project: Project) -> None:
    images = project.config["images"]
    group = r"(\d+)"
    project.configure({**project.config, "images": {**images, "group": group, "real": "muse"}})
    project.run("tables")
    from_folders = contents(project)
    assert len(from_folders) > 15
    rows = rows_of_folders(project)
    for row in rows:
        row["group"] = Path(row["group"]).stem
        row["real"] = "yes" if row["generator"] == "muse" else ""
    write(project, rows[::-1])
    project.configure({**project.config, "images": {**images, "table": TABLE}})
    assert {job for job in project.plan("tables") if job[0] == "index_images"} == {
        ("index_images", category) for category in CATEGORIES
    }
    project.run("tables")
    found = contents(project)
    sources = found["sources/images.parquet"]
    assert isinstance(sources, list)
    for row in sources:
        assert (row.pop("prompt"), row.pop("split")) == (None, None)
    assert found == from_folders


@pytest.mark.long
def test_a_table_runs_again_what_a_change_touches(project: Project) -> None:
    """One run, and then a change after another, each undone: a run takes long."""
    rows = rows_of_folders(project)
    write(project, rows)
    project.configure({**project.config, "images": {**project.config["images"], "table": TABLE}})
    said = project.run()
    assert f"{len(rows)} images in {len(rows) // 2} groups (the column 'group' of images" in said
    assert project.plan() == set()

    os.utime(project.folder / TABLE)
    write(project, rows[::-1])
    assert project.plan() == set(), "an order of rows is no change, nor is a time"

    edited(project, "muse/clock/1.png", group="another")
    assert project.plan() == {("find_sources",), ("plot_samples",)} | SCORES | FAN_IN

    write(project, rows)
    edited(project, "muse/clock/1.png", generator="dream")
    of_clock: set[Job] = {
        ("index_images", "clock"),
        *(("prepare_pixels", geometry, "clock") for geometry in GEOMETRIES),
        *(("classify", model, "clock") for model in MODELS),
        ("thumbnails", "clock"),
    }
    planned = project.plan()
    assert of_clock <= planned
    assert {job for job in planned if {*CATEGORIES, "plot"} & {*job} and "plot" not in job[0]} == (
        of_clock
    )

    draw_image(project.folder / "pictures" / "muse" / "clock" / "new.png", seed=99)
    write(project, rows)
    assert project.plan() == set(), "a file that no row names is no image"

    os.utime(project.folder / "pictures" / "muse" / "clock" / "1.png")
    assert project.plan() == set(), "a file with the bytes that it had"

    row = {"image": "muse/clock/none.png", "category": "clock", "generator": "muse", "group": "x"}
    write(project, [*rows, row])
    planned = project.plan()
    assert of_clock <= planned and ("index_images", "bagel") not in planned
    project.run("tables")
    left_out = pd.read_csv(project.results / "tables" / "excluded.csv")
    (reason,) = left_out.loc[left_out["image"] == "muse/clock/none.png", "reason"]
    assert reason.startswith("no such image below pictures")


@pytest.mark.long
def test_what_is_kept_of_a_table_can_be_lost(project: Project) -> None:
    rows = rows_of_folders(project)
    write(project, rows)
    project.configure({**project.config, "images": {**project.config["images"], "table": TABLE}})
    project.run("--until", "index_images")
    kept = project.folder / ".snakemake" / "synthsight" / "tables"
    for path in kept.glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    assert not [job for job in project.plan("--until", "index_images") if "index" in job[0]]
    project.run("--until", "index_images", "--forcerun", "index_images")
    shutil.rmtree(kept)
    project.run("--until", "index_images", "--forcerun", "index_images")
