"""Where an archive comes from, and what the configuration says about it before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from synthsight.archives.archive import (
    MARKER,
    Archive,
    ArchiveError,
    contents,
    identity,
    local_path,
    problem_of,
    public_url,
)
from tests.plan.test_config import answered_, error, errors, load, write

__all__ = ["answered_"]

pytestmark = pytest.mark.usefixtures("answered")

SUM = "ab" * 32


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("resources").mkdir()
    Path("resources/categories.yaml").write_text("rabbit:\n  also: [hare]\n")


def unpacked(root: str, url: str = "a.zip", sha256: str = SUM) -> None:
    for name in ("pizza/1.png", "rabbit/1.png"):
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked into")
    note = {"url": identity(url), "sha256": sha256, "source": url}
    Path(root.split("/")[0], MARKER).write_text(json.dumps(note))


def images(**archive: object) -> str:
    return yaml.safe_dump({"images": {"root": "images", "archive": archive}}, sort_keys=False)


# URLs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("data/a.zip", "data/a.zip"),
        ("/data/a b.zip", "/data/a b.zip"),
        ("file:data/a.zip", "data/a.zip"),
        ("file:///data/a%20b.zip", "/data/a b.zip"),
        ("FILE://localhost/data/a.zip", "/data/a.zip"),
        ("https://example.org/a.zip", None),
    ],
)
def test_local_files_are_told_from_addresses(url: str, path: str | None) -> None:
    assert local_path(url) == (None if path is None else Path(path))
    assert problem_of(url) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/a.zip", "ftp: is not supported; write an http, https or file URL"),
        ("s3://bucket/a.zip", "s3: is not supported; write an https URL of it that is signed"),
        ("s3://bucket/a.zip", "s3: is not supported"),
        ("C:\\images.zip", "c: is not supported"),
        ("https:///a.zip", "has no host"),
        ("http://[bad/a.zip", "is not a URL"),
        ("http://example.org:port/a.zip", "is not a URL"),
        ("https://example.org/a b.zip", "contains spaces"),
        ("file://server/a.zip", "a file URL has no host"),
        ("https://drive.google.com/drive/folders/abc", "is a Google Drive folder"),
        ("https://token@example.org/a.zip", "contains a user name or password"),
        ("https://me:secret@example.org/a.zip", "put it into ~/.netrc (machine example.org"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secrets(url: str, said: str) -> None:
    found = error(write(images=images(url=url)))
    assert found.startswith("config.yaml, line 5, images.archive.url: ")
    assert said in found
    assert "secret" not in found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://example.org/a.zip?X-Token=secret&b=",
            "https://example.org/a.zip?X-Token=...&b=...",
        ),
        ("https://me:secret@example.org:8443/a.zip#x", "https://example.org:8443/a.zip"),
        (
            "https://drive.google.com/uc?id=1n2&key=secret",
            "https://drive.google.com/uc?id=1n2&key=...",
        ),
        ("file:a.zip?b", "file:a.zip?b"),
    ],
)
def test_what_is_shown_of_an_address_is_no_secret(url: str, shown: str) -> None:
    assert public_url(url) == shown


# The configuration -------------------------------------------------------------------------------


def test_before_it_is_unpacked_there_are_models_and_no_categories() -> None:
    found = load(write(images=images(url="https://example.org/a.zip"), x="categories: [pizza]"))
    assert found.pending
    assert found.archive == Archive("https://example.org/a.zip", None, Path("images"))
    assert found.categories == {}
    assert list(found.models) == ["alexnet.IMAGENET1K_V1"]
    Path("images").mkdir()
    assert load(write(images=images(url="https://example.org/a.zip"))).pending


def test_what_is_wrong_elsewhere_is_told_before_anything_is_downloaded() -> None:
    more = "categories: [pizza, pizza]\ncategory_definitions: no.yaml"
    found = errors(write(images=images(url="ftp://example.org/a.zip"), x=more))
    assert len(found) == 3
    assert "ftp: is not supported" in found[0]
    assert "no file 'no.yaml'" in found[1]
    assert "'pizza' is listed twice" in found[2]


def test_once_it_is_unpacked_the_categories_are_those_of_the_folder() -> None:
    unpacked("images")
    found = load(write(images=images(url="a.zip", sha256=SUM.upper())))
    assert not found.pending
    assert list(found.categories) == ["pizza", "rabbit"]


def test_questions_wait_for_the_images_and_their_models_do_not() -> None:
    vqa = "vqa: {questions: no.csv, models: [OFA-Sys/ofa-tiny]}"
    found = load(write(images=images(url="https://example.org/a.zip"), vqa=vqa))
    assert found.vqa is not None
    assert list(found.vqa.models) == ["ofa-tiny"]
    assert found.vqa.shards == {}


@pytest.mark.parametrize(
    ("archive", "pending"),
    [
        ({"url": "a.zip"}, False),
        ({"url": "a.zip", "sha256": SUM}, False),
        ({"url": "https://elsewhere.example/b.zip", "sha256": SUM}, False),
        ({"url": "https://elsewhere.example/b.zip"}, True),
        ({"url": "https://example.org/a.zip", "sha256": "cd" * 32}, True),
    ],
)
def test_the_sum_decides_whether_it_is_there_and_without_one_the_address(
    archive: dict[str, str], pending: bool
) -> None:
    unpacked("images")
    assert load(write(images=images(**archive))).pending is pending


def test_a_folder_in_the_archive_is_the_images_root() -> None:
    unpacked("images/data/set 1")
    found = load(write(images=images(url="a.zip", folder="data/set 1")))
    assert found.settings.images.root == "images/data/set 1"
    assert list(found.categories) == ["pizza", "rabbit"]
    missing = error(write(images=images(url="a.zip", folder="date")))
    assert "images.archive.folder: no folder 'date' in the archive; folders there: data" in missing


@pytest.mark.parametrize("folder", ["..", "data/../..", "/etc"])
def test_the_folder_cannot_lead_out_of_the_archive(folder: str) -> None:
    unpacked("images")
    found = error(write(images=images(url="a.zip", folder=folder)))
    assert f"images.archive.folder: {folder!r} is not a folder in the archive" in found


def test_images_of_the_user_s_are_not_taken_for_the_archive_s() -> None:
    path = Path("images/pizza/1.png")
    path.parent.mkdir(parents=True)
    path.touch()
    found = error(write(images=images(url="https://example.org/a.zip")))
    assert "images.root: 'images' holds files that did not come from images.archive" in found
    assert "To use them, remove `archive`" in found


def test_a_local_archive_that_is_not_there_is_named() -> None:
    found = error(write(images=images(url="file:no.zip")))
    assert "images.archive.url: no file 'no.zip' (relative paths start at" in found


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        ({}, "images.archive.url: missing. Where it is"),
        (
            {"url": "a.zip", "sha256": "abc"},
            'images.archive.sha256: found "abc". Its sha256 in hex',
        ),
        ({"url": "a.zip", "md5": "abc"}, "images.archive.md5: unknown key"),
    ],
)
def test_slips_are_named(archive: dict[str, str], said: str) -> None:
    assert said in error(write(images=images(**archive)))


@pytest.mark.parametrize("note", ["", "{", "[]", "\udcff"])
def test_a_damaged_note_is_none(note: str) -> None:
    unpacked("images")
    Path("images", MARKER).write_bytes(note.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArchiveError, match="did not come from"):
        Archive("a.zip", None, Path("images")).is_unpacked()


def test_the_digest_of_the_contents_sees_every_change() -> None:
    unpacked("images")
    seen = {contents(Path("images"))}
    file = Path("images/pizza/1.png")
    for change in (
        lambda: file.write_bytes(b"another"),
        lambda: file.rename("images/pizza/2.png"),
        lambda: Path("images/.hidden").touch(),
        lambda: Path("images/empty").mkdir(),
        lambda: Path("images/link").symlink_to("pizza"),
    ):
        change()
        seen.add(contents(Path("images")))
    assert len(seen) == 6
    Path("images", MARKER).write_text("{}")
    assert contents(Path("images")) in seen
