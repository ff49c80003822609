"""What differs between two runs but their numbers: settings, models, images, versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthsight.comparing.same import Pairs, match
from synthsight.comparing.sides import Side

#: The columns of the table of what differs, all of them texts.
CONFIGURATION = ["part", "key", "a", "b"]

#: The parts, in the order in which they stand.
SETTINGS, MODELS, QUESTIONS = "settings", "models", "models that answer questions"
CATEGORIES, RULES, IMAGES, VERSIONS = "categories", "rules", "images", "versions"
PARTS = (SETTINGS, MODELS, QUESTIONS, CATEGORIES, RULES, IMAGES, VERSIONS)

#: What an entry of a list goes by: the first of these that it has.
_LISTED = ("name", "model", "url")

#: Aspects of a model, by the keys that they begin with, in the words of notes.
ASPECTS = {
    "weights": ("weights_sha256", "sha256", "safetensors_sha256", "files", "folder"),
    "server": ("endpoint",),
    "network": ("architecture", "library", "family", "revision"),
    "preprocessing": ("geometry", "mean", "std", "preprocess"),
    "classes": ("label_space",),
    "precision": ("precision",),
    "settings": ("settings",),
    "training": ("base", "encoder", "method", "sources", "folds", "seed"),
}

#: What is called so of models without weights of their own: the file that has their sha256.
_FILES = ("predictions", "answers")


def what_differs(a: Side, b: Side) -> pd.DataFrame:
    """All that two runs do not have in common, sorted by part and key.

    Returns:
        The columns :data:`CONFIGURATION`; ``a`` and ``b`` are empty where a run has no such thing.
        Of ``images``, ``N only here`` counts those whose content the other run does not have in the
        category; sources, groups and paths are compared where the content is the same.
    """
    rows = [
        *_rows(SETTINGS, flat(a.settings), flat(b.settings)),
        *_models(MODELS, a, b, (a.models, b.models)),
        *_models(QUESTIONS, a, b, (a.vqa_models, b.vqa_models)),
        *_rows(CATEGORIES, a.definitions, b.definitions),
        *_rows(RULES, dict.fromkeys(a.rules, "counted"), dict.fromkeys(b.rules, "counted")),
        *_images(a.images, b.images),
        *_rows(VERSIONS, a.versions, b.versions),
    ]
    return pd.DataFrame(rows, columns=CONFIGURATION).astype("str")


def flat(content: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """A mapping's values as texts by their paths, such as ``images.root``.

    In a list, a mapping goes by its name: order and place mean nothing.
    """
    found: dict[str, str] = {}
    for key, value in content.items():
        path = f"{before}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}.")
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for each in value:
                found |= _entry(path, each)
        else:
            found[path] = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return found


def _entry(path: str, entry: Any) -> dict[str, str]:
    if not isinstance(entry, Mapping):
        return {f"{path}[{entry}]": json.dumps(entry)}
    name = next((str(entry[key]) for key in _LISTED if entry.get(key)), json.dumps(entry))
    return flat(entry, f"{path}[{name}].")


def _rows(part: str, a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for key in sorted({*a, *b}):
        if a.get(key) != b.get(key):
            yield part, key, a.get(key, ""), b.get(key, "")


def _models(
    part: str, a: Side, b: Side, names: tuple[tuple[str, ...], tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Models that one run has alone, and what differs of those that both have."""
    for name in sorted({*names[0], *names[1]}):
        if name in names[0] and name in names[1]:
            yield from _rows(part, *(flat(each, f"{name}: ") for each in _known(a, b, name)))
        else:
            there = ("in the run", "") if name in names[0] else ("", "in the run")
            yield part, name, *there


def _known(a: Side, b: Side, model: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What both runs know of a model; nothing if one of them knows nothing any more."""
    both = a.abouts.get(model), b.abouts.get(model)
    return ({}, {}) if both[0] is None or both[1] is None else (both[0], both[1])


def aspects(a: Side, b: Side, model: str) -> list[str]:
    """In what a model of two runs differs, in the words of :data:`ASPECTS`."""
    known = _known(a, b, model)
    keys = {key for _, key, *_ in _rows("", *map(flat, known))}
    roots = {key.split(".")[0].split("[")[0] for key in keys}
    found = [name for name, begins in ASPECTS.items() if roots & {*begins}]
    files = [name for name in _FILES if any(name in each for each in known)]
    return [files[0] if files and name == "weights" else name for name in found]


def _images(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Images by category: their numbers, and what is known of those that both runs have."""
    names = sorted({*a["category"]} | {*b["category"]})
    for name in names:
        parts = _of(a, name), _of(b, name)
        pairs = match(parts[0], parts[1], ["category", "sha256"])
        alone = [len(part) - len(pairs.a) for part in parts]
        if any(alone):
            yield IMAGES, f"{name}: number", *(f"{len(part)}" for part in parts)
            yield IMAGES, f"{name}: only here", *map(str, alone)
        if changed := _changed(parts[0], parts[1], pairs):
            yield IMAGES, f"{name}: other content under the same path", str(changed), str(changed)
        for column, what in (
            ("image", "under another path"),
            ("generator", "of another generator"),
            ("group", "in another group"),
            ("real", "generated in one, real in the other"),
        ):
            mine, other = _column(parts[0], column)[pairs.a], _column(parts[1], column)[pairs.b]
            if number := int((mine != other).sum()):
                yield IMAGES, f"{name}: the same, {what}", str(number), str(number)


def _of(images: pd.DataFrame, category: str) -> pd.DataFrame:
    return images[images["category"] == category].sort_values("image", ignore_index=True)


def _column(images: pd.DataFrame, column: str) -> npt.NDArray[np.str_]:
    """A column as texts; no group where an image is its own."""
    values = images[column].astype("object").where(images[column].notna(), "")
    if column == "group":
        values = values.where(images["group"] != images["image"], "")
    texts: npt.NDArray[np.str_] = np.array(list(map(str, values)), dtype=np.str_)
    return texts


def _changed(a: pd.DataFrame, b: pd.DataFrame, pairs: Pairs) -> int:
    """How many paths hold an image in both runs that neither has elsewhere in the other."""
    left_a = a.drop(index=a.index[pairs.a])["image"]
    left_b = b.drop(index=b.index[pairs.b])["image"]
    return len({*left_a} & {*left_b})
