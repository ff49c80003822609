"""Models that a server answers for, through the real command: what is asked, and what is not."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthsight import api
from tests.loopback_chat import Chat, Request, Response, completion, serve, with_tokens
from tests.report.test_page import text_of
from tests.support import Job, Project, draw_image
from tests.workflow.test_plans_vqa import FAN_IN, IMAGE, SHARD, SHARDS

KEY = "sk-not-to-be-found-anywhere"

#: The questions of the small project.
ALL = 24


def answered(request: Request) -> Response:
    """By one model with probabilities; by the other in words, which once says neither."""
    if request.body["model"] == "with-tokens":
        return with_tokens(request)
    text = "Yes." if "bagel" in request.question else "No."
    return Response(completion("I cannot tell." if "nobody" in request.question else text))


@pytest.fixture
def served() -> Iterator[tuple[str, type[Chat]]]:
    with serve(answered) as found:
        yield found


def endpoints(url: str, **changed: Any) -> list[dict[str, Any]]:
    shared = {"url": url, "key_env": "CHAT_KEY", **changed}
    return [
        {"name": "sure", "endpoint": {**shared, "model": "with-tokens"}},
        {"name": "wordy", "endpoint": {**shared, "model": "in-words"}},
    ]


def configure(project: Project, models: list[dict[str, Any]], **vqa: Any) -> None:
    """The small project, with endpoints in the place of its networks."""
    config = project.config
    networks = [each for each in config["vqa"]["models"] if "checkpoint" in each]
    project.configure({**config, "vqa": {**config["vqa"], "models": [*networks, *models], **vqa}})


def jobs_of(name: str, *shards: str) -> set[Job]:
    """What asking a model makes, without what follows for all."""
    return {
        *(("ask_endpoint", name, shard) for shard in shards or SHARDS),
        ("describe_endpoint", name),
        ("score_vqa", name),
        ("plot_vqa_samples", name, "1"),
    }


@pytest.mark.long
def test_what_a_run_would_send_is_said_before_it_is_sent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_KEY", KEY)
    configure(project, endpoints("http://127.0.0.1:9/v1"))
    said = project.snakemake("--dry-run").stdout
    assert re.search(
        r"model 'sure': 24 questions about 6 images will be sent to 127\.0\.0\.1:9 "
        r"\(this machine\), about [0-9.]+ kB\n",
        said,
    )
    once = {("models",), *(job for job in FAN_IN if len(job) == 1)}
    assert project.plan() == jobs_of("sure") | jobs_of("wordy") | once


@pytest.mark.long
def test_a_run_without_the_key_that_it_needs_does_not_begin(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAT_KEY", raising=False)
    configure(project, endpoints("http://127.0.0.1:9/v1"))
    there = r"will be sent to .* kB\. CHAT_KEY is not set, so a run would not begin\n"
    assert re.search(there, project.snakemake("--dry-run", "answers").stdout)
    said = project.fail("answers")
    assert "model 'sure': the environment variable CHAT_KEY, which endpoint.key_env" in said
    assert "ask_endpoint" not in said
    # Nothing is left locked, and whoever asks nobody needs no key.
    project.run("results/small/tables/accuracy.csv")


@pytest.mark.long
def test_two_models_behind_endpoints_from_the_configuration_to_the_page(
    project: Project, served: tuple[str, type[Chat]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = served
    monkeypatch.setenv("CHAT_KEY", KEY)
    configure(project, endpoints(url), blind=True)
    said = project.snakemake("--dry-run").stdout
    told = [float(size) for size in re.findall("will be sent to .*, about ([0-9.]+) kB\n", said)]
    said = project.run()
    assert KEY not in said
    size = sum(int(request.headers["Content-Length"]) for request in server.requests)
    assert len(told) == 2 and 1000 * sum(told) == pytest.approx(size, rel=0.1)
    assert max(server.together) <= 8, "one job at a time, with eight questions under way"
    seen = [request for request in server.requests if request.body["model"] == "in-words"]
    assert Counter(request.headers["Authorization"] for request in server.requests) == {
        f"Bearer {KEY}": 4 * ALL
    }
    assert len(seen) == 2 * ALL
    assert project.plan() == set()

    table = pd.read_csv(project.results / "tables" / "vqa.csv").set_index("model")
    sure, wordy = table.loc["sure"], table.loc["wordy"]
    assert sure["mass"] == pytest.approx(0.9) and sure["unanswered"] == 0
    assert (wordy["unanswered"], wordy["unparsed"]) == (6, 6)
    assert pd.isna(wordy["mass"]) and pd.isna(wordy["brier"]) and not pd.isna(sure["brier"])
    assert wordy["all_wrong"] < wordy["accuracy"] < wordy["all_right"]
    assert not pd.isna(wordy["gain"])
    scored = pq.read_table(project.results / "vqa" / "wordy.parquet").to_pandas()
    assert set(scored["said"]) == {"Yes.", "No.", "I cannot tell."}

    note = json.loads((project.results / "vqa" / "answers" / "sure.json").read_text())
    assert note["source"] == f"with-tokens at {url.removeprefix('http://').removesuffix('/v1')}"
    assert note["asked"]["kinds"] == {"p_yes": ALL} and note["blind"]["kinds"] == {"p_yes": ALL}
    assert note["asked"]["served"] == {"served": ALL} and note["asked"]["pictures"] == {"file": ALL}
    text = text_of(project)
    assert f"with-tokens at {url.removeprefix('http://').removesuffix('/v1')}" in text
    assert "asked “{question} Answer yes or no.”; by P(yes) of the first token" in text
    assert "asked “{question} Answer yes or no.”; by the text" in text

    said = "sure was asked for as with-tokens, but the server calls it served (48)"
    assert f"What answered as {said}." in api.open_run(project.results).remarks()

    found = [path for path in project.folder.rglob("*") if path.is_file()]
    assert len(found) > 100
    assert [path for path in found if KEY.encode() in path.read_bytes()] == []

    # What only changes how it is asked runs nothing; another prompt asks again.
    ways = {"concurrency": 2, "timeout": 5, "key_env": "OTHER", "allow_unanswered": 0.5}
    configure(project, endpoints(url, **ways, allow_upload=True), blind=True)
    assert project.plan() == set()
    models = endpoints(url)
    models[0]["prompt"] = "{question} Yes or no?"
    configure(project, models, blind=True)
    assert {job for job in project.plan() if job[0].startswith("ask")} == {
        (rule, "sure", shard) for rule in ("ask_endpoint", "ask_endpoint_blind") for shard in SHARDS
    }


@pytest.mark.long
def test_an_added_question_asks_itself_alone_and_deleted_answers_nothing(
    project: Project, served: tuple[str, type[Chat]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = served
    monkeypatch.setenv("CHAT_KEY", KEY)
    configure(project, endpoints(url)[:1])
    project.run("answers")
    assert len(server.requests) == ALL
    path = project.folder / "questions.csv"
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(f"{first}\n{IMAGE},Is it new?,yes,muse\n{rest}", encoding="utf-8")
    assert ("ask_endpoint", "sure", SHARD) in project.plan("answers")
    said = project.run("answers")
    assert "1 questions about 1 images will be sent" in said
    assert [each.question for each in server.requests[ALL:]] == ["Is it new? Answer yes or no."]

    for answers in (project.results / "vqa" / "answers" / "sure").glob("*.parquet"):
        answers.unlink()
    assert "model 'sure': nothing will be sent to" in project.run("answers")
    # An image in the place of another is asked about, which is said before it is sent.
    before = Counter(each.question for each in server.requests)
    draw_image(project.folder / "pictures" / IMAGE, 99)
    there = r"model 'sure': (\d+) questions about 1 images will be sent"
    found = re.search(there, project.snakemake("--dry-run", "answers").stdout)
    assert found is not None
    monkeypatch.delenv("CHAT_KEY")
    assert "the environment variable CHAT_KEY" in project.fail("answers")
    monkeypatch.setenv("CHAT_KEY", KEY)
    assert found[0] in project.run("answers")
    put = before.total() + int(found[1])
    assert len(server.requests) == put
    # Nor does it matter how questions are divided.
    configure(project, endpoints(url)[:1], shards=3)
    project.run("answers")
    assert len(server.requests) == put


@pytest.mark.long
def test_a_job_that_fails_keeps_its_answers(
    project: Project, served: tuple[str, type[Chat]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = served
    monkeypatch.setenv("CHAT_KEY", KEY)
    configure(project, endpoints(url, concurrency=1)[:1])
    server.script[:] = [with_tokens(Request("", {"logprobs": True}, {}, ""))] * 3
    server.usual = staticmethod(lambda request: Response({}, 404))  # type: ignore[assignment]
    said = project.fail("answers")
    assert "ask_endpoint: model 'sure': " in said and "answers 404" in said
    before = Counter(request.question for request in server.requests)
    server.usual = staticmethod(answered)  # type: ignore[assignment]
    assert f"{ALL - 3} questions" in project.run("answers")
    assert sum(before.values()) + ALL - 3 == len(server.requests)
