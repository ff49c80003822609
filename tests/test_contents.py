"""What a file is, told by its first bytes: the real thing of every kind, and what only looks it."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthsight.contents import HEAD, IMAGES, another_kind, kind_of, kind_of_file

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 5003000\n"


def image(format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), "red").save(buffer, format_, **options)
    return buffer.getvalue()


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return buffer.getvalue()


def tarred(format_: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as archive:
        member = tarfile.TarInfo("a.png")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


def old_tar() -> bytes:
    """A header of Unix version 7, without the word ustar."""
    header = bytearray(512)
    header[:5] = b"a.png"
    header[100:148] = b"0000644\0" + b"0000000\0" * 2 + b"00000000003\0" + b"00000000000\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"abc".ljust(512, b"\0") + bytes(1024)


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), buffer)
    return buffer.getvalue()


def array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(2))
    return buffer.getvalue()


def brand(major: bytes, *others: bytes) -> bytes:
    names = major + bytes(4) + b"".join(others)
    return (8 + len(names)).to_bytes(4, "big") + b"ftyp" + names + b"\0\0\0\x08mdat"


KINDS: dict[str, tuple[str, bytes]] = {
    "nothing": ("empty", b""),
    "a pointer": ("git-lfs", LFS),
    "a pointer of git-annex": ("git-annex", b"/annex/objects/SHA256E-s5--ab.png\n"),
    "a page": ("html", b"<!DOCTYPE html><html><title>Sign in</title></html>"),
    "a page behind blanks": ("html", b"\xef\xbb\xbf \n<HTML><body>Log in</body>"),
    "a page in XHTML": ("html", b'<?xml version="1.0"?><html xmlns="x">'),
    "a bucket's error": ("html", b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>'),
    "a drawing": ("svg", b'<?xml version="1.0"?><svg xmlns="x"></svg>'),
    "XML": ("xml", b'<?xml version="1.0"?><annotation/>'),
    **{
        name.lower(): (name.lower(), image(name))
        for name in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")
    },
    "HEIC": ("heic", brand(b"heic", b"mif1", b"heic")),
    "HEIC of the general brand": ("heic", brand(b"mif1", b"mif1")),
    "AVIF of the general brand": ("avif", brand(b"mif1", b"miaf", b"avif")),
    "a video": ("video", brand(b"isom", b"mp41")),
    "JPEG XL": ("jxl", b"\xff\x0a\xf8\x01"),
    "JPEG XL in boxes": ("jxl", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl "),
    "JPEG 2000": ("jp2", b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 "),
    "JPEG 2000 without boxes": ("jp2", b"\xff\x4f\xff\x51\0\x2f"),
    "a raw file": ("raw", b"II*\0\x10\0\0\0CR\2\0"),
    "PPM": ("netpbm", image("PPM")),
    "a zip": ("zip", zipped("a/b.png")),
    "an empty zip": ("zip", zipped()),
    "a workbook": ("office", zipped("[Content_Types].xml", "xl/workbook.xml")),
    "arrays": ("npz", zipped("weight.npy")),
    "torch.save": ("torch", zipped("name/data.pkl", "name/version", "name/data/0")),
    "TorchScript": ("torchscript", zipped("n/data.pkl", "n/code/__torch__.py", "n/constants.pkl")),
    "torch.save before 1.6": ("torch", pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)),
    **{f"a pickle {n}": ("pickle", pickle.dumps({"a": 1}, protocol=n)) for n in (2, 3, 4, 5)},
    "safetensors": ("safetensors", (16).to_bytes(8, "little") + b'{"__metadata__":{}}'),
    "safetensors of nothing": ("safetensors", (2).to_bytes(8, "little") + b"{}"),
    "gzip": ("gz", gzip.compress(b"a", mtime=0)),
    "a tar": ("tar", tarred(tarfile.PAX_FORMAT)),
    "a GNU tar": ("tar", tarred(tarfile.GNU_FORMAT)),
    "an old tar": ("tar", old_tar()),
    "Parquet": ("parquet", parquet()),
    "an array": ("npy", array()),
    "Keras": ("hdf5", b"\x89HDF\r\n\x1a\n"),
    "JSON": ("json", json.dumps({"0": ["n01440764", "tench"]}).encode()),
    "a list in JSON": ("json", b'\n [\n {"image": 1}]'),
    "zeros": ("zeros", bytes(5000)),
    "text": ("text", "Käse, 大熊猫\n".encode()),
    "text cut within a letter": ("text", ("a" * (HEAD - 1) + "ä").encode()),
    "text that begins like a bitmap": ("text", b"BM means bitmap, and this is none of them."),
    "text that begins like a portable map": ("text", b"P6 was a processor"),
    "text in UTF-16": ("utf-16", "image,question".encode("utf-16")),
    "text in Latin-1": ("unknown", "café".encode("latin-1")),
    "noise": ("unknown", bytes(range(200, 256))),
}


@pytest.mark.parametrize("what", KINDS)
def test_a_file_is_told_by_its_first_bytes(tmp_path: Path, what: str) -> None:
    kind, content = KINDS[what]
    assert kind_of(content).name == kind
    (tmp_path / "file").write_bytes(content)
    assert kind_of_file(tmp_path / "file") == kind_of(content)


def test_what_pillow_writes_and_reads_is_an_image_by_its_kind() -> None:
    from synthsight.images.reading import FORMATS

    assert {kind for kind in KINDS if kind in IMAGES} == {format_.lower() for format_ in FORMATS}


def test_the_words_say_what_it_is_and_what_to_do() -> None:
    assert str(kind_of(LFS)) == (
        "a Git LFS pointer: the file itself was not downloaded; run `git lfs pull` in its "
        "repository"
    )
    assert str(kind_of(b"plain")) == "text"


def test_only_the_head_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "large", "wb") as handle:
        handle.write(b"PAR1")
        handle.truncate(2**40)
    assert kind_of_file(tmp_path / "large").name == "parquet"


def test_another_kind_is_said_only_where_it_is_certain(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(KINDS["a page"][1])
    (tmp_path / "noise").write_bytes(KINDS["noise"][1])
    page = another_kind(tmp_path / "page", "text")
    assert page is not None and page.words == "a web page"
    assert another_kind(tmp_path / "page", "text", "html") is None
    assert another_kind(tmp_path / "noise", "text") is None
    assert another_kind(tmp_path / "nothing here", "text") is None
    assert another_kind(tmp_path, "text") is None
