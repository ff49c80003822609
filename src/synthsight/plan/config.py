"""From a configuration to an experiment, or to a list of all that is wrong with it.

The one module that knows the configuration's keys. Whatever a user can get wrong ends here, before
any job starts, in a message that names the key and the line, what was found and what to write.
"""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import yaml

from synthsight import bounds
from synthsight.archives.archive import Archive, ArchiveError, local_path, problem_of
from synthsight.bounds import Key
from synthsight.canonical import canonical_json
from synthsight.errors import SynthsightError
from synthsight.files import is_file, is_folder, keep
from synthsight.images.geometry import Geometry
from synthsight.images.manifest import Listing, list_folders
from synthsight.images.reading import SUFFIXES
from synthsight.labels.definitions import Definition, DefinitionError, read_definitions
from synthsight.labels.matching import Target, accepted_classes, words
from synthsight.labels.spaces import LabelError, LabelSpace, load_labels
from synthsight.plan.digest import code_digest
from synthsight.vqa.questions import Question, QuestionsError, deal, read_questions, shard_digest

#: Kinds of VQA models that can be asked, as ``model_type`` in their config.json says.
VQA_FAMILIES = ("ofa", "vilt", "blip")

#: What a resolved model depends on besides its settings.
_LIBRARIES = ("timm", "torch", "torchvision")


#: Problems that a message names.
_SHOWN = 50


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the key of the configuration concerned, and a message."""

    key: Key
    message: str


class ConfigError(SynthsightError):
    """All that is wrong with a configuration, each with its file, line and key."""

    def __init__(self, problems: Sequence[Problem], files: Sequence[Path]) -> None:
        shown = problems[:_SHOWN]
        lines = [f"{_place(problem.key, files)}: {problem.message}" for problem in shown]
        if len(problems) > _SHOWN:
            lines.append(f"... and {len(problems) - _SHOWN} more")
        count = "an error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(f"The configuration has {count}.\n  " + "\n  ".join(lines))


@dataclass(frozen=True)
class Model:
    """A classifier of an experiment.

    Attributes:
        name: what it is called in paths, tables and figures.
        architecture: for :class:`synthsight.classifiers.architectures.Architecture`.
        checkpoint: local weights, or None for the published ones.
        reference: accuracy on real photographs as the user states it, or None.
        labels: name of its label space.
        geometry: of its preprocessing.
        mean: of its normalisation.
        std: likewise.
    """

    name: str
    architecture: dict[str, Any]
    checkpoint: str | None
    reference: dict[str, Any] | None
    labels: str
    geometry: Geometry
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Category:
    """A category of an experiment.

    Attributes:
        target: its name, which also stands in paths, tables and figures, and what is accepted.
        definition: what is known of it, with reasons.
        folders: ``(generator or None, folder below the images' root)``.
        listing: what lies in the folders.
    """

    target: Target
    definition: Definition
    folders: tuple[tuple[str | None, str], ...]
    listing: Listing


@dataclass(frozen=True)
class Vqa:
    """The questions of an experiment and who is asked.

    Attributes:
        root: folder that the images' paths start from.
        models: the settings of each model, by name, in the configuration's order.
        shards: a digest of each shard's questions and images, by shard.
        content: a digest of all questions, those that are left out and their lines too.
        images: with questions that can be asked.
    """

    root: str
    models: dict[str, dict[str, Any]]
    shards: dict[str, str]
    content: str
    images: int


@dataclass(frozen=True)
class Experiment:
    """A configuration that has been found to be sound.

    Attributes:
        settings: the configuration with its defaults filled in.
        categories: by name, sorted.
        models: by name, in the configuration's order.
        vqa: the questions, or None where none are asked.
        archive: the archive that the images are from, or None.
        pending: whether it has yet to be unpacked. Until then there are neither categories nor
            questions.
        notes: what a user should know though it stops nothing.
    """

    settings: dict[str, Any]
    categories: dict[str, Category]
    models: dict[str, Model]
    vqa: Vqa | None
    archive: Archive | None
    pending: bool
    notes: tuple[str, ...]


def load_experiment(
    config: Mapping[str, Any], schema: Mapping[str, Any], files: Sequence[Path], cache: Path
) -> Experiment:
    """Check a configuration and resolve what it names.

    Args:
        config: as read from YAML.
        schema: the JSON schema that it must satisfy and that carries the defaults.
        files: the files it was read from, for messages; of a key in several the last counts.
        cache: folder where what is resolved is kept.

    Raises:
        ConfigError: with everything that was found wrong.
    """
    if wrong := bounds.fault(config):
        raise ConfigError([Problem(*wrong)], files)
    problems = _schema_problems(config, schema)
    if problems:
        raise ConfigError(problems, files)
    settings = fill_defaults(config, schema)
    rules = settings["matching"]["rules"]
    if settings["matching"]["primary"] not in rules:
        message = f"{settings['matching']['primary']!r} is not among `rules` ({', '.join(rules)})"
        problems.append(Problem(("matching", "primary"), message))
    archive, pending = _archive(settings, problems)
    definitions = _definitions(settings, problems)
    categories, notes = ({}, []) if pending else _categories(settings, definitions, problems)
    entries = _model_entries(settings, schema, problems)
    spaces = _label_spaces(entries, problems)
    _check_words(categories, spaces, rules, problems)
    names = [entry["name"] for entry in entries]
    vqa = _vqa(settings, schema, names, pending, problems, notes)
    if problems:
        raise ConfigError(problems, files)
    models = _resolve_models(entries, spaces, settings["preprocess"], cache, problems)
    if problems:
        raise ConfigError(problems, files)
    return Experiment(settings, categories, models, vqa, archive, pending, tuple(notes))


# The schema ------------------------------------------------------------------------------------


def _is_integer(_: Any, value: Any) -> bool:
    """A whole number as YAML writes it; 64.0, which JSON schema takes too, is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    """A finite number: YAML has .nan and .inf, which no setting can be."""
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)

#: The types of JSON schema in words.
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text (in quotes, if it looks like a number or a truth value)",
}


def _schema_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Problem]:
    validator = _Validator(schema)
    problems = []
    for error in sorted(validator.iter_errors(config), key=lambda error: list(error.path)):
        key: Key = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for name in sorted(set(error.instance) - set(known), key=str):
                hint = _close(str(name), known) or f"; known keys: {', '.join(known)}"
                problems.append(Problem((*key, str(name)), f"unknown key{hint}"))
        elif error.validator == "required":
            for name in sorted(set(error.schema["required"]) - set(error.instance)):
                about = error.schema["properties"][name]["description"]
                problems.append(Problem((*key, name), f"missing. {about}"))
        else:
            problems.append(Problem(key, _describe(error)))
    return list(dict.fromkeys(problems))


def _describe(error: Any) -> str:
    """An error of jsonschema in words: what was found and what to write."""
    found = f"found {_shown(error.instance)}"
    if error.validator == "enum":
        allowed = [str(value) for value in error.validator_value if value is not None]
        hint = _close(str(error.instance), allowed)
        return f"{found}; write one of {', '.join(allowed)}{hint}"
    if error.validator == "type":
        types = error.validator_value
        wanted = [_TYPES[name] for name in ([types] if isinstance(types, str) else types)]
        found += f"; write {' or '.join(wanted)}"
    elif error.validator in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        found += f"; {error.message}"
    about = error.schema.get("description") or error.message
    return f"{found}. {about}"


def _shown(value: Any, keep: int = 200) -> str:
    """What was found, as JSON has it where it can; the beginning of what is long."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError):  # keys that are no text
        text = repr(value)
    return text if len(text) <= keep else f"{text[:keep]}..."


def fill_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of a value in which missing keys have the schema's defaults, nested ones too."""
    if isinstance(value, Mapping):
        filled = {key: copy.deepcopy(inner) for key, inner in value.items()}
        for key, inner in schema.get("properties", {}).items():
            if key not in filled and "default" in inner:
                filled[key] = copy.deepcopy(inner["default"])
            if key in filled:
                filled[key] = fill_defaults(filled[key], inner)
        return filled
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [fill_defaults(item, schema["items"]) for item in value]
    return value


# The images' archive ---------------------------------------------------------------------------


def _archive(settings: dict[str, Any], problems: list[Problem]) -> tuple[Archive | None, bool]:
    """The archive that the images are from, if any, and whether it has yet to be unpacked.

    From here on the images' root is the folder in the archive. If something is wrong, nothing can
    be said of the images either: they count as if they had yet to come.
    """
    about = settings["images"]["archive"]
    if about is None:
        return None, False
    key: Key = ("images", "archive")
    if message := problem_of(about["url"]):
        problems.append(Problem((*key, "url"), message))
        return None, True
    root = Path(settings["images"]["root"])
    below = PurePosixPath(about["folder"])
    if below.is_absolute() or ".." in below.parts:
        message = (
            f"{about['folder']!r} is no folder in the archive: write a path without .. or / before"
        )
        problems.append(Problem((*key, "folder"), message))
        return None, True
    digest = about["sha256"]
    archive = Archive(about["url"], None if digest is None else digest.lower(), root)
    settings["images"]["root"] = str(root / below)
    try:
        if archive.is_unpacked():
            if not is_folder(root / below):
                found = ", ".join(_folders(root)[:20]) or "none"
                message = f"no folder {about['folder']!r} in the archive; folders there: {found}"
                problems.append(Problem((*key, "folder"), message))
                return archive, True
            return archive, False
    except (ArchiveError, OSError) as error:
        problems.append(Problem(("images", "root"), str(error)))
        return None, True
    file = local_path(archive.url)
    if file is not None and not is_file(file):
        message = f"no file {str(file)!r} (relative paths start at {Path.cwd()})"
        problems.append(Problem((*key, "url"), message))
    return archive, True


# Categories ------------------------------------------------------------------------------------


def _definitions(settings: Mapping[str, Any], problems: list[Problem]) -> dict[str, Definition]:
    """What is known of categories; the names that are asked for are looked at, too."""
    wanted = settings["categories"]
    definitions: dict[str, Definition] = {}
    try:
        definitions = read_definitions(Path(settings["category_definitions"]))
    except DefinitionError as error:
        problems.append(Problem(("category_definitions",), str(error)))
    for index, name in enumerate(wanted or []):
        if wanted.index(name) < index:
            problems.append(Problem(("categories", index), f"{name!r} is listed twice"))
        elif message := _bad_name(name):
            problems.append(Problem(("categories", index), f"{name!r} {message}"))
    return definitions


def _categories(
    settings: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    problems: list[Problem],
) -> tuple[dict[str, Category], list[str]]:
    root = Path(settings["images"]["root"])
    wanted = settings["categories"]
    if not is_folder(root):
        message = (
            f"no folder {str(root)!r}. Put the images into {root}/<category>/ or "
            f"{root}/<generator>/<category>/, or name the folder they are in"
        )
        problems.append(Problem(("images", "root"), message))
        return {}, []
    found, notes = find_categories(root, wanted)
    for index, name in enumerate(wanted or []):
        if name not in found and not _bad_name(name):
            outer = _folders(root)
            seen = sorted({*outer, *(inner for name in outer for inner in _folders(root / name))})
            hint = _close(name, seen) or f"; folders there: {', '.join(seen[:20]) or 'none'}"
            message = f"no folder {name!r} in {root} or in a generator's folder there{hint}"
            problems.append(Problem(("categories", index), message))
    if not found and wanted is None:
        message = (
            f"no images in folders below {str(root)!r}. Put them into {root}/<category>/ or "
            f"{root}/<generator>/<category>/"
        )
        problems.append(Problem(("images", "root"), message))
    categories = {}
    for name, folders in sorted(found.items()):
        if reason := _bad_folder(name, folders):
            problems.append(Problem(("images", "root"), reason))
            continue
        listing = list_folders(root / folder for _, folder in folders)
        if listing.images == 0:
            places = " or ".join(str(root / folder) for _, folder in folders)
            message = (
                f"category {name!r}: no images in {places} (files: {listing.files}; endings that "
                f"are read: {' '.join(sorted(SUFFIXES))}). Add some, or list the other categories "
                "under `categories`"
            )
            problems.append(Problem(("images", "root"), message))
            continue
        definition = definitions.get(name, Definition())
        categories[name] = Category(definition.target(name), definition, tuple(folders), listing)
    return categories, notes


def find_categories(
    root: Path, wanted: Sequence[str] | None
) -> tuple[dict[str, list[tuple[str | None, str]]], list[str]]:
    """The folders of each category below the images' root.

    Without ``wanted``, a folder that holds image files is a category; one that holds only folders
    is a generator, and these folders are categories. With it, a folder of a wanted name is that
    category, and any other folder is a generator if wanted ones are in it.

    Returns:
        ``{category: [(generator or None, folder below root)]}``, and notes on what is not used.
    """
    found: dict[str, list[tuple[str | None, str]]] = {}
    notes = []
    for name in _folders(root):
        inner = _folders(root / name)
        if wanted is None:
            is_category = not inner or _holds_images(root / name)
            of_generator = [] if is_category else inner
        else:
            is_category = name in wanted
            of_generator = [] if is_category else [folder for folder in inner if folder in wanted]
        if is_category:
            found.setdefault(name, []).append((None, name))
        for folder in of_generator:
            found.setdefault(folder, []).append((name, f"{name}/{folder}"))
        if not is_category and not of_generator:
            notes.append(f"{root / name} is not used: it is no category that was asked for")
    with os.scandir(root) as scan:
        loose = sorted(entry.name for entry in scan if is_file(entry) and _is_image(entry.name))
    if loose:
        notes.append(f"{len(loose)} images directly in {root} are not used ({loose[0]}, ...)")
    with os.scandir(root) as scan:
        links = sorted(entry.name for entry in scan if entry.is_symlink() and is_folder(entry))
    notes += [
        f"{root / name} is a link to a folder and not followed: set images.root to where the "
        "images are, or copy them"
        for name in links
    ]
    return found, notes


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as scan:
        return sorted(
            entry.name
            for entry in scan
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )


def _holds_images(folder: Path) -> bool:
    with os.scandir(folder) as scan:
        return any(_is_image(e.name) and not e.is_dir(follow_symlinks=False) for e in scan)


def _is_image(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def _bad_name(name: str) -> str | None:
    """Why a name cannot stand in paths and tables, or None."""
    if not name.strip():
        return "is blank"
    if name == "*":
        return "is reserved: in the tables it stands for all"
    if "/" in name or name.startswith("."):
        return "cannot be used as a name: it has a slash in it or starts with a dot"
    if re.search(r"[{}\x00-\x1f\x7f]", name) or not name.isprintable():
        return "cannot be used as a name: it has braces or control characters in it"
    if len(os.fsencode(name)) > 120:
        return "is too long for a name: the limit is 120 bytes"
    return None


def _bad_folder(name: str, folders: Iterable[tuple[str | None, str]]) -> str | None:
    for part in (name, *(generator for generator, _ in folders if generator is not None)):
        if message := _bad_name(part):
            return f"the folder {part!r} {message}. Rename it"
    if not words(name):
        return f"the category {name!r} has no word in its name. Rename the folder"
    return None


# Models ----------------------------------------------------------------------------------------


def _model_entries(
    settings: Mapping[str, Any], schema: Mapping[str, Any], problems: list[Problem]
) -> list[dict[str, Any]]:
    """The models as mappings with defaults and names."""
    item = schema["properties"]["models"]["items"]
    entries: list[dict[str, Any]] = []
    for index, model in enumerate(settings["models"]):
        entry = fill_defaults({"model": model} if isinstance(model, str) else model, item)
        entry["name"] = entry["name"] or entry["model"].partition("/")[2] or entry["model"]
        key: Key = ("models", index)
        earlier = {other["name"]: f"models[{i}]" for i, other in enumerate(entries)}
        _check_name(entry["name"], earlier, key, problems)
        if entry["checkpoint"] is not None and not is_file(entry["checkpoint"]):
            message = f"no file {entry['checkpoint']!r} (relative paths start at {Path.cwd()})"
            problems.append(Problem((*key, "checkpoint"), message))
        try:
            canonical_json(entry["arguments"])
        except (TypeError, ValueError):
            message = "may hold text, finite numbers, true, false, null, lists and mappings alone"
            problems.append(Problem((*key, "arguments"), message))
        entries.append(entry)
    return entries


def _check_name(name: str, earlier: Mapping[str, str], key: Key, problems: list[Problem]) -> None:
    """A model's name must be fit for paths and its own; ``earlier`` says whose a taken one is."""
    if message := _bad_name(name):
        problems.append(Problem(key, f"the name {name!r} {message}: give a `name`"))
    if name in earlier:
        message = (
            f"the name {name!r} is that of {earlier[name]} too: give one of them another `name`"
        )
        problems.append(Problem(key, message))


def _label_spaces(
    entries: Sequence[Mapping[str, Any]], problems: list[Problem]
) -> dict[str, LabelSpace]:
    spaces = {}
    for index, entry in enumerate(entries):
        try:
            spaces[entry["labels"]] = load_labels(entry["labels"])
        except LabelError as error:
            problems.append(Problem(("models", index, "labels"), str(error)))
    return spaces


def _check_words(
    categories: Mapping[str, Category],
    spaces: Mapping[str, LabelSpace],
    rules: Sequence[str],
    problems: list[Problem],
) -> None:
    """Every category must be met by some class of every label space, under some rule."""
    for space in spaces.values():
        names = sorted({name for lemmas in space.lemmas for name in lemmas} | set(space.simple))
        folded = {name.casefold(): name for name in names}
        for category in categories.values():
            name = category.target.name
            if any(accepted_classes(category.target, space, rule).any() for rule in rules):
                continue
            spoken = " ".join(words(name))
            close = difflib.get_close_matches(spoken, folded, n=3, cutoff=0.6)
            hint = f" (close: {', '.join(folded[name] for name in close)})" if close else ""
            message = (
                f"category {name!r} can never be hit: no class of {space.name} has "
                f"{spoken!r} in its name{hint}. Rename the folder, leave it out of `categories`, "
                "or define further names in `category_definitions`: "
                f"{name}: {{also: [NAME]}}"
            )
            problems.append(Problem(("categories",), message))


def _resolve_models(
    entries: Sequence[dict[str, Any]],
    spaces: Mapping[str, LabelSpace],
    preprocess: str,
    cache: Path,
    problems: list[Problem],
) -> dict[str, Model]:
    requests = [
        {
            key: entry[key]
            for key in (
                *("model", "arguments", "labels", "resize", "crop", "interpolation"),
                *("mean", "std"),
            )
        }
        | {"local": entry["checkpoint"] is not None, "classes": len(spaces[entry["labels"]])}
        for entry in entries
    ]
    models = {}
    answers = resolve_cached(requests, preprocess, cache)
    for index, (entry, answer) in enumerate(zip(entries, answers, strict=True)):
        if "error" in answer:
            message = answer["error"].removeprefix(f"{entry['model']}: ")
            problems.append(Problem(("models", index), f"{entry['model']}: {message}"))
            continue
        resolved = answer["model"]
        models[entry["name"]] = Model(
            name=entry["name"],
            architecture=resolved["architecture"],
            checkpoint=entry["checkpoint"],
            reference=entry["reference"],
            labels=entry["labels"],
            geometry=Geometry.from_dict(resolved["geometry"]),
            mean=tuple(resolved["mean"]),
            std=tuple(resolved["std"]),
        )
    return models


def resolve_cached(
    requests: Sequence[dict[str, Any]], preprocess: str, cache: Path
) -> list[dict[str, Any]]:
    """What :mod:`synthsight.classifiers.resolve` answers to each request, or the cache.

    An answer holds as long as the request, the versions of the libraries and the code do. Errors
    are not kept.
    """
    context = {
        "preprocess": preprocess,
        "versions": {name: version(name) for name in _LIBRARIES},
        "code": code_digest(Path(__file__).parents[1] / "classifiers" / "resolve.py"),
    }
    paths = []
    for request in requests:
        digest = hashlib.sha256(canonical_json({**context, "request": request}).encode())
        paths.append(cache / f"model-{digest.hexdigest()[:24]}.json")
    answers: list[dict[str, Any] | None] = [
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None for path in paths
    ]
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


# Questions -------------------------------------------------------------------------------------


def _vqa(
    settings: Mapping[str, Any],
    schema: Mapping[str, Any],
    classifiers: Sequence[str],
    without_images: bool,
    problems: list[Problem],
    notes: list[str],
) -> Vqa | None:
    about = settings["vqa"]
    if about is None:
        return None
    models: dict[str, dict[str, Any]] = {}
    taken = {name: f"models[{index}]" for index, name in enumerate(classifiers)}
    item = schema["properties"]["vqa"]["properties"]["models"]["items"]
    for index, model in enumerate(about["models"]):
        entry = fill_defaults({"model": model} if isinstance(model, str) else model, item)
        key: Key = ("vqa", "models", index)
        if (entry["model"] is None) == (entry["checkpoint"] is None):
            message = "give either `model` (OWNER/NAME on the hub) or `checkpoint` (local files)"
            problems.append(Problem(key, message))
            continue
        name = entry["name"] or _source_name(entry["model"], entry["checkpoint"])
        _check_name(name, taken, key, problems)
        taken[name] = f"vqa.models[{index}]"
        if entry["checkpoint"] is not None and (reason := _bad_checkpoint(entry["checkpoint"])):
            problems.append(Problem((*key, "checkpoint"), reason))
        if entry["tokenizer"] is not None and not is_folder(entry["tokenizer"]):
            message = f"no folder {entry['tokenizer']!r} (relative paths start at {Path.cwd()})"
            problems.append(Problem((*key, "tokenizer"), message))
        models[name] = {**entry, "name": name}
    root = Path(about["root"] or settings["images"]["root"])
    if without_images:
        return Vqa(str(root), models, shards={}, content="", images=0)
    if not is_folder(root):
        problems.append(Problem(("vqa", "root"), f"no folder {str(root)!r}"))
        return None
    try:
        questions = read_questions(Path(about["questions"]), about["columns"], root)
    except QuestionsError as error:
        problems.append(Problem(("vqa", "questions"), str(error)))
        return None
    excluded = [question for question in questions if question.reason is not None]
    if excluded and about["invalid"] == "refuse":
        problems.append(Problem(("vqa", "questions"), _refusal(about["questions"], excluded)))
    elif len(excluded) == len(questions):
        message = _refusal(about["questions"], excluded)
        problems.append(Problem(("vqa", "questions"), f"no question can be asked: {message}"))
    elif excluded:
        notes.append(
            f"{about['questions']}: {len(excluded)} of {len(questions)} questions are left out; "
            "tables/excluded_questions.csv will say which and why"
        )
    dealt = deal(questions, about["shards"])
    return Vqa(
        root=str(root),
        models=models,
        shards={shard: shard_digest(part, root) for shard, part in dealt.items()},
        content=hashlib.sha256(repr(questions).encode()).hexdigest(),
        images=len({question.image for part in dealt.values() for question in part}),
    )


def _source_name(model: str | None, checkpoint: str | None) -> str:
    if model is not None:
        return model.partition("@")[0].rpartition("/")[2]
    path = Path(str(checkpoint))
    return path.stem if is_file(path) else path.name


def _refusal(file: str, excluded: Sequence[Question], keep: int = 20) -> str:
    """The questions that cannot be asked, each with its line."""
    lines = [f"line {question.line}: {question.reason}" for question in excluded[:keep]]
    if len(excluded) > keep:
        lines.append(f"... and {len(excluded) - keep} more")
    return f"{len(excluded)} questions of {file} cannot be asked\n    " + "\n    ".join(lines)


def _bad_checkpoint(checkpoint: str) -> str | None:
    """Why a local VQA model cannot be used, as far as a glance tells, or None."""
    path = Path(checkpoint)
    if is_file(path):
        return None
    if not is_folder(path):
        return f"no file or folder {checkpoint!r} (relative paths start at {Path.cwd()})"
    try:
        found = json.loads((path / "config.json").read_text(encoding="utf-8")).get("model_type")
    except OSError:
        return f"no config.json in {checkpoint}: it must say what the model is"
    except (ValueError, AttributeError, RecursionError):
        return f"{path / 'config.json'} is no JSON mapping"
    if found not in VQA_FAMILIES:
        known = ", ".join(VQA_FAMILIES)
        return f"{path / 'config.json'} has the model_type {found!r}; supported: {known}"
    return None


# Messages --------------------------------------------------------------------------------------


def _close(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _place(key: Key, files: Sequence[Path]) -> str:
    """File, line and key, as ``config.yaml, line 12, models[2].model``."""
    spoken = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    spoken = spoken.removeprefix(".") or "the configuration"
    # Snakemake merges the mappings of several files and lets the last one's lists replace others.
    mappings = next((i for i, part in enumerate(key) if isinstance(part, int)), len(key))
    for length in range(mappings, 0, -1):
        for file in reversed(files):
            if _line(file, key[:length]) is not None:
                lines = (_line(file, key[:end]) for end in range(len(key), 0, -1))
                line = next(line for line in lines if line is not None)
                return f"{file}, line {line}, {spoken}"
    return spoken


def _line(file: Path, key: Key) -> int | None:
    """The line, from 1, on which a key of a YAML file stands; None if it is not there."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    line = None
    for part in key:
        if isinstance(node, yaml.MappingNode):
            matches = [(k, v) for k, v in node.value if k.value == part]
            if not matches:
                return None
            name, node = matches[-1]
            line = name.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return None
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return None
    return line
