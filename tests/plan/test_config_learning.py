"""``transfer``, ``distances`` and ``map``: what is asked for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import learning, specs
from synthsight.plan.config.learning import check_learning
from synthsight.plan.config.messages import Problem
from synthsight.plan.files import Files
from synthsight.plan.printed import printed
from synthsight.plan.settings import DistanceSettings, MapSettings, TransferSettings
from tests.plan.test_config import error, errors, images, load, workplace_, write
from tests.plan.test_config_encoders import ALEXNET, asked_

__all__ = ["asked_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("workplace_", "asked")

PLAIN = ALEXNET.replace(", features: true", "")
SEES = "{model: timm/a, name: sees}"

#: Folders of a generator and of photographs, with two categories.
OWN = "images: {root: own, real: photos}"

WITHOUT_PHOTOGRAPHS = (
    "transfer: without photographs (images.real), nothing says how well a classifier trained on "
    "real images would do"
)


@pytest.fixture(autouse=True)
def own_(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("workplace_")  # which goes into a folder of its own
    images(*(f"{g}/{c}/a.png" for g in ("muse", "photos") for c in ("pizza", "kite")), root="own")


def of(
    about: str = "", models: str = ALEXNET, encoders: tuple[str, ...] = (), root: str = OWN
) -> Path:
    """A configuration with these keys, classifiers and encoders."""
    listed = "".join(f"\n  - {encoder}" for encoder in encoders)
    more = {"encoders": f"encoders:{listed}"} if encoders else {}
    return write(models=f"models:\n  - {models}", images=root, about=about, **more)


def test_without_the_keys_nothing_is_learned_said_or_printed() -> None:
    for text in ("", "transfer: null\ndistances: null\nmap: null"):
        found = load(of(text))
        settings = found.settings
        assert (settings.transfer, settings.distances, settings.map) == (None, None, None)
        assert settings.adapt == () and found.warnings == ()
        files = Files(found)
        assert files.featured.heads == files.featured.distances == files.featured.maps == []
        assert {"transfer", "distances", "map", "adapt"}.isdisjoint(printed(found))
        assert not [f for f in files.targets["all"] if "transfer" in f or "distances" in f]


def test_empty_mappings_are_every_default() -> None:
    found = load(of("transfer: {}\ndistances: {}\nmap: {}", encoders=(SEES,)))
    assert found.settings.transfer == TransferSettings(
        models=None, per_category=(5, 10, 20, 50, "max"), folds=5, resamples=100, export=False
    )
    assert found.settings.distances == DistanceSettings(
        models=None, nearest=5, halves=10, permutations=199
    )
    assert found.settings.map == MapSettings(models=None, perplexity=30, images=20000)
    assert found.warnings == ()
    files = Files(found).featured
    for key in ("transfer", "distances", "map"):
        assert files.models_of(key) == ["alexnet", "sees"]
    assert files.heads == [f"results/test/heads/{m}/pairs.parquet" for m in ("alexnet", "sees")]
    assert files.distances == [f"results/test/distances/{m}.parquet" for m in ("alexnet", "sees")]
    assert files.maps == [f"results/test/maps/{m}.parquet" for m in ("alexnet", "sees")]
    assert printed(found)["transfer"]["folds"] == 5


def test_the_models_that_are_named_and_no_others_are_learned_from() -> None:
    about = "transfer: {models: [sees]}\ndistances: {models: [sees, alexnet]}\nmap: {}"
    files = Files(load(of(about, encoders=(SEES,)))).featured
    assert files.models_of("transfer") == ["sees"]
    assert files.models_of("distances") == files.models_of("map") == ["alexnet", "sees"]


def test_what_is_learned_leaves_every_other_spec_as_it_was() -> None:
    plain = load(of(encoders=(SEES,)))
    learned = load(of("transfer: {}\ndistances: {}\nmap: {}", encoders=(SEES,)))
    for name in ("alexnet", "sees"):
        for function in (specs.fetch_weights, specs.embed):
            assert function(plain, name) == function(learned, name)
    assert specs.classify(plain, "alexnet") == specs.classify(learned, "alexnet")
    assert specs.score(plain, "alexnet") == specs.score(learned, "alexnet")
    assert specs.find_sources(plain) == specs.find_sources(learned)
    assert specs.find_duplicates(plain) == specs.find_duplicates(learned)


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("transfer: {folds: 4}", {"train_heads"}),
        ("transfer: {resamples: 20}", {"train_heads"}),
        ("transfer: {per_category: [3]}", {"train_heads"}),
        ("transfer: {export: true}", set[str]()),
        ("transfer: {models: [alexnet]}", set[str]()),
        ("transfer: {per_category: [max, 50, 20, 10, 5]}", set[str]()),
        ("distances: {nearest: 3}", {"measure_distances"}),
        ("distances: {halves: 2}", {"measure_distances"}),
        ("distances: {permutations: 99}", {"measure_distances"}),
        ("map: {perplexity: 10}", {"map_images"}),
        ("map: {images: 500}", {"map_images"}),
        ("intervals: {seed: 3}", {"train_heads", "measure_distances", "map_images"}),
        ("intervals: {level: 0.9}", {"train_heads", "measure_distances"}),
        ("intervals: {resamples: 400}", set[str]()),
    ],
)
def test_a_setting_is_in_the_specs_of_what_depends_on_it(setting: str, rules: set[str]) -> None:
    about = {"transfer": "transfer: {}", "distances": "distances: {}", "map": "map: {}"}
    functions = (learning.train_heads, learning.measure_distances, learning.map_images)

    def found(changed: Mapping[str, str]) -> list[Any]:
        experiment = load(of("\n".join(changed.values())))
        return [function(experiment, "alexnet") for function in functions]

    key = setting.partition(":")[0]
    pairs = zip(functions, found(about), found({**about, key: setting}), strict=True)
    assert {function.__name__ for function, one, other in pairs if one != other} == rules


@pytest.mark.parametrize("key", ["transfer", "distances", "map"])
@pytest.mark.parametrize(
    ("names", "models", "place", "message"),
    [
        ("[alexnet, alexnet]", ALEXNET, ".models[1]", "'alexnet' is listed twice"),
        (
            "[alexnet]",
            PLAIN,
            ".models[0]",
            "no features of 'alexnet' are kept: write `features: true` there",
        ),
        (
            "[alexnot]",
            ALEXNET,
            ".models[0]",
            "no model or encoder 'alexnot' has features; did you mean 'alexnet'?",
        ),
        (
            "[other]",
            ALEXNET,
            ".models[0]",
            "no model or encoder 'other' has features; there are alexnet",
        ),
        (
            "[other]",
            PLAIN,
            ".models[0]",
            "no model or encoder 'other' has features; there are none",
        ),
        (
            None,
            PLAIN,
            "",
            "no model has features: write `features: true` below one of `models`, or name "
            "`encoders`",
        ),
    ],
)
def test_models_must_have_features(
    key: str, names: str | None, models: str, place: str, message: str
) -> None:
    about = f"{key}: {{}}" if names is None else f"{key}: {{models: {names}}}"
    said = error(of(about, models=models))
    assert said.endswith(f", {key}{place}: {message}")


@pytest.mark.parametrize("key", ["transfer", "distances", "map"])
def test_predictions_made_elsewhere_have_no_features(key: str) -> None:
    """Nor is their reader told to write what would be refused."""
    Path("told.csv").write_text(
        "image,label\n" + "".join(f"{g}/{c}/a.png,{c}\n" for g, c in PLACES), encoding="utf-8"
    )
    told = f"{ALEXNET}\n  - {{name: told, predictions: told.csv}}"
    said = error(of(f"{key}: {{models: [told]}}", models=told))
    assert said.endswith(": 'told' has no features: its predictions were made elsewhere")


PLACES = [(g, c) for g in ("muse", "photos") for c in ("pizza", "kite")]


def test_distances_are_from_photographs() -> None:
    said = error(of("distances: {}", root="images: {root: own}"))
    assert said.endswith(
        ", distances: measures how far images are from photographs: name these in `images.real`"
    )


def test_distances_in_one_model_s_features_are_remarked_on() -> None:
    message = (
        "distances: in the features of one model alone. Which generator is nearest depends on the "
        "features: add a model that was trained otherwise, such as "
        "timm/vit_small_patch14_dinov2.lvd142m below `encoders`"
    )
    assert load(of("distances: {}")).warnings == (message,)
    named = of("distances: {models: [sees]}", encoders=(SEES,))
    assert load(named).warnings == (message,)
    assert load(of("distances: {}", encoders=(SEES,))).warnings == ()


def test_a_size_that_is_listed_twice_is_an_error_for_each_time() -> None:
    said = errors(of("transfer: {per_category: [5, max, 5, max]}"))
    assert [line.partition("transfer")[2] for line in said] == [
        ".per_category[2]: 5 is listed twice",
        ".per_category[3]: max is listed twice",
    ]


def test_one_category_cannot_be_told_from_others() -> None:
    about = "transfer: {}\ncategories: [pizza]"
    said = error(of(about))
    assert said.endswith(
        ", transfer: classifiers are trained to tell categories apart, and there is 1"
    )
    assert load(of("map: {}\ncategories: [pizza]")).warnings == ()


def test_transfer_without_photographs_is_remarked_on() -> None:
    notes = load(of("transfer: {}", root="images: {root: images}")).warnings
    assert notes == (WITHOUT_PHOTOGRAPHS,)
    assert load(of("transfer: {}")).warnings == ()


def test_images_that_are_yet_to_be_unpacked_are_not_asked_about() -> None:
    settings = load(of("transfer: {}")).settings
    settings = replace(settings, distances=DistanceSettings(("other",), 5, 10, 199))
    problems: list[Problem] = []
    warnings: list[str] = []
    check_learning(settings, {}, (), True, problems, warnings)
    assert [(each.key, each.message.partition(";")[0]) for each in problems] == [
        (("distances", "models", 0), "no model or encoder 'other' has features")
    ]
    assert warnings == []


@pytest.mark.parametrize(
    "about",
    [
        "transfer: {per_category: [0]}",
        "transfer: {per_category: [most]}",
        "transfer: {per_category: []}",
        "transfer: {models: []}",
        "transfer: {folds: 1}",
        "transfer: {folds: 21}",
        "transfer: {resamples: 19}",
        "transfer: {fold: 5}",
        "transfer: true",
        "distances: {nearest: 0}",
        "distances: {halves: 0}",
        "distances: {permutations: 18}",
        "map: {perplexity: 1}",
        "map: {images: 99}",
        "adapt: {}",
    ],
)
def test_what_the_schema_does_not_allow_is_said_with_its_key(about: str) -> None:
    key, _, rest = about.partition(": ")
    inner = rest.strip("{}").partition(":")[0]
    place = f", {key}{'.' + inner if ':' in rest else ''}"
    assert place in error(of(about, encoders=(SEES,)))
