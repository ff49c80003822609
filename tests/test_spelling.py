"""When names that are written differently are one name to people."""

from __future__ import annotations

import unicodedata

import pytest

from synthsight.spelling import name_key, spelt


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DALL-E 2", "DALL-E 2."),
        ("DALL-E 2", "dalle2"),
        ("DALL-E 2", "DALL\u00b7E\u30002"),
        ("SD_v1.4", "sd-v1-4"),
        ("Rod\u00edn", unicodedata.normalize("NFD", "Rod\u00edn")),
        ("Gro\u00df", "GROSS"),
        ("dream", "\ufeffDream\u200d"),
        ("\u2764", "\u2764\ufe0f"),
        ("a \u2013 b", "a-b"),
    ],
)
def test_names_that_people_take_for_one_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SD 1.4", "SD 1.5"),
        ("v1.4", "v14"),
        ("step 1 10", "step 11 0"),
        ("C++", "C"),
        ("cfg>5", "cfg<5"),
        ("...", "-"),
        ("\U0001f3a8", "\U0001f58c"),
        ("\u0430", "\u0431"),
    ],
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_names_that_look_the_same_are_shown_with_escapes() -> None:
    assert spelt(["a\u2010b", "A-b"]) == ["'a\u2010b'", "'A-b'"]
    assert spelt(["a\u2010b", "a-b"]) == [r"'a\u2010b'", "'a-b'"]
