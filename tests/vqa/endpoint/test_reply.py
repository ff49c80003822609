"""What is made of an endpoint's reply: P(yes), a word, or a reason why there is no answer."""

from __future__ import annotations

import math
from typing import Any

import pytest

from synthsight.vqa.endpoint.reply import (
    Answer,
    BrokenReplyError,
    Reply,
    answer_of,
    probabilities,
    reply_of,
)
from tests.loopback_chat import completion


def answer(content: dict[str, Any]) -> Answer:
    return answer_of(reply_of(content), 16)


def test_p_yes_counts_every_spelling_of_the_two_words_and_nothing_else() -> None:
    tokens = {"Yes": 0.3, " yes": 0.2, "YES": 0.1, "\nno": 0.1, "None": 0.2, "yesterday": 0.1}
    found = answer(completion("Yes", tokens))
    assert found.p_yes == pytest.approx(0.6 / 0.7)
    assert found.mass == pytest.approx(0.7)
    assert (found.predicted, found.reason, found.said) == (None, None, "Yes")


def test_a_word_that_is_not_listed_is_taken_for_half_of_what_it_can_be() -> None:
    listed = {"Yes": 0.9, "The": 0.04, "A": 0.02}  # 0.04 are left, and the least is 0.02
    found = answer(completion("Yes", listed))
    assert found.p_yes == pytest.approx(0.9 / 0.91)
    assert found.mass == pytest.approx(0.9)
    # As many as are listed leave less than that.
    assert probabilities((("No", math.log(0.999)),)) == pytest.approx((0.0005 / 0.9995, 0.999))


@pytest.mark.parametrize("word", ["yes", "no"])
def test_the_word_that_is_listed_stays_the_likelier_however_few_are_listed(word: str) -> None:
    found = probabilities(((word, math.log(0.5)),))
    assert found is not None
    assert (found[0] > 0.5) == (word == "yes")


def test_probabilities_that_are_one_by_rounding_are_one() -> None:
    assert probabilities((("yes", 1e-7), ("no", -30.0))) == (pytest.approx(1.0), 1.0)


def test_where_neither_word_is_likely_the_text_counts() -> None:
    thinking = "<think>\nIs it red? No, wait.\n</think>\n\nYes."
    found = answer(completion(thinking, {"<think>": 0.999, "Yes": 0.001}))
    assert (found.p_yes, found.mass, found.predicted) == (None, None, "yes")
    assert found.said == thinking


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (completion("It is red."), "the reply says neither yes nor no, or both"),
        (completion("Yes and no."), "the reply says neither yes nor no, or both"),
        (
            completion("The picture shows", finish="length"),
            "the reply says neither yes nor no, or both, and was cut off after 16 tokens",
        ),
        (
            completion("<think>Yes, it might", finish="length"),
            "the reply does not get beyond thinking, and was cut off after 16 tokens",
        ),
        (completion(None, refusal="I cannot help."), "the model refuses to answer"),
        (
            completion("Yes", {"Yes": 1.0}, finish="content_filter"),
            "the server's content filter withholds the answer",
        ),
        (completion(" \n"), "the reply is empty"),
        (completion(None, finish="length"), "the reply is empty, and was cut off after 16 tokens"),
    ],
)
def test_no_answer_has_a_reason_and_is_neither_yes_nor_no(
    content: dict[str, Any], reason: str
) -> None:
    found = answer(content)
    assert found.reason == reason
    assert (found.p_yes, found.mass, found.predicted) == (None, None, None)


def test_who_says_nothing_said_nothing() -> None:
    assert answer(completion(None)).said is None
    assert answer(completion("  ")).said is None
    assert answer(completion(None, refusal="No way.")).said == "No way."


def test_a_text_in_parts_is_one_text() -> None:
    parts = [{"type": "text", "text": "No"}, {"type": "text", "text": ", none."}]
    assert answer(completion(parts)).said == "No, none."  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"choices": []},
        {"choices": [{"message": None}]},
        {"choices": ["yes"]},
        completion(7),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_completion_is_a_broken_reply(content: Any) -> None:
    with pytest.raises(BrokenReplyError):
        reply_of(content)


@pytest.mark.parametrize("value", [float("nan"), 0.7, "-1", True, None])
def test_what_is_no_logarithm_of_a_probability_is_a_broken_reply(value: Any) -> None:
    content = completion("Yes", {"Yes": 0.9})
    content["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] = value
    with pytest.raises(BrokenReplyError, match="which is no probability"):
        reply_of(content)


def test_a_probability_of_zero_is_one() -> None:
    content = completion("Yes", {"Yes": 0.9, "No": 0.1})
    content["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["logprob"] = -9999.0
    assert answer(content).p_yes == 1.0


def test_half_a_character_in_a_reply_is_no_reason_to_lose_it() -> None:
    assert answer(completion("No \ud83d.")).said == "No ?."


def test_the_key_is_taken_out_of_all_that_is_kept() -> None:
    content = completion("Yes, by KEY.", {"KEY": 1.0}, model="KEY", refusal="KEY")
    content["system_fingerprint"] = "fp_KEY"
    assert "KEY" not in repr(reply_of(content, lambda text: text.replace("KEY", "***")))


def test_the_reply_keeps_what_the_server_says_of_itself() -> None:
    found = reply_of({**completion("Yes", model="m-2026"), "system_fingerprint": "fp_1"})
    assert found == Reply("Yes", None, "stop", None, "m-2026", "fp_1")
