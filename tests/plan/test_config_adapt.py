"""``adapt``: which models are made of which, and what is wrong with how it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synthsight.commands.check import _summary
from synthsight.labels.spaces import load_labels
from synthsight.plan import learning, specs
from synthsight.plan.config import models as models_module
from synthsight.plan.experiment import Experiment
from synthsight.plan.exports import of_run
from synthsight.plan.files import Files
from synthsight.plan.printed import printed
from synthsight.plan.programs import workers
from tests.plan.test_config import RESOLVED, error, errors, images, load, workplace_, write

__all__ = ["workplace_"]  # a fixture

pytestmark = pytest.mark.usefixtures("workplace_")

ALEXNET = "{model: torchvision/alexnet.IMAGENET1K_V1, name: alexnet}"
SEES = "encoders: [{model: timm/vit, name: sees}]"


@pytest.fixture(autouse=True, name="asked")
def asked_(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Answer for the libraries; the requests are noted."""
    requests: list[dict[str, Any]] = []

    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        requests.extend(asked)
        wanted = [bool(each.get("features") or each.get("encoder")) for each in asked]
        return [
            {"model": RESOLVED | ({"layers": ["head"], "length": 9} if each else {})}
            for each in wanted
        ]

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    return requests


def of(*entries: str, models: str = ALEXNET, **parts: str) -> Path:
    listed = "".join(f"\n  - {entry}" for entry in entries)
    return write(models=f"models:\n  - {models}", adapt=f"adapt:{listed}", **parts)


def files_of(experiment: Experiment) -> Files:
    return Files(experiment)


def test_an_adapted_model_is_one_more_model_whose_classes_are_the_categories() -> None:
    experiment = load(of("{model: alexnet}", "{model: alexnet, method: finetune, folds: 2}"))
    names = ["alexnet", "alexnet+linear", "alexnet+finetune"]
    assert list(experiment.models) == names and list(experiment.networks) == ["alexnet"]
    about = experiment.adapted["alexnet+linear"]
    assert about.classes == ("pizza", "rabbit", "toilet_seat")
    assert load_labels(about.labels).simple == ("pizza", "rabbit", "toilet seat")
    files = files_of(experiment)
    assert (
        files.logits_of("alexnet+linear")[0] == "results/test/logits/alexnet+linear/pizza.parquet"
    )
    assert files.note_of("alexnet+linear") == "results/test/adapted/alexnet+linear.json"
    assert len(files.weights) == 1, "it has no weights of its own among the fetched ones"
    assert "tables/adaptation.csv" in " ".join(files.tables)
    assert any("compare with models of other classes" in each for each in experiment.warnings)


def test_a_linear_layer_has_its_features_embedded_and_fine_tuning_asks_for_none(
    asked: list[dict[str, Any]],
) -> None:
    assert list(load(of("{model: alexnet}")).embedded) == ["alexnet"]
    tuned = load(of("{model: alexnet, method: finetune}"))
    assert [each["features"] for each in asked] == [True, True], "its layer must be known"
    assert tuned.embedded == {} and tuned.adapted["alexnet+finetune"].head.layers == ("head",)
    assert load(of("{model: alexnet}", transfer="transfer: {models: [alexnet]}")).embedded


def test_an_encoder_can_be_given_classes_in_either_way() -> None:
    experiment = load(of("{model: sees}", "{model: sees, method: finetune}", encoders=SEES))
    assert all(each.is_encoder for each in experiment.adapted.values())
    assert learning.join_folds(experiment, "sees+finetune")["encoder"] is True
    assert "sees+linear" in files_of(experiment).models


def test_what_is_not_about_training_is_not_in_its_spec() -> None:
    """Else all would be trained again if categories accept other classes."""
    entry = "{model: alexnet, method: finetune}"
    before = load(of(entry))
    Path("resources/categories.yaml").write_text(
        "rabbit:\n  also: [hare]\n  classes: {n02325366: it is one}\n"
    )
    after = load(of(entry, matching="matching: {rules: [classes, restricted], primary: classes}"))
    name = "alexnet+finetune"
    assert learning.finetune(before, name, "0") == learning.finetune(after, name, "0")
    assert learning.join_folds(before, name) != learning.join_folds(after, name)
    assert specs.score(before, name) != specs.score(after, name)


def test_a_plain_run_is_as_it_was() -> None:
    plain = load(write(models=f"models: [{ALEXNET}]"))
    adapted = load(of("{model: alexnet}"))
    for function in (specs.classify, specs.fetch_weights, specs.score):
        assert function(plain, "alexnet") == function(adapted, "alexnet")
    assert "adapt" not in printed(plain)
    (told,) = printed(adapted)["adapt"]
    assert told["method"] == "linear" and "epochs" not in told
    scripts = Path(__file__).parents[2] / "workflow" / "scripts"
    for experiment, trains in (
        (adapted, False),
        (load(of("{model: alexnet, method: finetune}")), True),
    ):
        programs = [path.stem for path in workers(experiment, scripts)["models"].programs]
        assert ("finetune" in programs) == trains


def test_pixels_that_are_not_kept_are_each_network_s_own() -> None:
    entry = "{model: alexnet, method: finetune, folds: 2}"
    featured = files_of(load(of(entry))).featured
    shared = featured.pixels_to_train("alexnet+finetune", "0")
    assert shared == featured.pixels_to_train("alexnet+finetune", "1")
    featured = files_of(load(of(entry, keep_pixels="keep_pixels: false"))).featured
    one, other = (featured.pixels_to_train("alexnet+finetune", fold) for fold in "01")
    assert not {*one} & {*other} and all("-of-.0-alexnet+finetune/" in path for path in one)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{model: alexnett}", "no model or encoder is called 'alexnett'; did you mean 'alexnet'?"),
        ("{model: alexnet, name: alexnet}", "the name 'alexnet' is also that of models[0]"),
        ("{model: alexnet, name: a/b}", "contains a slash"),
        ("{model: alexnet, epochs: 3}", "adapt[0].epochs: is of `method: finetune`"),
        ("{model: alexnet, method: linear, batch_size: 3}", "adapt[0].batch_size: is of"),
        ("{model: alexnet, method: lora}", "write one of linear, finetune"),
        ("{model: alexnet, sources: real}", "no photographs to train on: name them in"),
        ("{model: alexnet, sources: generate}", "did you mean 'generated'?"),
        ("{model: alexnet, sources: [dall]}", "no generator is called 'dall'"),
        ("{model: alexnet, folds: 1}", "1 is less than the minimum of 2"),
        ("{method: finetune}", "missing. The name of a model below `models`"),
    ],
)
def test_every_mistake_has_a_message(entry: str, message: str) -> None:
    assert message in error(of(entry))


def test_predictions_cannot_be_adapted() -> None:
    Path("told.csv").write_text("image,label\npizza/a.png,pizza\n", encoding="utf-8")
    said = error(of("{model: told}", models="{name: told, predictions: told.csv}"))
    assert "'told' has predictions made elsewhere: no network could be trained" in said


def test_the_rule_that_compares_has_to_be_computed() -> None:
    rules = "matching: {rules: [words/simple, classes], primary: classes}"
    said = error(of("{model: alexnet}", matching=rules))
    assert "write `rules: [words/simple, classes, restricted]`" in said


def test_two_adapted_models_need_two_names() -> None:
    said = errors(of("{model: alexnet}", "{model: alexnet, sources: all}"))
    assert any("'alexnet+linear' is also that of adapt[0]" in line for line in said)


def test_sources_have_every_category() -> None:
    images("dream/pizza/a.png", "dream/rabbit/a.png", "photo/pizza/a.png", root="more")
    config = "images: {root: more, real: photo}"
    said = error(of("{model: alexnet, sources: real}", images=config))
    assert "there is no image of 'rabbit' to train on" in said
    assert "write [dream]" in error(of("{model: alexnet, sources: dream}", images=config))
    found = load(of("{model: alexnet, sources: [photo, dream]}", images=config))
    assert found.adapted["alexnet+linear"].sources == ("dream", "photo")


def test_one_category_is_nothing_to_tell_apart() -> None:
    said = error(of("{model: alexnet}", categories="categories: [pizza]"))
    assert "trained to tell categories apart, and there is 1" in said


def test_a_check_says_what_is_made_of_what() -> None:
    said = _summary("config.yaml", {"run": "test"}, load(of("{model: alexnet}")))
    assert any("alexnet+linear from alexnet" in line for line in said)


def test_a_network_whose_layer_cannot_be_found_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        return [{"error": "has no features: it ends otherwise"} for _ in asked]

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    assert "has no features" in error(of("{model: alexnet, method: finetune}"))


def test_categories_that_the_base_has_no_class_of_are_in_the_spec_of_the_gain() -> None:
    """Else its gain would hold them without a word."""
    assert learning.adaptation(load(of("{model: alexnet}"))) == {"level": 0.95}
    Path("resources/categories.yaml").write_text("rabbit:\n  classes: {}\n")
    experiment = load(of("{model: alexnet}", "{model: sees}", encoders=SEES))
    wanted = {"level": 0.95, "unnamed": {"alexnet": ["rabbit"]}}
    assert learning.adaptation(experiment) == wanted


def test_what_counts_over_all_models_knows_which_are_trained_on_the_images() -> None:
    plain, trained = load(write(models=f"models: [{ALEXNET}]")), load(of("{model: alexnet}"))
    for function in (
        *(specs.adapted, specs.rule_and_adapted, specs.rule_level_and_adapted),
        *(specs.level_and_adapted, specs.ranked, specs.people, of_run),
    ):
        assert function(trained) == {**function(plain), "adapted": ["alexnet+linear"]}
        assert "adapted" not in function(plain), "a run without such models is as it was"
