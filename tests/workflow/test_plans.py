"""The workflow through its real command: what a run makes, and what a change runs again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torchvision
from scipy.stats import beta, binomtest

from tests.support import (
    LABELS,
    REPOSITORY,
    Job,
    Project,
    draw_image,
    save_random_weights,
)

CATEGORIES = ("bagel", "clock", "toilet_seat")
MODELS = ("effnet", "resnet")
TABLES = (
    *("accuracy", "agreement", "comparisons", "confusions", "difficulty", "generators", "kappa"),
    *("label_audit", "models", "ranking", "reference", "calibration", "calibration_bins"),
)
VQA_MODELS = ("asked", "other")
VQA_TABLES = ("groups", "questions", "calibration", "comparisons")
SHARDS = ("1", "2")
GEOMETRIES = ("resize72-bilinear-crop64", "resize64-bilinear-whole")

FAILURES = {("plot_failures", category) for category in CATEGORIES}

#: The figures that show the primary rule.
FIGURES: set[Job] = {
    *(
        (f"plot_{figure}",)
        for figure in (
            *("overview", "rules", "reference", "ranking", "kappa", "difficulty", "gallery"),
            *("confusions", "generators", "calibration"),
        )
    ),
    ("plot_models", "1"),
    *FAILURES,
}

#: What reads the scores of all models.
STATISTICS: set[Job] = {
    ("accuracy",),
    ("agreement",),
    ("calibration",),
    ("confusions",),
    ("compare",),
    ("generators",),
}

REPORT: set[Job] = {("report",)}

#: What papers and other tools take of what is said of all classifiers.
EXPORTS: set[Job] = {("export_accuracy",), ("export_results",), ("export_every_eval_ever",)}

#: What reads all manifests and no scores.
OF_MANIFESTS: set[Job] = {("list_excluded",), ("find_duplicates",), ("thumbnails_duplicates",)}

#: What follows when any hit may have changed.
FAN_IN: set[Job] = {*STATISTICS, ("reference",), *FIGURES, *EXPORTS, *REPORT}
SCORES: set[Job] = {("score", model) for model in MODELS}


# What a run makes --------------------------------------------------------------------------------


def test_a_run_makes_every_file_of_the_contract(finished: Project) -> None:
    made = {
        path.relative_to(finished.results).as_posix()
        for path in finished.results.rglob("*")
        if path.is_file() and "logs" not in path.parts
    }
    figures = ["samples", "models_1", *(f"failures_{c}" for c in CATEGORIES)]
    figures += [job[0].removeprefix("plot_") for job in FIGURES if len(job) == 1]
    figures += ["vqa_accuracy", "vqa_kinds", "vqa_calibration"]
    figures += [f"vqa_samples_{m}_1" for m in VQA_MODELS]
    tables = [*TABLES, "vqa", *(f"vqa_{t}" for t in VQA_TABLES)]
    assert made == {
        *(f"images/{c}.parquet" for c in CATEGORIES),
        *(f"pixels/{g}/{c}.arrow" for g in GEOMETRIES for c in CATEGORIES),
        *(f"logits/{m}/{c}.parquet" for m in MODELS for c in CATEGORIES),
        "sources/images.parquet",
        *(f"scores/{m}.parquet" for m in MODELS),
        *(f"tables/{t}.{e}" for t in tables for e in ("csv", "parquet")),
        *(
            f"tables/{t}.{e}"
            for t in ("excluded", "excluded_questions", "duplicates")
            for e in ("csv", "parquet")
        ),
        "tables/images.parquet",
        *(f"figures/{f}.{e}" for f in figures for e in ("pdf", "png")),
        *(f"thumbnails/images/{c}.parquet" for c in CATEGORIES),
        *(f"thumbnails/questions/{s}.parquet" for s in SHARDS),
        "thumbnails/duplicates.parquet",
        *("report.html", "plan.json"),
        *(f"export/{e}" for e in ("accuracy.tex", "vqa.tex", "results.json")),
        "export/every_eval_ever.jsonl",
        *(f"rating/{page}.html" for page in ("rating", "rating_questions")),
        *(f"rating/{pictures}.parquet" for pictures in ("pictures", "pictures_questions")),
        *(f"vqa/questions/{s}.parquet" for s in SHARDS),
        *(f"vqa/answers/{m}/{s}.parquet" for m in VQA_MODELS for s in SHARDS),
        *(f"vqa/{m}.parquet" for m in VQA_MODELS),
    }
    weights = finished.folder / "resources" / "weights"
    assert {path.name for path in weights.iterdir()} == {
        *(f"{m}.{e}" for m in (*MODELS, *VQA_MODELS) for e in ("safetensors", "json")),
        *VQA_MODELS,
    }


def test_logits_are_stored_as_the_contract_says(finished: Project) -> None:
    file = pq.ParquetFile(finished.results / "logits" / "resnet" / "clock.parquet")
    schema = file.schema_arrow
    assert schema.field("image").type == pa.string()
    assert schema.field("logits").type == pa.list_(pa.float32(), len(LABELS))
    images = file.read(["image"]).column("image").to_pylist()
    assert (
        images == sorted(images) == [f"{g}/clock/{n}.png" for g in ("dream", "muse") for n in "01"]
    )
    metadata = json.loads(schema.metadata[b"synthsight"])
    note = json.loads((finished.folder / "resources/weights/resnet.json").read_text())
    assert metadata["model"] == "resnet"
    assert metadata["weights_sha256"] == note["sha256"]
    assert metadata["label_space"] == "labels.txt"
    assert metadata["geometry"] == {"resize": 64, "crop": None, "interpolation": "bilinear"}
    assert metadata["preprocess"] == "model"


def test_every_table_follows_from_the_logits(finished: Project) -> None:
    """Scores, accuracies and agreement, derived again in a few lines that share no code."""
    accepted = {"bagel": {0}, "clock": {1, 2}, "toilet_seat": {4}}
    hits = []
    for model in MODELS:
        for category in CATEGORIES:
            path = finished.results / "logits" / model / f"{category}.parquet"
            for row in pq.read_table(path).to_pylist():
                order = np.argsort(-np.array(row["logits"]), kind="stable")[:5]
                hits.append(
                    {
                        "model": model,
                        "category": category,
                        "generator": row["image"].split("/")[0],
                        "image": row["image"],
                        "top1": order[0] in accepted[category],
                        "top5": bool(accepted[category] & set(order.tolist())),
                    }
                )
    expected = pd.DataFrame(hits)
    assert expected["top1"].nunique() == 2, "a test without both hits and misses shows nothing"

    table = pd.read_csv(finished.results / "tables" / "accuracy.csv").set_index(
        ["model", "category", "generator", "rule"]
    )
    for (model, category), group in expected.groupby(["model", "category"]):
        for generator, part in [("*", group), *group.groupby("generator")]:
            row = table.loc[(model, category, generator, "words/simple")]
            assert row["n"] == len(part)
            assert row["top1"] == pytest.approx(part["top1"].mean())
            assert row["top5"] == pytest.approx(part["top5"].mean())
            right, n = int(part["top5"].sum()), len(part)
            low, high = binomtest(right, n).proportion_ci(method="wilson")
            # Of few hits and few misses, the exact one-sided bound if that is further out.
            low = min(low, beta.ppf(0.05, right, n - right + 1)) if right else low
            high = max(high, beta.ppf(0.95, right + 1, n - right)) if right < n else high
            assert (row["top5_low"], row["top5_high"]) == pytest.approx((low, high))
    for model, group in expected.groupby("model"):
        mean = group.groupby("category")["top1"].mean().mean()
        assert table.loc[(model, "*", "*", "words/simple"), "top1"] == pytest.approx(mean)

    agreement = pd.read_csv(finished.results / "tables" / "agreement.csv").set_index(
        ["category", "rule"]
    )
    gets = expected.groupby(["category", "image"])[["top1", "top5"]].agg(["all", "any"])
    for category, group in gets.groupby("category"):
        row = agreement.loc[(category, "words/simple")]
        assert row["all_top1"] == pytest.approx(group["top1", "all"].mean())
        assert row["none_top1"] == pytest.approx(1 - group["top1", "any"].mean())
        assert row["none_top5"] == pytest.approx(1 - group["top5", "any"].mean())


def test_csv_and_parquet_hold_the_same_numbers(finished: Project) -> None:
    for table in TABLES:
        path = finished.results / "tables" / table
        again = pd.read_parquet(path.with_suffix(".parquet")).to_csv(index=False)
        assert again.splitlines() == path.with_suffix(".csv").read_text("utf-8").splitlines()


# What a change runs again ------------------------------------------------------------------------


@pytest.mark.long
def test_nothing_runs_after_a_finished_run(project: Project) -> None:
    assert project.plan() == set()


@pytest.mark.long
def test_one_new_image_runs_its_category_and_the_fan_in(project: Project) -> None:
    draw_image(project.folder / "pictures" / "muse" / "clock" / "new.png", seed=99)
    expected = {
        ("index_images", "clock"),
        *(("prepare_pixels", geometry, "clock") for geometry in GEOMETRIES),
        *(("classify", model, "clock") for model in MODELS),
        ("thumbnails", "clock"),
        ("find_sources",),
        *OF_MANIFESTS,
        ("plot_samples",),
        *SCORES,
        *FAN_IN,
    }
    assert project.plan() == expected
    others = [project.results / "logits" / m / "bagel.parquet" for m in MODELS]
    before = [path.stat().st_mtime_ns for path in others]
    project.run("tables")
    assert [path.stat().st_mtime_ns for path in others] == before
    assert project.plan("tables") == set()
    table = pd.read_csv(project.results / "tables" / "agreement.csv").set_index("category")
    assert table.loc["clock", "n"].tolist() == [5] * 4


@pytest.mark.long
def test_a_changed_image_of_the_same_size_is_noticed(project: Project) -> None:
    path = project.folder / "pictures" / "muse" / "clock" / "0.png"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert ("index_images", "clock") in project.plan()


@pytest.mark.long
def test_a_removed_image_is_noticed(project: Project) -> None:
    (project.folder / "pictures" / "muse" / "clock" / "0.png").unlink()
    assert ("index_images", "clock") in project.plan()
    assert ("index_images", "bagel") not in project.plan()


@pytest.mark.long
def test_one_new_model_runs_its_jobs_and_the_fan_in(project: Project) -> None:
    config = project.config
    config["models"].append({**config["models"][0], "name": "another"})
    project.configure(config)
    assert project.plan() == {
        ("fetch_weights", "another"),
        *(("classify", "another", category) for category in CATEGORIES),
        ("score", "another"),
        ("models",),
        *FAN_IN,
    }


@pytest.mark.long
def test_one_model_less_runs_the_fan_in_only(project: Project) -> None:
    config = project.config
    del config["models"][0]
    project.configure(config)
    assert project.plan() == FAN_IN | {("models",)}


def test_an_edit_of_the_matching_runs_scoring_and_what_follows(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/labels/matching.py", ".casefold()", ".lower()")
    assert project.plan() == {("label_audit",)} | SCORES | FAN_IN


def test_a_reason_in_the_definitions_runs_the_audit_and_the_report(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("resources/categories.yaml", "analog clock, mostly what is meant", "another reason")
    assert project.plan() == {("label_audit",), *REPORT}


def test_one_rule_less_or_more_runs_no_classification(project: Project) -> None:
    rules = ["words/simple", "classes"]
    project.configure({**project.config, "matching": {"rules": rules}})
    assert project.plan() == {("label_audit",)} | SCORES | FAN_IN


@pytest.mark.long
def test_with_one_generator_there_is_nothing_between_generators(project: Project) -> None:
    shutil.rmtree(project.folder / "pictures" / "muse")
    planned = project.plan()
    assert ("accuracy",) in planned
    assert not {("generators",), ("plot_generators",)} & planned


@pytest.mark.long
def test_the_flags_of_the_label_audit_are_printed_once(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("resources/categories.yaml", "    n04548280: wall clock\n", "")
    assert "homonym suspected" in project.run("tables")
    assert "homonym suspected" not in project.run("tables")


@pytest.mark.long
def test_an_edit_of_a_figure_runs_that_figure(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/figures/overview.py", "import annotations", "import annotations\n\nX = 1")
    assert project.plan() == {("plot_overview",)}


@pytest.mark.long
def test_an_edit_of_the_image_reader_runs_all_that_reads_images(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("src/synthsight/images/reading.py", "_WHITE = (255,", "_WHITE = (254,")
    rules = {job[0] for job in project.plan()}
    assert rules >= {"index_images", "prepare_pixels", "classify", "index_questions", "ask"}
    assert rules >= {"thumbnails", "thumbnails_vqa"}
    assert not {"fetch_weights", "fetch_vqa"} & rules, "no download for a change of the reader"


@pytest.mark.long
def test_an_edit_of_a_library_of_classifiers_runs_the_models_of_that_library(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    """No model here is torchvision's, and both are timm's."""
    change = ("import annotations", "import annotations\n\nX = 1")
    edit("src/synthsight/classifiers/torchvision.py", *change)
    assert project.plan() == set()
    edit("src/synthsight/classifiers/timm.py", *change)
    planned = {job for job in project.plan() if job[0] in ("fetch_weights", "classify", "score")}
    assert planned == {
        *(("fetch_weights", model) for model in MODELS),
        *(("classify", model, category) for model in MODELS for category in CATEGORIES),
        *SCORES,
    }


@pytest.mark.long
def test_comments_docstrings_and_touched_files_run_nothing(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit(
        "src/synthsight/classifiers/score.py",
        '"""From logits to hits',
        '# A comment.\n"""From the logits',
    )
    for pattern in ("src/**/*.py", "workflow/**/*", "rules/*.smk", "Snakefile", "config.yaml"):
        for path in project.folder.glob(pattern):
            os.utime(path)
    assert project.plan() == set()


def test_a_reordered_configuration_runs_nothing(project: Project) -> None:
    config = project.config
    config["models"] = [dict(reversed(model.items())) for model in reversed(config["models"])]
    config["categories"] = list(reversed(CATEGORIES))
    config["matching"] = {"rules": ["restricted", "words/lemmas", "classes", "words/simple"]}
    project.configure(dict(reversed(config.items())))
    assert project.plan() == set()


def test_a_setting_of_speed_runs_nothing(project: Project) -> None:
    project.configure({**project.config, "batch_size": 3})
    assert project.plan() == set()


@pytest.mark.parametrize("setting", [{"precision": "bf16"}, {"compile": True}])
def test_a_setting_of_arithmetic_runs_what_computes_with_it(
    project: Project, setting: dict[str, object]
) -> None:
    project.configure({**project.config, **setting})
    planned = project.plan()
    questions = {job for job in planned if job[0] == "ask" or "vqa" in job[0]}
    jobs = {("classify", model, category) for model in MODELS for category in CATEGORIES}
    assert planned - questions == jobs | SCORES | FAN_IN
    asked = {job for job in questions if job[0] == "ask"}
    every = {("ask", model, shard) for model in VQA_MODELS for shard in SHARDS}
    assert asked == (every if "precision" in setting else set())


@pytest.mark.long
@pytest.mark.parametrize(
    "key", [{"group": r"(\d{1,2})(?:'|)"}, {"real": "muse"}, {"real": ["dream"]}]
)
def test_groups_and_real_photographs_run_scoring_and_no_model(
    project: Project, key: dict[str, object]
) -> None:
    images = project.config["images"]
    project.configure({**project.config, "images": {**images, **key}})
    of_real = {("plot_drops",), ("find_duplicates",), ("thumbnails_duplicates",)}
    more = of_real if "real" in key else set()
    assert project.plan() == {("find_sources",), ("plot_samples",)} | SCORES | FAN_IN | more
    project.run("scores")
    scores = pq.read_table(project.results / "scores" / "effnet.parquet").to_pandas()
    first = scores.drop_duplicates("image").set_index("image")
    if "group" in key:
        assert first.loc["muse/clock/1.png", "group"] == "clock//1"
        assert first.loc["dream/clock/1.png", "group"] == "clock//1"
        assert not first["real"].any()
    else:
        (real,) = [key["real"]] if isinstance(key["real"], str) else key["real"]
        assert set(first.index[first["real"]]) == {n for n in first.index if n.startswith(real)}
    project.configure({**project.config, "images": images})
    assert project.plan("scores") == {("find_sources",), ("scores",)} | SCORES


@pytest.mark.long
def test_photographs_elsewhere_run_the_categories_that_they_are_of(project: Project) -> None:
    draw_image(project.folder / "elsewhere" / "photos" / "clock" / "0.png", seed=99)
    images = {**project.config["images"], "real": "elsewhere/photos"}
    project.configure({**project.config, "images": images})
    assert project.plan() == {
        ("index_images", "clock"),
        *(("prepare_pixels", geometry, "clock") for geometry in GEOMETRIES),
        *(("classify", model, "clock") for model in MODELS),
        ("thumbnails", "clock"),
        ("find_sources",),
        *OF_MANIFESTS,
        ("plot_samples",),
        ("plot_drops",),
        *SCORES,
        *FAN_IN,
    }
    project.run("scores")
    scores = pq.read_table(project.results / "scores" / "effnet.parquet").to_pandas()
    real = scores[scores["real"]]
    assert set(real["image"]) == {"photos/clock/0.png"}
    assert set(real["generator"]) == {"photos"}
    draw_image(project.folder / "elsewhere" / "photos" / "clock" / "1.png", seed=100)
    planned = project.plan("scores")
    assert {job for job in planned if job[0] == "index_images"} == {("index_images", "clock")}


@pytest.mark.long
def test_other_draws_run_the_ranking_and_another_level_what_has_intervals(
    project: Project,
) -> None:
    project.configure({**project.config, "intervals": {"resamples": 200, "seed": 7}})
    drawn = {("compare",), ("plot_ranking",), ("calibration",), ("plot_calibration",)}
    assert project.plan() == {*drawn, ("export_accuracy",), *REPORT}
    project.configure({**project.config, "intervals": {"level": 0.9}})
    unconcerned = {"confusions", "kappa", "difficulty", "gallery", "ranking"}
    without = {("confusions",), *((f"plot_{name}",) for name in unconcerned), *FAILURES}
    assert project.plan() >= STATISTICS - without | REPORT


@pytest.mark.long
def test_another_primary_rule_runs_the_figures_and_the_report(project: Project) -> None:
    project.configure({**project.config, "matching": {"primary": "words/lemmas"}})
    assert project.plan() == {*FIGURES, ("export_accuracy",), *REPORT}


@pytest.mark.long
def test_another_normalisation_runs_that_model_without_decoding(project: Project) -> None:
    config = project.config
    config["models"][0]["mean"] = [0.4, 0.4, 0.4]
    project.configure(config)
    assert project.plan() == {
        *(("classify", "effnet", category) for category in CATEGORIES),
        ("score", "effnet"),
        *FAN_IN,
    }


@pytest.mark.long
def test_the_definition_of_a_category_runs_scoring_only_where_it_is_used(
    project: Project,
) -> None:
    definitions = project.folder / "resources" / "categories.yaml"
    text = definitions.read_text(encoding="utf-8")
    definitions.write_text(text + "otter:\n  also: [sea otter]\n", encoding="utf-8")
    assert project.plan() == set()
    definitions.write_text(
        text.replace("bagel:\n", "bagel:\n  also: [pretzel]\n"), encoding="utf-8"
    )
    assert project.plan() == {("label_audit",)} | SCORES | FAN_IN


@pytest.mark.long
def test_other_names_in_a_label_file_run_scoring(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit("labels.txt", "wall clock", "wall bagel")
    assert project.plan() == {("label_audit",)} | SCORES | FAN_IN


@pytest.mark.long
def test_another_checkpoint_is_fetched_again(project: Project) -> None:
    path = project.folder / "checkpoints" / "resnet.safetensors"
    save_random_weights(path, "test_resnet", len(LABELS), seed=5)
    planned = project.plan()
    (stem,) = (job[1] for job in planned if job[0] == "fetch_weights")
    assert re.fullmatch("resnet-[0-9a-f]{8}", stem)  # the other weights stay for other runs
    assert planned == {
        ("fetch_weights", stem),
        *(("classify", "resnet", category) for category in CATEGORIES),
        ("score", "resnet"),
        ("models",),
        *FAN_IN,
    }


@pytest.mark.long
def test_a_deleted_logits_file_is_made_again(project: Project) -> None:
    (project.results / "logits" / "resnet" / "clock.parquet").unlink()
    assert project.plan() == {("classify", "resnet", "clock"), ("score", "resnet"), *FAN_IN}


@pytest.mark.long
def test_another_preprocessing_is_another_geometry(project: Project) -> None:
    config = project.config
    for key in ("resize", "crop", "interpolation"):
        del config["models"][0][key]
    project.configure({**config, "preprocess": "paper"})
    planned = project.plan()
    assert ("prepare_pixels", "resize256-bicubic-whole", "clock") in planned
    assert ("classify", "effnet", "clock") in planned


@pytest.mark.long
def test_stages_can_be_asked_for_by_name(project: Project) -> None:
    (project.results / "figures" / "samples.png").unlink()
    assert project.plan("tables") == set()
    assert project.plan("figures") == {("plot_samples",), ("figures",)}


# Limits and failures -----------------------------------------------------------------------------


@pytest.mark.long
def test_one_device_takes_one_job_unless_more_are_named(
    project: Project, edit: Callable[[str, str, str], None]
) -> None:
    edit(
        "src/synthsight/inference/devices.py", "nvidia", "null|nvidia"
    )  # /dev/null plays the only device
    marker = "logger.info(f'CAP {workflow.global_resources[\"gpu\"].value}')\n"
    with open(project.folder / "rules" / "common.smk", "a", encoding="utf-8") as handle:
        handle.write(marker)
    for arguments, cap in (((), 1), (("--resources", "gpu=3"), 3)):
        completed = project.snakemake("--dry-run", "--cores", "8", *arguments)
        assert f"CAP {cap}" in completed.stdout + completed.stderr


#: A program that is killed each time, as by a system whose memory ran out, or refuses a model.
KILLED = """#!/usr/bin/env python3
import os, signal, sys
def main(models=None):
    with open("tried", "a") as handle:
        refused = "effnet" in " ".join(sys.argv)
        print("refused" if refused else sys.argv[sys.argv.index("--batch-size") + 1], file=handle)
    if refused:
        sys.exit("classify: this checkpoint cannot be used")
    os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    main()
"""


@pytest.mark.long
def test_a_job_that_is_killed_is_tried_again_with_half_the_batch_and_no_other(
    project: Project,
) -> None:
    """What a program refuses it would refuse again: its message stands there once."""
    (project.folder / "workflow" / "scripts" / "classify.py").write_text(KILLED, encoding="utf-8")
    project.configure({**project.config, "worker": False, "batch_size": 6})
    wanted = [f"results/small/logits/{model}/clock.parquet" for model in ("effnet", "resnet")]
    said = project.fail(*wanted)
    tried = (project.folder / "tried").read_text(encoding="utf-8").split()
    assert tried.count("refused") == 1
    assert [batch for batch in tried if batch != "refused"] == ["6", "3", "1"]
    log = (project.results / "logs" / "classify" / "effnet" / "clock.log").read_text("utf-8")
    assert log.count("this checkpoint cannot be used") == 1
    assert "this checkpoint cannot be used" in said
    assert "memory ran out; again with a batch of 3" in said


@pytest.mark.long
def test_excluded_files_are_listed_and_shift_nothing(project: Project) -> None:
    folder = project.folder / "pictures" / "dream" / "clock"
    (folder / "00-empty.png").write_bytes(b"")
    (folder / "05-text.jpg").write_text("not an image", encoding="utf-8")
    (folder / "9-copy.png").write_bytes((folder / "0.png").read_bytes())
    before = pq.read_table(project.results / "logits" / "resnet" / "clock.parquet")
    project.run("tables")
    after = pq.read_table(project.results / "logits" / "resnet" / "clock.parquet")
    assert after.equals(before)
    with open(project.results / "tables" / "excluded.csv", encoding="utf-8") as handle:
        rows = {row["image"]: row["reason"] for row in csv.DictReader(handle)}
    assert set(rows) == {f"dream/clock/{n}" for n in ("00-empty.png", "05-text.jpg", "9-copy.png")}
    assert rows["dream/clock/00-empty.png"] == "empty file"
    assert "dream/clock/0.png" in rows["dream/clock/9-copy.png"]
    log = (project.results / "logs" / "index_images" / "clock.log").read_text(encoding="utf-8")
    assert "7 files, 4 usable, 3 excluded" in log


@pytest.mark.long
def test_a_category_of_broken_files_ends_in_a_message_that_names_it(project: Project) -> None:
    for path in (project.folder / "pictures").glob("*/clock/*.png"):
        path.write_bytes(path.read_bytes()[:60])
    said = project.fail("logits")
    assert "no usable image in category 'clock'" in said
    assert "truncated or damaged" in said


def test_a_mistake_in_the_configuration_ends_before_any_job(project: Project) -> None:
    config = project.config
    config["models"][1]["model"] = "timm/test_resnett"
    config["image"] = config.pop("images")
    project.configure(config)
    said = project.fail()
    assert "config.yaml, line" in said
    assert "unknown key; did you mean 'images'?" in said
    config["images"] = config.pop("image")
    project.configure(config)
    said = project.fail()
    assert "models[1]" in said
    assert "test_resnet" in said
    assert "Error in rule" not in said


@pytest.mark.long
def test_a_wrong_checkpoint_ends_in_a_message(project: Project) -> None:
    path = project.folder / "checkpoints" / "resnet.safetensors"
    save_random_weights(path, "test_convnext", len(LABELS), seed=5)
    said = project.fail("weights")
    assert "does not fit timm/test_resnet" in said


@pytest.mark.long
def test_another_file_in_the_library_s_cache_than_the_published_one_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without internet, whose user has put files there."""
    content = io.BytesIO()
    torch.save(torchvision.models.squeezenet1_1().state_dict(), content)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    folder = project.folder / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "squeezenet1_1-b8a52dc0.pth").write_bytes(content.getvalue())
    monkeypatch.setenv("TORCH_HOME", str(project.folder / "torch"))
    project.configure({**project.config, "models": ["torchvision/squeezenet1_1.IMAGENET1K_V1"]})
    project.fail("weights")
    name = "squeezenet1_1.IMAGENET1K_V1"
    log = project.results / "logs" / "fetch_weights" / f"{name}.log"
    said = log.read_text(encoding="utf-8")
    assert "squeezenet1_1-b8a52dc0.pth does not have the checksum that its source states" in said
    assert digest in said and "Traceback" not in said
    assert not (project.folder / "resources" / "weights" / f"{name}.json").exists()


@pytest.mark.long
def test_snakemake_s_own_report_can_be_made(project: Project) -> None:
    completed = project.snakemake("--report", "report.zip")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert (project.folder / "report.zip").stat().st_size > 10_000


def test_every_figure_and_table_has_a_caption_a_category_and_labels() -> None:
    for path in (REPOSITORY / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for each in re.findall(r"(?<!in_)\breport\((.*?)\n +\)", text, re.DOTALL):
            assert "category=" in each, each
            assert "labels=" in each, each
            assert re.search(r"caption=caption\(f?\"[\w/{}.]+\"\)", each), each
        outputs = re.findall(
            r"\w*(?:png|csv|table|page)=(.*)", text.replace("report(\n", "report(")
        )
        plain = [o for o in outputs if re.match(r'f"\{RUN\}/(figures|tables|report)', o)]
        assert not plain, f"{path.name}: not in Snakemake's report: {plain}"
