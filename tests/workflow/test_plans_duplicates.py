"""Duplicates that are left out: what runs again, and that every count agrees."""

from __future__ import annotations

import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthsight import api
from tests.report.test_page import data_of, text_of
from tests.support import REPOSITORY, Project, draw_image
from tests.workflow.test_plans import (
    CATEGORIES,
    FAN_IN,
    GEOMETRIES,
    MODELS,
    OF_MANIFESTS,
    SCORES,
)

SCENES = sorted((REPOSITORY / "resources" / "demo" / "images" / "crayon" / "kite").iterdir())

#: What runs if other images are left out, or none.
OTHERS = {("list_excluded",), ("find_sources",), ("plot_samples",), *SCORES, *FAN_IN}


def choose(project: Project, **keys: object) -> None:
    project.configure({**project.config, "images": {"root": "pictures", **keys}})


@pytest.mark.long
def test_leaving_duplicates_out_runs_scoring_and_no_model(project: Project) -> None:
    choose(project, duplicates="keep")
    assert project.plan() == set()
    choose(project, duplicates="exclude")
    assert project.plan() == OTHERS


@pytest.mark.long
def test_images_that_are_left_out_are_in_no_count_and_nothing_else_changes(
    project: Project,
) -> None:
    folder = project.folder / "pictures"
    scene, other = (Image.open(path).convert("RGB") for path in SCENES[:2])
    scene.save(folder / "dream" / "clock" / "s.png")
    scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "muse" / "clock" / "m.jpg")
    other.save(folder / "dream" / "bagel" / "b.png")
    shutil.copy(folder / "dream" / "bagel" / "b.png", folder / "muse" / "toilet_seat" / "b.png")
    out = {"muse/clock/m.jpg", "dream/bagel/b.png", "muse/toilet_seat/b.png"}
    project.run()
    results, scores = project.results, project.results / "scores" / "resnet.parquet"
    kept = pq.read_table(scores).to_pandas()
    files = [*results.glob("tables/*.csv"), *results.glob("figures/*.png")]
    before = {path: path.read_bytes() for path in files}
    logits = {path: path.stat().st_mtime_ns for path in results.glob("logits/*/*")}

    choose(project, duplicates="exclude")
    assert project.plan() == OTHERS
    said = project.run()
    assert (
        "3 of 16 images are left out as duplicates or near duplicates (images.duplicates: exclude; "
        "tables/excluded.csv says of what): 1 of 8 of 'dream', 2 of 8 of 'muse'"
    ) in said
    assert project.plan() == set()
    assert {path: path.stat().st_mtime_ns for path in logits} == logits
    listed = pd.read_csv(results / "tables" / "excluded.csv").set_index("image")["reason"]
    assert set(listed.index) == out
    assert listed["muse/clock/m.jpg"].startswith("near duplicate of 'dream/clock/s.png' (mirrored")
    assert listed["dream/bagel/b.png"].startswith("the same file as 'muse/toilet_seat/b.png', and ")

    # What is kept is scored as before, and every count is that of the scores.
    now = pq.read_table(scores).to_pandas()
    expected = kept[~kept["image"].isin(out)].reset_index(drop=True)
    pd.testing.assert_frame_equal(now, expected)
    accuracy = pd.read_csv(results / "tables" / "accuracy.csv").set_index(["category", "generator"])
    assert set(accuracy.loc[("clock", "*"), "n"]) == {5}
    assert set(accuracy.loc[("clock", "muse"), "n"]) == {2}
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert {"excluded.csv", "accuracy.csv", "samples.png", "overview.png"} <= changed
    assert not {"duplicates.csv", "label_audit.csv"} & changed

    text = text_of(project)
    assert set(data_of(text)["explorer"]["images"]) == set(expected["image"])
    assert '<dt>Left out</dt><dd><a href="#excluded">3 files</a>' in text
    assert "; the second is left out</p>" in text and "the same file; both are left out" in text

    run = api.open_run(results)
    assert run.missing == {}
    images = run.images().set_index("image")
    assert set(images.index[images["status"] != "ok"]) == out
    assert images.loc["muse/clock/m.jpg", "reason"] == listed["muse/clock/m.jpg"]
    assert images.loc[sorted(out), "real"].isna().all()
    again = api.score(run.logits("resnet"), rule="classes").set_index("image")["top1_hit"]
    rows = run.scores("resnet", "classes").set_index("image")["top1_hit"]
    assert again.to_dict() == rows.to_dict()
    assert any(remark.startswith("3 of 16 images are left out") for remark in run.remarks())
    assert not any("one label" in remark for remark in run.remarks())

    draw_image(folder / "muse" / "clock" / "new.png", seed=99)
    assert project.plan() == {
        ("index_images", "clock"),
        *(("prepare_pixels", geometry, "clock") for geometry in GEOMETRIES),
        *(("classify", model, "clock") for model in MODELS),
        ("thumbnails", "clock"),
        *OF_MANIFESTS,
        *OTHERS,
    }
    (folder / "muse" / "clock" / "new.png").unlink()

    choose(project)
    assert project.plan() == OTHERS
    project.run()
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.long
def test_a_category_or_a_generator_without_any_image_left_ends_the_run(project: Project) -> None:
    folder = project.folder / "pictures"
    for path in (folder / "muse").rglob("*.png"):
        path.unlink()
    for number, category in enumerate(CATEGORIES):
        scene = Image.open(SCENES[number]).convert("RGB")
        scene.save(folder / "dream" / category / "s.png")
        scene.resize((100, 100)).save(folder / "muse" / category / "s.png")
    choose(project, duplicates="exclude")
    said = project.fail("scores")
    assert (
        "no image of the generator 'muse' is left: all of them are left out as duplicates "
        "(images.duplicates: exclude), for the reasons in tables/excluded.csv. Remove "
    ) in said
    for path in (folder / "muse" / "clock").iterdir():
        shutil.copy(path, folder / "dream" / "bagel" / "t.png")
    for path in (folder / "dream" / "clock").glob("[0-9].png"):
        path.unlink()
    said = project.fail("scores")
    assert "no image of the category 'clock' is left: all of them are left out" in said
    assert "leave it out of `categories`, or write `duplicates: keep` below `images`" in said
