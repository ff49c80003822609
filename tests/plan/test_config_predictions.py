"""``models[].predictions``: predictions made elsewhere beside models that are run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import specs
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from synthsight.plan.programs import model_doors, workers
from tests.plan.test_config import answered_, errors, load, workplace_, write
from tests.support import REPOSITORY

__all__ = ["answered_", "workplace_"]  # fixtures

pytestmark = pytest.mark.usefixtures("workplace_")

ONE = "{name: told, predictions: told.csv}"


@pytest.fixture(autouse=True)
def file_(workplace_: None) -> None:
    Path("told.csv").write_text("image,label\npizza/a.png,pizza\n", encoding="utf-8")


def of(*entries: str, **parts: str) -> Path:
    return write(models="models:\n" + "".join(f"  - {entry}\n" for entry in entries), **parts)


def found(*entries: str, **parts: str) -> Experiment:
    return load(of(*entries, **parts))


def test_predictions_stand_beside_models(answered: list[dict[str, Any]]) -> None:
    experiment = found("torchvision/alexnet.IMAGENET1K_V1", ONE)
    assert list(experiment.models) == ["alexnet.IMAGENET1K_V1", "told"]
    assert list(experiment.networks) == ["alexnet.IMAGENET1K_V1"]
    told = experiment.imported["told"]
    assert told.content == hashlib.sha256(Path("told.csv").read_bytes()).hexdigest()
    assert (told.labels, told.missing, told.columns) == ("imagenet-1k", "refuse", {})
    assert [each["model"] for each in answered] == ["torchvision/alexnet.IMAGENET1K_V1"]
    files = Files(experiment)
    assert list(files.stems) == ["alexnet.IMAGENET1K_V1"]
    assert files.logits_of("told") == [] and len(files.weights) == 1
    assert files.note_of("told") == "results/test/predictions/told.json"
    assert files.predictions_of("told") == ["results/test/predictions/told.parquet"]
    assert files.excluded == []


def test_a_run_of_predictions_alone_resolves_and_loads_no_model(
    answered: list[dict[str, Any]],
) -> None:
    experiment = found(ONE)
    assert answered == [] and model_doors(experiment) == ()
    assert set(workers(experiment, REPOSITORY / "workflow" / "scripts")) == {"tables"}
    files = Files(experiment)
    assert files.weights == files.logits == files.geometries == []
    assert files.targets["scores"] == ["results/test/scores/told.parquet"]


def test_everything_that_decides_what_is_imported_is_in_its_spec_and_in_no_other(
    answered: list[dict[str, Any]],
) -> None:
    def all_specs(experiment: Experiment) -> dict[str, Any]:
        return {
            "import": dict(specs.import_predictions(experiment, "told")),
            "score": dict(specs.score(experiment, "told")),
            "other": dict(specs.score(experiment, "alexnet.IMAGENET1K_V1")),
            "excluded": dict(specs.list_excluded(experiment)),
            "sources": dict(specs.find_sources(experiment)),
        }

    network = "torchvision/alexnet.IMAGENET1K_V1"
    before = all_specs(found(network, ONE))
    for entry, changed in (
        ("{name: told, predictions: told.csv, missing: wrong}", {"import"}),
        ("{name: told, predictions: told.csv, columns: {label: said}}", {"import"}),
        (
            "{name: told, predictions: told.csv, missing: exclude}",
            {"import", "excluded", "sources"},
        ),
    ):
        now = all_specs(found(network, entry))
        assert {key for key in now if now[key] != before[key]} == changed
    Path("told.csv").write_text("image,label\npizza/a.png,bagel\n", encoding="utf-8")
    now = all_specs(found(network, ONE))
    assert {key for key in now if now[key] != before[key]} == {"import"}


def test_excluding_images_makes_the_run_read_what_is_excluded() -> None:
    experiment = found("{name: told, predictions: told.csv, missing: exclude}")
    files = Files(experiment)
    assert experiment.excludes_unpredicted == ["told"]
    assert files.excluded == ["results/test/tables/excluded.parquet"]
    assert files.predictions_to_exclude == files.predictions_of("told")
    assert files.duplicates_to_exclude == []
    assert specs.list_excluded(experiment) == {"without_prediction": ["told"]}


@pytest.mark.usefixtures("answered")
def test_the_categories_may_be_what_was_asked_for() -> None:
    experiment = found("{name: told, predictions: told.csv, labels: categories}")
    told = experiment.imported["told"]
    assert "toilet seat" in Path(told.labels).read_text(encoding="utf-8")
    assert told.labels_content is not None


def test_the_page_prints_what_was_written_of_predictions_and_nothing_of_them_elsewhere(
    answered: list[dict[str, Any]],
) -> None:
    experiment = found("{model: timm/a, labels: imagenet-1k}", ONE)
    network, told = specs.report(experiment)["settings"]["models"]
    assert network["model"] == "timm/a" and not {"predictions", "missing", "columns"} & set(network)
    assert told == {
        "name": "told",
        "predictions": "told.csv",
        "labels": "imagenet-1k",
        "missing": "refuse",
    }


def test_a_choice_as_primary_rule_is_said_to_need_more_than_ranks(
    answered: list[dict[str, Any]],
) -> None:
    matching = "matching: {primary: restricted}"
    (note,) = found(ONE, matching=matching).warnings
    assert note.startswith("matching.primary: under restricted hits are known of told only where")
    assert note.endswith("If they leave all open, no figure can be made")
    (note,) = found("{model: timm/a, labels: imagenet-1k}", ONE, matching=matching).warnings
    assert note.endswith("what they leave open is in no figure"), "the other model is in each"
    assert found(ONE).warnings == ()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: told}", "models[0].model: missing. timm/NAME"),
        (
            "{name: told, model: timm/a, predictions: told.csv}",
            "models[0].predictions: a model is either run (`model`) or has `predictions`",
        ),
        (
            "{name: told, predictions: told.csv, crop: 64}",
            "models[0].crop: does not go with `predictions`: no network is run for them",
        ),
        (
            "{name: told, predictions: told.csv, checkpoint: a.safetensors}",
            "models[0].checkpoint: does not go with `predictions`",
        ),
        ("{predictions: told.csv}", "models[0].name: missing. Predictions are called by"),
        (
            "{model: timm/a, missing: wrong}",
            "models[0].missing: is for a model with `predictions` in the place of `model`",
        ),
        (
            "{name: told, predictions: tolt.csv}",
            "models[0].predictions: no file 'tolt.csv' (relative paths start at",
        ),
        (
            "{name: told, predictions: told.txt}",
            "models[0].predictions: 'told.txt': the extension must be one of .csv .tsv",
        ),
        (
            "{name: told, predictions: ~/told.csv}",
            "models[0].predictions: '~/told.csv'",
        ),
        (
            "{name: told, predictions: told.csv, missing: skip}",
            'models[0].missing: found "skip"; write one of refuse, wrong, exclude',
        ),
        (
            "{name: told, predictions: told.csv, columns: {lable: x}}",
            "models[0].columns.lable: unknown key; did you mean 'label'?",
        ),
        ("{name: a/b, predictions: told.csv}", "the name 'a/b' cannot be used"),
        ("{name: told, prediction: told.csv}", "unknown key; did you mean 'predictions'?"),
    ],
)
@pytest.mark.usefixtures("answered")
def test_what_cannot_be_used_is_named_with_key_and_line(entry: str, said: str) -> None:
    Path("told.txt").write_text("x", encoding="utf-8")
    first = errors(of(entry))[0]
    assert first.startswith("config.yaml, line 4, ")
    assert said in first
