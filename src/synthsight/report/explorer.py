"""The explorer's data, in compact form: every image and question on the page, with all predictions.

Each name is stored once, everything else is a number: 2,000 images and ten models take 1.5 MB.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthsight.classifiers.judging import TOP
from synthsight.errors import SynthsightError
from synthsight.files import MAKE_AGAIN
from synthsight.images.manifest import ImageRecord
from synthsight.statistics.hits import HitsError, rules_of
from synthsight.tables import metadata_of, read_parquet, read_schema
from synthsight.wording import one_line

#: The columns needed from scores and from answers.
SCORES = ["image", "rule", "top1_hit", "top5_hit", "predicted", "probability"]
ANSWERS = ["image", "question", "answer", "kind", "generator", "p_yes", "correct"]

#: What was said, in files of models that say a text, and characters of it that the page has.
_SAID, _LONGEST = "said", 120

#: Probabilities are stored as integers, in this many parts of 1.
PARTS = 1000

#: Decimals of P(yes), more than the page shows, so that it is not rounded twice.
YES_DIGITS = 5


class Names:
    """Names that are stored once and referred to by number."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        """The number of a name; a new name gets the next one."""
        return self.names.setdefault(name, len(self.names))


#: For each rule and category the numbers of the classes that are accepted.
Accepted = Mapping[tuple[str, str], frozenset[int]]


def accepted_by(audit: pd.DataFrame, label_space: str) -> dict[tuple[str, str], frozenset[int]]:
    """What the rules accept of a label space.

    Args:
        audit: the table of :func:`synthsight.labels.audit.label_audit`.
        label_space: its name there.
    """
    found: dict[tuple[str, str], set[int]] = {}
    rows = audit[(audit["label_space"] == label_space) & audit["index"].notna()]
    for category, index, rules in rows[["category", "index", "accepted_by"]].to_numpy():
        for rule in str(rules or "").split():
            found.setdefault((rule, category), set()).add(int(index))
    return {key: frozenset(numbers) for key, numbers in found.items()}


def image_data(
    records: Sequence[ImageRecord],
    scores: Sequence[str | os.PathLike[str]],
    accepted: Mapping[str, Accepted],
) -> dict[str, Any]:
    """The data of the image explorer.

    Args:
        records: manifest records of the images on the page, in the order of the page.
        scores: Parquet files from :func:`synthsight.classifiers.score.score`, one per model.
        accepted: what :func:`accepted_by` says of each model's label space, by the models' names.

    Returns:
        ``images``: names; ``category``, ``generator`` (or null), ``width``, ``height``: a list
        each. ``real``: the generators whose images are real photographs. ``rules``: names.
        ``names``: names of classes. ``models``: a list of ``name``, ``hits`` (for each rule, a
        string with one digit per image: 2 for a top-1 hit, 1 for a hit within five, 0 for none, 3
        where the best class is wrong and five are not known, 4 where no hit is), ``five`` (for each
        rule, whether top-5 hits are known), ``counted`` (for each rule, a string with one letter
        per image: the place, 0 to 4, of the first guess that is right, a dash if none is),
        ``top`` (for each rule, the number of its block) and ``blocks``, each with ``classes`` and
        ``parts``: the five predictions image by image, as numbers of names (-1 where there are
        fewer) and probabilities in thousandths (-1 where they are not known).

    Raises:
        synthsight.statistics.hits.HitsError: scores lack an image or a rule.
    """
    images = [record.image for record in records]
    rules = rules_of(scores[0])
    names = Names()
    return {
        "images": images,
        "category": [record.category for record in records],
        "generator": [record.generator for record in records],
        "real": _real(scores[0]),
        "width": [record.width for record in records],
        "height": [record.height for record in records],
        "rules": rules,
        "models": [
            _model(path, rules, images, [record.category for record in records], accepted, names)
            for path in scores
        ],
        "names": list(names.names),
    }


def _real(scores: str | os.PathLike[str]) -> list[str]:
    """The generators whose images are real photographs, sorted."""
    table = read_parquet(scores, ["generator", "real"], filters=[("real", "=", True)])
    return sorted(table["generator"].unique().to_pylist())


def _model(
    path: str | os.PathLike[str],
    rules: Sequence[str],
    images: Sequence[str],
    categories: Sequence[str],
    accepted: Mapping[str, Accepted],
    names: Names,
) -> dict[str, Any]:
    # Of a million images those on the page are a small part, and memory holds no others.
    table = read_parquet(path, SCORES, filters=[("image", "in", list(images))])
    model = metadata_of(table.schema, "model", path)
    class_names = metadata_of(table.schema, "class_names", path)
    numbers = np.full(len(classes := _strings(class_names)) + 1, -1)
    hits: dict[str, str] = {}
    counted: dict[str, str] = {}
    five: dict[str, bool] = {}
    top: dict[str, int] = {}
    blocks: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for rule in rules:
        rows = table.filter(pc.equal(table["rule"], rule))
        places = pc.index_in(pa.array(images, pa.string()), rows["image"])
        if places.null_count:
            lacking = images[places.to_pylist().index(None)]
            raise HitsError(f"{path} is not about {lacking!r} under {rule}; {MAKE_AGAIN}")
        rows = rows.take(places)
        hits[rule] = _digits(rows["top1_hit"], rows["top5_hit"])
        five[rule] = rows["top5_hit"].null_count == 0
        predicted = _padded(rows["predicted"], -1).astype(np.int64)
        taken = [
            accepted.get(model, {}).get((rule, category), frozenset()) for category in categories
        ]
        counted[rule] = _counted(hits[rule], predicted, taken)
        shares = np.nan_to_num(_padded(rows["probability"], 0), nan=-1 / PARTS)
        parts = np.rint(shares * PARTS).astype(np.int64)
        for number, (other, others_parts) in enumerate(blocks):
            if np.array_equal(predicted, other) and np.array_equal(parts, others_parts):
                top[rule] = number
                break
        else:
            top[rule] = len(blocks)
            blocks.append((predicted, parts))
    for each in np.unique(np.concatenate([predicted for predicted, _ in blocks])):
        numbers[each] = -1 if each < 0 else names(classes[each])
    return {
        "name": model,
        "hits": hits,
        "counted": counted,
        "five": five,
        "top": top,
        "blocks": [
            {"classes": numbers[predicted].ravel().tolist(), "parts": parts.ravel().tolist()}
            for predicted, parts in blocks
        ],
    }


def _digits(top1: pa.ChunkedArray, top5: pa.ChunkedArray) -> str:
    """A digit for each image, see :func:`image_data`."""
    digits = {
        (True, True): "2",
        (False, True): "1",
        (False, False): "0",
        (True, None): "2",
        (False, None): "3",
        (None, None): "4",
    }
    return "".join(map(digits.__getitem__, zip(top1.to_pylist(), top5.to_pylist(), strict=True)))


def _counted(digits: str, predicted: npt.NDArray[np.int64], taken: Sequence[frozenset[int]]) -> str:
    """The place of the guess that counts, image by image, see :func:`image_data`."""
    letters = []
    for digit, row, classes in zip(digits, predicted.tolist(), taken, strict=True):
        places = [place for place, each in enumerate(row) if each in classes]
        letters.append("0" if digit == "2" else str(places[0]) if digit == "1" and places else "-")
    return "".join(letters)


def _strings(content: str) -> list[str]:
    names: list[str] = json.loads(content)
    return names


def _padded(column: pa.ChunkedArray, missing: float) -> npt.NDArray[np.float64]:
    """Lists of at most five numbers as an array (rows, 5)."""
    column = column.combine_chunks()
    lengths = pc.list_value_length(column).fill_null(0).to_numpy().astype(int)
    values = np.full((len(column), TOP), missing, dtype=float)
    values[np.arange(TOP) < lengths[:, None]] = column.flatten().to_numpy(zero_copy_only=False)
    return values


def question_data(
    answers: Sequence[str | os.PathLike[str]], wanted: Mapping[str, int]
) -> dict[str, Any]:
    """The data of the question explorer.

    Args:
        answers: Parquet files from :func:`synthsight.vqa.score.score_vqa`, one per model, about the
            same questions.
        wanted: the images on the page, each with the number of its picture; questions about other
            images are left out.

    Returns:
        ``image``, ``picture``, ``question``, ``answer``, ``kind``, ``generator``: a list each.
        ``models``: a list of ``name``, ``yes`` (P(yes), null where it is not
        known), ``correct`` (a string with one digit per question, or a dash without an answer), and
        ``said`` of models that say texts (null where it is nothing but yes or no).
    """
    columns: pd.DataFrame | None = None
    models = []
    for path in answers:
        further = [_SAID] if _SAID in read_schema(path).names else []
        file = read_parquet(path, [*ANSWERS, *further])
        rows = file.filter(pc.is_in(file["image"], pa.array(list(wanted), pa.string()))).to_pandas()
        columns = rows if columns is None else columns
        models.append(
            {
                "name": metadata_of(file.schema, "model", path),
                "yes": [
                    None if np.isnan(p) else round(float(p), YES_DIGITS) for p in rows["p_yes"]
                ],
                "correct": "".join(
                    "-" if pd.isna(right) else str(int(right)) for right in rows["correct"]
                ),
                **({"said": list(map(_shown, rows[_SAID]))} if further else {}),
            }
        )
    if columns is None:
        raise SynthsightError("no answers")
    return {
        "image": columns["image"].tolist(),
        "picture": [wanted[image] for image in columns["image"]],
        **{key: columns[key].tolist() for key in ("question", "answer", "kind")},
        "generator": [
            None if pd.isna(generator) else str(generator) for generator in columns["generator"]
        ],
        "models": models,
    }


def _shown(said: str | None) -> str | None:
    """What a model said, as the page has it: on one line; None if it is nothing but yes or no."""
    if said is None or pd.isna(said) or said.strip(" .!\n").lower() in ("yes", "no"):
        return None
    return one_line(said, _LONGEST)
