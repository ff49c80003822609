"""What images belong together, and which are real, is told by their names and folders alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthsight.images.groups import groups_of, name_in_category, pattern_problem
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.images.sources import SCHEMA, Sources, describe, read_sources, write_sources
from tests.support import run_program

NUMBERED = r"(.*)_\d+"


def groups(
    *images: str, pattern: str | None = NUMBERED, category: str = "cat", depth: int = 1
) -> list[str]:
    """The groups of images, each in the folder of a category (1) or of a generator (2)."""
    generators = [image.split("/")[0] if depth == 2 else None for image in images]
    table = describe(category, images, generators, Sources(group=pattern))
    found: list[str] = table["group"].to_pylist()
    return found


def test_without_a_pattern_an_image_is_the_only_one_of_its_group() -> None:
    images = ["cat/a_1.png", "cat/a_2.png"]
    assert groups(*images, pattern=None) == images


def test_what_the_pattern_captures_is_the_group() -> None:
    assert groups("cat/a_1.png", "cat/a_2.png", "cat/b_1.png") == ["cat//a", "cat//a", "cat//b"]


def test_one_prompt_given_to_two_generators_is_one_group_and_in_two_categories_two() -> None:
    one = groups("mj/cat/a_1.png", "sd/cat/a_1.png", depth=2)
    (other,) = groups("mj/dog/a_1.png", category="dog", depth=2)
    assert one == ["cat//a", "cat//a"] and other == "dog//a"


def test_an_image_that_does_not_match_as_a_whole_is_a_group_of_its_own() -> None:
    images = ["cat/a_1_.png", "cat/ a_1b.png", "cat/x.png"]
    assert groups(*images) == images


@pytest.mark.long
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_no_group_is_called_like_an_image_that_is_alone(names: list[str]) -> None:
    """Paths have no two slashes in a row."""
    parts = [part for name in names for part in name.split("/") if part not in ("", ".", "..")]
    images = sorted({f"cat/{part}" for part in parts} | {f"cat/x/{part}" for part in parts})
    found = groups(*images)
    alone = {image for image, group in zip(images, found, strict=True) if group == image}
    captured = {group for group in found if group not in alone}
    assert not captured & set(images)


@pytest.mark.parametrize(
    ("image", "generator", "name"),
    [
        ("cat/a_1.png", None, "a_1"),
        ("mj/cat/a_1.JPEG", "mj", "a_1"),
        ("mj/cat/deep/er/a.b.webp", "mj", "deep/er/a.b"),
        ("cat/cfg7.5_1", None, "cfg7.5_1"),  # images need no ending
        ("cat/.png", None, ".png"),
    ],
)
def test_a_name_is_the_path_below_the_category_without_an_image_s_ending(
    image: str, generator: str | None, name: str
) -> None:
    assert name_in_category(image, generator) == name
    assert name_in_category(image, generator, "cat") == name, "in a table that says what folders do"


def test_a_category_s_folder_may_be_called_otherwise() -> None:
    """As ImageNet's classes are; where a table says the category, folders are part of the name."""
    images, generators = ["mj/n02123045/p1/0.png", "n02123045/p1/1.png"], ["mj", None]
    found = [
        describe("cat", images, generators, Sources(group="(.*)/[0-9]+", table=table))
        for table in (False, True)
    ]
    assert found[0]["group"].to_pylist() == ["cat//p1", "cat//p1"]
    assert found[1]["group"].to_pylist() == ["cat//mj/n02123045/p1", "cat//n02123045/p1"]


def test_folders_can_tell_groups() -> None:
    found = groups("mj/cat/p1/0.png", "sd/cat/p1/7.png", pattern="(.*)/[0-9]+", depth=2)
    assert found == ["cat//p1", "cat//p1"]


def test_a_named_group_among_others_is_the_one_that_counts() -> None:
    assert groups_of(["7-owl-3"], r"(\d)-(?P<group>\w+)-(\d)") == ["owl"]


def test_composed_letters_are_one_however_they_are_stored() -> None:
    assert groups_of(["cafe\u0301_1", "caf\u00e9_2"], r"(.*)_\d") == ["caf\u00e9"] * 2


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(?:a|aa)*(b)", r"((?:a*)*)c", r"(.*.*.*.*)_x"])
def test_no_name_takes_long_whatever_the_pattern(pattern: str) -> None:
    begun = time.perf_counter()
    assert groups_of(["a" * 4000] * 3, pattern) == [None] * 3
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "is not a regular expression"),
        (r".*_\d+", "has no capturing groups: put what images of one prompt"),
        ("(a)(b)", "has 2 capturing groups"),
        ("(?P<seed>a)(b)", "or call it (?P<group>...)"),
        ("(a)" * 9 + "(?P<group>b)", "too many capturing groups before"),
        (r"(a)\1", "neither lookaround nor backreferences"),
        ("(?=a)(a)", "neither lookaround nor backreferences"),
        ("(" + "(?:" * 4 + "a" + "{1000})" * 4 + ")", "cannot be used"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_explained(pattern: str, reason: str) -> None:
    assert reason in (pattern_problem(pattern) or "")


@pytest.mark.parametrize("pattern", ["(.*)", "(a|b)|c", "(?i)(x)", "a(?P<group>b)(c)"])
def test_a_pattern_that_can_be_used_is_not(pattern: str) -> None:
    assert pattern_problem(pattern) is None


def test_only_the_named_generators_are_real() -> None:
    table = describe("cat", list("abc"), ["photos", "mj", None], Sources(frozenset({"photos"})))
    assert table["real"].to_pylist() == [True, False, False]
    assert table.schema.equals(SCHEMA)


def test_a_file_gives_back_what_was_written_all_or_of_one_category(tmp_path: Path) -> None:
    parts = {name: describe(name, [f"{name}/0", f"{name}/1"], [None, None]) for name in "ab"}
    write_sources(tmp_path / "s.parquet", [*parts.values(), describe("none", [], [])])
    assert read_sources(tmp_path / "s.parquet").equals(pa.concat_tables(parts.values()))
    assert read_sources(tmp_path / "s.parquet", "b").equals(parts["b"])
    assert len(read_sources(tmp_path / "s.parquet", "none")) == 0


# The program -------------------------------------------------------------------------------------


def manifest(folder: Path, category: str, *names: str) -> Path:
    """A manifest of images of two generators, and of a file that is none."""
    path = folder / f"{category}.parquet"
    records = [
        ImageRecord(f"{made}/{category}/{name}", category, made, "0", 8, 8, "ok", None)
        for made in ("mj", "photos")
        for name in names
    ]
    bad = ImageRecord(f"{category}/bad_1", category, None, None, None, None, "excluded", "x")
    write_manifest(path, [bad, *records])
    return path


def run(folder: Path, spec: dict[str, object], *manifests: Path) -> tuple[str, pa.Table]:
    output = folder / "sources.parquet"
    options = ["--spec", json.dumps(spec), "--output", output]
    done = run_program("find_sources", "--manifests", *manifests, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, pq.read_table(output)


def test_the_program_tells_sources_of_usable_images_and_counts(tmp_path: Path) -> None:
    cat = manifest(tmp_path, "cat", "a_1.png", "a_2.png", "b.png")
    dog = manifest(tmp_path, "dog", "a_1.png")
    said, table = run(tmp_path, {"real": ["photos"], "group": NUMBERED}, cat, dog)
    assert len(table) == 8  # without the files that are no images
    rows = {row["image"]: row for row in table.to_pylist()}
    assert {name for name, row in rows.items() if row["real"]} == {
        name for name in rows if name.startswith("photos/")
    }
    assert rows["mj/cat/a_2.png"]["group"] == rows["photos/cat/a_1.png"]["group"] == "cat//a"
    assert rows["mj/cat/b.png"]["group"] == "mj/cat/b.png"
    assert "8 images in 4 groups (images.group)" in said
    assert "2 of 8 images have no name that images.group matches" in said
    assert "'mj/cat/b.png', ..." in said
    assert "all images of a category are one group, in 'dog'" in said


def test_a_pattern_that_tells_all_images_apart_is_doubted(tmp_path: Path) -> None:
    path = manifest(tmp_path, "cat", "a_1.png", "b_2.png")
    said, _ = run(tmp_path, {"group": "(.*)"}, path)
    assert "4 images in 2 groups" in said  # a prompt of two generators
    assert "too much" not in said
    write_manifest(
        path, [ImageRecord(f"cat/{n}", "cat", None, "0", 8, 8, "ok", None) for n in "ab"]
    )
    said, _ = run(tmp_path, {"group": "(.*)"}, path)
    assert "no two images are in one group: does images.group capture too much?" in said


def test_without_a_pattern_nothing_is_said(tmp_path: Path) -> None:
    said, table = run(tmp_path, {}, manifest(tmp_path, "cat", "a_1.png"))
    assert said == ""
    assert table["group"].equals(table["image"])
    assert not any(table["real"].to_pylist())
