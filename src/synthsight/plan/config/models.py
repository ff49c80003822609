"""The classifiers of a configuration, and what they resolve to."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.canonical import canonical_json
from synthsight.classifiers.judging import TOP
from synthsight.classifiers.registry import OF_REPOSITORIES, OF_TEXTS, library_modules, library_of
from synthsight.classifiers.repositories import Repository
from synthsight.files import Digests, is_file, keep, read_kept
from synthsight.images.geometry import Geometry
from synthsight.labels.files import LabelError
from synthsight.labels.prompts import (
    NAMES,
    PromptError,
    digest_of_names,
    names_put,
    shared,
    templates_of,
)
from synthsight.labels.spaces import LabelSpace, load_labels
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path, check_model_name
from synthsight.plan.config.networks import Network, check_network, content_of, settled
from synthsight.plan.config.predictions import (
    Classifier,
    Imported,
    check_predictions,
    columns_of,
)
from synthsight.plan.config.repositories import CATEGORIES, are_of_run
from synthsight.plan.digest import code_digest
from synthsight.plan.settings import ModelSettings

#: The settings that are resolved.
_RESOLVED = (
    *("model", "arguments", "labels", "resize", "crop", "interpolation"),
    *("mean", "std"),
)


@dataclass(frozen=True)
class Model(Classifier, Network):
    """A classifier of an experiment that is run."""

    @property
    def text(self) -> Mapping[str, Any] | None:
        """What a zero-shot classifier is asked; None of others."""
        found: Mapping[str, Any] | None = self.architecture.get("arguments", {}).get("text")
        return found


def named(model: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a classifier, defaults filled in, with a name even if none was given."""
    if model["model"] is None:  # predictions, which have a name
        return dict(model)
    library, rest = library_of(model["model"])
    if library in OF_REPOSITORIES and model["name"] is None:
        rest = rest.partition("@")[0].rpartition("/")[2]
    return {**model, "name": model["name"] or rest or model["model"]}


def check_models(models: Sequence[ModelSettings], problems: list[Problem]) -> None:
    """Check the classifiers' settings themselves."""
    earlier: dict[str, str] = {}
    for index, model in enumerate(models):
        key: Key = ("models", index)
        check_model_name(model.name, earlier, key, problems)
        earlier[model.name] = f"models[{index}]"
        check_predictions(model, key, problems)
        check_network(model, key, problems)
        if reason := bad_path(model.labels):
            problems.append(Problem((*key, "labels"), reason))
        if model.reference is not None and model.reference.top1 > model.reference.top5:
            message = (
                f"top1 ({model.reference.top1:g}) is more than top5 ({model.reference.top5:g}), "
                "which includes it: are they exchanged?"
            )
            problems.append(Problem((*key, "reference"), message))


def notes_on(models: Mapping[str, Classifier], spaces: Mapping[str, LabelSpace]) -> list[str]:
    """What the user should know about classifiers that can be used."""
    notes = [f"{space.name}: {note}" for space in spaces.values() for note in space.notes]
    weights: dict[str, list[str]] = {}
    for model in models.values():
        if len(spaces[model.labels]) <= TOP:
            notes.append(
                f"{model.name} has {len(spaces[model.labels])} classes, so its top-5 is always "
                "right where a category has a class: look at top-1"
            )
        if not isinstance(model, Model):
            continue
        about: Any = model.architecture
        if model.content is not None:  # of the same weights, prompts make other classifiers
            about = [model.content, about.get("arguments", {}).get("text")]
        source = canonical_json(about)
        weights.setdefault(source, []).append(model.name)
    for model in models.values():
        if isinstance(model, Model) and model.text is not None:
            notes += _notes_on_texts(model.name, model.text, spaces[model.labels])
    notes += [
        f"the models {' and '.join(map(repr, same))} have the same weights: unless their settings "
        "are to be compared, remove all but one, or correct `model` or `checkpoint`"
        for same in weights.values()
        if len(same) > 1
    ]
    return notes


def _notes_on_texts(name: str, text: Mapping[str, Any], space: LabelSpace) -> list[str]:
    """Which classes a zero-shot classifier cannot tell apart, since they are put alike."""
    alike = shared(names_put(space, text["names"]))
    if not alike:
        return []
    some = ", ".join(map(repr, alike[:3])) + (", ..." if len(alike) > 3 else "")
    return [
        f"{name}: {len(alike)} names are put to it for more than one class ({some}), which it "
        "cannot tell apart by them; `names: gloss` can, where synsets are known"
    ]


def load_spaces(models: Sequence[ModelSettings], problems: list[Problem]) -> dict[str, LabelSpace]:
    """The label spaces that the classifiers name, but the run's categories."""
    spaces = {}
    for index, model in enumerate(models):
        if model.labels == CATEGORIES:
            continue
        try:
            spaces[model.labels] = load_labels(model.labels)
        except LabelError as error:
            problems.append(Problem(("models", index, "labels"), str(error)))
    return spaces


def resolve_models(
    entries: Sequence[ModelSettings],
    spaces: Mapping[str, LabelSpace],
    repositories: Mapping[str, Repository],
    preprocess: str,
    cache: Path,
    problems: list[Problem],
    adapted: Collection[str] = (),
) -> dict[str, Classifier]:
    """Resolve the classifiers, by name, in the configuration's order.

    Of those called ``adapted``, too, it is found out where their features are.
    """
    digests = Digests(cache / "sha256.json")
    requests = [
        {key: getattr(entry, key) for key in _RESOLVED}
        | {"local": entry.checkpoint is not None, "classes": len(spaces[entry.labels])}
        | ({"features": True} if entry.features or entry.name in adapted else {})
        | _files(entry, spaces[entry.labels], repositories.get(entry.name))
        for entry in entries
        if entry.predictions is None
    ]
    models: dict[str, Classifier] = {}
    answers = iter(resolve_cached(requests, preprocess, cache))

    def content(index: int, key: str, path: str | None) -> str | None:
        return content_of(path, ("models", index, key), digests, problems)

    for index, entry in enumerate(entries):
        label_file = entry.labels if is_file(entry.labels) else None
        if entry.predictions is not None:
            models[entry.name] = Imported(
                name=entry.name,
                reference=entry.reference,
                labels=entry.labels,
                labels_content=content(index, "labels", label_file),
                predictions=entry.predictions,
                content=content(index, "predictions", entry.predictions),
                missing=entry.missing,
                columns=columns_of(entry),
            )
            continue
        answer = next(answers)
        if "error" in answer:
            message = answer["error"].removeprefix(f"{entry.model}: ")
            problems.append(Problem(("models", index), f"{entry.model}: {message}"))
            continue
        models[entry.name] = Model(
            name=entry.name,
            reference=entry.reference,
            labels=entry.labels,
            labels_content=content(index, "labels", label_file),
            **settled(
                answer["model"], entry.checkpoint, content(index, "checkpoint", entry.checkpoint)
            ),
        )
    digests.save()
    return models


def _files(
    entry: ModelSettings, space: LabelSpace, repository: Repository | None
) -> dict[str, Any]:
    """What a request says of a model's repository, and what a zero-shot classifier is asked."""
    if repository is None:
        return {}
    files = dict(repository.as_dict())
    if _of_texts(entry):
        kind = entry.names or NAMES[0]
        files["text"] = {
            "labels": entry.labels,
            "names": kind,
            "templates": templates_of(entry.templates),
            "digest": digest_of_names(names_put(space, kind)),
            "classes": len(space),
            **({"of_run": True} if are_of_run(entry.labels) else {}),
        }
    return {"files": files}


def _of_texts(entry: ModelSettings) -> bool:
    return entry.library in OF_TEXTS


def check_texts(
    models: Sequence[ModelSettings], spaces: Mapping[str, LabelSpace], problems: list[Problem]
) -> None:
    """Check what zero-shot classifiers are asked, and that no other is."""
    for index, entry in enumerate(models):
        for key in ("names", "templates"):
            if getattr(entry, key) is not None and not _of_texts(entry):
                message = "is for classifiers that are asked with texts, zeroshot/OWNER/NAME"
                problems.append(Problem(("models", index, key), message))
        if not _of_texts(entry) or entry.labels not in spaces:
            continue
        for key, check in (
            ("templates", lambda entry=entry: templates_of(entry.templates)),
            ("names", lambda entry=entry: names_put(spaces[entry.labels], entry.names or NAMES[0])),
        ):
            try:
                check()
            except PromptError as error:
                problems.append(Problem(("models", index, key), str(error)))


def resolve_cached(
    requests: Sequence[dict[str, Any]], preprocess: str, cache: Path
) -> list[dict[str, Any]]:
    """Answers to requests, from the cache or from :mod:`synthsight.classifiers.resolve`.

    An answer stays valid as long as the request, the versions of synthsight's dependencies and the
    code, including that of the model's library, stay the same. Errors are not cached.
    """
    program = Path(__file__).parents[2] / "classifiers" / "resolve.py"
    context = {"preprocess": preprocess, "versions": _versions()}
    paths = []
    for request in requests:
        code = code_digest(program, library_modules(request["model"]))
        content = canonical_json({**context, "code": code, "request": request})
        digest = hashlib.sha256(content.encode())
        paths.append(cache / f"model-{digest.hexdigest()[:24]}.json")
    answers: list[dict[str, Any] | None] = [read_kept(path, _is_answer) for path in paths]
    missing = [index for index, answer in enumerate(answers) if answer is None]
    if missing:
        question = {"preprocess": preprocess, "models": [requests[index] for index in missing]}
        completed = subprocess.run(
            [sys.executable, "-m", "synthsight.classifiers.resolve"],
            input=json.dumps(question),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for index, answer in zip(missing, json.loads(completed.stdout), strict=True):
            answers[index] = answer
            if "error" not in answer:
                keep(paths[index], json.dumps(answer))
    return [answer for answer in answers if answer is not None]


def _is_answer(kept: Any) -> bool:
    """Whether a cache holds all that an answer does, in the form that it is read in."""
    try:
        found = kept["model"]
        Geometry.from_dict(found["geometry"])
        right = isinstance(found["architecture"]["library"], str) and all(
            len(found[key]) == 3 and all(isinstance(value, float | int) for value in found[key])
            for key in ("mean", "std")
        )
        layers, length = found.get("layers", []), found.get("length", 0)
        return right and isinstance(length, int) and all(isinstance(each, str) for each in layers)
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def _versions() -> dict[str, str]:
    """The version of each distribution that synthsight requires, libraries of models included."""
    names = (re.match(r"[\w.-]+", line) for line in requires("synthsight") or () if ";" not in line)
    return {name[0]: version(name[0]) for name in names if name}
