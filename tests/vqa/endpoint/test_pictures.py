"""What of a picture's file is sent: the pixels that other models see, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from synthsight.files import sha256_of
from synthsight.images.reading import ChangedImageError, open_rgb
from synthsight.vqa.endpoint.pictures import Picture, picture_of, reduced
from tests.support import draw_image


@pytest.fixture
def drawn(tmp_path: Path) -> Image.Image:
    draw_image(tmp_path / "drawn.png", 1, size=(60, 40))
    return Image.open(tmp_path / "drawn.png").convert("RGB")


def sent(path: Path, max_side: int | None = None, blind: bool = False) -> Picture:
    return picture_of(path.parent, path.name, sha256_of(path), max_side, blind)


def decoded(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.content))
    assert image.format == picture.kind.upper()
    return image.convert("RGB")


def same(picture: Picture, path: Path) -> bool:
    """Whether what is sent shows what every other model sees."""
    return decoded(picture).tobytes() == open_rgb(path.parent, path.name).tobytes()


@pytest.mark.parametrize("name", ["plain.png", "plain.jpg", "grey.png", "grey.jpg"])
def test_a_plain_file_is_sent_byte_for_byte(name: str, drawn: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / name
    drawn.convert("L" if "grey" in name else "RGB").save(path)
    found = sent(path)
    assert (found.content, found.how) == (path.read_bytes(), "file")
    assert found.url.startswith(f"data:image/{found.kind};base64,")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpegs_metadata_stay_here_and_its_pixels_are_untouched(
    progressive: bool, drawn: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "told.jpg"
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    drawn.save(path, exif=exif, comment="by me", icc_profile=b"x" * 200, progressive=progressive)
    path.write_bytes(path.read_bytes() + b"behind its end \xff\xd9")
    found = sent(path)
    assert (found.kind, found.how) == ("jpeg", "pixels")
    for told in (b"taken at home", b"by me", b"x" * 200, b"behind"):
        assert told in path.read_bytes() and told not in found.content
    assert same(found, path)


def test_a_pngs_texts_stay_here(drawn: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "told.png"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a red dog, masterpiece")
    drawn.save(path, pnginfo=texts)
    found = sent(path)
    assert b"masterpiece" in path.read_bytes() and b"masterpiece" not in found.content
    assert (found.kind, found.how) == ("png", "pixels") and same(found, path)


def turned(drawn: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn.save(path, "JPEG", exif=exif)


def clear(drawn: Image.Image, path: Path) -> None:
    drawn.putalpha(100)
    drawn.save(path, "PNG")


def deep(drawn: Image.Image, path: Path) -> None:
    Image.fromarray(np.asarray(drawn.convert("L")).astype(np.uint16) * 257).save(path, "PNG")


def moving(drawn: Image.Image, path: Path) -> None:
    drawn.save(path, "PNG", save_all=True, append_images=[Image.new("RGB", drawn.size, "red")])


UNUSUAL: dict[str, Any] = {
    "turned": turned,
    "clear": clear,
    "deep": deep,
    "moving": moving,
    "palette": lambda drawn, path: drawn.quantize(8).save(path, "PNG"),
    "cmyk": lambda drawn, path: drawn.convert("CMYK").save(path, "JPEG"),
    "webp": lambda drawn, path: drawn.save(path, "WEBP"),
    "gif": lambda drawn, path: drawn.save(path, "GIF"),
    "bmp": lambda drawn, path: drawn.save(path, "BMP"),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_file_that_a_server_may_see_otherwise_is_sent_as_its_pixels(
    name: str, drawn: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / {"webp": "a.webp", "gif": "a.gif", "bmp": "a.bmp", "turned": "a.jpg"}.get(
        name, "a.jpg" if name == "cmyk" else "a.png"
    )
    UNUSUAL[name](drawn, path)
    found = sent(path)
    assert (found.kind, found.how) == ("png", "pixels")
    assert same(found, path)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("a.jpg", "jpeg"), ("a.webp", "png")])
def test_a_larger_picture_is_reduced_on_its_longer_side(
    name: str, kind: str, drawn: Image.Image, tmp_path: Path
) -> None:
    drawn.save(tmp_path / name)
    found = sent(tmp_path / name, max_side=30)
    assert (found.kind, found.how) == (kind, "reduced")
    assert decoded(found).size == (30, 20)
    assert sent(tmp_path / name, max_side=60).how != "reduced"


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2000, 10), (1000, 5)), ((1, 3000), (1, 1000)), ((1001, 999), (1000, 998))],
)
def test_the_shape_of_a_reduced_picture(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert reduced(size, 1000) == expected
    assert reduced(size, None) == size


def test_who_sees_nothing_sees_grey_of_the_same_size(drawn: Image.Image, tmp_path: Path) -> None:
    drawn.save(tmp_path / "a.jpg")
    found = sent(tmp_path / "a.jpg", max_side=30, blind=True)
    assert found.how == "grey"
    grey = decoded(found)
    assert grey.size == (30, 20) and set(grey.get_flattened_data()) == {(128, 128, 128)}


def test_an_image_that_has_changed_is_not_sent(drawn: Image.Image, tmp_path: Path) -> None:
    drawn.save(tmp_path / "a.png")
    with pytest.raises(ChangedImageError, match=r"a\.png: changed since indexing"):
        picture_of(tmp_path, "a.png", "0" * 64, None)
