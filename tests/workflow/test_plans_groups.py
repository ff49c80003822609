"""What images belong together: what a set's record and groups of questions' images run again."""

from __future__ import annotations

import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.archives.rows import RECORD, RECORD_SCHEMA
from tests.support import Project
from tests.workflow.test_plans import FAN_IN, SCORES
from tests.workflow.test_plans_vqa import FAN_IN as ABOUT_QUESTIONS

pytestmark = pytest.mark.long


def record(project: Project, prompts: dict[str, str]) -> None:
    """The record of the set that the project's images might have been unpacked from."""
    root = project.folder / "pictures"
    images = sorted(path.relative_to(root).as_posix() for path in root.glob("*/*/*"))
    rows = [{"image": image, "prompt": prompts.get(image, "a drawing")} for image in images]
    pq.write_table(pa.Table.from_pylist(rows, RECORD_SCHEMA), root / RECORD)


def test_a_set_s_record_runs_scores_and_what_follows_and_no_model(project: Project) -> None:
    record(project, {})
    assert project.plan() == {("find_sources",), ("plot_samples",)} | SCORES | FAN_IN
    said = project.run()
    assert f"12 images in 3 groups (the column 'prompt' of {RECORD})" in said
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert f"12 images are 3 draws, by the column &#39;prompt&#39; of {RECORD}." in page
    assert project.plan() == set()
    record(project, {"muse/clock/1.png": "another drawing"})
    assert project.plan() == {("find_sources",), ("plot_samples",)} | SCORES | FAN_IN


def test_groups_of_questions_images_ask_no_model(project: Project) -> None:
    before = pd.read_csv(project.results / "tables" / "vqa.csv")
    vqa = {**project.config["vqa"], "group": "[a-z]+/(.*)/[0-9]+"}
    project.configure({**project.config, "vqa": vqa})
    assert project.plan() == ABOUT_QUESTIONS
    project.run("tables", "report")
    after = pd.read_csv(project.results / "tables" / "vqa.csv")
    bounds = [name for name in after.columns if name.endswith(("low", "high"))]
    pd.testing.assert_frame_equal(after.drop(columns=bounds), before.drop(columns=bounds))
    assert ((after["high"] - after["low"]) > (before["high"] - before["low"])).all()
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "images with questions are" in page and "draws, by vqa.group." in page


def test_a_category_of_photographs_alone_stands_beside_others(project: Project) -> None:
    """Of three categories two have no generated image; everything is still made."""
    for category in ("bagel", "toilet_seat"):
        shutil.rmtree(project.folder / "pictures" / "dream" / category)
    config = project.config
    del config["vqa"]
    project.configure({**config, "images": {**config["images"], "real": "muse"}})
    said = project.run()
    assert "no generated images of 'bagel', 'toilet_seat'" in said
    table = pd.read_csv(project.results / "tables" / "accuracy.csv")
    generated = table[(table["generator"] == "*") & (table["category"] != "*")]
    assert set(generated["category"]) == {"clock"}
    assert (table.loc[(table["generator"] == "*") & (table["category"] == "*"), "n"] == 2).all()
    assert project.plan() == set()
