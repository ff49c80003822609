"""The arithmetic half of preprocessing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalise(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Normalise pixels for a network, as torchvision's and timm's transforms do.

    Args:
        pixels: uint8 (n, height, width, 3).
        mean: one value per channel, for pixels in 0..1.
        std: likewise.

    Returns:
        float32 (n, 3, height, width).
    """
    scaled = pixels.permute(0, 3, 1, 2).to(torch.float32).div(255)
    # Made on the device, they would be waited for, and with them the batches before this one.
    centre = torch.tensor(mean).to(pixels.device, non_blocking=True).view(1, 3, 1, 1)
    scale = torch.tensor(std).to(pixels.device, non_blocking=True).view(1, 3, 1, 1)
    return scaled.sub_(centre).div_(scale)
