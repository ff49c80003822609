"""What a file is, told by its first bytes, for readers that expected something else.

Only a bounded head is looked at, and nothing in it is decoded, unpacked or run. Every reader words
its message by this module, so that a Git LFS pointer is called one wherever it is met.
"""

from __future__ import annotations

import codecs
import os
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Bytes at the start of a file that tell what it is.
HEAD = 4096


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: a short name that programs compare, such as ``png``.
        words: what people call such a file, with its article.
        advice: what to do about it where another kind is expected; may be empty.
    """

    name: str
    words: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.words}: {self.advice}" if self.advice else self.words


_POINTER = "the file itself was not downloaded"
_CONVERT = "convert it to PNG or JPEG"
_UNPACK = "unpack it first"
_STATE_DICT = "load it where it was made and save its state dict: torch.save(..., 'name.pth')"

EMPTY = Kind("empty", "empty")
UNKNOWN = Kind("unknown", "no kind of file that is known here")
TEXT = Kind("text", "text")
ZEROS = Kind("zeros", "nothing but zero bytes", "the copy or download broke off; get it again")
_PAGE = Kind("html", "a web page", "the address leads to a page or a login, not to the file")
_JSON = Kind("json", "JSON")
_TORCH = Kind("torch", "a file of torch.save")
SCRIPT = Kind(
    "torchscript",
    "a TorchScript archive, which is code",
    "save the state dict alone: torch.save(model.state_dict(), ...)",
)
_PICKLE = Kind("pickle", "a pickle")
_TAR = Kind("tar", "a tar archive", _UNPACK)
_ZIP = Kind("zip", "a zip archive", _UNPACK)
_SAFETENSORS = Kind("safetensors", "a safetensors file")

#: Kinds of images that have a decoder here (:data:`synthsight.images.reading.FORMATS`).
IMAGES = frozenset({"png", "jpeg", "gif", "bmp", "webp", "tiff", "avif"})

#: Kinds that hold text, whatever it says.
TEXTS = frozenset({"text", "json"})

#: Kinds that are a zip with particular members.
ZIPS = frozenset({"zip", "torch", "torchscript", "npz", "office"})

#: Kinds that torch.load may read.
PICKLES = frozenset({"torch", "pickle"})

_BEGINNINGS = (
    (
        b"version https://git-lfs.github.com/",
        Kind("git-lfs", "a Git LFS pointer", f"{_POINTER}; run `git lfs pull` in its repository"),
    ),
    (
        b"version https://hawser.github.com/",
        Kind("git-lfs", "a Git LFS pointer", f"{_POINTER}; run `git lfs pull` in its repository"),
    ),
    (
        b"/annex/objects/",
        Kind("git-annex", "a git-annex pointer", f"{_POINTER}; run `git annex get` there"),
    ),
    (b"\x89PNG\r\n\x1a\n", Kind("png", "a PNG image")),
    (b"\xff\xd8\xff", Kind("jpeg", "a JPEG image")),
    (b"GIF87a", Kind("gif", "a GIF image")),
    (b"GIF89a", Kind("gif", "a GIF image")),
    (b"II*\0\x10\0\0\0CR", Kind("raw", "a camera's raw file", _CONVERT)),
    (b"II*\0", Kind("tiff", "a TIFF image")),
    (b"MM\0*", Kind("tiff", "a TIFF image")),
    (b"II+\0", Kind("tiff", "a TIFF image")),
    (b"MM\0+", Kind("tiff", "a TIFF image")),
    (b"\xff\x0a", Kind("jxl", "a JPEG XL image", _CONVERT)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind("jxl", "a JPEG XL image", _CONVERT)),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind("jp2", "a JPEG 2000 image", _CONVERT)),
    (b"\xff\x4f\xff\x51", Kind("jp2", "a JPEG 2000 image", _CONVERT)),
    (b"8BPS", Kind("psd", "a Photoshop file", _CONVERT)),
    (b"gimp xcf", Kind("xcf", "a GIMP file", _CONVERT)),
    (b"qoif", Kind("qoi", "a QOI image", _CONVERT)),
    (b"DDS ", Kind("dds", "a DDS image", _CONVERT)),
    (b"\x76\x2f\x31\x01", Kind("exr", "an OpenEXR image", _CONVERT)),
    (b"\0\0\x01\0", Kind("ico", "an icon", _CONVERT)),
    (b"%!PS", Kind("ps", "a PostScript file", _CONVERT)),
    (b"%PDF", Kind("pdf", "a PDF file")),
    (b"\x1aE\xdf\xa3", Kind("video", "a video")),
    (b"7z\xbc\xaf\x27\x1c", Kind("7z", "a 7z archive", _UNPACK)),
    (b"Rar!", Kind("rar", "a RAR archive", _UNPACK)),
    (b"\x1f\x8b", Kind("gz", "a gzip file", _UNPACK)),
    (b"BZh", Kind("bz2", "a bzip2 file", _UNPACK)),
    (b"\xfd7zXZ\x00", Kind("xz", "an xz file", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Kind("zstd", "a zstd file", _UNPACK)),
    (b"\x89HDF\r\n\x1a\n", Kind("hdf5", "an HDF5 file, such as Keras's weights", _STATE_DICT)),
    (b"GGUF", Kind("gguf", "a GGUF file")),
    (b"\x93NUMPY", Kind("npy", "a NumPy array", _STATE_DICT)),
    (b"PAR1", Kind("parquet", "a Parquet file")),
    (b"ARROW1", Kind("arrow", "an Arrow file")),
    (b"SQLite format 3\0", Kind("sqlite", "an SQLite database")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("ole", "an old Office document, such as .xls")),
    (b"\x7fELF", Kind("program", "a program")),
    (b"MZ", Kind("program", "a program")),
    (b"\xff\xfe", Kind("utf-16", "text in UTF-16", "save it as UTF-8")),
    (b"\xfe\xff", Kind("utf-16", "text in UTF-16", "save it as UTF-8")),
)

#: Brands of the container that HEIC, AVIF and videos share.
_BRANDS = (
    ((b"avif", b"avis"), Kind("avif", "an AVIF image")),
    (
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        Kind("heic", "a HEIC image, as phones make", _CONVERT),
    ),
)


def kind_of(head: bytes) -> Kind:
    """The kind of a file.

    Args:
        head: its first :data:`HEAD` bytes, or all if there are fewer.
    """
    head = head[:HEAD]
    if not head:
        return EMPTY
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    for told in _CLOSER:
        found = told(head)
        if found is not None:
            return found
    return UNKNOWN


def kind_of_file(path: str | os.PathLike[str]) -> Kind:
    """The kind of a file, of which only the head is read.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as handle:
        return kind_of(handle.read(HEAD))


def encoding_of(path: str | os.PathLike[str]) -> str:
    """How a file's text is encoded: UTF-16 if it begins like that, and otherwise UTF-8.

    Either may begin with a byte order mark, which is no part of the text. UTF-16 is what Excel
    calls Unicode text.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as handle:
        head = handle.read(2)
    return "utf-16" if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def another_kind(path: str | os.PathLike[str], *expected: str) -> Kind | None:
    """The kind of a file that has one and is of none of those expected; otherwise None.

    Whatever cannot be opened or told has none: the reader itself then says what is wrong.

    Args:
        path: the file; anything but a regular file is not opened.
        expected: names of kinds.
    """
    try:
        kind = kind_of_file(path) if Path(path).is_file() else UNKNOWN
    except OSError:
        return None
    return None if kind is UNKNOWN or kind.name in expected else kind


# Kinds that take more than a comparison -------------------------------------------------------


def _zip(head: bytes) -> Kind | None:
    if head.startswith(b"PK\x05\x06"):
        return _ZIP
    if not head.startswith(b"PK\x03\x04"):
        return None
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if first.endswith(b"/data.pkl"):
        script = b"/code/__torch__" in head or b"/constants.pkl" in head
        return SCRIPT if script else _TORCH
    if first.endswith(b".npy"):
        return Kind("npz", "an archive of NumPy arrays", _STATE_DICT)
    if first == b"[Content_Types].xml":
        return Kind("office", "an Office document, such as .xlsx")
    return _ZIP


def _pickle(head: bytes) -> Kind | None:
    if head[:1] != b"\x80" or head[1:2] not in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return None
    old_torch = head[2:14] == b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
    return _TORCH if old_torch else _PICKLE


def _safetensors(head: bytes) -> Kind | None:
    """It begins with the length of its JSON header, in eight bytes."""
    plausible = len(head) > 8 and 2 <= int.from_bytes(head[:8], "little") < 2**27
    return _SAFETENSORS if plausible and re.match(rb'\{\s*["}]', head[8:]) else None


def _brand(head: bytes) -> Kind | None:
    """HEIC and AVIF may both be of the general brand mif1, so the more particular is sought."""
    if head[4:8] != b"ftyp":
        return None
    size = int.from_bytes(head[:4], "big")
    brands = {head[8:12], *(head[place : place + 4] for place in range(16, min(size, 256), 4))}
    for known, kind in _BRANDS:
        if brands.intersection(known):
            return kind
    return Kind("video", "a video")


def _riff(head: bytes) -> Kind | None:
    if head[:4] != b"RIFF":
        return None
    if head[8:12] == b"WEBP":
        return Kind("webp", "a WebP image")
    return Kind("video", "a video") if head[8:12] == b"AVI " else None


def _bmp(head: bytes) -> Kind | None:
    """``BM`` alone may begin a text, so the size of its second header is looked at."""
    sizes = (12, 40, 52, 56, 64, 108, 124)
    known = head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in sizes
    return Kind("bmp", "a BMP image") if known else None


def _netpbm(head: bytes) -> Kind | None:
    found = re.match(rb"P[1-7fF]\s+[#0-9W]", head)
    return Kind("netpbm", "a PPM, PGM or PBM image", _CONVERT) if found else None


def _markup(head: bytes) -> Kind | None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if not text.startswith(
        (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--", b"<svg")
    ):
        return None
    if b"<svg" in text:
        return Kind("svg", "an SVG drawing", _CONVERT)
    if text.startswith(b"<?xml") and b"<html" not in text:
        if b"<error>" in text:
            return Kind("html", "a server's error message", "check the address, and get it again")
        return Kind("xml", "XML")
    return _PAGE


def _json(head: bytes) -> Kind | None:
    found = re.match(rb'(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*[\]\[{"0-9-])', head)
    return _JSON if found and _text(head) else None


def _tar(head: bytes) -> Kind | None:
    if len(head) < tarfile.BLOCKSIZE:
        return None
    if head[257:262] == b"ustar":
        return _TAR
    if not head[:1].strip(b"\0"):
        return None
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return None
    return _TAR


def _zeros(head: bytes) -> Kind | None:
    return None if head.strip(b"\0") else ZEROS


def _text(head: bytes) -> Kind | None:
    try:  # the head may end within a letter
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD)
    except UnicodeDecodeError:
        return None
    return None if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", text) else TEXT


#: Asked in this order; text last, since much else is text, too.
_CLOSER: tuple[Callable[[bytes], Kind | None], ...] = (
    *(_zip, _pickle, _safetensors, _brand, _riff, _bmp, _netpbm, _markup, _json),
    *(_tar, _zeros, _text),
)
