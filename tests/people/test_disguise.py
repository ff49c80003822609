"""Disguised names of images."""

from __future__ import annotations

from synthsight.people.disguise import PREFIX, disguised


def test_a_disguised_name_says_nothing_of_the_path() -> None:
    name = disguised("dalle/zebra/zebra_01.png", "ab" * 32)
    assert name.startswith(PREFIX)
    assert set(name.removeprefix(PREFIX)) <= set("0123456789abcdef")


def test_another_path_or_content_is_another_name() -> None:
    names = {disguised(image, sha) for image in ("a.png", "b.png") for sha in ("00", "11")}
    assert len(names) == 4


def test_the_name_stays_what_it_was() -> None:
    # Worked out with coreutils: printf 'ff\na.png' | sha256sum
    assert disguised("a.png", "ff") == "image-80ffa28ef14edb5d13df"
