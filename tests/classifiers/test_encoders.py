"""Encoders: which output is the embedding, of each kind of model, and which models are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
import transformers
from safetensors.torch import load_file, save_file

from synthsight.classifiers.architectures import build
from synthsight.classifiers.classify import load_model
from synthsight.classifiers.encoders import KINDS
from synthsight.classifiers.heads import linear_head, reading, source_of_features
from synthsight.classifiers.library import Architecture, ModelError, WeightsError
from synthsight.classifiers.repositories import read_repository
from synthsight.classifiers.resolve import resolve_encoder
from synthsight.classifiers.transformers import network_of
from synthsight.classifiers.weights import fetch_weights
from synthsight.inference import folders
from tests.classifiers import test_zero_shot as both
from tests.support import assert_close, save_random_weights

SMALL = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 64, "image_size": 32, "patch_size": 8},
}

#: Models that see images alone: settings of the network by the name of its class.
ALONE: dict[str, dict[str, Any]] = {
    "Dinov2Model": SMALL,
    "Dinov2WithRegistersModel": SMALL,
    "DINOv3ViTModel": SMALL,
    "DINOv3ConvNextModel": {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
    "ViTModel": SMALL,
    "CLIPVisionModel": SMALL,
    "CLIPVisionModelWithProjection": {**SMALL, "projection_dim": 20},
    "MetaClip2VisionModel": SMALL,
    "MetaClip2VisionModelWithProjection": {**SMALL, "projection_dim": 20},
    "SiglipVisionModel": SMALL,
}

#: Those that see images and read texts, by the same.
WITH_TEXTS = {
    "CLIPModel": "clip",
    "MetaClip2Model": "metaclip_2",
    "SiglipModel": "siglip",
    "AltCLIPModel": "altclip",
    "ChineseCLIPModel": "chinese_clip",
    "AlignModel": "align",
}


def request(model: str, checkpoint: Path | None, **settings: Any) -> dict[str, Any]:
    keys = ("resize", "crop", "interpolation", "mean", "std")
    files = {}
    if checkpoint is not None and checkpoint.is_dir():
        files = {"files": read_repository("x", str(checkpoint)).as_dict()}
    about = {"model": model, "encoder": True, "local": checkpoint is not None, "arguments": {}}
    return {**dict.fromkeys(keys), **about, **files, **settings}


def preprocessor(folder: Path) -> None:
    about = {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 32}}
    about |= {"crop_size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))


def embeddings(folder: Path, tmp_path: Path) -> tuple[dict[str, Any], torch.Tensor, torch.Tensor]:
    """What a repository resolves to, some images, and their embeddings by the weights fetched."""
    resolved = resolve_encoder(request("transformers/x", folder), "model")
    architecture = Architecture(**resolved["architecture"])
    weights = tmp_path / "w.safetensors"
    fetch_weights("x", architecture, folder, weights, tmp_path / "w.json")
    network = load_model(architecture, weights, torch.device("cpu"))
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return resolved, images, network(images)


def test_all_kinds_are_tried_here() -> None:
    assert KINDS.keys() == ALONE.keys() | WITH_TEXTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_the_embedding_of_a_model_of_images_is_its_own(name: str, tmp_path: Path) -> None:
    kind = getattr(transformers, name)
    torch.manual_seed(0)
    model = kind(kind.config_class(**ALONE[name])).eval()
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    preprocessor(folder)
    resolved, images, found = embeddings(folder, tmp_path)
    with torch.inference_mode():
        said = model(images)
    expected = said.last_hidden_state[:, 0] if name == "ViTModel" else said[KINDS[name]]
    assert resolved["layers"] == [] and resolved["length"] == expected.flatten(1).shape[1]
    assert_close(found, expected.flatten(1), share=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_TEXTS)
def test_the_embedding_of_a_model_of_images_and_texts_is_the_projected_one(
    name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    model = both.save(folder, WITH_TEXTS[name])
    resolved, images, found = embeddings(folder, tmp_path)
    with torch.inference_mode():
        expected = model.get_image_features(pixel_values=images)
    expected = getattr(expected, "pooler_output", expected)
    assert resolved["length"] == expected.shape[1]
    assert_close(found, expected, share=1e-6)
    kept = load_file(tmp_path / "w.safetensors")
    assert not [key for key in kept if key.startswith(("text_", "logit_"))]


def test_a_classifier_of_transformers_gives_what_enters_its_last_layer(tmp_path: Path) -> None:
    config = transformers.ViTConfig(**SMALL, id2label=dict(enumerate("abcdefg")))
    folder = tmp_path / "model"
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    preprocessor(folder)
    resolved = resolve_encoder(request("transformers/x", folder), "model")
    assert (resolved["layers"], resolved["length"]) == (["model.classifier"], 32)
    assert "encoder" not in resolved["architecture"]["arguments"]


TINY = {**SMALL, "num_labels": 7}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 7}

#: Classifiers of transformers: settings of the network, and the layers that features enter.
CLASSIFIERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "ViTForImageClassification": (TINY, ["model.classifier"]),
    "BeitForImageClassification": (TINY, ["model.classifier"]),
    # Class token and the mean of places, side by side.
    "Dinov2ForImageClassification": (TINY, ["model.classifier"]),
    "CLIPForImageClassification": ({"vision_config": SMALL, "num_labels": 7}, ["model.classifier"]),
    "ResNetForImageClassification": (
        {**STAGES, "embedding_size": 8, "layer_type": "basic"},
        ["model.classifier.1"],
    ),
    "ConvNextForImageClassification": (
        {**STAGES, "num_stages": 2, "patch_size": 4},
        ["model.classifier"],
    ),
    # Two heads, of which logits are the mean.
    "DeiTForImageClassificationWithTeacher": (
        TINY,
        ["model.cls_classifier", "model.distillation_classifier"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_features_of_a_classifier_of_transformers_make_its_logits(name: str) -> None:
    settings, layers = CLASSIFIERS[name]
    kind = getattr(transformers, name)
    torch.manual_seed(0)
    model = kind(kind.config_class(**settings)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    config = json.loads(model.config.to_json_string())
    config["architectures"] = [name]
    architecture = Architecture("transformers", "x", arguments={"config": network_of(config)})
    network = build(architecture, {k: v.clone() for k, v in model.state_dict().items()})
    source = source_of_features(architecture, (32, 32))
    assert list(source.layers) == layers
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    weight, bias = linear_head(network, source)
    with torch.inference_mode(), reading(network, source) as reader:
        features, logits = reader(images), model(pixel_values=images).logits
    assert features.shape == (3, source.length) and logits.shape == (3, 7)
    assert logits.std(0).max() > 1e-4, "images that differ"
    assert_close(features @ weight.T + bias, logits, share=1e-5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "vit_mae", "architectures": ["ViTMAEModel"]}, "holds a ViTMAEModel, whose"),
        ({"model_type": "bert"}, "has the model_type 'bert', whose embedding is not known; known"),
        ({"architecture": "resnet50"}, "is a model of timm: write timm/hf-hub:OWNER/NAME"),
    ],
)
def test_other_models_are_refused(config: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        resolve_encoder(request("transformers/x", tmp_path), "model")


def test_weights_that_an_encoder_lacks_are_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    transformers.Dinov2Model(transformers.Dinov2Config(**SMALL)).save_pretrained(folder)
    preprocessor(folder)
    state = load_file(folder / "model.safetensors")
    del state["layernorm.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(folders.WeightsError, match=r"Dinov2Model: missing_keys: layernorm\.weight"):
        embeddings(folder, tmp_path)


@pytest.mark.parametrize(
    ("model", "layers", "length"),
    [
        ("timm/vit_small_patch14_dinov2.lvd142m", [], 384),
        ("timm/vit_small_patch16_dinov3.lvd1689m", [], 384),
        ("timm/vit_base_patch32_clip_224.openai", [], 512),
        ("timm/vit_base_patch16_siglip_224.webli", [], 768),
        ("timm/test_resnet.r160_in1k", ["fc"], 96),
        ("torchvision/resnet18", ["fc"], 512),
    ],
)
def test_published_models_give_their_output_or_what_enters_their_classifier(
    model: str, layers: list[str], length: int
) -> None:
    resolved = resolve_encoder(request(model, None), "model")
    assert (resolved["layers"], resolved["length"]) == (layers, length)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "zeroshot/openai/clip",
            "is of zeroshot, whose models are asked for classes; for features",
        ),
        ("timm/no_such_vit", "timm has no model 'no_such_vit'"),
        ("torchvision/squeezenet1_0", "has no features: it does not end in a linear layer"),
    ],
)
def test_what_gives_no_features_is_refused(model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        resolve_encoder(request(model, None), "model")


def test_a_local_checkpoint_of_timm_is_of_a_model_without_a_classifier(tmp_path: Path) -> None:
    path, outputs = tmp_path / "net.safetensors", tmp_path / "w.safetensors"
    resolved = resolve_encoder(request("timm/test_resnet", path), "model")
    architecture = Architecture(**resolved["architecture"])
    assert (resolved["layers"], resolved["length"], architecture.num_classes) == ([], 96, 0)
    save_random_weights(path, "test_resnet", 0, 0)
    fetch_weights("x", architecture, path, outputs, tmp_path / "w.json")
    own = timm.create_model("test_resnet", num_classes=0).eval()
    own.load_state_dict(load_file(path))
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        found = load_model(architecture, outputs, torch.device("cpu"))(images)
        assert_close(found, own(images), share=1e-5)


def test_a_local_checkpoint_with_a_classifier_says_so(tmp_path: Path) -> None:
    """Were it left out, what a head does to the features would be left out with it."""
    path, outputs = tmp_path / "net.safetensors", tmp_path / "w.safetensors"
    save_random_weights(path, "test_resnet", 7, 0)
    resolved = resolve_encoder(request("timm/test_resnet", path), "model")
    without = Architecture(**resolved["architecture"])
    with pytest.raises(WeightsError, match=r"fc\.weight, 7 of them.*num_classes: 7"):
        fetch_weights("x", without, path, outputs, tmp_path / "w.json")
    resolved = resolve_encoder(
        request("timm/test_resnet", path, arguments={"num_classes": 7}), "model"
    )
    assert (resolved["layers"], resolved["length"]) == (["fc"], 96)
    architecture = Architecture(**resolved["architecture"])
    fetch_weights("x", architecture, path, outputs, tmp_path / "w.json")


@pytest.mark.long
def test_a_local_checkpoint_of_torchvision_needs_its_number_of_classes(tmp_path: Path) -> None:
    path, outputs = tmp_path / "net.safetensors", tmp_path / "w.safetensors"
    model = "torchvision/shufflenet_v2_x0_5"
    torch.manual_seed(0)
    save_file(torchvision.models.shufflenet_v2_x0_5(num_classes=7).state_dict(), path)
    plain, stated = (
        Architecture(
            **resolve_encoder(request(model, path, arguments=each), "model")["architecture"]
        )
        for each in ({}, {"num_classes": 7})
    )
    with pytest.raises(WeightsError, match=r"has 7 classes.*`arguments: \{num_classes: 7\}`"):
        fetch_weights("x", plain, path, outputs, tmp_path / "w.json")
    fetch_weights("x", stated, path, outputs, tmp_path / "w.json")
    network = load_model(stated, outputs, torch.device("cpu"))
    source = source_of_features(stated, (64, 64))
    assert (source.layers, source.length) == (("fc",), 1024)
    own = torchvision.models.shufflenet_v2_x0_5(num_classes=7).eval()
    own.load_state_dict(load_file(path))
    own.fc = torch.nn.Identity()
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode(), reading(network, source) as reader:
        assert_close(reader(images), own(images), share=1e-5)
