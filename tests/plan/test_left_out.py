"""Models that failed: which these are, and the experiment without them."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from docutils.core import publish_parts

from synthsight.plan import leaving, specs
from synthsight.plan.config import models as models_module
from synthsight.plan.config.people import People
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.plan.leaving import StaysError, failed_models, go_on, open_jobs
from synthsight.plan.left_out import (
    GOES_ON,
    LeftOut,
    NothingLeftError,
    NotNotedError,
    captioned,
    leave_out,
    read_left_out,
    without_failed,
    write_left_out,
)
from synthsight.plan.printed import printed
from synthsight.plan.tables import with_people_s_answers
from synthsight.plan.terminal import Failure
from synthsight.plan.wanted import wanted
from tests.plan.test_config import RESOLVED, load, workplace_, write

__all__ = ["workplace_"]  # a fixture

pytestmark = pytest.mark.usefixtures("workplace_", "answered")

PARTS = {
    "on_failure": "on_failure: leave_out",
    "models": (
        "models:\n  - {model: torchvision/alexnet.IMAGENET1K_V1, name: a}"
        "\n  - {model: torchvision/alexnet.IMAGENET1K_V1, name: b, features: true}"
        "\n  - {model: torchvision/alexnet.IMAGENET1K_V1, name: c}"
    ),
    "encoders": "encoders: [{model: timm/vit, name: sees}]",
    "adapt": "adapt: [{model: b}, {model: sees, name: made}]",
    "map": "map: {models: [sees]}",
    "vqa": (
        "vqa:\n  questions: q.csv\n  models:\n    - {model: OFA-Sys/ofa-base, name: asked}"
        "\n    - {model: OFA-Sys/ofa-tiny, name: other}"
    ),
}


@pytest.fixture(name="answered")
def answered_(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for the libraries."""
    layer = {"layers": ["head"], "length": 9}
    monkeypatch.setattr(
        models_module,
        "resolve_cached",
        lambda asked, *_: [{"model": RESOLVED | layer} for _ in asked],
    )


@pytest.fixture
def experiment() -> Experiment:
    Path("q.csv").write_text("image,question,answer\npizza/a.png,Is it hot?,yes\n")
    return load(write(**PARTS))


def failed(model: str, rule: str = "classify") -> LeftOut:
    return LeftOut(model, rule, "no such thing")


def names(experiment: Experiment) -> list[str]:
    return [each.model for each in experiment.left_out]


def paths(experiment: Experiment) -> set[str]:
    files = Files(experiment)
    of_targets = {path for paths in files.targets.values() for path in paths}
    return of_targets | {p for each in wanted(files, lambda *_: "code") for p in each.paths}


# The experiment ----------------------------------------------------------------------------------


def test_nothing_is_made_of_a_model_that_is_left_out(experiment: Experiment) -> None:
    left = leave_out(experiment, [failed("a"), failed("other", "ask")])
    assert names(left) == ["a", "other"]
    for path in paths(left):
        assert not {"a", "other"} & {*path.replace(".", "/").split("/")}, path
    assert paths(left) < paths(experiment)
    assert left.settings.models == experiment.settings.models[1:]
    assert printed(left)["models"] == printed(experiment)["models"], "the page prints all of it"


def test_an_adapted_model_goes_with_the_one_that_it_is_made_from(experiment: Experiment) -> None:
    left = leave_out(experiment, [failed("b", "embed")])
    assert names(left) == ["b", "b+linear"]
    assert left.left_out[1] == LeftOut("b+linear", "embed", "it is made from b, which failed")
    assert [each.name for each in left.settings.adapt] == ["made"]
    assert specs.adapted(left) == {"adapted": ["made"]}


def test_what_is_left_without_any_model_goes(experiment: Experiment) -> None:
    gone = [failed("sees", "embed"), failed("asked", "fetch_vqa"), failed("other", "ask")]
    left = leave_out(experiment, gone)
    assert names(left) == ["asked", "made", "other", "sees"]
    assert left.settings.map is None and experiment.settings.map is not None
    assert left.vqa is None and left.settings.vqa is None
    assert not [path for path in paths(left) if "vqa" in path or "maps" in path]


def test_what_people_answered_goes_with_the_questions(experiment: Experiment) -> None:
    both = replace(experiment, people=People({"labels.csv": "sum"}, {"answers.csv": "sum"}))
    assert leave_out(both, [failed("asked")]).people == both.people
    left = leave_out(both, [failed("asked"), failed("other")])
    assert left.people == People({"labels.csv": "sum"}, {}) and not with_people_s_answers(left)
    only = replace(experiment, people=People({}, {"answers.csv": "sum"}))
    assert leave_out(only, [failed("asked"), failed("other")]).people is None


def test_without_any_classifier_there_is_nothing_to_go_on_with(experiment: Experiment) -> None:
    with pytest.raises(NothingLeftError, match=r"a \(failed in classify: no such thing\); b"):
        leave_out(experiment, map(failed, "abc"))  # what is adapted from `sees` is not enough


def test_the_page_alone_is_told_and_the_specs_of_complete_runs_stay(experiment: Experiment) -> None:
    left = leave_out(experiment, [failed("a")])
    told = [{"model": "a", "rule": "classify", "why": "no such thing"}]
    assert specs.report(left)["left_out"] == told
    without = specs.report(experiment)
    assert "left_out" not in without and "on_failure" not in without["settings"]
    assert any("left out: a (failed in classify: no such thing)" in w for w in left.warnings)


# Who goes by the file ----------------------------------------------------------------------------


def plans(experiment: Experiment, *arguments: str, main: bool = True) -> list[str]:
    return names(without_failed(experiment, main, ["snakemake", *arguments]))


def test_a_start_tries_all_models_and_jobs_and_reports_go_by_what_there_is(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_left_out([failed("a")], Path("results/test"))
    again = without_failed(experiment, True, ["snakemake"])
    assert again.left_out == () and "tried again now: a (failed" in again.warnings[-1]
    assert plans(experiment, main=False) == ["a"], "a job"
    assert plans(experiment, "--report=r.zip") == plans(experiment, "--report") == ["a"]
    monkeypatch.setenv(GOES_ON, "1")
    assert plans(experiment) == [], "of another process"
    monkeypatch.setenv(GOES_ON, str(os.getpid()))
    assert plans(experiment) == ["a"]
    stops = replace(experiment.settings, on_failure="stop")
    assert plans(replace(experiment, settings=stops)) == []


def test_the_file_is_gone_when_all_models_are_there(experiment: Experiment) -> None:
    folder = Path("results/test")
    write_left_out([failed("a")], folder)
    assert read_left_out(folder) == [failed("a")]
    write_left_out([], folder)
    assert not (folder / "left_out.json").exists() and read_left_out(folder) == []
    (folder / "left_out.json").write_text('[{"model": 1}, 2')
    assert read_left_out(folder) == [], "damaged"
    Path("file").touch()
    with pytest.raises(NotNotedError, match=r"left_out.json cannot be written \(.*\), so no model"):
        write_left_out([failed("a")], Path("file"))


def test_a_caption_says_which_models_are_missing_whatever_they_are_called() -> None:
    caption = Path("tables/accuracy.rst")
    caption.parent.mkdir()
    caption.write_text("Accuracy of *{{ run }}*.\n")
    assert captioned(caption, [], Path("kept")) == str(caption)
    name = "**m**_{{ 1 + 1 }}`x`\\ ü"
    path = captioned(caption, [LeftOut(name, "classify", "a\nb |c| <d>")], Path("kept"))
    text = jinja2.Environment().from_string(Path(path).read_text()).render(run="r")
    html = publish_parts(text, writer="html")["body"]
    assert "<em>r</em>" in html and "system-message" not in html
    assert name in html and "classify: a b |c| &lt;d&gt;" in html


# What failed -------------------------------------------------------------------------------------


def job(rule: str, why: str = "it broke", group: str | None = None, **wildcards: str) -> Failure:
    return Failure(rule, wildcards, why, "log", group)


def test_the_models_are_those_that_failed_jobs_are_about(experiment: Experiment) -> None:
    files = Files(experiment)
    jobs = [
        job("fetch_weights", "fetch_weights: no file", stem=files.stems["a"]),
        job("classify", model="b", category="pizza"),
        job("classify", model="b", category="rabbit"),
        job("ask_blind", "ask: no memory", vqa_model="asked", shard="0"),
        job("classify_part", "classify: no", model="c", category="pizza", part="1-of-2"),
        job("prepare_pixels_to_embed_part", "prepare_pixels: no", model="d", part="1-of-2"),
        job("join_features", "join_vectors: no", model="e", category="pizza"),
    ]
    assert failed_models(jobs, files) == [
        LeftOut("a", "fetch_weights", "no file"),
        LeftOut("b", "classify", "it broke"),
        LeftOut("asked", "ask_blind", "no memory"),
        LeftOut("c", "classify_part", "no"),
        LeftOut("d", "prepare_pixels_to_embed_part", "no"),
        LeftOut("e", "join_features", "no"),
    ]


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (job("index_images", category="pizza"), "not about a single model"),
        (job("plot_vqa_samples", vqa_model="asked", page="1"), "not about a single model"),
        (job("classify", f"classify: a: {os.strerror(errno.ENOSPC)}", model="a"), "no model's"),
    ],
)
def test_other_failures_leave_no_model_out(
    failure: Failure, why: str, experiment: Experiment
) -> None:
    with pytest.raises(StaysError, match=why):
        failed_models([job("classify", model="b"), failure], Files(experiment))


def test_of_jobs_that_were_submitted_together_the_log_says_which_failed(
    experiment: Experiment,
) -> None:
    files = Files(experiment)
    one = [
        job("classify", "its log is empty", "g", model="a"),
        job("score", "score: no", "g", model="a"),
    ]
    assert failed_models(one, files) == [LeftOut("a", "score", "no")]
    mixed = [
        job("find_duplicates", "12 images", "g"),
        job("import_predictions", "", "g", model="a"),
    ]
    with pytest.raises(StaysError, match="no log says which"):
        failed_models(mixed, files)
    mixed[1] = replace(mixed[1], why="import_predictions: no column")
    assert failed_models(mixed, files) == [LeftOut("a", "import_predictions", "no column")]


def test_a_run_that_was_stopped_is_not_one_that_failed() -> None:
    needs = {"index": [], "a": ["index"], "b": ["index"], "table": ["a", "b"], "page": ["table"]}
    unfinished = ["page", "table", "a"]
    assert open_jobs(unfinished, {"a"}, needs.__getitem__) == []
    assert open_jobs(unfinished, set(), needs.__getitem__) == unfinished
    assert open_jobs(["page", "table", "a", "b"], {"a"}, needs.__getitem__) == ["b"]


class Scheduled:
    """Snakemake's graph and its scheduler, after one job has failed."""

    def __init__(self, waiting: Mapping[str, list[str]], failed: set[str]) -> None:
        self.dependencies, self.failed = waiting, failed
        self.group = {"together", "table"} & waiting.keys()  # is submitted as a whole

    def needrun_jobs(self) -> list[str]:
        return list(self.dependencies)

    def get_job_group(self, job: str) -> SimpleNamespace | None:
        return SimpleNamespace(jobs=list(self.group)) if job in self.group else None


def test_a_run_goes_on_without_the_model_if_all_else_is_done(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []
    monkeypatch.setattr(leaving, "replace_at_exit", lambda: ends.append("replaced"))
    monkeypatch.setattr(leaving, "can_begin_anew", lambda: True)
    monkeypatch.setenv(GOES_ON, "")
    files, failures = Files(experiment), {1: job("classify", model="b")}

    def ended(waiting: dict[str, list[str]], about: Files = files, **more: Any) -> str | None:
        run = Scheduled(waiting, {"classify"})
        return go_on(about, failures, run, SimpleNamespace(failed=run.failed, **more))

    with pytest.raises(StaysError, match="interrupted"):
        ended({"classify": [], "embed": []})
    with pytest.raises(StaysError, match="interrupted"):
        ended({"classify": []}, _user_kill="graceful")
    stops = replace(experiment, settings=replace(experiment.settings, on_failure="stop"))
    assert ended({"classify": []}, Files(stops)) is None
    assert not ends and read_left_out(Path("results/test")) == []
    said = ended({"classify": [], "table": ["classify"], "together": []})
    assert said == "Going on without b, b+linear, as `on_failure` asks for."
    assert ends == ["replaced"] and os.environ[GOES_ON] == str(os.getpid())
    assert [each.model for each in read_left_out(Path("results/test"))] == ["b", "b+linear"]
    once_more = Files(leave_out(experiment, [failed("a")]))
    assert ended({"classify": []}, once_more) and len(read_left_out(Path("results/test"))) == 3
