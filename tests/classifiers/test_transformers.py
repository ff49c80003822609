"""Models of transformers give the logits that transformers gives, from pixels as its own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from synthsight.classifiers.architectures import probe
from synthsight.classifiers.classify import load_model
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.classifiers.preprocessors import understand
from synthsight.classifiers.repositories import Repository, RepositoryError, read_repository
from synthsight.classifiers.resolve import resolve
from synthsight.classifiers.weights import fetch_weights
from synthsight.inference.folders import WeightsError
from synthsight.inference.normalise import normalise
from synthsight.labels.spaces import load_labels
from synthsight.plan.config.repositories import read_repositories
from synthsight.plan.settings import ModelSettings, PredictionColumnSettings

NAMES = ("cat", "dog", "hen", "cow", "pig", "fox", "owl")

VIT = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 64, "image_size": 32, "patch_size": 8},
}
STAGES = {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1]}
WINDOWS = {
    **{"image_size": 32, "patch_size": 2, "embed_dim": 12, "depths": [1, 1]},
    **{"num_heads": [2, 2], "window_size": 4},
}

#: Small models, by model_type: settings of the network, and of its preprocessing.
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vit": (VIT, {"image_processor_type": "ViTImageProcessor", "size": 32}),
    "beit": (
        {**VIT, "use_relative_position_bias": True},
        {"image_processor_type": "BeitImageProcessor", "size": 40, "crop_size": 32}
        | {"do_center_crop": True},
    ),
    "swin": (WINDOWS, {"feature_extractor_type": "ViTFeatureExtractor", "size": 32}),
    "convnext": (
        STAGES,
        {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64}},
    ),
    "dinov2": (
        {**VIT, "patch_size": 14, "image_size": 56},
        {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 64}}
        | {"crop_size": {"height": 56, "width": 56}},
    ),
    "resnet": (
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
        {"image_processor_type": "ConvNextImageProcessor", "size": 64, "resample": 3},
    ),
}


def save(folder: Path, kind: str, names: tuple[str, ...] = NAMES, **more: Any) -> Any:
    """Write a random model as a repository's folder; returns the model."""
    settings, preprocessor = MODELS[kind]
    config = transformers.AutoConfig.for_model(kind, **settings, **more)
    config.id2label = dict(enumerate(names))
    torch.manual_seed(0)
    model = transformers.AutoModelForImageClassification.from_config(config).eval()
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return model


def request(folder: Path, **settings: Any) -> dict[str, Any]:
    keys = ("resize", "crop", "interpolation", "mean", "std")
    about = read_repository("x", str(folder))
    return {
        **dict.fromkeys(keys),
        **{"model": "transformers/x", "labels": "l", "local": True, "arguments": {}},
        **{"classes": 7, "files": about.as_dict()},
        **settings,
    }


@pytest.mark.parametrize(
    "kind",
    [kind if kind == "vit" else pytest.param(kind, marks=pytest.mark.long) for kind in MODELS],
)
def test_the_logits_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    model = save(tmp_path, kind)
    resolved = resolve(request(tmp_path), "model")
    architecture = Architecture(**resolved["architecture"])
    weights = tmp_path / "out.safetensors"
    note = fetch_weights("m", architecture, tmp_path, weights, tmp_path / "out.json")
    network = load_model(architecture, weights, torch.device("cpu"))
    images = torch.rand(3, 3, *resolved["geometry"]["crop"])
    with torch.inference_mode():
        ours, theirs = network(images), model(pixel_values=images).logits
    assert theirs.std() > 1e-3
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert len(json.dumps(resolved["architecture"])) < 3000  # it is on command lines
    assert note["source"] == str(tmp_path)


#: Further settings of preprocessing, by the processor's name.
PROCESSORS: list[dict[str, Any]] = [
    *(about for _, about in MODELS.values()),
    {"image_processor_type": "CLIPImageProcessor", "size": 64, "crop_size": 64},
    {"image_processor_type": "CLIPImageProcessor", "size": 80, "crop_size": 65, "resample": 1},
    {"image_processor_type": "SiglipImageProcessor", "size": {"height": 48, "width": 64}},
    {"image_processor_type": "ConvNextImageProcessor", "size": 384},
    {"image_processor_type": "LevitImageProcessor", "size": 56, "crop_size": 56},
    {"image_processor_type": "PoolFormerImageProcessor", "size": 56, "crop_size": 55}
    | {"crop_pct": 0.95},
    {"image_processor_type": "EfficientNetImageProcessor", "size": 60, "resample": 0}
    | {"image_std": [0.4785, 0.4732, 0.4722], "rescale_offset": True, "rescale_factor": 1 / 127.5},
    {"image_processor_type": "MobileNetV2ImageProcessor", "size": 64, "crop_size": 32},
    {"image_processor_type": "ViTImageProcessor", "size": 32, "do_normalize": False},
]


@pytest.mark.long
def test_the_pixels_are_those_of_the_processor(tmp_path: Path) -> None:
    """On odd sizes, and of grey pictures made RGB, as images are stored: within float rounding."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for number, about in enumerate(PROCESSORS):
        found = understand(about, "vit")
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "preprocessor_config.json").write_text(json.dumps(about))
        (folder / "config.json").write_text('{"model_type": "vit"}')
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        for width, height in ((97, 64), (65, 131), (333, 250), (33, 33)):
            picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
            for each in (picture, picture.convert("L").convert("RGB")):
                theirs = processor(each, return_tensors="pt")["pixel_values"][0]
                pixels = torch.from_numpy(found.geometry.apply(each).copy())[None]
                ours = normalise(pixels, found.mean, found.std)[0]
                assert ours.shape == theirs.shape, about
                worst = max(worst, float((ours - theirs).abs().max()))
    assert worst < 1e-5


def test_equal_geometries_of_two_libraries_share_their_pixels() -> None:
    """Whichever way the centre is rounded, where nothing or an even number is cut off."""
    squash = {"image_processor_type": "ViTImageProcessor", "size": 224}
    assert understand(squash, "vit").geometry.name == "resize224x224-bilinear-crop224"
    cut = {"image_processor_type": "DeiTImageProcessor", "size": 256, "crop_size": 224}
    assert understand(cut, "deit").geometry.name == "resize256x256-bicubic-crop224"
    clip = {"image_processor_type": "CLIPImageProcessor", "size": 224, "crop_size": 224}
    assert understand(clip, "clip").geometry.name == "resize224-bicubic-crop224-lower"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_resize": False}, "it does not resize images.*set `resize`"),
        ({"size": {"longest_edge": 32}}, "it resizes to"),
        ({"image_processor_type": "MobileViTImageProcessor"}, "blue, green, red"),
        ({"image_processor_type": "TextNetImageProcessor", "size": 70}, "makes"),
        ({"image_processor_type": "NobodysImageProcessor"}, "Nobodys"),
        ({"do_rescale": False}, r"0\.\.255"),
        ({"image_processor_type": "CLIPImageProcessor", "size": 32, "crop_size": 40}, "smaller"),
    ],
)
def test_preprocessing_that_cannot_be_followed_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    save(tmp_path, "vit")
    about = {**MODELS["vit"][1], **changes}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match=message):
        resolve(request(tmp_path), "model")


def test_what_cannot_be_followed_can_be_given(tmp_path: Path) -> None:
    save(tmp_path, "vit")
    (tmp_path / "preprocessor_config.json").unlink()
    given = {"resize": 40, "crop": 32, "interpolation": "bicubic"}
    with pytest.raises(ModelError, match=r"no preprocessor_config\.json\): set `mean` and `std`"):
        resolve(request(tmp_path, **given), "model")
    half = [0.5] * 3
    resolved = resolve(request(tmp_path, **given, mean=half, std=half), "model")
    assert (resolved["geometry"]["crop"], resolved["mean"]) == ((32, 32), half)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["ViTModel"]}, "ViTModel, which has no classifier"),
        ({"model_type": "vitt"}, "did you mean 'vit'"),
        ({"architecture": "resnet50", "model_type": None}, "write timm/hf-hub:OWNER/NAME"),
        ({"hidden_size": "many"}, "config.json that cannot be used"),
    ],
)
def test_a_model_that_classifies_nothing_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    save(tmp_path, "vit")
    config = json.loads((tmp_path / "config.json").read_text())
    changed = {key: value for key, value in {**config, **changes}.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(ModelError, match=message):
        resolve(request(tmp_path), "model")


def test_an_argument_that_the_configuration_lacks_is_refused_with_a_close_name(
    tmp_path: Path,
) -> None:
    save(tmp_path, "vit")
    with pytest.raises(ModelError, match=r"'hiden_act'.*did you mean 'hidden_act'"):
        resolve(request(tmp_path, arguments={"hiden_act": "relu"}), "model")
    changed = resolve(request(tmp_path, arguments={"hidden_act": "relu"}), "model")
    assert changed["architecture"]["arguments"]["hidden_act"] == "relu"


def test_only_models_of_one_size_are_cropped_under_the_paper_s_preprocessing(
    tmp_path: Path,
) -> None:
    save(tmp_path / "vit", "vit")
    save(tmp_path / "resnet", "resnet")
    assert resolve(request(tmp_path / "vit"), "paper")["geometry"]["crop"] == (32, 32)
    assert resolve(request(tmp_path / "resnet"), "paper")["geometry"]["crop"] is None


def test_probing_leaves_nothing_behind_that_later_networks_compute_with(tmp_path: Path) -> None:
    """BEiT keeps positions for all networks of its kind; made without memory, they are nothing."""
    model = save(tmp_path, "beit")
    probe(Architecture(**resolve(request(tmp_path), "model")["architecture"]), (32, 32))
    with torch.inference_mode():
        assert torch.isfinite(model(pixel_values=torch.rand(2, 3, 32, 32)).logits).all()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "one", "vit")
    resolved = resolve(request(tmp_path / "one"), "model")
    config = {**resolved["architecture"]["arguments"]["config"], "num_hidden_layers": 3}
    architecture = Architecture("transformers", "x", None, {"config": config})
    with pytest.raises(WeightsError, match="does not fit ViTForImageClassification: missing_keys"):
        fetch_weights(
            "m", architecture, tmp_path / "one", tmp_path / "m.safetensors", tmp_path / "m.json"
        )


# Names of classes --------------------------------------------------------------------------------

ENTRY = ModelSettings(
    **{"model": "transformers/x", "name": "x", "arguments": {}, "labels": "imagenet-1k"},
    **dict.fromkeys(("resize", "crop", "interpolation", "mean", "std", "reference")),
    **{"names": None, "templates": None, "predictions": None, "missing": "refuse"},
    columns=PredictionColumnSettings(*[None] * 6),
    checkpoint="folder",
    features=False,
)


def labelled(
    folder: Path, named: dict[str, str], labelled_by_user: Collection[int] = ()
) -> tuple[str, list[str], list[str]]:
    """The label space that a model gets, notes and problems."""
    config = {"model_type": "vit", "id2label": named}
    (folder / "config.json").write_text(json.dumps(config))
    problems: list[Any] = []
    entry = dataclasses.replace(ENTRY, checkpoint=str(folder))
    found = read_repositories([entry], labelled_by_user, folder / "cache", problems)
    return found.models[0].labels, found.notes, [problem.message for problem in problems]


def by_number(names: Any) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(names)}


def test_classes_that_are_imagenet_s_have_its_synsets(tmp_path: Path) -> None:
    lemmas = load_labels("imagenet-1k").lemmas
    named = by_number(", ".join(each) for each in lemmas)
    assert labelled(tmp_path, named) == ("imagenet-1k", [], [])
    turned = by_number(", ".join(each) for each in reversed(lemmas))
    assert labelled(tmp_path, turned)[0] != "imagenet-1k"


def test_other_classes_are_kept_by_their_names_and_a_note_says_so(tmp_path: Path) -> None:
    labels, notes, _ = labelled(tmp_path, by_number(["tabby, cat", "dog", "mug"]))
    assert load_labels(labels).lemmas == (("tabby", "cat"), ("dog",), ("mug",))
    assert "its 3 classes are those of its config.json" in notes[0]
    assert labelled(tmp_path, by_number(["tabby, cat", "dog", "mug"]))[0] == labels
    assert labelled(tmp_path, by_number(["cat", "dog", "mug"]))[0] != labels
    # A key `labels` that is written holds, be it the default's value.
    assert labelled(tmp_path, by_number(["cat", "dog", "mug"]), {0}) == ("imagenet-1k", [], [])


def test_classes_without_names_need_a_file_or_are_a_thousand(tmp_path: Path) -> None:
    labels, notes, problems = labelled(tmp_path, by_number(f"LABEL_{n}" for n in range(1000)))
    assert labels == "imagenet-1k" and not problems
    assert "does not name its 1,000 classes" in notes[0]
    assert "no names for its 12 classes" in labelled(tmp_path, by_number(map(str, range(12))))[2][0]
    assert "without gaps" in labelled(tmp_path, {"0": "cat", "2": "dog"})[2][0]


@pytest.mark.parametrize("content", ["[1]", "no JSON", "[" * 9999])
def test_a_damaged_config_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RepositoryError, match=r"config\.json is not a JSON mapping"):
        read_repository("x", str(tmp_path))


def test_a_processor_s_part_for_images_is_taken(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    inner = {"image_processor_type": "CLIPImageProcessor"}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": inner}))
    assert read_repository("x", str(tmp_path)) == Repository({}, inner, None)
