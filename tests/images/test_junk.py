"""What systems leave is ignored in folders and in archives, and counted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from synthsight.archives.unpack import unpack
from synthsight.images.layout import find_categories, junk_in
from synthsight.images.manifest import find_files, list_folders
from synthsight.images.tree import folders_in
from synthsight.junk import describe, is_ignored, is_junk
from tests.support import Project, draw_image

#: From an account of each kind of system, two of the issue's among them.
LEFT = (
    *("@eaDir/SYNOPHOTO_THUMB_XL.jpg", "__MACOSX/._1.png", "Thumbs.db", "desktop.ini"),
    *("lost+found/9.png", "$RECYCLE.BIN/2.png", "#recycle/3.png", ".ipynb_checkpoints/1-copy.png"),
    *("System Volume Information/4.png", "Icon\r", "._1.png", ".DS_Store", "~$names.xlsx"),
)


def leave(folder: Path) -> None:
    for name in LEFT:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".png", ".jpg"):
            draw_image(path, seed=3)
        else:
            path.touch()


def test_nothing_of_it_is_a_category_a_generator_or_a_file(tmp_path: Path) -> None:
    draw_image(tmp_path / "dream" / "bagel" / "1.png", seed=1)
    draw_image(tmp_path / "clock" / "2.png", seed=2)
    clean = find_categories(tmp_path, None)
    listing = list_folders([tmp_path / "clock"])
    for folder in (tmp_path, tmp_path / "dream", tmp_path / "dream" / "bagel", tmp_path / "clock"):
        leave(folder)
    assert find_categories(tmp_path, None) == clean
    assert folders_in(tmp_path) == ["clock", "dream"]
    assert [path.name for path in find_files(tmp_path / "clock")] == ["2.png"]
    with_junk = list_folders([tmp_path / "clock"])
    assert (with_junk.files, with_junk.images, with_junk.digest) == (1, 1, listing.digest)
    assert len(with_junk.ignored) == len(LEFT)
    assert len(junk_in(tmp_path, ["dream", None])) == 2 * len(LEFT)


def test_it_is_counted_in_a_line() -> None:
    names = ["@eaDir", "a.png", "Thumbs.db", "@eaDir", "._1.png", "._2.png", "~$a.xlsx"]
    assert describe(names, "pictures") == (
        "6 entries in pictures that systems leave are ignored: "
        "'._*' (2), '@eaDir' (2), 'Thumbs.db' (1), '~$*' (1)"
    )
    assert describe(["a.png", ".hidden"], "pictures") is None


@pytest.mark.parametrize("name", ["bagel", "found", "recycle", "thumbs.png", "MACOSX", "desktop"])
def test_names_that_a_user_gives_are_none(name: str) -> None:
    assert not is_junk(name) and not is_ignored(name)


def test_an_archive_brings_none_of_it(tmp_path: Path) -> None:
    draw_image(tmp_path / "1.png", seed=1)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "1.png", "bagel/1.png")
        archive.write(tmp_path / "1.png", "bagel/@eaDir/1.png/thumb.jpg")
        archive.writestr("bagel/Thumbs.db", b"x")
        archive.writestr("__MACOSX/bagel/._1.png", b"x")
    (tmp_path / "out").mkdir()
    unpacked = unpack(tmp_path / "a.zip", tmp_path / "out")
    found = [path.relative_to(tmp_path / "out").as_posix() for path in find_files(tmp_path / "out")]
    assert found == ["bagel/1.png"]
    assert sorted(unpacked.junk) == ["@eaDir", "Thumbs.db", "__MACOSX"]


@pytest.mark.long
def test_a_start_counts_it_and_runs_nothing(project: Project) -> None:
    pictures = project.folder / "pictures"
    (pictures / "@eaDir").mkdir()
    (pictures / "dream" / "clock" / "Thumbs.db").touch()
    assert project.plan() == set()
    completed = project.snakemake("--dry-run")
    said = completed.stdout + completed.stderr
    assert "2 entries in pictures that systems leave are ignored: '@eaDir' (1), 'Thumbs" in said
