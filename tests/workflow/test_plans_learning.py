"""What is learned from features: made on request, and again for what it depends on alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthsight import api
from tests.conftest import Make
from tests.support import Job, Project, draw_image
from tests.workflow.test_plans_features import with_features

pytestmark = pytest.mark.long

CATEGORIES = ("bagel", "clock", "toilet_seat")

#: Settings with which a run takes seconds.
SETTINGS: dict[str, Any] = {
    "transfer": {"per_category": [1, "max"], "folds": 2, "resamples": 20},
    "distances": {"halves": 2, "permutations": 19, "nearest": 1},
    "map": {},
}

#: Jobs of one model, by its name.
HEADS: set[Job] = {("transfer",), ("plot_transfer",), ("plot_transfer_curves",), ("report",)}
HEADS |= {("export_transfer",)}
DISTANCES: set[Job] = {("distances",), ("plot_distances",), ("report",)}


def learned(*models: str) -> set[Job]:
    """The jobs that learn from these models' features."""
    of_model = ("train_heads", "measure_distances", "map_images")
    return {(rule, model) for rule in of_model for model in models} | HEADS | DISTANCES


@pytest.fixture(scope="module")
def learnt(finished: Project, once: Callable[[str, Make], Project]) -> Project:
    """The small project with more images, half of them photographs, after learning from them."""

    def make(folder: Path) -> Project:
        shutil.copytree(finished.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        for generator in ("dream", "muse"):
            for category in CATEGORIES:
                for number in range(2, 8):
                    place = project.folder / "pictures" / generator / category / f"{number}.png"
                    draw_image(place, hash_of(generator, category, number), size=(90, 70))
        config = project.config
        del config["vqa"]
        project.configure({**config, "images": {**config["images"], "real": "muse"}})
        project.run()
        project.configure(with_features(project.config, "resnet", **SETTINGS))
        embedded = {("embed", "resnet", each) for each in CATEGORIES}
        assert project.plan() == embedded | learned("resnet")
        project.run()
        assert project.plan() == set()
        return project

    return once("learnt", make)


def hash_of(generator: str, category: str, number: int) -> int:
    """A seed of each image's own."""
    return 100 + 50 * (generator == "muse") + 10 * CATEGORIES.index(category) + number


@pytest.fixture(name="mine")
def mine_(learnt: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    shutil.copytree(learnt.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def changed(project: Project, key: str, **settings: Any) -> set[Job]:
    """The jobs of a plan in which some settings below a key are others."""
    config = project.config
    project.configure({**config, key: {**config[key], **settings}})
    jobs = project.plan()
    project.configure(config)
    return jobs


def test_each_setting_learns_again_what_it_decides_and_nothing_else(mine: Project) -> None:
    heads = {("train_heads", "resnet")} | HEADS
    assert changed(mine, "transfer", folds=3) == heads
    assert changed(mine, "transfer", per_category=["max"]) == heads
    assert changed(mine, "transfer", per_category=["max", 1]) == {("report",)}, "in another order"
    assert changed(mine, "distances", nearest=2) == {("measure_distances", "resnet")} | DISTANCES
    assert changed(mine, "map", perplexity=3) == {("map_images", "resnet"), ("report",)}
    assert changed(mine, "map", models=["resnet"]) == {("report",)}, "which prints what is written"


def test_a_notebook_gets_the_map_with_what_is_known_of_images(learnt: Project) -> None:
    run = api.open_run(learnt.results)
    table = run.map("resnet")
    assert list(table.columns) == ["image", "x", "y", "category", "generator"]
    written = pd.read_parquet(learnt.results / "maps" / "resnet.parquet").set_index("image")
    sources = pd.read_parquet(learnt.results / "sources" / "images.parquet").set_index("image")
    table = table.set_index("image")
    assert sorted(table.index) == sorted(written.index) == sorted(sources.index)
    assert len(table) == 48
    pd.testing.assert_frame_equal(table[["x", "y"]], written.loc[table.index, ["x", "y"]])
    known = sources.loc[table.index, ["category", "generator"]]
    pd.testing.assert_frame_equal(table[["category", "generator"]], known, check_dtype=False)
    with pytest.raises(api.ApiError, match=r"map 'resent'.*resnet"):
        run.map("resent")


def test_one_more_model_learns_for_itself(mine: Project) -> None:
    mine.configure(with_features(mine.config, "effnet"))
    embedded = {("embed", "effnet", each) for each in CATEGORIES}
    assert mine.plan() == embedded | learned("effnet")
    mine.run("tables")
    table = pd.read_csv(mine.results / "tables" / "transfer.csv")
    assert set(table["model"]) == {"effnet", "resnet"}


def test_one_more_image_divides_all_images_anew(mine: Project) -> None:
    draw_image(mine.folder / "pictures" / "dream" / "clock" / "9.png", 77, size=(90, 70))
    jobs = mine.plan()
    assert learned("resnet") <= jobs
    assert {job for job in jobs if job[0] == "embed"} == {("embed", "resnet", "clock")}


def test_groups_teach_otherwise_and_embed_nothing(mine: Project) -> None:
    images = {**mine.config["images"], "group": "([0-9])"}
    mine.configure({**mine.config, "images": images})
    jobs = mine.plan()
    assert learned("resnet") <= jobs
    assert not {job for job in jobs if job[0] in ("embed", "classify", "index_images")}


def test_what_is_gone_is_learned_again_for_its_model(mine: Project) -> None:
    (mine.results / "heads" / "resnet" / "categories.parquet").unlink()
    assert mine.plan() == {("train_heads", "resnet")} | HEADS


def test_what_is_no_longer_asked_for_is_named_and_left_out_of_the_page(mine: Project) -> None:
    config = mine.config
    mine.configure({key: value for key, value in config.items() if key not in SETTINGS})
    said = mine.snakemake("--dry-run")
    assert "export/transfer.tex" in said.stdout + said.stderr
    assert mine.plan() == {("report",)}
