"""The image that a question names is found however its path is written, if it can mean only one."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from synthsight.images.finding import ImageFinder
from synthsight.vqa.questions import read_questions
from tests.support import draw_image

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects")}

CAFE = unicodedata.normalize("NFC", "café.png")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "data" / "images"
    names = ("lion/A.PNG", "lion/b.png", unicodedata.normalize("NFD", "lion/café.png"))
    for seed, name in enumerate((*names, "Tiger/1.jpg", "images/c.png", "back\\slash.png")):
        draw_image(folder / name, seed)
    return folder


@pytest.mark.parametrize(
    ("written", "image"),
    [
        ("lion/b.png", "lion/b.png"),
        ("./lion//b.png", "lion/b.png"),
        ("lion\\b.png", "lion/b.png"),
        (".\\lion\\b.png", "lion/b.png"),
        ("back\\slash.png", "back\\slash.png"),
        ("lion/a.png", "lion/A.PNG"),
        ("LION/B.png", "lion/b.png"),
        ("tiger\\1.JPG", "Tiger/1.jpg"),
        (f"lion/{CAFE}", unicodedata.normalize("NFD", "lion/café.png")),
        ("images/lion/b.png", "lion/b.png"),
        ("data/images/lion/b.png", "lion/b.png"),
        ("data\\images\\lion\\B.PNG", "lion/b.png"),
        ("images/c.png", "images/c.png"),
        ("{root}/lion/b.png", "lion/b.png"),
        ("{root}/lion/a.png", "lion/A.PNG"),
        ("~/data/images/lion/b.png", "lion/b.png"),
        ("~\\data\\images\\lion\\b.png", "lion/b.png"),
    ],
)
def test_what_can_only_mean_one_image_is_found(root: Path, written: str, image: str) -> None:
    finder = ImageFinder(Path("data/images"))
    written = written.format(root=root)
    assert finder.find(written) == (image, None)
    plain = os.path.normpath(written) == image
    assert finder.renamed == ([] if plain else [(written, image)])


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("https://example.org/b.png", "a URL: download the image to data/images"),
        ("s3://bucket/lion/b.png", "a URL: download"),
        ("~/lion/b.png", "must stay below data/images: write it from there"),
        ("~\\lion\\b.png", "must stay below data/images: write it from there"),
        ("~root/lion/b.png", "must stay below data/images: write it from there"),
        ("/somewhere/lion/b.png", "must stay below data/images: write it from there"),
        ("C:\\pictures\\lion\\b.png", "must stay below data/images: write it from there"),
        ("lion/../../b.png", "has '..': write it from data/images, without"),
        ("lion/../lion/b.png", "has '..': write it from data/images, without"),
        ("lion/\0b.png", "a NUL character"),
        ("lion\\..\\..\\b.png", "no such image below data/images"),
        ("other/lion/b.png", "no such image below data/images"),
        ("lion/bb.png", "no such image below data/images; close: lion/b.png"),
    ],
)
def test_what_is_no_image_below_the_root_says_why(root: Path, written: str, reason: str) -> None:
    finder = ImageFinder(Path("data/images"))
    image, found = finder.find(written)
    assert reason in str(found)
    assert image == (written if "//" not in written else image)
    assert finder.renamed == []


def test_a_name_that_may_mean_two_files_is_not_guessed(root: Path) -> None:
    draw_image(root / "lion" / "B.png", 9)
    _, reason = ImageFinder(root).find("lion/B.PNG")
    assert "it may be any of B.png, b.png, which differ in case or accents only" in str(reason)
    assert ImageFinder(root).find("lion/b.png") == ("lion/b.png", None)


def test_a_name_in_another_case_leads_to_nothing_outside_the_root(root: Path) -> None:
    draw_image(root.parent / "secret" / "a.png", 1)
    os.symlink(root.parent / "secret", root / "out")
    for written in ("OUT/a.png", "out/A.png", "out\\a.png", "out/b.png"):
        _, reason = ImageFinder(root).find(written)
        assert reason is not None
        assert "secret" not in reason and "close" not in reason


def test_questions_about_one_image_written_in_two_ways_are_about_one_image(
    root: Path, tmp_path: Path
) -> None:
    rows = ("lion/b.png,Is it?,yes", "lion\\b.png,Is it?,yes", "images/lion/B.PNG,Is it tall?,no")
    (tmp_path / "q.csv").write_text("\n".join(("image,question,answer", *rows)))
    notes: list[str] = []
    questions = read_questions(tmp_path / "q.csv", COLUMNS, root, notes)
    assert [q.image for q in questions] == ["lion/b.png"] * 3
    assert [q.reason for q in questions] == [None, "the same question as on line 2", None]
    assert len(notes) == 1
    assert "2 images are written otherwise than their files are called" in notes[0]
    assert "the first: 'lion\\\\b.png' for 'lion/b.png'" in notes[0]


def test_an_image_is_told_by_its_content_where_its_name_says_nothing(root: Path) -> None:
    (root / "lion" / "b.png").rename(root / "lion" / "b")
    (root / "lion" / "notes.txt").write_text("no image")
    assert ImageFinder(root).find("lion/b") == ("lion/b", None)
    assert "not an image by its name" in str(ImageFinder(root).find("lion/notes.txt")[1])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("__MACOSX/lion/._b.png", "__MACOSX"),
        ("lion/._b.png", "._b.png"),
        ("lion\\THUMBS.DB", "THUMBS.DB"),
        ("@eaDir/b.png/SYNOPHOTO_THUMB_M.jpg", "@eaDir"),
        (".DS_Store", ".DS_Store"),
    ],
)
def test_a_row_about_what_systems_leave_says_so(root: Path, written: str, name: str) -> None:
    """Whether the file is there, and a picture, or not."""
    finder = ImageFinder(root)
    for _ in range(2):
        assert finder.find(written) == (
            written,
            f"{name!r} is something that systems leave, and no image: remove the row",
        )
        there = root / written.replace("\\", "/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes((root / "lion" / "b.png").read_bytes())
        finder = ImageFinder(root)
    assert "._" not in str(finder.find("lion/b2.png")[1]), "nor is it a close name"


@pytest.mark.parametrize(
    "written",
    [
        *("b.png", "/b.png", "./b.png", "//b.png", "lion/b.png", "lion//b.png", "lion/./b.png"),
        *("lion/../b.png", "link/b.png", "out/b.png", "lion/link.png", "~b.png", "none/b.png"),
    ],
)
def test_the_short_way_finds_what_the_long_one_does(root: Path, written: str) -> None:
    """Names in a folder are looked up together, unless a path may mean something else."""
    for seed, name in enumerate(("b.png", "~b.png", "../elsewhere/b.png")):
        draw_image(root / name, seed)
    (root / "link").symlink_to(root / "lion")
    (root / "out").symlink_to(root / "../elsewhere")
    (root / "lion" / "link.png").symlink_to(root / "lion" / "b.png")
    assert ImageFinder(root).find(written) == ImageFinder(root)._look_up(written)
