"""Parts of a category: which file belongs to which, listings by part, and joined manifests."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from synthsight.files import age_of
from synthsight.images.join_manifests import PartsError, join_manifests
from synthsight.images.manifest import (
    Listing,
    index_images,
    index_rows,
    list_folders,
    read_manifest,
    write_manifest,
)
from synthsight.images.parts import Part, key_of, number_of_parts, part_of, parts_in
from synthsight.images.rows import (
    FOLDER,
    INDEXED,
    Rows,
    keep_rows,
    read_kept_rows,
    with_parts,
)
from synthsight.tables import write_parquet
from tests.support import draw_image


def test_there_are_as_many_parts_as_a_power_of_two_that_suffices() -> None:
    numbers = [number_of_parts(files, 10) for files in (0, 1, 10, 11, 20, 21, 40, 41, 80, 81)]
    assert numbers == [1, 1, 1, 2, 2, 4, 4, 8, 8, 16]


def test_parts_are_even_and_each_is_divided_in_two_by_the_next_number() -> None:
    keys = [b"%05d.png" % number for number in range(16_000)]
    counts = Counter(part_of(key, 16) for key in keys)
    assert len(counts) == 16 and max(counts.values()) < 1.15 * min(counts.values())
    halves = {(part_of(key, 16), part_of(key, 32)) for key in keys}
    assert len(halves) == 32, "no file goes from one part to the half of another"
    assert parts_in("3-of-16") == 16
    with pytest.raises(ValueError, match="'3-of-x' is not the name of a part"):
        parts_in("3-of-x")


def test_where_the_folder_lies_makes_no_difference() -> None:
    assert key_of("a/clock/x/1.png", "a/clock") == key_of(Path("/b/clock/x/1.png"), "/b/clock")


@pytest.fixture
def clocks(tmp_path: Path) -> Path:
    """A root with a category of nine files: one twice, one broken, one whose name is no text."""
    for number in range(6):
        draw_image(tmp_path / "clock" / f"{number}.png", number)
    shutil.copy2(tmp_path / "clock" / "5.png", tmp_path / "clock" / "a copy.png")
    (tmp_path / "clock" / "broken.png").write_bytes(b"no picture")
    shutil.copy2(tmp_path / "clock" / "1.png", os.fsencode(tmp_path / "clock") + b"/\xff.png")
    return tmp_path


def test_a_listing_tells_parts_of_which_a_change_touches_one(clocks: Path) -> None:
    folder = clocks / "clock"
    whole, found = list_folders([folder]), list_folders([folder], 3)
    assert whole.parts == () == list_folders([folder], 9).parts, "no more files than that"
    assert whole.digest == found.digest, "which decides as ever where there are no parts"
    assert sum(part.images for part in found.parts) == found.images == 9
    assert {part.name for part in found.parts} <= {f"{number}-of-4" for number in range(1, 5)}
    os.utime(folder / "2.png", (1, 1))
    changed = set(list_folders([folder], 3).parts) - set(found.parts)
    assert {part.name for part in changed} == {part_of(b"2.png", 4)}


def test_joined_parts_are_the_manifest_of_the_whole_category(clocks: Path, tmp_path: Path) -> None:
    parts = []
    for part in list_folders([clocks / "clock"], 3).parts:
        records = index_images(clocks, "clock", [(None, "clock")], part=part.name)
        assert len(records) == part.images
        parts.append(tmp_path / f"{part.name}.parquet")
        write_manifest(parts[-1], records)
    whole = index_images(clocks, "clock", [(None, "clock")])
    assert [r.reason for r in whole if r.image.endswith("copy.png")] == [
        "the same file as 'clock/5.png'"
    ]
    write_manifest(tmp_path / "whole.parquet", whole)
    write_parquet(tmp_path / "joined.parquet", join_manifests(parts), compression="zstd")
    assert read_manifest(tmp_path / "joined.parquet") == whole
    bytes_of = [(tmp_path / f"{name}.parquet").read_bytes() for name in ("whole", "joined")]
    assert bytes_of[0] == bytes_of[1]
    with pytest.raises(PartsError, match=r"'clock/.*' is in two parts"):
        join_manifests([*parts, parts[0]])


def test_the_first_of_equal_files_is_kept_whatever_part_it_is_in(tmp_path: Path) -> None:
    draw_image(tmp_path / "b.png", 0)
    for name in ("a", "c"):
        shutil.copy2(tmp_path / "b.png", tmp_path / f"{name}.png")
    for number, images in enumerate((["b.png", "c.png"], ["a.png"])):
        rows = [(image, None, None) for image in images]
        records = index_rows(tmp_path, "x", rows, whole=False)
        assert [record.status for record in records] == ["ok"] * len(images)
        write_manifest(tmp_path / f"{number}.parquet", records)
    joined = join_manifests([tmp_path / "0.parquet", tmp_path / "1.parquet"]).to_pylist()
    assert [(row["image"], row["status"]) for row in joined] == [
        ("a.png", "ok"),
        ("b.png", "excluded"),
        ("c.png", "excluded"),
    ]
    assert {row["reason"] for row in joined[1:]} == {"the same file as 'a.png'"}


def test_rows_of_a_table_are_divided_so_that_one_row_or_file_changes_one_part(
    tmp_path: Path,
) -> None:
    root, kept = tmp_path / "root", tmp_path / "kept"
    images = [f"{number}.png" for number in range(9)]
    for image in images:
        (root / image).parent.mkdir(exist_ok=True)
        (root / image).write_bytes(image.encode())

    def parts(images: list[str], most: int = 3) -> dict[str | None, Part]:
        reasons = ["no such file" if image == "8.png" else None for image in images]
        digest = keep_rows(kept, INDEXED, [images, [None] * len(images), reasons])
        ages = str([age_of(root / image) for image in images])
        listing = Listing(len(images), len(images) - 1, ages)
        found = with_parts(Rows(digest, None, (None,)), listing, root, kept, most)
        return {part.name: part for part in found.parts}

    assert parts(images, 9) == {}, "no more files than that"
    first = parts(images)
    assert first == parts(images), "as it was kept"
    held = {name: read_kept_rows(kept, part.rows or "", INDEXED) for name, part in first.items()}
    assert sorted(image for rows in held.values() for image in rows["image"].to_pylist()) == images
    assert sum(part.images for part in first.values()) == len(images) - 1, "one is not there"
    for name, rows in held.items():
        assert {part_of(image.encode(), 4) for image in rows["image"].to_pylist()} == {name}
    (root / "2.png").write_bytes(b"another content")
    second = parts(images)
    assert {name for name in first if first[name] != second[name]} == {part_of(b"2.png", 4)}
    assert {part.rows for part in first.values()} == {part.rows for part in second.values()}
    third = parts([image for image in images if image != "3.png"])
    changed = {name for name in second if second.get(name) != third.get(name)}
    assert changed == {part_of(b"3.png", 4)}
    for part in third.values():
        (kept / FOLDER / f"{part.rows}.parquet").unlink()
    assert parts([image for image in images if image != "3.png"]) == third, "rows are kept again"
    assert all((kept / FOLDER / f"{part.rows}.parquet").exists() for part in third.values())
