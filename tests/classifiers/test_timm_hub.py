"""Models of timm in repositories: the logits and pixels that timm gives, whatever they hold."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import timm.models
import torch
from PIL import Image
from timm.data import create_transform, resolve_model_data_config

from synthsight.classifiers.classify import load_model
from synthsight.classifiers.heads import Source, reading
from synthsight.classifiers.library import Architecture, ModelError
from synthsight.classifiers.registry import library_of
from synthsight.classifiers.repositories import read_repository
from synthsight.classifiers.resolve import resolve, resolve_encoder
from synthsight.classifiers.weights import fetch_weights
from synthsight.images.geometry import Geometry
from synthsight.inference.normalise import normalise
from synthsight.labels.spaces import load_labels
from synthsight.plan.config.models import named
from tests import warm
from tests.classifiers.test_transformers import ENTRY, read_repositories
from tests.loopback_hub import COMMIT, Hub
from tests.support import REPOSITORY, assert_close

NAMES = ("cat", "dog", "hen", "cow", "pig", "fox", "owl")

#: What timm writes of the preprocessing, to be told from what is usual for the architecture.
INPUT = {
    **{"input_size": (3, 96, 96), "crop_pct": 0.8, "interpolation": "bilinear"},
    **{"mean": (0.1, 0.2, 0.3), "std": (0.3, 0.2, 0.1)},
}


def save(
    folder: Path, architecture: str = "test_resnet", names: tuple[str, ...] = NAMES, **more: Any
) -> Any:
    """Write a random model as timm uploads it; returns the model."""
    torch.manual_seed(0)
    arguments = {"num_classes": 7, **more}
    model = timm.create_model(architecture, **arguments).eval()
    model.pretrained_cfg = {**model.pretrained_cfg, **INPUT, "num_classes": 7}
    timm.models.save_for_hf(
        model, folder, model_config={"label_names": list(names)}, model_args=more or None
    )
    return model


def request(folder: Path, **settings: Any) -> dict[str, Any]:
    keys = ("resize", "crop", "interpolation", "mean", "std")
    about = read_repository("x", str(folder))
    return {
        **dict.fromkeys(keys),
        **{"model": "timm/hf-hub:x", "labels": "l", "local": True, "arguments": {}},
        **{"classes": 7, "files": about.as_dict()},
        **settings,
    }


def change(folder: Path, **changes: Any) -> None:
    """Change config.json; None removes a key."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


@pytest.mark.parametrize(
    ("architecture", "more"),
    [
        ("test_resnet", {}),
        ("test_vit", {"img_size": 96, "class_token": False, "global_pool": "avg"}),
    ],
)
def test_the_logits_and_pixels_are_those_of_timm(
    architecture: str, more: dict[str, Any], tmp_path: Path
) -> None:
    save(tmp_path, architecture, **more)
    theirs = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    resolved = resolve(request(tmp_path), "model")
    built = Architecture(**json.loads(json.dumps(resolved["architecture"])))
    weights = tmp_path / "out.safetensors"
    note = fetch_weights("m", built, tmp_path, weights, tmp_path / "out.json")
    ours = load_model(built, weights, torch.device("cpu"))
    transform = create_transform(**resolve_model_data_config(theirs))
    rng = np.random.default_rng(0)
    for width, height in ((97, 64), (333, 250)):
        picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        expected = transform(picture)[None]
        pixels = torch.from_numpy(Geometry.from_dict(resolved["geometry"]).apply(picture).copy())
        found = normalise(pixels[None], tuple(resolved["mean"]), tuple(resolved["std"]))
        assert torch.allclose(found, expected, atol=1e-5)
        with torch.inference_mode():
            assert torch.allclose(ours(expected), theirs(expected), atol=1e-6)
            assert theirs(expected).std() > 1e-4
    assert note["parameters"] == sum(each.numel() for each in theirs.parameters())


@pytest.mark.parametrize(
    "written", ["timm/hf-hub:zoo/net@v2", "hf-hub:zoo/net@v2", "timm/hf_hub:zoo/net@v2"]
)
def test_timm_s_own_ways_to_write_a_repository_are_understood(written: str) -> None:
    assert library_of(written) == ("timm_hub", "zoo/net@v2")
    assert named({"model": written, "name": None})["name"] == "net"


def test_the_form_of_older_repositories_is_read(tmp_path: Path) -> None:
    """One mapping for all, which calls the names of the classes ``labels``."""
    save(tmp_path)
    newer = resolve(request(tmp_path), "model")
    config = json.loads((tmp_path / "config.json").read_text())
    older = {**config["pretrained_cfg"], "labels": list(NAMES), "architecture": "test_resnet"}
    (tmp_path / "config.json").write_text(json.dumps(older))
    assert read_repository("x", str(tmp_path)).classes == NAMES
    found = resolve(request(tmp_path), "model")
    assert {key: found[key] for key in ("geometry", "mean", "std")} == {
        key: newer[key] for key in ("geometry", "mean", "std")
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": None, "model_type": "vit"}, "transformers .vit., write transformers/x"),
        ({"architecture": None}, "no `architecture` in its config.json"),
        ({"architecture": "test_resnot"}, "did you mean 'test_resnet"),
        ({"pretrained_cfg": 3}, "config.json that cannot be used"),
    ],
)
def test_what_timm_cannot_build_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    save(tmp_path)
    change(tmp_path, **changes)
    with pytest.raises(ModelError, match=message):
        resolve(request(tmp_path), "model")


def test_another_number_of_classes_cannot_be_asked_for(tmp_path: Path) -> None:
    """timm would leave out the classifier's weights, and so answer by chance."""
    save(tmp_path)
    with pytest.raises(ModelError, match="'num_classes'"):
        resolve(request(tmp_path, arguments={"num_classes": 5}), "model")


# Encoders ----------------------------------------------------------------------------------------


def embeds(
    folder: Path, hub: tuple[str, type[Hub]], work: Path
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """What an encoder in a hub's repository resolves to, its note and its network."""
    url, handler = hub
    handler.serve("zoo/net", folder)
    files = {**read_repository("x", str(folder)).as_dict(), "revision": COMMIT}
    keys = ("resize", "crop", "interpolation", "mean", "std")
    about = {"model": "timm/hf-hub:zoo/net", "local": False, "arguments": {}, "files": files}
    resolved = resolve_encoder({**dict.fromkeys(keys), **about}, "model")
    spec = {"name": "m", "architecture": resolved["architecture"], "reference": None}
    weights, note = work / "m.safetensors", work / "m.json"
    completed = warm.run(
        [
            REPOSITORY / "workflow" / "scripts" / "fetch_weights.py",
            *("--spec", json.dumps(spec), "--weights", weights, "--note", note),
        ],
        environment={
            **{"HF_ENDPOINT": url, "HF_HOME": str(work / "hub"), "HF_HUB_DISABLE_XET": "1"},
            "OMP_NUM_THREADS": "1",
        },
        kind="networks",
    )
    assert completed.returncode == 0, completed.stderr
    network = load_model(Architecture(**resolved["architecture"]), weights, torch.device("cpu"))
    return resolved, json.loads(note.read_text()), network


@pytest.mark.long
@pytest.mark.parametrize("classes", [0, 7])
def test_an_encoder_of_a_hub_gives_its_output_or_what_enters_its_classifier(
    classes: int, tmp_path: Path, hub: tuple[str, type[Hub]]
) -> None:
    folder = tmp_path / "net"
    torch.manual_seed(0)
    own = timm.create_model("test_vit", num_classes=classes).eval()
    own.pretrained_cfg = {**own.pretrained_cfg, **INPUT, "input_size": (3, 160, 160)}
    timm.models.save_for_hf(own, folder, model_config={"num_classes": classes})
    resolved, note, network = embeds(folder, hub, tmp_path)
    assert (resolved["layers"], resolved["length"]) == (["head"] if classes else [], 64)
    assert (note["source"], note["checksum"]) == ("hf-hub:zoo/net", "verified")
    images = torch.rand(2, 3, 160, 160)
    source = Source(tuple(resolved["layers"]), resolved["length"])
    with torch.inference_mode(), reading(network, source) as reader:
        expected = own.forward_head(own.forward_features(images), pre_logits=True)
        assert_close(reader(images), expected, share=1e-5)


# Names of classes --------------------------------------------------------------------------------


def labelled(folder: Path, **changes: Any) -> tuple[str, list[str], list[str]]:
    """The label space that a model gets, notes and problems."""
    (folder / "config.json").write_text(json.dumps({"architecture": "resnet50", **changes}))
    problems: list[Any] = []
    entry = dataclasses.replace(ENTRY, model="hf-hub:a/b", checkpoint=str(folder))
    found = read_repositories([entry], (), folder / "cache", problems)
    return found.models[0].labels, found.notes, [problem.message for problem in problems]


def test_the_classes_are_those_that_the_repository_names(tmp_path: Path) -> None:
    labels, notes, _ = labelled(tmp_path, num_classes=3, label_names=["tabby, cat", "dog", "mug"])
    assert load_labels(labels).lemmas == (("tabby", "cat"), ("dog",), ("mug",))
    assert "its 3 classes are those of its config.json" in notes[0]


def test_synsets_in_imagenet_s_order_are_its_classes(tmp_path: Path) -> None:
    synsets = load_labels("imagenet-1k").synsets
    assert synsets is not None
    assert labelled(tmp_path, label_names=list(synsets)) == ("imagenet-1k", [], [])
    assert labelled(tmp_path, label_names=list(synsets[::-1]))[0] != "imagenet-1k"


def test_unnamed_classes_are_a_known_space_s_of_that_number_or_need_a_file(tmp_path: Path) -> None:
    labels, notes, _ = labelled(tmp_path, pretrained_cfg={"num_classes": 11821})
    assert labels == "imagenet-12k"
    assert "does not name its 11,821 classes" in notes[0]
    assert "no names for its 12 classes" in labelled(tmp_path, num_classes=12)[2][0]
    assert (
        labelled(tmp_path)[0] == "imagenet-1k"
    )  # as timm builds a network of which nothing is said
    assert resolve(request(tmp_path, classes=1000), "model")["architecture"]["num_classes"] is None


def test_names_in_a_mapping_are_read_by_their_numbers(tmp_path: Path) -> None:
    """As timm writes them, too; a thousand of one's own are not taken for ImageNet's."""
    own = {str(number): f"species {number}" for number in reversed(range(1000))}
    labels, notes, _ = labelled(tmp_path, num_classes=1000, label_names=own)
    assert load_labels(labels).simple[:2] == ("species 0", "species 1")
    assert "its 1,000 classes are those of its config.json" in notes[0]
    problems = labelled(tmp_path, label_names={"0": "cat", "2": "dog"})[2]
    assert "label_names must be a mapping from 0, 1, 2, ... to names, without gaps" in problems[0]


def test_classes_that_a_clip_was_trained_on_are_its_classes(tmp_path: Path) -> None:
    """Where its repository names them; a projection has no names."""
    about = {"architecture": "vit_base_patch16_clip_224", "num_classes": 3}
    labels, notes, problems = labelled(tmp_path, label_names=["cat", "dog", "mug"], **about)
    assert load_labels(labels).simple == ("cat", "dog", "mug") and problems == []
    assert "its 3 classes are those of its config.json" in notes[0]
    resolved = resolve(request(tmp_path, classes=3, features=True), "model")
    assert (resolved["layers"], resolved["length"]) == (["head"], 768)


# What is not read --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["local-dir", "url", "hf-hub"])
def test_weights_are_the_repository_s_whatever_else_its_config_names(
    source: str, tmp_path: Path
) -> None:
    """timm itself would look there first, and load another file without a word."""
    model, other = save(tmp_path / "one"), save(tmp_path / "other")
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    timm.models.save_for_hf(other, tmp_path / "other")
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    about = {"source": source, "file": str(tmp_path / "other" / "model.safetensors")}
    about |= {"url": (tmp_path / "other" / "model.safetensors").as_uri(), "hf_hub_id": "a/b"}
    change(tmp_path / "one", pretrained_cfg={**config["pretrained_cfg"], **about})
    built = Architecture(**resolve(request(tmp_path / "one"), "model")["architecture"])
    fetch_weights("m", built, tmp_path / "one", tmp_path / "m.safetensors", tmp_path / "m.json")
    found = load_model(built, tmp_path / "m.safetensors", torch.device("cpu")).state_dict()
    wanted = model.state_dict()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_a_config_that_names_a_file_of_weights_is_refused(tmp_path: Path) -> None:
    """timm would load it after the repository's own, and the note would tell of those."""
    save(tmp_path)
    torch.save({}, tmp_path / "other.pth")
    change(tmp_path, model_args={"checkpoint_path": str(tmp_path / "other.pth")})
    with pytest.raises(ModelError, match=r"no argument 'checkpoint_path' .*config\.json"):
        resolve(request(tmp_path), "model")


@pytest.mark.parametrize("outputs", [0, 512])
def test_the_half_of_a_clip_is_told_where_the_whole_is(outputs: int, tmp_path: Path) -> None:
    about = {"architecture": "vit_base_patch16_clip_224", "num_classes": outputs}
    about["pretrained_cfg"] = {"tag": "openai", "num_classes": outputs}
    labels, _, problems = labelled(tmp_path, **about)
    assert (labels, problems) == ("imagenet-1k", [])
    with pytest.raises(ModelError, match="write zeroshot/openai/clip-vit-base-patch16"):
        resolve(request(tmp_path), "model")
