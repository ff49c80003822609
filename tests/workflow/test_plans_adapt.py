"""Adapted models: what is made of them, and that they are trained again for themselves alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from synthsight import api
from tests.conftest import Make
from tests.report.browsing import Tab
from tests.support import Job, Project, draw_image

CATEGORIES = ("bagel", "clock", "toilet_seat")
LINEAR, TUNED = "resnet+linear", "effnet+finetune"

#: Of networks that are trained on few images, for a short time.
ADAPT: list[dict[str, Any]] = [
    {"model": "resnet", "folds": 2},
    {"model": "effnet", "method": "finetune", "folds": 2, "epochs": 1, "batch_size": 4},
]

TRAINED = {*(("finetune", TUNED, fold) for fold in "01"), ("join_folds", TUNED)}


def adapting(config: dict[str, Any], *changes: dict[str, Any]) -> dict[str, Any]:
    """The configuration with both adapted models, each with some settings changed."""
    more = [*changes, *({} for _ in ADAPT[len(changes) :])]
    return {**config, "adapt": [each | new for each, new in zip(ADAPT, more, strict=True)]}


def planned(project: Project, *targets: str) -> set[Job]:
    """The jobs of a plan, without those of the targets themselves."""
    return project.plan(*targets) - {(target,) for target in targets}


@pytest.fixture(scope="module")
def finished_adapted(finished: Project, once: Callable[[str, Make], Project]) -> Project:
    """The small project after a run with two adapted models."""

    def make(folder: Path) -> Project:
        shutil.copytree(finished.folder, folder / "project", symlinks=True)
        project = Project(folder / "project")
        before = {file: file.stat().st_mtime_ns for file in project.results.rglob("logits/*/*")}
        config = {key: value for key, value in project.config.items() if key != "vqa"}
        project.configure(adapting(config))
        embedded = {("embed", "resnet", each) for each in CATEGORIES}
        assert planned(project, "logits") == {*embedded, ("fit_linear", LINEAR), *TRAINED}
        project.run()
        assert before and before == {file: file.stat().st_mtime_ns for file in before}
        assert planned(project, "all") == set()
        return project

    return once("adapted", make)


@pytest.fixture
def adapted(finished_adapted: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    shutil.copytree(finished_adapted.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.mark.long
def test_an_adapted_model_is_in_all_that_is_about_models(finished_adapted: Project) -> None:
    run = api.open_run(finished_adapted.results)
    assert {LINEAR, TUNED} < {*run.models}
    logits = run.logits(TUNED)
    assert logits.shape == (12, 3) and logits.to_numpy().dtype == np.float32
    accuracy = pd.read_csv(finished_adapted.results / "tables" / "accuracy.csv")
    assert {LINEAR, TUNED} < {*accuracy["model"]}
    table = pd.read_csv(finished_adapted.results / "tables" / "adaptation.csv")
    assert {*table["model"]} == {LINEAR, TUNED} and (table["trained"] == "all").all()
    page = (finished_adapted.results / "report.html").read_text(encoding="utf-8")
    assert "from effnet" in page and "chooses among the run&#39;s 3 categories" in page
    note = json.loads((finished_adapted.results / "adapted" / f"{TUNED}.json").read_text())
    weights = json.loads((finished_adapted.folder / "resources/weights/effnet.json").read_text())
    assert note["sha256"] == weights["sha256"] and note["adapted"]["images"] == [6, 6]
    assert any("trained" in each or "chooses" in each for each in run.remarks())


@pytest.mark.long
def test_the_page_counts_models_that_were_trained_on_no_such_image(
    finished_adapted: Project, browser: Any
) -> None:
    """Two of four, as in the tables; the sentences say so."""
    tables = finished_adapted.results / "tables"
    assert pd.read_csv(tables / "difficulty.csv")["models"].max() == 2
    counted = pd.read_parquet(tables / "images.parquet")
    counted = counted[(counted["rule"] == "words/simple") & ~counted["real"]]
    tab = Tab(browser, finished_adapted.results / "report.html")
    try:
        said = tab.page.inner_text("#images-count")
        share = 100 * counted["top1"].sum() / 2 / len(counted)
        assert (
            f"the 2 models that were not trained on such images get {share:.1f}% of them on" in said
        )
        assert f"{LINEAR} were trained on such images" in tab.page.inner_text(".uncounted")
        tab.choose("outcome", "none")
        assert tab.shown() == (counted["top1"] == 0).sum()
        assert "Both models that were not trained on such images get " in (
            " ".join(tab.page.locator(".answer").all_inner_texts())
        )
    finally:
        tab.context.close()


@pytest.mark.long
def test_each_image_is_predicted_by_the_network_that_its_part_names(
    finished_adapted: Project,
) -> None:
    folder = finished_adapted.results / "adapted"
    parts = pq.read_table(folder / TUNED / "parts.parquet").to_pandas().set_index("image")["part"]
    assert sorted(parts.value_counts().tolist()) == [6, 6]
    for fold in range(2):
        said = pq.read_table(folder / TUNED / f"{fold}.parquet")
        assert {*said["image"].to_pylist()} == {*parts.index[parts == fold]}
    run = api.open_run(finished_adapted.results)
    features, logits = run.features("resnet"), run.logits(LINEAR)
    layers = load_file(folder / LINEAR / "layers.safetensors")
    divided = pq.read_table(folder / LINEAR / "parts.parquet").to_pandas().set_index("image")
    for (category, image), found in logits.iterrows():  # type: ignore[misc]
        fold = divided.loc[image, "part"]
        vector = features.loc[(category, image)].to_numpy()
        expected = layers[f"{fold}.weight"] @ vector + layers[f"{fold}.bias"]
        np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.long
def test_a_changed_setting_trains_the_model_again_that_it_is_about(adapted: Project) -> None:
    config = adapted.config
    for changes, jobs in (
        (({}, {"epochs": 2}), TRAINED),
        (({}, {"sources": ["muse"]}), TRAINED),
        (({"seed": 1},), {("fit_linear", LINEAR)}),
        (({"sources": "all"},), {("fit_linear", LINEAR)}),
    ):
        adapted.configure(adapting(config, *changes))
        assert planned(adapted, "logits") == jobs, changes
    adapted.configure({**adapting(config), "batch_size": 3})
    assert planned(adapted, "all") == set(), "a batch that only decides speed"


@pytest.mark.long
def test_a_network_that_is_gone_is_trained_again_alone(adapted: Project) -> None:
    (adapted.results / "adapted" / TUNED / "1.safetensors").unlink()
    assert planned(adapted, "logits") == set(), "nothing needs its weights"
    (adapted.results / "adapted" / TUNED / "1.parquet").unlink()
    (adapted.results / "logits" / TUNED / "clock.parquet").unlink()
    assert planned(adapted, "logits") == {("finetune", TUNED, "1"), ("join_folds", TUNED)}


@pytest.mark.long
def test_a_new_image_trains_again_what_might_have_seen_it(adapted: Project) -> None:
    draw_image(adapted.folder / "pictures" / "dream" / "clock" / "7.png", 77)
    jobs = planned(adapted, "logits")
    assert {*TRAINED, ("fit_linear", LINEAR)} < jobs
    others = {job for job in jobs if job[0] in ("classify", "embed", "index_images")}
    assert others == {
        *(("classify", name, "clock") for name in ("effnet", "resnet")),
        *(("embed", "resnet", "clock"), ("index_images", "clock")),
    }


@pytest.mark.long
def test_pixels_that_are_not_kept_are_made_for_one_network_alone(adapted: Project) -> None:
    config = {**adapted.config, "keep_pixels": False, "adapt": ADAPT[1:]}
    adapted.configure({**config, "models": config["models"][:1]})
    adapted.run("logits")
    for name in ("0.parquet", "0.safetensors"):
        (adapted.results / "adapted" / TUNED / name).unlink()
    (adapted.results / "logits" / TUNED / "clock.parquet").unlink()
    geometry = "resize72-bilinear-crop64"
    assert planned(adapted, "logits") == {
        *(("prepare_pixels_to_adapt", geometry, "0", TUNED, each) for each in CATEGORIES),
        *(("finetune", TUNED, "0"), ("join_folds", TUNED)),
    }
    before = pq.read_table(adapted.results / "logits" / TUNED / "bagel.parquet")
    adapted.run("logits")
    assert planned(adapted, "logits") == set()
    assert pq.read_table(adapted.results / "logits" / TUNED / "bagel.parquet").equals(before)
    assert not [path for path in adapted.results.rglob("*.arrow") if "-of-" in path.parent.name]
