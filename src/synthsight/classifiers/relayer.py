"""A network with a new classifying layer, which takes the features in standard units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthsight.classifiers.heads import Source

#: The deviation of a new layer's first weights: logits that say little as yet.
_SPREAD = 0.01


class Standard(nn.Module):
    """A linear layer on features that are brought to mean 0 and deviation 1 before.

    So it learns alike whatever the size of the features is: of some models they have length one,
    of others a hundred.

    Args:
        length: of the features.
        classes: of the layer.
        draw: of the first weights.
        channels: whether features are the channels of one place, as a convolution of 1 x 1 has
            them, and not the last axis.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self, length: int, classes: int, draw: torch.Generator, channels: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, length, generator=draw) * _SPREAD)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.channels = channels
        self.register_buffer("centre", torch.zeros(length))
        self.register_buffer("scale", torch.ones(length))

    def forward(self, features: Tensor) -> Tensor:
        """Logits of features, in the shape that the layer in whose place it is would give."""
        if not self.channels:
            return functional.linear((features - self.centre) / self.scale, self.weight, self.bias)
        wide = (self.centre[:, None, None], self.scale[:, None, None])
        return functional.conv2d(
            (features - wide[0]) / wide[1], self.weight[..., None, None], self.bias
        )

    def settle(self, features: Tensor) -> None:
        """Take mean and deviation from the features (n, length) of some images."""
        spread, centre = torch.std_mean(features.float(), dim=0, correction=0)
        least = 1e-3 * spread.mean().clamp(min=1e-12)  # what is nearly constant says nothing
        self.centre.copy_(centre)
        self.scale.copy_(spread.clamp(min=float(least)))

    def plain(self) -> nn.Linear | nn.Conv2d:
        """The same map as one layer of features as they are."""
        classes, length = self.weight.shape
        found = nn.Conv2d(length, classes, 1) if self.channels else nn.Linear(length, classes)
        with torch.no_grad():
            weight = self.weight / self.scale
            found.weight.copy_(weight.view(found.weight.shape))
            assert found.bias is not None
            found.bias.copy_(self.bias - weight @ self.centre)
        return found.to(self.weight.device)


class Encoded(nn.Module):
    """An encoder with a layer that classifies its embeddings."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Logits of normalised images (n, 3, height, width)."""
        logits: Tensor = self.head(self.body(images))
        return logits


def relayer(network: nn.Module, source: Source, classes: int, draw: torch.Generator) -> nn.Module:
    """Give a network new classifying layers, in the place of its own or behind its embedding.

    Args:
        network: a classifier or an encoder.
        source: where its features are.
        classes: of the new layers. Where there are several, the network averages their logits.
        draw: of their first weights.

    Returns:
        The network; an encoder within an :class:`Encoded`.
    """
    if not source.layers:
        return Encoded(network, Standard(source.length, classes, draw))
    for name in source.layers:
        old = network.get_submodule(name)
        channels = isinstance(old, nn.Conv2d)
        length = old.in_channels if channels else old.in_features
        assert isinstance(length, int)
        _put(network, name, Standard(length, classes, draw, channels))
    return network


def layers_of(network: nn.Module) -> dict[str, Standard]:
    """The new layers of a network, by name."""
    return {name: each for name, each in network.named_modules() if isinstance(each, Standard)}


def settle(network: nn.Module, run: Callable[[nn.Module], None]) -> None:
    """Let the new layers take mean and deviation of the features from a run over some images.

    Args:
        network: from :func:`relayer`.
        run: calls the network with batches of images, without gradients.
    """
    seen: dict[str, list[Tensor]] = {name: [] for name in layers_of(network)}
    handles = [
        layer.register_forward_pre_hook(
            lambda _, given, name=name: seen[name].append(given[0].flatten(1))
        )
        for name, layer in layers_of(network).items()
    ]
    try:
        run(network)
    finally:
        for handle in handles:
            handle.remove()
    for name, layer in layers_of(network).items():
        layer.settle(torch.cat(seen[name]))


def plain(network: nn.Module) -> nn.Module:
    """The network with its new layers as plain linear ones, which other programs can load."""
    for name, layer in layers_of(network).items():
        _put(network, name, layer.plain())
    return network


def _put(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Put a layer in the place of another."""
    parent, _, last = name.rpartition(".")
    # Of a sequence, too, whose parts may have names instead of numbers, as torchvision's ViTs have.
    setattr(network.get_submodule(parent), last, layer)
