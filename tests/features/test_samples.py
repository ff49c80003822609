"""Images that belong together are one unit, and features are those of the right images."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.classifiers.embed import write_features
from synthsight.features.samples import Images, SamplesError, read_features, read_images, units
from synthsight.images.duplicates import SCHEMA as DUPLICATES
from synthsight.images.sources import SCHEMA as SOURCES

#: (image, category, generator, group, real)
Row = tuple[str, str, str | None, str, bool]

ROWS: list[Row] = [
    ("dream/kite/1.png", "kite", "dream", "kite//a", False),
    ("dream/kite/2.png", "kite", "dream", "dream/kite/2.png", False),
    ("muse/kite/1.png", "kite", "muse", "kite//a", False),
    ("muse/clock/1.png", "clock", "muse", "clock//a", False),
    ("photos/clock/1.png", "clock", "photos", "photos/clock/1.png", True),
    ("photos/kite/1.png", "kite", "photos", "photos/kite/1.png", True),
]


def files(folder: Path, rows: list[Row], pairs: Sequence[tuple[str, str]]) -> tuple[Path, Path]:
    """The files of sources and of duplicates, as stages write them."""
    sources, duplicates = folder / "sources.parquet", folder / "duplicates.parquet"
    pq.write_table(
        pa.Table.from_pylist([dict(zip(SOURCES.names, r, strict=True)) for r in rows], SOURCES),
        sources,
    )
    blank = dict.fromkeys(DUPLICATES.names)
    told = [{**blank, "a": a, "b": b} for a, b in pairs]
    pq.write_table(pa.Table.from_pylist(told, DUPLICATES), duplicates)
    return sources, duplicates


def read(folder: Path, rows: list[Row], pairs: Sequence[tuple[str, str]] = ()) -> Images:
    return read_images(*files(folder, rows, pairs))


def together(images: Images) -> set[frozenset[str]]:
    """The units of more than one image."""
    found = [frozenset(images.names[images.unit == number]) for number in np.unique(images.unit)]
    return {each for each in found if len(each) > 1}


def components(names: list[str], links: list[tuple[str, str]]) -> set[frozenset[str]]:
    """The same by the textbook: sets are joined as long as two have something in common."""
    sets = [{name} for name in names]
    for a, b in links:
        first = next(each for each in sets if a in each)
        second = next(each for each in sets if b in each)
        if first is not second:
            first |= second
            sets.remove(second)
    return {frozenset(each) for each in sets}


def test_what_is_known_of_images_stands_in_the_order_of_their_names(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    assert images.names.tolist() == sorted(row[0] for row in ROWS)
    known = {row[0]: row for row in ROWS}
    for at, name in enumerate(images.names):
        _, category, generator, _, real = known[name]
        assert images.categories[images.category[at]] == category
        assert images.generators[images.generator[at]] == generator
        assert images.real[at] == real
    assert (images.categories, images.generators) == (
        ("clock", "kite"),
        ("dream", "muse", "photos"),
    )


def test_sources_are_generators_all_generated_images_and_the_photographs(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    assert list(images.sources) == ["dream", "muse", "*", "photos"]
    assert {name: int(mask.sum()) for name, mask in images.sources.items()} == {
        **{"dream": 2, "muse": 2, "*": 4, "photos": 2},
    }
    one = read(tmp_path, [row for row in ROWS if row[2] != "muse"])
    assert list(one.sources) == ["dream", "photos"], "all generated images are this generator's"
    nameless = [(*row[:2], None, *row[3:]) for row in ROWS if not row[4]]
    assert list(read(tmp_path, nameless).sources) == ["*"]
    mixed = [*nameless[:2], *ROWS[2:]]
    assert list(read(tmp_path, mixed).sources) == ["muse", "*", "photos"]
    assert list(read(tmp_path, [row for row in ROWS if row[4]]).sources) == ["photos"]


def test_folders_of_photographs_are_one_source(tmp_path: Path) -> None:
    more: Row = ("archive/kite/1.png", "kite", "archive", "archive/kite/1.png", True)
    images = read(tmp_path, [*ROWS, more])
    assert images.photographs == "archive + photos"
    assert images.sources["archive + photos"].sum() == 3
    clash: Row = ("x/kite/1.png", "kite", "archive + photos", "x/kite/1.png", False)
    with pytest.raises(SamplesError, match="'archive \\+ photos' is called like the photographs"):
        _ = read(tmp_path, [*ROWS, more, clash]).sources


def test_a_group_is_a_unit_across_generators_and_pairs_join_across_all(tmp_path: Path) -> None:
    assert together(read(tmp_path, ROWS)) == {frozenset({"dream/kite/1.png", "muse/kite/1.png"})}
    pairs = [("dream/kite/2.png", "muse/kite/1.png"), ("dream/kite/1.png", "photos/clock/1.png")]
    assert together(read(tmp_path, ROWS, pairs)) == {
        frozenset({row[0] for row in ROWS} - {"muse/clock/1.png", "photos/kite/1.png"})
    }


def test_copies_are_one_unit_also_if_the_first_of_them_is_left_out(tmp_path: Path) -> None:
    """Each copy is paired with the first alone, which may lack a prediction, or be a duplicate."""
    pairs = [("a/gone.png", "dream/kite/2.png"), ("a/gone.png", "photos/clock/1.png")]
    assert frozenset({"dream/kite/2.png", "photos/clock/1.png"}) in together(
        read(tmp_path, ROWS, pairs)
    )


def test_units_are_joined_as_far_as_links_reach_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        names = [f"{number:03}" for number in range(int(rng.integers(1, 60)))]
        groups = [f"g{rng.integers(40)}" for _ in names]
        count = int(rng.integers(0, 30))
        a, b = ([str(each) for each in rng.choice(names, count)] for _ in range(2))
        found = units(np.array(names, dtype=object), groups, a, b)
        same = [
            (one, other)
            for (one, g), (other, h) in itertools.combinations(zip(names, groups, strict=True), 2)
            if g == h
        ]
        expected = components(names, [*same, *zip(a, b, strict=True)])
        seen = {frozenset(np.array(names)[found == number].tolist()) for number in np.unique(found)}
        assert seen == expected
        firsts = np.unique(found, return_index=True)[1]
        assert np.array_equal(firsts, np.sort(firsts)), "numbered by their first images"
        turn = rng.permutation(count)
        again = units(
            np.array(names, dtype=object), groups, [b[i] for i in turn], [a[i] for i in turn]
        )
        assert np.array_equal(found, again)


def features(folder: Path, name: str, rows: dict[str, list[float]], length: int = 2) -> Path:
    values = np.array(list(rows.values()), np.float32).reshape(len(rows), length)
    write_features(folder / name, list(rows), values, {})
    return folder / name


def test_features_stand_in_the_order_of_the_images_whatever_the_files(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    value = {name: [float(at), -float(at)] for at, name in enumerate(images.names)}
    kite = {n: v for n, v in value.items() if "/kite/" in n} | {"muse/kite/excluded.png": [9, 9]}
    clock = {name: vector for name, vector in value.items() if "/clock/" in name}
    parts = [
        features(tmp_path, "kite", kite),
        features(tmp_path, "clock", clock),
        features(tmp_path, "nothing", {}),
    ]
    for order in itertools.permutations(parts):
        found = read_features(order, images)
        assert found.dtype == np.float32
        assert found.tolist() == list(value.values())


def test_an_image_without_features_is_an_error_that_names_it(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    rows = {name: [1.0, 2.0] for name in images.names[1:]}
    with pytest.raises(SamplesError, match=r"no features of 1 images, 'dream/kite/1\.png' among"):
        read_features([features(tmp_path, "some", rows)], images)
    with pytest.raises(SamplesError, match="there are no files of features; "):
        read_features([], images)


def test_features_of_another_model_are_refused(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    values = np.zeros((len(images), 2), np.float32)
    write_features(tmp_path / "all", list(images.names), values, {"model": "other"})
    assert read_features([tmp_path / "all"], images, "other").shape == values.shape
    with pytest.raises(SamplesError, match="features of 'other', not of 'mine'"):
        read_features([tmp_path / "all"], images, "mine")


def test_features_that_are_no_numbers_are_refused_with_an_image(tmp_path: Path) -> None:
    images = read(tmp_path, ROWS)
    for bad in (np.nan, np.inf):
        values = np.zeros((len(images), 2), np.float32)
        values[images.names == "muse/kite/1.png", 1] = bad
        write_features(tmp_path / "bad", list(images.names), values, {})
        with pytest.raises(SamplesError, match=r"features of 1 images, 'muse/kite/1\.png'"):
            read_features([tmp_path / "bad"], images)
