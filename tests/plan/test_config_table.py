"""``images.table``: what a table may say, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.images.rows import KNOWN, read_kept_rows, read_list
from synthsight.images.table import MAX_CATEGORIES
from synthsight.plan import specs
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.experiment import Experiment
from tests.plan.test_config import answered_, error, images, load, workplace_, write

__all__ = ["answered_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("answered")

ROWS = """\
image,category,generator
mj/a.png,pizza,mj
mj/b.png,pizza,mj
sd/a.png,pizza,sd
mj/c.png,rabbit,mj
shop/1.jpg,rabbit,shop
"""


@pytest.fixture(autouse=True)
def pictures_(workplace_: None) -> None:
    images(*(f"{name}.png" for name in ("mj/a", "mj/b", "mj/c", "sd/a")), root="made")
    images("shop/1.jpg", "mj/Ä.png", root="made")


def of(text: str, keys: str = "", name: str = "images.csv", **parts: str) -> Path:
    Path(name).write_text(text, encoding="utf-8")
    return write(images=f"images:\n  root: made\n  table: {name}\n{keys}", **parts)


def refused(config: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(config)
    return str(caught.value)


def listed(found: Experiment) -> dict[str, tuple[int, set[str | None]]]:
    """Each category's number of images, and its generators."""
    return {
        name: (category.listing.images, category.generators)
        for name, category in found.categories.items()
    }


EXPECTED = {"pizza": (3, {"mj", "sd"}), "rabbit": (2, {"mj", "shop"})}


def test_a_table_takes_the_place_of_folders() -> None:
    found = load(of(ROWS))
    assert listed(found) == EXPECTED
    assert found.warnings == () and found.real == frozenset()
    assert found.generators == {"mj", "sd", "shop"}
    assert specs.find_sources(found) == {}
    spec = specs.index_images(found, "pizza")
    assert spec.keys() == {"root", "category", "rows", "max_pixels", "listing"}
    assert specs.report(found)["settings"]["images"]["table"] == "images.csv"


@pytest.mark.parametrize(
    "ending", ["tsv", "jsonl", "json", "parquet", "csv;", "csv bom", "csv wide"]
)
def test_every_format_says_the_same(ending: str) -> None:
    header, *lines = [line.split(",") for line in ROWS.splitlines()]
    rows = pa.table(dict(zip(header, map(list, zip(*lines, strict=True)), strict=True)))
    expected = specs.index_images(load(of(ROWS)), "pizza")
    name = f"other.{ending.rstrip(';').partition(' ')[0]}"
    if ending == "parquet":
        pq.write_table(rows, name)
    records = rows.to_pandas().to_json(orient="records", lines=ending == "jsonl")
    text = {
        "tsv": ROWS.replace(",", "\t"),
        "csv;": ROWS.replace(",", ";"),
        "csv bom": f"\ufeff{ROWS}",
        "csv wide": ROWS,
    }.get(ending, records)
    if ending != "parquet":
        Path(name).write_text(text, encoding="utf-16" if ending == "csv wide" else "utf-8")
    found = load(write(images=f"images: {{root: made, table: {name}}}"))
    assert listed(found) == EXPECTED
    assert specs.index_images(found, "pizza") == expected


def test_columns_can_have_other_names() -> None:
    text = ROWS.replace("image,category", "file,label")
    found = load(of(text, "  columns: {image: file, category: label}"))
    assert listed(found) == EXPECTED


def test_only_the_listed_categories_are_taken_and_the_others_noted() -> None:
    found = load(of(ROWS, categories="categories: [rabbit]"))
    assert list(found.categories) == ["rabbit"]
    (note,) = found.warnings
    assert note.startswith("images.csv: 3 rows of other categories than `categories` lists")


@pytest.mark.parametrize("written", ["yes", "TRUE", "1", "t"])
def test_a_column_tells_real_photographs(written: str) -> None:
    text = ROWS.replace("generator\n", "generator,real\n").replace(",mj\n", ",mj,no\n")
    text = text.replace(",sd\n", ",sd,\n").replace(",shop\n", f",shop,{written}\n")
    found = load(of(text))
    assert found.real == {"shop"}
    assert specs.find_sources(found) == {"real": ["shop"]}


def test_real_photographs_need_no_generator_s_name() -> None:
    found = load(of("image,category,real\nmj/a.png,pizza,0\nshop/1.jpg,pizza,1\n"))
    assert found.real == {"real"}
    assert listed(found) == {"pizza": (2, {None, "real"})}
    assert found.warnings == (
        "images.csv: 1 real photographs without a generator's name are called 'real'",
    )


def test_prompts_tell_groups_where_nothing_else_does() -> None:
    text = "image,category,prompt\nmj/a.png,pizza,one\nmj/b.png,pizza,one\n"
    found = load(of(text))
    assert specs.find_sources(found)["by"] == "the column 'prompt' of images.table"
    assert any("images of one prompt in one category count" in note for note in found.warnings)
    other = load(of(text, r"  group: (.*)\w"))
    assert "by" not in specs.find_sources(other) and other.warnings == ()


def test_a_changed_group_changes_the_sources_and_no_manifest() -> None:
    text = "image,category,group\nmj/a.png,pizza,one\nmj/b.png,pizza,one\n"
    first, second = load(of(text)), load(of(text.replace("b.png,pizza,one", "b.png,pizza,two")))
    assert specs.find_sources(first) != specs.find_sources(second)
    assert specs.index_images(first, "pizza") == specs.index_images(second, "pizza")


def test_a_changed_row_changes_its_category_alone() -> None:
    first, second = load(of(ROWS)), load(of(ROWS.replace("rabbit,mj", "rabbit,sd")))
    assert specs.index_images(first, "pizza") == specs.index_images(second, "pizza")
    assert specs.index_images(first, "rabbit") != specs.index_images(second, "rabbit")


def test_a_split_is_taken() -> None:
    text = "image,category,split\nmj/a.png,pizza,train\nmj/b.png,pizza,test\nmj/c.png,rabbit,test\n"
    found = load(of(text, "  split: test"))
    assert listed(found) == {"pizza": (1, {None}), "rabbit": (1, {None})}
    assert found.warnings == ()
    (note,) = load(of(text)).warnings
    assert "images of all are used (2 'test', 1 'train'): images.split takes one" in note
    message = error(of(text, "  split: tests"))
    assert (
        "line 5, images.split: images.csv has no row of the split 'tests'; did you mean" in message
    )


def test_what_is_written_otherwise_is_found_and_noted() -> None:
    text = "image,category\nmade\\mj\\A.png,pizza\n./mj/b.png,pizza\nmj/A\u0308.png,rabbit\n"
    found = load(of(text))
    assert listed(found) == {"pizza": (2, {None}), "rabbit": (1, {None})}
    (note,) = found.warnings
    assert note.startswith("images.csv: 2 images are written otherwise than their files are called")


def test_rows_that_say_the_same_count_once() -> None:
    found = load(of(f"{ROWS}sd/a.png,pizza,sd\n./sd/a.png,pizza,sd\n"))
    assert listed(found) == EXPECTED
    (note,) = found.warnings
    assert "2 rows say again what an earlier one does, and count once, the first: line 7" in note
    assert load(of(f"{ROWS}sd/a.png,pizza,sd\n./sd/a.png,pizza,sd\n")).warnings == (note,)


def test_a_few_missing_files_are_left_out_and_looked_for_at_each_start() -> None:
    text = f"{ROWS}mj/d.png,pizza,mj\n"
    for _ in range(2):
        found = load(of(text))
        assert found.categories["pizza"].listing.files == 4
        assert listed(found) == EXPECTED
        (note,) = found.warnings
        assert "images.csv: 1 of 6 images are left out" in note
        assert "line 7: 'mj/d.png': no such image below made; close: mj/" in note
    images("mj/d.png", root="made")
    assert listed(load(of(text)))["pizza"] == (4, {"mj", "sd"})


def test_a_file_that_is_removed_is_missing_at_the_next_start() -> None:
    first = load(of(ROWS))
    os.remove("made/mj/a.png")
    second = load(of(ROWS))
    assert second.categories["pizza"].listing.images == 2
    assert specs.index_images(first, "pizza") != specs.index_images(second, "pizza")
    assert specs.index_images(first, "rabbit") == specs.index_images(second, "rabbit")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,label\nmj/a.png,pizza\n", "images.csv has no column 'category'. It has: image"),
        ("image,Category\nmj/a.png,pizza\n", "no column 'category'; did you mean 'Category'?"),
        (ROWS.replace("generator", "Generator"), "has a column 'Generator'; did you mean"),
        ("image,category\n", "images.csv has no rows"),
        ("", "images.csv is empty; its first line must name the columns"),
        (f"{ROWS},pizza,mj\n", "line 7: no image"),
        (f"{ROWS}mj/a.png,,mj\n", "line 7: no category"),
        (f"{ROWS}mj/a.png,pizza\n", "line 7: 2 values, but the header has 3"),
        ("image,category,real\nmj/a.png,pizza,maybe\n", "real must be yes or no (or true/false"),
        (f"{ROWS}mj/c.png,pizza,mj\n", "'mj/c.png' is 'rabbit' on line 5 and 'pizza' on line 7"),
        (f"{ROWS}mj/c.png,rabbit,sd\n", "'mj/c.png' is on line 5 and on line 7, with another gene"),
        (f"{ROWS}mj/d.png,vase,mj\n", "all of 'vase' among them"),
        (f"{ROWS}mj/b.png,Pizza,mj\n", "'pizza' (line 2) differ only in how the name is written"),
        (f"{ROWS}mj/b.png,pizza,MJ\n", "generators 'MJ' (line 7) and 'mj' (line 2) differ only"),
        (f"{ROWS}mj/b.png,a/b,mj\n", "line 7: the category 'a/b' cannot be used as a name"),
        (f"{ROWS}mj/b.png,pizza,*\n", "line 7: the generator '*' is reserved"),
        (f"{ROWS}mj/b.png,***,mj\n", "line 7: the category '***' has no word in its name"),
        (
            "image,category,generator,real\nmj/a.png,pizza,mj,1\nmj/b.png,pizza,mj,0\n",
            "generator 'mj' has real photographs (line 2) and generated images (line 3)",
        ),
        ("image,category,real\nmj/a.png,pizza,1\n", "every image of images.csv is a real photo"),
    ],
)
def test_a_table_that_cannot_be_used_is_explained(text: str, expected: str) -> None:
    message = refused(of(text))
    assert "line 4, images.table: " in message
    assert expected in message


def test_most_files_missing_is_an_error_with_lines() -> None:
    message = refused(of(ROWS.replace("mj/", "wrong/")))
    assert "3 of the 5 images of images.csv cannot be used" in message
    assert "line 2: 'wrong/a.png': no such image below made" in message
    assert "Paths start at images.root, 'made'" in message


def test_of_many_wrong_rows_the_first_are_listed() -> None:
    message = refused(of(ROWS + ",pizza,mj\n" * 30))
    assert "30 rows of images.csv are wrong" in message
    assert "line 26: no image" in message and "line 27: no image" not in message
    assert "... and 10 more" in message


def test_a_column_of_names_is_not_taken_for_categories() -> None:
    lines = "".join(f"mj/a.png,word{number}\n" for number in range(MAX_CATEGORIES + 1))
    message = error(of(f"image,category\n{lines}"))
    assert "more than 30,000 categories; does the column 'category' say what the images" in message


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("  real: mj", "line 5, images.real: images.csv has a column 'real'"),
        ("  group: (.)", "line 5, images.group: images.csv has a column 'group'"),
        ("  columns: {grup: x}", "line 5, images.columns.grup: unknown key; did you mean 'group'"),
        ("  columns: {real: photo}", "images.csv has no column 'photo'"),
        ("  split: test", "images.csv has no column 'split'"),
    ],
)
def test_keys_that_do_not_fit_the_table_are_explained(keys: str, expected: str) -> None:
    text = "image,category,group,real\nmj/a.png,pizza,1,\nshop/1.jpg,pizza,,1\n"
    assert expected in refused(of(text, keys))


@pytest.mark.parametrize("keys", ["split: test", "columns: {image: file}"])
def test_keys_of_a_table_need_one(keys: str) -> None:
    message = error(write(images=f"images:\n  root: images\n  {keys}"))
    assert "there is no table that it could be about: name one under images.table" in message


def test_a_table_that_is_not_there_is_explained() -> None:
    Path("pictures.csv").write_text(ROWS)
    message = error(write(images="images:\n  root: made\n  table: picture.csv"))
    assert "images.table: no file 'picture.csv'" in message and "'pictures.csv'" in message
    message = error(write(images="images:\n  root: made\n  table: ~/pictures.csv"))
    assert "images.table: '~/pictures.csv': `~` is not expanded here" in message


def test_a_listed_category_without_rows_is_explained() -> None:
    message = error(of(ROWS, categories="categories: [pizza, rabit]"))
    assert "categories[1]: no row of 'rabit' in images.csv; did you mean 'rabbit'?" in message


def test_a_table_among_images_without_folders_is_named() -> None:
    images("a.png", root="flat")
    Path("flat/metadata.csv").write_text(ROWS)
    message = error(write(images="images: {root: flat}"))
    assert "If 'metadata.csv' says what images show, name it under images.table" in message


def test_a_table_may_come_with_an_archive() -> None:
    with zipfile.ZipFile("set.zip", "w") as file:
        file.writestr("images.csv", ROWS)
    keys = "  root: new\n  archive: {url: set.zip}\n  table: "
    found = load(write(images=f"images:\n{keys}new/images.csv"))
    assert found.pending and found.categories == {}
    message = error(write(images=f"images:\n{keys}images.csv"))
    assert "line 5, images.table: no file 'images.csv'" in message


def test_real_can_name_generators_of_a_table() -> None:
    assert load(of(ROWS, "  real: shop")).real == {"shop"}
    message = error(of(ROWS, "  real: foto"))
    assert "no image of the run's categories in images.csv has the generator 'foto'" in message


def test_a_table_names_photographs_and_no_path_to_them_does() -> None:
    for entry in ("./shop", "../shop"):
        message = error(of(ROWS, f"  real: [{entry}]"))
        assert f"images.real[0]: '{entry}' is a path: with images.table, write" in message


def test_a_generator_of_a_table_that_is_called_like_photographs_is_noted() -> None:
    text = ROWS.replace(",shop\n", ",photos\n")
    (note,) = load(of(text)).warnings
    assert note.startswith("'photos' in 'images.csv': taken for generated images")
    assert load(of(text, "  real: photos")).warnings == load(of(ROWS, "  real: shop")).warnings
    told = text.replace("generator\n", "generator,real\n").replace(",photos\n", ",photos,no\n")
    assert load(of(told.replace(",mj\n", ",mj,\n").replace(",sd\n", ",sd,\n"))).warnings == ()


def test_a_pattern_sees_paths_below_the_folder_of_the_category_or_the_root() -> None:
    found = load(of(ROWS, "  group: mj/(.)"))
    assert specs.find_sources(found) == {"group": "mj/(.)", "table": True}
    images("sd/pizza/x_1.png", root="made")
    load(of(f"{ROWS}sd/pizza/x_1.png,pizza,sd\n", r"  group: (x)_\d"))


SYNSETS = """\
image,category,generator,prompt
mj/a.png,n02129165,mj,one
mj/b.png,n02129165,mj,one
sd/a.png,"tiger, Panthera tigris",sd,two
shop/1.jpg,rabbit,shop,three
"""


@pytest.mark.parametrize("wanted", ["", "[lion, tiger, rabbit]", "[n02129165, tiger, rabbit]"])
def test_categories_called_as_imagenet_calls_its_classes_are_these(wanted: str) -> None:
    """As folders are: jobs know them by the names of the classes."""
    found = load(of(SYNSETS, categories=wanted and f"categories: {wanted}"))
    assert list(found.categories) == ["lion", "rabbit", "tiger"]
    assert found.categories["lion"].target.classes == ("n02129165",)
    notes = [note for note in found.warnings if "taken for these classes" in note]
    assert [note.split(" are taken")[0] for note in notes] == [
        "images.csv: categories called by WordNet synsets",
        "images.csv: categories called by several of ImageNet's names of a class",
    ]
    digests = read_list(Path("cache"), specs.find_sources(found)["rows"])
    rows = read_kept_rows(Path("cache"), digests["lion"], KNOWN)
    assert rows["group"].to_pylist() == ["one", "one"]


def test_numbers_of_imagenet_s_classes_are_categories_unless_they_count_from_zero() -> None:
    text = "image,category\nmj/a.png,291\nmj/b.png,292\n"
    assert list(load(of(text)).categories) == ["lion", "tiger"]
    message = refused(of("image,category\nmj/a.png,0\nmj/b.png,1\n"))
    assert "category '0' can never be hit" in message


def test_two_names_of_one_class_are_refused_with_their_lines() -> None:
    message = refused(of(SYNSETS.replace("rabbit", "lion")))
    assert "'lion' (line 5)" in message and "'n02129165' (line 2)" in message
    assert "would both be 'lion'" in message
