"""Whatever an archive holds, nothing is written outside its folder, and damage is noticed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import stat
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from synthsight.archives import unpack as module
from synthsight.archives.containers import UnpackError, container_of
from synthsight.archives.unpack import format_size, unpack

#: Bytes that do not compress, as images.
NOISE = random.Random(0).randbytes(5000)

MEMBERS = {"bagel/1.png": NOISE, "bagel/2.png": NOISE[::-1], "clock/größe 1.jpg": b"c"}

KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz")


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as handle:
        for name, content in members.items():
            # With a date of its own: by default an entry holds the second in which it is made.
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            handle.writestr(entry, content)
    return buffer.getvalue()


def gzipped(content: bytes) -> bytes:
    """Without the second in which it is made, which the header holds by default."""
    return gzip.compress(content, mtime=0)


def tarred(*members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as handle:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                handle.addfile(member, io.BytesIO(b"x" * member.size))
            else:
                handle.addfile(info(member[0], size=len(member[1])), io.BytesIO(member[1]))
    return buffer.getvalue()


def info(name: str, **attributes: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


def packed(kind: str, members: dict[str, bytes]) -> bytes:
    if kind == "zip":
        return zipped(members)
    return tarred(*members.items(), mode=f"w:{kind[4:]}")


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "archive"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "room" / "folder"
    folder.mkdir(parents=True)
    return folder


def found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def refused(path: Path, folder: Path) -> str:
    """The archive is refused, and nothing outside the folder was made."""
    room = folder.parent
    with pytest.raises(UnpackError) as caught:
        unpack(path, folder)
    assert os.listdir(room) == ["folder"]
    assert {entry.name for entry in room.parent.iterdir()} <= {"room", "archive"}
    assert not any(entry.is_symlink() for entry in folder.rglob("*"))
    return str(caught.value)


# What goes well ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_unpacked_whatever_it_is_called(
    kind: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    unpacked = unpack(archive(packed(kind, MEMBERS)), folder)
    assert found(folder) == MEMBERS
    assert (unpacked.files, unpacked.bytes, unpacked.left_out) == (3, 10001, [])


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_read(
    format: int, archive: Callable[[bytes], Path], folder: Path
) -> None:
    name = "a" * 90 + "/" + "b" * 90 + ".png"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as handle:
        handle.addfile(info(name, size=4), io.BytesIO(b"long"))
    unpack(archive(buffer.getvalue()), folder)
    assert found(folder) == {name: b"long"}


def test_what_the_system_s_own_programs_pack_is_read(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "room" / "source"
    for name, content in MEMBERS.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    subprocess.run(["tar", "-C", source, "-czf", tmp_path / "archive", "."], check=True)
    unpack(tmp_path / "archive", folder)
    assert found(folder) == MEMBERS


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_times_are_kept_and_rights_are_not(
    kind: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    if kind == "tar":
        content = tarred(info("a.png", mode=0o6777, mtime=1_600_000_000, size=1, uid=12345))
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as handle:
            entry = zipfile.ZipInfo("a.png", time.localtime(1_600_000_000)[:6])
            entry.external_attr = (stat.S_IFREG | 0o6777) << 16
            handle.writestr(entry, b"x")
        content = buffer.getvalue()
    unpack(archive(content), folder)
    status = (folder / "a.png").stat()
    assert status.st_mtime == 1_600_000_000
    assert stat.S_IMODE(status.st_mode) & 0o7111 == 0
    assert status.st_uid == os.getuid()


@pytest.mark.parametrize("seconds", [-5.0, 1e30, float("nan"), float("inf")])
def test_times_that_are_none_are_passed_over(
    seconds: float, archive: Callable[[bytes], Path], folder: Path
) -> None:
    member = info("a.png", size=1)
    member.pax_headers = {"mtime": str(seconds)}
    unpack(archive(tarred(member)), folder)
    assert abs((folder / "a.png").stat().st_mtime - time.time()) < 60


def test_names_that_are_not_utf_8_are_made_readable(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as handle:
        handle.addfile(info(os.fsdecode(b"caf\xe9.png"), size=1), io.BytesIO(b"x"))
    unpack(archive(buffer.getvalue()), folder)
    assert os.listdir(folder) == ["caf%E9.png"]


def test_names_in_a_zip_without_its_mark_for_utf_8_are_read_as_such_if_they_are(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = zipped({"größe.png": b"x"})
    # Bit 11 of the flags, in the local header and in the central directory.
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.index(magic) + place
        flags = struct.unpack("<H", content[at : at + 2])[0] & ~0x800
        content = content[:at] + struct.pack("<H", flags) + content[at + 2 :]
    unpack(archive(content), folder)
    assert os.listdir(folder) == ["größe.png"]


def test_a_backslash_is_a_slash(archive: Callable[[bytes], Path], folder: Path) -> None:
    unpack(archive(zipped({"bagel\\1.png": b"x", "clock\\": b""})), folder)
    assert found(folder) == {"bagel/1.png": b"x"}
    assert (folder / "clock").is_dir()


def test_what_a_mac_adds_and_our_own_note_are_passed_over(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    junk = {"__MACOSX/bagel/._1.png": b"x", ".synthsight.json": b"{}"}
    unpack(archive(zipped({**MEMBERS, **junk})), folder)
    assert found(folder) == MEMBERS


def test_a_hard_link_is_a_copy(archive: Callable[[bytes], Path], folder: Path) -> None:
    link = info("b.png", type=tarfile.LNKTYPE, linkname="a.png")
    unpack(archive(tarred(("a.png", NOISE), link)), folder)
    assert found(folder) == {"a.png": NOISE, "b.png": NOISE}
    assert (folder / "a.png").stat().st_nlink == 1


# Out of the folder -------------------------------------------------------------------------------

SLIPS = {
    "../evil.png": "leads out of the folder",
    "bagel/../../evil.png": "leads out of the folder",
    "bagel/../evil.png": "leads out of the folder",
    "..": "leads out of the folder",
    "..\\evil.png": "leads out of the folder",
    "/tmp/evil.png": "absolute name",
    "//server/share/evil.png": "absolute name",
    "\\\\server\\share\\evil.png": "absolute name",
    "\\evil.png": "absolute name",
    "C:\\evil.png": "absolute name",
    "c:evil.png": "absolute name",
    "a/" * 40 + "evil.png": "more than 32 folders",
    "a" * 300 + ".png": "cannot be written: File name too long",
}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", SLIPS)
def test_a_name_that_leads_out_is_refused(
    kind: str, name: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    assert SLIPS[name] in refused(archive(packed(kind, {"a.png": b"x", name: b"x"})), folder)


def test_a_zero_byte_in_a_name_is_refused(archive: Callable[[bytes], Path], folder: Path) -> None:
    content = zipped({"evil.png#.txt": b"x"}).replace(b"evil.png#", b"evil.png\0")
    assert "has a zero byte in its name" in refused(archive(content), folder)


@pytest.mark.parametrize("target", ["..", "/etc", "/etc/passwd", "a.png", "loop"])
def test_symbolic_links_are_left_out(
    target: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    link = info("link", type=tarfile.SYMTYPE, linkname=target)
    unpacked = unpack(archive(tarred(("a.png", b"x"), link)), folder)
    assert os.listdir(folder) == ["a.png"]
    assert unpacked.left_out == ["'link': a symbolic link"]


def test_symbolic_links_in_a_zip_are_left_out(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as handle:
        entry = zipfile.ZipInfo("link")
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        handle.writestr(entry, "/etc/passwd")
        handle.writestr("a.png", b"x")
    assert unpack(archive(buffer.getvalue()), folder).left_out == ["'link': a symbolic link"]
    assert os.listdir(folder) == ["a.png"]


def test_a_member_written_through_a_link_stays_inside(
    archive: Callable[[bytes], Path], folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = info("bagel", type=tarfile.SYMTYPE, linkname=str(outside))
    unpack(archive(tarred(link, ("bagel/evil.png", b"x"))), folder)
    assert not any(outside.iterdir())
    assert found(folder) == {"bagel/evil.png": b"x"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "missing.png", "bagel", "."])
def test_a_hard_link_to_anything_but_an_earlier_file_is_refused(
    target: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    (folder.parent.parent / "room" / "folder").mkdir(exist_ok=True)
    link = info("b.png", type=tarfile.LNKTYPE, linkname=target)
    assert "member " in refused(archive(tarred(("bagel/a.png", b"x"), link)), folder)
    assert not (folder / "b.png").exists()


@pytest.mark.parametrize("type", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"~"])
def test_devices_and_pipes_are_refused(
    type: bytes, archive: Callable[[bytes], Path], folder: Path
) -> None:
    evil = info("bagel/evil", type=type, devmajor=1, devminor=3)
    content = tarred(("a.png", b"x"), evil)
    assert "is a device or the like" in refused(archive(content), folder)


def test_a_device_in_a_zip_is_refused(archive: Callable[[bytes], Path], folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as handle:
        entry = zipfile.ZipInfo("evil")
        entry.create_system, entry.external_attr = 3, (stat.S_IFIFO | 0o777) << 16
        handle.writestr(entry, "")
    assert "is a device or the like" in refused(archive(buffer.getvalue()), folder)


# Names that meet ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.png", "a.png"),
        ("a.png", "./a.png"),
        ("bagel/a.png", "bagel//a.png"),
        ("bagel/a.png", "bagel\\a.png"),
        ("bagel", "bagel/a.png"),
        ("bagel/a.png", "bagel"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_member_overwrites_another(
    kind: str, first: str, second: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    if kind == "tar":
        content = tarred((first, b"1"), (second, b"2"))
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as handle:
            handle.writestr(first, b"1")
            handle.writestr(second, b"2")
        content = buffer.getvalue()
    assert "has the name of another member" in refused(archive(content), folder)


def test_case_counts_where_the_file_system_says_so(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = tarred(("bagel/a.png", b"1"), ("bagel/A.png", b"2"), ("Bagel/a.png", b"3"))
    (folder / "PROBE").touch()
    keeps_case = not (folder / "probe").exists()
    (folder / "PROBE").unlink()
    if keeps_case:
        unpack(archive(content), folder)
        assert len(found(folder)) == 3
    else:
        assert "does not distinguish from it" in refused(archive(content), folder)


def test_what_is_there_already_is_not_overwritten(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    (folder / "a.png").write_bytes(b"mine")
    assert "has the name of another member" in refused(archive(tarred(("a.png", b"x"))), folder)
    assert (folder / "a.png").read_bytes() == b"mine"


# Bombs -------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound that a test can reach."""
    monkeypatch.setattr(module, "MAX_SMALL", 10**6)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tar"])
@pytest.mark.usefixtures("small")
def test_a_decompression_bomb_is_refused(
    kind: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = packed(kind, {"a.png": b"x", "zeros.png": bytes(20_000_000)})
    assert len(content) < 30_000
    assert "a decompression bomb, or does not hold images" in refused(archive(content), folder)
    assert sum(len(content) for content in found(folder).values()) < 5_000_000


@pytest.mark.usefixtures("small")
def test_a_bomb_that_is_not_extracted_counts_too(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    """Behind the end, in a member that is left out, in the metadata of one."""
    end = tarred(("a.png", b"x"))
    behind = gzipped(end + bytes(20_000_000))
    assert "decompression bomb" in refused(archive(behind), folder)
    (folder / "a.png").unlink()
    junk = gzipped(tarred(("__MACOSX/a", bytes(20_000_000)), ("b.png", b"x")))
    assert "decompression bomb" in refused(archive(junk), folder)
    # By what it states, before what is left out is unpacked to find that it is not there.
    short = gzipped(info("__MACOSX/a", size=2**33 - 1).tobuf(tarfile.USTAR_FORMAT))
    assert "decompression bomb" in refused(archive(short), folder)
    header = info("x", type=tarfile.XHDTYPE, size=2**32).tobuf(tarfile.USTAR_FORMAT)
    metadata = gzipped(header + bytes(20_000_000))
    assert "states 4,294,967,296 bytes of metadata" in refused(archive(metadata), folder)


@pytest.mark.usefixtures("small")
def test_a_bomb_of_links_counts_what_is_written(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    """Each writes the whole file again, though next to nothing of it is in the archive."""
    links = [info(f"{n}.png", type=tarfile.LNKTYPE, linkname="a.png") for n in range(400)]
    content = tarred(("a.png", NOISE * 20), *links)
    assert "decompression bomb" in refused(archive(content), folder)


def test_the_disk_is_watched_while_a_stream_is_unpacked(
    archive: Callable[[bytes], Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What will come out of it is not known before."""
    monkeypatch.setattr(module, "_CHUNK", 1_000)
    asked: list[int] = []

    def check(folder: Path, needed: int) -> None:
        asked.append(len(found(folder)))
        if len(asked) > 2:
            raise UnpackError("the disk is full")

    monkeypatch.setattr(module, "check_space", check)
    many = {f"{number:02}.png": NOISE * 4 for number in range(40)}
    assert "the disk is full" in refused(archive(gzipped(tarred(*many.items()))), folder)
    assert max(asked) > 0, "while it was unpacked, not before"


def test_members_that_overlap_are_bound_by_what_they_state(
    archive: Callable[[bytes], Path], folder: Path, small: None
) -> None:
    """Many entries of a zip's directory that are all about the same data."""
    content = zipped({"zeros0000.png": bytes(500_000)})
    directory = content.index(b"PK\1\2")
    entry = content[directory : content.index(b"PK\5\6")]
    count = 100
    entries = b"".join(entry.replace(b"zeros0000", f"zeros{n:04}".encode()) for n in range(count))
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(entries), directory, 0)
    said = refused(archive(content[:directory] + entries + end), folder)
    assert "decompression bomb" in said
    assert found(folder) == {}


def test_a_member_that_gives_more_than_it_states_is_refused(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = zipped({"zeros.png": bytes(1_000_000)})
    stated = struct.pack("<L", 1_000_000)
    assert content.count(stated) == 2
    said = refused(archive(content.replace(stated, struct.pack("<L", 10))), folder)
    assert "damaged or truncated (Bad CRC-32" in said
    assert sum(map(len, found(folder).values())) <= 10


def test_too_many_members_are_refused(
    archive: Callable[[bytes], Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MEMBERS", 10)
    for kind in ("zip", "tar"):
        content = packed(kind, {f"{kind}{n}/": b"" for n in range(11)})
        assert "more than 10 members" in refused(archive(content), folder)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_zip_that_python_reads_without_bound_are_refused(
    method: int, archive: Callable[[bytes], Path], folder: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as handle:
        handle.writestr("a.png", bytes(1000))
    assert f"compressed by method {method}" in refused(archive(buffer.getvalue()), folder)


def test_an_xz_file_that_wants_gigabytes_of_memory_is_refused(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 2**26}]
    content = bytearray(lzma.compress(tarred(("a.png", b"x")), filters=filters))
    # The block's header: its size, flags, LZMA2, one byte of properties, which is the dictionary's.
    assert content[12:16] == bytes((2, 0, 0x21, 1))
    content[16] = 39  # 3 GB
    content[20:24] = struct.pack("<L", zlib.crc32(content[12:20]))
    assert "Memory usage limit" in refused(archive(bytes(content)), folder)


def test_sparse_files_are_refused(archive: Callable[[bytes], Path], folder: Path) -> None:
    member = info("a.png", size=0)
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(2**50),
        "GNU.sparse.map": "0,0",
    }
    assert "is a sparse file" in refused(archive(tarred(member)), folder)


def test_a_full_disk_is_told(
    archive: Callable[[bytes], Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESERVE", 10**18)
    for kind, needed in (("zip", "10.0 kB"), ("tar", "20.5 kB")):
        assert f"{needed} is needed and" in refused(archive(packed(kind, MEMBERS)), folder)
        assert found(folder) == {}


# Damage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_cut_off_is_refused_wherever_it_is_cut(
    kind: str, archive: Callable[[bytes], Path], tmp_path: Path
) -> None:
    content = packed(kind, MEMBERS)
    if kind == "tar":
        content = content[: content.rindex(b"c" + bytes(511)) + 1024]  # with one block of the end
    # Every twentieth, and for tar every block, at which the next header would begin.
    places = [len(content) * n // 20 for n in range(20)] + [len(content) - 1]
    places += range(512, len(content), 512) if kind == "tar" else []
    for place in places:
        folder = tmp_path / f"room{place}" / "folder"
        folder.mkdir(parents=True, exist_ok=True)
        with pytest.raises(
            UnpackError, match=r"damaged or truncated|empty|not an archive|no files"
        ):
            unpack(archive(content[:place]), folder)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tar"])
def test_a_flipped_bit_in_the_data_is_found(
    kind: str, archive: Callable[[bytes], Path], tmp_path: Path
) -> None:
    content = packed(kind, {"bagel/1.png": NOISE})
    chance = random.Random(1)
    for number in range(20):
        place = chance.randrange(200, 5000)
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        with pytest.raises(UnpackError, match="damaged or truncated"):
            unpack(archive(bytes(damaged)), folder)


def test_a_damaged_checksum_behind_the_end_of_the_tar_is_found(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = bytearray(packed("tar.gz", MEMBERS))
    content[-6] ^= 1
    assert "damaged or truncated (CRC check failed" in refused(archive(bytes(content)), folder)


def test_a_damaged_header_in_a_tar_is_not_taken_for_its_end(
    archive: Callable[[bytes], Path], folder: Path
) -> None:
    content = bytearray(tarred(*MEMBERS.items()))
    content[content.index(b"bagel/2.png")] ^= 1
    assert "no end marker follows the last member" in refused(archive(bytes(content)), folder)


@pytest.mark.parametrize("kind", KINDS)
def test_garbage_of_any_kind_ends_in_a_message(
    kind: str, archive: Callable[[bytes], Path], tmp_path: Path
) -> None:
    """Bytes changed anywhere: unpacked or refused, with nothing outside and no other exception."""
    content = packed(kind, MEMBERS)
    chance = random.Random(2)
    outcomes = {"unpacked": 0, "refused": 0}
    for number in range(60):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        folder = tmp_path / f"room{number}" / "folder"
        folder.mkdir(parents=True)
        try:
            unpack(archive(bytes(damaged)), folder)
            outcomes["unpacked"] += 1
        except UnpackError:
            outcomes["refused"] += 1
        assert os.listdir(folder.parent) == ["folder"]
    assert outcomes["refused"] > 5


def test_an_encrypted_zip_is_refused(archive: Callable[[bytes], Path], folder: Path) -> None:
    content = bytearray(zipped({"a.png": NOISE}))
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(magic) + place] |= 1
    assert "'a.png' is encrypted. Unpack it by hand" in refused(archive(bytes(content)), folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>", "it is a web page, not an archive"),
        (b"\xef\xbb\xbf<HTML>", "it is a web page"),
        (b"7z\xbc\xaf\x27\x1c" + NOISE, "it is a 7z archive; zip, tar, tar.gz"),
        (b"Rar!" + NOISE, "it is a RAR archive"),
        (NOISE, "it is not an archive"),
        (bytes(2000), "it is nothing but zero bytes, not an archive: the copy or download broke"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "it is a Git LFS pointer, not an archive: ",
        ),
        (b"\x28\xb5\x2f\xfd" + NOISE, "it is a zstd file; zip, tar, tar.gz"),
        (b"\x89PNG\r\n\x1a\n" + NOISE, "it is a PNG image, not an archive (zip, tar"),
        (gzipped(b"no tar"), "damaged or truncated"),
        (gzipped(zipped(MEMBERS)), "damaged or truncated"),
        (bz2.compress(b""), "damaged or truncated"),
        (b"PK\3\4 and no more", "damaged or truncated (File is not a zip file)"),
        (zipped({}), "it contains no files"),
        (tarred(info("bagel", type=tarfile.DIRTYPE)), "it contains no files"),
    ],
    ids=(
        *("empty", "page", "page-with-mark", "7z", "rar", "noise", "zeros", "pointer"),
        *("zstd", "image", "gzip-of-text"),
        *("gzip-of-zip", "bz2-of-nothing", "zip-cut-off", "zip-of-nothing", "tar-of-folders"),
    ),
)
def test_what_is_no_archive_of_files_is_named(
    content: bytes, said: str, archive: Callable[[bytes], Path], folder: Path
) -> None:
    assert said in refused(archive(content), folder)


def test_containers_are_told_by_content(archive: Callable[[bytes], Path]) -> None:
    kinds = [container_of(archive(packed(kind, MEMBERS))) for kind in KINDS]
    assert kinds == ["zip", "tar", "gz", "bz2", "xz"]


def test_sizes_are_formatted_for_people() -> None:
    sizes = (0, 999, 1000, 1_450_000, 2**40 * 1000)
    assert [format_size(size) for size in sizes] == [
        *("0 bytes", "999 bytes", "1.0 kB", "1.4 MB", "1099.5 TB")
    ]
