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
    contradicts,
    probabilities,
    reply_of,
    word_of,
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
    found = probabilities(((word, math.log(0.6)),))
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


@pytest.mark.parametrize("value", [float("nan"), 0.7, "-1", True, -(10**400)])
def test_what_is_no_logarithm_of_a_probability_is_a_broken_reply(value: Any) -> None:
    content = completion("Yes", {"Yes": 0.9})
    content["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] = value
    with pytest.raises(BrokenReplyError, match="which is no probability"):
        reply_of(content)


def test_a_token_without_a_probability_is_none_and_without_one_of_a_word_the_text_counts() -> None:
    content = completion("No", {"Yes": 0.7, "It": 0.1})
    listed = content["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    listed[1]["logprob"] = None
    assert reply_of(content).tokens == (("Yes", math.log(0.7)),)
    listed[0]["logprob"] = None
    assert (answer(content).p_yes, answer(content).predicted) == (None, "no")


def test_what_is_no_answer_is_kept_in_short_only() -> None:
    content = completion("Yes", {"y" * 999: 0.9}, model="m" * 999, finish="f" * 999)
    found = reply_of({**content, "system_fingerprint": "p" * 999})
    assert found.tokens is not None and len(found.tokens[0][0]) == 200
    assert (found.served, found.finish, found.fingerprint) == ("m" * 200, "f" * 200, "p" * 200)


@pytest.mark.parametrize(
    ("text", "tokens", "word"),
    [
        ("The answer is: No", {"The": 0.95, "Yes": 0.03, "No": 0.01}, "no"),
        ("<think>hm</think>No", {"<think>": 0.97, "Yes": 0.02}, "no"),
        ("The answer is: No", {"The": 0.5, "Yes": 0.3, "No": 0.2}, "no"),
    ],
)
def test_a_first_token_that_is_likelier_no_word_does_not_decide(
    text: str, tokens: dict[str, float], word: str
) -> None:
    found = answer(completion(text, tokens))
    assert (found.p_yes, found.predicted) == (None, word)
    found = answer_of(reply_of(completion(text, tokens)), 16, text_counts=False)
    assert found.predicted is None and found.reason is not None and "always" in found.reason


@pytest.mark.parametrize(
    "token", ["\n\nYes", "Yes.", "\tYes", "**Yes", "\u2581YES", '"yes"', "Yes,"]
)
def test_what_stands_around_a_word_in_a_token_does_not_matter(token: str) -> None:
    found = answer(completion("Yes", {token: 0.9, "No": 0.05}))
    assert found.p_yes == pytest.approx(0.9 / 0.95)


@pytest.mark.parametrize("token", ["None", "yesterday", "no-one", "", "\n", "Yes/No"])
def test_a_token_with_more_in_it_is_no_word(token: str) -> None:
    assert word_of(token) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("In this picture there is no doubt that the animal shown here is a", None),
        ("\u25c1think\u25b7The user asks; I see no cat yet but", None),
        ("No doubt that it is a", None),
        ("Well, yes", None),
        ("No", "no"),
        ("**Yes**, since it is the", "yes"),
        (" Yes. There is no", None),
        ("No \u2014 it is a", "no"),
    ],
)
def test_of_a_text_that_was_cut_off_only_how_it_begins_counts(text: str, word: str | None) -> None:
    found = answer(completion(text, finish="length"))
    assert found.predicted == word
    assert word or (found.reason is not None and "was cut off after 16 tokens" in found.reason)


@pytest.mark.parametrize(
    "thinking",
    [
        "[THINK]no, wait[/THINK]",
        "<think>no",
        "\u25c1think\u25b7no\u25c1/think\u25b7",
        "<thought>no</thought>",
        "<seed:think>no</seed:think>",
        "no</think>",
        "<|channel|>analysis<|message|>no<|end|><|channel|>final<|message|>",
    ],
)
def test_what_is_thought_is_not_said(thinking: str) -> None:
    assert answer(completion(f"{thinking} It does.")).predicted is None
    found = answer(completion(f"{thinking} Yes."))
    assert found.predicted == (None if thinking == "<think>no" else "yes")


def test_a_text_against_p_yes_is_found() -> None:
    for text, found in (("No.", True), ("Yes.", False), ("It is.", False)):
        reply = reply_of(completion(text, {"Yes": 0.9}))
        assert contradicts(reply, answer_of(reply, 16)) is found


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
