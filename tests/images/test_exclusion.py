"""Of pictures that are the same one is used, whatever their number and their order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthsight.figures.inputs import READERS
from synthsight.images import neighbours
from synthsight.images.duplicates import find_duplicates
from synthsight.images.exclusion import Links, choose, exclude_duplicates
from synthsight.images.hashing import BITS, MIRROR
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.images.neighbours import MOST_BITS
from synthsight.images.sources import Sources, SourcesError, find_sources, read_sources
from synthsight.tables import write_rows

Row = tuple[str, str, str, int, bool]


def links_of(rows: Sequence[Row]) -> Links:
    links = Links()
    for row in rows:
        links.add(*row)
    return links


def near(a: str, b: str, bits: int = 8, mirrored: bool = False) -> Row:
    return (a, b, "near", bits, mirrored)


# Which are left out -------------------------------------------------------------------------------


def test_the_first_is_kept_and_the_others_say_what_they_are_like() -> None:
    rows = [near("a", "c", 8, True), near("b", "c"), ("b", "d", "exact", 0, False)]
    of = dict.fromkeys("abcd", "cat")
    assert choose(links_of(rows), of, ()) == {
        "b": "near duplicate of 'c' (8 of 255 bits); of 4 such images 'a' is kept",
        "c": "near duplicate of 'a' (mirrored, 8 of 255 bits)",
        "d": "the same file as 'b'; of 4 such images 'a' is kept",
    }


def test_a_photograph_is_kept_rather_than_what_looks_like_it() -> None:
    rows = [near("a", "b"), ("b", "c", "exact", 0, False)]
    of = dict.fromkeys("abc", "cat")
    assert choose(links_of(rows), of, {"b", "c"}) == {
        "a": "near duplicate of the photograph 'b' (8 of 255 bits)",
        "c": "the same file as the photograph 'b'",
    }


def test_of_a_picture_in_two_categories_none_is_kept() -> None:
    rows = [near("a", "b", 1), near("b", "c"), near("b", "d", 3)]
    of = {"a": "cat", "b": "cat", "c": "dog", "d": "cat"}
    where = "and such images are in 'cat' and 'dog': one label is wrong, so none is kept"
    assert choose(links_of(rows), of, {"b"}) == {
        "a": f"near duplicate of 'b' (1 of 255 bits), {where}",
        "b": f"near duplicate of 'c' (8 of 255 bits), {where}",
        "c": f"near duplicate of 'b' (8 of 255 bits), {where}",
        "d": f"near duplicate of 'b' (3 of 255 bits), {where}",
    }


@pytest.mark.long
@given(st.randoms(use_true_random=False))
def test_of_any_pairs_no_two_that_are_kept_are_linked_and_their_order_decides_nothing(
    rng: random.Random,
) -> None:
    names = [f"{number:02}" for number in range(20)]
    several = rng.choice([["cat"], ["cat", "dog"], ["cat"] * 9 + ["dog"]])
    categories = {name: rng.choice(several) for name in names}
    photographs = set(rng.sample(names, rng.randrange(10)))
    pairs = sorted({tuple(sorted(rng.sample(names, 2))) for _ in range(rng.randrange(25))})
    rows = [near(a, b, rng.randrange(24), rng.random() < 0.5) for a, b in pairs]
    found = choose(links_of(rows), categories, photographs)
    assert list(found) == sorted(found)
    mixed = [(b, a, *rest) for a, b, *rest in rng.sample(rows, len(rows))]
    assert choose(links_of(mixed), dict(reversed(categories.items())), photographs) == found

    # Sets, derived again by handing the smallest name on until nothing changes.
    of = {name: name for pair in pairs for name in pair}
    while moved := [(a, b) for a, b in pairs if of[a] != of[b]]:
        for a, b in moved:
            of[a] = of[b] = min(of[a], of[b])
    for root in set(of.values()):
        members = {name for name in of if of[name] == root}
        kept = members - found.keys()
        if len({categories[name] for name in members}) > 1:
            assert not kept
        else:
            assert kept == {min(members & photographs or members)}
    assert found.keys() <= of.keys()
    for image, reason in found.items():
        said = reason.split("'")[1]
        assert tuple(sorted((image, said))) in pairs, "a reason names a pair of the table"


# From manifests to reasons ------------------------------------------------------------------------


def manifests(folder: Path, records: Sequence[ImageRecord]) -> list[Path]:
    paths = []
    for category in sorted({record.category for record in records}):
        paths.append(folder / f"{category}.parquet")
        of = [record for record in records if record.category == category]
        write_manifest(paths[-1], sorted(of, key=lambda record: record.image))
    return paths


def record(image: str, bits: np.ndarray, number: int) -> ImageRecord:
    """An image called `<generator>/<category>/<name>` that looks like these bits."""
    generator, category, _ = image.split("/")
    looks = np.packbits(np.append(bits, False)).tobytes()
    return ImageRecord(image, category, generator, f"{number:064}", 9, 9, "ok", None, looks)


def excluded(
    folder: Path, records: Sequence[ImageRecord], without: Sequence[str] = ()
) -> tuple[dict[str, str], list[str]]:
    folder.mkdir()
    paths = manifests(folder, records)
    table, _ = find_duplicates(paths, {"real"})
    write_rows(folder / "table.csv", folder / "duplicates.parquet", table)
    return exclude_duplicates(paths, folder / "duplicates.parquet", {"real"}, without)


def test_nothing_is_left_out_in_favour_of_what_is_left_out_itself(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    same = rng.random(BITS) < 0.5
    records = [record(f"one/cat/{n}", same, n) for n in range(3)]
    records += [record("one/dog/9", same, 9), record("one/cat/8", rng.random(BITS) < 0.5, 8)]
    alone = excluded(tmp_path / "all", records)[0]
    assert len(alone) == 4, "of a set in two categories none is kept"
    reasons, said = excluded(tmp_path / "some", records, ["one/dog/9", "one/cat/0"])
    assert list(reasons) == ["one/cat/2"]
    assert reasons["one/cat/2"].startswith("near duplicate of 'one/cat/1'")
    assert said[0].startswith("1 of 3 images is left out")


@pytest.mark.parametrize(("each", "bucket"), [(1, 200), (1, 6), (10, 200)])
def test_what_is_kept_has_no_duplicates_even_if_not_every_pair_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each: int, bucket: int
) -> None:
    monkeypatch.setattr(neighbours, "EACH", each)
    monkeypatch.setattr(neighbours, "BUCKET", bucket)
    rng = np.random.default_rng(6)
    scenes = rng.random((12, BITS)) < 0.5
    turned = np.unpackbits(MIRROR)[:BITS].astype(bool)
    records = []
    for number in range(150):
        bits = scenes[number % 12] ^ (rng.random(BITS) < 0.03) ^ (turned & (number % 5 == 0))
        maker = ("one", "real", "two")[rng.integers(3)]
        category = "cat" if number % 12 or rng.random() < 0.5 else "dog"
        records.append(record(f"{maker}/{category}/{number:03}", bits, number))
    reasons, said = excluded(tmp_path / "first", records)
    kept = [one for one in records if one.image not in reasons]
    assert said[0].startswith(f"{len(reasons)} of 150 images are left out as duplicates or near ")
    assert not excluded(tmp_path / "again", kept)[0], "what is left has duplicates"
    hashes = np.array([np.frombuffer(one.hash or b"", np.uint8) for one in kept])
    for turn in (0, MIRROR):
        apart = np.bitwise_count(hashes[:, None] ^ hashes[None] ^ turn).sum(axis=2)
        apart[np.diag_indices(len(kept))] = BITS
        assert apart.min() > MOST_BITS
    assert 11 <= len(kept) <= 12, "one of each scene, and none of that in two categories"
    shuffled = [records[place] for place in rng.permutation(len(records))]
    assert excluded(tmp_path / "shuffled", shuffled) == (reasons, said)


def test_what_is_left_out_is_in_no_source_and_no_picture_of_all_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    names = ["one/cat/0", "one/cat/1", "one/dog/0", "two/cat/0", "two/dog/0"]
    records = [record(name, rng.random(BITS) < 0.5, n) for n, name in enumerate(names)]
    paths = manifests(tmp_path, records)
    output, listed = tmp_path / "sources.parquet", tmp_path / "excluded.parquet"

    def sources(*excluded: str) -> list[str]:
        find_sources(paths, Sources(), output, excluded=frozenset(excluded))
        return sorted(read_sources(output)["image"].to_pylist())

    assert sources() == names
    assert sources("one/cat/0", "two/dog/0") == ["one/cat/1", "one/dog/0", "two/cat/0"]
    with pytest.raises(
        SourcesError, match=r"no image of the category 'dog' is left: .*`categories`"
    ):
        sources("one/dog/0", "two/dog/0")
    with pytest.raises(
        SourcesError, match=r"no image of the generator 'two' is left: .* be there, or"
    ):
        sources("two/cat/0", "two/dog/0")
    assert sources("two/dog/0") == names[:-1]

    pq.write_table(pa.table({"image": ["one/cat/0"], "reason": ["a duplicate"]}), listed)
    found = READERS["without_duplicates"]([str(listed), *map(str, paths)])
    assert found.set_index("image")["status"].to_dict() == {
        **dict.fromkeys(names, "ok"),
        "one/cat/0": "excluded",
    }
