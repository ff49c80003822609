"""Every mistake ends before any job, in a message with file, line, key, finding and remedy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from synthsight.images.geometry import Geometry
from synthsight.images.layout import find_categories
from synthsight.images.manifest import find_files
from synthsight.images.table import COLUMNS
from synthsight.images.tree import are_origins, are_parts
from synthsight.labels.definitions import Definition, read_definitions
from synthsight.labels.matching import admit_rules
from synthsight.plan.config import models as models_module
from synthsight.plan.config.definitions import Definitions, _nearest
from synthsight.plan.config.messages import ConfigError
from synthsight.plan.config.models import resolve_cached
from synthsight.plan.config.schema import fill_defaults
from synthsight.plan.experiment import Experiment, load_experiment
from synthsight.plan.settings import (
    ImageColumnSettings,
    ImageSettings,
    IntervalSettings,
    MatchingSettings,
    ReferenceSettings,
)
from tests.support import draw_image

REPOSITORY = Path(__file__).parents[2]
SCHEMA = admit_rules(
    yaml.safe_load(
        (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
    )
)

RESOLVED = {
    "architecture": {"library": "torchvision", "name": "alexnet", "weights": "IMAGENET1K_V1"},
    "geometry": {"resize": 256, "crop": [224, 224], "interpolation": "bilinear"},
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def workplace_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder like the repository's, with images (by their names) of three categories."""
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "rabbit/a.JPG", "toilet_seat/a.webp")
    Path("resources").mkdir()
    Path("resources/categories.yaml").write_text("rabbit:\n  also: [hare]\n")


@pytest.fixture(name="answered")
def answered_(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Answer for the libraries, which cost seconds to ask; the requests are noted."""
    requests: list[dict[str, Any]] = []

    def answer(asked: Sequence[dict[str, Any]], *_: object) -> list[dict[str, Any]]:
        requests.extend(asked)
        return [
            {"model": {**RESOLVED, "architecture": {"library": "timm", "name": each["model"]}}}
            for each in asked
        ]

    monkeypatch.setattr(models_module, "resolve_cached", answer)
    return requests


def images(*names: str, root: str = "images") -> None:
    for name in names:
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked into")


BASE = {
    "run": "run: test",
    "images": "images: {root: images}",
    "models": "models:\n  - torchvision/alexnet.IMAGENET1K_V1",
}


def write(name: str = "config.yaml", **parts: str) -> Path:
    """A sound configuration but for the parts given, a YAML text each; "" leaves one out."""
    path = Path(name)
    path.write_text("\n".join(text for text in (BASE | parts).values() if text) + "\n")
    return path


def load(*files: Path) -> Experiment:
    config: dict[str, Any] = {}
    for file in files:
        merge(config, yaml.safe_load(file.read_text()))
    return load_experiment(config, SCHEMA, files, Path("cache"))


def merge(config: dict[str, Any], update: dict[str, Any]) -> None:
    """As Snakemake merges several configuration files."""
    for key, value in update.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value


def errors(*files: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(*files)
    title, *lines = str(caught.value).splitlines()
    count = "an error" if len(lines) == 1 else f"{len(lines)} errors"
    assert title == f"The configuration has {count}."
    return [line.removeprefix("  ") for line in lines]


def error(*files: Path) -> str:
    (line,) = errors(*files)
    return line


# --- A sound configuration --------------------------------------------------------------------


def test_a_sound_configuration_becomes_an_experiment(answered: list[dict[str, Any]]) -> None:
    model = "{model: timm/resnet50.a1_in1k, name: r50, reference: {top1: .8, top5: .9, source: me}}"
    found = load(write(models=f"models:\n  - torchvision/alexnet.IMAGENET1K_V1\n  - {model}"))
    assert list(found.models) == ["alexnet.IMAGENET1K_V1", "r50"]
    assert found.models["r50"].reference == ReferenceSettings(0.8, 0.9, "me")
    assert found.models["r50"].geometry == Geometry(256, (224, 224), "bilinear")
    assert found.models["r50"].mean == (0.485, 0.456, 0.406)
    assert found.models["r50"].std == (0.229, 0.224, 0.225)
    assert found.models["r50"].labels == "imagenet-1k"
    assert list(found.categories) == ["pizza", "rabbit", "toilet_seat"]
    assert found.categories["rabbit"].target.also == ("hare",)
    assert found.categories["pizza"].target.also == ()
    assert found.warnings == ()
    assert [request["classes"] for request in answered] == [1000, 1000]


@pytest.mark.usefixtures("answered")
def test_defaults_are_filled_in_where_keys_are_left_out() -> None:
    settings = load(write(matching="matching: {rules: [words/simple]}")).settings
    columns = ImageColumnSettings(*COLUMNS)
    assert settings.images == ImageSettings(
        *("images", 100_000_000, 50_000, None, None, columns, None, None, None, "keep", None, None)
    )
    assert settings.matching == MatchingSettings(("words/simple",), "words/simple", "max")
    assert settings.intervals == IntervalSettings(0.95, 10000, 0)
    assert settings.preprocess == "model"
    assert settings.batch_size == 64
    assert settings.categories is None


def test_filling_in_changes_neither_the_configuration_nor_the_schema() -> None:
    config = {"models": [{"model": "timm/a"}], "matching": {}}
    before = json.dumps([config, SCHEMA])
    filled = fill_defaults(config, SCHEMA)
    filled["matching"]["rules"].append("x")
    filled["models"][0]["arguments"]["x"] = 1
    assert json.dumps([config, SCHEMA]) == before


def test_the_files_of_the_repository_satisfy_the_schema() -> None:
    files = [REPOSITORY / "config.yaml", *(REPOSITORY / "config").glob("*.yaml")]
    found = [file for file in files if file.is_file()]
    assert found
    for file in found:
        jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), SCHEMA)


# --- The schema -------------------------------------------------------------------------------


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from properties(inner, f"{path}{name}.")
        yield from properties(inner.get("items", {}), f"{path}{name}[].")


def test_every_key_has_a_description() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = dict(properties(SCHEMA))
    assert len(found) > 25
    assert [key for key, inner in found.items() if len(inner.get("description", "")) < 15] == []


def test_every_key_is_required_or_has_a_default_and_no_other_is_taken() -> None:
    def check(schema: dict[str, Any], path: str) -> None:
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path
        for name, inner in schema.get("properties", {}).items():
            assert (name in schema.get("required", [])) != ("default" in inner), f"{path}{name}"
            check(inner, f"{path}{name}.")
            check(inner.get("items", {}), f"{path}{name}[].")

    check(SCHEMA, "")


def test_every_default_satisfies_the_schema() -> None:
    for key, inner in properties(SCHEMA):
        if "default" in inner:
            errors = list(jsonschema.Draft202012Validator(inner).iter_errors(inner["default"]))
            assert errors == [], key


def test_every_key_is_read_by_something() -> None:
    sources = [*REPOSITORY.glob("src/synthsight/**/*.py"), *REPOSITORY.glob("rules/*.smk")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unread = []
    for key, _ in properties(SCHEMA):
        name = key.split(".")[-1]
        # As an attribute of the settings, or by its name where a whole section is handed on.
        attribute = rf"\.{name}\b" if not key.startswith("intervals.") else rf"\b{name}: "
        if not re.search(rf"{attribute}|[\"']{name}[\"']", text):
            unread.append(key)
    assert unread == []


# --- Keys and values --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # Unknown keys
        ({"x": "catgories: [pizza]"},
         "config.yaml, line 5, catgories: unknown key; did you mean 'categories'?"),
        ({"x": "zzzzz: 1"}, "config.yaml, line 5, zzzzz: unknown key; known keys: run, images,"),
        ({"images": "images:\n  root: images\n  max_pixel: 9"},
         "config.yaml, line 4, images.max_pixel: unknown key; did you mean 'max_pixels'?"),
        ({"models": "models:\n  - {model: timm/a, checkpont: a.pth}"},
         "config.yaml, line 4, models[0].checkpont: unknown key; did you mean 'checkpoint'?"),
        ({"x": "intervals:\n  levle: 0.9"}, "line 6, intervals.levle: unknown key; did you mean"),
        # Missing keys
        ({"run": ""}, "run: missing. Name of the run"),
        ({"models": ""}, "models: missing. The classifiers."),
        ({"images": "images: {max_pixels: 9}"},
         "config.yaml, line 2, images.root: missing. Folder of the images"),
        ({"models": "models:\n  - timm/a\n  - name: b"},
         "config.yaml, line 5, models[1].model: missing. timm/NAME"),
        # Types
        ({"run": "run: 2024"}, "config.yaml, line 1, run: found 2024; write text (in quotes"),
        ({"images": "images: pictures"}, 'images: found "pictures"; write a mapping. Where the'),
        ({"models": "models: timm/a"}, 'models: found "timm/a"; write a list. The classifiers.'),
        ({"models": "models: []"}, "config.yaml, line 3, models: found []. The classifiers."),
        ({"models": "models: [7]"}, "models[0]: found 7; write text"),
        ({"x": "matching: null"}, "matching: found null; write a mapping. What counts as a hit"),
        ({"x": "categories: [1]"}, "line 5, categories[0]: found 1; write text"),
        ({"x": "categories: pizza"}, 'categories: found "pizza"; write a list or null. The cat'),
        ({"x": "categories: []"}, "line 5, categories: found []."),
        ({"x": "batch_size: 64.0"}, "batch_size: found 64.0; write a whole number. Initial"),
        ({"x": "batch_size: true"}, "batch_size: found true; write a whole number."),
        ({"models": "models: [{model: timm/a, resize: 256.0}]"}, "[0].resize: found 256.0; write"),
        ({"models": "models: [{model: timm/a, crop: true}]"}, "models[0].crop: found true. Side"),
        # Values
        ({"run": 'run: ""'}, 'run: found "". Name of the run'),
        ({"run": "run: ../x"}, 'run: found "../x". Name of the run'),
        ({"run": "run: a/b"}, 'run: found "a/b". Name of the run'),
        ({"run": f"run: {'r' * 121}"}, f'run: found "{"r" * 121}". Name of the run'),
        ({"run": 'run: "{a}"'}, 'run: found "{a}". Name of the run'),
        ({"run": 'run: "a\\n"'}, 'run: found "a\\n". Name of the run'),
        ({"x": "batch_size: 0"}, "batch_size: found 0; 0 is less than the minimum of 1. Initial"),
        ({"x": "preprocess: papers"}, "write one of model, paper; did you mean 'paper'?"),
        ({"x": "matching: {rules: [words]}"}, "matching.rules[0]: found \"words\"; write one of"),
        ({"x": "matching: {rules: [words/simple, words/simple]}"}, "matching.rules: found"),
        ({"x": "matching: {rules: [words/lemmas]}"},
         "matching.primary: 'words/simple' is not among `rules` (words/lemmas)"),
        ({"x": "intervals: {level: 95}"}, "intervals.level: found 95; 95 is greater than or equal"),
        ({"x": "intervals: {level: 0.05}"}, "intervals.level: found 0.05; 0.05 is less than"),
        ({"x": "intervals: {level: .nan}"}, "intervals.level: found NaN; write a number."),
        ({"x": "intervals: {seed: -1}"}, "intervals.seed: found -1; -1 is less than the minimum"),
        ({"models": "models: [{model: timm/a, std: [1, 0, 1]}]"}, "models[0].std[1]: found 0;"),
        ({"models": "models: [{model: timm/a, mean: [1, 1]}]"}, "found [1, 1]; write 3 values. M"),
        ({"models": "models: [{model: timm/a, mean: [.inf, 0, 0]}]"}, "mean[0]: found Infinity; w"),
        ({"models": "models: [{model: timm/a, crop: [1, 2, 3]}]"}, "3]; write 2 values. Side"),
        ({"models": "models: [{model: timm/a, interpolation: cubic}]"},
         "write one of nearest, box, bilinear, hamming, bicubic, lanczos; did you mean 'bicubic'?"),
        ({"models": "models: [{model: timm/a, arguments: {x: .nan}}]"},
         "models[0].arguments: may hold only text, finite numbers"),
        ({"models": "models: [{model: timm/a, arguments: {x: 2020-01-01}}]"},
         "models[0].arguments: may hold only text, finite numbers"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("answered")
def test_a_key_or_value_that_is_wrong_is_named(parts: dict[str, str], expected: str) -> None:
    assert expected in error(write(**parts))


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("crop", ["false", "200", "[200, 100]", "null"])
def test_a_crop_may_be_a_number_a_pair_or_none(crop: str) -> None:
    assert load(write(models=f"models: [{{model: timm/a, crop: {crop}}}]"))


def test_all_that_is_wrong_is_shown_at_once() -> None:
    parts = {
        "run": "run: a/b",
        "models": "models: [{model: timm/a, mena: 1}, {model: timm/b, std: 3}]",
        "x": "batch_size: 0\npreprocess: none",
    }
    found = errors(write(**parts))
    assert len(found) == 5
    for key in ("run", "models[0].mena", "models[1].std", "batch_size", "preprocess"):
        assert sum(f", {key}: " in line for line in found) == 1


def test_all_that_is_not_there_is_shown_at_once() -> None:
    images("zyzzyva/a.png")
    parts = {
        "images": "images: {root: images}\ncategory_definitions: no.yaml",
        "models": "models: [timm/a, {model: timm/a, labels: no.txt}]",
        "x": "categories: [pizza, zyzzyva, piza]",
    }
    found = "\n".join(errors(write(**parts)))
    for part in (
        "no file 'no.yaml'",
        "no label file 'no.txt'",
        "no folder 'piza'",
        "'zyzzyva' can",
    ):
        assert part in found
    assert "models[1]: the name 'a' is also that of models[0]" in found


# --- Several files ----------------------------------------------------------------------------


def test_a_minimum_is_stated_once() -> None:
    found = errors(write(models="models: [{model: timm/a, std: [0]}]"))
    assert [line.partition(": ")[2] for line in found] == [
        "found [0]; write 3 values. Standard deviation that each channel is divided by, for pixels "
        "in 0..1. If left out, as published.",
        "found 0; 0 is less than or equal to the minimum of 0",
    ]


def test_what_the_command_line_sets_is_not_looked_for_in_files() -> None:
    file = write(x="precision: fp32\nintervals:\n  seed: -1")
    given = {"precision": "fp31", "intervals": {"level": 7}, "models": ["timm/" + "a" * 99, 3]}
    config = yaml.safe_load(file.read_text())
    merge(config, given)
    with pytest.raises(ConfigError) as caught:
        load_experiment(config, SCHEMA, [file, given], Path("cache"))
    found = str(caught.value).splitlines()[1:]
    assert [line.strip().partition(": found")[0] for line in found] == [
        '--config intervals={"level": 7}, intervals.level',
        "config.yaml, line 7, intervals.seed",
        f'--config models=["timm/{"a" * 53}..., models[1]',
        "--config precision=fp31",
        f'--config models=["timm/{"a" * 53}..., models[0]: timm/{"a" * 99}: timm has no model '
        f"{'a' * 99!r}",
    ]
    given = {"intervals": {"level": "0.9"}}  # so Snakemake reads --config intervals={level: 0.9}
    merge(config := yaml.safe_load(file.read_text()), given)
    with pytest.raises(ConfigError, match=r"level \(numbers need a file, by --configfile\): found"):
        load_experiment(config, SCHEMA, [given], Path("cache"))


@pytest.mark.usefixtures("answered")
def test_the_line_is_that_of_the_file_whose_value_counts() -> None:
    first = write("first.yaml", x="batch_size: 0")
    second = Path("second.yaml")
    second.write_text("run: second\n")
    assert error(first, second).startswith("first.yaml, line 5, batch_size: found 0")
    second.write_text("# a comment\nbatch_size: -1\n")
    assert error(first, second).startswith("second.yaml, line 2, batch_size: found -1")


@pytest.mark.usefixtures("answered")
def test_a_mapping_in_a_later_file_does_not_hide_the_line_in_an_earlier_one() -> None:
    first = write("first.yaml", images="images:\n  root: images\n  max_pixels: 0")
    second = Path("second.yaml")
    second.write_text("images:\n  root: images\n")
    assert error(first, second).startswith("first.yaml, line 4, images.max_pixels: found 0")


@pytest.mark.usefixtures("answered")
def test_a_list_in_a_later_file_replaces_that_of_an_earlier_one() -> None:
    first = write("first.yaml", models="models: [timm/a, {model: timm/b}]")
    second = Path("second.yaml")
    second.write_text("models:\n  - timm/a\n  - name: b\n")
    assert error(first, second).startswith("second.yaml, line 3, models[1].model: missing")


@pytest.mark.usefixtures("answered")
def test_of_a_key_given_twice_the_last_counts() -> None:
    found = error(write(x="batch_size: -1\nbatch_size: 0"))
    assert found.startswith("config.yaml, line 6, batch_size: found 0")


# --- Images and categories --------------------------------------------------------------------


@pytest.mark.usefixtures("answered")
def test_a_missing_root_is_named_with_what_to_do() -> None:
    found = error(write(images="images:\n  root: pictures"))
    assert found.startswith(
        "config.yaml, line 3, images.root: no folder 'pictures' (relative paths "
    )
    assert "pictures/<generator>/<category>/" in found


@pytest.mark.usefixtures("answered")
def test_a_root_that_is_a_file_is_no_folder() -> None:
    assert "images.root: no folder 'config.yaml'" in error(
        write(images="images: {root: config.yaml}")
    )


@pytest.mark.usefixtures("answered")
def test_a_root_without_images_is_named() -> None:
    Path("empty").mkdir()
    assert "no images in folders below 'empty'" in error(write(images="images: {root: empty}"))
    images("loose.png", root="empty")
    assert "no images in folders below 'empty'" in error(write(images="images: {root: empty}"))


@pytest.mark.usefixtures("answered")
def test_a_category_without_images_is_named() -> None:
    images("vase/notes.txt", "vase/.hidden.png")
    found = error(write())
    assert "category 'vase': no images in images/vase (files: 1; extensions read: " in found
    assert ".jpeg" in found
    Path("images/umbrella").mkdir()
    assert len(errors(write())) == 2
    assert load(write(x="categories: [pizza]"))


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("layout", ["vase/x.png", "dalle/vase/x.png"])
def test_a_misspelt_category_is_named_with_a_close_folder(layout: str) -> None:
    images(layout, root="other")
    found = error(write(images="images: {root: other}", x="categories: [vsae]"))
    assert "line 5, categories[0]: no folder 'vsae' in other" in found
    assert "did you mean 'vase'?" in found


@pytest.mark.usefixtures("answered")
def test_a_category_that_is_composed_otherwise_is_shown_with_escapes() -> None:
    images("cafe\u0301/x.png", root="other")
    found = error(write(images="images: {root: other}", x="categories: ['caf\u00e9']"))
    assert r"it is written 'cafe\u0301' there, and 'caf\xe9' here" in found


@pytest.mark.usefixtures("answered")
def test_a_category_that_is_like_no_folder_is_named_with_the_folders_there() -> None:
    found = error(write(x="categories: [pizza, zebra]"))
    assert "categories[1]: no folder 'zebra' in images" in found
    assert "folders there: pizza, rabbit, toilet_seat" in found


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "contains a slash or starts with a dot"),
        ("a/b", "contains a slash"),
        ("/etc", "contains a slash"),
        ("..", "starts with a dot"),
        (".hidden", "starts with a dot"),
        ("*", "is reserved: in the tables it stands for all"),
        ("{model}", "contains braces or control characters"),
        ("a}", "contains braces"),
        ("a\nb", "contains braces or control characters"),
        ("a\x7fb", "contains braces or control characters"),
        ("a <temp> b", "'<temp>' in it means a folder to Snakemake"),
        ("   ", "is blank"),
        ("a" * 121, "is too long for a name: the limit is 120 bytes"),
    ],
)
def test_a_category_that_cannot_stand_in_paths_is_refused(name: str, reason: str) -> None:
    found = error(write(x=f"categories: [pizza, {json.dumps(name)}]"))
    assert found.startswith(f"config.yaml, line 5, categories[1]: {name!r} ")
    assert reason in found


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("name", ["{model}", "*", "a\nb", "caf\udce9"])
@pytest.mark.parametrize("place", ["{}/a.png", "{}/pizza/a.png", "dalle/{}/a.png"])
def test_a_folder_whose_name_cannot_stand_in_paths_is_refused(name: str, place: str) -> None:
    try:
        images(place.replace("{}", name, 1))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = error(write())
    assert f"images.root: the folder {name!r} " in found
    assert found.endswith("Rename it")
    assert found.encode()


@pytest.mark.usefixtures("answered")
def test_what_stands_in_paths_is_nothing_that_snakemake_replaces() -> None:
    """`<temp>` would become `temp`: another model's folder, or another file. Generators may."""
    images("<dalle>/pizza/a.png")
    Path("<logs>").mkdir()
    Path("<logs>/mine.txt").write_text("pizza\nhare\ntoilet seat\n")
    model = (
        "{model: timm/a, name: net <temp>, checkpoint: <logs>/mine.txt, labels: <logs>/mine.txt}"
    )
    found = errors(write(models=f"models: [{model}]"))
    assert [re.sub(r"config.yaml, line \d+, ", "", line).partition(":")[0] for line in found] == [
        *("models[0]", "models[0].checkpoint", "models[0].labels")
    ]
    assert all("means a folder to Snakemake" in line for line in found)
    assert load(write()).generators == {"<dalle>"}


@pytest.mark.usefixtures("answered")
def test_a_category_without_a_word_is_refused() -> None:
    images("___/a.png")
    assert "the category '___' has no word in its name. Rename the folder" in error(write())


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kite", "kite"),
        ("fire engine", "fire_engine"),
        ("caf\u00e9", "cafe\u0301"),
        ("fire-engine", "Fire  Engine"),
        ("carpenter's kit", "carpenters kit"),
    ],
)
def test_two_spellings_of_a_category_are_refused_with_both(one: str, other: str) -> None:
    images(f"mj/{one}/a.png", f"dalle/{other}/a.png")
    (found,) = [line for line in errors(write()) if "one name" in line] or [""]
    for name in (one, other):
        assert repr(name) in found or ascii(name) in found
    assert "differ only in how the name is written" in found


@pytest.mark.usefixtures("answered")
def test_two_spellings_of_a_generator_are_refused_with_both() -> None:
    images("SD_1.4/pizza/a.png", "sd-1.4/rabbit/a.png")
    assert "the generators 'SD_1.4' and 'sd-1.4' in 'images' differ only" in error(write())
    images("DALL-E 2/pizza/a.png", "dalle2./rabbit/a.png")
    found = errors(write())
    assert any(
        "the generators 'DALL-E 2' and 'dalle2.' in 'images' differ" in line for line in found
    )


@pytest.mark.usefixtures("answered")
def test_another_spelling_of_a_listed_category_is_noted() -> None:
    images("mj/Pizza/a.png", "dalle/PIZZA/a.png", "dalle/pizza/a.png")
    notes = load(write(x="categories: [pizza]")).warnings
    for place in ("mj/Pizza", "dalle/PIZZA"):
        assert any(f"images/{place} is not used: it is written" in note for note in notes)


@pytest.mark.usefixtures("answered")
def test_a_category_listed_twice_is_refused() -> None:
    found = error(write(x="categories: [pizza, rabbit, pizza]"))
    assert found.startswith("config.yaml, line 5, categories[2]: 'pizza' is listed twice")


@pytest.mark.usefixtures("answered")
def test_a_category_that_no_class_matches_is_refused_with_close_names() -> None:
    images("sunglases/a.png")
    found = error(write())
    assert "category 'sunglases' can never be hit: no class of imagenet-1k has 'sunglases'" in found
    assert "sunglass" in found.partition("close: ")[2]
    assert "sunglases: {also: [NAME]}" in found
    Path("resources/categories.yaml").write_text("sunglases: {also: [sunglasses]}\n")
    assert load(write()).categories["sunglases"].target.also == ("sunglasses",)


@pytest.mark.usefixtures("answered")
def test_a_category_must_match_under_the_rules_that_are_computed() -> None:
    # A hare's lemma alone: "gas helmet" is one of 570, whose simple name is gasmask.
    images("gas_helmet/a.png")
    assert "gas_helmet" in load(write()).categories
    found = error(write(x="matching: {rules: [words/simple]}"))
    assert "category 'gas_helmet' can never be hit" in found


@pytest.mark.usefixtures("answered")
def test_a_category_must_match_in_every_label_space() -> None:
    Path("labels.txt").write_text("pizza\nhare\n")
    models = "models: [timm/a, {model: timm/b, checkpoint: labels.txt, labels: labels.txt}]"
    assert "'toilet_seat' can never be hit: no class of labels.txt" in error(write(models=models))


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    "content",
    ["rabbit: hare", "rabbit: {also: hare}", "rabbit: {alos: [hare]}", "- rabbit", "rabbit:",
     "rabbit: {also: [1]}", "rabbit: {also: [_]}"],
)  # fmt: skip
def test_category_definitions_are_checked(content: str) -> None:
    Path("resources/categories.yaml").write_text(content)
    assert "`also: [NAME, ...]`" in error(write())


@pytest.mark.usefixtures("answered")
def test_the_default_definitions_are_the_projects_unless_the_folder_has_its_own() -> None:
    own = read_definitions(REPOSITORY / "resources" / "categories.yaml")["toilet_seat"]
    assert own.classes and load(write()).categories["toilet_seat"].definition == Definition()
    Path("resources/categories.yaml").unlink()
    assert load(write()).categories["toilet_seat"].definition == own


@pytest.mark.usefixtures("answered")
def test_a_top1_above_the_top5_is_an_error() -> None:
    reference = "{top1: 0.9, top5: 0.8, source: me}"
    message = error(write(models=f"models: [{{model: timm/a, reference: {reference}}}]"))
    assert "models[0].reference: top1 (0.9) is more than top5 (0.8)" in message


@pytest.mark.usefixtures("answered")
def test_the_same_weights_under_two_names_are_noted() -> None:
    Path("w").write_bytes(b"weights")
    Path("v").write_bytes(b"weights")
    models = "[{name: a, model: timm/a, checkpoint: w}, {name: b, model: timm/b, checkpoint: v}]"
    (note,) = load(write(models=f"models: {models}")).warnings
    assert note.startswith("the models 'a' and 'b' have the same weights")
    (note,) = load(write(models="models: [timm/a, {model: timm/a, name: b, crop: 200}]")).warnings
    assert note.startswith("the models 'a' and 'b' have the same weights")
    Path("v").write_bytes(b"others")
    assert not load(write(models=f"models: {models}")).warnings


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("classes", [4, 5, 6])
def test_a_top5_of_so_few_classes_that_it_is_always_right_is_noted(classes: int) -> None:
    Path("labels.txt").write_text("\n".join(["pizza", "rabbit", "toilet seat", *"abc"][:classes]))
    model = "models: [{model: timm/a, checkpoint: labels.txt, labels: labels.txt}]"
    notes = load(write(models=model)).warnings
    assert [note.partition(",")[0] for note in notes] == (
        [f"a has {classes} classes"] if classes <= 5 else []
    )


@pytest.mark.usefixtures("answered")
def test_how_a_label_file_was_read_is_noted() -> None:
    names = ["pizza", "rabbit", "toilet seat", *"abc"]
    rows = [f"{number},{name},x\n" for number, name in enumerate(names)]
    Path("labels.csv").write_text("".join(["id,name,kind\n", *rows]))
    model = "{model: timm/a, checkpoint: labels.csv, labels: labels.csv}"
    notes = load(write(models=f"models: [{model}]")).warnings
    assert notes == ("labels.csv: not read: column 'kind'",)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("written", ["Toilet seat", "toilet-seat", "TOILET_SEAT"])
def test_a_definition_written_otherwise_is_taken_for_its_category(written: str) -> None:
    Path("resources/categories.yaml").write_text(f"{written}: {{also: [toilet lid]}}")
    found = load(write())
    assert found.categories["toilet_seat"].target.also == ("toilet lid",)
    (note,) = found.warnings
    assert f"the definition '{written}' is taken for the category 'toilet_seat'" in note
    Path("resources/categories.yaml").write_text(
        f"{written}: {{also: [a]}}\ntoilet seat lid: {{also: [b]}}\ntoilet.seat: {{also: [b]}}"
    )
    assert f"'{written}' and 'toilet.seat' are one category" in error(write())


@pytest.mark.usefixtures("answered")
def test_a_definition_nearly_called_like_a_category_is_noted() -> None:
    Path("resources/categories.yaml").write_text(
        "rabbits: {also: [hare]}\nvase: {classes: {}}\n'': {classes: {}}"
    )
    (note,) = load(write()).warnings
    assert "'rabbits' is not used; if it is meant for the category 'rabbit'" in note
    Path("resources/categories.yaml").write_text("rabbits: {also: [a]}\nrabbit: {also: [hare]}")
    assert not load(write()).warnings, "that category has its own"
    Path("resources/categories.yaml").write_text("trabbit: {also: [a]}\nrabit: {also: [hare]}")
    (note,) = load(write()).warnings
    assert "'rabit' is not used; if it is meant for the category 'rabbit'" in note


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("sunglasses", ["sunglass", "sun"], "sunglass"),
        ("Labrador retreiver", ["labrador retriever"], "labrador retriever"),
        ("siberean huskie", ["siberian husky", "siberian huskie"], "siberian huskie"),
        ("cat", ["bat", "cab"], None),
        ("owl", ["bowl"], None),
        ("kit", ["kite"], "kite"),
        ("kite", ["kites", "kit"], "kites"),
        ("n" * 40, ["n" * 39 + "m", "n" * 41], "n" * 41),
        ("a", [""], None),
    ],
)
def test_a_name_is_nearly_another_if_few_letters_differ(
    name: str, known: list[str], meant: str | None
) -> None:
    """The bound is that of :func:`difflib.SequenceMatcher.ratio`: twice the common by the total."""
    assert dict(_nearest([name], known)) == ({} if meant is None else {name: meant})


def test_thousands_of_definitions_that_are_nearly_called_like_categories_are_few_notes() -> None:
    names = [f"category {number:05}" for number in range(3000)]
    found = Definitions("f.yaml", dict.fromkeys(names, Definition()))
    began = time.process_time()
    *notes, more = found.notes([f"{name}s" for name in names])
    assert time.process_time() - began < 20, "comparing all with all takes minutes"
    assert len(notes) == 5
    assert "the definition 'category 00000' is not used; if it is meant for the" in notes[0]
    assert "category 'category 00000s', give them one name" in notes[0]
    assert more == (
        "f.yaml: 2995 more definitions that are not used are nearly called like a category"
    )


@pytest.mark.usefixtures("answered")
def test_unused_definitions_in_a_file_of_ones_own_are_noted() -> None:
    Path("own.yaml").write_text("pizzas: {also: [pie]}\nrabbit: {also: [hare]}\ncup: {also: [mug]}")
    (note,) = load(write(x="category_definitions: own.yaml")).warnings
    assert note.startswith("own.yaml: no category of this run is called 'cup', 'pizzas' (did you ")
    assert "mean 'pizza'?)" in note
    shipped = REPOSITORY / "resources" / "categories.yaml"
    assert not load(write(x=f"category_definitions: {shipped}")).warnings


@pytest.mark.usefixtures("answered")
def test_a_chosen_class_that_no_model_has_is_noted() -> None:
    classes = "n07873807: right, pizzza: a slip, Pizza Pie: one of its names, n02119789: a kit fox"
    Path("resources/categories.yaml").write_text(f"pizza: {{classes: {{{classes}}}}}")
    (note,) = load(write()).warnings
    assert "pizza: no model has the class 'pizzza', so it counts for nothing; did you mean" in note
    Path("labels.txt").write_text("pizza\nrabbit\ntoilet seat\n" + "\n".join("abcd"))
    labels = "models: [{model: timm/b, checkpoint: labels.txt, labels: labels.txt}]"
    notes = load(write(models=labels)).warnings
    assert [note.partition("class ")[2][:8] for note in notes] == ["'pizzza'", "'Pizza P"]


@pytest.mark.long
@pytest.mark.usefixtures("answered")
def test_of_many_unknown_names_the_first_come_with_close_ones() -> None:
    """Each is compared with thousands of names: hundreds took minutes."""
    classes = ", ".join(f"pizzza{number}: a slip" for number in range(7))
    Path("resources/categories.yaml").write_text(f"pizza: {{classes: {{{classes}}}}}")
    notes = load(write()).warnings
    assert ["did you mean" in note for note in notes] == [True] * 5 + [False] * 2
    for number in range(23):
        images(f"pizzza {number}/a.png")
    found = [line for line in errors(write()) if "can never be hit" in line]
    assert ["(close: pizza" in line for line in found] == [True] * 20 + [False] * 3
    listed = ", ".join(f"pizzza_{number}" for number in range(23))
    found = errors(write(x=f"categories: [pizza, {listed}]"))
    assert ["did you mean" in line for line in found] == [True] * 20 + [False] * 3
    assert "categories[23]: no folder 'pizzza_22' in images or in a generator's" in found[-1]


@pytest.mark.usefixtures("answered")
def test_category_definitions_that_cannot_be_read_are_named() -> None:
    part = {"x": "category_definitions: other"}
    assert "line 5, category_definitions: no file 'other'" in error(write(**part))
    Path("other").mkdir()
    assert "category_definitions: 'other' cannot be read: Is a directory" in error(write(**part))
    Path("resources/categories.yaml").write_text("a: [")
    assert "resources/categories.yaml is not YAML: " in error(write())
    Path("resources/categories.yaml").write_bytes(b"caf\xe9: 1")
    assert "resources/categories.yaml is not YAML: " in error(write())


# --- The layout of the images -----------------------------------------------------------------


def layout(*names: str, wanted: list[str] | None = None) -> tuple[dict[str, Any], list[str]]:
    images(*names, root="layout")
    return find_categories(Path("layout"), wanted)[:2]


def test_folders_of_images_are_categories() -> None:
    found, notes = layout("cat/a.png", "cat/b.png", "dog/a.png")
    assert found == {"cat": [(None, "cat")], "dog": [(None, "dog")]}
    assert notes == []


def test_folders_of_folders_are_generators() -> None:
    found, notes = layout("mj/cat/a.png", "dalle/cat/a.png", "dalle/dog/a.png")
    assert found == {
        "cat": [("dalle", "dalle/cat"), ("mj", "mj/cat")],
        "dog": [("dalle", "dalle/dog")],
    }
    assert notes == []


def test_both_layouts_may_be_mixed() -> None:
    found, _ = layout("cat/a.png", "mj/cat/a.png", "dog/a.png")
    assert found == {"cat": [(None, "cat"), ("mj", "mj/cat")], "dog": [(None, "dog")]}


def test_a_folder_with_images_and_folders_is_a_category() -> None:
    found, _ = layout("cat/a.png", "cat/more/b.png")
    assert found == {"cat": [(None, "cat")]}


def test_hidden_folders_and_files_are_not_looked_at() -> None:
    found, notes = layout("mj/cat/a.png", "mj/.hidden.png", ".git/cat/a.png", ".a.png")
    assert found == {"cat": [("mj", "mj/cat")]}
    assert notes == []


def test_a_folder_named_like_an_image_is_a_folder() -> None:
    found, _ = layout("mj/cat.png/a.png")
    assert found == {"cat.png": [("mj", "mj/cat.png")]}


def test_with_categories_asked_for_only_they_are_taken() -> None:
    names = ("cat/a.png", "dog/a.png", "mj/cat/a.png", "mj/dog/a.png", "x/y/a.png")
    found, notes = layout(*names, wanted=["cat"])
    assert found == {"cat": [(None, "cat"), ("mj", "mj/cat")]}
    assert [note.split()[0] for note in notes] == ["layout/dog", "layout/x"]


def test_a_category_asked_for_may_hold_folders_alone() -> None:
    found, _ = layout("cat/one/a.png", "cat/two/a.png", wanted=["cat"])
    assert found == {"cat": [(None, "cat")]}


def test_what_is_not_used_is_noted() -> None:
    Path("layout").mkdir()
    Path("layout/link").symlink_to("../images/pizza")
    found, notes = layout("cat/a.png", "b.png", "a.png")
    assert found == {"cat": [(None, "cat")]}
    assert notes[0] == "2 images directly in layout are not used (a.png, ...)"
    assert notes[1].startswith("layout/link is a link to a folder and is not followed: ")


@pytest.mark.parametrize(
    ("names", "category", "inner", "advice"),
    [
        (["ADM/train/ai/a.png", "ADM/train/nature/b.png"], "train", "'ai', 'nature'",
         "These tell generated images from others, as in GenImage"),
        (["ADM/imagenet_adm/val/ai/a.png"], "imagenet_adm", "'val'",
         "These tell generated images from others, as in GenImage"),
        (["data/train/lion/a.png", "data/train/tiger/b.png"], "train", "'lion', 'tiger'",
         "are the categories, set images.root to 'layout/data/train' (with images.archive"),
        (["data/train/lion/a.png", "data/val/lion/b.png"], "train", "'lion'",
         "set images.root to 'layout/data/train' or 'layout/data/val'"),
        (["data/dalle/lion/a.png", "data/mj/lion/b.png"], "dalle", "'lion'",
         "set images.root to 'layout/data'"),
        (["a/b/dalle/lion/a.png", "a/b/mj/lion/b.png"], "b", "'dalle', 'mj'",
         "set images.root to 'layout/a/b'"),
        (["ADM/train/lion/a.png", "glide/train/lion/a.png"], "train", "'lion'",
         "If 'train' is a split, take its level out: docs/images.md"),
        (["out/lion/seed_1/a.png"], "lion", "'seed_1'", "set images.root to 'layout/out'"),
        (["mj/lion/a.png", "mj/lion/more/b.png"], "lion", "'more'", "nothing is to be done"),
    ],
)  # fmt: skip
def test_a_category_whose_folder_holds_folders_is_noted(
    names: list[str], category: str, inner: str, advice: str
) -> None:
    found, notes = layout(*names)
    outer = names[0].partition("/")[0]
    assert (outer, f"{outer}/{category}") in found[category]
    text, drawing = notes[0].split("\n", 1)
    assert text.startswith(f"layout/{outer}/{category} ")
    assert f"with all images of the folders in {'them' if 'more are' in text else 'it'} " in text
    assert inner in text
    assert advice in text
    assert re.search(rf"^      {outer}/ +generator\n        {category}/ +category$", drawing, re.M)


def test_many_folders_of_one_kind_are_one_note_and_a_short_drawing() -> None:
    names = [
        f"{generator}/{split}/{kind}/{number}.png"
        for generator in ("ADM", "BigGAN", "glide", "VQDM", "wukong")
        for split in ("train", "val")
        for kind in ("ai", "nature")
        for number in range(3)
    ]
    _, notes = layout(*names)
    assert len(notes) == 1
    assert (
        "layout/ADM/train and 9 more are taken for 2 categories ('train', 'val') of 5" in notes[0]
    )
    assert notes[0].split("\n")[1:] == [
        "    layout/     images.root",
        "      ADM/      generator",
        "        train/  category",
        "          ai/",
        "            0.png, ...",
        "          nature/",
        "        val/    category",
        "      BigGAN/   generator",
        "      VQDM/     generator",
        "      ... 2 more folders",
    ]


@pytest.mark.parametrize(
    ("names", "category", "expected"),
    [
        (["train/a.png", "val/b.png"], "train", "all categories in layout are called as data sets"),
        (["train/ai/a.png", "train/nature/b.png"], "ai", "all categories in layout/train are"),
        (["part-000001/a.png", "part-000002/b.png"], "part-000001", "('part-000001', 'part-00"),
        (["car/0_real/a.png", "car/1_fake/b.png"], "1_fake", "('0_real', '1_fake')"),
    ],
)
def test_categories_that_are_called_like_parts_of_data_sets_are_noted(
    names: list[str], category: str, expected: str
) -> None:
    found, notes = layout(*names)
    assert category in found
    assert expected in notes[0]
    _, notes = layout(*names, wanted=[category])
    assert expected.partition(" (")[0].partition("(")[0] in notes[0], "with a list, too"


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("names", "listed", "advice"),
    [
        (["data/train/lion/a.png", "data/val/lion/b.png"], "train, val", "'layout/data/train'"),
        (["data/train/rabbit/a.png"], "train", "set images.root to 'layout/data/train'"),
        (["ADM/train/ai/a.png", "ADM/train/nature/b.png"], "train", "as in GenImage"),
        (["ADM/test_set/rabbit/a.png", "mj/test_set/rabbit/a.png"], "test_set", "is a split"),
        (["train/ai/a.png", "train/nature/b.png"], "ai, nature", "as data sets call their parts"),
    ],
)
def test_where_no_folder_can_be_a_category_the_run_stops_unless_they_are_listed(
    names: list[str], listed: str, advice: str
) -> None:
    images(*names, root="layout")
    message = error_text(write(images="images: {root: layout}"))
    assert "images.root: " in message and advice in message and "    layout/ " in message
    assert "an error." in message and "nothing is to be done" not in message
    assert f"Only if the images show what they are called, list them: `categories: [{listed}" in (
        message
    )
    wanted = listed.split(", ")
    assert find_categories(Path("layout"), wanted).wrong == ()
    images("layout/bus/a.png", root=".")
    assert find_categories(Path("layout"), None).wrong == (), "beside one that is none"


@pytest.mark.usefixtures("answered")
def test_a_listed_category_called_train_is_a_train() -> None:
    images("data/train/steam/a.png", root="layout")
    assert error_text(write(images="images: {root: layout}"))
    assert list(load(write(images="images: {root: layout}\ncategories: [train]")).categories) == [
        "train"
    ]


def test_a_category_called_like_a_part_among_others_is_a_category() -> None:
    assert layout("train/a.png", "bus/a.png", "boat/a.png")[1] == []


@pytest.mark.parametrize("outer", ["images", "train", "Dataset"])
def test_a_folder_around_all_is_noted(outer: str) -> None:
    found, notes = layout(f"{outer}/lion/a.png", f"{outer}/tiger/a.png")
    assert found["lion"] == [(outer, f"{outer}/lion")]
    assert f"'{outer}' in layout: taken for generators. If they are parts" in notes[0]
    assert f"set images.root to 'layout/{outer}'" in notes[0]


@pytest.mark.parametrize("outer", ["train", "midjourney"])
@pytest.mark.parametrize("picture", ["grid.png", "grid", "grid.dat"])
def test_a_picture_beside_class_folders_is_noted(outer: str, picture: str) -> None:
    """By its name or, as in manifests, by its content."""
    draw_image(Path(f"drawn{outer}.png"), 1)
    images(f"{outer}/lion/a.png", f"{outer}/tiger/a.png", root="layout")
    Path(f"drawn{outer}.png").rename(Path("layout", outer, picture))
    found, notes = layout()
    assert list(found) == [outer]
    assert (
        f"layout/{outer} is taken for the category {outer!r}, since images lie directly in it ("
        in notes[0]
    )
    assert "with all images of the folders in it ('lion', 'tiger')" in notes[0]
    found, notes = layout(wanted=["lion", "tiger"])
    assert found["lion"] == [(outer, f"{outer}/lion")]
    assert f"directly in layout/{outer} are not used" in notes[-1] and "grid" in notes[-1]


@pytest.mark.parametrize("name", ["a", "a.txt", "a.PNG.part"])
def test_a_folder_whose_images_have_no_endings_is_no_generator(name: str) -> None:
    """As its manifest, which tells images by their content, has them."""
    draw_image(Path("drawn.png"), 1)
    images("cat/more/b.png", "mj/cat/a.png", root="layout")
    Path("drawn.png").rename(Path("layout/cat", name))
    found, notes = layout()
    assert found == {"cat": [(None, "cat"), ("mj", "mj/cat")]}
    assert "('more')" in notes[0]
    assert {path.name for path in find_files(Path("layout/cat"))} == {name, "b.png"}
    Path("layout/cat", name).write_text("no image")
    assert layout()[0] == {"cat": [("mj", "mj/cat")], "more": [("cat", "cat/more")]}


def test_folders_of_other_files_make_no_doubt() -> None:
    images(
        "mj/cat/a.png", "mj/cat/captions/a.txt", "mj/dog/b.png", "mj/dog/meta/b.json", root="layout"
    )
    assert "captions" not in str(layout()[1])
    assert "meta" not in str(layout()[1])


def test_a_mixture_of_orders_is_noted() -> None:
    _, notes = layout("mj/cat/a.png", "dalle/a.png", "cat/b.png")
    assert len(notes) == 1
    assert "directly in them: 'dalle'; and these for generators: 'mj'. If the first" in notes[0]


def test_a_listed_category_of_folders_is_noted_with_their_names() -> None:
    found, notes = layout("lion/dalle/a.png", "lion/mj/a.png", "tiger/mj/b.png", wanted=["lion"])
    assert found == {"lion": [(None, "lion")]}
    assert "layout/lion is taken for the category 'lion' that `categories` lists" in notes[0]
    assert "('dalle', 'mj'). If these are generators, the order is <generator>/<cat" in notes[0]
    assert "      lion/   category\n" in notes[0] and "      tiger/  not used" in notes[0]


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["midjourney/lion/a.png", "midjourney/grid.png"], "since images lie directly in it (grid"),
        (
            ["ADM/lion/a.png", "glide/b.png"],
            "directly in them: 'glide'; and these for generators: 'ADM'",
        ),
        (["ADM/imagenet_adm/val/ai/a.png"], "These tell generated images from others"),
    ],
)
def test_a_category_that_can_never_be_hit_is_explained_by_the_folders(
    names: list[str], line: str
) -> None:
    images(*names, root="others")
    with pytest.raises(ConfigError) as caught:
        load(write(images="images: {root: others}"))
    said = str(caught.value)
    assert said.count(line) == 1
    assert "The folders, as they are read:\n    others/" in said


def test_a_listed_category_deeper_than_a_generator_s_folder_is_noted() -> None:
    """Beside folders that are found, and in a generator's folder."""
    names = ("mj/lion/a.png", "mj/extra/tiger/b.png", "dalle/train/lion/c.png", "muse/zebra/d.png")
    found, notes = layout(*names, wanted=["lion", "tiger"])
    assert found == {"lion": [("mj", "mj/lion")]}
    said = "\n".join(notes)
    for place in ("layout/mj/extra/tiger", "layout/dalle/train/lion"):
        assert f"{place} is not used, since it is neither in layout nor directly in a gen" in said
    assert "layout/muse is not used: it is not one of the requested categories" in said


def test_a_link_in_a_generator_s_folder_is_noted() -> None:
    images("mj/cat/a.png", root="layout")
    images("dog/a.png", root="elsewhere")
    Path("layout/mj/dog").symlink_to(Path("elsewhere/dog").absolute())
    found, notes = layout()
    assert found == {"cat": [("mj", "mj/cat")]}
    assert notes[0].startswith("layout/mj/dog is a link to a folder and is not followed: ")


def test_categories_in_folders_of_their_own_name_are_noted() -> None:
    """As an archive for each category leaves them: they would be compared as generators."""
    _, notes = layout("cat/cat/a.png", "dog/dog/a.png")
    assert "'cat', 'dog' in layout: taken for generators, each with one category" in notes[0]
    images("mj/cat/a.png", root="layout")
    assert layout()[1] == [], "a generator among them says that the others are some, too"


@pytest.mark.parametrize(
    ("names", "parts", "origins"),
    [
        (["train2017", "VAL", "test-set"], True, False),
        (["training_data", "part-000001", "split_0"], True, False),
        (["0_real", "1_fake"], True, True),
        (["ai", "nature"], True, True),
        (["AI_generated", "real images"], True, True),
        (["train", "ai"], True, False),
        (["train", "bus"], False, False),
        (["test tube", "001", "aid"], False, False),
        ([], False, False),
    ],
)
def test_names_of_parts_are_told(names: list[str], parts: bool, origins: bool) -> None:
    assert (are_parts(names), are_origins(names)) == (parts, origins)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(("name", "meant"), [("207", "golden retriever"), ("0", "tench")])
def test_a_category_called_by_a_number_beside_others_is_told_its_name(
    name: str, meant: str
) -> None:
    images(f"{name}/a.png")
    assert f"it is how ImageNet calls the class {meant!r}, so give it that name" in error(write())


@pytest.mark.usefixtures("answered")
def test_a_root_that_is_no_folder_is_called_what_it_is() -> None:
    with zipfile.ZipFile("all.zip", "w") as file:
        file.writestr("pizza/a.png", b"x")
    assert "no folder 'all.zip'; it is a zip archive" in error(
        write(images="images: {root: all.zip}")
    )
    images("lion.png", root="GenImage/train/ai")
    found = error_text(write(images="images: {root: GenImage/train/ai}"))
    assert "images lie directly in it (lion.png, ...), and no folder says what they show" in found


@pytest.mark.usefixtures("answered")
def test_a_listed_category_one_level_off_is_found() -> None:
    part = "images: {root: ROOT}"
    images("a/dalle/lion/x.png", root="deep")
    found = error_text(write(images=part.replace("ROOT", "deep"), x="categories: [lion]"))
    assert "but at deep/a/dalle/lion: set images.root to 'deep/a', or, if 'dalle' is no" in found
    assert "dalle/\n          lion/" in found
    found = error_text(write(images=part.replace("ROOT", "deep/a/dalle/lion")))
    assert "images lie directly in it (x.png, ...)" in found
    assert "set images.root to the folder above it, 'deep/a/dalle'" in found
    found = error_text(
        write(images=part.replace("ROOT", "deep/a/dalle/lion"), x="categories: [lion]")
    )
    assert "no folder 'lion'" in found and "the folder above it, 'deep/a/dalle'" in found


def error_text(path: Path) -> str:
    """The whole of a message, which may have several lines."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.usefixtures("answered")
def test_folders_in_the_other_order_are_recognised() -> None:
    images("lion/dalle/a.png")
    assert "The order of folders is <generator>/<category>/, and in 'lion/dalle'" in error(write())


def test_a_folder_that_may_not_be_read_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    images("cat/a.png", "locked/a.png", root="layout")
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, notes = find_categories(Path("layout"), None)[:2]
    assert list(found) == ["cat"]
    assert "layout/locked is not used: it may not be read" in notes[0]


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("locked", ["images", "images/pizza"])
def test_folders_that_may_not_be_read_end_in_no_traceback(
    locked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the root nor, where a listed category is looked for, a folder in it."""
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == Path(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = errors(write(x="categories: [rabbit, zebra]"))
    if locked == "images":
        assert "images.root: 'images' may not be read: give yourself the right" in found[0]
    else:
        assert "no folder 'zebra' in images" in found[0]


@pytest.mark.usefixtures("answered")
def test_an_experiment_knows_the_files_of_each_category() -> None:
    images("mj/pizza/b.png", "mj/pizza/c.txt")
    pizza = load(write()).categories["pizza"]
    assert pizza.folders == (("mj", "mj/pizza"), (None, "pizza"))
    assert (pizza.listing.files, pizza.listing.images) == (3, 2)


# --- Models -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("answered")
def test_two_models_of_one_name_are_refused() -> None:
    found = error(
        write(models="models:\n  - timm/a\n  - torchvision/b\n  - {model: timm/c, name: a}")
    )
    assert found.startswith(
        "config.yaml, line 6, models[2]: the name 'a' is also that of models[0]"
    )
    assert "another `name`" in found


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("name", ["a/b", "../a", ".a", "*", "{x}", "a\tb"])
def test_a_model_name_that_cannot_stand_in_paths_is_refused(name: str) -> None:
    found = error(write(models=f"models: [{{model: timm/a, name: {json.dumps(name)}}}]"))
    assert f"models[0]: the name {name!r} " in found and "give a `name`" in found


@pytest.mark.usefixtures("answered")
def test_a_checkpoint_that_is_not_there_is_named() -> None:
    found = error(write(models="models:\n  - model: timm/a\n    checkpoint: weights/a.pth"))
    assert found.startswith("config.yaml, line 5, models[0].checkpoint: no file 'weights/a.pth'")
    assert f"relative paths start at {Path.cwd()}" in found


@pytest.mark.usefixtures("answered")
def test_a_label_file_that_is_not_there_is_named() -> None:
    found = error(write(models="models:\n  - model: timm/a\n    labels: imagenet-2k"))
    assert found.startswith("config.yaml, line 5, models[0].labels: no label file 'imagenet-2k'")
    assert "imagenet-21k" in found


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("checkpoint", "hint"),
    [
        ("https://example.org/a.pth", "it is a URL: download it by hand, and write the path"),
        ("~/nowhere/a.pth", "`~` is not expanded here: write '{home}/nowhere/a.pth'"),
        ("weights\\\\A.pth", "write it with slashes: 'weights/A.pth'"),
        ("weights/a.PTH", "did you mean 'weights/A.pth', which differs in case"),
        ("weights/cafe\u0301.pth", "which differs in case or in how letters are composed"),
        ("weights/AA.pth", "did you mean 'A.pth'?"),
    ],
)
def test_a_path_that_leads_nowhere_is_met_with_what_may_be_meant(
    checkpoint: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    Path("weights").mkdir()
    Path("weights/A.pth").touch()
    Path("weights/caf\u00e9.pth").touch()
    models = f'models:\n  - model: timm/a\n    checkpoint: "{checkpoint}"'
    assert hint.format(home="/home/someone") in error(write(models=models))


@pytest.mark.usefixtures("answered")
def test_every_path_that_begins_with_a_home_folder_is_refused_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also a root that an archive would be unpacked to, in a new folder called `~`."""
    monkeypatch.setenv("HOME", "/home/someone")
    archive = "images: {root: ~/a, archive: {url: 'file:~/b.zip'}}"
    models = "models: [timm/x, {model: timm/y, checkpoint: ~/c.pth, labels: ~/d.txt}]"
    vqa = (
        "category_definitions: ~/e.yaml\nvqa: {questions: ~/f.csv, root: ~/g, "
        "models: [a/b, {checkpoint: ~/h, tokenizer: ~/i, name: z}]}"
    )
    found = errors(write(images=archive, models=models, x=vqa))
    keys = (
        *("images.root", "images.archive.url", "category_definitions", "models[1].checkpoint"),
        *("models[1].labels", "vqa.questions", "vqa.root", "vqa.models[1].checkpoint"),
        "vqa.models[1].tokenizer",
    )
    names = ("a", "b.zip", "e.yaml", "c.pth", "d.txt", "f.csv", "g", "h", "i")
    assert len(found) == len(keys)
    for line, key, name in zip(found, keys, names, strict=True):
        assert (
            f", {key}: '~/{name}': `~` is not expanded here: write '/home/someone/{name}'" in line
        )
    assert not Path("~").exists()


@pytest.mark.usefixtures("answered")
def test_a_folder_that_is_called_so_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    images("pizza/a.png", root="~")
    images("pizza/a.png", root="~old")
    assert set(load(write(images="images: {root: ./~}")).categories) == {"pizza"}
    assert set(load(write(images="images: {root: ~old}")).categories) == {"pizza"}
    found = error(write(images="images: {root: ~root}"))
    assert found.endswith(f"write '{Path('~root').expanduser()}', or './~root' if that is its name")
    monkeypatch.setattr(os.path, "expanduser", str)  # as where there is no home folder
    assert "write the path in full" in error(write(images="images: {root: ~/x}"))


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("key", ["mean", "std"])
def test_a_normalisation_for_other_pixels_is_refused_with_the_numbers_to_write(key: str) -> None:
    values = "[123.675, 116.28, 103.53]"
    found = error(write(models=f"models:\n  - model: timm/a\n    {key}: {values}"))
    assert f"models[0].{key}: is for pixels in 0..1, and 123.675 is more than 1" in found
    assert "write [0.485, 0.456, 0.406]" in found
    assert load(write(models=f"models:\n  - model: timm/a\n    {key}: [1, 0.5, 1]"))


# What the libraries are asked; one question costs seconds, so it is put once for all models.

WRONG = {
    "keras/resnet50": r"unknown classifier library 'keras'; known: timm, timm_hub, torchvision",
    "tim/resnet101": r"unknown classifier library 'tim'; did you mean 'timm'\?",
    "{model: resnet50, name: plain}": r"names no library: write LIBRARY/NAME, e\.g\. timm/resnet50",
    "timm/resnet5O.a1_in1k": r"timm has no model 'resnet5O'; did you mean .*resnet50",
    "timm/resnet50.a1_in2k": r"no weights 'resnet50.a1_in2k'; did you mean .*resnet50.a1_in1k",
    "timm/vit_base_patch16_224.dino": r"has no classifier",
    "torchvision/alexnett": r"torchvision has no classifier 'alexnett'; did you mean 'alexnet'",
    "torchvision/fcn_resnet50": r"torchvision has no classifier 'fcn_resnet50'",
    "torchvision/alexnet.IMAGENET1K_V9": r"no weights 'IMAGENET1K_V9' for alexnet; .*IMAGENET1K_V1",
    "{model: timm/test_resnet.r160_in1k, arguments: {no_such: 1}}": r"no_such",
    "{model: timm/test_resnet.r160_in1k, name: b, arguments: {block: x}}": r"'str' object has no",
    "{model: timm/test_vit.r160_in1k, crop: 100}": r"does not accept images of 100 x 100 pixels",
    "{model: timm/test_vit2.r160_in1k, labels: two.txt}": r"has 1000 classes, .*two.txt.* name 2",
    "{model: torchvision/alexnet, checkpoint: w, labels: two.txt, arguments: {num_classes: 3}}":
        r"gives 3 outputs, but its `labels` \(two.txt\) name 2",
}  # fmt: skip


@pytest.mark.long
def test_models_that_cannot_be_used_are_all_named_with_the_reason() -> None:
    for folder in ("rabbit", "toilet_seat"):
        Path("images", folder).rename(f"images/.{folder}")
    Path("two.txt").write_text("pizza\nvase\n")
    Path("w").touch()
    path = write(models="models:\n" + "\n".join(f"  - {model}" for model in WRONG))
    found = errors(path)
    assert len(found) == len(WRONG)
    for index, (model, message) in enumerate(WRONG.items()):
        name = re.sub(r"^.*model: ([^,}]+).*$", r"\1", model)
        assert found[index].startswith(f"config.yaml, line {4 + index}, models[{index}]: {name}: ")
        assert re.search(message, found[index]), found[index]
    assert not list(Path("cache").glob("*"))


def entry(model: str, **settings: Any) -> dict[str, Any]:
    given = {"model": model, "labels": "imagenet-1k", "local": False, "classes": 1000, **settings}
    keys = ("resize", "crop", "interpolation", "mean", "std")
    return dict.fromkeys(keys) | {"arguments": {}} | given


@pytest.mark.slow
def test_what_a_model_expects_is_asked_once_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests = [
        entry("torchvision/alexnet"),
        entry("timm/test_resnet.r160_in1k", crop=False, interpolation="box", mean=[0.5] * 3),
        entry("timm/test_vit.r160_in1k", local=True, classes=7, labels="seven.txt"),
        entry("torchvision/no_such"),
        entry("torchvision/alexnet"),
    ]
    cache = tmp_path / "cache"
    first = resolve_cached(requests, "model", cache)
    alexnet = first[0]["model"]
    assert alexnet["architecture"]["weights"] == "IMAGENET1K_V1"
    assert alexnet["geometry"] == {"resize": 256, "crop": [224, 224], "interpolation": "bilinear"}
    assert alexnet["mean"] == [0.485, 0.456, 0.406]
    assert first[1]["model"]["geometry"]["crop"] is None
    assert first[1]["model"]["geometry"]["interpolation"] == "box"
    assert first[1]["model"]["mean"] == [0.5] * 3
    assert first[2]["model"]["architecture"]["num_classes"] == 7
    assert "no classifier 'no_such'" in first[3]["error"]
    assert first[4] == first[0]
    assert len(list(cache.glob("*.json"))) == 3

    asked: list[Any] = []

    def answer(*_: object, **options: Any) -> subprocess.CompletedProcess[str]:
        question = json.loads(options["input"])
        asked.append(question)
        answers = json.dumps([{"error": "asked again"} for _ in question["models"]])
        return subprocess.CompletedProcess([], 0, stdout=answers)

    monkeypatch.setattr(subprocess, "run", answer)
    # The kept answers serve in any order; an error is not kept.
    again = resolve_cached(requests[::-1], "model", cache)
    assert [a for a in again if "model" in a] == [a for a in first[::-1] if "model" in a]
    assert [request["model"] for q in asked for request in q["models"]] == ["torchvision/no_such"]
    # Another setting or other versions of the libraries are another question.
    asked.clear()
    resolve_cached(requests[:1], "paper", cache)
    resolve_cached([entry("torchvision/alexnet", resize=300)], "model", cache)
    monkeypatch.setattr(models_module, "version", lambda _: "0")
    resolve_cached(requests[:1], "model", cache)
    assert len(asked) == 3


#: A sound answer of :mod:`synthsight.classifiers.resolve`, as far as a cache is looked through.
ANSWER = {
    "architecture": {"library": "timm"},
    "geometry": {"resize": 8, "crop": None, "interpolation": "bicubic"},
    **{"mean": [0.5, 0.5, 0.5], "std": [1.0, 1.0, 1.0]},
}


@pytest.mark.parametrize(
    "damage", ["", "{", "null", "[]", '{"model": {}}', json.dumps({"model": {**ANSWER, "mean": 3}})]
)
def test_a_damaged_answer_in_the_cache_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    output = json.dumps([{"model": ANSWER}])
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=output)
    )
    requests = [entry("torchvision/alexnet")]
    first = resolve_cached(requests, "model", tmp_path)
    (kept,) = tmp_path.glob("model-*.json")
    kept.write_text(damage)
    assert resolve_cached(requests, "model", tmp_path) == first
    assert json.loads(kept.read_text()) == {"model": ANSWER}


def test_an_edit_of_a_library_asks_about_its_models_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    edited: set[str] = set()
    asked: list[str] = []

    def answer(*_: object, **options: Any) -> subprocess.CompletedProcess[str]:
        models = json.loads(options["input"])["models"]
        asked.extend(request["model"] for request in models)
        answers = json.dumps([{"model": ANSWER} for _ in models])
        return subprocess.CompletedProcess([], 0, stdout=answers)

    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setattr(models_module, "code_digest", lambda _, doors: str(edited & {*doors}))
    requests = [entry("torchvision/alexnet"), entry("timm/test_resnet.r160_in1k")]
    resolve_cached(requests, "model", tmp_path)
    assert asked == ["torchvision/alexnet", "timm/test_resnet.r160_in1k"]
    edited.add("synthsight.classifiers.timm")
    resolve_cached(requests, "model", tmp_path)
    assert asked[2:] == ["timm/test_resnet.r160_in1k"]


# --- Models that are repositories ----------------------------------------------------------------


def test_what_belongs_to_models_of_another_kind_is_refused() -> None:
    Path("weights.safetensors").touch()
    Path("vit").mkdir()
    Path("clip").mkdir()
    Path("clip/config.json").write_text('{"model_type": "clip"}')
    models = (
        "{model: timm/resnet50, names: gloss}",
        "{model: transformers/a/b, name: b, checkpoint: weights.safetensors}",
        "{model: transformers/vit, checkpoint: vit}",
        '{model: zeroshot/clip, checkpoint: clip, templates: ["a photo"]}',
    )
    found = errors(write(models="models:\n" + "\n".join(f"  - {each}" for each in models)))
    wanted = {
        "models[0].names": "is for classifiers that are asked with texts",
        "models[1].checkpoint": "no folder 'weights.safetensors'",
        "models[2].checkpoint": "no config.json in vit",
        "models[3].templates": "'a photo' must have {} once",
    }
    assert len(found) == len(wanted)
    for key, message in wanted.items():
        assert any(key in line and message in line for line in found), (key, found)
