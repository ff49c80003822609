"""The configuration as the report prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthsight.archives.archive import public_url
from synthsight.canonical import canonical_json
from synthsight.plan.config.adapted import FINETUNE, OF_TRAINING
from synthsight.plan.config.questions import question_files
from synthsight.plan.experiment import Experiment
from synthsight.plan.settings import ENDPOINT_WAYS

#: Keys of ``images`` that are not printed where they are null.
_UNSAID = ("real", "group", "table", "split", "marks", "attributes")

#: Settings that affect speed, disk use, what is allowed, what people are asked and how figures
#: look, not results.
NOT_RESULTS = (
    *("batch_size", "worker", "keep_pixels", "versions", "on_failure", "rating", "figures"),
    "part",
)


def printed(experiment: Experiment) -> dict[str, Any]:
    """The configuration as the report prints it: in a fixed order, with what changes results."""
    settings = {key: value for key, value in experiment.written.items() if key not in NOT_RESULTS}
    settings["categories"] = list(experiment.categories)
    settings["images"] = {
        key: value
        for key, value in settings["images"].items()
        if (value is not None or key not in _UNSAID)
        and key not in NOT_RESULTS
        and (key, value) != ("duplicates", "keep")
    }
    if experiment.settings.images.table is None:
        del settings["images"]["columns"]
    if settings["images"]["archive"] is not None:
        archive = settings["images"]["archive"]
        url = archive["url"]
        said = {role: name for role, name in archive["columns"].items() if name is not None}
        about = {
            **{key: archive[key] for key in archive if key not in ("columns", "labels")},
            "url": public_url(url) if isinstance(url, str) else list(map(public_url, url)),
            **({"columns": said} if said else {}),
            **({} if archive["labels"] is None else {"labels": archive["labels"]}),
        }
        settings["images"] = {**settings["images"], "archive": about}
    settings["matching"] = {**settings["matching"], "rules": sorted(settings["matching"]["rules"])}
    models = [each if isinstance(each, str) else dict(each) for each in settings["models"]]
    for each in models:
        if isinstance(each, str):
            continue
        for key in _unused(each):
            each.pop(key, None)
        if "columns" in each:
            stated = {role: name for role, name in each["columns"].items() if name is not None}
            each |= {"columns": stated}
            if not stated:
                del each["columns"]
    settings["models"] = sorted(models, key=canonical_json)
    encoders = [each if isinstance(each, str) else dict(each) for each in settings["encoders"]]
    settings["encoders"] = sorted(encoders, key=canonical_json)
    if not encoders:
        del settings["encoders"]
    if not settings["adapt"]:
        del settings["adapt"]
    else:
        adapted = [_adapted(each) for each in settings["adapt"]]
        settings["adapt"] = sorted(adapted, key=canonical_json)
    for key in ("people", "transfer", "distances", "map"):
        if settings[key] is None:
            del settings[key]
    if experiment.vqa:
        vqa = {
            key: value
            for key, value in settings["vqa"].items()
            if key not in NOT_RESULTS
            and (key, value) not in (("group", None), ("blind", False), ("annotations", None))
        }
        if not isinstance(vqa["questions"], str):
            assert experiment.settings.vqa is not None
            vqa["questions"], annotations = question_files(experiment.settings.vqa)
            vqa |= {"annotations": annotations} if annotations else {}
        columns = vqa["columns"]
        vqa["columns"] = {
            key: name for key, name in columns.items() if (key, name) != ("group", "group")
        }
        models = [each if isinstance(each, str) else _used(each) for each in vqa["models"]]
        settings["vqa"] = {**vqa, "models": sorted(models, key=canonical_json)}
    return settings


def _adapted(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an adapted model that are about its method."""
    unused = () if entry["method"] == FINETUNE else OF_TRAINING
    return {key: value for key, value in entry.items() if key not in unused}


def _used(model: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a VQA model that are about it, as it is, and change results."""
    if model["endpoint"] is None and model["answers"] is None:
        unknown = ("endpoint", "answers", "columns", "missing")
        return {key: value for key, value in model.items() if key not in unknown}
    used = {key: value for key, value in model.items() if value is not None}
    if model["endpoint"] is not None:
        endpoint = {
            key: value for key, value in model["endpoint"].items() if key not in ENDPOINT_WAYS
        }
        of_files = ("columns", "missing")
        return {**{k: v for k, v in used.items() if k not in of_files}, "endpoint": endpoint}
    columns = {role: name for role, name in model["columns"].items() if name is not None}
    return {**used, "columns": columns}


def _unused(model: Mapping[str, Any]) -> list[str]:
    """The keys of a model that are not about it, as it is."""
    if model.get("predictions") is not None:
        unset = (key for key, value in model.items() if value is None)
        return ["model", "arguments", "features", *unset]
    of_texts = [key for key in ("names", "templates") if model.get(key) is None]
    without = [] if model.get("features") else ["features"]
    return [*of_texts, *without, "predictions", "missing", "columns"]
