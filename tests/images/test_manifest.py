"""The manifest lists every file once, says why one is left out, and never mixes up rows."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthsight.images.manifest import (
    ImageRecord,
    find_files,
    index_images,
    list_folders,
    read_manifest,
    write_manifest,
)

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"

HOSTILE = [
    "two words.png",
    "  blanks  .png",
    "'single' \"double\" `back`.png",
    "line\nbreak.png",
    "carriage\rreturn.png",
    "tab\there, and comma; semicolon.png",
    "$(touch x).png",
    "; rm -rf x.png",
    "-rf.png",
    "--output.png",
    "{category}.png",
    "%s%n.png",
    "back\\slash.png",
    "*?[a].png",
    "Käse, 大熊猫 🐼.png",
    "e\u0301 decomposed.png",
    "UPPER.PNG",
    "=cmd().png",
    "a" * 200 + ".png",
]


def save(path: Path, seed: int = 0, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def index(root: Path, folders: list[tuple[str | None, str]] | None = None) -> list[ImageRecord]:
    return index_images(root, "cat", folders or [(None, "cat")])


def reasons(root: Path) -> dict[str, str | None]:
    return {record.image: record.reason for record in index(root)}


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def spec(root: Path, category: str, folders: list[list[str | None]]) -> str:
    settings = {"root": str(root), "category": category, "folders": folders, "max_pixels": 10_000}
    return json.dumps({**settings, "listing": "any"})


# --- What a row says --------------------------------------------------------------------------


def test_a_usable_image_has_its_key_its_hash_and_its_size(tmp_path: Path) -> None:
    path = save(tmp_path / "dalle" / "cat" / "deep" / "a.png", size=(8, 6))
    (record,) = index(tmp_path, [("dalle", "dalle/cat")])
    assert record == ImageRecord(
        image="dalle/cat/deep/a.png",
        category="cat",
        generator="dalle",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        width=8,
        height=6,
        status="ok",
        reason=None,
    )


def test_width_and_height_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "cat" / "a.jpg", exif=exif)
    (record,) = index(tmp_path)
    assert (record.width, record.height) == (20, 30)


def test_an_excluded_file_has_a_reason_and_no_size(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png")
    (tmp_path / "cat" / "b.jpg").write_text("no image")
    excluded = index(tmp_path)[1]
    assert (excluded.status, excluded.width, excluded.height) == ("excluded", None, None)
    assert excluded.reason == "not an image in any format that is read here: text"
    assert excluded.sha256 == hashlib.sha256(b"no image").hexdigest()


def test_a_bad_file_leaves_the_rows_of_the_others_as_they_are(tmp_path: Path) -> None:
    for seed in range(6):
        save(tmp_path / "cat" / f"{seed}.png", seed, size=(8 + seed, 6))
    before = {record.image: record for record in index(tmp_path)}
    (tmp_path / "cat" / "2b.png").touch()
    (tmp_path / "cat" / "3.png").write_bytes(b"junk")
    after = {record.image: record for record in index(tmp_path)}
    changed = {image for image in after if after[image] != before.get(image)}
    assert changed == {"cat/2b.png", "cat/3.png"}
    assert all(after[image].width == 8 + int(image[4]) for image in before if image[4] != "3")


def test_rows_are_sorted_by_image_across_generators_and_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever began last is listened to first.
    monkeypatch.setattr("synthsight.images.examine.wait", lambda helpers: helpers[-1:])
    names = ["b/cat/z.png", "b/cat/a.png", "cat/m/1.png", "cat/m.png", "a/cat/B.png", "a/cat/a.png"]
    for seed, name in enumerate(names):
        save(tmp_path / name, seed)
    folders = [("b", "b/cat"), (None, "cat"), ("a", "a/cat")]
    records = index_images(tmp_path, "cat", folders, processes=4)
    assert [record.image for record in records] == sorted(names)
    assert {record.image: record.sha256 for record in records} == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names
    }
    assert {record.image: record.generator for record in records} == {
        name: None if name.startswith("cat") else name[0] for name in names
    }


def test_every_format_is_taken_in_any_case(tmp_path: Path) -> None:
    endings = ["jpg", "JPEG", "Png", "webp", "GIF", "bmp", "tif", "TIFF", "avif"]
    for seed, ending in enumerate(endings):
        save(tmp_path / "cat" / f"{seed}.{ending}", seed)
    assert set(reasons(tmp_path).values()) == {None}
    assert len(reasons(tmp_path)) == len(endings)


# --- Names ------------------------------------------------------------------------------------


def test_hostile_names_are_keys_like_any_other(tmp_path: Path) -> None:
    for seed, name in enumerate(HOSTILE):
        save(tmp_path / "cat" / name, seed)
    records = index(tmp_path)
    assert sorted(record.image for record in records) == sorted(f"cat/{name}" for name in HOSTILE)
    assert all(record.status == "ok" for record in records)
    output = tmp_path / "manifest.parquet"
    write_manifest(output, records)
    assert read_manifest(output) == records


def test_a_name_that_is_not_utf8_is_excluded_and_listed_in_a_readable_form(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png")
    try:
        os.rename(tmp_path / "cat" / "a.png", os.fsencode(tmp_path) + b"/cat/caf\xe9.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert reasons(tmp_path) == {
        r"cat/caf\xe9.png": "the file's name is not valid UTF-8: rename it"
    }
    write_manifest(tmp_path / "manifest.parquet", index(tmp_path))


def test_hidden_names_are_passed_over_with_all_below_them(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png")
    save(tmp_path / "cat" / "._a.png", 1)
    save(tmp_path / "cat" / ".thumbnails" / "b.png", 2)
    (tmp_path / "cat" / ".DS_Store").touch()
    assert list(reasons(tmp_path)) == ["cat/a.png"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.txt", b"red", "(ending: '.txt') or content: text"),
        (
            "letters.db",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "(ending: '.db') or content: an old Off",
        ),
        ("README", b"# Cats", "(ending: none) or content: text"),
        (
            "a.heic",
            b"\0\0\0\x14ftypheic\0\0\0\0heic",
            "(ending: '.heic') or content: a HEIC image, as",
        ),
        ("a.mp4", b"\0\0\0\x14ftypisom\0\0\0\0mp41", "(ending: '.mp4') or content: a video"),
        ("a.zip", b"PK\x03\x04", "(ending: '.zip') or content: a zip archive: unpack it first"),
        ("nothing", b"", "(ending: none) or content: empty"),
    ],
)
def test_what_is_no_image_by_name_or_content_is_excluded_as_what_it_is(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / name).write_bytes(content)
    assert f"not an image by its name {words}"[:200] in str(reasons(tmp_path)[f"cat/{name}"])


@pytest.mark.parametrize("name", ["a", "a.jfif", "a.jpe", "a.dat", "a.txt", "a.png.bak", "a 12.30"])
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "AVIF"])
def test_an_image_with_another_ending_or_none_is_told_by_its_content(
    tmp_path: Path, name: str, format_: str
) -> None:
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 6), "red").save(tmp_path / "cat" / name, format_)
    assert reasons(tmp_path) == {f"cat/{name}": None}


def test_a_category_whose_files_have_no_ending_is_counted_by_content(tmp_path: Path) -> None:
    """What a link leads to is not opened."""
    for seed, name in enumerate(("cat/aaf3", "cat/deep/b07", "elsewhere")):
        save(tmp_path / f"{name}.png", seed).rename(tmp_path / name)
    (tmp_path / "cat" / "README").write_text("about cats")
    (tmp_path / "cat" / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "cat" / "pipe")
    found = list_folders([tmp_path / "cat"])
    assert (found.files, found.images) == (5, 2)


@pytest.mark.parametrize("name", ["a.dng", "a.NEF", "a.cr2"])
def test_a_raw_file_is_not_taken_for_the_small_preview_in_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 6), "red").save(tmp_path / "cat" / name, "TIFF")
    expected = f"a camera's raw file ({name[1:]}): convert it to PNG or JPEG"
    assert reasons(tmp_path) == {f"cat/{name}": expected}


# --- Duplicates -------------------------------------------------------------------------------


def test_of_equal_files_the_first_by_name_stays(tmp_path: Path) -> None:
    for name in ("cat/c.png", "cat/a.png", "cat/b.jpg"):
        save(tmp_path / "cat" / "x.png").rename(tmp_path / name)
    assert reasons(tmp_path) == {
        "cat/a.png": None,
        "cat/b.jpg": "the same file as 'cat/a.png'",
        "cat/c.png": "the same file as 'cat/a.png'",
    }


def test_duplicates_are_found_across_generators(tmp_path: Path) -> None:
    for generator in ("b", "a"):
        save(tmp_path / generator / "cat" / "x.png")
    records = index(tmp_path, [("b", "b/cat"), ("a", "a/cat")])
    assert [(r.image, r.reason) for r in records] == [
        ("a/cat/x.png", None),
        ("b/cat/x.png", "the same file as 'a/cat/x.png'"),
    ]
    assert (records[1].width, records[1].height) == (None, None)


def test_equal_broken_files_keep_the_reason_that_matters(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").touch()
    (tmp_path / "cat" / "b.png").touch()
    assert set(reasons(tmp_path).values()) == {"empty file"}


def test_the_same_pixels_in_other_bytes_are_no_duplicate(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png")
    save(tmp_path / "cat" / "b.bmp")
    assert set(reasons(tmp_path).values()) == {None}


# --- Links and other things that are no files -------------------------------------------------


def test_links_are_followed_to_files_below_the_root_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    save(root / "pool" / "a.png", 1)
    save(tmp_path / "outside.png", 2)
    save(root / "folder" / "b.png", 3)
    cat = root / "cat"
    cat.mkdir()
    (cat / "inside.png").symlink_to("../pool/a.png")
    (cat / "outside.png").symlink_to(tmp_path / "outside.png")
    (cat / "passwd.png").symlink_to("/etc/passwd")
    (cat / "broken.png").symlink_to("nowhere.png")
    (cat / "loop.png").symlink_to("loop.png")
    (cat / "folder.png").symlink_to("../folder")
    (cat / "self").symlink_to(".")
    out = "a link that leads out of images.root: copy the file instead"
    assert reasons(root) == {
        "cat/inside.png": None,
        "cat/outside.png": out,
        "cat/passwd.png": out,
        "cat/broken.png": "a link that leads nowhere",
        "cat/loop.png": "a link that leads nowhere",
        "cat/folder.png": "a link to a folder, which is not followed",
        "cat/self": "a link to a folder, which is not followed",
    }


def test_what_a_link_out_of_the_root_holds_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "root" / "cat").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root" / "cat" / "a.png").symlink_to(tmp_path / "secret")
    assert index(tmp_path / "root")[0].sha256 is None


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    save(tmp_path / "real" / "cat" / "a.png")
    (tmp_path / "real" / "cat" / "b.png").symlink_to(tmp_path / "real" / "cat" / "a.png")
    (tmp_path / "link").symlink_to("real")
    assert reasons(tmp_path / "link") == {
        "cat/a.png": None,
        "cat/b.png": "the same file as 'cat/a.png'",
    }


def test_a_pipe_is_excluded_and_not_waited_for(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    # In a process of its own, which can be ended should it wait.
    output = tmp_path / "manifest.parquet"
    run("index_images", "--spec", spec(tmp_path, "cat", [[None, "cat"]]), "--output", output)
    reason = {record.image: record.reason for record in read_manifest(output)}
    assert reason == {"cat/a.png": None, "cat/pipe.png": "not a regular file"}


def test_a_file_that_may_not_be_read_is_excluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    save(tmp_path / "cat" / "a.png")
    monkeypatch.setattr("synthsight.images.examine.decode_rgb", refuse)
    assert reasons(tmp_path) == {"cat/a.png": "cannot be read: Permission denied"}


def test_a_failing_disk_is_not_the_images_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    save(tmp_path / "cat" / "a.png")
    monkeypatch.setattr("synthsight.images.examine.decode_rgb", fail)
    with pytest.raises(OSError, match="Input/output error"):
        index(tmp_path)


def test_a_bomb_is_excluded_by_the_bound_that_is_given(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", size=(100, 100))
    (record,) = index_images(tmp_path, "cat", [(None, "cat")], max_pixels=9_999)
    assert record.reason is not None and record.reason.startswith("too large: 100 x 100 pixels")


# --- The listing ------------------------------------------------------------------------------


@pytest.fixture(name="root")
def root_(tmp_path: Path) -> Path:
    for seed, name in enumerate(("cat/a.png", "cat/b.png", "cat/sub/c.jpg", "mj/cat/d.png")):
        save(tmp_path / name, seed)
    (tmp_path / "cat" / "notes.txt").write_text("notes")
    return tmp_path


def listing(root: Path) -> tuple[int, int, str]:
    found = list_folders([root / "cat", root / "mj" / "cat"])
    return found.files, found.images, found.digest


def test_a_listing_counts_files_and_those_named_like_images(root: Path) -> None:
    (root / "cat" / ".hidden.png").touch()
    assert listing(root)[:2] == (5, 4)
    assert sum(1 for _ in find_files(root / "cat")) == 4


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def rewrite_with_the_same_size(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\0")
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: save(root / "cat" / "new.png", 9),
        lambda root: save(root / "mj" / "cat" / "new.png", 9),
        lambda root: (root / "cat" / "new.txt").touch(),
        lambda root: (root / "cat" / "a.png").unlink(),
        lambda root: (root / "cat" / "a.png").rename(root / "cat" / "z.png"),
        lambda root: (root / "cat" / "a.png").rename(root / "cat" / "aa.png"),
        lambda root: (root / "cat" / "a.png").rename(root / "cat" / "sub" / "a.png"),
        lambda root: (root / "cat" / "a.png").rename(root / "mj" / "cat" / "a.png"),
        lambda root: rewrite(root / "cat" / "a.png"),
        lambda root: rewrite_with_the_same_size(root / "cat" / "sub" / "c.jpg"),
    ],
    ids=[
        *("add", "add to generator", "add text", "remove", "rename", "rename in its place"),
        *("down", "move", "grow", "mend"),
    ],
)
def test_the_digest_follows_every_change(root: Path, change) -> None:
    before = listing(root)[2]
    change(root)
    assert listing(root)[2] != before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: None,
        lambda root: (root / "cat" / ".DS_Store").touch(),
        lambda root: save(root / "dog" / "a.png"),
        lambda root: (root / "cat" / "empty").mkdir(),
        lambda root: (root / "cat" / "a.png").read_bytes(),
        lambda root: os.utime(root / "cat"),
    ],
    ids=["nothing", "hidden file", "other category", "empty folder", "read", "touch folder"],
)
def test_the_digest_stays_where_no_file_changed(root: Path, change) -> None:
    before = listing(root)[2]
    change(root)
    assert listing(root)[2] == before


def test_the_digest_follows_what_a_link_leads_to(root: Path) -> None:
    (root / "pool").mkdir()
    save(root / "pool" / "x.png", 7)
    (root / "cat" / "link.png").symlink_to("../pool/x.png")
    before = listing(root)[2]
    rewrite(root / "pool" / "x.png")
    assert listing(root)[2] != before


def test_a_listing_bears_broken_links_and_odd_names(root: Path) -> None:
    (root / "cat" / "broken.png").symlink_to("nowhere")
    (root / "cat" / "loop.png").symlink_to("loop.png")
    with open(os.fsencode(root) + b"/cat/caf\xe9.png", "wb"):
        pass
    assert listing(root)[0] == 8


# --- The file and the programs ----------------------------------------------------------------


def test_the_parquet_file_has_the_columns_of_the_contract(root: Path) -> None:
    (root / "cat" / "empty.png").touch()
    records = index(root, [(None, "cat"), ("mj", "mj/cat")])
    write_manifest(root / "out" / "manifest.parquet", records)
    table = pq.read_table(root / "out" / "manifest.parquet")
    assert table.schema.equals(
        pa.schema(
            {
                "image": pa.string(),
                "category": pa.string(),
                "generator": pa.string(),
                "sha256": pa.string(),
                "width": pa.int32(),
                "height": pa.int32(),
                "status": pa.string(),
                "reason": pa.string(),
                "hash": pa.binary(32),
            }
        )
    )
    assert table.num_rows == 6
    assert os.listdir(root / "out") == ["manifest.parquet"]


def test_a_manifest_without_rows_can_be_written_and_read(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.parquet", [])
    assert read_manifest(tmp_path / "manifest.parquet") == []


def test_the_programs_index_and_list_what_was_left_out(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for seed, name in enumerate(HOSTILE):
        (root / "cat").mkdir(parents=True, exist_ok=True)
        (root / "cat" / name).write_bytes(b"junk %d" % seed)
    save(root / "cat" / "good.png", 1)
    save(root / "mj" / "dog" / "good.png", 1)
    (root / "mj" / "dog" / "bad.gif").touch()
    for category, folders in (("cat", [[None, "cat"]]), ("dog", [["mj", "mj/dog"]])):
        output = tmp_path / f"{category}.parquet"
        done = run("index_images", "--spec", spec(root, category, folders), "--output", output)
        assert done.returncode == 0, done.stderr
        assert ("mj" in done.stdout) == (category == "dog")
    assert "2 files, 1 usable, 1 excluded" in done.stdout
    assert "excluded: 'mj/dog/bad.gif': empty file" in done.stdout

    manifests = [tmp_path / "cat.parquet", tmp_path / "dog.parquet"]
    output, copy = tmp_path / "excluded.csv", tmp_path / "excluded.parquet"
    options = ("--spec", "{}", "--csv", output, "--parquet", copy)
    done = run("list_excluded", "--manifests", *manifests, *options)
    assert done.returncode == 0, done.stderr
    assert f"cat: {len(HOSTILE)} excluded" in done.stdout
    assert "dog: 1 excluded" in done.stdout
    with open(output, encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    assert header == ["image", "category", "generator", "sha256", "reason"]
    names = sorted([f"cat/{name}" for name in HOSTILE] + ["mj/dog/bad.gif"])
    assert [row[0] for row in rows] == names
    assert rows[-1][1:3] == ["dog", "mj"]
    assert {len(row) for row in rows} == {5}
    assert all(row[4] for row in rows)
    assert pq.read_table(copy)["image"].to_pylist() == names


def test_a_name_cannot_run_a_command(tmp_path: Path) -> None:
    save(tmp_path / "images" / "cat" / "$(touch x).png")
    arguments = ["--spec", spec(tmp_path / "images", "cat", [[None, "cat"]])]
    assert run("index_images", *arguments, "--output", tmp_path / "o.parquet").returncode == 0
    assert not Path("x").exists()
    assert sorted(os.listdir(tmp_path)) == ["images", "o.parquet"]


def test_a_category_without_a_usable_image_ends_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").touch()
    output = tmp_path / "cat.parquet"
    done = run("index_images", "--spec", spec(tmp_path, "cat", [[None, "cat"]]), "--output", output)
    assert done.returncode == 1
    assert "no usable image in category 'cat'" in done.stderr
    assert "Traceback" not in done.stderr
    assert "excluded: 'cat/a.jpg': empty file" in done.stdout
    assert not output.exists()
