"""A division of the images as folders of links."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthsight.features import export_split as module
from synthsight.features.export_split import ExportError, export_split, folder_names
from synthsight.features.folds import folds_of
from synthsight.features.samples import Images
from synthsight.images.roots import Roots
from tests.support import draw_image

NAMES = [
    f"{source}/{category}/{number:02d}.png"
    for source in ("craie", "photo", "poster")
    for category in ("bagel", "clock", "toilet seat")
    for number in range(6)
]


def images_of(names: list[str], real: str = "photo") -> Images:
    """Images whose sources and categories are their folders, in the order of their names."""
    names = sorted(names)
    parts = [name.split("/") for name in names]
    generators = tuple(sorted({part[0] for part in parts}))
    categories = tuple(sorted({part[1] for part in parts}))
    return Images(
        np.array(names, dtype=object),
        categories,
        np.array([categories.index(part[1]) for part in parts]),
        generators,
        np.array([generators.index(part[0]) for part in parts]),
        np.array([part[0] == real for part in parts]),
        np.arange(len(names)),
    )


def lay_out(folder: Path, names: list[str], real: str = "photo") -> Images:
    """The same, with a small picture of each below ``folder``."""
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw_image(folder / name, seed, (8, 8))
    return images_of(names, real)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_source_is_laid_out_and_the_first_part_is_for_testing() -> None:
    images = lay_out(Path("images"), NAMES)
    table, said = export_split(images, Roots(Path("images")), 3, 0, Path("split"))
    assert said == []
    test = dict(zip(images.names, folds_of(images, 3, 0) == 0, strict=True))
    for row in table.itertuples():
        assert row.side == ("test" if test[row.image] else "train")
        folder = {"*": "generated"}.get(row.source, row.source)
        assert row.link == f"{row.side}/{folder}/{row.category}/{row.image.split('/')[-1]}" or (
            row.source == "*"
        )
        link = Path("split") / row.link
        assert link.is_symlink() and not os.path.isabs(os.readlink(link))
        assert link.resolve() == (Path("images") / row.image).resolve()
    assert len(table) == 54 + 36
    links = [path for path in Path("split").rglob("*") if path.is_symlink()]
    assert len(links) == len(table), "no link besides"
    assert Path("split/classes.txt").read_text() == "bagel\nclock\ntoilet seat\n"
    pd.testing.assert_frame_equal(pd.read_csv("split/split.csv"), table, check_dtype=False)


def test_links_still_lead_to_the_images_when_both_are_moved(tmp_path: Path) -> None:
    images = lay_out(Path("project/images"), NAMES)
    os.chdir("project")
    table, _ = export_split(images, Roots(Path("images")), 3, 0, Path("results/run/split"))
    os.chdir(tmp_path)
    Path("project").rename("moved")
    assert all((Path("moved/results/run/split") / link).is_file() for link in table["link"])


def test_images_that_lie_elsewhere_are_linked_to_by_their_full_path(tmp_path: Path) -> None:
    images = lay_out(tmp_path / "data", NAMES)
    (tmp_path / "data/photo").rename(tmp_path / "photographs")
    Path("project").mkdir()
    os.chdir("project")
    roots = Roots(tmp_path / "data", {"photo": tmp_path / "photographs"})
    table, _ = export_split(images, roots, 3, 0, Path("split"))
    for row in table.itertuples():
        target = os.readlink(Path("split") / row.link)
        assert target == str(roots.path(row.image)) and os.path.isfile(target)


def test_units_are_on_one_side_and_stale_links_are_gone() -> None:
    images = lay_out(Path("images"), NAMES)
    unit = np.arange(len(images)) // 3 * 3
    table, _ = export_split(replace(images, unit=unit), Roots(Path("images")), 2, 0, Path("split"))
    assert not set(table["unit"][table["side"] == "test"]) & set(
        table["unit"][table["side"] == "train"]
    )
    fewer = images_of(NAMES[2:])
    table, _ = export_split(fewer, Roots(Path("images")), 2, 0, Path("split"))
    links = {str(p.relative_to("split")) for p in Path("split").rglob("*") if p.is_symlink()}
    assert links == set(table["link"])
    assert sorted(p.name for p in Path().iterdir()) == ["images", "split"], "nothing is left over"


def test_names_are_unique_and_end_as_timm_looks_for() -> None:
    names = [
        "a/bagel/x/1.png",
        "a/bagel/x_1.png",
        "a/bagel/X_1.PNG",
        "a/bagel/2.webp",
        "a/bagel/3",
        "a/bagel/4.JPEG",
        f"a/bagel/{'y' * 120}/{'z' * 120}.png",
    ]
    table = module._table(images_of(names), np.zeros(7, bool))
    names_of_links = [link.split("/")[-1] for link in table["link"]]
    assert {"2.webp.png", "3.png", "4.JPEG"} <= set(names_of_links)
    assert len({name.casefold() for name in names_of_links}) == 7
    assert all(name.lower().endswith((".png", ".jpg", ".jpeg")) for name in names_of_links)
    assert max(map(len, names_of_links)) < 210


def test_all_generated_images_are_called_by_their_generators_too() -> None:
    table = module._table(images_of(["a/x/1.png", "b/x/1.png", "photo/x/1.png"]), np.zeros(3, bool))
    links = {row.image: row.link for row in table[table["source"] == "*"].itertuples()}
    assert links == {
        "a/x/1.png": "train/generated/x/a_1.png",
        "b/x/1.png": "train/generated/x/b_1.png",
    }


def test_names_of_sources_are_safe_and_distinct() -> None:
    assert folder_names(["*", "Generated", "a[1]", "a_1_", "flux", "FLUX"]) == {
        "*": "generated_",
        "Generated": "Generated",
        "FLUX": "FLUX",
        "flux": "flux_",
        "a[1]": "a_1_",
        "a_1_": "a_1__",
    }
    composed, apart = "\u00e9", "e\u0301"
    assert set(folder_names(["A", "a", composed, apart]).values()) == {
        *("A", "a_", apart, f"{composed}_"),
    }


@pytest.mark.parametrize(
    "source", ["stabilityai/sdxl", "..", "../..", "/root", ".", "-x", "a\nb", "x" * 300, "\x00"]
)
def test_whatever_a_source_is_called_its_links_are_in_one_folder(source: str) -> None:
    """As a table of images may call it."""
    images = lay_out(Path("images"), NAMES)
    called = replace(images, generators=(source, *images.generators[1:]))
    table, _ = export_split(called, Roots(Path("images")), 3, 0, Path("split"))
    links = table["link"][table["source"] == source]
    assert len(links) == 18
    (folder,) = {link.split("/")[1] for link in links}
    assert len(folder) <= 100 and not folder.startswith((".", "-"))
    assert {len(link.split("/")) for link in links} == {4}
    assert all((Path("split") / link).is_file() for link in table["link"])
    assert sorted(os.listdir()) == ["images", "split"]


def test_what_is_no_folder_makes_way(tmp_path: Path) -> None:
    images = lay_out(Path("images"), NAMES)
    Path("elsewhere/deep").mkdir(parents=True)
    Path("split").symlink_to("elsewhere/deep")
    for _ in range(2):
        table, _ = export_split(images, Roots(Path("images")), 3, 0, Path("split"))
        assert Path("split").is_dir() and not Path("split").is_symlink()
        assert all((Path("split") / link).is_file() for link in table["link"])
        assert os.listdir("elsewhere/deep") == []


def test_a_side_that_lacks_a_category_has_its_folder_and_is_named() -> None:
    images = lay_out(Path("images"), [*NAMES[:12], "photo/bagel/1.png"])
    _, said = export_split(images, Roots(Path("images")), 3, 0, Path("split"))
    assert sorted(each.split("/")[1] for each in said) == [
        "photo has no image of 1 of 2 categories: 'clock'",
        "photo has no image of 2 of 2 categories: 'bagel', 'clock'",
    ]
    for side in ("train", "test"):
        assert (Path("split") / side / "photo" / "clock").is_dir()


def test_an_image_that_has_gone_is_named_and_nothing_is_written() -> None:
    images = lay_out(Path("images"), NAMES)
    Path("images", NAMES[3]).unlink()
    with pytest.raises(
        ExportError, match=r"craie/bagel/03\.png has gone since its folder was read"
    ):
        export_split(images, Roots(Path("images")), 3, 0, Path("split"))
    assert [path.name for path in Path().iterdir()] == ["images"]


def test_a_file_system_without_links_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    images = lay_out(Path("images"), NAMES)

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.raises(ExportError, match="a file system without symbolic links: put the results"):
        export_split(images, Roots(Path("images")), 3, 0, Path("split"))


@pytest.mark.long
def test_timm_reads_the_folders_with_the_same_classes_on_both_sides() -> None:
    """As its ``train.py`` does: ``--train-split train/craie --val-split test/photo``."""
    from timm.data import create_dataset

    lacking = [name for name in NAMES if not name.startswith("craie/bagel")]
    images = lay_out(Path("images"), lacking)
    table, _ = export_split(images, Roots(Path("images")), 3, 0, Path("split"))
    for split in ("train/craie", "test/photo", "train/generated"):
        data = create_dataset("", root="split", split=split, class_map="split/classes.txt")
        rows = table[table["link"].str.startswith(f"{split}/")]
        assert len(data) == len(rows) > 0
        assert data.reader.class_to_idx == {"bagel": 0, "clock": 1, "toilet seat": 2}
        classes = {Path(path).parent.name: number for path, number in data.reader.samples}
        assert all(data.reader.class_to_idx[name] == number for name, number in classes.items())
        picture, _ = data[0]
        assert picture.size == (8, 8)
