"""The branch of the questions through the real command: what it makes, and what runs again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from synthsight.images.reading import open_rgb
from synthsight.vqa.ofa.checkpoint import load_checkpoint
from synthsight.vqa.ofa.model import build
from synthsight.vqa.ofa.processing import pixel_values, prepare_image, source
from synthsight.vqa.ofa.tokenizer import OFATokenizer
from synthsight.vqa.shards import shard_of
from tests import vqa_assets
from tests.support import Job, Project, assert_close, draw_image, log_odds

MODELS = ("asked", "other")
SHARDS = ("1", "2")
IMAGE = "muse/clock/0.png"
SHARD = shard_of(IMAGE, 2)

FIGURES: set[Job] = {
    ("plot_vqa_accuracy",),
    ("plot_vqa_kinds",),
    ("plot_vqa_calibration",),
}

#: What papers and other tools take.
EXPORTS: set[Job] = {("export_vqa",), ("export_results",), ("export_every_eval_ever",)}

#: What follows when the answers of all models may have changed.
FAN_IN: set[Job] = {
    *(("score_vqa", model) for model in MODELS),
    ("vqa",),
    *FIGURES,
    *(("plot_vqa_samples", model, "1") for model in MODELS),
    *EXPORTS,
    ("report",),
}


def fan_in_of(model: str) -> set[Job]:
    """What follows when those of one model may have changed."""
    others = {job for job in FAN_IN if len(job) > 1 and job[1] != model}
    return FAN_IN - others


def test_the_answers_are_those_of_a_plain_loop(finished: Project) -> None:
    """P(yes) and the accuracy, by the model's whole forward pass, a question at a time."""
    folder = finished.folder / "checkpoints" / "ofa_asked"
    config, state = load_checkpoint(folder)
    model, tokenizer = build(config, state), OFATokenizer.from_folder(folder)
    yes, no = tokenizer.single(" yes"), tokenizer.single(" no")
    questions = pd.read_csv(finished.folder / "questions.csv").iloc[:-1]
    expected = []
    for row in questions.itertuples():
        picture = open_rgb(finished.folder / "pictures", str(row.image))
        pixels = torch.from_numpy(prepare_image(picture, 64))[None]
        ids = torch.tensor([source(tokenizer, str(row.question))])
        with torch.inference_mode():
            logits = model(pixel_values(pixels), ids, ids[:, :-1])[0, -1]
        expected.append(float(logits[yes] - logits[no]))
    questions["expected"] = expected
    scored = pd.read_parquet(finished.results / "vqa" / "asked.parquet")
    both = scored.merge(questions, on=["image", "question"], validate="one_to_one")
    assert len(both) == len(scored) == 24
    assert_close(log_odds(both["p_yes"]), both["expected"])
    assert (both["answer_x"] == both["answer_y"]).all()
    predicted = np.where(both["expected"] > 0, "yes", "no")
    assert (both["predicted"] == predicted).all()
    table = pd.read_csv(finished.results / "tables" / "vqa.csv").set_index("model")
    assert table.loc["asked", "accuracy"] == pytest.approx(np.mean(predicted == both["answer_y"]))
    assert table.loc["asked", ["n", "n_yes", "n_no", "images"]].tolist() == [24, 8, 16, 6]


def test_the_answers_say_where_they_are_from(finished: Project) -> None:
    path = finished.results / "vqa" / "answers" / "asked" / "1.parquet"
    schema = pq.read_schema(path)
    assert b'"model": "asked"' in schema.metadata[b"synthsight"]
    assert b"weights_sha256" in schema.metadata[b"synthsight"]


def test_a_question_that_cannot_be_asked_is_listed_with_its_line(finished: Project) -> None:
    table = pd.read_csv(finished.results / "tables" / "excluded_questions.csv")
    assert table[["line", "image"]].to_numpy().tolist() == [[26, "dream/bagel/9.png"]]
    assert "no such image below pictures" in table.loc[0, "reason"]


@pytest.mark.long
def test_a_deleted_shard_of_answers_is_asked_again(project: Project) -> None:
    (project.results / "vqa" / "answers" / "other" / "2.parquet").unlink()
    assert project.plan() == {("ask", "other", "2"), *fan_in_of("other")}


@pytest.mark.long
def test_a_changed_question_runs_the_shard_that_it_is_in(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("questions.csv", f"{IMAGE},Is it red?", f"{IMAGE},Is it blue?")
    assert project.plan() == {
        ("list_excluded_questions",),
        ("index_questions", SHARD),
        ("thumbnails_vqa", SHARD),
        *(("ask", model, SHARD) for model in MODELS),
        *FAN_IN,
    }
    project.run("tables")
    assert project.plan("tables") == set()


@pytest.mark.long
def test_a_question_further_up_moves_no_other_shard(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    first = "image,question,answer,generator\n"
    edit("questions.csv", first, f"{first}{IMAGE},Is it new?,yes,muse\n")
    planned = project.plan()
    assert {job for job in planned if job[0] == "ask"} == {("ask", m, SHARD) for m in MODELS}
    assert ("list_excluded_questions",) in planned, "it states the lines"


@pytest.mark.long
def test_another_answer_runs_its_shard(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("questions.csv", f"{IMAGE},Is it red?,no", f"{IMAGE},Is it red?,yes")
    assert ("index_questions", SHARD) in project.plan()


@pytest.mark.long
def test_a_changed_image_runs_its_shard_and_its_category(project: Project) -> None:
    draw_image(project.folder / "pictures" / IMAGE, seed=77)
    planned = project.plan()
    assert {job for job in planned if job[0] == "ask"} == {("ask", m, SHARD) for m in MODELS}
    assert ("index_images", "clock") in planned
    assert ("fetch_vqa", "asked") not in planned


def test_another_vqa_model_runs_its_own_jobs(project: Project) -> None:
    config = project.config
    config["vqa"]["models"].append({"name": "third", "checkpoint": "checkpoints/ofa_asked"})
    project.configure(config)
    assert project.plan() == {
        ("fetch_vqa", "third"),
        *(("ask", "third", shard) for shard in SHARDS),
        ("score_vqa", "third"),
        ("plot_vqa_samples", "third", "1"),
        ("models",),
        ("vqa",),
        *FIGURES,
        *EXPORTS,
        ("report",),
    }


@pytest.mark.long
def test_another_checkpoint_is_fetched_again(project: Project) -> None:
    import shutil

    folder = project.folder / "checkpoints" / "ofa_other"
    shutil.rmtree(folder)
    vqa_assets.save_ofa(folder, seed=7)
    planned = project.plan()
    (stem,) = (job[1] for job in planned if job[0] == "fetch_vqa")
    assert re.fullmatch("other-[0-9a-f]{8}", stem)  # the other weights stay for other runs
    assert planned == {
        ("fetch_vqa", stem),
        *(("ask", "other", shard) for shard in SHARDS),
        ("models",),
        *fan_in_of("other"),
    }


@pytest.mark.long
def test_settings_of_speed_and_order_run_nothing(project: Project) -> None:
    config = project.config
    config["vqa"]["batch_size"] = 3
    config["vqa"]["models"] = [dict(reversed(m.items())) for m in config["vqa"]["models"][::-1]]
    config["vqa"]["columns"] = {"answer": "answer", "image": "image"}
    project.configure(config)
    assert project.plan() == set()


@pytest.mark.long
def test_an_edit_of_ofa_runs_the_models_and_no_classifier(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/vqa/ofa/layers.py", "import annotations", "import annotations\n\nX = 1")
    assert project.plan() == {
        *(("fetch_vqa", model) for model in MODELS),
        *(("ask", model, shard) for model in MODELS for shard in SHARDS),
        ("models",),
        *FAN_IN,
    }


@pytest.mark.long
def test_an_edit_of_a_family_runs_its_own_models(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    """All models here are of OFA."""
    families = "src/synthsight/vqa/families"
    for other in ("vilt", "blip", "pretrained"):
        edit(f"{families}/{other}.py", "import annotations", "import annotations\n\nX = 1")
    assert project.plan() == set()
    edit(f"{families}/ofa.py", "import annotations", "import annotations\n\nX = 1")
    assert project.plan() == {
        *(("fetch_vqa", model) for model in MODELS),
        *(("ask", model, shard) for model in MODELS for shard in SHARDS),
        ("models",),
        *FAN_IN,
    }


@pytest.mark.long
def test_an_edit_of_a_kind_of_question_asks_nobody_again(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/vqa/kinds.py", "import annotations", "import annotations\n\nX = 1")
    assert project.plan() == FAN_IN


@pytest.mark.long
def test_another_level_runs_no_question(project: Project) -> None:
    intervals = {**project.config["intervals"], "level": 0.9}
    project.configure({**project.config, "intervals": intervals})
    vqa = {job for job in project.plan() if "vqa" in job[0] or job[0] == "ask"}
    assert vqa == {("vqa",), *FIGURES, ("export_vqa",)}


@pytest.mark.long
def test_without_questions_there_is_no_branch(project: Project) -> None:
    config = project.config
    del config["vqa"]
    project.configure(config)
    assert project.plan("--forceall") != set()
    assert not {job for job in project.plan("--forceall") if "vqa" in job[0] or job[0] == "ask"}
    assert project.plan() == {*EXPORTS, ("models",), ("report",)} - {("export_vqa",)}


@pytest.mark.long
def test_the_answers_can_be_asked_for_by_name(project: Project) -> None:
    (project.results / "figures" / "vqa_kinds.png").unlink()
    assert project.plan("answers") == set()
    assert project.plan() == {("plot_vqa_kinds",)}


@pytest.mark.long
def test_an_image_that_is_damaged_is_left_out_with_its_questions(project: Project) -> None:
    path = project.folder / "pictures" / IMAGE
    path.write_bytes(path.read_bytes()[:60])
    project.run("tables")
    table = pd.read_csv(project.results / "tables" / "excluded_questions.csv")
    assert (table["image"] == IMAGE).sum() == 4
    assert "damaged" in table.loc[table["image"] == IMAGE, "reason"].iloc[0]
    assert pd.read_csv(project.results / "tables" / "vqa.csv")["n"].tolist() == [20, 20]


@pytest.mark.long
def test_questions_that_cannot_be_asked_can_stop_the_run(project: Project) -> None:
    config = project.config
    config["vqa"]["invalid"] = "refuse"
    project.configure(config)
    said = project.fail()
    assert "vqa.questions: 1 questions of questions.csv cannot be asked" in said
    assert "line 26: no such image below pictures; close: dream/bagel/" in said
    assert "Error in rule" not in said
    path = Path("questions.csv")
    text = (project.folder / path).read_text(encoding="utf-8")
    text = text.replace(
        "dream/bagel/9.png,Is it there?,yes,dream", f"{IMAGE},Is it there?,yes,muse"
    )
    (project.folder / path).write_text(text, encoding="utf-8")
    picture = project.folder / "pictures" / IMAGE
    picture.write_bytes(picture.read_bytes()[:60])
    said = project.fail("tables")
    assert "list_excluded_questions: the questions above cannot be asked" in said


@pytest.mark.long
def test_asking_blind_leaves_what_was_seen_as_it_is(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("config.yaml", "vqa:", "vqa:\n  blind: true")
    blind = {("ask_blind", model, shard) for model in MODELS for shard in SHARDS}
    assert project.plan() == {*blind, *FAN_IN, ("plot_vqa_seeing",)}
    answers = project.results / "vqa" / "answers" / "asked"
    before = {path: path.read_bytes() for path in answers.glob("*.parquet")}
    project.run("tables", "figures")
    assert project.plan("tables", "figures") == set()
    assert {path: path.read_bytes() for path in answers.glob("*.parquet")} == before
    table = pd.read_csv(project.results / "tables" / "vqa.csv").set_index("model")
    rows = pd.read_parquet(project.results / "vqa" / "asked.parquet")
    assert table.loc["asked", "blind"] == pytest.approx(rows["correct_blind"].mean())
    edit("config.yaml", "  blind: true\n", "")
    assert project.plan() - {("report",)} == {*FAN_IN} - {("report",)}
