"""Every stage sees the same picture, whatever the file; what is no picture is refused."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from synthsight.images.reading import UnusableImageError, open_rgb

DATA = Path(__file__).parents[3] / "shared" / "data" / "images-decode"

Pixels = npt.NDArray[np.uint8]

# What each EXIF orientation asks for, in numpy's words.
ORIENTED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


def noise(height: int = 24, width: int = 36, channels: int = 3, seed: int = 0) -> Pixels:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


def scene(height: int = 96, width: int = 128) -> Pixels:
    """A smooth picture without symmetry, which lossy formats keep nearly as it is."""
    y, x = np.mgrid[:height, :width]
    red, green = 255 * x / width, 255 * y / height
    return np.stack([red, green, 255 - (red + green) / 2], axis=2).astype(np.uint8)


def read(path: Path) -> Pixels:
    image = open_rgb(path.parent, path.name)
    assert image.mode == "RGB"
    return np.asarray(image)


def saved(path: Path, pixels: npt.NDArray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def reason(path: Path, max_pixels: int | None = None) -> str:
    with pytest.raises(UnusableImageError) as caught:
        open_rgb(path.parent, path.name) if max_pixels is None else open_rgb(
            path.parent, path.name, max_pixels
        )
    return str(caught.value)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def png(width: int, height: int, depth: int, colour: int, data: bytes, extra: bytes = b"") -> bytes:
    """A PNG by hand, for kinds that Pillow does not write."""

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def rows(values: npt.NDArray) -> bytes:
    """The unfiltered rows of a PNG with 16 bits a sample."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)


# --- Ordinary files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {"quality": 90}),
        ("jpg", {"quality": 90, "progressive": True, "subsampling": 2}),
        ("png", {}),
        ("webp", {"lossless": True}),
        ("webp", {"quality": 80}),
        ("bmp", {}),
        ("tif", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("jfif", {"format": "JPEG"}),
        ("jpe", {"format": "JPEG"}),
        ("avif", {"quality": 80}),
    ],
)
def test_an_rgb_file_of_any_format_comes_back_bit_for_bit_as_pillow_decodes_it(
    tmp_path: Path, ending: str, options: dict[str, object]
) -> None:
    path = saved(tmp_path / f"image.{ending}", scene(), **options)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert np.array_equal(read(path), np.asarray(image))


@pytest.mark.parametrize("ending", ["png", "webp", "bmp", "tif"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, ending: str) -> None:
    options = {"lossless": True} if ending == "webp" else {}
    path = saved(tmp_path / f"image.{ending}", noise(), **options)
    assert np.array_equal(read(path), noise())


@pytest.mark.parametrize("ending", ["JPG", "JPEG", "PNG", "WebP", "GIF", "BMP", "TIF", "TIFF"])
def test_the_case_of_the_ending_does_not_count(tmp_path: Path, ending: str) -> None:
    lower = saved(tmp_path / f"lower.{ending.lower()}", scene())
    upper = tmp_path / f"upper.{ending}"
    upper.write_bytes(lower.read_bytes())
    assert np.array_equal(read(upper), read(lower))


def test_the_contents_and_not_the_ending_tell_the_format(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.jpg", noise(), format="PNG")
    assert np.array_equal(read(path), noise())


def test_only_the_listed_decoders_are_reached(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise(), format="PPM")
    expected = "not an image in any format that is read here: a PPM, PGM or PBM image: convert it"
    assert reason(path).startswith(expected)


def test_an_mpo_of_a_phone_is_read_as_its_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    other = Image.fromarray(255 - scene())
    options = {"quality": 95, "save_all": True, "append_images": [other]}
    Image.fromarray(scene()).save(path, format="MPO", **options)
    with Image.open(path) as image:
        assert image.format == "MPO"
    assert np.abs(read(path).astype(int) - scene()).mean() < 5


def test_a_picture_is_loaded_when_its_file_is_gone(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise())
    image = open_rgb(path.parent, path.name)
    path.unlink()
    assert np.array_equal(np.asarray(image), noise())


def test_the_bytes_of_a_file_are_not_kept_open(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise())
    before = len(os.listdir("/dev/fd"))
    images = [open_rgb(path.parent, path.name) for _ in range(20)]
    assert len(os.listdir("/dev/fd")) == before
    assert len(images) == 20


def test_an_icc_profile_changes_no_pixel(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = saved(tmp_path / "image.png", noise(), icc_profile=profile)
    assert np.array_equal(read(path), noise())


def test_a_damaged_icc_profile_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise(), icc_profile=b"no profile")
    assert np.array_equal(read(path), noise())


# --- Other modes ------------------------------------------------------------------------------


def test_grey_is_repeated_in_three_channels(tmp_path: Path) -> None:
    grey = noise()[:, :, 0]
    path = saved(tmp_path / "grey.png", grey)
    assert np.array_equal(read(path), np.repeat(grey[:, :, None], 3, axis=2))


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = noise()[:, :, 0] > 127
    path = saved(tmp_path / "bits.png", bits)
    expected = np.where(bits, 255, 0).astype(np.uint8)
    assert np.array_equal(read(path), np.repeat(expected[:, :, None], 3, axis=2))


def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 0xFFFF, 24 * 36).astype(np.uint16).reshape(24, 36)
    for ending in ("png", "tif"):
        path = saved(tmp_path / f"deep.{ending}", values)
        expected = np.repeat((values // 256).astype(np.uint8)[:, :, None], 3, axis=2)
        assert np.array_equal(read(path), expected)


def test_16_bit_colour_is_scaled_like_16_bit_grey(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 0x10000, (5, 7, 3)).astype(np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(png(7, 5, 16, 2, rows(values)))
    assert np.array_equal(read(path), (values // 256).astype(np.uint8))


def test_16_bit_alpha_is_laid_over_white(tmp_path: Path) -> None:
    values = np.zeros((5, 7, 4), np.uint16)
    values[:, 3:, 3] = 0xFFFF  # black, the left part of it transparent
    path = tmp_path / "deep.png"
    path.write_bytes(png(7, 5, 16, 6, rows(values)))
    assert (read(path)[:, :3] == 255).all()
    assert (read(path)[:, 3:] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("values", [(0, 1), (0, 200), (0, 60_000), (-5, 1_000_000)])
def test_numbers_without_a_defined_range_are_refused(
    tmp_path: Path, dtype: type, values: tuple[int, int]
) -> None:
    ramp = np.linspace(*values, 24 * 36).reshape(24, 36).astype(dtype)
    path = tmp_path / "science.tif"
    Image.fromarray(ramp).save(path)
    assert "whose range for display is not defined" in reason(path)


def test_a_cmyk_jpeg_shows_the_colours_of_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Image.fromarray(scene()).convert("CMYK").save(path, quality=95)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
    assert np.abs(read(path).astype(int) - scene()).mean() < 6


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    pixels = noise(channels=4)
    pixels[0, :, 3], pixels[1, :, 3] = 0, 255
    path = saved(tmp_path / "alpha.png", pixels)
    alpha = pixels[:, :, 3:] / 255
    expected = alpha * pixels[:, :, :3] + (1 - alpha) * 255
    assert np.abs(read(path) - expected).max() <= 1
    assert (read(path)[0] == 255).all()
    assert np.array_equal(read(path)[1], pixels[1, :, :3])


def test_grey_with_alpha_is_laid_over_white(tmp_path: Path) -> None:
    pixels = noise(channels=2)
    path = saved(tmp_path / "alpha.png", pixels)
    alpha = pixels[:, :, 1:] / 255
    expected = np.repeat(alpha * pixels[:, :, :1] + (1 - alpha) * 255, 3, axis=2)
    assert np.abs(read(path) - expected).max() <= 1


def test_the_transparent_colours_of_a_palette_are_white(tmp_path: Path) -> None:
    for ending in ("png", "gif"):
        image = Image.new("P", (4, 3), 0)
        image.putpalette([10, 20, 30, 200, 100, 50])
        image.putpixel((1, 1), 1)
        path = tmp_path / f"palette.{ending}"
        image.save(path, transparency=0)
        expected = np.full((3, 4, 3), 255, np.uint8)
        expected[1, 1] = (200, 100, 50)
        assert np.array_equal(read(path), expected)


def test_a_palette_with_degrees_of_transparency_is_blended(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putpixel((1, 0), 1)
    path = tmp_path / "palette.png"
    image.save(path, transparency=bytes([51, 255]))
    assert read(path)[0].tolist() == [[204, 204, 204], [0, 0, 0]]


def test_the_one_transparent_colour_of_an_rgb_file_is_white(tmp_path: Path) -> None:
    pixels = noise()
    pixels[2, 3] = (1, 2, 3)
    path = saved(tmp_path / "key.png", pixels, transparency=(1, 2, 3))
    expected = pixels.copy()
    expected[2, 3] = 255
    assert np.array_equal(read(path), expected)


# --- Transparent colours at other depths -------------------------------------------------------


def test_the_transparent_colour_of_16_bit_grey_is_white(tmp_path: Path) -> None:
    """Of two greys with the same high byte only the one that is meant is transparent."""
    values = np.array([[0x1234, 0x1235, 0x0034], [0x1234, 0xFFFF, 0x1200]], np.uint16)
    path = tmp_path / "key.png"
    path.write_bytes(png(3, 2, 16, 0, rows(values), chunk(b"tRNS", b"\x12\x34")))
    assert read(path)[:, :, 0].tolist() == [[255, 0x12, 0], [255, 255, 0x12]]
    assert (read(path) == read(path)[:, :, :1]).all()


def test_the_transparent_colour_of_16_bit_colour_is_white(tmp_path: Path) -> None:
    values = np.full((2, 2, 3), 0x4080, np.uint16)
    values[0, 0] = (0x1234, 0x5678, 0x9ABC)
    values[0, 1] = (0x1234, 0x5678, 0x9ABD)
    path = tmp_path / "key.png"
    key = values[0, 0].astype(">u2").tobytes()
    path.write_bytes(png(2, 2, 16, 2, rows(values), chunk(b"tRNS", key)))
    expected = [[[255] * 3, [0x12, 0x56, 0x9A]], [[0x40] * 3] * 2]
    assert read(path).tolist() == expected


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_transparent_colour_of_few_bits_is_white(tmp_path: Path, depth: int) -> None:
    """The colour is 1 of 0 to 1, 3 or 15, and the picture is 0, 1."""
    path = tmp_path / "key.png"
    row = bytes([0, 1 << (8 - 2 * depth)])
    path.write_bytes(png(2, 1, depth, 0, row, chunk(b"tRNS", b"\0\1")))
    assert read(path)[0, :, 0].tolist() == [0, 255]
    path.write_bytes(png(2, 1, depth, 0, row, chunk(b"tRNS", b"\0\0")))
    assert read(path)[0, :, 0].tolist() == [255, 255 // (2**depth - 1)]


@pytest.mark.parametrize("colour", [0, 2])
def test_the_transparent_pixels_lie_where_the_upright_picture_has_them(
    tmp_path: Path, colour: int
) -> None:
    shape = (2, 3) if colour == 0 else (2, 3, 3)
    values = np.full(shape, 0x4080, np.uint16)
    values[0, 0] = 0x1234
    exif = Image.Exif()
    exif[0x0112] = 6
    extra = chunk(b"tRNS", b"\x12\x34" * (3 if colour else 1)) + chunk(b"eXIf", exif.tobytes()[6:])
    path = tmp_path / "key.png"
    path.write_bytes(png(3, 2, 16, colour, rows(values), extra))
    expected = np.full((3, 2), 0x40)
    expected[0, 1] = 255
    assert read(path)[:, :, 0].tolist() == expected.tolist()


# --- Odd metadata beside sound pixels ----------------------------------------------------------

_BROKEN = b"tEXtTitle\0a"  # with a checksum of something else

METADATA = {
    "2 MB of packed text": lambda: chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(2_000_000))),
    "packed international text": lambda: chunk(
        b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(b"a" * 2_000_000)
    ),
    "a profile of 5 MB": lambda: chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(5_000_000))),
    "a profile packed in an unknown way": lambda: chunk(b"iCCP", b"icc\0\1abc"),
    "text packed in an unknown way": lambda: chunk(b"zTXt", b"prompt\0\1abc"),
    "a wrong checksum of text": lambda: struct.pack(">I", 7) + _BROKEN + bytes(4),
    "a wrong checksum of the time": lambda: struct.pack(">I", 7) + b"tIME" + bytes(11),
    "a resolution cut short": lambda: chunk(b"pHYs", b"\0"),
    "a gamma cut short": lambda: chunk(b"gAMA", b""),
    "colours cut short": lambda: chunk(b"cHRM", bytes(8)),
    "an intent cut short": lambda: chunk(b"sRGB", b""),
    "a name that is no text": lambda: chunk(b"iTXt", b"\xff\xfe\0\0\0\xff\0\xff\0a"),
}


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("what", METADATA)
def test_odd_metadata_is_no_reason_to_refuse_a_png(tmp_path: Path, what: str, behind: bool) -> None:
    pixels = noise(5, 7)
    extra = METADATA[what]()
    data = b"".join(b"\0" + row.tobytes() for row in pixels)
    content = png(7, 5, 8, 2, data, b"" if behind else extra)
    if behind:
        content = content[:-12] + extra + content[-12:]
    path = tmp_path / "image.png"
    path.write_bytes(content)
    assert np.array_equal(read(path), pixels)


def test_odd_metadata_take_neither_orientation_nor_transparency(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
    extra = chunk(b"tRNS", b"\0\x0a") + chunk(b"eXIf", exif.tobytes()[6:])
    extra += METADATA["a wrong checksum of text"]() + METADATA["2 MB of packed text"]()
    path = tmp_path / "image.png"
    path.write_bytes(png(3, 2, 8, 0, b"".join(b"\0" + row.tobytes() for row in grey), extra))
    assert read(path)[:, :, 0].tolist() == [[40, 255], [50, 20], [60, 30]]


def test_an_orientation_in_text_is_kept_beside_odd_metadata(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    grey = b"".join(b"\0" + row for row in (b"\x0a\x14\x1e", b"\x28\x32\x3c"))
    sound, odd = tmp_path / "sound.png", tmp_path / "odd.png"
    sound.write_bytes(png(3, 2, 8, 0, grey, text))
    odd.write_bytes(png(3, 2, 8, 0, grey, METADATA["2 MB of packed text"]() + text))
    assert read(sound).shape == (3, 2, 3)
    assert np.array_equal(read(odd), read(sound))


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE"])
def test_a_wrong_checksum_of_what_pixels_depend_on_is_damage(tmp_path: Path, name: bytes) -> None:
    image = Image.new("P", (4, 3), 0)
    image.putpalette([10, 20, 30])
    image.save(tmp_path / "image.png")
    content = bytearray((tmp_path / "image.png").read_bytes())
    place = content.index(name)
    length = int.from_bytes(content[place - 4 : place], "big")
    content[place + 4 + length] ^= 1
    (tmp_path / "image.png").write_bytes(content)
    assert reason(tmp_path / "image.png").startswith("truncated or damaged")


# --- Animations -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    path = tmp_path / f"animated.{ending}"
    options = {"lossless": True} if ending == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, **options)
    with Image.open(path) as image:
        assert image.n_frames == 3
    assert np.array_equal(read(path), np.asarray(frames[0]))


# --- EXIF -------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif"])
def test_the_orientation_is_applied(tmp_path: Path, ending: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"image.{ending}", scene(64, 96), exif=exif)
    expected = ORIENTED[orientation](scene(64, 96)).astype(int)
    assert read(path).shape == expected.shape
    assert np.abs(read(path) - expected).mean() < 5


@pytest.mark.parametrize("mode", ["P", "L", "1", "RGBA", "LA", "I;16"])
def test_the_orientation_is_applied_whatever_the_mode(tmp_path: Path, mode: str) -> None:
    """It is asked for before the picture is converted: some conversions leave it behind."""
    exif = Image.Exif()
    exif[0x0112] = 6
    if mode == "I;16":
        image = Image.fromarray(scene()[:, :, 0].astype(np.uint16) * 256)
    else:
        image = Image.fromarray(scene()).convert(mode)
    image.save(tmp_path / "lying.png")
    image.save(tmp_path / "upright.png", exif=exif)
    assert np.array_equal(
        read(tmp_path / "upright.png"), np.rot90(read(tmp_path / "lying.png"), -1)
    )


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_grey_of_16_bits_is_reduced_in_either_order_of_bytes(tmp_path: Path, mode: str) -> None:
    values = np.random.default_rng(0).integers(0, 2**16, (5, 7))
    content = values.astype(">u2" if mode == "I;16B" else "<u2").tobytes()
    Image.frombytes(mode, (7, 5), content).save(tmp_path / "grey.tif")
    with Image.open(tmp_path / "grey.tif") as image:
        assert image.mode == mode
    assert np.array_equal(read(tmp_path / "grey.tif")[:, :, 0], values >> 8)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    "exif",
    [
        b"junk",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40),
        b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\2\0\0\0\4abc\0\0\0\0\0",
    ],
)
def test_junk_in_the_exif_counts_as_no_orientation(tmp_path: Path, exif: bytes) -> None:
    path = saved(tmp_path / "image.jpg", scene(), exif=exif, quality=95)
    assert np.abs(read(path).astype(int) - scene()).mean() < 5


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_counts_as_none(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "image.png", noise(), exif=exif)
    assert np.array_equal(read(path), noise())


# --- What is no image -------------------------------------------------------------------------


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.touch()
    assert reason(path) == "empty file"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"just text\n", "text"),
        (b"<svg/>", "an SVG drawing"),
        (b"\0", "nothing but zero bytes"),
        (b"\xff\xd8", "no kind of file that is known here"),
        (bytes(5000), "nothing but zero bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image"),
        (b"\xff\x0a\xf8\x01", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"8BPS\0\1", "a Photoshop file"),
    ],
)
def test_what_is_no_image_is_refused_as_what_it_is(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    assert reason(path).startswith(f"not an image in any format that is read here: {kind}")


def test_an_image_that_is_told_only_by_its_first_bytes_is_called_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise())
    path.write_bytes(path.read_bytes()[:8] + bytes(40))
    assert reason(path) == "truncated or damaged: a PNG image, by its first bytes"


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tif", "avif"])
@pytest.mark.parametrize("kept", [0.5, 0.75, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, kept: float) -> None:
    whole = saved(tmp_path / f"whole.{ending}", noise(60, 80)).read_bytes()
    path = tmp_path / f"truncated.{ending}"
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert reason(path)


@pytest.mark.parametrize("kept", [3, 20, 160, 400, 700, 1000, 2000, -1000, -100, -20])
def test_a_jpeg_truncated_anywhere_is_refused(tmp_path: Path, kept: int) -> None:
    whole = saved(tmp_path / "whole.jpg", noise(60, 80), quality=90).read_bytes()
    path = tmp_path / "truncated.jpg"
    path.write_bytes(whole[:kept])
    assert reason(path)


def test_the_reason_of_a_truncated_jpeg_says_so(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.jpg", noise(60, 80)).read_bytes()
    path = tmp_path / "truncated.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    assert reason(path).startswith("truncated or damaged: image file is truncated")


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise(60, 80))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    assert reason(path).startswith("truncated or damaged")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    # 40,000 x 40,000 pixels would take 4.8 GB; there is no pixel data, so decoding would fail.
    path = tmp_path / "bomb.png"
    path.write_bytes(png(40_000, 40_000, 8, 2, b""))
    found = reason(path)
    assert found.startswith("too large: 40000 x 40000 pixels, the limit is 100,000,000")
    assert "images.max_pixels" in found


def test_the_bound_on_pixels_is_exact(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.png", noise(10, 20))
    assert open_rgb(path.parent, path.name, 200).size == (20, 10)
    assert reason(path, 199).startswith("too large: 20 x 10 pixels, the limit is 199")


def test_a_gif_whose_first_frame_outgrows_its_screen_is_held_to_the_bound(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.gif", np.zeros((100, 200), np.uint8))
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", 1, 1)  # the screen is said to be one pixel
    path.write_bytes(content)
    assert reason(path, 19_999).startswith("too large")


@pytest.mark.parametrize("size", [(1, 101), (101, 1), (2001, 20)])
def test_a_strip_that_resizing_would_blow_up_is_refused(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = saved(tmp_path / "strip.png", noise(size[1], size[0]))
    assert reason(path) == f"too narrow: {size[0]} x {size[1]} pixels, the limit is 100 to 1"


def test_a_strip_within_the_bound_is_read(tmp_path: Path) -> None:
    assert open_rgb(tmp_path, saved(tmp_path / "strip.png", noise(100, 1)).name).size == (1, 100)


def test_an_image_without_extent_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "image.bmp", noise())
    content = bytearray(path.read_bytes())
    content[18:22] = bytes(4)  # the width
    path.write_bytes(content)
    assert reason(path)


def test_one_line_is_enough_for_a_reason(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.tif", noise()).read_bytes()
    path = tmp_path / "damaged.tif"
    path.write_bytes(whole[:-40])
    assert "\n" not in reason(path)


def test_a_missing_file_is_not_the_images_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_rgb(tmp_path, "missing.png")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tif", "avif"])
def test_damaged_bytes_are_read_or_refused_and_never_stop_the_work(
    tmp_path: Path, ending: str
) -> None:
    whole = saved(tmp_path / f"whole.{ending}", noise()).read_bytes()
    path = tmp_path / f"damaged.{ending}"
    rng = random.Random(0)
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 2, 5])):
            # Where headers and directories are, mostly: at either end.
            span = rng.choice([60, 200, len(content)])
            place = rng.choice([rng.randrange(span), -1 - rng.randrange(span)])
            content[place % len(content)] = rng.choice([0, 1, 127, 128, 255])
        path.write_bytes(content)
        with contextlib.suppress(UnusableImageError):
            assert open_rgb(path.parent, path.name, 1_000_000).mode == "RGB"


# --- Real files -------------------------------------------------------------------------------


@pytest.fixture(name="real")
def real_() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no real images in {os.path.relpath(DATA)}")
    return DATA


def small(path: Path) -> npt.NDArray[np.float64]:
    image = open_rgb(path.parent, path.name).resize((32, 24), Image.Resampling.BOX)
    return np.asarray(image).astype(np.float64)


@pytest.mark.parametrize(
    "other", ["african_elephants_cmyk.jpg", "african_elephants_with_exif_orientation.jpg"]
)
def test_versions_of_one_photograph_show_the_same_scene(real: Path, other: str) -> None:
    first, second = small(real / "african_elephants.jpg"), small(real / other)
    assert np.abs(first - second).mean() < 12
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.97


def test_a_grey_photograph_shows_the_brightness_of_the_scene(real: Path) -> None:
    first = small(real / "african_elephants.jpg") @ [0.299, 0.587, 0.114]
    second = small(real / "african_elephants_bw.jpg")
    assert (second == second[:, :, :1]).all()
    assert np.corrcoef(first.ravel(), second[:, :, 0].ravel())[0, 1] > 0.97


def test_a_truncated_photograph_is_refused(real: Path) -> None:
    assert "truncated" in reason(real / "african_elephants_truncated_file.jpg")
