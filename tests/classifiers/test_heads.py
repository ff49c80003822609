"""Features of a classifier are what its last layer makes the logits of, wherever that layer is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthsight.classifiers.architectures import build
from synthsight.classifiers.classify import NonFiniteError, classify
from synthsight.classifiers.embed import embed
from synthsight.classifiers.heads import (
    FeaturesError,
    Source,
    find_source,
    linear_head,
    source_of_features,
)
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.images.geometry import Geometry
from synthsight.images.pixels import prepare_pixels
from tests.support import assert_close, draw_image, settle

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


@pytest.fixture(scope="module", name="pixels")
def pixels_(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Files of five images of a side; their names fall in the order of the file."""
    folder = tmp_path_factory.mktemp("pixels")
    names = [f"{number}.png" for number in (4, 3, 2, 1, 0)]
    for seed, name in enumerate(names):
        draw_image(folder / name, seed, (80, 80))

    def of(side: int) -> Path:
        path = folder / f"{side}.arrow"
        if not path.exists():
            geometry = Geometry((side, side), (side, side), "bilinear")
            prepare_pixels([(name, 80, 80) for name in names], folder, geometry, path)
        return path

    return of


def timm_(name: str, **arguments: Any) -> Architecture:
    return Architecture("timm", name, arguments=arguments, num_classes=7)


#: Small models of each form of head: by architecture the side of images, and the layers.
HEADS: list[tuple[Architecture, int, tuple[str, ...]]] = [
    (timm_("test_resnet"), 64, ("fc",)),
    (timm_("test_efficientnet"), 64, ("classifier",)),
    (timm_("test_vit", img_size=64), 64, ("head",)),
    (timm_("test_convnext"), 64, ("head.fc",)),
    (timm_("test_nfnet"), 64, ("head.fc",)),
    # A convolution over what has been pooled.
    (timm_("resnetv2_50x1_bit"), 64, ("head.fc",)),
    # Two heads, of which logits are the mean, and with norms before the layers.
    (timm_("levit_128s"), 224, ("head.linear", "head_dist.linear")),
    (
        timm_("deit_tiny_distilled_patch16_224", img_size=64, depth=1),
        64,
        ("head", "head_dist"),
    ),
    # As many outputs as classes in every layer.
    (Architecture("timm", "test_vit", arguments={"img_size": 64}, num_classes=64), 64, ("head",)),
    (Architecture("torchvision", "resnet18", num_classes=7), 64, ("fc",)),
    (Architecture("torchvision", "mobilenet_v3_small", num_classes=7), 64, ("classifier.3",)),
    (Architecture("torchvision", "shufflenet_v2_x0_5", num_classes=7), 64, ("fc",)),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "side", "layers"),
    HEADS,
    ids=[f"{a.name}-{a.num_classes}" for a, _, _ in HEADS],
)
def test_features_times_weights_and_bias_are_the_logits(
    architecture: Architecture,
    side: int,
    layers: tuple[str, ...],
    pixels: Callable[[int], Path],
) -> None:
    torch.manual_seed(0)
    model = build(architecture, None)
    settle(model, torch.randn(4, 3, side, side))
    source = source_of_features(architecture, (side, side))
    assert source.layers == layers
    images, features = embed(model, source, pixels(side), MEAN, STD, batch_size=2)
    assert images == [f"{number}.png" for number in range(5)]
    assert features.shape == (5, source.length) and features.dtype == np.float32
    assert np.ptp(features, axis=0).max() > 0, "images that differ"
    weight, bias = (value.numpy() for value in linear_head(model, source))
    same, logits = classify(model, pixels(side), MEAN, STD, batch_size=3)
    assert same == images
    assert_close(features @ weight.T + bias, logits, share=1e-5)


class Net(nn.Module):
    """A small classifier whose end is given: what becomes of 8 features an image."""

    def __init__(self, end: Callable[[Net, Tensor], Tensor], width: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.mid, self.head, self.other = (nn.Linear(width, n) for n in (width, 4, 4))
        self.last = nn.Conv2d(width, 4, 1)
        self.end = end

    def forward(self, images: Tensor) -> Tensor:
        return self.end(self, self.conv(images).relu())


def pooled(x: Tensor) -> Tensor:
    return x.mean((2, 3))


ENDS: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "plain": lambda net, x: net.head(net.mid(pooled(x)).relu()),
    "view": lambda net, x: net.head(pooled(x)[:, None])[:, 0],
    "convolution": lambda net, x: net.last(x.mean((2, 3), keepdim=True)).flatten(1),
}

REFUSED: dict[str, tuple[Callable[[Net, Tensor], Tensor], str]] = {
    "pooled afterwards": (lambda net, x: pooled(net.last(x)), "does not end in a linear layer"),
    "softmax": (lambda net, x: net.head(pooled(x)).softmax(1), "does not end in a linear layer"),
    "in place": (lambda net, x: net.head(pooled(x)).mul_(2), "'head' gives is changed before"),
    "twice": (lambda net, x: net.mid(net.mid(pooled(x))), "'mid' gives is changed before"),
    "sum": (lambda net, x: net.head(pooled(x)) + net.other(pooled(x)), "does not end in a linear"),
    "with more": (
        lambda net, x: (net.head(pooled(x)) + net.other(pooled(x))) / 2 + pooled(x)[:, :4],
        "does not end in a linear layer",
    ),
    "most of what places say": (
        lambda net, x: net.head(pooled(x)) + 0.5 * net.other(x.flatten(2).mT).amax(1),
        r"\(the outputs of 'head' and 'other' are changed, or joined\)",
    ),
    "a map": (lambda net, x: x, r"gives no vector for an image.*: \(8, 16, 16\)"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_a_layer_is_found_where_its_outputs_are_the_logits(kind: str) -> None:
    with torch.no_grad():
        source = find_source(Net(ENDS[kind]).to("meta").eval(), (16, 16))
    assert source == Source(("last" if kind == "convolution" else "head",), 8)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_ends_otherwise_is_refused_with_the_reason(kind: str) -> None:
    end, message = REFUSED[kind]
    with torch.no_grad(), pytest.raises(ModelError, match=message):
        find_source(Net(end).to("meta").eval(), (16, 16))


def test_a_network_that_classifies_nothing_gives_its_output() -> None:
    net = Net(lambda net, x: pooled(x)).to("meta").eval()
    with torch.no_grad():
        assert find_source(net, (16, 16), classifies=False) == Source((), 8)


def test_squeezenets_are_refused_before_there_are_jobs() -> None:
    architecture = Architecture("torchvision", "squeezenet1_1", "IMAGENET1K_V1")
    with pytest.raises(ModelError, match=r"no features: .*in AdaptiveAvgPool2d 'classifier\.3'"):
        source_of_features(architecture, (224, 224))


def test_the_model_that_classifies_is_left_as_it_was(pixels: Callable[[int], Path]) -> None:
    net, source = Net(ENDS["plain"]).eval(), Source(("head",), 8)
    before = classify(net, pixels(16), MEAN, STD, 2)[1]
    embed(net, source, pixels(16), MEAN, STD, 2)
    assert not net.head._forward_pre_hooks
    assert np.array_equal(classify(net, pixels(16), MEAN, STD, 2)[1], before)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_features_are_float32_and_do_not_depend_on_the_batch(
    precision: str, pixels: Callable[[int], Path]
) -> None:
    net, source = Net(ENDS["plain"]).eval(), Source(("head",), 8)
    found = [embed(net, source, pixels(16), MEAN, STD, size, precision)[1] for size in (1, 2, 64)]
    assert all(each.dtype == np.float32 for each in found)
    for each in found:
        assert_close(each, found[0], share=1e-2 if precision == "bf16" else 1e-5)


@pytest.mark.slow
def test_logits_in_half_precision_may_be_a_rounded_mean(pixels: Callable[[int], Path]) -> None:
    """The mean of two heads, as a distilled network forms it, is rounded once more than theirs."""
    net = Net(lambda net, x: (net.head(pooled(x)) + net.other(pooled(x))) / 2).eval()
    with torch.no_grad():
        for parameter in (*net.head.parameters(), *net.other.parameters()):
            parameter.mul_(30)
        source = find_source(Net(net.end).to("meta").eval(), (16, 16))
    assert source == Source(("head", "other"), 16)
    features = embed(net, source, pixels(16), MEAN, STD, 2, "bf16")[1]
    weight, bias = (value.detach().numpy() for value in linear_head(net, source))
    logits = classify(net, pixels(16), MEAN, STD, 2)[1]
    assert_close(features @ weight.T + bias, logits, share=0.02)
    net.end = lambda net, x: (net.head(pooled(x)) + net.other(pooled(x))) / 1.9
    with pytest.raises(FeaturesError, match="the logits are not what head, other makes"):
        embed(net, source, pixels(16), MEAN, STD, 2, "bf16")


class _Doubling(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) * 2


def test_a_layer_that_does_more_than_its_weights_is_an_error(pixels: Callable[[int], Path]) -> None:
    net = Net(ENDS["plain"])
    net.head = _Doubling(8, 4)
    with pytest.raises(FeaturesError, match="the logits are not what head makes of the features"):
        embed(net.eval(), Source(("head",), 8), pixels(16), MEAN, STD, 2)


def test_logits_that_the_layer_does_not_make_are_an_error(pixels: Callable[[int], Path]) -> None:
    net = Net(lambda net, x: net.head(pooled(x)).mul(2)).eval()
    with pytest.raises(FeaturesError, match="the logits are not what head makes of the features"):
        embed(net, Source(("head",), 8), pixels(16), MEAN, STD, 2)
    with pytest.raises(FeaturesError, match="the layer 'other' is not used"):
        embed(net, Source(("other",), 8), pixels(16), MEAN, STD, 2)
    with pytest.raises(FeaturesError, match=r"\(2, 4\), and should be 5 an image"):
        embed(net, Source((), 5), pixels(16), MEAN, STD, 2)


def test_memory_that_runs_out_halves_the_batch(pixels: Callable[[int], Path]) -> None:
    sizes: list[int] = []

    def end(net: Net, x: Tensor) -> Tensor:
        sizes.append(len(x))
        if len(x) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return ENDS["plain"](net, x)

    source = Source(("head",), 8)
    _, features = embed(Net(end).eval(), source, pixels(16), MEAN, STD, 4)
    assert sizes == [4, 2, 1, 1, 1, 1, 1]
    expected = embed(Net(ENDS["plain"]).eval(), source, pixels(16), MEAN, STD, 1)[1]
    assert np.array_equal(features, expected)


def test_features_that_are_no_numbers_name_the_image(pixels: Callable[[int], Path]) -> None:
    net = Net(lambda net, x: pooled(x) / 0).eval()
    with pytest.raises(NonFiniteError, match=r"infinite features for 5 of 5 images.*'0\.png'"):
        embed(net, Source((), 8), pixels(16), MEAN, STD, 2)


def test_a_category_without_images_has_features_of_the_same_length(tmp_path: Path) -> None:
    prepare_pixels([], tmp_path, Geometry((8, 8), (8, 8), "nearest"), tmp_path / "none.arrow")
    net = Net(ENDS["plain"]).eval()
    images, features = embed(net, Source(("head",), 8), tmp_path / "none.arrow", MEAN, STD, 2)
    assert images == [] and features.shape == (0, 8)
