"""Copies are found, whatever was done to them, and unlike images are not taken for copies."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageFilter, ImageOps

from synthsight.images import neighbours
from synthsight.images.duplicates import SCHEMA, find_duplicates
from synthsight.images.hashing import BITS, BYTES, MIRROR, perceptual_hash
from synthsight.images.manifest import index_images, write_manifest
from synthsight.images.neighbours import EACH, MOST_BITS, near_pairs
from synthsight.images.pairs import (
    across_categories,
    across_photographs,
    described,
    difference,
    left_out,
    within_categories,
    worst_pairs,
)
from tests.support import REPOSITORY, run_program

DEMO = REPOSITORY / "resources" / "demo" / "images"


def jpeg(image: Image.Image, quality: int = 60) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))


def cropped(image: Image.Image) -> Image.Image:
    """Without 3 per cent at each side."""
    width, height = (round(0.03 * side) for side in image.size)
    return image.crop((width, height, image.width - width, image.height - height))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": jpeg,
    "mirrored": ImageOps.mirror,
    "mirrored-compressed": lambda image: jpeg(ImageOps.mirror(image)),
    "half": half,
    "half-mirrored-compressed": lambda image: jpeg(ImageOps.mirror(half(image))),
    "square": lambda image: image.resize((224, 224)),
}


def distance(one: bytes | None, other: bytes | None) -> int:
    assert one is not None and other is not None
    a, b = np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8)
    turned = a ^ MIRROR
    return int(min(np.bitwise_count(x ^ b).sum() for x in (a, turned)))


@pytest.fixture(scope="module")
def some() -> list[Image.Image]:
    """Every eighth image of the demo."""
    return [Image.open(path).convert("RGB") for path in sorted(DEMO.rglob("*.*"))[::8]]


# The hash -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_differs_in_few_bits(some: list[Image.Image], kind: str) -> None:
    found = [distance(perceptual_hash(i), perceptual_hash(COPIES[kind](i))) for i in some]
    assert max(found) <= 14


def test_a_crop_is_not_found(some: list[Image.Image]) -> None:
    """What docs/images.md says. If this fails, the hash has become better: say so there."""
    found = [distance(perceptual_hash(image), perceptual_hash(cropped(image))) for image in some]
    assert np.median(found) > MOST_BITS


def test_the_mirrored_image_s_hash_follows_from_the_image_s(some: list[Image.Image]) -> None:
    for image in some[:8]:
        square = image.resize((64, 64))  # of this size, nothing is resized before the transform
        turned = np.frombuffer(perceptual_hash(square) or b"", np.uint8) ^ MIRROR
        assert perceptual_hash(ImageOps.mirror(square)) == turned.tobytes()


def test_the_hash_is_the_sign_of_the_cosine_transform() -> None:
    """Derived again with floating-point numbers."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    angles = np.pi * np.outer(np.arange(16), 2 * np.arange(64) + 1) / 128
    found = np.cos(angles) @ pixels @ np.cos(angles).T
    expected = np.packbits((found > 0).ravel()[1:]).tobytes()
    assert perceptual_hash(Image.fromarray(pixels)) == expected
    assert len(expected) == BYTES and BITS == 255


def test_an_image_without_structure_has_no_hash() -> None:
    flat = Image.new("RGB", (300, 200), (200, 30, 90))
    gradient = Image.linear_gradient("L")
    noise = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
    for image in (flat, gradient, jpeg(gradient), gradient.filter(ImageFilter.BLUR)):
        assert perceptual_hash(image) is None
    assert perceptual_hash(Image.fromarray(noise)) is not None


# The search ---------------------------------------------------------------------------------------


def slowly(hashes: np.ndarray) -> dict[tuple[int, int], tuple[int, bool]]:
    """All near pairs, by comparing all."""
    found = {}
    for second in range(len(hashes)):
        for first in range(second):
            turned = hashes[first] ^ hashes[second]
            bits = [int(np.bitwise_count(each).sum()) for each in (turned, turned ^ MIRROR)]
            if min(bits) <= MOST_BITS:
                found[first, second] = (min(bits), bits[1] < bits[0])
    return found


def test_no_pair_within_the_bound_is_missed_and_none_beyond_is_found() -> None:
    rng = np.random.default_rng(3)
    base = rng.random((40, BITS)) < 0.5
    copies = []
    for each in base:
        for bits in (1, 12, 23, 24, 25, 26):
            copy = each.copy()
            copy[rng.choice(BITS, bits, replace=False)] ^= True
            copies.append(copy)
    hashes = np.packbits(np.array([*base, *copies]), axis=1)
    hashes[::3] ^= MIRROR
    hashes = hashes[rng.permutation(len(hashes))]
    pairs = near_pairs(hashes)
    rows = zip(pairs.first, pairs.second, pairs.bits, pairs.mirrored, strict=True)
    expected = slowly(hashes)
    assert {(a, b): (bits, mirrored) for a, b, bits, mirrored in rows} == expected
    assert len(expected) > 240 and {bits for bits, _ in expected.values()} >= {1, 12, 23, 24}
    assert pairs.crowded == 0


def test_many_alike_have_few_rows_each_and_the_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BUCKET", 30)
    rng = np.random.default_rng(4)
    alike = np.tile(rng.random(BITS) < 0.5, (500, 1)) ^ (rng.random((500, BITS)) < 0.01)
    pairs = near_pairs(np.packbits(alike, axis=1))
    counts = np.bincount(pairs.second, minlength=500)
    assert counts.max() == EACH
    assert (counts[1:] > 0).all(), "each but the first is listed"
    assert pairs.crowded > 400


@pytest.mark.long
def test_memory_does_not_grow_with_the_square_of_the_images() -> None:
    rng = np.random.default_rng(5)
    peaks = []
    for images in (4000, 16000):
        alike = np.tile(rng.random(BITS) < 0.5, (images, 1)) ^ (rng.random((images, BITS)) < 0.03)
        hashes = np.packbits(alike, axis=1)
        tracemalloc.start()
        near_pairs(hashes)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 6 * peaks[0]
    assert peaks[1] < 300e6


def test_there_may_be_nothing_to_search() -> None:
    assert len(near_pairs(np.zeros((0, BYTES), np.uint8)).first) == 0
    assert len(near_pairs(np.zeros((1, BYTES), np.uint8)).first) == 0


# The table ----------------------------------------------------------------------------------------


def manifests(root: Path, folder: Path) -> list[Path]:
    """Manifests of `<root>/<generator>/<category>`."""
    paths = []
    for name in sorted({path.name for path in root.glob("*/*")}):
        folders = [
            (path.parent.name, path.relative_to(root).as_posix())
            for path in sorted(root.glob(f"*/{name}"))
        ]
        paths.append(folder / f"{name}.parquet")
        write_manifest(paths[-1], index_images(root, name, folders))
    return paths


def planted(root: Path) -> None:
    """Six scenes of the demo, and copies of some of them."""
    scenes = [Image.open(DEMO / "crayon" / "kite" / path).convert("RGB") for path in names()[:6]]
    for place, image in {
        "one/cat/0.png": scenes[0],
        "one/cat/1.png": scenes[1],
        "one/cat/4-small.png": half(scenes[4]),
        "one/dog/2.png": scenes[2],
        "one/dog/3.png": scenes[3],
        "one/dog/flat.png": Image.new("RGB", (90, 80)),
        "two/cat/0.png": jpeg(scenes[0]),
        "two/cat/4.png": scenes[4],
        "two/dog/2.png": ImageOps.mirror(scenes[2]),
        "two/dog/5.png": scenes[5],
        "two/dog/cat.png": jpeg(scenes[1]),
    }.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        image.save(root / place)
    (root / "two/cat/flat.png").write_bytes((root / "one/dog/flat.png").read_bytes())


def names() -> list[str]:
    return sorted(path.name for path in (DEMO / "crayon" / "kite").iterdir())


def test_planted_copies_are_listed_and_nothing_else(tmp_path: Path) -> None:
    planted(tmp_path / "pictures")
    table, said = find_duplicates(manifests(tmp_path / "pictures", tmp_path))
    assert table.schema == SCHEMA
    rows = table.to_pandas()
    assert rows[["a", "b", "kind", "mirrored"]].to_numpy().tolist() == [
        ["one/cat/0.png", "two/cat/0.png", "near", False],
        ["one/cat/1.png", "two/dog/cat.png", "near", False],
        ["one/cat/4-small.png", "two/cat/4.png", "near", False],
        ["one/dog/2.png", "two/dog/2.png", "near", True],
        ["one/dog/flat.png", "two/cat/flat.png", "exact", False],
    ]
    last = rows.iloc[-1]
    assert last[["category_a", "category_b", "generator_a", "generator_b", "bits"]].tolist() == [
        *("dog", "cat", "one", "two", 0)
    ]
    assert rows["bits"].between(0, 14).all()
    assert said[0].startswith(
        "5 pairs of duplicates or near duplicates among 12 images (1 of the same file, 1 mirrored, "
        "2 across categories, 5 across generators): one/dog/flat.png and two/cat/flat.png (the "
        "same file); one/cat/1"
    )
    assert said[1].startswith("2 pairs of images are of two categories and the same picture, or ")
    assert said[2:] == ["2 of 12 images have too little structure to look for near duplicates"]
    assert not rows[["real_a", "real_b"]].to_numpy().any()


def test_photographs_are_told_by_their_generator(tmp_path: Path) -> None:
    planted(tmp_path / "pictures")
    table, said = find_duplicates(manifests(tmp_path / "pictures", tmp_path), {"two"})
    assert set(table["real_a"].to_pylist()) == {False}
    assert set(table["real_b"].to_pylist()) == {True}
    assert "2 across categories, 5 across photographs and generated images): " in said[0]
    assert said[2].startswith("5 pairs of images are of a photograph and a generated image, and ")


@pytest.mark.long
def test_the_demo_has_no_duplicates(tmp_path: Path) -> None:
    table, said = find_duplicates(manifests(DEMO, tmp_path))
    assert table.num_rows == 0 and table.schema == SCHEMA
    assert said == []


@pytest.mark.long
def test_the_program_writes_the_same_whatever_the_order(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    planted(root)
    (root / "one/cat/0.png").rename(root / "one/cat/=1\n2.png")
    paths = manifests(root, tmp_path)
    written = []
    for number, order in enumerate((paths, paths[::-1])):
        csv_file, parquet = tmp_path / f"{number}.csv", tmp_path / f"{number}.parquet"
        options = ("--spec", "{}", "--csv", csv_file, "--parquet", parquet)
        done = run_program("find_duplicates", "--manifests", *order, *options)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("5 pairs of duplicates")
        written.append((csv_file.read_bytes(), pq.read_table(parquet).to_pylist()))
    assert written[0] == written[1]
    rows = list(csv.DictReader(io.StringIO(written[0][0].decode(), newline="")))
    assert [row["a"] for row in rows] == [
        *("one/cat/1.png", "one/cat/4-small.png", "one/cat/=1\n2.png"),
        *("one/dog/2.png", "one/dog/flat.png"),
    ]
    assert rows[-1]["kind"] == "exact"


@pytest.mark.long
def test_of_many_equal_images_each_is_listed_once(tmp_path: Path) -> None:
    """Rows grow with the images, not with their square."""
    scene = Image.open(DEMO / "crayon" / "kite" / names()[0]).convert("RGB")
    for number in range(30):
        path = tmp_path / "pictures" / "one" / f"c{number % 3}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = scene.copy()
        picture.putpixel((0, 0), (number, 0, 0))  # other bytes, the same hash
        picture.save(path)
    table, _ = find_duplicates(manifests(tmp_path / "pictures", tmp_path))
    assert table.num_rows == 29
    assert set(table["a"].to_pylist()) == {"one/c0/00.png"}
    assert set(table["bits"].to_pylist()) == {0}


# What is said of it -------------------------------------------------------------------------------


def pairs_of(*rows: tuple[str, str, int, bool]) -> pd.DataFrame:
    """Pairs of images called `<generator>/<category>/<name>`; those of `real` are photographs."""
    return pd.DataFrame(
        [
            {
                "a": a,
                "b": b,
                **{f"category_{k}": n.split("/")[1] for k, n in (("a", a), ("b", b))},
                **{f"generator_{k}": n.split("/")[0] or None for k, n in (("a", a), ("b", b))},
                **{f"real_{k}": n.startswith("real/") for k, n in (("a", a), ("b", b))},
                "kind": "near" if bits else "exact",
                "bits": bits,
                "mirrored": mirrored,
            }
            for a, b, bits, mirrored in rows
        ],
        columns=SCHEMA.names,
    )


def test_pairs_across_categories_come_first_then_photographs_files_and_generators() -> None:
    pairs = pairs_of(
        ("real/cat/0", "x/cat/0", 24, False),
        ("x/cat/1", "x/cat/2", 0, False),
        ("x/cat/3", "y/cat/4", 20, False),
        ("x/cat/5", "x/dog/6", 24, True),
        ("x/cat/7", "y/cat/8", 3, False),
    )
    worst = worst_pairs(pairs, 4)
    assert worst["a"].tolist() == ["x/cat/5", "real/cat/0", "x/cat/1", "x/cat/7"]
    assert worst.columns.tolist() == SCHEMA.names
    assert [difference(row) for row in pairs.to_dict("records")][1:] == [
        *("the same file", "20 of 255 bits", "mirrored, 24 of 255 bits", "3 of 255 bits")
    ]


def test_pictures_in_several_categories_are_named() -> None:
    assert across_categories(pairs_of(("/cat/1", "/cat/2", 0, False))) is None
    assert across_categories(pairs_of()) is None
    assert across_categories(pairs_of(("/cat/1", "/dog/2", 0, False))) == (
        "1 pair of images is of two categories and the same picture, or nearly, so that one label "
        "of each is most likely wrong: /cat/1 and /dog/2 (the same file). Remove the wrong ones "
        "(tables/duplicates.csv has all)"
    )


def test_generated_images_that_are_photographs_are_named() -> None:
    assert across_photographs(pairs_of(("x/cat/1", "y/cat/2", 0, False))) is None
    assert across_photographs(pairs_of(("real/cat/1", "real/cat/2", 0, False))) is None
    pairs = pairs_of(("real/cat/1", "x/cat/2", 7, True), ("x/cat/1", "y/cat/2", 0, False))
    assert across_photographs(pairs) == (
        "1 pair of images is of a photograph and a generated image, and the same picture, or "
        "nearly: real/cat/1 and x/cat/2 (mirrored, 7 of 255 bits). Either a generator reproduces a "
        "photograph, or a file is in the wrong folder; the measured drop is too small with them "
        "(tables/duplicates.csv has all)"
    )
    first, other = pairs.to_dict("records")
    assert described(first) == "mirrored, 7 of 255 bits; a photograph and a generated image"
    assert described(first, {"x/cat/2"}).endswith("image; the second is left out")
    assert described(other, {"x/cat/1"}) == "the same file; the first is left out"
    assert described(other, {"x/cat/1", "y/cat/2"}) == "the same file; both are left out"


def test_no_mean_is_about_fewer_images_without_a_word() -> None:
    usable = {("x", "cat"): 5, ("y", "cat"): 3, ("y", "dog"): 1, (None, "dog"): 2}
    assert left_out(usable, {}) is None
    assert left_out(usable, {("y", "cat"): 1, ("y", "dog"): 1, (None, "dog"): 2}) == (
        "4 of 11 images are left out as duplicates or near duplicates (images.duplicates: exclude; "
        "tables/excluded.csv says of what): 2 of 4 of 'y', 2 of 2 without a generator; no image is "
        "left of 'dog' by 'y', 'dog'"
    )
    assert str(left_out({(None, "dog"): 2}, {(None, "dog"): 1})).endswith("says of what)")


def test_many_copies_within_categories_make_intervals_too_narrow() -> None:
    pairs = pairs_of(
        ("/cat/1", "/cat/2", 9, False),
        ("/cat/1", "/cat/3", 9, False),
        ("/cat/2", "/cat/3", 9, True),
    )
    assert within_categories(pairs, 41) is None
    assert str(within_categories(pairs, 40)).startswith("2 of 40 images are nearly the same as ")
    assert within_categories(pairs_of(("/cat/1", "/dog/2", 9, False)), 2) is None
