"""What enters a network's classifying layer: finding that layer, and reading its input.

A classifying layer is linear (:class:`torch.nn.Linear`, or a convolution of 1 x 1 over one place)
and its outputs are the network's logits, unchanged. Which one that is, a probe on the meta device
tells, by the memory that the logits are in: several layers may have as many outputs. Networks that
average the logits of several such layers, as distilled ones do, are linear in their inputs side by
side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from synthsight.classifiers.architectures import build_without_memory, run_without_memory
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.errors import SynthsightError
from synthsight.wording import one_line

#: Images that a probe runs: more than one, so that they are told from other axes.
_IMAGES = 2

#: How far a layer's outputs may be from the logits, relative to the largest; of logits in half
#: precision, as far as two of their neighbours: means of them are rounded.
_TOLERANCE = 1e-4


class FeaturesError(SynthsightError):
    """A network whose logits are not what its classifying layer makes of the features."""


@dataclass(frozen=True)
class Source:
    """Where in a network features are.

    Attributes:
        layers: the names of the layers that features enter, side by side if there are several; none
            if the network's output are the features.
        length: of the features of an image.
    """

    layers: tuple[str, ...]
    length: int


@dataclass
class _Call:
    """A layer's only call in a forward pass."""

    name: str
    layer: nn.Module
    output: Tensor
    version: int
    repeated: bool = False


def source_of_features(
    architecture: Architecture, crop: tuple[int, int] | None, classifies: bool = True
) -> Source:
    """Where the features of an architecture are, found without weights or memory.

    Args:
        architecture: which one.
        crop: ``(height, width)`` of the images that it will get; None if they vary.
        classifies: whether its outputs are classes, so that features enter a classifying layer; if
            not, the outputs are the features.

    Raises:
        ModelError: its logits are no linear layer's, or its output is no vector an image; the
            message leaves the model's name to the caller.
    """
    size = crop or (256, 256)
    with torch.no_grad():
        network = build_without_memory(architecture)
        try:
            return find_source(network, size, classifies)
        except (RuntimeError, AssertionError, ValueError, TypeError) as error:
            raise ModelError(
                f"cannot be tried with images of {size[0]} x {size[1]} pixels: {one_line(error)}"
            ) from error


def find_source(network: nn.Module, size: tuple[int, int], classifies: bool = True) -> Source:
    """The same of a network on the meta device, in evaluation mode and without inference mode.

    Raises:
        ModelError: likewise.
    """
    calls, output = _observe(network, size)
    if not isinstance(output, Tensor) or output.ndim != 2 or len(output) != _IMAGES:
        shape = f": {tuple(output.shape[1:])}" if isinstance(output, Tensor) else ""
        raise ModelError(f"gives no vector for an image, which could be its features{shape}")
    if not classifies:
        return Source((), int(output.shape[1]))
    linear = [call for call in calls if _width(call.layer) is not None]
    for call in linear:
        if _same_memory(call.output, output):
            if call.repeated or call.output._version != call.version:
                raise ModelError(
                    f"has no features: what its classifying layer {call.name!r} gives is changed "
                    "before it is the model's output"
                )
            return _source([call])
    wanted = [call for call in linear if call.output.numel() == output.numel()]
    heads = [call for call in wanted if not call.repeated]
    if len(heads) > 1 and _is_their_mean(network, size, heads):
        return _source(heads)
    raise ModelError(f"has no features: {_why(calls, output)}")


def _source(calls: Sequence[_Call]) -> Source:
    return Source(
        tuple(call.name for call in calls), sum(_width(call.layer) or 0 for call in calls)
    )


def _width(layer: nn.Module) -> int | None:
    """The length of what enters a layer that may classify; None of other layers."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1:
        return layer.in_channels if not any(layer.padding) else None
    return None


def _observe(network: nn.Module, size: tuple[int, int]) -> tuple[list[_Call], Any]:
    """Run a network; what its innermost modules gave, in order, and its output."""
    calls: dict[str, _Call] = {}

    def hook(name: str) -> Any:
        def observed(layer: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            once = _is_one_place(layer, given)
            again = calls.pop(name, None) is not None
            calls[name] = _Call(name, layer, output, output._version, again or not once)

        return observed

    innermost = [(n, m) for n, m in network.named_modules() if not any(True for _ in m.children())]
    handles: list[Any] = [
        # A network that is run a second time begins anew.
        network.register_forward_pre_hook(lambda *_: calls.clear()),
        *(module.register_forward_hook(hook(name)) for name, module in innermost),
    ]
    try:
        output = run_without_memory(network, size, _IMAGES)
    finally:
        for handle in handles:
            handle.remove()
    return list(calls.values()), output


def _is_one_place(layer: nn.Module, given: tuple[Any, ...]) -> bool:
    """Whether a layer gets a single vector an image, or is none that could classify."""
    width = _width(layer)
    if width is None:
        return True
    return bool(given) and isinstance(given[0], Tensor) and given[0].numel() == _IMAGES * width


def _same_memory(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same numbers, perhaps in another shape."""
    return bool(
        one.untyped_storage()._cdata == other.untyped_storage()._cdata
        and one.numel() == other.numel()
        and one.storage_offset() == other.storage_offset()
        and one.is_contiguous()
        and other.is_contiguous()
    )


def _is_their_mean(network: nn.Module, size: tuple[int, int], heads: Sequence[_Call]) -> bool:
    """Whether the output is the mean of some layers' outputs.

    In the place of these come numbers in main memory, so that all that follows is computed.
    """
    draw = torch.Generator().manual_seed(0)
    given = {call.name: torch.rand(call.output.shape, generator=draw) for call in heads}
    handles = [
        call.layer.register_forward_hook(lambda *_, value=given[call.name]: value.clone())
        for call in heads
    ]
    try:
        output = run_without_memory(network, size, _IMAGES)
    except (RuntimeError, AssertionError, ValueError):
        return False  # other outputs enter the logits, too
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(output, Tensor) or output.is_meta:
        return False
    mean = torch.stack([value.reshape(output.shape) for value in given.values()]).mean(0)
    return torch.allclose(output, mean, atol=1e-6)


def _why(calls: Sequence[_Call], output: Tensor) -> str:
    """What a network ends in, if not in a linear layer, as far as its modules tell."""
    last = next((call for call in reversed(calls) if _same_memory(call.output, output)), None)
    if last is not None and _width(last.layer) is not None:
        return f"its classifying layer {last.name!r} sees several places of an image"
    ends = f" (but in {type(last.layer).__name__} {last.name!r})" if last else ""
    classes = [
        call.name
        for call in calls
        if _width(call.layer) is not None and call.output.shape[-1] == output.shape[1]
    ]
    if last is None and classes:
        ends = f" (the outputs of {' and '.join(map(repr, classes))} are changed, or joined)"
    return f"it does not end in a linear layer whose outputs are its logits{ends}"


@contextmanager
def reading(network: nn.Module, source: Source) -> Iterator[FeatureReader]:
    """A network as a function from images to features, for as long as the context lasts.

    Args:
        network: in evaluation mode, and not compiled: that would pass by what reads the features.
        source: where they are.
    """
    layers = {name: network.get_submodule(name) for name in source.layers}
    reader = FeatureReader(network, source, layers)
    handles = [
        layer.register_forward_pre_hook(
            lambda _, given, name=name: reader.given.update({name: given[0]})
        )
        for name, layer in layers.items()
    ]
    try:
        yield reader
    finally:
        for handle in handles:
            handle.remove()


class FeatureReader:
    """Features of batches of images; see :func:`reading`.

    Attributes:
        given: what has entered each layer in the forward pass at hand.
    """

    def __init__(self, network: nn.Module, source: Source, layers: Mapping[str, nn.Module]) -> None:
        self.given: dict[str, Tensor] = {}
        self._network, self._source, self._layers = network, source, layers
        self._checked = False

    def __call__(self, images: Tensor) -> Tensor:
        """Features, float32 (n, length), of normalised images (n, 3, height, width).

        Raises:
            FeaturesError: the layers do not make the network's logits of them, or there are more or
                fewer than the probe has found.
        """
        self.given.clear()
        output: Tensor = self._network(images)
        features = output
        if self._layers:
            if not self._checked:
                self._check(output)
                self._checked = True
            parts = [self.given[name].reshape(len(images), -1) for name in self._layers]
            features = torch.cat([part.float() for part in parts], dim=1)
        if features.shape != (len(images), self._source.length):
            raise FeaturesError(
                f"the features of {len(images)} images have the shape {tuple(features.shape)}, and "
                f"should be {self._source.length} an image"
            )
        self.given.clear()
        return features.float()

    def _check(self, output: Tensor) -> None:
        """Compare the logits with what the layers make of their inputs."""
        if missing := sorted(self._layers.keys() - self.given.keys()):
            raise FeaturesError(f"the layer {missing[0]!r} is not used")
        made = [
            _linear(layer, self.given[name]).reshape(output.shape)
            for name, layer in self._layers.items()
        ]
        expected = torch.stack(made).float().mean(0)
        off = float((expected - output.float()).abs().max())
        share = max(_TOLERANCE, torch.finfo(output.dtype).eps)
        # NaN is reported for the features, image by image.
        if off > share * max(1.0, float(output.float().abs().max())):
            raise FeaturesError(
                f"the logits are not what {', '.join(self._layers)} makes of the features: they "
                f"differ by {off:.2g}"
            )


def _linear(layer: nn.Module, given: Tensor) -> Tensor:
    """What a layer's weights make of its input, whatever else a class derived from it may do."""
    if isinstance(layer, nn.Linear):
        return nn.Linear.forward(layer, given)
    assert isinstance(layer, nn.Conv2d)
    return nn.Conv2d.forward(layer, given)


def linear_head(network: nn.Module, source: Source) -> tuple[Tensor, Tensor]:
    """The linear map from features to logits.

    Returns:
        ``(weight, bias)``, float32 (classes, length) and (classes,).
    """
    layers = [network.get_submodule(name) for name in source.layers]
    weights, biases = [], []
    for layer in layers:
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        weight = layer.weight.detach().float().flatten(1)
        bias = layer.bias
        weights.append(weight / len(layers))
        zero = weight.new_zeros(len(weight))
        biases.append((zero if bias is None else bias.detach().float()) / len(layers))
    return torch.cat(weights, dim=1), torch.stack(biases).sum(0)
