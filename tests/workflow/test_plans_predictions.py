"""Predictions made elsewhere in a run: what runs again, and that every number is a model's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight import api
from tests.report.test_page import data_of, text_of
from tests.support import LABELS, Project
from tests.workflow.test_plans import CATEGORIES, FAN_IN, SCORES

TOLD = {"name": "told", "predictions": "told.csv", "labels": "labels.txt"}


def configure(project: Project, *models: dict[str, Any]) -> None:
    """The small project's models, and others."""
    before = [each for each in project.config["models"] if "model" in each]
    project.configure({**project.config, "models": [*before, *models]})


def export(project: Project, model: str, k: int, name: str) -> None:
    """Write a model's best classes as people do."""
    scores = pq.read_table(project.results / "scores" / f"{model}.parquet").to_pandas()
    rows = scores[scores["rule"] == "words/simple"]
    lines = [
        f"{image},{LABELS[cls].split(',')[0]},{rank},{share}"
        for image, classes, shares in zip(
            rows["image"], rows["predicted"], rows["probability"], strict=True
        )
        for rank, (cls, share) in enumerate(zip(classes[:k], shares, strict=False))
    ]
    text = "\n".join(["image,label,rank,probability", *reversed(lines)])
    (project.folder / name).write_text(text + "\n", encoding="utf-8")


@pytest.mark.long
def test_an_edited_file_of_predictions_runs_its_own_model_again_and_no_other(
    project: Project,
) -> None:
    export(project, "resnet", 1, "told.csv")
    configure(project, TOLD)
    added = {("import_predictions", "told"), ("score", "told"), ("models",), *FAN_IN}
    assert project.plan() == added
    project.run("scores")
    assert project.plan("scores") == set()
    path = project.folder / "told.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")  # written again, and the same
    assert project.plan("scores") == set()
    path.write_text(text.replace("dream/", "./dream/"), encoding="utf-8")
    again = {("import_predictions", "told"), ("score", "told")}
    assert project.plan("scores") == again | {("scores",)}
    project.run("scores")
    # Images that are left out concern all models, but none classifies anything again.
    configure(project, {**TOLD, "missing": "exclude"})
    plan = project.plan()
    assert plan >= {("import_predictions", "told"), ("list_excluded",), ("find_sources",), *SCORES}
    assert not {job for job in plan if job[0] in ("classify", "prepare_pixels", "fetch_weights")}
    assert ("index_images", CATEGORIES[0]) not in plan


@pytest.mark.long
def test_exported_predictions_give_the_numbers_of_the_model_that_they_are_of(
    project: Project,
) -> None:
    """A copy of effnet by its logits, one of resnet by five ranks, one by its first guess alone."""
    export(project, "resnet", 5, "five.csv")
    export(project, "resnet", 1, "one.csv")
    logits = pd.concat(
        pq.read_table(path).to_pandas() for path in project.results.glob("logits/effnet/*")
    )
    logits.sample(frac=1, random_state=0).to_parquet(project.folder / "logits.parquet", index=False)
    configure(
        project,
        {**TOLD, "name": "same", "predictions": "logits.parquet"},
        {**TOLD, "name": "five", "predictions": "five.csv"},
        {**TOLD, "name": "one", "predictions": "one.csv"},
    )
    said = project.run()
    assert "five: 60 rows of five.csv (CSV)" in said
    assert project.plan() == set()

    def scores(model: str) -> pd.DataFrame:
        return pq.read_table(project.results / "scores" / f"{model}.parquet").to_pandas()

    pd.testing.assert_frame_equal(scores("same"), scores("effnet"))
    table = pd.read_csv(project.results / "tables" / "accuracy.csv")

    def rows(model: str, *left_out: str) -> pd.DataFrame:
        found = table[(table["model"] == model) & ~table["rule"].isin(left_out)]
        return found.drop(columns="model").reset_index(drop=True)

    pd.testing.assert_frame_equal(rows("same"), rows("effnet"))
    pd.testing.assert_frame_equal(rows("five", "restricted"), rows("resnet", "restricted"))
    first = ["category", "generator", "rule", "n", "top1", "top1_low", "top1_high"]
    pd.testing.assert_frame_equal(
        rows("one", "restricted")[first], rows("resnet", "restricted")[first]
    )
    assert rows("one", "restricted")["top5"].isna().all()
    kappa = pd.read_csv(project.results / "tables" / "kappa.csv")
    top5 = kappa[(kappa["hit"] == "top5") & (kappa["rule"] == "words/simple")]
    assert "one" not in {*top5["a"], *top5["b"]} and "five" in {*top5["a"], *top5["b"]}

    text = text_of(project)
    assert "predictions made elsewhere" in text and "Top-5 of one is not known" in text
    models = {each["name"]: each for each in data_of(text)["explorer"]["models"]}
    assert models["same"]["hits"] == models["effnet"]["hits"]
    assert set(models["one"]["hits"]["words/simple"]) <= {"2", "3"}
    assert models["one"]["five"]["words/simple"] is False

    run = api.open_run(project.results)
    assert set(run.models) == {"effnet", "resnet", "same", "five", "one"}
    assert run.scores("one", "words/simple")["top5_hit"].isna().all()
    assert run.about("one")["predictions"]["ranks"] == 1
    assert any(remark.startswith("Top-5 of one is not known") for remark in run.remarks())
    with pytest.raises(api.ApiError, match=r"has no logits of model 'one'|has no model 'one'"):
        run.logits("one")
    assert run.missing == {}


@pytest.mark.long
def test_a_run_of_predictions_alone_needs_no_model_and_leaves_out_what_has_none(
    project: Project,
) -> None:
    export(project, "resnet", 1, "told.csv")
    path = project.folder / "told.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if "bagel/1" not in line]
    path.write_text("\n".join(kept), encoding="utf-8")
    config = {**project.config, "run": "alone", "models": [TOLD]}
    del config["vqa"]
    project.configure(config)
    said = project.fail()
    assert "2 of the run's 12 images have no prediction of told" in said
    project.configure({**config, "models": [{**TOLD, "missing": "exclude"}]})
    assert not {job for job in project.plan() if job[0] in ("classify", "prepare_pixels")}
    said = project.run()
    assert "2 images have no prediction of told" in said
    results = project.results
    excluded = pd.read_csv(results / "tables" / "excluded.csv")
    assert excluded["reason"].tolist() == ["no prediction of told"] * 2
    accuracy = pd.read_csv(results / "tables" / "accuracy.csv")
    assert set(accuracy.loc[accuracy["category"].eq("bagel"), "n"]) == {1, 2}
    assert not (results / "logits").exists() and not (results / "pixels").exists()
    remarks = api.open_run(results).remarks()
    assert any(
        "2 of 12 images have no prediction of told and are left out for all models" in remark
        for remark in remarks
    )
    note = json.loads(Path(results, "predictions", "told.json").read_text(encoding="utf-8"))
    assert note["predictions"]["missing"]["count"] == 2
    # Counted as wrong, they are in the denominators again.
    project.configure({**config, "models": [{**TOLD, "missing": "wrong"}]})
    project.run("tables")
    accuracy = pd.read_csv(results / "tables" / "accuracy.csv")
    assert set(accuracy.loc[accuracy["category"].eq("bagel"), "n"]) == {2, 4}
