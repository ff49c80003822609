"""What the libraries publish is understood: models are resolved as the configuration's are."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import timm
import torchvision

from synthsight.classifiers import resolve as resolve_module
from synthsight.classifiers.architectures import published
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.classifiers.resolve import resolve


def entry(model: str, **settings: Any) -> dict[str, Any]:
    given = {"model": model, "labels": "imagenet-1k", "local": False, "classes": 1000, **settings}
    keys = ("resize", "crop", "interpolation", "mean", "std")
    return dict.fromkeys(keys) | {"arguments": {}} | given


CLASSIFIERS = torchvision.models.list_models(module=torchvision.models)


def test_torchvision_has_the_classifiers_that_these_tests_mean() -> None:
    assert len(CLASSIFIERS) >= 80
    assert {"regnet_x_400mf", "regnet_y_128gf", "vit_h_14", "googlenet"} <= set(CLASSIFIERS)


@pytest.mark.long
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_of_torchvision_is_resolved(name: str) -> None:
    resolved = resolve(entry(f"torchvision/{name}"), "model")
    weights = torchvision.models.get_model_weights(name)["DEFAULT"]
    preset = weights.transforms()
    assert resolved["architecture"]["weights"] == weights.name
    assert resolved["geometry"]["resize"] == preset.resize_size[0]
    assert list(resolved["geometry"]["crop"]) == preset.crop_size * 2
    assert (resolved["mean"], resolved["std"]) == (preset.mean, preset.std)


#: Modules of timm whose models give features, or tokens for a language model, but no classes.
WITHOUT_CLASSES = {
    "deepseek_vit",
    "gemma4_vit",
    "hieradet_sam2",
    "mobilenetv5",
    "qwen3_vit",
    "vision_transformer_sam",
}

#: Parts of names that mean a small model, the smallest first.
SMALL = ("test", "atto", "femto", "pico", "nano", "xx", "tiny", "xs", "small", "_s", "0")


def smallest(module: str) -> str:
    """A pretrained model of a module: one with classes if there is any, and rather a small one."""

    def size(name: str) -> tuple[Any, ...]:
        config = timm.models.get_pretrained_cfg(name)
        base = name.partition(".")[0]
        rank = next((rank for rank, part in enumerate(SMALL) if part in base), len(SMALL))
        numbers = [int(number) for number in re.findall(r"\d+", base)]
        return not config.num_classes, config.input_size[1], rank, numbers, name

    return min(timm.list_models(module=module, pretrained=True), key=size)


#: The one whose models are all halves of CLIP models.
OF_HALVES = "vitamin"

MODULES = [
    module
    for module in timm.models.list_modules()
    if timm.list_models(module=module, pretrained=True)
]


def test_timm_has_the_modules_that_these_tests_mean() -> None:
    assert {"resnet", "vision_transformer", "sequencer"} <= set(MODULES) >= WITHOUT_CLASSES


@pytest.mark.long
@pytest.mark.parametrize("module", sorted(set(MODULES) - WITHOUT_CLASSES - {OF_HALVES}))
def test_a_pretrained_model_of_every_module_of_timm_is_resolved(module: str) -> None:
    name = smallest(module)
    config = timm.models.get_pretrained_cfg(name)
    resolved = resolve(entry(f"timm/{name}", classes=config.num_classes), "model")
    assert resolved["architecture"]["name"] == name
    assert resolved["geometry"]["crop"] == config.input_size[1:]
    assert (resolved["mean"], resolved["std"]) == (list(config.mean), list(config.std))


def test_the_half_of_a_clip_is_refused_whatever_its_module() -> None:
    with pytest.raises(ModelError, match="the half of a CLIP or SigLIP model that sees images"):
        resolve(entry(f"timm/{smallest(OF_HALVES)}"), "model")


@pytest.mark.parametrize("module", sorted(WITHOUT_CLASSES))
def test_a_model_without_classes_is_refused_for_that_reason(module: str) -> None:
    with pytest.raises(ModelError, match="has no classifier, only features"):
        resolve(entry(f"timm/{smallest(module)}"), "model")


def test_the_transform_of_every_published_classifier_of_timm_can_be_followed() -> None:
    abouts = {
        name: published(Architecture("timm", name)) for name in timm.list_models(pretrained=True)
    }
    without = {name for name, about in abouts.items() if about.geometry is None}
    assert not {name for name in without if abouts[name].num_classes}


def test_a_transform_that_cannot_be_followed_must_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As timm's for whole images that are padded to a square."""
    about = dataclasses.replace(published(Architecture("timm", "test_resnet")), geometry=None)
    monkeypatch.setattr(resolve_module, "published", lambda *_: about)
    model = "timm/test_resnet.r160_in1k"
    with pytest.raises(ModelError, match="set `resize`, `crop` and `interpolation`"):
        resolve(entry(model, resize=160, crop=160), "model")
    resolved = resolve(entry(model, resize=170, crop=160, interpolation="box"), "model")
    assert resolved["geometry"] == {"resize": 170, "crop": (160, 160), "interpolation": "box"}


def test_the_normalisation_that_is_given_goes_before_the_published_one() -> None:
    plain = resolve(entry("torchvision/alexnet"), "model")
    given = resolve(entry("torchvision/alexnet", mean=[0.1, 0.2, 0.3]), "model")
    assert given == {**plain, "mean": [0.1, 0.2, 0.3]}
    given = resolve(entry("torchvision/alexnet", std=[0.4, 0.5, 0.6]), "model")
    assert given == {**plain, "std": [0.4, 0.5, 0.6]}


@pytest.mark.parametrize(
    "settings",
    [
        {"resize": 224, "crop": 256},
        {"resize": 128},
        {"crop": 512},
        {"resize": [224, 224], "crop": 256},
        {"resize": [256, 200], "crop": 224},
        {"resize": 128, "crop": [160, 140]},
        {"resize": 64, "crop": [120, 40]},
        {"resize": 64, "crop": [40, 120]},
    ],
)
def test_a_crop_larger_than_the_resized_image_is_refused(settings: dict[str, Any]) -> None:
    asked = entry("torchvision/squeezenet1_1") | settings
    with pytest.raises(ModelError, match=r"that `resize` makes smaller .* would be black"):
        resolve(asked, "model")


@pytest.mark.parametrize(
    "settings",
    [
        {"resize": 224, "crop": 224},
        {"resize": [256, 224], "crop": 224},
        {"resize": 120, "crop": [120, 40]},
        {"resize": 64, "crop": False},
    ],
)
def test_a_crop_as_large_as_the_resized_image_is_not(settings: dict[str, Any]) -> None:
    assert resolve(entry("torchvision/squeezenet1_1") | settings, "model")
