"""From logits to scores, through the same function as in the workflow."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.classifiers import score as scoring
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.labels.definitions import Definition, read_definitions
from synthsight.labels.matching import RULES, Target
from synthsight.labels.spaces import load_labels
from synthsight.library.errors import ApiError
from synthsight.plan.standalone import definitions_file
from synthsight.wording import did_you_mean

#: Category definitions: a YAML file like ``resources/categories.yaml``, or its content.
Definitions = str | os.PathLike[str] | Mapping[str, Definition]

#: The first one, which is the default: that of Borji 2022.
PAPERS_RULE = next(iter(RULES))


def rules() -> tuple[str, ...]:
    """The names of all matching rules."""
    return tuple(RULES)


def score(
    logits: pd.DataFrame | npt.ArrayLike,
    category: str | Sequence[str] | None = None,
    *,
    labels: str | os.PathLike[str] = "imagenet-1k",
    rule: str = PAPERS_RULE,
    definitions: Definitions | None = None,
    among: Sequence[str] | None = None,
    aggregation: str = "max",
) -> pd.DataFrame:
    """Score logits: which images a classifier gets, under a matching rule.

    Args:
        logits: one row for each image and one column for each class: a frame from
            :meth:`Run.logits`, another frame (its index names the images), or an array.
        category: what the images show, one name for all or one for each; None to take it from the
            frame's index, which frames from :meth:`Run.logits` have.
        labels: the label space, or a file with one line for each class.
        rule: one of :func:`rules`.
        definitions: definitions of the categories; None for the project's
            ``resources/categories.yaml``.
        among: categories that the rule ``restricted`` chooses from; None for those of the images.
        aggregation: for the rule ``restricted``, ``max`` or ``mean``.

    Returns:
        A frame like that of :meth:`Run.scores`, one row for each image in the order given;
        ``generator`` is missing.

    Raises:
        ApiError: shapes or names do not fit together, there is no such rule, or a logit is not
            finite.
        synthsight.classifiers.score.ScoreError: the number of classes is not that of the labels.
    """
    frame = logits if isinstance(logits, pd.DataFrame) else pd.DataFrame(np.asarray(logits))
    values = frame.to_numpy(np.float32)
    if not np.isfinite(values).all():
        raise ApiError("a logit is NaN or infinite")
    if rule not in rules():
        known = did_you_mean(rule, rules()) or f"; available: {', '.join(rules())}"
        raise ApiError(f"no matching rule {rule!r}{known}")
    if aggregation not in ("max", "mean"):
        raise ApiError(f"no aggregation {aggregation!r}; available: max, mean")
    images = [str(name) for name in _level(frame, "image", -1)]
    shown = _categories(frame, category)
    if twice := [key for key, n in Counter(zip(shown, images, strict=True)).items() if n > 1]:
        raise ApiError(f"the image {twice[0][1]!r} occurs twice")
    known_of = _read_definitions(definitions)
    names = sorted({*shown, *(among or ())})
    targets = {name: known_of.get(name, Definition()).target(name) for name in names}
    of = np.array(shown, dtype=object)
    with TemporaryDirectory(prefix="synthsight-") as folder:
        files: dict[str, tuple[Path, Path]] = {}
        for number, name in enumerate(names):
            rows = np.flatnonzero(of == name)
            manifest, stored = (Path(folder, f"{number}.{what}") for what in ("images", "logits"))
            write_manifest(manifest, [_record(images[row], name) for row in rows])
            _store(stored, [images[row] for row in rows], values[rows])
            files[name] = stored, manifest
        scored = score_files(files, targets, os.fspath(labels), [rule], aggregation, Path(folder))
    order = {key: row for row, key in enumerate(zip(shown, images, strict=True))}
    keys = zip(scored["category"], scored["image"], strict=True)
    return scored.iloc[np.argsort([order[key] for key in keys])].reset_index(drop=True)


def score_files(
    files: Mapping[str, tuple[Path, Path]],
    targets: Mapping[str, Target],
    labels: str,
    wanted: Sequence[str],
    aggregation: str,
    folder: Path,
) -> pd.DataFrame:
    """Score logits and manifests from files, by category, as the workflow does."""
    output = folder / "scores"
    logits = {name: stored for name, (stored, _) in files.items()}
    manifests = {name: manifest for name, (_, manifest) in files.items()}
    space = load_labels(labels)
    scoring.score(logits, manifests, targets, space, wanted, output, aggregation)
    return read_scores(output)


def read_scores(path: Path) -> pd.DataFrame:
    """A file from :func:`synthsight.classifiers.score.score` as a frame, with class names."""
    table = pq.read_table(path)
    names = class_names(table.schema)
    frame: pd.DataFrame = table.to_pandas().rename(columns={"predicted": "classes"})
    predicted = [[names[number] for number in numbers] for numbers in frame["classes"]]
    frame.insert(list(frame).index("classes"), "predicted", predicted)
    return frame


def class_names(schema: pa.Schema) -> tuple[str, ...]:
    """One name for each class of a model, from the schema of its scores."""
    return tuple(json.loads(schema.metadata[b"class_names"]))


def _store(path: Path, images: list[str], logits: npt.NDArray[np.float32]) -> None:
    """Store logits as the workflow does, but without compression and without importing torch."""
    values = pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), logits.shape[1])
    table = pa.table({"image": pa.array(images, pa.string()), "logits": values})
    pq.write_table(table.replace_schema_metadata({"synthsight": '{"model": "given"}'}), path)


def _record(image: str, category: str) -> ImageRecord:
    return ImageRecord(image, category, None, None, None, None, "ok", None)


def _level(frame: pd.DataFrame, name: str, otherwise: int) -> pd.Index[Any]:
    return frame.index.get_level_values(name if name in frame.index.names else otherwise)


def _categories(frame: pd.DataFrame, category: str | Sequence[str] | None) -> list[str]:
    if isinstance(category, str):
        return [category] * len(frame)
    if category is None:
        if "category" not in frame.index.names:
            raise ApiError("what do the images show? Give `category`, one for all or one for each")
        return list(frame.index.get_level_values("category"))
    if len(category) != len(frame):
        raise ApiError(f"{len(frame)} images, but {len(category)} categories")
    return list(category)


def _read_definitions(definitions: Definitions | None) -> Mapping[str, Definition]:
    if isinstance(definitions, Mapping):
        return definitions
    return read_definitions(Path(definitions or definitions_file()))
