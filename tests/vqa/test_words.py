"""Texts say yes or no if exactly one of the words stands in them."""

from __future__ import annotations

import pytest

from synthsight.vqa.words import yes_or_no


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes.",
        " YES!\n",
        "Yes, yes, there is a dog.",
        "Answer: yes",
        '"Yes"',
        "'yes'",
        "**Yes**",
        "_yes_",
        "<answer>yes</answer>",
        '{"answer": "yes"}',
        "\\boxed{yes}",
        "(yes)",
        "- yes",
        "Yes\u2014a dog",
        "\uff39\uff45\uff53",  # wide letters, as in texts in East Asian scripts
        "yes\ufe0f",
        "It is not empty, yes.",
    ],
)
def test_a_text_with_the_word_yes_says_yes(text: str) -> None:
    assert yes_or_no(text) == "yes"


@pytest.mark.parametrize(
    "text",
    ["no", "No.", "NO", "No, there is no dog.", "I see no dog", "no\r\n", "*no*", "-no", "no-"],
)
def test_a_text_with_the_word_no_says_no(text: str) -> None:
    assert yes_or_no(text) == "no"


@pytest.mark.parametrize("text", ["yes and no", "yes/no", "No... yes", "yes-no", "Yes or no?"])
def test_a_text_with_both_words_says_neither(text: str) -> None:
    assert yes_or_no(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "none",
        "not",
        "know",
        "nope",
        "yesterday",
        "eyes",
        "yes2",
        "no1",
        "a no-smoking sign",
        "no-one",
        "no\u2011one",
        "the yes\u2019s",
        "a say-yes man",
        "n\u00f3",
        "no\u0301",
        "no\u0334",  # an accent that is no letter with the o
        "non",
        "1",
        "true",
        "There is a dog",
        "\u306f\u3044",
    ],
)
def test_a_text_with_neither_word_says_neither(text: str) -> None:
    assert yes_or_no(text) is None


def test_a_long_text_is_read_to_its_end() -> None:
    assert yes_or_no("a dog " * 100_000 + "no") == "no"
