"""Models of a configuration whose predictions were made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.files import hint_at, is_file
from synthsight.labels.matching import RULES
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path
from synthsight.plan.settings import ModelSettings, ReferenceSettings, as_dict
from synthsight.tabular import FORMATS

#: What says how a network is run, and so nothing about predictions.
_OF_NETWORKS = (
    *("checkpoint", "arguments", "names", "templates", "resize", "crop", "interpolation"),
    *("mean", "std", "features"),
)

#: What is about predictions alone.
_OF_PREDICTIONS = ("missing", "columns")


@dataclass(frozen=True)
class Classifier:
    """What all models of an experiment have that name classes of images.

    Attributes:
        name: its name in paths, tables and figures.
        reference: accuracy on real photographs as stated by the user, or None.
        labels: name of its label space.
        labels_content: the sha256 of its label file, or None if a library knows the names.
    """

    name: str
    reference: ReferenceSettings | None
    labels: str
    labels_content: str | None


@dataclass(frozen=True)
class Imported(Classifier):
    """A model whose predictions were made elsewhere.

    Attributes:
        predictions: the file.
        content: its sha256.
        missing: what becomes of images without a prediction: ``refuse``, ``wrong`` or ``exclude``.
        columns: names of its columns, by what they hold.
    """

    predictions: str
    content: str | None
    missing: str
    columns: Mapping[str, str]


def columns_of(model: ModelSettings) -> dict[str, str]:
    """The names of columns that a configuration states, by what they hold."""
    return {role: name for role, name in as_dict(model.columns).items() if name is not None}


def kind_problems(models: Sequence[Any], items: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with how models are given: as networks, or as predictions.

    Args:
        models: as they are written; the schema accepts them.
        items: the schema of one of them.
    """
    problems = []
    for index, model in enumerate(models):
        key: Key = ("models", index)
        if isinstance(model, str):
            continue
        network, predicted = (model.get(name) is not None for name in ("model", "predictions"))
        if not network and not predicted:
            about = items["properties"]["model"]["description"]
            problems.append(Problem((*key, "model"), f"missing. {about}"))
        if network and predicted:
            message = "a model is either run (`model`) or has `predictions`: remove one of them"
            problems.append(Problem((*key, "predictions"), message))
        elif predicted:
            problems += [
                Problem((*key, name), "does not go with `predictions`: no network is run for them")
                for name in _OF_NETWORKS
                if name in model
            ]
            if model.get("name") is None:
                message = "missing. Predictions are called by the `name` of their model"
                problems.append(Problem((*key, "name"), message))
        elif network:
            problems += [
                Problem((*key, name), "is for a model with `predictions` in the place of `model`")
                for name in _OF_PREDICTIONS
                if name in model
            ]
    return problems


def check_predictions(model: ModelSettings, key: Key, problems: list[Problem]) -> None:
    """Check that there is a file of predictions, of a kind that is read."""
    path = model.predictions
    if path is None:
        return
    key = (*key, "predictions")
    if reason := bad_path(path):
        problems.append(Problem(key, reason))
    elif not is_file(path):
        message = f"no file {path!r} (relative paths start at {Path.cwd()}){hint_at(path)}"
        problems.append(Problem(key, message))
    elif Path(path).suffix.lower() not in FORMATS:
        message = f"{path!r}: the extension must be one of {' '.join(FORMATS)}"
        problems.append(Problem(key, message))


def notes_on_choice(models: Mapping[str, Classifier], primary: str) -> list[str]:
    """What to know if a choice decides what figures show, and ranked classes may leave it open."""
    names = [name for name, model in models.items() if isinstance(model, Imported)]
    if not names or primary not in RULES or not RULES[primary].choice:
        return []
    none = "" if len(names) < len(models) else ". If they leave all open, no figure can be made"
    return [
        f"matching.primary: under {primary} hits are known of {' and '.join(names)} only where the "
        "predictions have logits, or all classes of the categories: what they leave open is in no "
        f"figure{none}"
    ]
