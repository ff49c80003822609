"""Preprocessing as transformers describes it, mapped onto ours and checked pixel by pixel.

A ``preprocessor_config.json`` names an image processor and its settings. What these mean is up to
the processor's code, so nothing is taken on trust: the geometry and the normalisation that follow
from the settings are compared with what the processor itself makes of some pictures, and a
processor that does anything else is refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from PIL import Image

from synthsight.classifiers.library import ModelError
from synthsight.errors import SynthsightError
from synthsight.images.geometry import INTERPOLATIONS, Geometry
from synthsight.inference.normalise import normalise
from synthsight.wording import one_line

#: How far normalised pixels may differ: float rounding. One of 256 levels is 0.004 before the
#: division by the standard deviation, which makes it larger.
TOLERANCE = 1e-3

#: Width and height of the pictures that are compared: odd and even rests on either side, upright
#: and lying, smaller and larger than what most models see.
SIZES = ((61, 47), (47, 61), (400, 301), (301, 402), (500, 375), (230, 229))

_FILTERS = {int(code): name for name, code in INTERPOLATIONS.items()}


class UnknownPreprocessingError(SynthsightError):
    """Preprocessing that ours cannot express; the message says why."""


@dataclass(frozen=True)
class Preparation:
    """What a processor does to a picture.

    Attributes:
        geometry: its resize and crop.
        mean: of the normalisation, one value per channel, for pixels in 0..1.
        std: likewise.
    """

    geometry: Geometry
    mean: tuple[float, ...]
    std: tuple[float, ...]


def understand(preprocessor: Mapping[str, Any], model_type: str) -> Preparation:
    """What a processor does, by its settings, checked against its own pixels.

    Args:
        preprocessor: the content of preprocessor_config.json.
        model_type: as in config.json, for old files that do not name their processor.

    Raises:
        UnknownPreprocessingError: there is no such processor, or what it does is not a resize, a
            crop from the centre and a normalisation of RGB channels.
    """
    processor = _load(preprocessor, model_type)
    if getattr(processor, "do_flip_channel_order", None):
        raise ModelError(
            "takes images whose channels are in the order blue, green, red; only red, green, blue "
            "is supported"
        )
    if getattr(processor, "do_pad", None):
        raise UnknownPreprocessingError("it pads images")
    geometry = _geometry(processor)
    mean, std = _normalisation(processor)
    found = Preparation(geometry, mean, std)
    _check(processor, found)
    return found


def _load(preprocessor: Mapping[str, Any], model_type: str) -> Any:
    """The processor with Pillow's resize, with which the published accuracies were computed."""
    with tempfile.TemporaryDirectory() as folder:
        contents = {"preprocessor_config": preprocessor, "config": {"model_type": model_type}}
        for name, content in contents.items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        try:
            return transformers.AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
                folder, local_files_only=True, backend="pil", trust_remote_code=False
            )
        except Exception as error:  # by what is in the file, of nearly any type
            name = preprocessor.get("image_processor_type") or model_type
            raise UnknownPreprocessingError(
                f"the image processor {name} cannot be loaded ({one_line(error, 200)})"
            ) from error


def _geometry(processor: Any) -> Geometry:
    if not getattr(processor, "do_resize", None):
        raise UnknownPreprocessingError("it does not resize images")
    code = int(getattr(processor, "resample", None) or 0)
    if code not in _FILTERS:
        raise UnknownPreprocessingError(f"its filter has the code {code}")
    size = {key: value for key, value in dict(processor.size).items() if value is not None}
    scaled: int | tuple[int, int]
    crop: tuple[int, int] | None = None
    if size.keys() == {"shortest_edge"}:
        scaled, crop = _short_side(processor, int(size["shortest_edge"]))
    elif size.keys() == {"height", "width"}:
        scaled = (int(size["height"]), int(size["width"]))
    else:
        raise UnknownPreprocessingError(f"it resizes to {size}")
    if getattr(processor, "do_center_crop", None):
        cut = dict(processor.crop_size)
        crop = (int(cut["height"]), int(cut["width"]))
    if crop is not None:
        sides = (scaled, scaled) if isinstance(scaled, int) else scaled
        if any(side > left for side, left in zip(crop, sides, strict=True)):
            raise UnknownPreprocessingError(
                f"it cuts {crop[0]} x {crop[1]} pixels from an image that may be smaller ({scaled})"
            )
    elif isinstance(scaled, tuple):
        crop = scaled  # as timm's are described, so that they share their pixels
    return Geometry(scaled, crop, _FILTERS[code], _centre(scaled, crop))


def _short_side(processor: Any, side: int) -> tuple[int | tuple[int, int], tuple[int, int] | None]:
    """The resize, and a crop that belongs to it, of processors that have ways of their own."""
    kind = type(processor).__name__
    percent = float(getattr(processor, "crop_pct", None) or 1)
    if kind.startswith("ConvNext"):
        # Below 384 a part is cut out; from there on the image is squashed.
        return ((side, side), None) if side >= 384 else (int(side / percent), (side, side))
    if kind.startswith("Levit"):
        return int((256 / 224) * side), None
    return int(side / percent), None


def _centre(scaled: int | tuple[int, int], crop: tuple[int, int] | None) -> str:
    """How the centre is rounded, where it matters: equal geometries share their pixels."""
    if crop is None:
        return "even"
    if isinstance(scaled, int):
        return "lower"
    odd = any((side - cut) % 4 == 3 for side, cut in zip(scaled, crop, strict=True))
    return "lower" if odd else "even"


def _normalisation(processor: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation for pixels in 0..1.

    A processor computes ``(scale * pixel - offset - mean) / std``, and EfficientNet's divides by
    ``std`` once more; ours is ``(pixel / 255 - mean) / std``.
    """
    if not getattr(processor, "do_rescale", None):
        raise UnknownPreprocessingError("it leaves pixels in 0..255")
    factor = 255 * float(processor.rescale_factor)
    offset = 1.0 if getattr(processor, "rescale_offset", False) else 0.0
    mean, std = np.zeros(3), np.ones(3)
    if getattr(processor, "do_normalize", None):
        mean, std = _channels(processor.image_mean), _channels(processor.image_std)
    again = _channels(processor.image_std) if getattr(processor, "include_top", False) else 1.0
    divisor = std * again / factor
    if not (np.isfinite(divisor).all() and (divisor > 0).all()):
        raise UnknownPreprocessingError("its standard deviation is not positive")
    middle = (mean + offset) / factor
    if abs(factor - 1) < 1e-9 and not offset:
        middle = mean  # as they are written, without rounding
        divisor = std * again
    return tuple(map(float, middle)), tuple(map(float, divisor))


def _channels(values: Any) -> npt.NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, np.float64), (3,)).copy()


def _check(processor: Any, found: Preparation) -> None:
    """Compare with what the processor itself makes of some pictures.

    Raises:
        UnknownPreprocessingError: it makes something else of one.
    """
    for number, (width, height) in enumerate(SIZES):
        picture = _picture(width, height, number)
        try:
            values = processor(picture, return_tensors="pt")["pixel_values"][0]
        except Exception as error:
            raise UnknownPreprocessingError(
                f"the processor refuses a picture of {width} x {height} pixels "
                f"({one_line(error, 200)})"
            ) from error
        pixels = torch.from_numpy(found.geometry.apply(picture).copy())[None]
        ours = normalise(pixels, found.mean, found.std)[0]
        if values.shape != ours.shape:
            raise UnknownPreprocessingError(
                f"of a picture of {width} x {height} pixels the processor makes "
                f"{tuple(values.shape)}, not {tuple(ours.shape)} as its settings say"
            )
        off = float((values.float() - ours).abs().max())
        if not off <= TOLERANCE:
            raise UnknownPreprocessingError(
                f"the processor's pixels differ by {off:.3g} from what its settings say"
            )


def _picture(width: int, height: int, seed: int) -> Image.Image:
    """Soft colours with some noise: edges and flat parts both."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(columns / (5 + k) + rows / (9 - k)) for k in range(3)]
    noise = rng.integers(-25, 26, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(waves, 2) + noise, 0, 255).astype(np.uint8))
