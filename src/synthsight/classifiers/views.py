"""Random views of stored images for training: a crop that is resized, and perhaps mirrored."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from synthsight.images.geometry import Geometry
from synthsight.inference.normalise import normalise

#: The share of an image's area that a view shows, and the bound on how it is stretched, as is usual
#: for fine-tuning: smaller views may show nothing of what an image is about.
_AREA = (0.5, 1.0)
_STRETCH = 4 / 3


def size_of(geometry: Geometry) -> tuple[int, int]:
    """``(height, width)`` of views: that of stored images, or a square where that varies."""
    if geometry.crop is not None:
        return geometry.crop
    if isinstance(geometry.resize, int):
        return geometry.resize, geometry.resize
    return geometry.resize


def draw_view(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float32]:
    """A view of an image of this size, as :func:`torch.nn.functional.affine_grid` takes it.

    Args:
        rng: of the draw.
        height: of the image, in pixels.
        width: likewise.

    Returns:
        float32 (2, 3).
    """
    area = rng.uniform(*_AREA)
    stretch = math.exp(rng.uniform(-math.log(_STRETCH), math.log(_STRETCH)))
    # Within the image, if need be at the cost of the shape, not of the area.
    down = min(max(math.sqrt(area * width / height / stretch), area), 1.0)
    across = area / down
    x, y = rng.uniform(across - 1, 1 - across), rng.uniform(down - 1, 1 - down)
    mirrored = -1 if rng.random() < 0.5 else 1
    return np.array([[across * mirrored, 0, x], [0, down, y]], np.float32)


def views_of(
    pixels: Sequence[npt.NDArray[np.uint8]],
    views: npt.NDArray[np.float32],
    size: tuple[int, int],
    mean: Sequence[float],
    std: Sequence[float],
    device: torch.device,
) -> Tensor:
    """Views of some images, normalised: float32 (n, 3, height, width).

    Args:
        pixels: of each image, uint8 (height, width, 3); their sizes may differ.
        views: from :func:`draw_view`, float32 (n, 2, 3).
        size: of the views.
        mean: normalisation, one value per channel.
        std: likewise.
        device: where they are made.
    """
    alike = len({each.shape for each in pixels}) == 1
    stacks = [np.stack(pixels)] if alike else [each[None] for each in pixels]
    parts, start = [], 0
    for stack in stacks:
        images = normalise(torch.from_numpy(stack.copy()).to(device), mean, std)
        theta = torch.from_numpy(views[start : start + len(stack)])
        # A product of matrices, which a device would round where TensorFloat-32 or bfloat16 is on.
        grid = functional.affine_grid(theta, [len(stack), 3, *size], align_corners=False)
        parts.append(
            functional.grid_sample(
                images, grid.to(device), mode="bilinear", padding_mode="border", align_corners=False
            )
        )
        start += len(stack)
    return torch.cat(parts).contiguous(memory_format=torch.channels_last)
