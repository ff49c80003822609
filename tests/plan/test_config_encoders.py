"""``models[].features`` and ``encoders``: what is asked for, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synthsight.commands.check import _summary
from synthsight.plan import specs
from synthsight.plan.config import models as models_module
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.plan.order import of_features, of_model
from synthsight.plan.printed import printed
from synthsight.plan.programs import library_door, model_doors
from tests.plan.test_config import RESOLVED, error, errors, load, workplace_, write

__all__ = ["workplace_"]  # a fixture

pytestmark = pytest.mark.usefixtures("workplace_")

ALEXNET = "{model: torchvision/alexnet.IMAGENET1K_V1, name: alexnet, features: true}"
DINO = "timm/vit_small_patch14_dinov2.lvd142m"


@pytest.fixture(autouse=True, name="asked")
def asked_(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Answer for the libraries; the requests are noted."""
    requests: list[dict[str, Any]] = []

    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        requests.extend(asked)
        return [
            {"model": RESOLVED | ({"layers": ["head"], "length": 9} if wanted(each) else {})}
            for each in asked
        ]

    def wanted(request: dict[str, Any]) -> bool:
        return bool(request.get("features") or request.get("encoder"))

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    return requests


def of(*encoders: str, models: str = ALEXNET, **parts: str) -> Path:
    listed = "".join(f"\n  - {encoder}" for encoder in encoders)
    more = {"encoders": f"encoders:{listed}"} if encoders else {}
    return write(models=f"models:\n  - {models}", **more, **parts)


def test_features_are_asked_for_of_models_and_encoders(asked: list[dict[str, Any]]) -> None:
    experiment = load(of(DINO, "{model: torchvision/resnet18, name: sees}"))
    assert [each.get("features") for each in asked] == [True, None, None]
    assert [each.get("encoder") for each in asked] == [None, True, True]
    names = ["alexnet", "vit_small_patch14_dinov2.lvd142m", "sees"]
    assert list(experiment.loaded) == list(experiment.embedded) == names
    assert list(experiment.models) == list(experiment.networks) == ["alexnet"]
    files = Files(experiment)
    assert files.models == ["alexnet"] and len(files.weights) == 3 and len(files.logits) == 3
    assert files.featured.features[0] == "results/test/features/alexnet/pizza.parquet"
    assert len(files.featured.features) == 9 and {*files.featured.features} < {
        *files.targets["all"]
    }
    assert files.targets["features"] == files.featured.features
    assert files.geometries == [experiment.networks["alexnet"].geometry.name]
    assert of_model(experiment, "alexnet") > of_features(experiment, "alexnet")
    assert of_features(experiment, "alexnet") > of_model(experiment, "sees")
    assert library_door(experiment, "sees") in model_doors(experiment)
    assert DINO in printed(experiment)["encoders"]


def test_what_is_not_asked_for_leaves_every_spec_as_it_was() -> None:
    plain = load(of(models="{model: torchvision/alexnet.IMAGENET1K_V1, name: alexnet}"))
    asked = load(of())
    assert plain.embedded == {} and Files(plain).featured.features == []
    for function in (specs.classify, specs.fetch_weights, specs.score):
        assert function(plain, "alexnet") == function(asked, "alexnet")
    told = printed(plain)
    assert "encoders" not in told and "features" not in told["models"][0]
    assert printed(asked)["models"][0]["features"] is True


def test_features_depend_on_nothing_that_is_about_classes() -> None:
    first = load(of())
    Path("labels.txt").write_text("pizza\nhare\ntoilet seat\n")
    named = ALEXNET.replace("features", "labels: labels.txt, features")
    others = load(of(models=named, compile="compile: true"))
    assert specs.classify(first, "alexnet") != specs.classify(others, "alexnet")
    assert specs.embed(first, "alexnet") == specs.embed(others, "alexnet")
    precise = load(of(precision="precision: bf16"))
    assert specs.embed(first, "alexnet") != specs.embed(precise, "alexnet")
    assert specs.embed(first, "alexnet")["layers"] == ("head",)


def test_a_classifier_that_becomes_an_encoder_keeps_its_weights_and_features() -> None:
    sees = "{model: timm/a, name: sees, features: true}"
    before = load(of(models=f"{ALEXNET}\n  - {sees}"))
    after = load(of("{model: timm/a, name: sees}"))
    for function in (specs.fetch_weights, specs.embed):
        assert function(before, "sees") == function(after, "sees")
    assert "sees" in before.models and "sees" not in after.models
    assert Files(before).featured.features == Files(after).featured.features
    renamed = load(of("{model: timm/a, name: looks}"))
    assert specs.embed(renamed, "looks") != specs.embed(after, "sees")


def test_an_encoder_has_the_content_of_its_checkpoint_and_no_reference() -> None:
    Path("net.pth").write_bytes(b"weights")
    experiment: Experiment = load(of("{model: timm/a, name: own, checkpoint: net.pth}"))
    spec = specs.fetch_weights(experiment, "own")
    assert spec["content"] == hashlib.sha256(b"weights").hexdigest()
    assert (spec["name"], spec["reference"]) == ("own", None)
    assert Files(experiment).checkpoint_of("own") == ["net.pth"]


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("{model: timm/a, name: alexnet}", "the name 'alexnet' is also that of models[0]"),
        ("{model: timm/a, labels: x.txt}", "encoders[0].labels: unknown key; known keys:"),
        ("{model: timm/a, featurs: 1}", "unknown key"),
        ("{name: a}", "missing. timm/NAME (such as timm/vit_small_patch14_dinov2.lvd142m)"),
        ("{model: timm/a, checkpoint: none.pth}", "no file 'none.pth'"),
        ("{model: timm/a, checkpoint: ~/none.pth}", "'~/none.pth'"),
        ("{model: timm/a, mean: [124, 117, 104]}", "is for pixels in 0..1, and 124 is more than 1"),
        ("{model: transformers/x, checkpoint: none}", "no folder 'none'"),
    ],
)
def test_every_mistake_has_a_message(encoder: str, message: str) -> None:
    assert message in error(of(encoder))


def test_two_encoders_of_one_name_and_questions_models_are_told_apart() -> None:
    said = errors(of("{model: timm/a, name: b}", "timm/b"))
    assert any("the name 'b' is also that of encoders[0]" in line for line in said)


def test_predictions_have_no_features() -> None:
    Path("told.csv").write_text("image,label\npizza/a.png,pizza\n", encoding="utf-8")
    told = "{name: told, predictions: told.csv, features: true}"
    assert "features" in error(of(models=told)) and "no network is run" in error(of(models=told))


def test_what_a_library_says_of_an_encoder_is_said_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        return [
            {"error": "has no features"} if "encoder" in a else {"model": RESOLVED} for a in asked
        ]

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    assert "encoders[0]" in error(of(DINO)) and f"{DINO}: has no features" in error(of(DINO))


def test_a_check_says_whose_features_are_kept() -> None:
    said = _summary("config.yaml", {"run": "test"}, load(of(f"{{model: {DINO}, name: sees}}")))
    (line,) = (line for line in said if line.startswith("  features"))
    assert "alexnet" in line and "sees" in line
    plain = load(of(models="{model: torchvision/alexnet.IMAGENET1K_V1, name: alexnet}"))
    said = _summary("config.yaml", {"run": "test"}, plain)
    assert not [line for line in said if line.startswith("  features")]
