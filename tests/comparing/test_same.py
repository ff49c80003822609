"""What is the same in two runs is told by content, and no row is counted twice."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthsight.comparing.same import groups_of, match, together

KEY = ["category", "sha256"]


def images(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image", "category", "sha256"])


def pairs(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[str, str]]:
    found = match(a, b, KEY)
    return list(zip(a["image"].iloc[found.a], b["image"].iloc[found.b], strict=True))


def test_images_of_the_same_content_are_the_same_whatever_they_are_called() -> None:
    a = images(("1", "kite", "x"), ("2", "kite", "y"), ("3", "vase", "z"))
    b = images(("0", "kite", "y"), ("1", "kite", "w"), ("9", "kite", "x"))
    assert pairs(a, b) == [("1", "9"), ("2", "0")]


def test_the_same_path_with_other_content_and_the_same_content_elsewhere_are_not_the_same() -> None:
    a = images(("1", "kite", "x"), ("2", "vase", "y"))
    b = images(("1", "kite", "y"), ("2", "kite", "z"))
    assert pairs(a, b) == []


def test_copies_go_one_by_one_and_those_left_over_with_none() -> None:
    a = images(("1", "kite", "x"), ("2", "kite", "x"), ("3", "kite", "y"), ("4", "kite", "x"))
    b = images(("5", "kite", "x"), ("6", "kite", "y"), ("7", "kite", "x"))
    assert pairs(a, b) == [("1", "5"), ("2", "7"), ("3", "6")]
    assert pairs(b, a) == [("5", "1"), ("6", "3"), ("7", "2")]


def test_what_has_no_known_content_is_like_nothing() -> None:
    a = images(("1", "kite", None), ("2", "kite", "x"))
    assert pairs(a, a) == [("2", "2")]


def test_groups_of_either_run_are_one_unit() -> None:
    a, b = np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 3])
    units = together(a, b)
    assert units is not None
    assert len({*units[:3]}) == 1 and len({*units}) == 3
    assert together(np.arange(4), np.array([7, 3, 5, 1])) is None
    assert together(np.array([], int), np.array([], int)) is None


def test_an_image_without_a_group_is_one_by_itself() -> None:
    codes = groups_of(pd.DataFrame({"group": ["p", None, "p", None]}))
    assert codes[0] == codes[2] and len({*codes}) == 3
