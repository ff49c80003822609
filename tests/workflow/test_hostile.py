"""No file stops a job, is waited for, leads out of the images' root or shifts another's row."""

from __future__ import annotations

import ctypes
import faulthandler
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthsight.images import examine as examine_module
from synthsight.images import reading as images_module
from synthsight.images.examine import HelperError, examine_all, max_memory
from synthsight.images.geometry import Geometry
from synthsight.images.manifest import (
    ImageRecord,
    find_files,
    index_images,
    list_folders,
    read_manifest,
)
from synthsight.images.pixels import prepare_pixels, read_batches
from synthsight.images.reading import ChangedImageError, UnusableImageError, open_checked, open_rgb
from tests import hostile
from tests.support import Project, assert_close

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"

#: Smaller than the default, so that the bombs, of 81 million pixels, are bombs.
MAX_PIXELS = 20_000_000

GOOD = 40
FLIPS = 1_400


class Watch:
    """Notes every file that any process opens or reads in some folders (Linux's inotify)."""

    ACCESS, OPEN, ISDIR = 0x1, 0x20, 0x40000000

    def __init__(self, *folders: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.handle = libc.inotify_init1(os.O_NONBLOCK)
        for folder in folders:
            mask = self.ACCESS | self.OPEN
            assert libc.inotify_add_watch(self.handle, os.fsencode(folder), mask) >= 0

    def seen(self) -> list[bytes]:
        """Names opened or read since; looking into the folders themselves is not counted."""
        found, place = [], 0
        try:
            events = os.read(self.handle, 2**16)
        except BlockingIOError:
            return []
        while place < len(events):
            _, mask, _, length = struct.unpack_from("iIII", events, place)
            name = events[place + 16 : place + 16 + length].rstrip(b"\0")
            if not mask & self.ISDIR:
                found.append(name)
            place += 16 + length
        return found


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the images' root, with pictures that nobody may read."""
    return make_outside(tmp_path)


def make_outside(folder: Path) -> Path:
    outside = folder / "outside"
    (outside / "deep").mkdir(parents=True)
    for place in (outside, outside / "deep"):
        (place / "secret.png").write_bytes(hostile.encoded(999, "plain.png"))
    return outside


def test_the_watch_notices_what_is_read(outside: Path) -> None:
    watch = Watch(outside)
    assert watch.seen() == []
    (outside / "secret.png").read_bytes()
    assert b"secret.png" in watch.seen()


# --- The corpus -------------------------------------------------------------------------------


class Indexed:
    """The corpus, indexed once by the real program."""

    def __init__(self, folder: Path) -> None:
        self.root, self.alone = folder / "root", folder / "alone"
        self.outside = make_outside(folder)
        category = self.root / "cat"
        hostile.write_corpus(category, FLIPS)
        self.special = hostile.place_special_files(category, self.root, self.outside)
        (self.alone / "cat").mkdir(parents=True)
        self.good = []
        kinds = list(hostile.FORMATS)
        neighbours = sorted(os.listdir(os.fsencode(category)))
        for number in range(GOOD):
            # Each right behind another hostile file in the order of names.
            before = neighbours[number * len(neighbours) // GOOD].decode("utf-8", "replace")
            kind = kinds[number % len(kinds)]
            name = f"{before[:100].replace('/', '_')}.good{number}.{kind.rpartition('.')[2]}"
            content = hostile.encoded(10_000 + number, kind, (60 + number, 50))
            for root in (self.root, self.alone):
                (root / "cat" / name).write_bytes(content)
            self.good.append(f"cat/{name}")
        names = os.listdir(os.fsencode(category))
        self.count = sum(not name.startswith(b".") for name in names)
        watch = Watch(self.outside, self.outside / "deep")
        self.start = time.perf_counter()
        self.log, self.peak = run_index(self.root, folder / "manifest.parquet")
        self.seconds = time.perf_counter() - self.start
        self.seen = watch.seen()
        self.records = {
            record.image: record for record in read_manifest(folder / "manifest.parquet")
        }


#: Runs a command and says what most memory it had. The kernel counts what a process had before it
#: became another program, so the command must not be a direct child of these tests.
PEAK = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
sys.exit(status)
"""


def run_index(root: Path, output: Path) -> tuple[str, int]:
    """Run the program; returns what it says, and the most memory a process of it had, in bytes."""
    spec = {"root": str(root), "category": "cat", "folders": [[None, "cat"]]}
    command = [sys.executable, str(SCRIPTS / "index_images.py"), "--threads", "2"]
    command += ["--spec", json.dumps({**spec, "max_pixels": MAX_PIXELS}), "--output", str(output)]
    completed = subprocess.run(
        [sys.executable, "-c", PEAK, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _, peak = completed.stdout.rstrip("\n").rpartition("\n")
    assert completed.returncode == 0, completed.stdout
    return said, int(peak) * 1024


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_corpus_harms_nothing(tmp_path: Path) -> None:
    """In one test, since all of it is made once, for every process that tests run in."""
    indexed = Indexed(tmp_path)
    every_file_is_either_usable_or_excluded_with_a_reason(indexed)
    the_good_images_are_what_they_are_alone(indexed, tmp_path)
    nothing_outside_the_root_is_opened(indexed)
    names_are_kept_as_they_are(indexed)
    assert indexed.peak < max_memory(MAX_PIXELS)
    assert indexed.seconds < 120
    excluded = sum(record.status == "excluded" for record in indexed.records.values())
    assert indexed.log.count("\n") <= excluded + 10  # no warnings by the thousand


def every_file_is_either_usable_or_excluded_with_a_reason(indexed: Indexed) -> None:
    assert indexed.count == len(indexed.records) > 3_000
    for record in indexed.records.values():
        assert record.status == ("ok" if record.reason is None else "excluded")
        assert (record.width is None) == (record.reason is not None)
    usable = [record for record in indexed.records.values() if record.status == "ok"]
    assert GOOD < len(usable) < len(indexed.records)
    assert all(record.width * record.height <= MAX_PIXELS for record in usable)
    assert "Traceback" not in indexed.log


def the_good_images_are_what_they_are_alone(indexed: Indexed, folder: Path) -> None:
    alone = {record.image: record for record in index_images(indexed.alone, "cat", [(None, "cat")])}
    assert {image: indexed.records[image] for image in indexed.good} == alone
    expected = pixels_of(indexed.alone, list(alone.values()), folder / "alone.arrow")
    found = pixels_of(indexed.root, list(indexed.records.values()), folder / "all.arrow")
    assert len(expected) == GOOD
    for image, pixels in expected.items():
        assert np.array_equal(found[image], pixels), image
    usable = {image for image, record in indexed.records.items() if record.status == "ok"}
    assert set(found) == usable


def pixels_of(root: Path, records: list[ImageRecord], output: Path) -> dict[str, np.ndarray]:
    usable = [
        (record.image, record.width, record.height) for record in records if record.status == "ok"
    ]
    sha256 = {record.image: record.sha256 for record in records}
    prepare_pixels(usable, root, Geometry(16, None, "bilinear"), output, MAX_PIXELS, 2, sha256)
    return {
        image: row.copy()
        for images, pixels in read_batches(output, 64)
        for image, row in zip(images, pixels, strict=True)
    }


def nothing_outside_the_root_is_opened(indexed: Indexed) -> None:
    assert indexed.seen == []
    for name in indexed.special:
        record = indexed.records[f"cat/{name}"]
        assert record.status == "excluded", name
        assert record.sha256 is None, name


def names_are_kept_as_they_are(indexed: Indexed) -> None:
    readable = 0
    for name in hostile.names():
        if name.startswith(b"."):
            continue
        image = f"cat/{(name + b'.png').decode('utf-8', 'backslashreplace')}"
        record = indexed.records[image]
        try:
            name.decode()
        except UnicodeDecodeError:
            assert "not valid UTF-8" in str(record.reason)
            continue
        assert record.status == "ok" or "not valid" not in str(record.reason)
        readable += record.status == "ok"
    assert readable > 40


# --- Many files, deep folders -----------------------------------------------------------------


@pytest.mark.long
def test_ten_thousand_tiny_files_take_seconds(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for number in range(10_000):
        content = hostile.png(1, 1, (b"tEXt", b"number\0%d" % number))
        (tmp_path / "cat" / f"{number}.png").write_bytes(content)
    start = time.process_time()
    records = index_images(tmp_path, "cat", [(None, "cat")])
    assert len(records) == 10_000
    assert all(record.status == "ok" for record in records)
    assert time.process_time() - start < 30


@pytest.mark.long
def test_folders_deeper_than_python_recurses(tmp_path: Path) -> None:
    deep = tmp_path / "cat"
    deep.mkdir()
    for _ in range(1_200):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.png").write_bytes(hostile.encoded(1, "plain.png"))
    try:
        (record,) = index_images(tmp_path, "cat", [(None, "cat")])
        assert record.status == "ok"
        assert list_folders([tmp_path / "cat"]).images == 1
    finally:  # Python's own removal of folders recurses
        (deep / "a.png").unlink()
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent


def test_folders_deeper_than_a_path_can_be_are_excluded(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(hostile.encoded(1, "plain.png"))
    folder = os.open(tmp_path / "cat", os.O_RDONLY)
    names = ["d" * 200] * 25
    for name in names:
        os.mkdir(name, dir_fd=folder)
        deeper = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    os.close(folder)
    first, deep = index_images(tmp_path, "cat", [(None, "cat")])
    assert first.status == "ok"
    assert "File name too long" in str(deep.reason)
    assert list_folders([tmp_path / "cat"]).files == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_excluded(tmp_path: Path) -> None:
    (tmp_path / "cat" / "closed").mkdir(parents=True, mode=0)
    (record,) = index_images(tmp_path, "cat", [(None, "cat")])
    assert record.image == "cat/closed"
    assert record.status == "excluded"


def test_a_folder_that_cannot_be_looked_into_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cat" / "closed").mkdir(parents=True)
    (tmp_path / "cat" / "a.png").write_bytes(hostile.encoded(1, "plain.png"))
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [path.name for path in find_files(tmp_path / "cat")] == ["a.png", "closed"]


# --- Faults of decoders -----------------------------------------------------------------------


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Five pictures; the third is given to the faulty decoder."""
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(hostile.encoded(number, "plain.png"))
    return tmp_path


def faulty(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], object]) -> None:
    bad = hostile.encoded(2, "plain.png")
    decode = examine_module.decode_rgb

    def decode_or_fail(content: bytes, max_pixels: int) -> Image.Image:
        if content == bad:
            fault()
        return decode(content, max_pixels)

    monkeypatch.setattr(examine_module, "decode_rgb", decode_or_fail)


def crash(how: Callable[[], object]) -> None:
    """Die as a decoder would, without the dump that pytest has every process of its own write."""
    faulthandler.disable()
    how()


def segfault() -> None:
    crash(lambda: os.kill(os.getpid(), signal.SIGSEGV))


def abort() -> None:
    crash(os.abort)


def spin() -> None:
    while True:
        pass


def hoard() -> None:
    hoarded = []
    while True:
        hoarded.append(bytes(10**7))


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (segfault, "makes its decoder crash (SIGSEGV)"),
        (abort, "makes its decoder crash (SIGABRT)"),
        (spin, "takes more than 1 s to decode"),
        (hoard, "takes more than 0.2 GB to decode"),
    ],
    ids=["segmentation fault", "abort", "endless", "memory"],
)
def test_a_file_that_harms_its_decoder_is_excluded_and_no_other(
    five: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], object],
    reason: str,
    processes: int,
) -> None:
    monkeypatch.setattr(examine_module, "max_seconds", lambda _: 1 if fault is spin else 60)
    monkeypatch.setattr(examine_module, "max_memory", lambda _: 200_000_000)
    names = [f"{number}.png" for number in range(5)]
    before = examine_all(five, names, 10_000)
    faulty(monkeypatch, fault)
    after = examine_all(five, names, 10_000, processes)
    assert after[2] == before[2]._replace(width=None, height=None, reason=reason)
    assert after[:2] + after[3:] == before[:2] + before[3:]


def test_what_was_found_is_in_the_order_of_the_images_whichever_was_first(
    five: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.png" for number in range(5)]
    before = examine_all(five, names, 10_000)
    assert len({found.sha256 for found in before}) == 5
    faulty(monkeypatch, lambda: time.sleep(1))  # the third is the last one to be done
    assert examine_all(five, names, 10_000, 3) == before


def test_a_helper_that_is_killed_from_outside_is_not_the_images_fault(
    five: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(HelperError, match=r"'2\.png': .* \(SIGKILL\)\. If memory ran out"):
        examine_all(five, [f"{number}.png" for number in range(5)], 10_000)


@pytest.mark.long
def test_helpers_end_with_a_job_that_is_killed(five: Path) -> None:
    (five / "go").mkdir()
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from synthsight.images import examine\n"
        "decode = examine.decode_rgb\n"
        "def note(content, max_pixels):\n"
        "    Path('go', str(os.getpid())).touch()\n"
        "    return decode(content, max_pixels)\n"
        "examine.decode_rgb = note\n"
        "names = [f'{n}.png' for n in range(5)] * 100_000\n"
        "examine.examine_all(Path('.'), names, 10_000, 3)\n"
    )
    job = subprocess.Popen([sys.executable, "-c", program], cwd=five)
    try:
        wait_for(lambda: len(os.listdir(five / "go")) == 3)
    finally:
        job.kill()
        job.wait()
    helpers = [int(name) for name in os.listdir(five / "go")]
    wait_for(lambda: not any(is_running(helper) for helper in helpers))


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited for nothing"
        time.sleep(0.01)


def test_a_jpeg_has_a_bounded_number_of_scans(tmp_path: Path) -> None:
    (tmp_path / "few.jpg").write_bytes(hostile.jpeg_of_scans(80, (64, 64)))
    (tmp_path / "many.jpg").write_bytes(hostile.jpeg_of_scans(101, (64, 64)))
    few, many = examine_all(tmp_path, ["few.jpg", "many.jpg"], 10_000)
    assert few.reason is None
    assert many.reason == "a JPEG of more than 100 scans"


def test_what_stands_behind_a_jpeg_or_in_its_metadata_is_no_scan(tmp_path: Path) -> None:
    """Phones append films, in which any two bytes occur."""
    whole = hostile.encoded(1, "baseline.jpg")
    noise = b"\xff\xda\0\1" * 5_000
    (tmp_path / "film.jpg").write_bytes(whole + noise)
    (tmp_path / "note.jpg").write_bytes(hostile.jpeg_with(whole, (0xEF, noise)))
    for name in ("film.jpg", "note.jpg"):
        assert open_rgb(tmp_path, name).size == (48, 40)


# --- Files that change ------------------------------------------------------------------------


def test_a_file_that_is_swapped_for_a_link_when_it_is_opened_is_refused(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "root" / "cat" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(hostile.encoded(1, "plain.png"))
    check = images_module._check_regular

    def swap(status: os.stat_result) -> None:
        check(status)
        path.unlink(missing_ok=True)
        path.symlink_to(outside / "secret.png")

    monkeypatch.setattr(images_module, "_check_regular", swap)
    watch = Watch(outside)
    with pytest.raises(UnusableImageError, match="replaced while it was opened"):
        open_rgb(tmp_path / "root", "cat/a.png")
    assert watch.seen() == []


def test_a_folder_that_is_swapped_for_a_link_on_the_way_is_not_entered(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "root" / "cat"
    folder.mkdir(parents=True)
    (folder / "secret.png").write_bytes(hostile.encoded(1, "plain.png"))
    opened = os.open

    def swap(path: str, *arguments: int, dir_fd: int | None = None) -> int:
        if path == "cat":
            shutil.rmtree(folder)
            folder.symlink_to(outside)
        return opened(path, *arguments, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap)
    watch = Watch(outside)
    with pytest.raises(UnusableImageError, match="replaced while it was opened"):
        open_rgb(tmp_path / "root", "cat/secret.png")
    assert watch.seen() == []


@pytest.mark.long
def test_a_race_of_links_is_never_lost(tmp_path: Path, outside: Path) -> None:
    """A file and the folder it is in become links and files again all the while."""
    root = tmp_path / "root"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
    inside = hostile.encoded(1, "plain.png")
    end = threading.Event()

    def swap() -> None:
        while not end.is_set():
            (root / "new").write_bytes(inside)
            os.replace(root / "new", root / "a" / "secret.png")
            os.symlink(outside / "secret.png", root / "link")
            os.replace(root / "link", root / "a" / "secret.png")
            os.rename(root / "a", root / "aside")
            os.symlink(outside, root / "a")
            os.unlink(root / "a")
            os.rename(root / "aside", root / "a")

    watch = Watch(outside, outside / "deep")
    thread = threading.Thread(target=swap)
    thread.start()
    good = np.asarray(hostile.picture(1))
    outcomes: dict[str, int] = {}
    try:
        for _ in range(3_000):
            try:
                assert np.array_equal(np.asarray(open_rgb(root, "a/secret.png")), good)
                outcome = "read"
            except UnusableImageError as error:
                outcome = str(error)
            except OSError as error:
                outcome = str(error.strerror)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    finally:
        end.set()
        thread.join()
    assert watch.seen() == []
    assert len(outcomes) > 1, outcomes


def test_an_image_that_changed_since_it_was_checked_is_not_decoded(tmp_path: Path) -> None:
    content = hostile.encoded(1, "plain.bmp")
    (tmp_path / "a.bmp").write_bytes(content[:-1] + b"\xff")
    digest = hashlib.sha256(content).hexdigest()
    with pytest.raises(ChangedImageError, match=r"^a\.bmp: changed since indexing: its bytes"):
        open_checked(tmp_path, "a.bmp", digest)
    (tmp_path / "a.bmp").write_bytes(content)
    assert open_checked(tmp_path, "a.bmp", digest).size == (48, 40)


@pytest.mark.long
def test_files_that_vanish_and_grow_while_they_are_indexed(tmp_path: Path) -> None:
    """Files come, go and change all the while; what is found has a row each."""
    folder = tmp_path / "cat"
    folder.mkdir()
    whole = hostile.encoded(1, "plain.tif")
    end = threading.Event()

    def disturb() -> None:
        number = 0
        while not end.is_set():
            path = folder / f"{number % 50}.tif"
            with open(path, "wb") as handle:
                handle.write(whole[: len(whole) * (number % 7) // 6])
            if number % 3 == 0:
                path.unlink()
            number += 1

    process = os.fork()
    if process == 0:
        signal.alarm(60)
        disturb()
    try:
        for _ in range(15):
            records = index_images(tmp_path, "cat", [(None, "cat")], 10_000)
            assert all(record.reason or record.width == 48 for record in records)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def test_a_file_of_more_bytes_than_any_picture_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "a.png", "wb") as handle:
        handle.truncate(2**40)
    (found,) = examine_all(tmp_path, ["a.png"], 10_000)
    assert found.sha256 is None
    assert found.reason == (
        "too large: 1,099,511,627,776 bytes, the limit is 67,188,864 (by images.max_pixels)"
    )


# --- The whole way ----------------------------------------------------------------------------


@pytest.mark.long
def test_a_run_with_hostile_files_says_of_the_good_ones_what_it_says_without(
    finished: Project, project: Project
) -> None:
    """Index, pixels, logits, scores, tables, thumbnails and report, by the real command."""
    folder = project.folder / "pictures" / "dream" / "clock"
    hostile.write_corpus(folder, 60, side=1_500)
    outside = make_outside(project.folder)
    special = hostile.place_special_files(folder, project.folder / "pictures", outside)
    watch = Watch(outside, outside / "deep")
    project.run("results/small/report.html")
    assert watch.seen() == []
    manifest = {r.image: r for r in read_manifest(project.results / "images" / "clock.parquet")}
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert len(manifest) == len(files) + 2  # and those of the other generator
    assert len(manifest) > 1_400
    assert not any(manifest[f"dream/clock/{name}"].status == "ok" for name in special)
    assert not list(project.folder.rglob("pwned"))
    usable = sorted(image for image, record in manifest.items() if record.status == "ok")
    for model in ("effnet", "resnet"):
        found = rows(project.results / "logits" / model / "clock.parquet")
        assert sorted(found) == usable
        before = rows(finished.results / "logits" / model / "clock.parquet")
        assert len(before) == 4
        for image, row in before.items():
            assert_close(found[image]["logits"], row["logits"])
        scores = [
            pq.read_table(each.results / "scores" / f"{model}.parquet").to_pandas()
            for each in (finished, project)
        ]
        hits = [
            {(row.image, row.rule): (row.top1_hit, row.top5_hit) for row in table.itertuples()}
            for table in scores
        ]
        assert hits[0].items() <= hits[1].items()
    pictures = [
        rows(each.results / "thumbnails" / "images" / "clock.parquet")
        for each in (finished, project)
    ]
    assert pictures[0].items() <= pictures[1].items()
    page = (project.results / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)<!--" not in page
    assert project.plan("results/small/report.html") == set()


def rows(path: Path) -> dict[str, dict[str, object]]:
    return {row["image"]: row for row in pq.read_table(path).to_pylist()}
