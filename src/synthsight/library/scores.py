"""From logits to scores, through the same function as in the workflow."""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.classifiers import score as scoring
from synthsight.files import check_unchanged, is_file
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.labels.definitions import (
    Definition,
    DefinitionError,
    definitions_in,
    read_definitions,
)
from synthsight.labels.matching import RULES, Target, accepted_classes, find_rule
from synthsight.labels.spaces import LabelSpace, load_labels
from synthsight.library.errors import ApiError
from synthsight.origin import Origin, read_origin
from synthsight.plan.config.definitions import Definitions as Defined
from synthsight.plan.standalone import definitions_file
from synthsight.wording import did_you_mean

#: Category definitions: a YAML file like ``resources/categories.yaml``, or what is in one.
Definitions = str | os.PathLike[str] | Mapping[str, Definition | Mapping[str, Any]]

#: The first one, which is the default: that of Borji 2022.
PAPERS_RULE = next(iter(RULES))


def rules() -> tuple[str, ...]:
    """The names of all matching rules."""
    return tuple(RULES)


def score(
    logits: pd.DataFrame | npt.ArrayLike,
    category: str | Sequence[str] | pd.Series | None = None,
    *,
    labels: str | os.PathLike[str] | None = None,
    rule: str = PAPERS_RULE,
    definitions: Definitions | None = None,
    among: Sequence[str] | None = None,
    aggregation: str | None = None,
) -> pd.DataFrame:
    """Score logits: which images a classifier gets, under a matching rule.

    A frame from :meth:`Run.logits` knows how its run scored it: its label space, the definitions of
    its categories, which ones there were to choose from and how. That is taken unless something
    else is given, and what pandas makes of such a frame usually knows it, too.

    Args:
        logits: one row for each image and one column for each class: a frame from
            :meth:`Run.logits`, another frame (its index names the images), or an array. A frame's
            columns are the numbers of the classes, from 0, or their names, in any order.
        category: what the images show, one name for all or one for each; a series goes by its
            index, which for an array must be 0, 1, 2, ... None to take it from the frame's index,
            which frames from :meth:`Run.logits` have.
        labels: the label space, or a file with one line for each class; None for the run's or
            ``imagenet-1k``. A warning says what is doubtful about how the file was read.
        rule: one of :func:`rules`.
        definitions: definitions of the categories, a file or its content, as
            ``{"rabbit": {"also": ["hare"]}}``; None for the run's or the project's
            ``resources/categories.yaml``.
        among: a list of categories that the rule ``restricted`` chooses from; None for the run's or
            those of the images. Two of them must have classes among the labels.
        aggregation: for the rule ``restricted``, ``max`` or ``mean``; None for the run's or
            ``max``.

    Returns:
        A frame like that of :meth:`Run.scores`, one row for each image in the order given;
        ``generator`` is missing.

    Raises:
        ApiError: shapes or names do not fit together, there is no such rule, a logit is not finite,
            or there is nothing to choose from.
        synthsight.labels.definitions.DefinitionError: the definitions do not follow their schema.
        synthsight.classifiers.score.ScoreError: the number of classes is not that of the labels.
        synthsight.files.FileError: the run's label file has changed.
    """
    frame = logits if isinstance(logits, pd.DataFrame) else _rows_of(logits)
    of_run = _as_scored(frame)
    if labels is None:
        labels = of_run.labels
        if of_run.content is not None:
            if not is_file(labels):
                raise ApiError(
                    f"{labels} is missing, the label file of the run that the logits are from: "
                    "give it as `labels`, or open the run in its project"
                )
            check_unchanged(labels, of_run.content)
    if aggregation is None:
        aggregation = of_run.aggregation
    space = load_labels(os.fspath(labels))
    for note in space.notes:
        warnings.warn(f"{space.name}: {note}", stacklevel=2)
    values = _by_class(frame, space)
    if not np.isfinite(values).all():
        raise ApiError("a logit is NaN or infinite")
    if rule not in rules():
        known = did_you_mean(rule, rules()) or f"; available: {', '.join(rules())}"
        raise ApiError(f"no matching rule {rule!r}{known}")
    if aggregation not in ("max", "mean"):
        raise ApiError(f"no aggregation {aggregation!r}; available: max, mean")
    images = [str(name) for name in _level(frame, "image", -1)]
    shown = _categories(frame, category, isinstance(logits, pd.DataFrame))
    if twice := [key for key, n in Counter(zip(shown, images, strict=True)).items() if n > 1]:
        raise ApiError(f"the image {twice[0][1]!r} occurs twice")
    given = of_run.definitions if definitions is None else definitions
    defined = Defined("", _read_definitions(given))
    if isinstance(among, str) or not all(isinstance(name, str) for name in among or ()):
        raise ApiError(f"`among` is a list of categories, not {among!r}")
    names = sorted({*shown, *((of_run.definitions or ()) if among is None else among)})
    targets = {name: defined.of(name).target(name) for name in names}
    if find_rule(rule).choice:
        _check_choice(rule, targets, among or (), space)
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


def _rows_of(logits: npt.ArrayLike) -> pd.DataFrame:
    """An array of logits as a frame."""
    try:
        values = np.asarray(logits)
    except ValueError as error:
        raise ApiError(f"logits must be an array: {error}") from None
    if values.ndim != 2:
        raise ApiError(
            "logits must have two dimensions, a row for each image and a column for each class; "
            f"these have the shape {values.shape}"
        )
    return pd.DataFrame(values)


def _check_choice(
    rule: str, targets: Mapping[str, Target], among: Sequence[str], labels: LabelSpace
) -> None:
    """Refuse a choice that says nothing, as there is only one category that can be chosen.

    Args:
        rule: one that chooses among categories.
        targets: the categories.
        among: those that the caller has named. One that nobody has defined must have a class.
        labels: the classes.
    """
    able = [name for name, each in targets.items() if accepted_classes(each, labels, rule).any()]
    for name in among:
        if name not in able and targets[name].classes is None:
            known = {each for names in labels.lemmas for each in names}
            raise ApiError(
                f"no class of {labels.name} is called {name!r}, which is in `among`, so that it "
                f"could never be chosen{did_you_mean(name, sorted(known))}"
            )
    if len(able) < 2:
        what = f"{able[0]!r} alone is no choice" if able else "none of these has any"
        raise ApiError(
            f"{rule!r} chooses among categories that have classes, and {what}: name the others in "
            "`among`"
        )


def _store(path: Path, images: list[str], logits: npt.NDArray[np.float32]) -> None:
    """Store logits as the workflow does, but without compression and without importing torch."""
    values = pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), logits.shape[1])
    table = pa.table({"image": pa.array(images, pa.string()), "logits": values})
    pq.write_table(table.replace_schema_metadata({"synthsight": '{"model": "given"}'}), path)


def _record(image: str, category: str) -> ImageRecord:
    return ImageRecord(image, category, None, None, None, None, "ok", None)


def _level(frame: pd.DataFrame, name: str, otherwise: int) -> pd.Index[Any]:
    return frame.index.get_level_values(name if name in frame.index.names else otherwise)


def _by_class(frame: pd.DataFrame, labels: LabelSpace) -> npt.NDArray[np.float32]:
    """The logits in the order of the classes, by the names of the columns."""
    found = list(frame.columns)
    numbers = [int(name) if str(name).isdecimal() else None for name in found]
    count = len(found)
    if None not in numbers:
        places = {number: place for place, number in enumerate(numbers)}
        if lost := sorted(set(range(count)) - set(places)):
            raise ApiError(
                f"the columns are not numbered from 0 to {count - 1}: {lost[0]} is missing. All "
                "classes are needed, in any order"
            )
        order = [places[number] for number in range(count)]
    elif found == list(labels.simple):
        order = list(range(count))
    else:
        unknown = [name for name in found if name not in labels.simple]
        lost_names = [name for name in labels.simple if name not in found]
        if unknown or lost_names or len(set(found)) < count:
            what = f"{unknown[0]!r} is no class" if unknown else "a class is missing or twice"
            raise ApiError(
                f"the columns are neither the numbers nor the names of the classes of "
                f"{labels.name}: {what}. Call them 0, 1, 2, ..."
            )
        order = [found.index(name) for name in labels.simple]
    try:
        return frame.to_numpy(np.float32)[:, order]
    except (TypeError, ValueError) as error:
        raise ApiError(f"a column holds something else than logits: {error}") from None


def _categories(
    frame: pd.DataFrame, category: str | Sequence[str] | pd.Series | None, named: bool
) -> list[str]:
    """What each image shows; ``named`` is whether the index says which image a row is."""
    if isinstance(category, str):
        return [category] * len(frame)
    if category is None:
        if "category" not in frame.index.names:
            raise ApiError("what do the images show? Give `category`, one for all or one for each")
        return list(frame.index.get_level_values("category"))
    if isinstance(category, Mapping | Set | pd.DataFrame) or not hasattr(category, "__len__"):
        raise ApiError(
            "the categories must be a list, in the order of the images, or a series, not a "
            f"{type(category).__name__}"
        )
    if len(category) != len(frame):
        raise ApiError(f"{len(frame)} images, but {len(category)} categories")
    if isinstance(category, pd.Series):
        if not named and not category.index.equals(frame.index):
            raise ApiError(
                "a series of categories goes by its index, which an array does not have: give "
                "`.tolist()` to go by the order, or the logits as a frame with the same index"
            )
        category = _aligned(category, frame)
    wrong = [each for each in category if not isinstance(each, str)]
    if wrong:
        raise ApiError(f"a category is a text, not {wrong[0]!r}")
    return list(category)


def _aligned(category: pd.Series, frame: pd.DataFrame) -> list[str]:
    """A series of categories in the order of a frame, by the index of both."""
    for index in (frame.index, _level(frame, "image", -1)):
        if category.index.equals(index):
            return list(category)
        if category.index.is_unique and index.is_unique and set(category.index) == set(index):
            return list(category.loc[list(index)])
    first = next((each for each in category.index if each not in frame.index), category.index[0])
    raise ApiError(
        f"the categories' index is not that of the logits: {first!r} is not an image's, or stands "
        "twice. Give a list to go by the order"
    )


def _read_definitions(definitions: Definitions | None) -> Mapping[str, Definition]:
    if isinstance(definitions, Mapping):
        ready = {name: each for name, each in definitions.items() if isinstance(each, Definition)}
        plain = {name: each for name, each in definitions.items() if name not in ready}
        if other := next((name for name in plain if not isinstance(name, str)), None):
            raise DefinitionError(f"`definitions`: the category {other!r} is not a text")
        return ready | definitions_in(plain, "`definitions`")
    return read_definitions(Path(definitions or definitions_file()))


# How a run scored its logits ---------------------------------------------------------------------

#: Where a frame keeps it, among what pandas calls its attributes, which it writes as JSON.
_ATTRIBUTE = "synthsight"


@dataclass(frozen=True)
class _AsScored:
    """How a run scored a model's logits; by default, how logits of no run are scored.

    Attributes:
        labels: its label space, or the label file.
        content: the sha256 of the label file, if it is one.
        definitions: those of the run's categories; None for the project's.
        aggregation: ``max`` or ``mean``.
    """

    labels: str = "imagenet-1k"
    content: str | None = None
    definitions: Mapping[str, Definition] | None = None
    aggregation: str = "max"


def with_scoring(logits: pd.DataFrame, scores: Path, project: Path) -> pd.DataFrame:
    """The logits of a run, with how the run scored them, if it has.

    Args:
        logits: the frame, to whose attributes this is added.
        scores: the file of the model's scores.
        project: the folder that the run's relative paths start at.
    """
    made = read_origin(scores)
    if isinstance(made, Origin):
        spec = json.loads(made.spec)
        kept = {key: spec[key] for key in ("labels", "aggregation", "categories")}
        if "content" in spec:
            kept |= {"content": spec["content"], "labels": str(project / spec["labels"])}
        logits.attrs[_ATTRIBUTE] = kept
    return logits


def _as_scored(logits: pd.DataFrame) -> _AsScored:
    """What a frame knows of it."""
    kept = logits.attrs.get(_ATTRIBUTE)
    if kept is None:
        return _AsScored()
    definitions = {
        name: Definition(
            tuple(about["also"]),
            None if about["classes"] is None else dict.fromkeys(about["classes"], ""),
        )
        for name, about in kept["categories"].items()
    }
    return _AsScored(kept["labels"], kept.get("content"), definitions, kept["aggregation"])
