"""An archive of images: fetched, put into place as a whole, and followed by the rest of the run."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synthsight.archives import download as download_module
from synthsight.archives import fetch as module
from synthsight.archives.archive import MARKER, Archive, ArchiveError
from synthsight.archives.fetch import fetch_images
from tests.archives.test_unpack import info, packed, tarred
from tests.loopback_files import Answer, Files, serve
from tests.support import Project

MEMBERS = {"dream/bagel/1.png": b"1", "dream/clock/1.png": b"2", "muse/read me.txt": b"3"}
CONTENT = packed("zip", MEMBERS)
SUM = hashlib.sha256(CONTENT).hexdigest()

Server = tuple[str, type[Files]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download_module, "WAIT", 0.01)
    monkeypatch.setattr(download_module, "ATTEMPTS", 1)
    with serve(CONTENT) as (url, files):
        yield f"{url}/a.zip", files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def fetch(url: str, root: Path, sha256: str | None = SUM) -> str:
    said: list[str] = []
    fetch_images(Archive(url, sha256, root), said.append)
    return "\n".join(said)


def failure(url: str, root: Path, sha256: str | None = SUM) -> str:
    with pytest.raises(ArchiveError) as caught:
        fetch(url, root, sha256)
    return str(caught.value)


def found(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != MARKER
    }


# Into place --------------------------------------------------------------------------------------


def test_it_is_unpacked_with_a_note_of_its_source(server: Server, root: Path) -> None:
    said = fetch(server[0] + "?token=secret", root)
    assert found(root) == MEMBERS
    note = json.loads((root / MARKER).read_text())
    assert note["source"] == server[0] + "?token=..."
    assert (note["sha256"], note["bytes"], note["files"]) == (SUM, len(CONTENT), 3)
    assert note["fetched"].endswith("+00:00")
    assert "secret" not in said + json.dumps(note)
    assert os.listdir(root.parent) == ["images"], "the archive and all that was needed are gone"
    assert "2 images in 2 folders, and 1 other files" in said
    assert "    'dream/bagel': 1 images" in said
    assert "sha256" not in said
    fetch(server[0], root)
    assert len(server[1].asked) == 1, "what is there is not fetched again"


def test_without_a_sum_it_says_what_to_write(server: Server, root: Path) -> None:
    assert f"    sha256: {SUM}" in fetch(server[0], root, None)
    assert json.loads((root / MARKER).read_text())["sha256"] == SUM


@pytest.mark.parametrize("place", ["{}", "file:{}"])
def test_a_local_archive_is_left_where_it_is(root: Path, place: str) -> None:
    path = root.parent / "my archive.zip"
    path.write_bytes(CONTENT)
    fetch(place.format(path), root)
    assert found(root) == MEMBERS
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("seconds", [0.0, -1e6], ids=["newer", "older"])
def test_a_local_archive_that_is_exchanged_is_unpacked_again(root: Path, seconds: float) -> None:
    """Without a sum, too, and whatever the times of the file in its place."""
    path = root.parent / "a.zip"
    path.write_bytes(CONTENT)
    archive = Archive(str(path), None, root)
    fetch(str(path), root, None)
    assert archive.is_unpacked()
    os.utime(path)
    assert archive.is_unpacked(), "it holds the same"
    other = {"dream/bagel/1.png": b"2", "dream/clock/1.png": b"1"}
    new = path.with_name("new.zip")
    new.write_bytes(packed("zip", other))
    time = path.stat().st_mtime + seconds
    os.utime(new, (time, time))
    os.replace(new, path)
    assert not archive.is_unpacked()
    fetch(str(path), root, None)
    assert found(root) == other
    path.unlink()
    assert archive.is_unpacked(), "what was unpacked stays"


def test_a_root_that_is_a_link_stays_one(server: Server, root: Path) -> None:
    target = root.parent / "big disk" / "images"
    root.symlink_to(target)
    fetch(server[0], root)
    assert root.is_symlink()
    assert found(target) == MEMBERS


def test_one_folder_around_all_is_pointed_out(root: Path) -> None:
    path = root.parent / "a.zip"
    path.write_bytes(packed("zip", {f"The data/{name}": b"" for name in MEMBERS}))
    said = fetch(str(path), root, None)
    assert 'set images.archive.folder: "The data"' in said


def test_what_was_left_out_is_said_and_noted(root: Path) -> None:
    path = root.parent / "a.tar"
    links = [info(f"link{n}", type=tarfile.SYMTYPE, linkname="/etc") for n in range(150)]
    path.write_bytes(tarred(("a.png", b"1"), *links))
    said = fetch(str(path), root, None)
    assert "left out: 'link0': a symbolic link" in said
    assert "... and 130 more" in said
    note = json.loads((root / MARKER).read_text())
    assert note["left_out"] == 150
    assert len(note["left_out_first"]) == 100


# Nothing else is touched -------------------------------------------------------------------------


def test_the_user_s_own_images_stay(server: Server, root: Path) -> None:
    (root / "bagel").mkdir(parents=True)
    (root / "bagel" / "mine.png").write_bytes(b"mine")
    assert "holds files that did not come from images.archive" in failure(server[0], root)
    assert found(root) == {"bagel/mine.png": b"mine"}
    assert server[1].asked == []


def test_another_archive_takes_the_place_of_an_untouched_one(server: Server, root: Path) -> None:
    fetch(server[0], root)
    new = packed("tar.gz", {"bagel/new.png": b"4"})
    server[1].content = new
    server[1].usual = Answer(etag='"two"')
    fetch(server[0], root, hashlib.sha256(new).hexdigest())
    assert found(root) == {"bagel/new.png": b"4"}
    assert os.listdir(root.parent) == ["images"]


def test_what_systems_leave_in_an_unpacked_folder_is_no_change(server: Server, root: Path) -> None:
    fetch(server[0], root)
    for name in (".DS_Store", "dream/Thumbs.db", "dream/bagel/._1.png", "@eaDir/1.png/thumb.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    server[1].content = packed("zip", {"bagel/new.png": b"4"})
    server[1].usual = Answer(etag='"two"')
    fetch(server[0], root, hashlib.sha256(server[1].content).hexdigest())
    assert found(root) == {"bagel/new.png": b"4"}


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "dream" / "bagel" / "mine.png").touch(),
        lambda root: (root / "dream" / "bagel" / "1.png").unlink(),
        lambda root: (root / "dream" / "bagel" / "1.png").write_bytes(b"cropped"),
    ],
)
def test_what_a_person_changed_is_not_replaced(
    server: Server, root: Path, change: Callable[[Path], object]
) -> None:
    fetch(server[0], root)
    change(root)
    before = found(root)
    server[1].content = packed("zip", {"bagel/new.png": b"4"})
    said = failure(server[0], root, "cd" * 32)
    assert "files in it have been added, changed or removed since, so it is left alone" in said
    assert found(root) == before
    assert len(server[1].asked) == 1


@pytest.mark.parametrize("content", [CONTENT, b"<!DOCTYPE html>"])
def test_of_a_refused_archive_nothing_is_left(server: Server, root: Path, content: bytes) -> None:
    server[1].content = content
    said = failure(server[0], root, "cd" * 32)
    if content is CONTENT:
        assert f"its sha256 is {SUM}, but images.archive.sha256 is {'cd' * 32}" in said
    else:
        assert "it is a web page, not an archive" in said
    assert "It was deleted, so the next run downloads it again" in said
    assert list(root.parent.iterdir()) == []


def test_a_hostile_archive_changes_nothing_and_is_kept_if_it_is_the_one_asked_for(
    server: Server, tmp_path: Path
) -> None:
    root = tmp_path / "a" / "b" / "images"  # where the archive aims at lies in this test's folder
    fetch(server[0], root)
    evil = packed("zip", {"a.png": b"x", "../../evil.png": b"x"})
    server[1].content, server[1].usual = evil, Answer(etag='"two"')
    said = failure(server[0], root, hashlib.sha256(evil).hexdigest())
    assert "'../../evil.png' leads out of the folder" in said
    assert f"It is kept: {root.parent / '.images.synthsight' / 'archive'}" in said
    assert found(root) == MEMBERS
    assert not list(tmp_path.rglob("evil.png"))


def test_a_server_that_cuts_short_what_it_states_is_found_out(server: Server, root: Path) -> None:
    server[1].usual = Answer(stated=len(CONTENT) // 2)
    assert "damaged or truncated" in failure(server[0], root, None)
    server[1].usual = Answer()
    fetch(server[0], root, None)
    assert found(root) == MEMBERS


def test_a_download_that_breaks_off_is_kept_for_the_next_time(server: Server, root: Path) -> None:
    server[1].script = [Answer(cut=100)]
    assert "What has arrived (100 bytes) is kept" in failure(server[0], root)
    assert not root.exists()
    fetch(server[0], root)
    assert found(root) == MEMBERS
    assert [asked.range for asked in server[1].asked] == [None, "bytes=100-"]


def test_what_a_killed_process_left_behind_is_cleared_away(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    for place in ("unpack_all", "contents", "describe"):
        with monkeypatch.context() as patch:
            patch.setattr(module, place, killed)
            with pytest.raises(KilledError):
                fetch(server[0], root)
        assert place == "describe" or not root.exists(), "as a whole or not at all"
    fetch(server[0], root)
    assert found(root) == MEMBERS
    assert os.listdir(root.parent) == ["images"]
    assert len(server[1].asked) == 1, "the download was complete"


def test_two_processes_do_not_work_at_a_time(server: Server, root: Path) -> None:
    work = root.parent / ".images.synthsight"
    work.mkdir()
    with open(work / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process is at work in" in failure(server[0], root)
    fetch(server[0], root)


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "could not be written (" in failure(server[0], tmp_path / "file" / "images")


# The workflow ------------------------------------------------------------------------------------


@pytest.fixture
def remote(project: Project) -> Iterator[tuple[Project, type[Files]]]:
    """The small project with one model and no images but those that a server has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as handle:
        handle.add(project.folder / "pictures", "set")
    shutil.rmtree(project.folder / "pictures")
    shutil.rmtree(project.results)
    with serve(buffer.getvalue()) as (url, files):
        archive = {
            "url": f"{url}/a.tar.gz?token=secret",
            "sha256": hashlib.sha256(files.content).hexdigest(),
            "folder": "set",
        }
        config = project.config
        config["images"] = {"root": "pictures", "archive": archive}
        config["models"] = config["models"][:1]
        project.configure(config)
        yield project, files


def reconfigure(project: Project, **archive: object) -> None:
    config = project.config
    config["images"]["archive"].update(archive)
    project.configure(config)


FETCH = {("fetch_images",), ("logits",)}


@pytest.mark.long
def test_one_command_fetches_and_goes_on(remote: tuple[Project, type[Files]]) -> None:
    project, files = remote
    half = len(files.content) // 2
    files.script = [Answer(cut=half)]
    assert project.plan("logits") == FETCH
    assert files.asked == [], "a dry run downloads nothing"
    said = project.run("logits")
    assert [asked.range for asked in files.asked] == [None, f"bytes={half}-"]
    assert sum(files.sent) == len(files.content)
    assert "The images are here. Continuing with the same command." in said
    assert not list(project.folder.glob(".snakemake/synthsight/fetched-*"))
    printed = project.snakemake("--dry-run", "--printshellcmds", "report").stdout
    assert '/a.tar.gz?token=..."' in printed, "the report shows the settings"
    logits = {path.name for path in (project.results / "logits" / "effnet").iterdir()}
    assert logits == {f"{name}.parquet" for name in ("bagel", "clock", "toilet_seat")}
    assert not list(project.folder.glob(".snakemake/locks/*"))
    # Nothing is left to do, also if the same archive is somewhere else.
    port = said.split("http://127.0.0.1:")[1].split("/")[0]
    reconfigure(project, url=f"http://127.0.0.1:{port}/b.tar.gz")
    assert project.plan("logits") == set()
    # What was deleted is fetched again, and is then what it was: nothing else runs.
    shutil.rmtree(project.folder / "pictures")
    project.run("images")
    assert len(files.asked) == 3
    assert project.plan("logits") == set()
    kept = "".join(
        path.read_text(errors="replace")
        for folder in (".snakemake", "results", "pictures")
        for path in (project.folder / folder).rglob("*")
        if path.is_file() and path.suffix not in (".png", ".parquet", ".arrow")
    )
    assert "secret" not in kept + said + printed


@pytest.mark.long
def test_the_parts_before_images_run_without_them(remote: tuple[Project, type[Files]]) -> None:
    project, files = remote
    assert {job[0] for job in project.plan("weights")} <= {"fetch_weights", "fetch_vqa", "weights"}
    assert "Going on" not in project.run("images")
    assert project.plan("images") == set()
    assert len(files.asked) == 1


@pytest.mark.long
def test_files_cannot_be_asked_for_by_name_before(remote: tuple[Project, type[Files]]) -> None:
    project, _ = remote
    for target in ("results/small/tables/accuracy.csv", "aggregate"):
        said = project.fail("--dry-run", target)
        assert f"No rule to produce {target}" in said
        assert "`snakemake images` does only this part" in said
    assert "secret" not in said


@pytest.mark.long
def test_a_failed_fetch_ends_the_run_with_its_reason(remote: tuple[Project, type[Files]]) -> None:
    project, files = remote
    files.usual = Answer(b"<html>", headers={"Content-Type": "text/html"})
    said = project.fail("logits")
    assert "the server sends a web page, not an archive" in said
    assert "Going on" not in said
    assert "secret" not in said
    assert not (project.folder / "pictures").exists()
    assert project.plan("logits") == FETCH, "it is tried again"
    files.usual = Answer()
    project.run("images")


@pytest.mark.long
def test_another_sum_replaces_what_is_there(remote: tuple[Project, type[Files]]) -> None:
    project, files = remote
    config = project.config
    del config["vqa"]  # its questions are about all of the images
    project.configure(config)
    reconfigure(project, sha256=None)
    assert "    sha256: " in project.run("images")
    pictures = project.folder / "pictures"
    picture = next(pictures.rglob("*.png")).read_bytes()
    new = packed("zip", {"set/bagel/1.png": picture})
    files.content, files.usual = new, Answer(etag='"two"')
    reconfigure(project, sha256="cd" * 32)
    before = found(pictures)
    assert "images.archive.sha256 is cdcd" in project.fail("images")
    assert found(pictures) == before
    reconfigure(project, sha256=hashlib.sha256(new).hexdigest())
    assert project.plan("images") == {("fetch_images",), ("images",)}
    project.run("images")
    assert found(pictures) == {"set/bagel/1.png": picture}
    assert project.plan("images") == set()


@pytest.mark.long
def test_a_download_that_is_killed_goes_on(remote: tuple[Project, type[Files]]) -> None:
    project, files = remote
    half = len(files.content) // 2
    files.script = [Answer(cut=half, stall=True)]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("snakemake"), "--cores", "1", "images"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(project.folder / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    part = project.folder / ".pictures.synthsight" / "archive"
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("downloading"):
            break
    while not part.exists() or part.stat().st_size < 1:
        if process.poll() is not None:
            pytest.fail("it ended by itself")
        os.sched_yield()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # As Snakemake says after a kill.
    project.run("--unlock")
    project.run("images")
    assert found(project.folder / "pictures")
    first, second = files.asked
    assert first.range is None
    assert second.range is None or int(second.range[6:-1]) <= half
    assert sum(files.sent) <= len(files.content) + half
