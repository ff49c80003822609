"""The library: what it reads is what the workflow wrote, what it computes is what it computes."""

from __future__ import annotations

import ast
import html
import json
import re
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight import api
from synthsight.canonical import canonical_json
from synthsight.classifiers.score import ScoreError
from synthsight.commands.main import main
from synthsight.files import FileError
from synthsight.labels.definitions import Definition, DefinitionError
from synthsight.library import planned as planned_module
from synthsight.library import scores as scores_module
from synthsight.library.folders import _yaml_value
from synthsight.origin import KEY
from synthsight.plan import digest
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.record import Record, Wanted, read_record, write_record
from tests.support import (
    LABELS,
    REAL_DATA,
    REPOSITORY,
    Project,
    draw_image,
    save_random_weights,
    small_config,
)

SOURCE = REPOSITORY / "src" / "synthsight"
SCRIPTS = REPOSITORY / "workflow" / "scripts"
CATEGORIES = ("bagel", "clock", "toilet_seat")


@pytest.fixture(name="run")
def run_(finished: Project) -> api.Run:
    return api.open_run(finished.results)


@pytest.fixture(name="cache", scope="module")
def cache_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is found out about models, which costs an import of torch, is kept for all tests."""
    return tmp_path_factory.mktemp("cache")


def same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Equal but for the generators, which logits do not know, to the last bit."""
    for frame in (found, wanted):
        expected = ["image", "category", "generator", "group", "real", "rule"]
        assert frame.columns.tolist()[:6] == expected
    pd.testing.assert_frame_equal(
        found.drop(columns="generator"), wanted.drop(columns="generator"), check_exact=True
    )


# --- Runs -------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_run_is_opened_by_its_folder_or_by_its_name(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    by_name, by_folder = api.open_run("small"), api.open_run(finished.results)
    assert by_name.folder == Path("results/small")
    assert api.Run("results/small") == by_name
    assert by_name.name == by_folder.name == "small"
    assert by_name.table("accuracy").equals(by_folder.table("accuracy"))
    monkeypatch.chdir(finished.folder / "results")
    with pytest.raises(api.ApiError, match=r"^no folder results/small \(looked from .*/results\)"):
        by_name.table("accuracy")


def test_a_folder_in_results_that_is_no_run_is_not_named_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("small/tables", "small/images", "compare-small-next", ".hidden/tables"):
        (tmp_path / "results" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(api.ApiError, match=r"; runs in results/: small$"):
        api.open_run("compare-small-next")


def test_an_unknown_run_is_an_error_with_close_names(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    with pytest.raises(api.ApiError, match=r"no run 'smal' .*; did you mean 'small'\?"):
        api.open_run("smal")
    with pytest.raises(api.ApiError, match=r"no run 'xyz' .*; runs in results/: small"):
        api.open_run("xyz")


def test_a_run_says_what_it_has(run: api.Run) -> None:
    assert run.models == ("effnet", "resnet")
    assert run.vqa_models == ("asked", "other")
    assert run.categories == CATEGORIES
    files = (run.folder / "tables").iterdir()
    assert run.tables == tuple(sorted({file.stem for file in files}))
    assert {"accuracy", "excluded", "vqa"} <= set(run.tables)


def test_a_table_is_what_its_csv_says_with_types(run: api.Run) -> None:
    table = run.table("accuracy")
    # "*" and "none" are names, nothing is missing.
    stored = pd.read_csv(run.folder / "tables" / "accuracy.csv")
    pd.testing.assert_frame_equal(table, stored, check_dtype=False, check_exact=True)
    assert table["top1"].dtype == float


def test_what_was_left_out_is_a_table(run: api.Run) -> None:
    table = run.table("excluded_questions").set_index("image")
    assert table.loc["dream/bagel/9.png", "line"] > 1
    assert table["reason"].str.len().min() > 0


def test_the_images_are_all_files_of_all_manifests(run: api.Run) -> None:
    frame = run.images()
    found = sorted(
        path.relative_to(run.folder.parents[1] / "pictures").as_posix()
        for path in (run.folder.parents[1] / "pictures").rglob("*.png")
    )
    assert sorted(frame["image"]) == found
    assert set(frame["status"]) == {"ok"}
    assert set(frame["generator"]) == {"dream", "muse"}
    assert list(frame)[:5] == ["image", "category", "generator", "group", "real"]
    assert frame["group"].tolist() == frame["image"].tolist()
    assert frame["real"].dtype == "boolean" and not frame["real"].any()


def test_scores_are_the_files_with_names_of_classes(run: api.Run) -> None:
    frame = run.scores("effnet")
    stored = pq.read_table(run.folder / "scores" / "effnet.parquet").to_pylist()
    names = run.classes("effnet")
    assert names == tuple(line.split(",")[0] for line in LABELS)
    assert len(frame) == len(stored) == 12 * 4
    for row, kept in zip(frame.to_dict("records"), stored, strict=True):
        assert row["image"] == kept["image"]
        assert row["top1_hit"] == kept["top1_hit"]
        assert list(row["classes"]) == kept["predicted"]
        assert row["predicted"] == [names[number] for number in kept["predicted"]]
        assert list(row["probability"]) == kept["probability"]


def test_scores_under_one_rule_have_a_row_for_each_image(run: api.Run) -> None:
    frame = run.scores("resnet", "words/lemmas")
    assert set(frame["rule"]) == {"words/lemmas"}
    assert frame["image"].is_unique
    assert len(frame) == 12
    assert frame.index.tolist() == list(range(12))


def test_logits_are_indexed_by_category_and_image(run: api.Run) -> None:
    frame = run.logits("effnet")
    assert frame.shape == (12, len(LABELS))
    assert frame.index.names == ["category", "image"]
    assert set(frame.dtypes) == {np.dtype(np.float32)}
    for category in CATEGORIES:
        stored = pq.read_table(run.folder / "logits" / "effnet" / f"{category}.parquet")
        part = run.logits("effnet", category)
        assert part.equals(frame.loc[[category]])
        assert part.index.get_level_values("image").tolist() == stored["image"].to_pylist()
        assert part.to_numpy().tolist() == stored["logits"].to_pylist()


def test_a_run_says_how_logits_came_about(run: api.Run) -> None:
    about = run.about("resnet")
    assert about["architecture"]["name"] == "test_resnet"
    assert about["geometry"]["resize"] == 64
    assert about["label_space"] == "labels.txt"


def test_answers_have_a_row_for_each_question(run: api.Run) -> None:
    frame = run.answers("other")
    assert len(frame) == 24
    assert (frame["correct"] == (frame["predicted"] == frame["answer"])).all()
    assert frame["p_yes"].between(0, 1).all()
    assert not frame["p_yes"].equals(run.answers("asked")["p_yes"])


def test_the_summary_is_what_the_report_begins_with(run: api.Run) -> None:
    page = run.report.read_text(encoding="utf-8")
    said = re.findall(r'<p class="answer[^>]*>(.*?)</p>', page)
    assert run.summary() == said
    assert len(said) == 3
    assert run.rule == "words/simple"
    assert run.level == 0.95


def test_the_remarks_are_those_of_the_page(run: api.Run) -> None:
    page = run.report.read_text(encoding="utf-8")
    said = re.findall(r'<li class="remark">(.*?)</li>', page)
    assert said and run.remarks() == [html.unescape(each) for each in said]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run: run.table("acuracy"), "no table 'acuracy'; did you mean 'accuracy'?"),
        (lambda run: run.scores("effnett"), "no model 'effnett'; did you mean 'effnet'?"),
        (lambda run: run.scores("vgg"), "no model 'vgg'; available: effnet, resnet"),
        (lambda run: run.logits("resnet", "clocks"), "no category 'clocks'; did you mean 'clock'?"),
        (lambda run: run.scores("resnet", "class"), "no rule 'class'; did you mean 'classes'?"),
        (lambda run: run.answers("asket"), "no VQA model 'asket'; did you mean 'asked'?"),
        (lambda run: run.classes("rexnet"), "no model 'rexnet'; did you mean 'resnet'?"),
        (lambda run: run.about("rexnet"), "no model 'rexnet'; did you mean 'resnet'?"),
    ],
)
def test_what_a_run_has_not_is_an_error_with_close_names(run: api.Run, ask, message: str) -> None:
    with pytest.raises(api.ApiError, match=re.escape(f"the run 'small' has {message}")):
        ask(run)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run: run.table(7), "a table is one name, a text, not 7"),
        (lambda run: run.table(None), "a table is one name, a text, not None"),
        (lambda run: run.scores(["effnet"]), "a model is one name, a text, not ['effnet']"),
        (lambda run: run.scores("effnet", ["classes"]), "a rule is one name, a text, not ['clas"),
        (lambda run: run.logits("effnet", ["clock"]), "a category is one name, a text, not ['cl"),
        (lambda run: run.logits("effnet", ""), "a category is one name, a text, not ''"),
        (lambda run: run.answers(None), "a VQA model is one name, a text, not None"),
        (lambda run: run.classes(run), "a model is one name, a text, not Run(folder="),
        (lambda run: api.open_run(None), "a run is a path, a text or a `Path`, not None"),
        (lambda run: api.open_run(7), "a run is a path, a text or a `Path`, not 7"),
        (lambda run: api.Run(7), "a run's folder is a path, a text or a `Path`, not 7"),
        (lambda run: api.open_run(""), "a run is a path, a text or a `Path`, not ''"),
        (lambda run: api.open_run([run.folder]), "a run is a path, a text or a `Path`, not [P"),
    ],
)
def test_what_is_no_name_is_an_error_that_says_so(run: api.Run, ask, message: str) -> None:
    with pytest.raises(api.ApiError, match=re.escape(message)):
        ask(run)


def test_a_run_that_is_not_finished_says_so(tmp_path: Path) -> None:
    (tmp_path / "begun" / "images").mkdir(parents=True)
    table = Wanted("tabulate", "{}", "c0de", ("results/begun/tables/accuracy.parquet",))
    write_record(Record("results/begun", "words/lemmas", 0.9, (table,)), tmp_path / "begun")
    run = api.open_run(tmp_path / "begun")
    assert run.tables == run.models == run.categories == ()
    assert (run.rule, run.level) == ("words/lemmas", 0.9)
    with pytest.raises(api.ApiError, match="no table 'accuracy' yet: run Snakemake with its conf"):
        run.table("accuracy")
    with pytest.raises(api.ApiError, match="no table 'vqa'; available: none yet"):
        run.table("vqa")
    with pytest.raises(api.ApiError, match="has no manifests yet"):
        run.images()
    with pytest.raises(api.ApiError, match=r"'begun' is not finished: there is no .*report\.html"):
        run.summary()
    run.report.write_text("<html></html>")
    with pytest.raises(api.ApiError, match="no table 'accuracy'"):
        run.summary()


def test_a_run_without_its_plan_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "old" / "tables").mkdir(parents=True)
    with pytest.raises(api.ApiError, match=r"old has no plan\.json.*run Snakemake"):
        _ = api.open_run(tmp_path / "old").tables
    (tmp_path / "old" / "plan.json").write_text('{"run": 1, "rule": 2, "level": 3, "wanted": [4]}')
    with pytest.raises(api.SynthsightError, match=r"plan\.json is damaged"):
        _ = api.open_run(tmp_path / "old").tables


# --- What is there, but not of the last plan ---------------------------------------------------


Change = Callable[[Wanted], Wanted | None]


@pytest.fixture(name="replanned")
def replanned_(run: api.Run, tmp_path: Path) -> Callable[..., api.Run]:
    """The same files under the plan of another configuration, elsewhere and under another name."""

    def replanned(change: Change, *lost: str) -> api.Run:
        record = read_record(run.folder)
        changed = tuple(new for each in record.wanted if (new := change(each)) is not None)
        if "resources" not in lost:
            (tmp_path / "resources").symlink_to(run.folder.parents[1] / "resources")
        copy = tmp_path / "results" / "copy"
        copy.mkdir(parents=True)
        for each in run.folder.iterdir():
            if each.name not in lost:
                (copy / each.name).symlink_to(each)
        (copy / "plan.json").unlink()
        write_record(replace(record, wanted=changed), copy)
        return api.open_run(copy)

    return replanned


def without(*parts: str) -> Change:
    """Take all files out of a plan that have one of these in their path, or are made from it."""

    def change(each: Wanted) -> Wanted | None:
        kept = tuple(path for path in each.paths if not any(part in path for part in parts))
        inputs = tuple(name for name in each.inputs if not any(part in name for part in parts))
        return replace(each, paths=kept, inputs=inputs) if kept else None

    return change


def respec(program: str, **settings: object) -> Change:
    """Other settings for what a program makes."""

    def change(each: Wanted) -> Wanted:
        spec = json.loads(each.spec)
        if each.program != program or not spec.keys() >= settings.keys():
            return each
        return replace(each, spec=canonical_json({**spec, **settings}))

    return change


def test_results_are_read_wherever_they_lie(run: api.Run, replanned) -> None:
    copy = replanned(lambda each: each)
    assert copy.summary() == run.summary()
    assert copy.scores("effnet").equals(run.scores("effnet"))
    assert copy.figures == run.figures and "kappa" in run.figures


def test_what_the_configuration_no_longer_has_is_not_the_runs(replanned) -> None:
    """A model, a category and the questions were taken out; their files are still there."""
    run = replanned(without("effnet", "clock", "vqa", "asked", "other"))
    assert run.models == ("resnet",) and run.vqa_models == ()
    assert run.categories == ("bagel", "toilet_seat")
    with pytest.warns(UserWarning, match="are missing: .*images/clock.parquet, which is not of"):
        frame = run.images()
    assert set(frame["category"]) == {*run.categories}
    assert frame["group"].isna().all() and frame["real"].isna().all()
    assert set(run.logits("resnet").index.get_level_values("category")) == {*run.categories}
    assert not [name for name in run.tables if name.startswith("vqa")]
    with pytest.raises(api.ApiError, match="no model 'effnet'"):
        run.logits("effnet")
    with pytest.raises(api.ApiError, match="no category 'clock'; available: bagel, toilet_seat"):
        run.logits("resnet", "clock")
    for ask in (lambda: run.answers("asked"), lambda: run.table("vqa")):
        with pytest.raises(api.ApiError, match="has no "):
            ask()
    # What was made when they were in it is not read either.
    with pytest.raises(api.ApiError, match=r"scores/resnet.parquet is not .* made from .*clock"):
        run.scores("resnet")
    with pytest.raises(
        api.ApiError, match=r"made from scores/effnet\.parquet, which is not of the"
    ):
        run.table("accuracy")
    with pytest.raises(api.ApiError, match="Run Snakemake again"):
        run.summary()


@pytest.mark.parametrize(
    ("change", "asked", "message"),
    [
        (respec("tabulate", level=0.9), "table", r"accuracy.parquet .* made otherwise \(level\)"),
        (respec("report", level=0.9), "summary", r"report.html .* made otherwise \(level\)"),
        (respec("report", settings={}), "summary", r"made otherwise \(.*intervals.*, matching"),
        (respec("index_images", max_pixels=1), "images", r"bagel.parquet .* \(max_pixels\)"),
        (respec("index_images", max_pixels=1), "logits", "effnet/bagel.* made from .*images/bagel"),
        (respec("prepare_pixels", root="x"), "logits", "made from another .*pixels/.*bagel.arrow"),
        (respec("classify", mean=0), "scores", r"made from .*effnet/bagel.*otherwise \(mean\)"),
        (respec("classify", mean=0), "table", r"accuracy.* made from .*effnet/bagel.* \(mean\)"),
        (respec("classify", mean=0), "about", r"effnet/bagel.* made otherwise \(mean\)"),
        (respec("score", rules=[]), "classes", r"scores/effnet.* made otherwise \(rules\)"),
        (respec("fetch_vqa", prompt="x"), "answers", r"made from .*weights/asked.json"),
        (respec("ask", precision="x"), "answers", r"made from .*asked/1.*\(precision\)"),
    ],
)
def test_what_was_made_otherwise_than_the_last_plan_asks_is_not_read(
    replanned, change: Change, asked: str, message: str
) -> None:
    """As after a run that was stopped half-way through another configuration."""
    run = replanned(change)
    of = {"table": ["accuracy"], "answers": ["asked"], "summary": [], "images": []}
    with pytest.raises(api.ApiError, match=message):
        getattr(run, asked)(*of.get(asked, ["effnet"]))


@pytest.mark.parametrize(
    ("change", "lost", "message"),
    [
        (respec("index_images", max_pixels=1), "images", r"images/bagel.parquet is not there"),
        (respec("classify", mean=0), "logits", r"effnet/bagel.* plan asks for .* is not there"),
        (respec("score", rules=[]), "scores", r"another scores/effnet.* is not there"),
        (respec("fetch_weights", architecture=0), "logits", r"effnet.json, .*\(architecture\)"),
    ],
)
def test_what_was_made_from_files_that_would_be_others_now_is_not_read(
    replanned, change: Change, lost: str, message: str
) -> None:
    """A job that fails or is killed leaves no file, but old ones that were made from it."""
    run = replanned(change, lost)
    with pytest.raises(api.ApiError, match=f"accuracy.parquet is not .*{message}"):
        run.table("accuracy")
    assert "accuracy" not in run.tables and "overview" not in run.figures


def test_what_follows_from_the_plan_may_be_gone(run: api.Run, replanned) -> None:
    copy = replanned(lambda each: each, "images", "pixels", "logits", "scores")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert copy.summary() == run.summary()
        assert copy.tables == run.tables
    with pytest.raises(api.ApiError, match=r"images/bagel\.parquet is not there: run Snakemake"):
        copy.remarks()


def test_without_weights_nothing_can_tell_whether_results_are_as_planned(
    replanned, capsys: pytest.CaptureFixture[str]
) -> None:
    run = replanned(lambda each: each, "resources")
    for ask in (lambda: run.table("accuracy"), run.remarks):
        with pytest.warns(UserWarning, match="weights/effnet.json, .*nothing can tell") as warned:
            ask()
        assert len(warned) == 1
    assert main(["show", str(run.folder)]) == 0
    assert capsys.readouterr().out.count("\n- Results were made from files that are no longer") == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(run.images())


def test_figures_and_tables_at_another_level_are_not_the_runs(run: api.Run, replanned) -> None:
    def change(each: Wanted) -> Wanted:
        return respec("plot", level=0.9)(respec("tabulate", level=0.9)(each))

    copy = replanned(change)
    assert {"accuracy", "overview"}.isdisjoint({*copy.tables, *copy.figures})
    assert {*copy.tables} < {*run.tables} and {*copy.figures} < {*run.figures}
    assert copy.tables and copy.figures


def test_names_follow_the_rule_of_tables(run: api.Run, replanned) -> None:
    """Files of earlier configurations are none of the run's; `missing` says what they are."""
    assert run.missing == {}
    copy = replanned(respec("ask", precision="x"))
    assert copy.vqa_models == () and copy.models == run.models
    why = copy.missing
    assert why["vqa/answers/asked/1.parquet"] == "made otherwise (precision)"
    assert why["vqa/asked.parquet"] == (
        "made from vqa/answers/asked/1.parquet, which was made otherwise (precision)"
    )
    assert not [path for path in why if path.startswith(("scores/", "logits/", "images/"))]


@pytest.mark.parametrize(
    ("change", "models", "categories"),
    [
        (respec("score", rules=[]), ("effnet", "resnet"), CATEGORIES),  # there are logits
        (respec("classify", mean=0), (), CATEGORIES),
        (respec("index_images", max_pixels=1), (), ()),
    ],
)
def test_models_and_categories_made_otherwise_are_not_listed(
    replanned, change: Change, models: tuple[str, ...], categories: tuple[str, ...]
) -> None:
    copy = replanned(change)
    assert (copy.models, copy.categories) == (models, categories)


def test_what_is_planned_and_not_there_yet_is_told_apart(
    run: api.Run, replanned, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = replanned(lambda each: each, "images", "logits", "scores", "vqa", "report.html")
    (copy.folder / "images").mkdir()
    (copy.folder / "logits" / "effnet").mkdir(parents=True)
    for path in ("images/bagel", "images/toilet_seat", "logits/effnet/bagel"):
        (copy.folder / f"{path}.parquet").symlink_to(run.folder / f"{path}.parquet")
    assert copy.categories == ("bagel", "toilet_seat") and copy.models == ("effnet",)
    assert copy.missing["images/clock.parquet"] == "not there yet"
    assert main(["show", str(copy.folder)]) == 0
    assert "scores/" not in capsys.readouterr().out, "there are logits, but no scores"
    assert "images/bagel.parquet" not in copy.missing
    for what, ask in (("logits", copy.logits), ("scores", copy.scores), ("scores", copy.classes)):
        with pytest.raises(api.ApiError, match=f"no {what} of model 'resnet' yet: run Snakemake"):
            ask("resnet")
    with pytest.raises(api.ApiError, match="no category 'clock' yet: run Snakemake"):
        copy.logits("effnet", "clock")
    with pytest.raises(api.ApiError, match="no VQA model 'asked' yet: run Snakemake"):
        copy.answers("asked")
    with pytest.warns(UserWarning, match="not finished: there are no manifests of 'clock' yet"):
        assert set(copy.images()["category"]) == {"bagel", "toilet_seat"}
    with pytest.warns(UserWarning, match="no logits of 'effnet' of 'clock', 'toilet_seat' yet"):
        assert len(copy.logits("effnet")) == len(run.logits("effnet", "bagel"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(copy.logits("effnet", "bagel")) == len(run.logits("effnet", "bagel"))
        assert len(run.images()) == 12


def test_a_mix_of_versions_is_among_the_remarks(run: api.Run, replanned) -> None:
    copy = replanned(lambda each: each, "scores")
    shutil.copytree(run.folder / "scores", copy.folder / "scores")
    assert copy.remarks() == run.remarks()
    path = copy.folder / "scores" / "resnet.parquet"
    table = pq.read_table(path)
    origin = json.loads(table.schema.metadata[KEY.encode()])
    now = origin["versions"]["torch"]
    origin["versions"]["torch"] = ["1.0"]
    described = {**table.schema.metadata, KEY.encode(): json.dumps(origin).encode()}
    pq.write_table(table.replace_schema_metadata(described), path)
    said = copy.remarks()
    assert said[1:] == run.remarks()
    assert said[0].startswith(
        f"Not all results were made with the same software. torch: 1.0 and {now[0]}. Differences"
    )


def test_show_looks_at_each_file_once(
    run: api.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked: Counter[Path] = Counter()
    real = planned_module.read_origin

    def read_origin(path: Path):
        looked[path] += 1
        return real(path)

    monkeypatch.setattr(planned_module, "read_origin", read_origin)
    assert main(["show", str(run.folder)]) == 0
    assert "Before you trust these numbers" in capsys.readouterr().out
    assert len(looked) > 50 and {*looked.values()} == {1}


def test_a_table_made_before_a_model_was_added_is_not_read(replanned) -> None:
    def change(each: Wanted) -> Wanted:
        more = ("score scores/third.parquet",) if each.program == "tabulate" else ()
        return replace(each, inputs=(*each.inputs, *more))

    run = replanned(change)
    with pytest.raises(api.ApiError, match=r"made without scores/third\.parquet"):
        run.table("accuracy")
    assert len(run.scores("effnet")), "which do not depend on it"


# --- Scores of logits -------------------------------------------------------------------------


@pytest.mark.parametrize("rule", api.rules())
def test_a_run_s_logits_score_as_the_workflow_scored_them(run: api.Run, rule: str) -> None:
    """With the run's labels and definitions, its categories to choose from, and in any order."""
    logits, stored = run.logits("effnet"), run.scores("effnet", rule)
    same(api.score(logits, rule=rule), stored)
    shuffled = logits.iloc[:, ::-1].loc[["clock"]]
    of_clock = stored[stored["category"] == "clock"].reset_index(drop=True)
    same(api.score(shuffled, rule=rule), of_clock)


def test_what_a_run_knows_of_its_scores_counts_unless_something_else_is_given(
    run: api.Run, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's definitions may have changed since, and the label file, too."""
    monkeypatch.setattr(scores_module, "definitions_file", lambda: tmp_path / "changed.yaml")
    (tmp_path / "changed.yaml").write_text("clock: {classes: {}}\n")
    logits = run.logits("effnet", "clock")
    kept = tmp_path / "logits.parquet"
    logits.to_parquet(kept)
    stored = run.scores("effnet", "classes").query("category == 'clock'")
    for frame in (logits, pd.read_parquet(kept)):
        assert api.score(frame, rule="classes")["top5_hit"].tolist() == stored["top5_hit"].tolist()
        given = api.score(frame, rule="classes", definitions=tmp_path / "changed.yaml")
        assert not given["top5_hit"].any()
    logits.attrs["synthsight"]["content"] = "0" * 64
    with pytest.raises(FileError, match=r"labels\.txt has changed"):
        api.score(logits)
    assert len(api.score(logits, labels=finished.folder / "labels.txt")) == len(logits)


@pytest.mark.parametrize("rule", api.rules())
def test_logits_that_are_not_scored_yet_score_as_the_plan_says(
    run: api.Run,
    finished: Project,
    replanned,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    rule: str,
) -> None:
    """Not by ImageNet's labels, nor by definitions that have changed since."""
    monkeypatch.setattr(scores_module, "definitions_file", lambda: tmp_path / "changed.yaml")
    (tmp_path / "changed.yaml").write_text("clock: {classes: {}}\n")
    copy = replanned(lambda each: each, "scores")
    shutil.copy(finished.folder / "labels.txt", tmp_path)
    same(api.score(copy.logits("effnet"), rule=rule), run.scores("effnet", rule))


def test_logits_score_as_the_last_plan_says_and_not_as_they_were_scored(replanned) -> None:
    copy = replanned(respec("score", aggregation="mean"))
    assert copy.logits("effnet").attrs["synthsight"]["aggregation"] == "mean"


def test_logits_of_a_plan_that_does_not_say_how_they_are_scored_are_not_guessed_at(
    replanned,
) -> None:
    logits = replanned(without("scores/")).logits("effnet")
    with pytest.raises(api.ApiError, match=r"does not say how .* give `labels` and `definitions`"):
        api.score(logits)


def test_labels_are_those_of_the_project_wherever_its_results_are(
    finished: Project, tmp_path: Path
) -> None:
    """`results` may be a link to another disk, where no label file counts."""
    for name in ("results", "resources"):
        (tmp_path / name).symlink_to(finished.folder / name)
    logits = api.open_run(tmp_path / "results" / "small").logits("effnet")
    with pytest.raises(api.ApiError, match=f"{tmp_path}/labels.txt is missing.* give it as"):
        api.score(logits)
    labels = shutil.copy(finished.folder / "labels.txt", tmp_path)
    assert len(api.score(logits)) == len(logits)
    Path(labels).write_text("others\n")
    with pytest.raises(FileError, match=r"labels\.txt has changed"):
        api.score(logits)


def one_hot(*classes: int, count: int = 1000) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[list(classes)] * 5


def test_an_array_scores_with_a_category_for_all_or_for_each(tmp_path: Path) -> None:
    logits = one_hot(409, 963, 892)  # an analog clock, a pizza, a wall clock
    assert api.score(logits, "clock")["top1_hit"].tolist() == [True, False, True]
    each = api.score(logits, ["clock", "pizza", "pizza"])
    assert each["top1_hit"].tolist() == [True, True, False]
    assert each["image"].tolist() == ["0", "1", "2"], "in the order given"
    assert each["predicted"].str[0].tolist() == ["analog clock", "pizza", "wall clock"]
    in_order = pd.Series(["clock", "pizza", "pizza"])
    assert api.score(logits, in_order)["top1_hit"].tolist() == [True, True, False]
    named = api.score(pd.DataFrame(logits, index=["c", "b", "a"]), "clock")
    assert named["image"].tolist() == ["c", "b", "a"]


def test_the_rule_decides_and_so_do_definitions(tmp_path: Path) -> None:
    kite, hare = one_hot(21), one_hot(331)
    assert api.score(kite, "kite")["top1_hit"].tolist() == [True]
    # The project's own definitions know that the hawk is no kite, and that a hare will do.
    assert api.score(kite, "kite", rule="classes")["top1_hit"].tolist() == [False]
    assert api.score(hare, "rabbit")["top1_hit"].tolist() == [True]
    assert api.score(hare, "rabbit", definitions={})["top1_hit"].tolist() == [False]
    chosen = {"bunny": Definition(classes={"n02326432": "a hare"})}
    scored = api.score(hare, "bunny", rule="classes", definitions=chosen)
    assert scored["top1_hit"].tolist() == [True]
    file = tmp_path / "mine.yaml"
    file.write_text("bunny: {also: [hare]}\n")
    for given in (file, {"bunny": {"also": ["hare"]}}, {"bunny": Definition(("hare",))}):
        assert api.score(hare, "bunny", definitions=given)["top1_hit"].tolist() == [True]


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({"bunny": {"also": "hare"}}, "`definitions`: bunny: also: 'hare' is not of type 'array'"),
        ({"bunny": {"aslo": ["hare"]}}, "`definitions`: bunny: Additional properties"),
        ({"bunny": {"classes": {"n99999999": "x"}}}, "`definitions`: bunny: there is no synset"),
        ({7: {"also": ["hare"]}}, "`definitions`: the category 7 is not a text"),
        ({"bunny": ["hare"]}, "`definitions`: bunny: ['hare'] is not of type 'object'"),
        ({"bunny": Definition("hare")}, "`definitions`: bunny: also: 'hare' is not of type 'arr"),
        ({"bunny": Definition(("?",))}, "`definitions`: bunny: '?' has no word in it"),
        ({"bunny": Definition(classes={"n99999999": "x"})}, "bunny: there is no synset n99999999"),
        (
            {"fire engine": {"also": ["a"]}, "bunny": {"also": ["b"]}, "Fire_Engine": Definition()},
            "`definitions`: 'fire engine' and 'Fire_Engine' are one category, written in differen",
        ),
        (
            {"fire engine": {"also": ["a"]}, "fire_engine": {"also": ["b"]}},
            "`definitions`: 'fire engine' and 'fire_engine' are one category, written in differen",
        ),
    ],
)
def test_definitions_in_a_mapping_are_checked_as_those_in_a_file(definitions, message: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(message)):
        api.score(one_hot(331), "bunny", definitions=definitions)


def test_restricted_chooses_among_the_categories_that_are_named() -> None:
    logits = one_hot(963)  # pizza, then all alike
    # Kite is defined, but no class of ImageNet shows one: only the clock could be chosen.
    for others in (None, [], ["clock"], ["kite"]):
        with pytest.raises(api.ApiError, match="'clock' alone is no choice: name the others"):
            api.score(logits, "clock", rule="restricted", among=others)
    with pytest.raises(api.ApiError, match=r"is called 'piza', .* did you mean 'pizza'\?"):
        api.score(logits, "clock", rule="restricted", among=["vase", "piza"])
    with pytest.raises(api.ApiError, match="and none of these has any"):
        api.score(logits, "kite", rule="restricted")
    among = api.score(logits, "clock", rule="restricted", among=["pizza", "vase"])
    assert among["top1_hit"].tolist() == [False]
    assert len(among) == 1


def test_columns_go_by_their_names_and_a_series_of_categories_by_its_index(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("clock\npizza\nvase\n")
    frame = pd.DataFrame(np.eye(3, dtype=np.float32), ["a", "b", "c"], ["clock", "pizza", "vase"])
    shown = pd.Series({"c": "vase", "a": "clock", "b": "pizza"})
    turned = frame[["vase", "clock", "pizza"]]
    numbered = frame.set_axis(["0", "1", "2"], axis=1)[["2", "0", "1"]]
    for logits in (frame, turned, numbered, frame.set_axis([0, 1, 2], axis=1)[[2, 1, 0]]):
        assert api.score(logits, shown, labels=labels)["top1_hit"].all()
    paired = turned.set_axis(
        pd.MultiIndex.from_product([["x"], list("abc")], names=["from", "image"])
    )
    assert api.score(paired, shown, labels=labels)["top1_hit"].all()


def test_what_is_doubtful_about_a_label_file_is_warned_about(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("1kite\n2clock\n")
    with pytest.warns(UserWarning, match=r"labels\.txt: '1kite', '2clock', .* part of the names"):
        api.score(np.eye(2, dtype=np.float32), "kite", labels=labels)


def test_the_aggregation_is_handed_on(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("wall clock\nanalog clock\npizza\n")
    logits = np.log(np.array([[0.44, 0.16, 0.40]], np.float32))
    options = {"labels": labels, "rule": "restricted", "among": ["pizza"], "definitions": {}}
    assert api.score(logits, "clock", aggregation="max", **options)["top1_hit"].tolist() == [True]
    assert api.score(logits, "clock", aggregation="mean", **options)["top1_hit"].tolist() == [False]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((one_hot(1),), {}, "what do the images show"),
        ((one_hot(1, 2), ["clock"]), {}, "2 images, but 1 categories"),
        ((one_hot(1), "clock"), {"rule": "words/simpel"}, "did you mean 'words/simple'?"),
        ((one_hot(1), "clock"), {"aggregation": "sum"}, "no aggregation 'sum'"),
        ((one_hot(1, 2), ["clock", None]), {}, "a category is a text, not None"),
        ((pd.DataFrame(one_hot(1)).iloc[:, 1:], "clock"), {}, "0 to 998: 0 is missing"),
        ((pd.DataFrame(one_hot(1)).add_prefix("logit_"), "clock"), {}, "'logit_0' is no class"),
        ((pd.DataFrame(one_hot(1, 2)), pd.Series("clock", [1, 2])), {}, "2 is not an image's"),
        ((pd.DataFrame(one_hot(1)).astype(object).replace(5.0, "x"), "clock"), {}, "else than log"),
        ((one_hot(1) * np.nan, "clock"), {}, "NaN or infinite"),
        ((pd.DataFrame(one_hot(1, 2), index=["a", "a"]), "clock"), {}, "'a' occurs twice"),
        ((one_hot(1, 2), pd.Series(["clock", "vase"], [1, 0])), {}, "give `.tolist()` to go by"),
        ((one_hot(1, 2), pd.Series(["clock", "vase"], ["a", "b"])), {}, "give `.tolist()` to go"),
        ((one_hot(1, 2), {"clock", "vase"}), {}, "must be a list, in the order of the images"),
        ((one_hot(1, 2), {"clock": 0, "vase": 1}), {}, "or a series, not a dict"),
        ((one_hot(1, 2), iter(["clock", "vase"])), {}, "must be a list"),
        ((one_hot(1, 2)[None], "clock"), {}, "these have the shape (1, 2, 1000)"),
        ((one_hot(1)[0], "clock"), {}, "these have the shape (1000,)"),
        (([[1.0, 2.0], [3.0]], "clock"), {}, "logits must be an array"),
        (
            (one_hot(1), "clock"),
            {"among": "pizza"},
            "`among` is a list of names, not 'pizza': wri",
        ),
        ((one_hot(1), "clock"), {"among": [7]}, "`among` is a list of names, and 7 in it is none"),
        ((one_hot(1), "clock"), {"among": 7}, "`among` is a list of names, not 7"),
        ((one_hot(1), "clock"), {"among": {"vase": {}}}, "a list of names, not {'vase': {}}"),
        ((one_hot(1), "clock"), {"among": Path("vase")}, "a list of names, not PosixPath('vase')"),
        ((one_hot(1), "clock"), {"rule": None}, "`rule` is one name, a text, not None"),
        ((one_hot(1), "clock"), {"rule": ["classes"]}, "one name, a text, not ['classes']"),
        ((one_hot(1), "clock"), {"aggregation": ["max"]}, "no aggregation ['max']"),
        ((one_hot(1), "clock"), {"labels": ["clock"]}, "`labels` is a path, a text or a `Path`"),
        ((one_hot(1), "clock"), {"labels": ""}, "`labels` is a path"),
        ((one_hot(1), "clock"), {"definitions": 7}, "`definitions`, if no mapping, is a path"),
        ((one_hot(1), "clock"), {"definitions": ""}, "is a path, a text or a `Path`, not ''"),
        ((one_hot(1), "clock"), {"definitions": [{}]}, "is a path, a text or a `Path`, not [{}]"),
        ((one_hot(1), ""), {}, "the category '' has no word in its name"),
        ((np.empty((2, 0)), "clock"), {}, "there is no column: one is needed for each class"),
        ((one_hot(1), ["?"]), {}, "the category '?' has no word in its name"),
        ((one_hot(1), [b"clock"]), {}, "a category is a text, not b'clock'"),
        ((one_hot(1), Path("clock")), {}, "must be a list, in the order of the images"),
        ((one_hot(1) * 1j, "clock"), {}, "a column holds something else than logits: complex"),
        ((np.ma.masked_less(one_hot(1), 1), "clock"), {}, "an array without a mask"),
        ((one_hot(1, 2), ["fire engine", "Fire_Engine"]), {}, "are one category, written in diff"),
    ],
)
def test_what_cannot_be_scored_is_an_error(arguments, options, message: str) -> None:
    with pytest.raises(api.ApiError, match=re.escape(message)):
        api.score(*arguments, **options)


def test_logits_of_other_labels_are_refused() -> None:
    with pytest.raises(ScoreError, match="10 logits, but its labels name 1000 classes"):
        api.score(one_hot(1, count=10), "clock")


# --- A model on a folder ----------------------------------------------------------------------


def settings(finished: Project, number: int) -> dict:
    """The settings of a model of the small project, with paths from everywhere."""
    model = dict(small_config()["models"][number])
    model.pop("reference", None)
    model["checkpoint"] = finished.folder / model["checkpoint"]
    return {**model, "labels": str(finished.folder / "labels.txt")}


@pytest.mark.long
@pytest.mark.parametrize(("number", "name"), [(0, "effnet"), (1, "resnet")])
def test_a_folder_is_classified_as_by_the_workflow(
    run: api.Run, finished: Project, cache: Path, number: int, name: str
) -> None:
    found = api.classify(finished.folder / "pictures", cache=cache, **settings(finished, number))
    stored = run.scores(name)
    for column in ("image", "category", "generator", "rule", "top1_hit", "top5_hit", "predicted"):
        assert found[column].tolist() == stored[column].tolist(), column
    np.testing.assert_allclose(
        np.concatenate(found["probability"].tolist()),
        np.concatenate(stored["probability"].tolist()),
        rtol=1e-4,
    )


@pytest.mark.long
def test_a_table_says_what_the_images_of_a_folder_show(
    finished: Project, cache: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "image,category,generator,group,real\n"
        "muse/clock/0.png,clock,muse,one,\n"
        "muse/clock/1.png,bagel,muse,two,\n"
        "dream/clock/0.png,bagel,photos,two,yes\n"
    )
    found = api.classify(
        finished.folder / "pictures", table=table, cache=cache, **settings(finished, 0)
    )
    rows = found.drop_duplicates("image").set_index("image")
    assert rows["category"].to_dict() == {
        "muse/clock/0.png": "clock",
        "muse/clock/1.png": "bagel",
        "dream/clock/0.png": "bagel",
    }
    assert rows["group"].to_dict() == {
        "muse/clock/0.png": "clock//one",
        "muse/clock/1.png": "bagel//two",
        "dream/clock/0.png": "bagel//two",
    }
    assert rows.index[rows["real"]].tolist() == ["dream/clock/0.png"]


def test_numbers_of_numpy_are_numbers() -> None:
    given = {"mean": np.array([0.5, 0.25]), "resize": np.int64(64), "std": (np.float64(1), 2)}
    assert _yaml_value(given) == {"mean": [0.5, 0.25], "resize": 64, "std": [1.0, 2]}
    assert json.dumps(_yaml_value(given))
    assert _yaml_value({"checkpoint": Path("a/b")}) == {"checkpoint": "a/b"}


@pytest.mark.long
def test_weights_are_fetched_once_and_again_for_another_checkpoint(
    finished: Project, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthsight.classifiers import weights

    fetched = []
    real = weights.fetch_weights

    def fetch(*arguments, **options):
        fetched.append(arguments[0])
        return real(*arguments, **options)

    monkeypatch.setattr(weights, "fetch_weights", fetch)
    entry = settings(finished, 0)
    copy = tmp_path / "copy.safetensors"
    save_random_weights(copy, "test_efficientnet", len(LABELS), seed=5)
    others = {*(cache / "weights").glob("*.safetensors")}

    def classify() -> pd.DataFrame:
        return api.classify(
            finished.folder / "pictures",
            categories=["bagel"],
            cache=cache,
            **{**entry, "checkpoint": copy},
        )

    first, again = classify(), classify()
    assert fetched == ["effnet"]
    same(first, again)
    # What was damaged or exchanged in the cache is noticed, and fetched again.
    (weights_file,) = {*(cache / "weights").glob("*.safetensors")} - others
    note = weights_file.with_suffix(".json")
    cached = weights_file.read_bytes()
    stated = json.loads(note.read_text())
    for spoil in (
        lambda: weights_file.write_bytes(cached[:-1] + bytes([cached[-1] ^ 1])),
        lambda: note.write_text(json.dumps({**stated, "sha256": "0" * 64})),
        lambda: note.write_text("{"),
    ):
        spoil()
        with pytest.warns(UserWarning, match=f"{weights_file.name} is not the file that"):
            same(first, classify())
        assert weights_file.read_bytes() == cached
    assert fetched == ["effnet"] * 4
    fetched.clear()
    save_random_weights(copy, "test_efficientnet", len(LABELS), seed=7)
    other = classify()
    assert fetched == ["effnet"]
    assert not np.allclose(
        np.concatenate(first["probability"].tolist()), np.concatenate(other["probability"].tolist())
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((None, "timm/a"), {}, "the folder is a path, a text or a `Path`, not None"),
        (("", "timm/a"), {}, "the folder is a path, a text or a `Path`, not ''"),
        ((["a.png"], "timm/a"), {}, "the folder is a path, a text or a `Path`, not ['a.png']"),
        (("pictures", ["timm/a"]), {}, "`model` is one name, a text, not ['timm/a']"),
        (("pictures", "timm/a"), {"categories": "bagel"}, "not 'bagel': write ['bagel']"),
        (("pictures", "timm/a"), {"categories": 7}, "`categories` is a list of names, not 7"),
        (("pictures", "timm/a"), {"categories": ["a", None]}, "and None in it is none"),
        (("pictures", "timm/a"), {"definitions": 7}, "`definitions` is a path"),
        (("pictures", "timm/a"), {"definitions": ""}, "`definitions` is a path"),
        (("pictures", "timm/a"), {"definitions": {"a": {}}}, "`definitions` is a path"),
        (("pictures", "timm/a"), {"cache": 7}, "`cache` is a path, a text or a `Path`, not 7"),
        (("pictures", "timm/a"), {"cache": ""}, "`cache` is a path, a text or a `Path`, not ''"),
    ],
)
def test_what_is_no_argument_of_classify_is_an_error(arguments, options, message: str) -> None:
    with pytest.raises(api.ApiError, match=re.escape(message)):
        api.classify(*arguments, **options)


def test_a_cache_in_a_home_folder_as_shells_abbreviate_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(api.ApiError, match="cache='~/kept': `~` is not expanded here: write '/"):
        api.classify(tmp_path, "timm/test_resnet", cache="~/kept")


def test_files_that_cannot_be_used_are_left_out_with_a_warning(
    finished: Project, cache: Path, tmp_path: Path
) -> None:
    draw_image(tmp_path / "pictures" / "bagel" / "good.png", 1)
    (tmp_path / "pictures" / "bagel" / "bad.png").write_bytes(b"no picture")
    draw_image(tmp_path / "pictures" / "loose.png", 2)
    with pytest.warns(UserWarning) as warned:
        found = api.classify(tmp_path / "pictures", cache=cache, **settings(finished, 0))
    assert set(found["image"]) == {"bagel/good.png"}
    texts = [str(each.message) for each in warned]
    assert any(text.startswith("files left out (1): 'bagel/bad.png': ") for text in texts)
    assert any("1 images directly in" in text for text in texts)


def test_a_category_without_a_usable_image_is_an_error(
    finished: Project, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "pictures" / "bagel").mkdir(parents=True)
    (tmp_path / "pictures" / "bagel" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(api.ApiError, match=r"no image of the category 'bagel' .*'bagel/bad\.png'"):
        api.classify(tmp_path / "pictures", cache=cache, **settings(finished, 0))


def test_what_is_wrong_is_said_in_the_configuration_s_words(finished: Project, cache: Path) -> None:
    entry = settings(finished, 0)
    with pytest.raises(ConfigError, match="unknown key; did you mean 'labels'") as caught:
        api.classify(finished.folder / "pictures", cache=cache, **entry, lables="x")
    assert isinstance(caught.value, api.SynthsightError)
    with pytest.raises(ConfigError, match="did you mean") as caught:
        api.classify(
            finished.folder / "pictures", cache=cache, **{**entry, "model": "timm/test_resnett"}
        )
    with pytest.raises(ConfigError, match=r"no folder .clocks.*did you mean .clock"):
        api.classify(finished.folder / "pictures", categories=["clocks"], cache=cache, **entry)


@pytest.mark.long
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="needs real weights and images")
@pytest.mark.filterwarnings("ignore:.*is not used")
def test_real_weights_see_what_is_in_generated_images(cache: Path) -> None:
    found = api.classify(
        REAL_DATA / "images",
        "timm/mobilenetv2_100",
        checkpoint=REAL_DATA / "weights" / "mobilenetv2_100.safetensors",
        arguments={"pad_type": "same"},
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        resize=256,
        crop=224,
        interpolation="bilinear",
        categories=["bagel", "balloon", "bolete", "great_white_shark", "lion", "mushroom"],
        cache=cache,
    )
    hits = found[found["rule"] == "words/simple"]
    assert hits["category"].nunique() == 6
    assert hits["top1_hit"].mean() > 0.7  # by chance a thousandth


# --- What it costs ----------------------------------------------------------------------------


@pytest.mark.long
def test_the_library_is_there_without_torch_or_snakemake() -> None:
    code = (
        "import json, sys; from synthsight import api; "
        "print(json.dumps(sorted(m for m in sys.modules if '.' not in m)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "pandas" in loaded
    assert not {"torch", "timm", "torchvision", "transformers", "snakemake", "matplotlib"} & {
        *loaded
    }


@pytest.mark.long
def test_no_program_of_the_workflow_reaches_the_library_or_the_commands() -> None:
    """An edit of theirs would make everything run again."""
    mine = {SOURCE / "api.py", SOURCE / "__main__.py", SOURCE / "plan" / "standalone.py"}
    mine |= {*(SOURCE / "library").glob("*.py"), *(SOURCE / "commands").glob("*.py")}
    for program in SCRIPTS.glob("*.py"):
        assert not mine & {*digest._reached(program)}, program.name
    # What is looked for is found where it is.
    assert SOURCE / "library" / "runs.py" in digest._reached(SOURCE / "api.py")


def test_what_the_module_offers_is_documented() -> None:
    text = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    for name in set(api.__all__) - {"ApiError", "SynthsightError"}:
        assert name in text, name
    for name, thing in vars(api.Run).items():
        if not name.startswith("_") and name != "folder":
            assert thing.__doc__, name
            assert f"run.{name}" in text, name


def test_the_documented_lines_are_python() -> None:
    text = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        ast.parse(block)
