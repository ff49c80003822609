"""Asking an endpoint: what is sent, what is tried again, what is kept, and what ends the job."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import numpy as np
import pytest

from synthsight.errors import SynthsightError
from synthsight.files import sha256_of
from synthsight.vqa.answers import Answers
from synthsight.vqa.endpoint import asking as module
from synthsight.vqa.endpoint.asking import Known, Task, answers_from
from synthsight.vqa.endpoint.client import MAX_REPLY, Access, Patience, retry_after
from synthsight.vqa.endpoint.request import Asking
from synthsight.vqa.shards import ShardRow
from tests.loopback_chat import (
    Chat,
    Request,
    Response,
    completion,
    failure,
    in_words,
    serve,
    with_tokens,
)
from tests.support import draw_image

QUESTIONS = ("Is it red?", "Is it blue?", "Is it round?")
SENT = [f"{question} Answer yes or no." for question in QUESTIONS]

#: As long as a test: what is waited for is counted, not waited.
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Slept:
    """Counts the seconds that are to be waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@dataclasses.dataclass
class Bench:
    """A server, pictures, and a task for it."""

    url: str
    server: type[Chat]
    folder: Path
    slept: Slept

    def rows(self, images: int = 1) -> list[ShardRow]:
        return [
            ShardRow(
                *(number, f"{image}.png", question, "yes", None, None),
                *(sha256_of(self.folder / f"{image}.png"), "ok", None),
            )
            for image in range(images)
            for number, question in enumerate(QUESTIONS, start=1)
        ]

    def ask(
        self,
        images: int = 1,
        blind: bool = False,
        allow: float = 0.0,
        key: str | None = None,
        attempts: int = 8,
        concurrency: int = 2,
        timeout: float = 20.0,
        url: str | None = None,
        rows: list[ShardRow] | None = None,
        **changed: Any,
    ) -> Known:
        usual = Asking(url or self.url, "m", "{question} Answer yes or no.", "auto", None, 16)
        asking = dataclasses.replace(usual, **changed)
        journal = self.folder / "journal" / ("blind.jsonl" if blind else "1.jsonl")
        rows = self.rows(images) if rows is None else rows
        task = Task(rows, self.folder, asking, blind, journal.parent, journal, allow)
        access = Access(asking.url, "A_KEY" if key else None, timeout, concurrency)
        patience = Patience(attempts=attempts, sleep=self.slept, now=lambda: NOW)
        with mock.patch.dict(os.environ, {"A_KEY": key or ""}):
            return module.ask(task, access, patience)

    def answers(self, **how: Any) -> Answers:
        return answers_from(self.ask(**how), 16)

    @property
    def asked(self) -> Counter[str]:
        return Counter(request.question for request in self.server.requests)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with serve() as (url, server):
        for number in range(3):
            draw_image(tmp_path / f"{number}.png", number, size=(40, 30))
        yield Bench(url, server, tmp_path, Slept())


Usual = Callable[[Request], Response]


def use(bench: Bench, usual: Usual) -> None:
    bench.server.usual = staticmethod(usual)  # type: ignore[assignment]


# What is sent, and what comes back ---------------------------------------------------------------


def test_a_request_is_what_the_interface_asks_for(bench: Bench) -> None:
    bench.ask()
    assert bench.asked == Counter(SENT)
    first = bench.server.requests[0]
    assert first.path == "/v1/chat/completions"
    assert first.file == (bench.folder / "0.png").read_bytes()
    body = {key: value for key, value in first.body.items() if key != "messages"}
    assert body == {
        **{"model": "m", "max_tokens": 16, "temperature": 0},
        **{"logprobs": True, "top_logprobs": 20},
    }
    assert [each["role"] for each in first.body["messages"]] == ["user"]
    assert "Authorization" not in first.headers


def test_the_answers_are_in_the_order_of_the_questions(bench: Bench) -> None:
    found = bench.answers(images=2)
    np.testing.assert_allclose(found.p_yes, [8 / 9, 1 / 9, 1 / 9] * 2)
    np.testing.assert_allclose(found.mass, [0.9] * 6)
    assert found.reasons == [None] * 6 and found.predicted == [None] * 6
    assert found.said == ["Yes.", "No.", "No."] * 2


def test_a_server_without_probabilities_is_taken_at_its_word(bench: Bench) -> None:
    use(bench, in_words)
    found = bench.answers()
    assert np.isnan(found.p_yes).all() and np.isnan(found.mass).all()
    assert found.predicted == ["yes", "no", "no"]


def test_never_asks_for_no_probabilities(bench: Bench) -> None:
    found = bench.answers(logprobs="never")
    assert found.predicted == ["yes", "no", "no"]
    assert not any("logprobs" in request.body for request in bench.server.requests)


def test_who_sees_nothing_is_sent_grey(bench: Bench) -> None:
    bench.ask(blind=True)
    for request in bench.server.requests:
        assert request.picture.size == (40, 30)
        assert set(request.picture.get_flattened_data()) == {(128, 128, 128)}


def test_no_more_questions_are_under_way_than_may_be(bench: Bench) -> None:
    bench.ask(images=3, concurrency=2)
    assert 1 <= max(bench.server.together) <= 2


def test_a_picture_is_held_only_while_its_questions_are_under_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that memory does not grow with a shard of ten thousand questions."""
    held: list[int] = []
    read: Counter[str] = Counter()

    class Held(module._Pictures):
        async def of(self, row: ShardRow) -> Any:
            found = await super().of(row)
            held.append(len(self._held))
            return found

        def drop(self, row: ShardRow) -> None:
            super().drop(row)
            assert row.image in self._held or not self._left[row.image]

    pictured = module.picture_of

    def picture(root: Path, image: str, *how: Any) -> Any:
        read[image] += 1
        return pictured(root, image, *how)

    monkeypatch.setattr(module, "_Pictures", Held)
    monkeypatch.setattr(module, "picture_of", picture)
    bench.ask(images=3, concurrency=2)
    assert max(held) <= 2 and set(read.values()) == {1} and len(read) == 3


# What a server does not take ---------------------------------------------------------------------


def refusing(words: dict[str, str]) -> Usual:
    """Refuse requests that hold one of the keys, with what is said then."""

    def usual(request: Request) -> Response:
        for key, said in words.items():
            name, _, value = key.partition("=")
            if name in request.body and (not value or str(request.body[name]) == value):
                return Response(failure(said), 400)
        return with_tokens(request)

    return usual


@pytest.mark.parametrize(
    ("words", "refused", "expected"),
    [
        ({"logprobs": "logprobs are not supported"}, 2, {"max_tokens": 16, "temperature": 0}),
        (
            {"top_logprobs=20": "Requested sample logprobs of 20, allowed: 5"},
            1,
            {"max_tokens": 16, "temperature": 0, "logprobs": True, "top_logprobs": 5},
        ),
        (
            {"max_tokens": "use 'max_completion_tokens' instead", "temperature": "temperature: no"},
            2,
            {"max_completion_tokens": 16, "logprobs": True, "top_logprobs": 20},
        ),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(
    words: dict[str, str],
    refused: int,
    expected: dict[str, Any],
    bench: Bench,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(bench, refusing(words))
    known = bench.ask(images=2, concurrency=1)
    assert known.reasons == [None] * 6
    last = bench.server.requests[-1].body
    assert {k: v for k, v in last.items() if k not in ("model", "messages")} == expected
    assert len(bench.server.requests) == 6 + refused, "decided once"
    assert "the server refuses a request: " in capsys.readouterr().out
    asked = {entry.dialect["top"] for entry in known.entries if entry}
    assert asked == {expected.get("top_logprobs", 0)}


def test_a_refusal_that_only_repeats_the_question_changes_no_request(bench: Bench) -> None:
    row = dataclasses.replace(bench.rows()[0], question="Is the temperature high?")
    use(bench, lambda request: Response(failure(f"cannot take {request.question}"), 400))
    known = bench.ask(rows=[row], allow=1.0)
    assert len(bench.server.requests) == 1
    assert known.reasons[0] is not None and "the server refuses it (400)" in known.reasons[0]


def test_always_ends_where_there_are_no_probabilities(bench: Bench) -> None:
    use(bench, refusing({"logprobs": "logprobs are not supported"}))
    with pytest.raises(SynthsightError, match="with auto or never the text counts"):
        bench.ask(logprobs="always")
    use(bench, in_words)
    with pytest.raises(SynthsightError, match="with auto or never the text counts"):
        bench.ask(images=3, logprobs="always", concurrency=1)
    assert len(bench.server.requests) <= 6, "the others are not asked in vain"
    use(bench, with_tokens)
    assert bench.answers(logprobs="always").predicted == [None] * 3, "once it states them"


def test_answers_of_both_kinds_are_said(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.server.script[:] = [in_words(Request(SENT[0], {}, {}, ""))]
    bench.ask(concurrency=1)
    assert "WARNING: 1 of 3 replies came without probabilities" in capsys.readouterr().out


def test_a_model_that_changes_its_name_is_said(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.server.script[:] = [Response(completion("Yes", {"Yes": 1.0}, model="other"))]
    bench.ask(concurrency=1)
    said = capsys.readouterr().out
    assert "the server calls its model by several names: 'other' (1), 'served' (2)" in said


# What is tried again -----------------------------------------------------------------------------

BROKEN: dict[str, Response] = {
    "busy": Response(failure("slow down"), 429),
    "down": Response(b"<html>bad gateway</html>", 502),
    "no json": Response(b'{"choices": [{"mess'),
    "no completion": Response({"object": "list"}),
    "no probability": Response({**completion("Yes", {"Yes": 0.5})}),
    "a failure in a good reply": Response({"error": {"message": "upstream", "code": 503}}),
    "too long": Response(b" " * (MAX_REPLY + 1)),
}
BROKEN["no probability"].content["choices"][0]["logprobs"]["content"][0][  # type: ignore[index,call-overload]
    "top_logprobs"
][0]["logprob"] = 3.0


@pytest.mark.parametrize("name", BROKEN)
def test_what_may_not_recur_is_tried_again(name: str, bench: Bench) -> None:
    bench.server.script[:] = [BROKEN[name]] * 3
    assert bench.answers(concurrency=1).reasons == [None] * 3
    assert bench.asked == Counter({SENT[0]: 4, SENT[1]: 1, SENT[2]: 1})
    assert bench.slept.seconds == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("name", BROKEN)
def test_what_recurs_leaves_the_question_without_a_reply(name: str, bench: Bench) -> None:
    bench.server.script[:] = [BROKEN[name]] * 2
    found = bench.answers(concurrency=1, attempts=2, allow=0.4)
    assert found.reasons[1:] == [None, None]
    assert found.reasons[0] is not None and found.reasons[0].startswith("no reply, asked 2 times: ")
    assert np.isnan(found.p_yes[0]) and found.predicted is not None and found.said is not None
    assert (found.predicted[0], found.said[0]) == (None, None)


@pytest.mark.parametrize("stated", ["30", "Thu, 01 Jan 2026 00:00:30 GMT"])
def test_a_server_is_given_the_time_that_it_asks_for(stated: str, bench: Bench) -> None:
    bench.server.script[:] = [Response(failure("busy"), 429, {"Retry-After": stated})]
    bench.ask(concurrency=1)
    assert bench.slept.seconds == [30.0]


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
    ],
)
def test_what_a_server_asks_to_wait(stated: str | None, seconds: float | None) -> None:
    assert retry_after(stated, NOW) == seconds


def test_no_question_is_put_while_the_server_asks_to_wait(bench: Bench) -> None:
    """One waits a while, then they all go on; without that they would all be refused."""
    state = {"waiting": False, "put": 0}

    async def sleep(seconds: float) -> None:
        state["waiting"], before = True, len(bench.server.requests)
        for _ in range(20):
            await asyncio.sleep(0.005)
        # One that was under way may have arrived meanwhile.
        state["put"] = len(bench.server.requests) - before
        state["waiting"] = False

    bench.slept = sleep  # type: ignore[assignment]
    bench.server.script[:] = [Response(failure("busy"), 429, {"Retry-After": "5"})]
    bench.ask(images=3, concurrency=2)
    assert state["put"] <= 1 and sum(bench.server.answered.values()) == 10


def test_who_asks_to_wait_for_too_long_is_not_waited_for(bench: Bench) -> None:
    bench.server.script[:] = [Response(failure("busy"), 429, {"Retry-After": "86400"})]
    found = bench.answers(concurrency=1, allow=0.4)
    assert bench.slept.seconds == []
    assert found.reasons[0] == (
        "no reply, asked once: the server answers 429: busy and to wait 86400 s"
    )


def test_a_slow_server_is_not_waited_for_forever(bench: Bench) -> None:
    bench.server.script[:] = [Response(hang=True)]
    assert bench.answers(concurrency=1, timeout=0.2).reasons == [None] * 3
    assert bench.asked[SENT[0]] > 1 and bench.slept.seconds[0] == 1.0


def test_a_server_that_is_not_there_is_asked_a_few_questions_only(bench: Bench) -> None:
    with pytest.raises(SynthsightError, match=r"stay without a reply.*Connection refused") as found:
        bench.ask(images=3, url="http://127.0.0.1:9/v1", concurrency=1, rows=bench.rows(3) * 5)
    assert "others were not put any more" in str(found.value)
    assert str(found.value).startswith("10 of 45 questions")


# What ends the job -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (
            Response(failure("bad key"), 401),
            r"answers 401: bad key\. the key is missing, or not valid there \(it comes from the "
            r"environment variable A_KEY, by endpoint\.key_env\)",
        ),
        (Response(failure("no"), 403), "answers 403: no. .*A_KEY"),
        (Response(failure("no such model"), 404), "answers 404: no such model. it has no such"),
        (Response(b"", 301, {"Location": "http://elsewhere/v1"}), "redirects to http://elsewhere"),
        (
            Response(failure("pay", code="insufficient_quota"), 429),
            "answers 429: pay",
        ),
    ],
)
def test_what_no_question_can_change_ends_the_job_at_once(
    response: Response, said: str, bench: Bench
) -> None:
    use(bench, lambda request: response)
    with pytest.raises(SynthsightError, match=said):
        bench.ask(images=3, key="sk-secret")
    assert len(bench.server.requests) <= 2 and bench.slept.seconds == []


def test_a_question_without_a_reply_is_no_wrong_answer_and_too_many_end_the_job(
    bench: Bench,
) -> None:
    use(
        bench,
        lambda request: (
            Response(failure("image too large"), 413)
            if "round" in request.question
            else with_tokens(request)
        ),
    )
    with pytest.raises(SynthsightError, match=r"2 of 6 .*allow_unanswered: 0\.3 allows"):
        bench.ask(images=2, allow=0.3)
    assert bench.asked == Counter(dict.fromkeys(SENT, 2))
    found = bench.answers(images=2, allow=0.34)
    assert bench.asked == Counter({SENT[0]: 2, SENT[1]: 2, SENT[2]: 4}), "only what is missing"
    assert [reason is None for reason in found.reasons] == [True, True, False] * 2


def test_what_the_content_filter_refuses_is_no_failure_of_the_server(bench: Bench) -> None:
    bench.server.script[:] = [Response(failure("filtered", code="content_filter"), 400)]
    found = bench.answers(concurrency=1)
    assert found.reasons == ["the server's content filter withholds the answer", None, None]
    bench.ask()
    assert bench.asked == Counter(SENT), "nor is it asked again"


def test_a_certificate_that_is_not_trusted_ends_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the client's library reports it; no server here has a certificate."""
    cause = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    cause.verify_message = "self-signed certificate"

    def stream(*given: Any, **named: Any) -> Any:
        raise httpx2.ConnectError("failed") from cause

    monkeypatch.setattr(httpx2.AsyncClient, "stream", stream)
    with pytest.raises(SynthsightError, match=r"not trusted \(self-signed certificate\)"):
        bench.ask()
    assert bench.slept.seconds == []


# What is kept ------------------------------------------------------------------------------------


def test_nothing_is_asked_twice(bench: Bench) -> None:
    first = bench.ask(images=2)
    again = bench.ask(images=2)
    assert len(bench.server.requests) == 6
    assert again == first


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "other"},
        {"prompt": "{question} Yes or no?"},
        {"logprobs": "never"},
        {"max_side": 20},
        {"max_tokens": 8},
        {"blind": True},
        {"url": "same, with another name"},
    ],
)
def test_another_question_is_asked(changed: dict[str, Any], bench: Bench) -> None:
    bench.ask()
    if "url" in changed:
        changed = {"url": bench.url.replace("127.0.0.1", "localhost")}
    bench.ask(**changed)
    assert len(bench.server.requests) == 6


def test_a_changed_picture_is_asked_about_and_an_added_question_alone(bench: Bench) -> None:
    bench.ask(images=2)
    draw_image(bench.folder / "1.png", 9, size=(40, 30))
    bench.ask(images=2)
    assert bench.asked == Counter(dict.fromkeys(SENT, 3))
    added = dataclasses.replace(bench.rows()[0], question="Is it new?")
    bench.ask(rows=[*bench.rows(), added])
    assert len(bench.server.requests) == 10


def test_what_was_answered_is_kept_when_the_job_ends_early(bench: Bench) -> None:
    bench.server.script[:] = [with_tokens(Request(SENT[0], {"logprobs": 1}, {}, ""))]
    use(bench, lambda request: Response(failure("no"), 401))
    with pytest.raises(SynthsightError):
        bench.ask(concurrency=1)
    use(bench, with_tokens)
    bench.ask(concurrency=1)
    assert bench.asked[SENT[0]] == 1


def test_a_server_that_refused_probabilities_is_not_asked_for_them_again(bench: Bench) -> None:
    use(bench, refusing({"logprobs": "no logprobs"}))
    bench.ask(concurrency=1)
    before = len(bench.server.requests)
    bench.ask(images=2, concurrency=1)
    assert len(bench.server.requests) == before + 3


# The key -----------------------------------------------------------------------------------------


def test_the_key_is_sent_and_kept_nowhere(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    key = "sk-secret/1"
    use(
        bench,
        lambda request: (
            Response(failure(f"Incorrect key {key}"), 413)
            if "round" in request.question
            else Response(completion(f"Yes, {key}", {"Yes": 0.9, key: 0.1}, model=key))
        ),
    )
    known = bench.ask(key=key, allow=0.5)
    sent = {request.headers["Authorization"] for request in bench.server.requests}
    assert sent == {f"Bearer {key}"}
    assert known.reasons[2] == "the server refuses it (413): Incorrect key ***"
    for text in (repr(known), capsys.readouterr().out):
        assert key not in text
    for path in (bench.folder / "journal").iterdir():
        assert key not in path.read_text() and "***" in path.read_text()


def test_who_has_nothing_to_ask_needs_no_key(bench: Bench) -> None:
    """So a journal is enough to make the answers anew, on any machine."""
    first = bench.ask(key="sk-secret")
    assert bench.ask(key=" ") == first
    with pytest.raises(SynthsightError, match=r"A_KEY, which endpoint\.key_env names, is not set"):
        bench.ask(images=2, key=" ")


def test_the_key_does_not_follow_a_redirect(bench: Bench) -> None:
    with serve() as (url, other):
        there = Response(b"", 307, {"Location": f"{url}/chat/completions"})
        use(bench, lambda request: there)
        with pytest.raises(SynthsightError, match="not followed"):
            bench.ask(key="sk-secret")
        assert other.requests == []


def test_no_proxy_of_the_environment_sees_what_goes_to_this_machine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bench.ask()
    assert len(bench.server.requests) == 3
