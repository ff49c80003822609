"""The image stem: the first three stages of a ResNet (OFA, section 3.1).

An image becomes a grid of features at a sixteenth of its resolution, as in CoAtNet and SimVLM.
The blocks are torchvision's (stride on the 3 x 3 convolution); the stage ``layer4``, pooling and
the classifier are left out.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

#: Pixels per patch along a side.
STRIDE = 16


class ResNetStem(nn.Module):
    """Convolution, max pooling and three stages of bottleneck blocks.

    Args:
        blocks: number of blocks in each of the three stages.
        width: channels of the first convolution, and inner channels of the first stage.
    """

    def __init__(self, blocks: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = _stage(width, width, blocks[0], stride=1)
        self.layer2 = _stage(4 * width, 2 * width, blocks[1], stride=2)
        self.layer3 = _stage(8 * width, 4 * width, blocks[2], stride=2)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Feature maps (batch, 16 * width, height / 16, width / 16) from (batch, 3, height, width).

        Sides that are not multiples of 16 are rounded up.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(pixel_values))))
        return cast(Tensor, self.layer3(self.layer2(self.layer1(x))))


def _stage(channels: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    """A stage whose first block changes resolution and channels, on its shortcut as well."""
    out = planes * Bottleneck.expansion
    shortcut = nn.Sequential(
        nn.Conv2d(channels, out, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(out)
    )
    first = Bottleneck(channels, planes, stride, shortcut)
    return nn.Sequential(first, *(Bottleneck(out, planes) for _ in range(blocks - 1)))
