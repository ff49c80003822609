"""What kind a yes/no question is of."""

from __future__ import annotations

import pytest

from synthsight.vqa.kinds import KINDS, RULES, first_word, kind

QUESTIONS = {
    "negation": [
        "Is nobody in the room?",
        "Isn't it raining?",
        "Isn\N{RIGHT SINGLE QUOTATION MARK}t it raining?",
        "Are there no people?",
        "Is the man not smiling?",
        "Is the room without windows?",
        "Can't you see the dog?",
    ],
    "counting": [
        "Are there two cats?",
        "Are there more than three apples?",
        "Are there 12 eggs?",
        "Is there more than one dog?",
        "Is there only one dog?",
        "Is there one dog?",
        "Are there more cats than dogs?",
        "Is the number of legs even?",
        "Is the bear holding a pair of skis?",
    ],
    "colour": [
        "Is the car red?",
        "Is the sky GRAY?",
        "Is the sky grey?",
        "Is the painting colorful?",
        "Are the colours bright?",
        "Is the hat rose-coloured?",
        "Is one of the dogs black?",
    ],
    "spatial relation": [
        "Is the ball left of the box?",
        "Is the man on the left smiling?",
        "Is the cat under a chair?",
        "Is the dog in front of the house?",
        "Is the cat on the table?",
        "Is the horse on the moon?",
        "Is the dog in the background?",
        "Is anyone next to her?",
        "Is the ball higher up than the balloon?",
        "Is the car lower down than the ball?",
    ],
    "comparison": [
        "Is the teddy bear smaller than the ball?",
        "Does the pizza look larger than the car?",
        "Is the tree bigger than this one?",
        "Is the tower higher than the house?",
        "Is the man as tall as the woman?",
        "Is the dog the same size as the cat?",
        "Can you see a dog bigger than the house?",
    ],
    "presence": [
        "Is there a dog?",
        "Are there people?",
        "Was there a fire?",
        "Is there a dog in the picture?",
        "Is a dog in this image?",
        "Can you see a bear?",
        "Does the image contain a horse?",
        "Is the sun visible?",
        "Is a horse present?",
        "Has the picture got a pizza in it?",
    ],
    "other": [
        "Is the astronaut riding the horse?",
        "Is the bear wearing glasses?",
        "Is this a dog?",
        "Is this right?",
        "Is the man in the painting smiling?",
        "Is it on fire?",
        "Is the light on?",
        "Is the boy opening a present with his teeth?",
        "Does the man see?",
        "Is this the bigger one?",
        "Has the man got a hat?",
        "Is it anything other than a dog?",
        "Is he as happy as she is?",
        # Words that only hold a word of a rule.
        "Are the oranges ripe?",
        "Is the notebook open?",
        "Is the person bored?",
        "Is someone tense?",
        "???",
        "",
    ],
}


@pytest.mark.parametrize(
    ("question", "expected"),
    [(question, name) for name, questions in QUESTIONS.items() for question in questions],
)
def test_a_question_has_the_kind_that_its_words_say(question: str, expected: str) -> None:
    assert kind(question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Are there no two red balls on the table in the image?", "negation"),
        ("Are there two red balls on the table in the image?", "counting"),
        ("Is there a red ball on the table in the image?", "colour"),
        ("Is there a ball on the table in the image?", "spatial relation"),
        ("Is there a ball bigger than a cat in the image?", "comparison"),
        ("Is there a ball in the image?", "presence"),
    ],
)
def test_of_several_kinds_the_first_in_the_order_counts(question: str, expected: str) -> None:
    assert kind(question) == expected
    assert list(KINDS) == [*RULES, "other"] == list(QUESTIONS)


def test_case_blanks_and_marks_make_no_difference() -> None:
    assert kind("  IS   THERE\ta dog") == kind("Is there a dog?!") == "presence"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Is there a dog?", "is"),
        ("  ARE they?", "are"),
        ("Isn\N{RIGHT SINGLE QUOTATION MARK}t it?", "isn't"),
        ("¿Hay un perro?", "hay"),
        ("'Is' it?", "is"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_the_first_word(question: str, expected: str) -> None:
    assert first_word(question) == expected
