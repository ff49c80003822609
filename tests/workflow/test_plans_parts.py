"""Categories in parts: the same results, and what a change, a loss or a failure costs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from synthsight import api
from synthsight.images.parts import key_of, part_of
from tests.conftest import Make
from tests.support import Job, Project, assert_close, draw_image

MODELS = ("effnet", "resnet")
GEOMETRIES = ("resize72-bilinear-crop64", "resize64-bilinear-whole")

#: Images of the divided category: those of the small project, and more.
MORE = 12

#: The most images of a category without parts.
MOST = 5

#: Its number of parts, and their names.
NUMBER = 4
NAMES = tuple(f"{number}-of-{NUMBER}" for number in range(1, NUMBER + 1))


def part_in(name: str) -> str:
    """The part of an image of ``clock``, by its file's name."""
    return part_of(key_of(f"dream/clock/{name}", "dream/clock"), NUMBER)


def in_parts(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "images": {**config["images"], "part": MOST}}


@pytest.fixture(scope="module")
def whole(finished: Project, once: Callable[[str, Make], Project]) -> Project:
    """The small project with more clocks, of which two are one file, and features of a model."""

    def make(folder: Path) -> Project:
        shutil.copytree(finished.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        clocks = project.folder / "pictures" / "dream" / "clock"
        for number in range(2, MORE):
            draw_image(clocks / f"{number}.png", 100 + number)
        shutil.copy2(clocks / "2.png", clocks / "copy.png")
        (clocks / "broken.png").write_bytes(b"no picture")
        models = [{**m, "features": m["name"] == "resnet"} for m in project.config["models"]]
        project.configure({**project.config, "models": models})
        project.run("logits", "features")
        return project

    return once("many_clocks", make)


@pytest.fixture(scope="module")
def divided(whole: Project, once: Callable[[str, Make], Project]) -> Project:
    """The same after a run in parts."""

    def make(folder: Path) -> Project:
        shutil.copytree(whole.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        project.configure(in_parts(project.config))
        project.run("logits", "features")
        return project

    return once("divided_clocks", make)


@pytest.fixture
def parted(divided: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    shutil.copytree(divided.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def planned(project: Project, *targets: str) -> set[Job]:
    """The jobs of a plan, without those of the targets themselves."""
    return project.plan(*targets) - {(target,) for target in targets}


def of_part(part: str, *, pixels: bool = True) -> set[Job]:
    """The jobs that decode and classify a part of the clocks, and join them."""
    jobs: set[Job] = {
        *(("classify_part", model, "clock", part) for model in MODELS),
        *(("join_logits", model, "clock") for model in MODELS),
        ("embed_part", "resnet", "clock", part),
        ("join_features", "resnet", "clock"),
    }
    if pixels:
        jobs |= {("prepare_pixels_part", geometry, "clock", part) for geometry in GEOMETRIES}
    return jobs


def ordered(jobs: set[Job]) -> set[tuple[str, ...]]:
    """Jobs with their wildcards in one order: Snakemake's is that of the paths."""
    return {(job[0], *sorted(job[1:])) for job in jobs}


def stages(project: Project) -> set[Job]:
    """What a run up to logits and features would do."""
    return ordered(planned(project, "logits", "features"))


@pytest.mark.long
def test_parts_joined_are_what_a_category_without_parts_gives(
    whole: Project, divided: Project
) -> None:
    for file in ("images/clock", "logits/resnet/clock", "features/resnet/clock"):
        one, other = (pq.read_table(p.results / f"{file}.parquet") for p in (whole, divided))
        assert one.schema.equals(other.schema)
        if file == "images/clock":
            assert one.equals(other)
            continue
        assert one["image"].equals(other["image"])
        assert one.schema.metadata[b"synthsight"] == other.schema.metadata[b"synthsight"]
        values = [np.stack(table[1].to_numpy(zero_copy_only=False)) for table in (one, other)]
        assert_close(*values)  # batches differ
    made = {path.parent.name for path in (divided.results / "parts" / "images").rglob("*.parquet")}
    assert made == {*NAMES}
    left = [path for path in (divided.results / "parts").rglob("*") if "bagel" in path.name]
    assert not left, "of categories with fewer images there are no parts"


@pytest.mark.long
def test_what_reads_a_run_knows_whole_categories_alone(divided: Project) -> None:
    run = api.open_run(divided.results)
    assert run.models == MODELS
    assert len(run.logits("effnet", "clock")) == len(run.features("resnet", "clock")) == MORE + 2
    assert stages(divided) == set(), "nothing is done twice"


@pytest.mark.long
def test_an_added_image_runs_its_part_and_no_other(parted: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in files_of_parts(parted)}
    draw_image(parted.folder / "pictures" / "dream" / "clock" / "new.png", 999)
    part = part_in("new.png")
    joined: set[Job] = {("index_images_part", "clock", part), ("join_manifests", "clock")}
    assert stages(parted) == ordered({*joined, *of_part(part)})
    parted.run("logits", "features")
    after = {path: path.stat().st_mtime_ns for path in files_of_parts(parted)}
    changed = {path for path in after if after[path] != before.get(path)}
    assert {path.parent.name for path in changed} == {part}
    images = pq.read_table(parted.results / "logits" / "resnet" / "clock.parquet")["image"]
    assert "dream/clock/new.png" in images.to_pylist() and len(images) == MORE + 3
    assert stages(parted) == set()


def files_of_parts(project: Project) -> Iterator[Path]:
    return (path for path in (project.results / "parts").rglob("*") if path.is_file())


@pytest.mark.long
def test_touched_files_of_a_part_are_compared_and_run_nothing(parted: Project) -> None:
    for path in (parted.folder / "pictures" / "dream" / "clock").glob("*.png"):
        path.touch()
    assert stages(parted) == set()


@pytest.mark.long
def test_a_lost_part_is_made_again_when_its_category_is_joined_again(parted: Project) -> None:
    lost, other = NAMES[0], next(name for name in NAMES[1:])
    shutil.rmtree(parted.results / "parts" / "logits" / "effnet" / lost)
    assert stages(parted) == set(), "what is joined is there"
    (parted.results / "logits" / "effnet" / "clock.parquet").unlink()
    jobs: set[Job] = {
        ("classify_part", "effnet", "clock", lost),
        ("join_logits", "effnet", "clock"),
    }
    assert stages(parted) == ordered(jobs)
    shutil.copy2(  # one in the place of another
        parted.results / "parts" / "logits" / "resnet" / other / "clock.parquet",
        parted.results / "parts" / "logits" / "effnet" / other / "clock.parquet",
    )
    assert stages(parted) == ordered({*jobs, ("classify_part", "effnet", "clock", other)})


@pytest.mark.long
def test_a_failed_job_costs_its_part_alone(parted: Project) -> None:
    models = parted.config["models"]
    models[0]["mean"] = [0.4, 0.4, 0.4]
    parted.configure({**parted.config, "models": models})
    # Pixels of one part that say that they are higher than they are.
    broken = parted.results / "parts" / "pixels" / GEOMETRIES[0] / NAMES[1] / "clock.arrow"
    sound, times = broken.read_bytes(), (broken.stat().st_atime_ns, broken.stat().st_mtime_ns)
    table = pa.ipc.open_file(sound).read_all()
    heights = pc.multiply(table["height"], pa.scalar(99, pa.int32()))
    with pa.ipc.new_file(broken, table.schema) as writer:
        writer.write_table(table.set_column(1, "height", heights))
    os.utime(broken, ns=times)
    said = parted.fail("logits")
    assert "1 job failed" in said and f"classify_part effnet {NAMES[1]} clock" in said
    broken.write_bytes(sound)
    os.utime(broken, ns=times)
    left: set[Job] = {
        ("classify_part", "effnet", "clock", NAMES[1]),
        ("join_logits", "effnet", "clock"),
    }
    assert ordered(planned(parted, "logits")) == ordered(left)


@pytest.mark.long
def test_pixels_that_are_not_kept_are_made_part_by_part(parted: Project) -> None:
    parted.configure({**parted.config, "keep_pixels": False})
    parted.run("logits", "features")
    assert stages(parted) == set()
    draw_image(parted.folder / "pictures" / "dream" / "clock" / "new.png", 999)
    part = part_in("new.png")
    assert stages(parted) == ordered(
        {
            ("index_images_part", "clock", part),
            ("join_manifests", "clock"),
            *of_part(part, pixels=False),
            *(
                ("prepare_pixels_part", geometry, model, "clock", part)
                for geometry, model in zip(GEOMETRIES, MODELS, strict=True)
            ),
            ("prepare_pixels_to_embed_part", GEOMETRIES[1], "resnet", "clock", part),
        }
    )
    left = [
        path for path in (parted.results / "parts").rglob("*.arrow") if "-of-" in path.parts[-3]
    ]
    assert not left


@pytest.mark.long
def test_more_images_than_that_run_a_category_once_in_parts_and_leave_others(
    whole: Project, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    shutil.copytree(whole.folder, project.folder, symlinks=True)
    assert stages(project) == set()
    project.configure(in_parts(project.config))
    jobs = stages(project)
    assert {job[0] for job in jobs} == {
        *("index_images_part", "join_manifests", "prepare_pixels_part", "classify_part"),
        *("join_logits", "embed_part", "join_features"),
    }
    assert all("clock" in job for job in jobs)
    assert len(jobs) == NUMBER * (1 + 2 + 2 + 1) + 1 + 2 + 1


@pytest.mark.long
def test_networks_are_trained_on_the_pixels_of_all_parts(parted: Project) -> None:
    config = parted.config
    adapt = [{"model": "effnet", "method": "finetune", "name": "tuned", "folds": 2}]
    for keep in (True, False):
        parted.configure({**config, "adapt": adapt, "keep_pixels": keep})
        pixels = {job for job in planned(parted, "logits") if "to_adapt" in job[0]}
        names = {job[0] for job in pixels}
        expected = {"prepare_pixels_to_adapt", "prepare_pixels_to_adapt_part"}
        assert names == (set() if keep else expected)
        if not keep:
            assert sum(job[0] == "prepare_pixels_to_adapt_part" for job in pixels) == 2 * NUMBER


@pytest.mark.long
def test_rows_of_a_table_are_worked_on_in_parts_too(divided: Project, parted: Project) -> None:
    root = parted.folder / "pictures"
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.png"))]

    def tabled(names: list[str]) -> None:
        rows = [f"{name},{name.split('/')[1]},{name.split('/')[0]}" for name in names]
        (parted.folder / "images.csv").write_text(
            "\n".join(["image,category,generator", *rows]) + "\n", encoding="utf-8"
        )

    tabled(names)
    images = {**parted.config["images"], "table": "images.csv"}
    parted.configure({**parted.config, "images": images})
    parted.run("logits")
    found, expected = (
        pq.read_table(p.results / "logits" / "effnet" / "clock.parquet") for p in (parted, divided)
    )
    assert found["image"].equals(expected["image"])
    assert planned(parted, "logits") == set()
    tabled([name for name in names if name != "dream/clock/7.png"])
    part = part_of(b"dream/clock/7.png", NUMBER)
    jobs = {job for job in ordered(planned(parted, "logits")) if "_part" in job[0]}
    assert jobs == ordered(
        {
            ("index_images_part", "clock", part),
            *(("prepare_pixels_part", geometry, "clock", part) for geometry in GEOMETRIES),
            *(("classify_part", model, "clock", part) for model in MODELS),
        }
    )
