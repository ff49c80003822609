"""Files made to do harm: a corpus that is the same for the same seed.

Nothing here is stored: bombs are put together from a few bytes, all else is damaged from pictures
that are drawn. Each function yields ``(name, content)``; what is no content, as links and pipes, is
put in place by :func:`place_special_files`.
"""

from __future__ import annotations

import io
import os
import random
import socket
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

File = tuple[str, bytes]

#: How the pictures are stored that are damaged.
FORMATS = {
    "baseline.jpg": ("JPEG", {"quality": 85}),
    "progressive.jpg": ("JPEG", {"quality": 85, "progressive": True}),
    "plain.png": ("PNG", {}),
    "lossy.webp": ("WEBP", {"quality": 80}),
    "lossless.webp": ("WEBP", {"lossless": True}),
    "plain.gif": ("GIF", {}),
    "plain.bmp": ("BMP", {}),
    "plain.tif": ("TIFF", {}),
    "lzw.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "jpeg.tif": ("TIFF", {"compression": "jpeg"}),
    "plain.avif": ("AVIF", {"quality": 80}),
}


def picture(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def encoded(seed: int, kind: str, size: tuple[int, int] = (48, 40)) -> bytes:
    """An ordinary file of a kind of :data:`FORMATS`."""
    format_, options = FORMATS[kind]
    buffer = io.BytesIO()
    picture(seed, size).save(buffer, format_, **options)
    return buffer.getvalue()


# --- Damage -----------------------------------------------------------------------------------


def truncations() -> Iterator[File]:
    """Every kind, cut at every 5 % of its length."""
    for seed, kind in enumerate(FORMATS):
        whole = encoded(seed, kind)
        for percent in range(0, 100, 5):
            yield f"cut-{percent:02}-{kind}", whole[: len(whole) * percent // 100]


def bit_flips(count: int, seed: int = 0) -> Iterator[File]:
    """Pictures with one to sixteen bits flipped, half of them where the headers are."""
    rng = random.Random(seed)
    kinds = list(FORMATS)
    sources = [(kind, encoded(number, kind)) for number, kind in enumerate(kinds)]
    for number in range(count):
        kind, whole = sources[number % len(sources)]
        content = bytearray(whole)
        span = len(content) if rng.random() < 0.5 else min(len(content), 200)
        for _ in range(rng.choice([1, 1, 2, 4, 16])):
            place = rng.randrange(span)
            content[place] ^= 1 << rng.randrange(8)
        yield f"flip-{number:05}-{kind}", bytes(content)


def splices(count: int, seed: int = 0) -> Iterator[File]:
    """The beginning of one file with the end of another, or a part of it repeated."""
    rng = random.Random(seed)
    sources = [(kind, encoded(number, kind)) for number, kind in enumerate(FORMATS)]
    for number in range(count):
        (kind, first), (_, second) = rng.choice(sources), rng.choice(sources)
        here = rng.randrange(len(first))
        there = rng.randrange(len(second))
        part = first[here : here + rng.randrange(1, 300)] * rng.randrange(1, 20)
        yield f"splice-{number:05}-{kind}", first[:here] + part + second[there:]


# --- Containers by hand -----------------------------------------------------------------------


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(
    width: int,
    height: int,
    *extra: tuple[bytes, bytes],
    data: bytes | None = None,
    depth: int = 8,
    colour: int = 2,
    interlaced: bool = False,
) -> bytes:
    """A PNG with chunks between its header and its data; by default black."""
    if data is None:
        size = (1 + 3 * width) * height
        data = zlib.compress(bytes(size if size < 10**6 else 0))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def inflating(size: int) -> bytes:
    """Zlib data, a thousandth as long, that inflate to that many zeros and are cut off."""
    deflate = zlib.compressobj(9)
    start = deflate.compress(bytes(2**20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(2**20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + block * (size // 2**20)


def tiff(
    entries: dict[int, tuple[int, int, int | bytes]], data: bytes = b"", following: int = 0
) -> bytes:
    """A little-endian TIFF with one directory: tag, and for it type, count and value or offset."""
    directory = struct.pack("<H", len(entries))
    for tag, (kind, count, value) in sorted(entries.items()):
        stored = value if isinstance(value, bytes) else struct.pack("<I", value)
        directory += struct.pack("<HHI", tag, kind, count) + stored.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", following) + data


def plain_tiff(width: int, height: int, **more: tuple[int, int, int]) -> bytes:
    """An RGB TIFF that says what is asked for, whatever its data are."""
    named = {"rows": 278, "compression": 259, "offsets": 273, "counts": 279, "next": -1}
    entries: dict[int, tuple[int, int, int | bytes]] = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 200),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, width * height % 2**32),
    }
    for name, entry in more.items():
        entries[named.get(name) or int(name.removeprefix("tag"))] = entry
    return tiff(entries).ljust(200, b"\0") + bytes(min(width * height, 10_000))


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: int = 1000) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + data, 0, 0, 54) + header + bytes(data)


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"".join(blocks) + b";"


def gif_frame(width: int, height: int, left: int = 0, top: int = 0) -> bytes:
    """A frame with the data of one pixel."""
    return struct.pack("<cHHHHB", b",", left, top, width, height, 0) + b"\x02\x02\x44\x01\0"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP container."""
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"VP8X", bytes([flags, 0, 0, 0]) + size


def webp_frame(seed: int) -> tuple[bytes, bytes]:
    """The frame of a still WebP as a chunk of an animation."""
    still = encoded(seed, "lossless.webp")[12:]
    side = struct.pack("<I", 47)[:3] + struct.pack("<I", 39)[:3]
    return b"ANMF", bytes(6) + side + bytes(3) + b"\0" + still


def jpeg_of_size(content: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size."""
    for start in (b"\xff\xc0", b"\xff\xc2"):
        place = content.find(start)
        if place > 0:
            return content[: place + 5] + struct.pack(">HH", height, width) + content[place + 9 :]
    raise ValueError("no frame header")


def jpeg_with(content: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments behind its start."""
    added = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments
    )
    return content[:2] + added + content[2:]


def jpeg_of_scans(scans: int, size: tuple[int, int] = (2000, 2000)) -> bytes:
    """A grey progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("L", size, 200).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    last = whole.rfind(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + whole[-2:]


# --- Bombs ------------------------------------------------------------------------------------


def bombs(scale: int = 1, side: int = 9_000) -> Iterator[File]:
    """Small files that want much memory or time, the more the larger the scale and the side."""
    size = 2**26 * scale
    keyword = b"Comment\0\0"
    yield "bomb-square.png", png(60_000, 60_000)
    yield "bomb-side.png", png(side, side, data=inflating(side * (3 * side + 1)))
    yield "bomb-interlaced.png", png(side, side, data=inflating(size), interlaced=True)
    yield "bomb-more-data.png", png(50, 50, data=inflating(size))
    yield "bomb-ztxt.png", png(50, 50, (b"zTXt", keyword + inflating(size)))
    yield "bomb-itxt.png", png(50, 50, (b"iTXt", b"Comment\0\1\0\0\0" + inflating(size)))
    yield "bomb-icc.png", png(50, 50, (b"iCCP", b"profile\0\0" + inflating(size)))
    texts = [(b"zTXt", b"T%d\0\0" % i + zlib.compress(bytes(2**20 - 1))) for i in range(100)]
    yield "bomb-texts.png", png(50, 50, *texts)
    yield "bomb-chunks.png", png(50, 50, *[(b"teSt", b"")] * 20_000 * scale)
    frame = struct.pack(">IIIIIHHBB", 0, 50, 50, 0, 0, 0, 1, 0, 0)
    yield (
        "bomb-frames.apng.png",
        png(50, 50, (b"acTL", struct.pack(">II", 2**31 - 1, 0)), (b"fcTL", frame)),
    )
    yield "bomb-16bit.png", png(side, side, data=inflating(size), depth=16, colour=6)
    yield "bomb-frames.gif", gif(50, 50, *[gif_frame(1, 1)] * 20_000 * scale)
    yield "bomb-screen.gif", gif(65_535, 65_535, gif_frame(1, 1))
    yield "bomb-frame.gif", gif(1, 1, gif_frame(65_535, 65_535))
    yield "bomb-offset.gif", gif(1, 1, gif_frame(60_000, 60_000, 60_000, 60_000))
    yield "bomb-side.gif", gif(side, side, gif_frame(side, side))
    comment = b"!\xfe" + (b"\xff" + b"x" * 255) * 20_000 * scale + b"\0"
    yield "bomb-comment.gif", gif(50, 50, comment, gif_frame(50, 50))
    yield "bomb-comments.gif", gif(50, 50, *[b"!\xfe\1x\0"] * 100_000 * scale, gif_frame(50, 50))
    yield (
        "bomb-canvas.webp",
        riff(webp_canvas(16_384, 16_384, 2), (b"ANIM", bytes(6)), webp_frame(1)),
    )
    yield "bomb-canvas-2^24.webp", riff(webp_canvas(2**24, 2**24), webp_frame(1))
    animation = riff(webp_canvas(48, 40, 2), (b"ANIM", bytes(6)), *[webp_frame(1)] * 2_000 * scale)
    yield "bomb-frames.webp", animation
    still = io.BytesIO()
    Image.new("RGB", (side, side), 200).save(still, "WEBP", lossless=True, method=0)
    yield "bomb-side.webp", still.getvalue()
    yield "bomb-tiles.tif", tile_bomb(300_000 * scale)
    yield "bomb-strips.tif", plain_tiff(10, 2**31, rows=(4, 1, 1), offsets=(4, 2**30, 0))
    yield "bomb-counts.tif", count_bomb(2**20 * scale)
    whole = encoded(3, "baseline.jpg")
    yield "bomb-exif.jpg", jpeg_with(whole, (0xE1, (b"Exif\0\0" + count_bomb(20_000))[:65_000]))
    yield "bomb-exif.png", png(50, 50, (b"eXIf", count_bomb(2**20 * scale)))
    chunk = count_bomb(2**20 * scale)
    yield "bomb-exif.webp", riff(webp_canvas(48, 40, 8), webp_still(1), (b"EXIF", chunk))
    yield "bomb-deflate.tif", deflate_bomb(side)
    yield "bomb-dimensions.jpg", jpeg_of_size(whole, 65_500, 65_500)
    yield "bomb-side.jpg", jpeg_of_size(whole, side, side)
    yield "bomb-side-progressive.jpg", jpeg_of_size(encoded(3, "progressive.jpg"), side, side)
    yield "bomb-scans.jpg", jpeg_of_scans(5_000 * scale)
    icc = [(0xE2, b"ICC_PROFILE\0" + bytes([i % 255 + 1, 255]) + bytes(60_000)) for i in range(40)]
    yield "bomb-icc.jpg", jpeg_with(whole, *icc * scale)
    yield "bomb-side.bmp", bmp(side, side)
    yield "bomb-rle.bmp", bmp(side, side, 8, 1, 5_000)


def webp_still(seed: int) -> tuple[bytes, bytes]:
    content = encoded(seed, "lossless.webp")
    return content[12:16], content[20:]


def tile_bomb(tiles: int) -> bytes:
    """A TIFF of very many tiles of one pixel."""
    side = int(tiles**0.5)
    offset = 8 + 2 + 12 * 10 + 4
    return tiff(
        {
            256: (4, 1, side),
            257: (4, 1, side),
            258: (3, 1, 8),
            259: (3, 1, 1),
            262: (3, 1, 1),
            277: (3, 1, 1),
            322: (4, 1, 1),
            323: (4, 1, 1),
            324: (4, side * side, offset),
            325: (4, side * side, offset),
        },
        bytes(4 * side * side),
    )


def count_bomb(size: int) -> bytes:
    """A TIFF, or EXIF, of very many tags, each of which claims the whole file."""
    whole = plain_tiff(10, 10)
    entries: dict[int, tuple[int, int, int | bytes]] = {
        256: (4, 1, 10), 257: (4, 1, 10), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1),
        273: (4, 1, 0), 277: (3, 1, 1), 278: (4, 1, 10), 279: (4, 1, 100), 274: (3, 1, 6),
    }  # fmt: skip
    entries |= dict.fromkeys(range(1_000, 5_000), (7, size, 0))
    return tiff(entries, whole).ljust(size, b"\0")


def deflate_bomb(side: int) -> bytes:
    """A TIFF whose one strip inflates to more than it may."""
    data = inflating(side * side * 2)
    return plain_tiff(side, side, compression=(3, 1, 8), counts=(4, 1, len(data)))[:200] + data


# --- Sizes that are none ----------------------------------------------------------------------


def dimensions() -> Iterator[File]:
    """Widths and heights that no picture has."""
    sizes = [0, 1, 2, 100_000, 65_535, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
    jpeg = encoded(5, "baseline.jpg")
    for width in sizes:
        for height in (0, 1, 3, 100_000, 2**31 - 1, 2**32 - 1):
            name = f"size-{width}x{height}"
            yield f"{name}.png", png(width, height)
            yield f"{name}.tif", plain_tiff(width, height)
            signed = [value - 2**32 if value >= 2**31 else value for value in (width, height)]
            yield f"{name}.bmp", bmp(*signed)
            yield f"{name}.gif", gif(width % 2**16, height % 2**16, gif_frame(1, 1))
            yield f"{name}.jpg", jpeg_of_size(jpeg, width % 2**16, height % 2**16)
            canvas = webp_canvas(max(1, width % 2**24), max(1, height % 2**24))
            yield f"{name}.webp", riff(canvas, webp_still(1))
    for height in (-1, -10, -100_000, -(2**31)):
        yield f"size-10x{height}.bmp", bmp(10, height)
        yield f"size-{height}x10.bmp", bmp(height, 10)


# --- Metadata ---------------------------------------------------------------------------------


def metadata() -> Iterator[File]:
    """EXIF, ICC and XMP that no program wrote."""
    whole = encoded(7, "baseline.jpg")
    rng = random.Random(7)
    for orientation in (0, 9, 255, 65_535):
        exif = tiff({274: (3, 1, struct.pack("<H", orientation))})
        yield f"exif-orientation-{orientation}.jpg", jpeg_with(whole, (0xE1, b"Exif\0\0" + exif))
    for kind in range(20):
        exif = tiff({274: (kind, 2**32 - 1, 8)})
        yield f"exif-type-{kind}.jpg", jpeg_with(whole, (0xE1, b"Exif\0\0" + exif))
    loops = {
        "next": tiff({274: (3, 1, 6)}, following=8),
        "exif": tiff({34665: (4, 1, 8)}),
        "gps": tiff({34853: (4, 1, 8), 274: (3, 1, 6)}),
        "sub": tiff({330: (4, 2, 8), 34665: (4, 1, 8), 40965: (4, 1, 8)}),
        "self": tiff({274: (3, 1, 6)}, following=0)[:8] + b"\xff\xff" + bytes(100),
    }
    for name, exif in loops.items():
        yield f"exif-loop-{name}.jpg", jpeg_with(whole, (0xE1, b"Exif\0\0" + exif))
        yield f"exif-loop-{name}.png", png(20, 20, (b"eXIf", exif))
        yield f"exif-loop-{name}.webp", riff(webp_canvas(48, 40, 8), webp_still(1), (b"EXIF", exif))
        yield f"loop-{name}.tif", exif
    for number in range(40):
        junk = rng.randbytes(rng.choice([0, 1, 7, 100, 5_000]))
        yield f"junk-exif-{number}.jpg", jpeg_with(whole, (0xE1, b"Exif\0\0" + junk))
        yield f"junk-order-{number}.jpg", jpeg_with(whole, (0xE1, b"Exif\0\0II*\0" + junk))
        icc = b"ICC_PROFILE\0" + bytes([rng.randrange(256), rng.randrange(256)]) + junk
        yield f"junk-icc-{number}.jpg", jpeg_with(whole, (0xE2, icc))
        yield f"junk-mpf-{number}.jpg", jpeg_with(whole, (0xE2, b"MPF\0II*\0" + junk))
        yield f"junk-adobe-{number}.jpg", jpeg_with(whole, (0xEE, b"Adobe" + junk[:20]))
        yield f"junk-photoshop-{number}.jpg", jpeg_with(whole, (0xED, b"Photoshop 3.0\0" + junk))
        yield f"junk-icc-{number}.png", png(20, 20, (b"iCCP", b"p\0\0" + zlib.compress(junk)))
        kind = rng.choice([b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"cHRM", b"acTL", b"fdAT", b"sBIT"])
        yield f"junk-chunk-{number}.png", png(20, 20, (kind, junk))
        webp = riff(webp_canvas(48, 40, 0x2C), (b"ICCP", junk), webp_still(1), (b"EXIF", junk))
        yield f"junk-{number}.webp", webp


# --- Two formats in one -----------------------------------------------------------------------


def polyglots() -> Iterator[File]:
    """Files that are pictures to one program and something else to another."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as handle:
        handle.writestr("../../pwned", "pwned")
    page = b"<html><script>document.location='http://127.0.0.1/'</script></html>"
    yield "jpeg-zip.jpg", encoded(11, "baseline.jpg") + archive.getvalue()
    yield "zip.jpg", archive.getvalue()
    yield (
        "gif-js.gif",
        b"GIF89a=1;alert(document.domain);/*" + encoded(12, "plain.gif")[34:] + b"*/",
    )
    yield "html.png", png(20, 20, (b"tEXt", b"Comment\0" + page))
    yield "page.png", page
    yield "svg.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield (
        "php.jpg",
        jpeg_with(encoded(13, "baseline.jpg"), (0xFE, b"<?php system('touch pwned'); ?>")),
    )
    yield "script.png", b"#!/bin/sh\ntouch pwned\n"
    yield (
        "postscript.png",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(touch pwned) run\n",
    )
    yield "pdf.jpg", b"%PDF-1.7\n" + encoded(14, "baseline.jpg")
    yield "pickle.png", b"\x80\x04c" + b"os\nsystem\n(S'touch pwned'\ntR."
    for number, kind in enumerate(FORMATS):
        for ending in ("jpg", "png", "webp", "gif", "bmp", "tiff"):
            stem = kind.replace(".", "-")
            yield f"really-{stem}.{ending}", encoded(100 + number * 10 + len(ending), kind)


# --- Names ------------------------------------------------------------------------------------


def names() -> list[bytes]:
    """File names, without an ending, with every byte and every trick."""
    tricks = [
        *("-rf", "--output=x", "$(touch pwned)", "`touch pwned`", "; touch pwned", "a && b | c"),
        *(
            "'",
            '"',
            "\\",
            "\\n",
            "a\nb",
            "a\rb",
            "a\tb",
            "a\x1b[31mb",
            "*",
            "?",
            "[a]",
            "~",
            "#",
            "!",
        ),
        *(
            "%s%n",
            "{category}",
            "{{x}}",
            "{0}",
            "$HOME",
            "${x}",
            "=cmd()",
            "@x",
            "+1",
            "<b>",
            "&amp;",
        ),
        *("<script>alert(1)<!--", " ", "   ", " a", "a ", "a..", "CON", "NUL", "a:b"),
        *(
            "\u202egnp",
            "\u200b",
            "\ufeffa",
            "e\u0301",
            "\u00e9",
            "\ufb01",
            "K",
            "\u212a",
            "\U0001f43c",
        ),
        *(
            "\u0130",
            "\u00df",
            "\u2028",
            "\u0085",
            "\x7f",
            "a,b;c",
            "a%00b",
            "%2e%2e%2f",
            "..\\..\\a",
        ),
        *("null", "None", "nan", "true", "12", "1e5", "x" * 251),
    ]
    single = [b"n" + bytes([byte]) for byte in range(1, 256) if byte != ord("/")]
    return list(dict.fromkeys([*single, *(trick.encode() for trick in tricks)]))


# --- What is no file --------------------------------------------------------------------------


def place_special_files(folder: Path, root: Path, outside: Path) -> list[str]:
    """Links, loops, pipes, sockets, devices, and files that may not be read, in a folder.

    Args:
        folder: an existing folder below ``root``.
        root: the images' root.
        outside: a folder beside it, with ``secret.png`` in it and in a folder ``deep``.

    Returns:
        The names that must never become images.
    """
    up = os.path.relpath(outside, folder)
    targets = {
        "absolute.png": outside / "secret.png",
        "relative.png": f"{up}/secret.png",
        "folder.png": outside,
        "chain-1.png": "chain-2.png",
        "chain-2.png": f"{up}/secret.png",
        "through-proc.png": f"/proc/self/root{outside}/secret.png",
        "cwd.png": "/proc/self/cwd",
        "fd.png": "/dev/stdin",
        "zero.png": "/dev/zero",
        "random.png": "/dev/random",
        "loop.png": "loop.png",
        "loop-a.png": "loop-b.png",
        "loop-b.png": "loop-a.png",
        "nowhere.png": "nowhere/at/all.png",
        "root.png": "/",
        "parent.png": "..",
        "long.png": "x" * 300,
        "out": outside,
        "up": "../..",
        "through-link.png": "out/deep/secret.png",
    }
    for name, target in targets.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server, suppress(OSError):  # its path may be too long
        server.bind(os.fspath(folder / "socket.png"))
    with suppress(PermissionError):  # for root alone
        os.mknod(folder / "null-device.png", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod(folder / "zero-device.png", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    with open(folder / "sparse.png", "wb") as handle:
        handle.truncate(2**40)
    made = [*targets, "pipe.png", "socket.png", "null-device.png", "zero-device.png", "sparse.png"]
    return [name for name in made if os.path.lexists(folder / name)]


# --- All of it --------------------------------------------------------------------------------


def corpus(flips: int, scale: int = 1, seed: int = 0, side: int = 9_000) -> Iterator[File]:
    """Every file with content: about 1,250 and the flipped and spliced ones."""
    yield from truncations()
    yield from bit_flips(flips, seed)
    yield from splices(flips // 4, seed)
    yield from bombs(scale, side)
    yield from dimensions()
    yield from metadata()
    yield from polyglots()


def write_corpus(folder: Path, flips: int, scale: int = 1, seed: int = 0, side: int = 9_000) -> int:
    """Write the corpus into a folder, and files of every name; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in corpus(flips, scale, seed, side):
        (folder / name).write_bytes(content)
    for number, name in enumerate(names()):
        # Every third one holds a picture of its own.
        content = encoded(1_000 + number, "plain.png", (20, 16)) if number % 3 == 0 else b"junk"
        with open(os.path.join(os.fsencode(folder), name + b".png"), "wb") as handle:
            handle.write(content)
    return len(os.listdir(folder))
