"""The page for raters as text: its choices, and what it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from synthsight.errors import SynthsightError
from synthsight.rating.page import Page, render
from tests.rating.raters import pictures


def page(categories: list[str] | None, number: int = 1, **others: Any) -> str:
    about = {"instructions": None, "consent": None, "mark": None, "version": "1.0", **others}
    return render(Page(pictures(number, ["Is it?"]), categories, **about))


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(re.findall(r'id="data">(.*?)</script>', text)[0])
    return found


def test_choices_are_in_alphabetical_order_with_a_digit_each_and_two_more() -> None:
    choices = data_of(page(["vase", "Kite", "toilet_seat"]))["choices"]
    assert [(each["value"], each["label"], each["key"]) for each in choices] == [
        ("Kite", "Kite", "1"),
        ("toilet_seat", "toilet seat", "2"),
        ("vase", "vase", "3"),
        ("other", "other", "0"),
        ("cannot tell", "cannot tell", "-"),
    ]


def test_more_than_nine_are_found_by_typing_so_no_key_is_a_letter_that_one_begins_with() -> None:
    names = [f"thing {each}" for each in range(9)]
    nine, ten = (data_of(page(each))["choices"] for each in (names, [*names, "0th"]))
    assert [each["key"] for each in nine] == [*"123456789", "0", "-"]
    assert {each["key"] for each in ten[:-2]} == {""}
    assert [each["key"] for each in ten[-2:]] == ["", "-"]
    assert 'id="find"' in page([*names, "0th"]) and 'id="find"' not in page(names)


@pytest.mark.parametrize("name", ["other", "Cannot_tell", "cannot tell"])
def test_a_category_that_is_called_like_another_response_is_refused(name: str) -> None:
    with pytest.raises(SynthsightError, match=f"the category '{name}' has the name of a response"):
        page(["kite", name])


def test_what_is_asked_decides_which_progress_a_browser_goes_on_with() -> None:
    plain = data_of(page(["kite"], 3))["digest"]
    assert data_of(page(["kite"], 3, instructions="Other words."))["digest"] == plain
    others = {data_of(page(*each))["digest"] for each in ((["vase"], 3), (["kite"], 4), (None, 3))}
    assert len(others | {plain}) == 4


def test_nothing_may_be_loaded_and_no_other_program_run() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(["kite"]))
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy
    assert len(re.findall("sha256-", policy)) == 1
    assert not re.search(r"https?://|//[a-z]+\.", page(["kite"]).replace("data:", ""))
