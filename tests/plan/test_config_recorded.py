"""What an unpacked set says of its images counts as a table of them does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.archives.archive import MARKER
from synthsight.archives.rows import RECORD, RECORD_SCHEMA
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.images.rows import KNOWN, digest_of_list, known_of, read_kept_rows, read_list
from synthsight.images.sources import read_sources
from synthsight.plan import specs
from tests.plan.test_config import answered_, error, images, load, workplace_, write
from tests.support import run_program

__all__ = ["answered_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("answered")

Said = tuple[str, str | None, str | None]

#: Two images of one prompt, one of another, and one of which the set says nothing.
SAID: list[Said] = [
    ("mj/pizza/a.png", "1", "a pizza"),
    ("mj/pizza/b.png", "2", "a large pizza"),
    ("sd/pizza/a.png", "1", "a pizza"),
    ("sd/rabbit/a.png", None, None),
]


@pytest.fixture(autouse=True)
def unpacked_(workplace_: None) -> None:
    images(*(image for image, *_ in SAID), root="made")
    record(SAID)


def record(rows: Iterable[Said], root: str = "made") -> None:
    names = ("image", "group", "prompt")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(found, RECORD_SCHEMA), Path(root, RECORD))


def of(keys: str = "", root: str = "made") -> Path:
    return write(images=f"images:\n  root: {root}\n{keys}")


def known(category: str, config: Path) -> dict[str, tuple[str | None, ...]]:
    """What jobs get to know of a category's images."""
    found = load(config)
    digests = read_list(Path("cache"), specs.find_sources(found)["rows"])
    assert specs.find_sources(found)["rows"] == digest_of_list(specs.known_rows(found))
    return known_of(read_kept_rows(Path("cache"), digests[category], KNOWN))


def test_groups_and_prompts_of_a_set_are_known_and_said() -> None:
    found = load(of())
    spec = specs.find_sources(found)
    assert spec.keys() == {"rows", "by"} and spec["by"] == f"the column 'group' of {RECORD}"
    (note,) = found.warnings
    assert note.startswith(f"made/{RECORD} says of images what group they are of")
    assert known("pizza", of()) == {image: (*row, None) for image, *row in SAID[:3]}
    assert known("rabbit", of()) == {"sd/rabbit/a.png": (None, None, None)}


def test_a_set_changes_no_manifest_and_without_groups_nothing_at_all() -> None:
    with_groups = load(of())
    record([(image, None, None) for image, *_ in SAID])
    silent = load(of())
    assert silent.warnings == () and specs.find_sources(silent) == {}
    Path("made", RECORD).unlink()
    without = load(of())
    assert without.warnings == () and specs.find_sources(without) == {}
    for found in (with_groups, silent):
        assert all(
            specs.index_images(found, name) == specs.index_images(without, name)
            for name in ("pizza", "rabbit")
        )


def test_prompts_tell_groups_where_no_group_is_given() -> None:
    record([(image, None, prompt) for image, _, prompt in SAID])
    found = load(of())
    assert specs.find_sources(found)["by"] == f"the column 'prompt' of {RECORD}"
    assert known("pizza", of())["sd/pizza/a.png"] == ("a pizza", "a pizza", None)


def test_a_pattern_takes_the_place_of_groups_and_prompts_stay() -> None:
    found = load(of("  group: (.).*"))
    assert specs.find_sources(found).keys() == {"group", "rows"}
    assert found.warnings[-1].endswith(
        "images.group takes their place: what the pattern captures tells which images belong "
        "together"
    )
    assert known("pizza", of("  group: (.).*"))["mj/pizza/b.png"][1] == "a large pizza"


def test_a_root_can_be_one_generator_s_folder_of_a_set_and_photographs_another() -> None:
    """Both are named by the one record in the folder above."""
    images("photos/pizza/p.png", root="made")
    record([*SAID, ("photos/pizza/p.png", "9", "shot")])
    config = of("  real: made/photos", root="made/mj")
    assert known("pizza", config) == {
        "pizza/a.png": ("1", "a pizza", None),
        "pizza/b.png": ("2", "a large pizza", None),
        "photos/pizza/p.png": ("9", "shot", None),
    }


def test_what_is_kept_of_a_set_is_made_again() -> None:
    first = specs.find_sources(load(of()))
    for path in Path("cache/tables").iterdir():
        path.unlink()
    assert specs.find_sources(load(of())) == first
    assert known("pizza", of()).keys() == {image for image, *_ in SAID[:3]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"PAR1 no more", f"made/{RECORD} is damaged"),
        ([*SAID, SAID[0]], "names 'mj/pizza/a.png' twice, so that it is damaged"),
    ],
)
def test_a_damaged_record_is_an_error(content: bytes | list[Said], expected: str) -> None:
    if isinstance(content, bytes):
        Path("made", RECORD).write_bytes(content)
    else:
        record(content)
    message = error(of())
    assert expected in message and "images.root" in message and "remove the file" in message


def test_a_record_of_another_set_and_one_that_is_gone_are_noted() -> None:
    record([("mj/boat/a.png", "1", None)])
    found = load(of())
    assert "names no image of the run's categories" in found.warnings[0]
    assert specs.find_sources(found) == {}
    Path("made", RECORD).unlink()
    about = {"set": {"columns": {"image": "image", "prompt": "text"}}}
    Path("made", MARKER).write_text(json.dumps(about))
    (note,) = load(of()).warnings
    assert note.startswith(f"made/{RECORD} is gone")


def test_images_that_a_set_does_not_name_are_groups_of_their_own_and_counted() -> None:
    spec = specs.find_sources(load(of()))
    names = [*(image for image, *_ in SAID[:3]), "mj/pizza/new.png", "mj/pizza/newer.png"]
    write_manifest(
        "pizza.parquet",
        [ImageRecord(image, "pizza", image[:2], "0" * 64, 8, 8, "ok", None) for image in names],
    )
    said = run_program(
        "find_sources",
        "--manifests",
        "pizza.parquet",
        "--spec",
        json.dumps(spec),
        "--kept",
        "cache",
        "--output",
        "sources.parquet",
    ).stdout
    assert f"5 images in 4 groups (the column 'group' of {RECORD})" in said
    assert "2 of 5 images have no text in the column 'group'" in said
    assert "2 of these are not named there at all" in said
    sources = read_sources("sources.parquet").to_pydict()
    groups = dict(zip(sources["image"], sources["group"], strict=True))
    assert groups["mj/pizza/a.png"] == groups["sd/pizza/a.png"] == "pizza//1"
    assert groups["mj/pizza/new.png"] == "mj/pizza/new.png"
    assert pq.read_table("sources.parquet")["prompt"][0].as_py() == "a pizza"
