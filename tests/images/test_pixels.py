"""The stored pixels are, bit for bit, those of the libraries' own evaluation transforms."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import timm
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from timm.data import create_transform
from torchvision.models import get_weight
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as transforms

from synthsight.images import pixels as pixels_module
from synthsight.images.geometry import INTERPOLATIONS, Geometry
from synthsight.images.pixels import prepare_pixels, read_batches
from synthsight.images.reading import ChangedImageError
from synthsight.inference.normalise import normalise

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# (width, height): around the crop, around the resize, tiny, thin, and with odd rests.
SIZES = [
    (256, 256), (224, 224), (225, 224), (224, 225), (223, 300), (300, 223), (257, 255), (1, 1),
    (1, 40), (40, 1), (3, 100), (640, 480), (480, 640), (333, 500), (501, 333), (100, 99),
    (255, 1023), (1023, 255),
]  # fmt: skip

TORCHVISION = {
    "AlexNet_Weights.IMAGENET1K_V1": Geometry(256, (224, 224), "bilinear"),
    "ResNet50_Weights.IMAGENET1K_V2": Geometry(232, (224, 224), "bilinear"),
    "Inception_V3_Weights.IMAGENET1K_V1": Geometry(342, (299, 299), "bilinear"),
    "EfficientNet_B0_Weights.IMAGENET1K_V1": Geometry(256, (224, 224), "bicubic"),
    "ViT_B_16_Weights.IMAGENET1K_SWAG_LINEAR_V1": Geometry(224, (224, 224), "bicubic"),
}

# create_transform's arguments, and the geometry that they come to.
TIMM = [
    ({"input_size": 224, "crop_pct": 0.875, "interpolation": "bilinear"},
     Geometry(256, (224, 224), "bilinear")),
    ({"input_size": 224, "crop_pct": 0.9, "interpolation": "bicubic"},
     Geometry(248, (224, 224), "bicubic")),
    ({"input_size": 299, "crop_pct": 0.95, "interpolation": "bicubic"},
     Geometry(314, (299, 299), "bicubic")),
    ({"input_size": 518, "crop_pct": 1.0, "interpolation": "bicubic"},
     Geometry(518, (518, 518), "bicubic")),
    ({"input_size": 160, "crop_pct": 0.95, "crop_mode": "squash", "interpolation": "bicubic"},
     Geometry((168, 168), (160, 160), "bicubic")),
    ({"input_size": (3, 96, 128), "crop_pct": 1.0, "crop_mode": "squash",
      "interpolation": "lanczos"}, Geometry((96, 128), (96, 128), "lanczos")),
]  # fmt: skip

sizes = st.tuples(st.integers(1, 700), st.integers(1, 700)).filter(
    lambda size: max(size) <= 40 * min(size)
)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng((width, height, seed))
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def normalised(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    return normalise(torch.from_numpy(pixels.copy())[None], MEAN, STD)[0]


# --- The geometry of the libraries ------------------------------------------------------------


@pytest.mark.parametrize("weights", TORCHVISION)
def test_pixels_and_normalisation_are_torchvisions(weights: str) -> None:
    geometry, preset = TORCHVISION[weights], get_weight(weights).transforms()
    mean, std = preset.mean, preset.std
    for width, height in SIZES if "AlexNet" in weights else SIZES[1::2]:
        image = picture(width, height)
        ours = normalise(torch.from_numpy(geometry.apply(image).copy())[None], mean, std)[0]
        assert torch.equal(ours, preset(image)), (width, height)


@pytest.mark.parametrize(("arguments", "geometry"), TIMM)
def test_pixels_and_normalisation_are_timms(
    arguments: dict[str, object], geometry: Geometry
) -> None:
    transform = create_transform(**arguments, mean=MEAN, std=STD)
    for width, height in SIZES[::2]:
        image = picture(width, height)
        assert torch.equal(normalised(geometry.apply(image)), transform(image)), (width, height)


def test_pixels_of_named_timm_models_are_those_of_their_data_config() -> None:
    from timm.data import resolve_data_config

    known = {
        "deit_base_patch16_224.fb_in1k": Geometry(248, (224, 224), "bicubic"),
        "resnext101_32x8d.fb_wsl_ig1b_ft_in1k": Geometry(256, (224, 224), "bilinear"),
    }
    for name, geometry in known.items():
        config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
        transform = create_transform(**config)
        for width, height in SIZES[1:12:2]:
            image = picture(width, height)
            ours = torch.from_numpy(geometry.apply(image).copy())[None]
            expected = transform(image)
            assert torch.equal(normalise(ours, config["mean"], config["std"])[0], expected)


@settings(max_examples=40, deadline=None)
@given(
    size=sizes,
    resize=st.sampled_from([32, 57, 96]),
    crop=st.sampled_from([None, (28, 28), (57, 57), (64, 64), (31, 50), (150, 33)]),
    interpolation=st.sampled_from(["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]),
)
@example(size=(33, 32), resize=32, crop=(31, 50), interpolation="bilinear")
@example(size=(35, 32), resize=32, crop=(64, 64), interpolation="bicubic")
def test_any_image_through_any_geometry_is_as_torchvision_makes_it(
    size: tuple[int, int], resize: int, crop: tuple[int, int] | None, interpolation: str
) -> None:
    image = picture(*size)
    steps = [transforms.Resize(resize, InterpolationMode(interpolation))]
    if crop is not None:
        steps.append(transforms.CenterCrop(list(crop)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.asarray(transforms.Compose(steps)(image))
    geometry = Geometry(resize, crop, interpolation)
    assert np.array_equal(geometry.apply(image), expected)
    assert geometry.shape(*size) == expected.shape[:2]


@settings(max_examples=200, deadline=None)
@given(size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)), resize=st.integers(1, 600))
def test_the_resized_shape_is_torchvisions(size: tuple[int, int], resize: int) -> None:
    from torchvision.transforms.functional import _compute_resized_output_size

    width, height = size
    expected = _compute_resized_output_size((height, width), [resize])
    assert Geometry(resize, None, "bilinear").shape(width, height) == tuple(expected)


# --- The geometry's name and JSON -------------------------------------------------------------


@pytest.mark.parametrize(
    ("geometry", "name"),
    [
        (Geometry(256, (224, 224), "bilinear"), "resize256-bilinear-crop224"),
        (Geometry(256, None, "bicubic"), "resize256-bicubic-whole"),
        (Geometry((96, 128), (96, 128), "box"), "resize96x128-box-crop96x128"),
        (Geometry((96, 96), (96, 96), "box"), "resize96x96-box-crop96"),
    ],
)
def test_a_geometry_has_a_name_for_folders_and_survives_json(geometry: Geometry, name: str) -> None:
    assert geometry.name == name
    settings_ = {"resize": geometry.resize, "crop": geometry.crop}
    settings_ = {key: list(v) if isinstance(v, tuple) else v for key, v in settings_.items()}
    assert Geometry.from_dict({**settings_, "interpolation": geometry.interpolation}) == geometry
    assert Geometry.from_dict(geometry.as_dict()) == geometry


def test_two_geometries_never_share_a_name() -> None:
    lengths = [224, 256, (224, 224), (224, 256), (256, 224)]
    crops = [None, (224, 224), (224, 256), (256, 224)]
    names = {Geometry(r, c, i).name for r in lengths for c in crops for i in INTERPOLATIONS}
    assert len(names) == len(lengths) * len(crops) * len(INTERPOLATIONS)


# --- The file ---------------------------------------------------------------------------------


def save_images(root: Path, shapes: list[tuple[int, int]]) -> list[tuple[str, int, int]]:
    root.mkdir(parents=True, exist_ok=True)
    manifest = []
    for number, (width, height) in enumerate(shapes):
        name = f"{number * 7919 % len(shapes):04d}.png"  # not in the order of the list
        picture(width, height, number).save(root / name, compress_level=1)
        manifest.append((name, width, height))
    return manifest


def read_all(path: Path, batch_size: int) -> dict[str, npt.NDArray[np.uint8]]:
    batches = list(read_batches(path, batch_size))
    assert all(1 <= len(images) == len(pixels) <= batch_size for images, pixels in batches)
    return {
        image: row for images, pixels in batches for image, row in zip(images, pixels, strict=True)
    }


def check(root: Path, found: dict[str, npt.NDArray[np.uint8]], geometry: Geometry) -> None:
    for image, row in found.items():
        with Image.open(root / image) as opened:
            assert np.array_equal(row, geometry.apply(opened.convert("RGB"))), image


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_every_image_comes_back_under_its_name(tmp_path: Path, batch_size: int) -> None:
    manifest = save_images(tmp_path / "in", [(10 + n, 30 - n) for n in range(20)])
    geometry = Geometry(12, (9, 9), "bilinear")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "pixels.arrow", threads=3)
    found = read_all(tmp_path / "pixels.arrow", batch_size)
    assert list(found) == sorted(image for image, _, _ in manifest)
    check(tmp_path / "in", found, geometry)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_images_of_several_shapes_come_in_batches_of_one_shape(
    tmp_path: Path, batch_size: int
) -> None:
    shapes = [(12, 12), (12, 24), (24, 12), (12, 12), (30, 12), (24, 12), (12, 24)] * 3
    manifest = save_images(tmp_path / "in", shapes)
    geometry = Geometry(12, None, "bicubic")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "pixels.arrow")
    found = read_all(tmp_path / "pixels.arrow", batch_size)
    assert sorted(found) == sorted(image for image, _, _ in manifest)
    assert len({row.shape for row in found.values()}) == 4
    check(tmp_path / "in", found, geometry)
    if batch_size == 64:
        assert sum(1 for _ in read_batches(tmp_path / "pixels.arrow", 64)) == 4


@pytest.mark.long
def test_more_images_than_one_record_batch_holds(tmp_path: Path) -> None:
    manifest = save_images(tmp_path / "in", [(5, 4)] * 600)
    geometry = Geometry(4, (4, 4), "nearest")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "pixels.arrow", threads=2)
    with pa.memory_map(str(tmp_path / "pixels.arrow")) as source:
        assert pa.ipc.open_file(source).num_record_batches == 3
    found = read_all(tmp_path / "pixels.arrow", 100)
    assert list(found) == sorted(image for image, _, _ in manifest)
    check(tmp_path / "in", found, geometry)


def test_shapes_and_record_batches_may_change_at_different_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels_module, "_ROWS", 4)
    manifest = save_images(tmp_path / "in", [(6, 6)] * 5 + [(6, 9)] * 6 + [(9, 6)] * 2)
    geometry = Geometry(6, None, "box")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "pixels.arrow")
    for batch_size in (1, 2, 3, 5, 100):
        found = read_all(tmp_path / "pixels.arrow", batch_size)
        assert len(found) == 13
        check(tmp_path / "in", found, geometry)


def test_the_pixels_are_those_of_the_upright_image_over_white(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = picture(8, 12)
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    clear = Image.new("RGBA", (8, 12), (0, 0, 0, 0))
    clear.save(tmp_path / "b.png")
    geometry = Geometry(8, None, "bilinear")
    manifest = [("a.png", 8, 12), ("b.png", 8, 12)]
    prepare_pixels(manifest, tmp_path, geometry, tmp_path / "pixels.arrow")
    found = read_all(tmp_path / "pixels.arrow", 2)
    assert np.array_equal(found["a.png"], np.asarray(upright))
    assert (found["b.png"] == 255).all()


def test_the_batches_may_be_kept_when_the_file_is_closed_and_gone(tmp_path: Path) -> None:
    manifest = save_images(tmp_path / "in", [(8, 8)] * 3)
    geometry = Geometry(8, None, "bilinear")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "pixels.arrow")
    ((_, pixels),) = list(read_batches(tmp_path / "pixels.arrow", 8))
    (tmp_path / "pixels.arrow").unlink()
    assert pixels.sum() > 0
    assert not pixels.flags.writeable


def test_the_same_input_makes_the_same_bytes(tmp_path: Path) -> None:
    manifest = save_images(tmp_path / "in", [(10, 12), (12, 10), (9, 9)])
    geometry = Geometry(8, (8, 8), "bicubic")
    prepare_pixels(manifest, tmp_path / "in", geometry, tmp_path / "a.arrow", threads=3)
    prepare_pixels(manifest[::-1], tmp_path / "in", geometry, tmp_path / "b.arrow")
    assert (tmp_path / "a.arrow").read_bytes() == (tmp_path / "b.arrow").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "empty file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-60]), "truncated or damaged"),
        (lambda path: picture(9, 8).save(path), "its size has changed"),
        (lambda path: picture(12, 10).save(path), "its size has changed"),
    ],
)
def test_an_image_that_changed_since_it_was_indexed_is_an_error_that_names_it(
    tmp_path: Path, change, message: str
) -> None:
    manifest = save_images(tmp_path / "in", [(10, 12)] * 4)
    change(tmp_path / "in" / "0002.png")
    output = tmp_path / "out" / "pixels.arrow"
    wanted = rf"^0002\.png: .*{message}.*Run the workflow again"
    with pytest.raises(ChangedImageError, match=wanted):
        prepare_pixels(manifest, tmp_path / "in", Geometry(8, None, "bilinear"), output)
    assert list(output.parent.iterdir()) == []


def test_a_file_without_images_has_no_batches(tmp_path: Path) -> None:
    prepare_pixels([], tmp_path, Geometry(8, None, "bilinear"), tmp_path / "pixels.arrow")
    assert list(read_batches(tmp_path / "pixels.arrow", 8)) == []
