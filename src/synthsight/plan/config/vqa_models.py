"""The VQA models of a configuration: networks, endpoints, and answers made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthsight.bounds import Key
from synthsight.files import Digests, hint_at, is_file, is_folder
from synthsight.inference import folders
from synthsight.plan.config.endpoints import endpoint_problems
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.names import bad_path, check_model_name
from synthsight.plan.settings import ModelSettings, VqaModelSettings, as_dict
from synthsight.tabular import FORMATS
from synthsight.vqa.families.registry import FamilyError, family_of

#: How a model may be given, and what is then said of it besides name and reference.
_KINDS = {
    "model": ("tokenizer", "image_size", "prompt", "interpolate_position"),
    "checkpoint": ("tokenizer", "image_size", "prompt", "interpolate_position"),
    "endpoint": ("prompt",),
    "answers": ("columns", "missing"),
}

#: What is put with a question in the place of this.
_QUESTION = "{question}"


def named_vqa(model: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a VQA model, defaults filled in, with a name even if none was given."""
    return {**model, "name": model["name"] or _source_name(model)}


def _source_name(model: Mapping[str, Any]) -> str:
    if model["model"] is not None:
        return str(model["model"]).partition("@")[0].rpartition("/")[2]
    if model["endpoint"] is not None:
        return str(model["endpoint"]["model"]).rstrip("/").rpartition("/")[2]
    path = Path(str(model["checkpoint"] or model["answers"]))
    return path.stem if is_file(path) else path.name


def vqa_kind_problems(models: Sequence[Any]) -> list[Problem]:
    """What is wrong with how VQA models are given: each in exactly one way.

    Args:
        models: as they are written; the schema accepts them.
    """
    problems = []
    for index, model in enumerate(models):
        key: Key = ("vqa", "models", index)
        if isinstance(model, str):
            continue
        given = _kinds_of(model)
        if len(given) != 1:
            message = (
                "give one of `model` (OWNER/NAME on the hub), `checkpoint` (local files), "
                "`endpoint` (a server) and `answers` (a file of answers made elsewhere)"
            )
            found = f"; found {' and '.join(f'`{kind}`' for kind in given)}" if given else ""
            problems.append(Problem(key, f"{message}{found}"))
            continue
        kind = given[0]
        others = {name for names in _KINDS.values() for name in names} - set(_KINDS[kind])
        problems += [
            Problem((*key, name), f"does not go with `{kind}`") for name in model if name in others
        ]
        if kind == "answers" and model.get("name") is None:
            message = "missing. Answers are called by the `name` of their model"
            problems.append(Problem((*key, "name"), message))
    return problems


def _kinds_of(model: Mapping[str, Any]) -> list[str]:
    return [kind for kind in _KINDS if model.get(kind) is not None]


def columns_of(about: VqaModelSettings) -> dict[str, str]:
    """The names of columns that a configuration states of answers, by what they hold."""
    return {role: name for role, name in as_dict(about.columns).items() if name is not None}


def check_vqa_models(
    entries: Sequence[VqaModelSettings],
    classifiers: Sequence[ModelSettings],
    questions: str,
    problems: list[Problem],
) -> dict[str, VqaModelSettings]:
    """The VQA models by name; what is wrong with them is added to ``problems``.

    Args:
        entries: as they are configured.
        classifiers: the other models, whose names are taken.
        questions: the file of questions.
        problems: to which is added.
    """
    models = {}
    taken = {model.name: f"models[{index}]" for index, model in enumerate(classifiers)}
    for index, entry in enumerate(entries):
        key: Key = ("vqa", "models", index)
        if len(_kinds_of(vars(entry))) != 1:
            continue  # it has been reported
        if entry.model is not None and ":" in entry.model:
            message = "write OWNER/NAME of the hub's repository alone, without a prefix or address"
            problems.append(Problem((*key, "model"), message))
            continue
        check_model_name(entry.name, taken, key, problems)
        taken[entry.name] = f"vqa.models[{index}]"
        if entry.checkpoint is not None and (reason := _bad_checkpoint(entry.checkpoint)):
            problems.append(Problem((*key, "checkpoint"), reason))
        if entry.endpoint is not None:
            problems += endpoint_problems(entry.endpoint, (*key, "endpoint"))
        if entry.answers is not None and (reason := _bad_answers(entry, questions)):
            problems.append(Problem((*key, "answers"), reason))
        if reason := _bad_prompt(entry):
            problems.append(Problem((*key, "prompt"), reason))
        if entry.tokenizer is not None and not is_folder(entry.tokenizer):
            message = f"no folder {entry.tokenizer!r} (relative paths start at {Path.cwd()})"
            message += hint_at(entry.tokenizer)
            problems.append(Problem((*key, "tokenizer"), message))
        models[entry.name] = entry
    return models


def _bad_checkpoint(checkpoint: str) -> str | None:
    """Why a local VQA model cannot be used, judging without its weights, or None."""
    try:
        family_of(checkpoint)
    except FamilyError as error:
        return str(error)
    return None


def _bad_answers(entry: VqaModelSettings, questions: str) -> str | None:
    """Why there is no file of answers, of a kind that is read, or None."""
    path = str(entry.answers)
    if not is_file(path):
        return f"no file {path!r} (relative paths start at {Path.cwd()}){hint_at(path)}"
    if Path(path).suffix.lower() not in FORMATS:
        return f"{path!r}: the extension must be one of {' '.join(FORMATS)}"
    if is_file(questions) and Path(path).samefile(questions) and entry.columns.answer is None:
        return (
            f"{path!r} is the file of the questions, whose answers are the truth. If it has a "
            "column with the model's answers, too, name it in `columns.answer`"
        )
    return None


def _bad_prompt(entry: VqaModelSettings) -> str | None:
    """Why a prompt does not say where the question belongs, or None."""
    prompt, of_ofa = entry.prompt, "" if entry.endpoint else "question or none (OFA), or "
    if prompt is None or (of_ofa and prompt in ("question", "none")):
        return None
    if prompt.count(_QUESTION) == 1:
        return None
    return (
        f'found {prompt!r}: write {of_ofa}a text with {_QUESTION} in it once, such as "{_QUESTION} '
        'Answer yes or no."'
    )


def local_files(about: VqaModelSettings) -> list[str]:
    """The local files that a model is made of; none if it is fetched from a hub."""
    return folders.local_files(about.checkpoint, about.tokenizer)


def digests_of_models(
    models: Mapping[str, VqaModelSettings], cache: Path, problems: list[Problem]
) -> dict[str, str]:
    """A digest of each model's local files, names and contents, or of its file of answers."""
    digests = Digests(cache / "sha256_vqa.json")
    found = {}
    for index, (name, about) in enumerate(models.items()):
        files = local_files(about) if about.answers is None else [about.answers]
        reasons = filter(None, map(bad_path, files))
        problems += [Problem(("vqa", "models", index), reason) for reason in reasons]
        try:
            if about.answers is not None and is_file(about.answers):
                found[name] = digests.of(about.answers)
            elif files and about.answers is None:
                found[name] = folders.digest_of(files, digests.of)
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}"
            problems.append(Problem(("vqa", "models", index), message))
    digests.save()
    return found
