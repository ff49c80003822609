"""What the page says of models that failed."""

from __future__ import annotations

from synthsight.report.left_out import of_left_out, without


def left(*names: str) -> list[dict[str, str]]:
    return [{"model": name, "rule": "classify", "why": "no memory."} for name in names]


def test_each_model_is_named_with_the_rule_that_failed_and_why() -> None:
    assert of_left_out(left("a")) == [
        "a is left out of everything here, since it failed in classify: no memory."
    ]
    assert of_left_out([]) == []


def test_a_caption_names_some_and_counts_the_others() -> None:
    assert without([]) == ""
    assert without(left("a", "b")) == "Without a, b, which failed."
    assert without(left(*"abcdefg")) == "Without a, b, c, d, e and 2 more, which failed."
