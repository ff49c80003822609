"""Hugging Face Parquet and WebDatasets become folders of images, whatever they hold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthsight.archives import fetch as fetch_module
from synthsight.archives import rows as rows_module
from synthsight.archives import unpack as unpack_module
from synthsight.archives.archive import MARKER, Archive, ArchiveError, sum_of
from synthsight.archives.fetch import fetch_images
from synthsight.archives.rows import RECORD
from synthsight.images.layout import find_categories
from synthsight.images.manifest import index_images
from tests.archives.sets import IMAGE, class_label, parquet, webdataset
from tests.loopback_files import serve
from tests.support import REPOSITORY, Project

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"

#: The plainest set: an image and the number of its class.
TYPES = {"image": IMAGE, "label": pa.int64()}
FEATURES = {"image": {"_type": "Image"}, "label": class_label("cat", "hot dog")}

DEMO = REPOSITORY / "resources" / "demo" / "images"


def picture(content: bytes | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": content, "path": path}


def fetch(url: str | Path | list[Path], root: Path, **reading: Any) -> str:
    said: list[str] = []
    urls = tuple(map(str, url)) if isinstance(url, list) else str(url)
    fetch_images(Archive(urls, None, root, reading), said.append)
    return "\n".join(said)


def failure(url: str | Path | list[Path], root: Path, **reading: Any) -> str:
    with pytest.raises(ArchiveError) as caught:
        fetch(url, root, **reading)
    assert not root.exists()
    return str(caught.value)


def found(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in (MARKER, RECORD)
    }


def record(root: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(root / RECORD).to_pylist()
    return rows


def note(root: Path) -> dict[str, Any]:
    marker: dict[str, Any] = json.loads((root / MARKER).read_text())
    return marker


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def simple(
    path: Path, rows: list[tuple[bytes | None, str | None, int | None]], **more: Any
) -> Path:
    """A set of images with a name and the number of a class each."""
    content = [{"image": picture(data, name), "label": label} for data, name, label in rows]
    return parquet(path, content, TYPES, FEATURES, **more)


# Round trips -------------------------------------------------------------------------------------


def manifests(root: Path) -> list[tuple[Any, ...]]:
    """What is known of all images below a root, except what their files are called."""
    return sorted(
        (each.category, each.generator, each.sha256, each.width, each.height, each.status)
        for category, folders in find_categories(root, None).layout.items()
        for each in index_images(root, category, folders, 10**8)
    )


def demo() -> list[Path]:
    files = sorted(DEMO.glob("*/*/*.*"))
    assert len({file.parent.parent.name for file in files}) == 3
    return files


@pytest.mark.long
def test_the_demo_s_images_are_the_same_from_parquet_in_several_files(
    root: Path, tmp_path: Path
) -> None:
    names = sorted({file.parent.name for file in demo()})
    rows = [
        {
            "image": picture(file.read_bytes(), file.name),
            "label": names.index(file.parent.name),
            "generator": file.parent.parent.name,
        }
        for file in demo()
    ]
    features = {"image": {"_type": "Image"}, "label": class_label(*names)}
    types = {**TYPES, "generator": pa.string()}
    half = len(rows) // 2
    folder = tmp_path / "set"
    for index, part in enumerate((rows[:half], rows[half:])):
        name = f"data/train-0000{index}-of-00002.parquet"
        parquet(folder / name, part, types, features, row_group_size=50)
    (folder / "README.md").write_text("about it")
    said = fetch(folder, root)
    assert found(root) == {file.relative_to(DEMO).as_posix(): file.read_bytes() for file in demo()}
    assert manifests(root) == manifests(DEMO)
    assert f"Parquet: {len(rows)} rows, {len(names)} categories; image from 'image', " in said
    assert [part["bytes"] > 0 for part in note(root)["parts"]] == [True, True]
    assert note(root)["set"]["labels"] == "the schema's ClassLabel"


@pytest.mark.long
def test_the_demo_s_images_are_the_same_from_a_webdataset(root: Path, tmp_path: Path) -> None:
    names = sorted({file.parent.name for file in demo()})
    members: list[tuple[str, Any]] = [("classnames.txt", "\n".join(names) + "\n")]
    for index, file in enumerate(demo()):
        about = {"generator": file.parent.parent.name, "prompt": "unused"}
        members += [
            (f"{index:06}.cls", str(names.index(file.parent.name))),
            (f"{index:06}.json", json.dumps(about)),
            (f"{index:06}{file.suffix}", file.read_bytes()),
            (f"{index:06}.txt", f"a {file.parent.name}"),
        ]
    fetch(webdataset(tmp_path / "0.tar.gz", members, "w:gz"), root)
    assert manifests(root) == manifests(DEMO)
    first = record(root)[0]
    assert (first["category"], first["prompt"]) == ("bagel", "a bagel")
    assert first["image"] == f"{first['generator']}/bagel/000000.jpg"
    assert len(record(root)) == len(demo())


# Parquet: columns --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "features", "row"),
    [
        ({"image": pa.binary(), "label": pa.string()}, None, {"image": PNG, "label": "cat"}),
        ({"pic": pa.large_binary(), "class": pa.string()}, None, {"pic": PNG, "class": "cat"}),
        (
            {"data": pa.struct([("image", IMAGE), ("label", pa.int8())])},
            {"data": {"image": {"_type": "Image"}, "label": class_label("cat")}},
            {"data": {"image": picture(PNG), "label": 0}},
        ),
        (
            {"image": IMAGE, "animal": pa.int64(), "note": pa.binary()},
            {"image": {"_type": "Image"}, "animal": class_label("dog", "cat")},
            {"image": picture(PNG), "animal": 1, "note": b"x"},
        ),
    ],
    ids=["binary", "large binary", "nested", "by its feature"],
)
def test_columns_are_found_where_they_can_be_no_other(
    root: Path,
    types: Mapping[str, pa.DataType],
    features: Mapping[str, Any] | None,
    row: dict[str, Any],
) -> None:
    fetch(parquet(root.parent / "a.parquet", [row], types, features), root)
    assert found(root) == {f"cat/{hashlib.sha256(PNG).hexdigest()[:16]}.png": PNG}


def test_columns_can_be_named_also_within_others_and_are_recorded(root: Path) -> None:
    types = {
        "a": pa.binary(),
        "b": pa.binary(),
        "about": pa.struct([("what", pa.string()), ("who", pa.int64()), ("seed", pa.int64())]),
        "asked": pa.string(),
    }
    about = {"what": "cat", "who": 1, "seed": 7}
    row = {"a": JPEG, "b": PNG, "about": about, "asked": "a cat\n"}
    features = {"about": {"who": class_label("dalle", "muse")}}
    path = parquet(root.parent / "a.parquet", [row], types, features)
    columns = {
        "image": "b",
        "category": "about.what",
        "generator": "about.who",
        "group": "about.seed",
        "prompt": "asked",
    }
    fetch(path, root, columns=columns)
    (image,) = found(root)
    assert image.startswith("muse/cat/")
    assert record(root) == [
        {
            **{"image": image, "category": "cat", "generator": "muse", "group": "7"},
            **{"prompt": "a cat", "file": "a.parquet", "row": "row 1"},
        }
    ]
    archive = Archive(str(path), None, root, {"columns": columns})
    assert archive.is_unpacked()
    other = Archive(str(path), None, root, {"columns": {**columns, "image": "a"}})
    assert not other.is_unpacked(), "it is to be read in another way"


@pytest.mark.parametrize(
    ("types", "features", "columns", "said"),
    [
        (
            {"a": pa.binary(), "b": pa.binary(), "label": pa.string()},
            None,
            {},
            "several columns that can be the image: 'a', 'b'. Write which in "
            "images.archive.columns: {image: a}",
        ),
        (
            {"image": IMAGE, "label": pa.string(), "class": pa.string()},
            None,
            {},
            "several columns that can be the category: 'label', 'class'",
        ),
        ({"image": IMAGE, "kind": pa.string()}, None, {}, "Write which says what an image shows"),
        ({"image": pa.string(), "label": pa.string()}, None, {}, "no column with the bytes of"),
        ({"image": IMAGE, "label": pa.int64()}, None, {}, "images.archive.labels: imagenet-1k, if"),
        (
            {"image": IMAGE, "label": pa.list_(pa.int64())},
            None,
            {},
            "holds list<element: int64>, which cannot be the category",
        ),
        (TYPES, FEATURES, {"prompt": "txt"}, "has no column 'txt' (images.archive.columns.prompt)"),
        (
            TYPES,
            {"label": class_label("crane", "cat", "crane")},
            {},
            "calls 'crane' several classes",
        ),
        (TYPES, {"label": {"_type": "ClassLabel", "names": [1]}}, {}, "are not texts"),
    ],
)
def test_what_is_not_clear_is_an_error_that_says_what_to_write(
    root: Path,
    types: Mapping[str, pa.DataType],
    features: Mapping[str, Any] | None,
    columns: dict[str, str],
    said: str,
) -> None:
    path = parquet(root.parent / "a.parquet", [], types, features)
    assert said in failure(path, root, **({"columns": columns} if columns else {}))


def test_classes_without_names_are_named_by_the_configuration(root: Path) -> None:
    path = parquet(root.parent / "a.parquet", [{"image": picture(PNG, "1"), "label": 291}], TYPES)
    fetch(path, root, labels="imagenet-1k")
    assert list(found(root)) == ["n02129165/1.png"]
    labels = root.parent / "labels.txt"
    labels.write_text("\n".join(f"thing {n}, more" for n in range(300)))
    fetch(path, root, labels=str(labels))
    assert list(found(root)) == ["thing 291/1.png"]


def test_imagenet_s_own_names_two_of_which_are_the_same_are_its_synsets(root: Path) -> None:
    names = [", ".join(lemmas) for lemmas in rows_module.load_labels("imagenet-1k").lemmas]
    assert names[134] == names[517] == "crane"
    features = {"label": class_label(*names)}
    rows = [{"image": picture(PNG, "1.png"), "label": label} for label in (134, 517)]
    fetch(parquet(root.parent / "a.parquet", rows, TYPES, features), root)
    assert set(found(root)) == {"n02012849/1.png", "n03126707/1.png"}


def test_columns_that_no_number_needs_are_no_reason_to_refuse_a_set(root: Path) -> None:
    types = {
        **TYPES,
        **{"caption": pa.string(), "prompt": pa.string(), "text": pa.list_(pa.string())},
        "group": pa.float64(),
    }
    row = {"image": picture(PNG, "1"), "label": 0, "caption": "seen", "prompt": "asked"}
    path = parquet(root.parent / "a.parquet", [row], types, FEATURES)
    fetch(path, root)
    assert (record(root)[0]["prompt"], record(root)[0]["group"]) == ("asked", None)
    shutil.rmtree(root)
    said = failure(path, root, columns={"group": "group"})
    assert "the column 'group' of a.parquet holds double, which cannot be the group" in said


# Parquet: rows -----------------------------------------------------------------------------------


def test_rows_without_an_image_or_a_category_are_left_out_with_the_reason(root: Path) -> None:
    rows = [
        (PNG, "1.png", 0),
        (None, "/data/cats/2.png", 0),
        (None, None, 0),
        (b"", "4.png", 0),
        (PNG, "5.png", -1),
        (PNG, "6.png", None),
        (PNG, "7.png", 2),
    ]
    said = fetch(simple(root.parent / "a.parquet", rows), root)
    assert found(root) == {"cat/1.png": PNG}
    reasons = [
        "row 2: only the path '/data/cats/2.png' of a file elsewhere is in the set, no image",
        "row 3: it has no image",
        "row 4: it has no image",
        "row 5: no class has the number -1",
        "row 6: it has no category",
        "row 7: no class has the number 2",
    ]
    assert note(root)["left_out_first"] == [f"a.parquet, {reason}" for reason in reasons]
    for reason in reasons:
        assert f"left out: a.parquet, {reason}" in said


def test_a_set_of_links_only_says_that_it_holds_no_image(root: Path) -> None:
    path = simple(root.parent / "a.parquet", [(None, "2.png", 0)])
    assert "no image is in it (a.parquet, row 1: only the path '2.png'" in failure(path, root)


def test_names_of_files_and_categories_are_single_parts_of_paths(root: Path) -> None:
    names = ["../../x.png", "/etc/passwd", "a\\..\\b.png", ".hidden", "..", "x" * 400, "\x1b[2J\n"]
    categories = ["cat"] * len(names) + ["../dog", "/etc", ".", "..", "", " ", "a\0b", "é" * 90]
    rows = [
        {"image": picture(PNG + bytes([index]), name), "label": category}
        for index, (name, category) in enumerate(
            zip(names + ["ok.png"] * 8, categories, strict=True)
        )
    ]
    fetch(parquet(root.parent / "a.parquet", rows, {"image": IMAGE, "label": pa.string()}), root)
    files = found(root)
    assert sorted(os.listdir(root.parent)) == ["a.parquet", "images"]
    assert [entry for entry in os.listdir(root) if entry not in (MARKER, RECORD)] == ["cat"]
    assert len(files) == len(names), "all of the images, none in the place of another"
    assert {len(Path(file).parts) for file in files} == {2}
    assert {"cat/x.png", "cat/passwd.png", "cat/b.png"} < set(files)
    assert all(name.isprintable() and not Path(name).name.startswith(".") for name in files)
    assert note(root)["left_out"] == 8


def test_rows_of_one_name_are_told_apart(root: Path) -> None:
    rows = [(PNG + b"1", "a.png", 0), (PNG + b"2", "x/a.jpg", 0), (PNG + b"2", "a.png", 0)]
    rows += [(PNG, "a.png", 1), (PNG, "a~3.png", 1), (PNG, "a.png", 1)]
    files = [simple(root.parent / "set" / name, rows) for name in ("a.parquet", "b.parquet")]
    fetch(files[0].parent, root)
    assert len(found(root)) == len(record(root)) == 2 * len(rows)
    first = {"cat/a.png": PNG + b"1", "cat/a~2.png": PNG + b"2", "cat/a~3.png": PNG + b"2"}
    assert first.items() <= found(root).items()
    assert found(root)["cat/a~7.png"] == PNG + b"1", "the first row of the second file"


def test_the_ending_is_that_of_the_content_and_what_is_no_image_is_the_manifest_s(
    root: Path,
) -> None:
    rows = [(JPEG, "a.png", 0), (b"<html>", "b.png", 0), (b"GIF89a", "c", 0)]
    fetch(simple(root.parent / "a.parquet", rows), root)
    assert set(found(root)) == {"cat/a.jpg", "cat/b.bin", "cat/c.gif"}
    reasons = {
        each.image: each.reason for each in index_images(root, "cat", [(None, "cat")], 10**8)
    }
    assert all(reasons.values())
    assert "web page" in str(reasons["cat/b.bin"])


def test_splits_are_no_categories_and_are_said(root: Path) -> None:
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        simple(root.parent / "set" / f"{name}.parquet", [(name.encode(), name, 0)])
    said = fetch(root.parent / "set", root)
    assert "the splits 'test' (1), 'train' (1), and the images of all are used" in said
    assert {Path(name).parent.as_posix() for name in found(root)} == {"cat"}


def test_columns_that_tell_splits_or_photographs_are_not_passed_over_in_silence(
    root: Path,
) -> None:
    rows = [{"image": picture(PNG), "label": 0, "split": "a", "meta": {"is_real": 1}}]
    types = {**TYPES, "split": pa.string(), "meta": pa.struct([("is_real", pa.int64())])}
    said = fetch(parquet(root.parent / "s.parquet", rows, types, FEATURES), root)
    assert "the column 'split' is not read: the images of all are used" in said
    assert "the column 'meta.is_real' is not read: photographs are told by images.real" in said
    members = [("1.png", PNG), ("1.json", '{"label": "x", "fold": 2}')]
    tar = webdataset(root.parent / "s.tar", members)
    assert "the column 'fold' is not read" in fetch(tar, root.parent / "other")
    named = fetch(
        root.parent / "s.parquet", root.parent / "third", columns={"generator": "meta.is_real"}
    )
    assert "is_real' is not read" not in named


def test_files_that_do_not_agree_are_refused(root: Path) -> None:
    folder = root.parent / "set"
    simple(folder / "a.parquet", [(PNG, "1", 0)])
    types = {"image": IMAGE, "class": pa.string()}
    parquet(folder / "b.parquet", [{"image": picture(PNG), "class": "cat"}], types)
    said = failure(folder, root)
    assert "the category is the column 'label' in a.parquet and the column 'class' in b.p" in said
    webdataset(folder / "c.tar", [("1.png", PNG), ("1.cls", "cat")])
    assert "holds Parquet and tar files" in failure(folder, root)
    files = [folder / "a.parquet", folder / "c.tar"]
    assert "a.parquet is Parquet and c.tar is no Parquet" in failure(files, root)


def test_classes_go_by_the_names_in_their_own_file(root: Path) -> None:
    for file, names in (("a", ("cat", "dog")), ("b", ("dog", "cat"))):
        features = {"label": class_label(*names)}
        row = {"image": picture(PNG + file.encode(), file), "label": 0}
        parquet(root.parent / "set" / f"{file}.parquet", [row], TYPES, features)
    fetch(root.parent / "set", root)
    assert found(root) == {"cat/a.png": PNG + b"a", "dog/b.png": PNG + b"b"}


# Parquet: hostile --------------------------------------------------------------------------------


@pytest.mark.long
def test_damaged_files_are_refused(root: Path) -> None:
    path = simple(
        root.parent / "a.parquet", [(PNG * 100 + bytes([n]), str(n), 0) for n in range(200)]
    )
    content = path.read_bytes()
    for start in range(4, len(content), len(content) // 40):
        for damaged in (content[:start], content[:start] + b"\xff" * 8 + content[start + 8 :]):
            path.write_bytes(damaged)
            try:
                fetch(path, root)
            except ArchiveError:
                assert not root.exists()
            else:  # what the change hit is not used, or is within an image
                assert len(found(root)) <= 200
                shutil.rmtree(root)
    path.write_bytes(content[: len(content) // 2])
    assert "damaged or truncated" in failure(path, root)


def test_an_image_that_is_repeated_endlessly_is_a_bomb(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dictionary holds it once."""
    monkeypatch.setattr(unpack_module, "MAX_SMALL", 10**6)
    path = simple(root.parent / "a.parquet", [(PNG * 5000, "a", 0)] * 400)
    assert path.stat().st_size < 200_000
    assert "decompression bomb" in failure(path, root)


@pytest.mark.parametrize("role", ["group", "prompt"])
def test_a_text_without_end_is_left_out(root: Path, role: str) -> None:
    types = {**TYPES, role: pa.string()}
    rows = [
        {"image": picture(PNG, str(length)), "label": 0, role: "x" * length}
        for length in (20_000, 20_001)
    ]
    fetch(parquet(root.parent / "a.parquet", rows, types, FEATURES), root)
    assert set(found(root)) == {"cat/20000.png"}
    (reason,) = note(root)["left_out_first"]
    assert reason == f"a.parquet, row 2: its {role} has 20,001 letters, more than 20,000"


@pytest.mark.parametrize("limit", ["rows", "size"])
def test_rows_and_sizes_are_bounded(
    root: Path, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = simple(root.parent / "a.parquet", [(PNG + bytes([n]), "a", 0) for n in range(20)])
    if limit == "rows":
        monkeypatch.setattr(rows_module, "MAX_MEMBERS", 10)
        assert "more than 10 rows" in failure(path, root)
    else:
        monkeypatch.setattr(rows_module, "MAX_IMAGE", 8)
        assert "an image of 9 bytes, more than 8" in failure(path, root)


@pytest.mark.parametrize("features", ["[" * 100_000, "{}", '{"info": 3}', "\\ud800", "null"])
def test_metadata_that_make_no_sense_name_nothing(root: Path, features: str) -> None:
    schema = pa.schema(list(TYPES.items())).with_metadata({"huggingface": features})
    rows = [{"image": picture(PNG), "label": 0}]
    path = root.parent / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    assert "nothing says what they are" in failure(path, root)


# WebDataset --------------------------------------------------------------------------------------


def test_an_ordinary_tar_with_texts_beside_its_images_stays_as_it_is(root: Path) -> None:
    members = [("cat/1.png", PNG), ("cat/1.txt", "a cat"), ("cat/1.json", '{"label": "dog"}')]
    fetch(webdataset(root.parent / "a.tar", members), root)
    assert set(found(root)) == {name for name, _ in members}
    assert "set" not in note(root)


@pytest.mark.parametrize(
    "members",
    [
        [("1.cls", "cat"), ("1.png", PNG), ("1.txt", "a cat")],
        [("train/1.png", PNG), ("train/1.cls", "cat\n"), ("train/1.txt", "a cat")],
        [("1.png", PNG), ("1.json", '{"label": "cat", "prompt": "a cat", "n": 1}')],
        [("1.png", PNG), ("1.cls", "3"), ("1.json", '{"class_name": "cat", "caption": "a cat"}')],
    ],
    ids=["text", "in a folder", "json", "a number and json"],
)
def test_samples_are_told_by_what_shares_their_key(
    root: Path, members: list[tuple[str, Any]]
) -> None:
    fetch(webdataset(root.parent / "a.tar", members), root)
    assert found(root) == {"cat/1.png": PNG}
    assert record(root)[0]["prompt"] == "a cat"


def test_numbers_are_never_guessed(root: Path) -> None:
    path = webdataset(root.parent / "a.tar", [("1.png", PNG), ("1.cls", "291")])
    said = failure(path, root)
    assert "a.tar gives classes as numbers, and nothing says what they are. Write" in said
    fetch(path, root, labels="imagenet-1k")
    assert set(found(root)) == {"n02129165/1.png"}
    shutil.rmtree(root)
    (root.parent / "classnames.txt").write_text("\n".join(f"thing {n}" for n in range(300)))
    said = fetch(path, root)
    assert set(found(root)) == {"thing 291/1.png"}
    assert f"numbers of classes are named by {root.parent / 'classnames.txt'}" in said


def test_several_tars_are_one_set_with_columns_of_their_own(root: Path) -> None:
    files = [
        webdataset(
            root.parent / f"{n}.tar",
            [(f"{n}.left.png", PNG), (f"{n}.right.png", PNG + b"r"), (f"{n}.json", about)],
        )
        for n, about in enumerate(('{"what": "cat", "who": "muse"}', '{"what": "dog", "who": 5}'))
    ]
    columns = {"image": "right.png", "category": "what", "generator": "who"}
    fetch(files, root, columns=columns)
    assert set(found(root)) == {"muse/cat/0.png", "5/dog/1.png"}
    assert [row["file"] for row in record(root)] == ["0.tar", "1.tar"]
    shutil.rmtree(root)
    said = failure(files, root, columns={"category": "what"})
    assert "several columns that can be the image: 'left.png', 'right.png'" in said


def test_samples_that_lack_something_are_left_out_with_the_reason(root: Path) -> None:
    members: list[tuple[str, Any]] = [
        *[("1.png", PNG), ("1.cls", "cat"), ("1.json", '{"generator": "muse"}')],
        *[("2.cls", "cat"), ("2.json", '{"generator": "muse"}')],
        *[("3.png", PNG), ("3.json", "[" * 50_000)],
        *[("4.png", PNG), ("4.cls", "cat")],
        *[("5.png", PNG), ("5.cls", "../cat"), ("5.json", '{"generator": "muse"}')],
        *[("6.png", PNG), ("6.cls", b"\xff"), ("6.json", '{"generator": "muse"}')],
        *[("7.png", PNG), ("7.cls", "x" * 2**21), ("README", "about")],
        *[("1.png", PNG + b"again"), ("1.cls", "cat"), ("1.json", '{"generator": "muse"}')],
    ]
    fetch(webdataset(root.parent / "a.tar", members), root)
    assert found(root) == {"muse/cat/1.png": PNG, "muse/cat/1~6.png": PNG + b"again"}
    reasons = "\n".join(note(root)["left_out_first"])
    for reason in (
        "a.tar, sample 2: no image, but 'cls', 'json'",
        "a.tar, sample 3: it has no category",
        "a.tar, sample 4: it has no generator, as others have",
        "a.tar, sample 5: '../cat' cannot be the name of a folder",
        "a.tar, sample 6: '\\udcff' cannot be the name of a folder",
        "a.tar, sample 7: its member 'cls' has 2,097,152 bytes, more than 1,048,576",
        "'README': it is no sample's",
    ):
        assert reason in reasons


@pytest.mark.parametrize("name", ["../2.png", "/etc/2.png", "a/../../2.cls"])
def test_a_name_that_leads_out_refuses_the_whole(root: Path, name: str) -> None:
    members = [("1.png", PNG), ("1.cls", "cat"), (name, PNG)]
    path = webdataset(root.parent / "a.tar", members)
    assert "leads out of the folder" in (said := failure(path, root)) or "absolute name" in said
    assert sorted(os.listdir(root.parent)) == ["a.tar"]


def test_a_truncated_webdataset_is_refused(root: Path) -> None:
    members = [(f"{n}.{end}", PNG * 100) for n in range(50) for end in ("png", "cls")]
    path = webdataset(root.parent / "a.tar", members)
    path.write_bytes(path.read_bytes()[:40_000])
    assert "damaged or truncated" in failure(path, root)


# Fetching ----------------------------------------------------------------------------------------


def test_columns_of_an_archive_of_folders_mean_nothing_and_are_refused(root: Path) -> None:
    path = webdataset(root.parent / "a.tar", [("cat/1.png", PNG)])
    assert "images.archive.columns" in failure(path, root, columns={"category": "label"})


def test_several_files_are_downloaded_checked_and_resumed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = simple(root.parent / "a.parquet", [(PNG, "1", 0)]).read_bytes()
    digest = hashlib.sha256(content).hexdigest()

    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with serve(content) as (url, files):
        urls = (f"{url}/a.parquet?token=secret", f"{url}/b.parquet")
        archive = Archive(urls, (digest, digest), root)
        with monkeypatch.context() as patch:
            patch.setattr(fetch_module, "unpack_all", killed)
            with pytest.raises(KilledError):
                fetch_images(archive, lambda _: None)
        fetch_images(archive, lambda _: None)
        assert len(files.asked) == 2, "both had arrived"
        assert archive.is_unpacked()
        assert note(root)["sha256"] == sum_of([digest, digest]) != digest
        assert note(root)["source"] == f"{url}/a.parquet?token=... and 1 more"
        assert "secret" not in json.dumps(note(root))
        shutil.rmtree(root)
        with pytest.raises(ArchiveError, match=r"b\.parquet: its sha256 is .* It was deleted"):
            fetch_images(Archive(urls, (digest, "cd" * 32), root), lambda _: None)
        with pytest.raises(ArchiveError, match=r"the sha256 of these 2 files is"):
            fetch_images(Archive(urls, "cd" * 32, root), lambda _: None)
        fetch_images(Archive(urls, sum_of([digest, digest]), root), lambda _: None)
    assert set(found(root)) == {"cat/1.png", "cat/1~2.png"}
    assert sorted(os.listdir(root.parent)) == ["a.parquet", "images"]


def test_a_folder_in_which_a_file_is_added_or_exchanged_is_read_again(root: Path) -> None:
    folder = root.parent / "set"
    simple(folder / "a.parquet", [(PNG, "1", 0)])
    fetch(folder, root)
    archive = Archive(str(folder), None, root)
    assert archive.is_unpacked()
    simple(folder / "b.parquet", [(PNG, "2", 0)])
    assert not archive.is_unpacked()
    fetch(folder, root)
    assert set(found(root)) == {"cat/1.png", "cat/2.png"}
    assert archive.is_unpacked()
    simple(folder / "b.parquet", [(PNG, "3", 0)])
    assert not archive.is_unpacked()
    fetch(folder, root)
    assert set(found(root)) == {"cat/1.png", "cat/3.png"}
    shutil.rmtree(folder)
    assert archive.is_unpacked(), "what was unpacked stays"


def test_the_same_set_gives_the_same_listing(root: Path) -> None:
    """So that nothing runs again when it is unpacked once more."""
    path = simple(root.parent / "a.parquet", [(PNG, "1", 0)])
    fetch(path, root)
    before = (root / "cat" / "1.png").stat().st_mtime_ns
    shutil.rmtree(root)
    fetch(path, root)
    assert (root / "cat" / "1.png").stat().st_mtime_ns == before


# The workflow ------------------------------------------------------------------------------------


@pytest.mark.long
def test_one_command_unpacks_a_set_and_goes_on(project: Project) -> None:
    """Its classes have full names of ImageNet, which categories do not have."""
    called = {"bagel": "bagel, beigel", "clock": "clock", "toilet_seat": "toilet seat"}
    names = list(called.values())
    files = [file for file in sorted((project.folder / "pictures").rglob("*")) if file.is_file()]
    rows = [
        {
            "image": picture(file.read_bytes(), file.name),
            "label": names.index(called[file.parent.name]),
            "generator": file.parent.parent.name,
        }
        for file in files
    ]
    types = {**TYPES, "generator": pa.string()}
    features = {"image": {"_type": "Image"}, "label": class_label(*names)}
    for index in range(2):
        part = rows[index::2]
        parquet(
            project.folder / "set" / f"train-0000{index}-of-00002.parquet", part, types, features
        )
    shutil.rmtree(project.folder / "pictures")
    shutil.rmtree(project.results)
    config = project.config
    del config["vqa"]
    config["images"] = {"root": "pictures", "archive": {"url": "set"}}
    config["models"] = config["models"][:1]
    project.configure(config)
    assert project.plan("logits") == {("fetch_images",), ("logits",)}
    said = project.run("logits")
    assert "Parquet: " in said
    assert "folders called by several of ImageNet's names of a class are taken for these" in said
    logits = {path.stem for path in (project.results / "logits" / "effnet").iterdir()}
    assert logits == {"bagel", "clock", "toilet seat"}
    assert project.plan("logits") == set()
