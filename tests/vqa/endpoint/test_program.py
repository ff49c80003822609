"""The program that asks a server, as a process of its own: killed, resumed, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from synthsight.files import sha256_of
from synthsight.vqa.endpoint.facts import note_on
from synthsight.vqa.shards import ShardRow, write_shard
from tests.loopback_chat import Request, Response, serve, with_tokens
from tests.support import REPOSITORY, draw_image, run_program

PROGRAM = REPOSITORY / "workflow" / "scripts" / "ask_endpoint.py"
KEY = "sk-not-to-be-found-anywhere"


def spec_of(url: str, folder: Path, **changed: Any) -> dict[str, Any]:
    endpoint = {"url": url, "model": "m", "logprobs": "auto", "max_side": None, "max_tokens": 16}
    return {"model": "sure", "root": str(folder), "prompt": None, "endpoint": endpoint, **changed}


def arguments(folder: Path, spec: dict[str, Any], output: str = "1") -> list[str]:
    return [
        *("--shard", str(folder / "shard.parquet"), "--spec", json.dumps(spec)),
        *("--journal", str(folder / "journal" / f"{output}.jsonl"), "--key-env", "CHAT_KEY"),
        *("--concurrency", "2", "--timeout", "30", "--allow-unanswered", "0"),
        *("--output", str(folder / f"{output}.parquet")),
    ]


def write_questions(folder: Path, number: int) -> None:
    draw_image(folder / "a.png", 1, size=(40, 30))
    sum_ = sha256_of(folder / "a.png")
    rows = [
        ShardRow(n, "a.png", f"Is it red, {n}?", "yes", None, None, sum_, "ok", None)
        for n in range(1, number + 1)
    ]
    left_out = ShardRow(99, "b.png", "Is it?", "yes", None, None, None, "excluded", "no file")
    write_shard(folder / "shard.parquet", [*rows, left_out])


@pytest.mark.long
def test_a_job_that_is_killed_asks_nothing_twice(tmp_path: Path) -> None:
    write_questions(tmp_path, 12)
    journal = tmp_path / "journal" / "1.jsonl"

    with serve() as (url, server):

        def five_answers(request: Request) -> Response:
            many = len(server.requests) > 5
            return Response(hang=True) if many else with_tokens(request)

        server.usual = staticmethod(five_answers)  # type: ignore[assignment]
        command = [sys.executable, str(PROGRAM), *arguments(tmp_path, spec_of(url, tmp_path))]
        environment = {**os.environ, "CHAT_KEY": KEY}
        with open(tmp_path / "log", "wb") as log:
            job = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            while not (journal.exists() and journal.read_bytes().count(b"\n") == 5):
                assert job.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.01)
            job.send_signal(signal.SIGKILL)
            job.wait()
        kept = {each.question for each in server.requests[:5]}
        with open(journal, "ab") as file:
            file.write(b'{"asked": "0123')  # as of a machine that failed while it wrote
        server.usual = staticmethod(with_tokens)  # type: ignore[assignment]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        asked = Counter(each.question for each in server.requests)
    assert "5 of 12 questions have been answered before, 7 are put" in done.stdout
    assert {asked[question] for question in kept} == {1}
    table = pq.read_table(tmp_path / "1.parquet").to_pandas()
    assert len(table) == 12 and table["reason"].isna().all() and table["p_yes"].notna().all()
    for path in (tmp_path / "log", journal, tmp_path / "1.parquet"):
        assert KEY.encode() not in path.read_bytes()


def test_answers_say_who_gave_them_and_the_note_adds_them_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_questions(tmp_path, 3)
    monkeypatch.setenv("CHAT_KEY", KEY)
    with serve() as (url, _):
        for output, changed in (("1", {}), ("blind", {"blind": True})):
            spec = spec_of(url, tmp_path, **changed)
            done = run_program("ask_endpoint", *arguments(tmp_path, spec, output))
            assert done.returncode == 0, done.stderr
    schema = pq.read_schema(tmp_path / "1.parquet")
    assert schema.names == ["image", "question", "p_yes", "mass", "reason", "predicted", "said"]
    told = json.loads(schema.metadata[b"synthsight"])
    assert told["prompt"] == "{question} Answer yes or no."
    assert told["facts"]["kinds"] == {"p_yes": 3} and told["facts"]["top"] == {"20": 3}
    about = {"model": "sure", "reference": None}
    note = note_on(about, [tmp_path / "1.parquet"], [tmp_path / "blind.parquet"])
    assert note["source"] == f"m at {url.removeprefix('http://').removesuffix('/v1')}"
    assert note["asked"]["pictures"] == {"file": 3} and note["blind"]["pictures"] == {"grey": 3}
    assert note["asked"]["first"] <= note["asked"]["last"] <= note["blind"]["last"]


def test_a_note_is_about_one_model_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_questions(tmp_path, 1)
    monkeypatch.setenv("CHAT_KEY", KEY)
    with serve() as (url, _):
        for output, changed in (("1", {}), ("2", {"prompt": "{question} Yes or no?"})):
            spec = spec_of(url, tmp_path, **changed)
            run_program("ask_endpoint", *arguments(tmp_path, spec, output))
    answers = ["--answers", str(tmp_path / "1.parquet"), str(tmp_path / "2.parquet"), "--blind"]
    for spec, said in (
        ({"model": "other", "reference": None}, "holds answers of 'sure', not 'other'"),
        ({"model": "sure", "reference": None}, "were asked for in two ways"),
    ):
        note = ["--spec", json.dumps(spec), "--note", str(tmp_path / "note.json")]
        done = run_program("describe_endpoint", *answers, *note)
        assert done.returncode == 1 and said in done.stderr


@pytest.mark.parametrize("key", ["", "  ", "ключ", "two\nlines"])
def test_a_key_that_cannot_be_sent_ends_the_job_without_being_shown(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_questions(tmp_path, 1)
    monkeypatch.setenv("CHAT_KEY", key)
    spec = spec_of("http://127.0.0.1:9/v1", tmp_path)
    done = run_program("ask_endpoint", *arguments(tmp_path, spec))
    assert done.returncode == 1
    assert done.stderr.startswith("ask_endpoint: model 'sure': the environment variable CHAT_KEY")
    assert not key.strip() or key not in done.stderr
