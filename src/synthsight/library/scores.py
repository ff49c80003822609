"""From logits to scores, through the same function as in the workflow."""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from synthsight.images.sources import describe, write_sources
from synthsight.labels.definitions import (
    Definition,
    DefinitionError,
    definitions_in,
    read_definitions,
    written_twice,
)
from synthsight.labels.matching import RULES, Target, accepted_classes, find_rule, words
from synthsight.labels.spaces import LabelSpace, load_labels
from synthsight.library import arguments
from synthsight.library.errors import ApiError
from synthsight.library.logits import by_class, categories, level, otherwise, rows_of
from synthsight.library.scored import AsScored, as_scored, is_of_run
from synthsight.plan.config.definitions import Definitions as Defined
from synthsight.plan.standalone import definitions_file
from synthsight.wording import did_you_mean, one_line

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
    among: Iterable[str] | None = None,
    aggregation: str | None = None,
) -> pd.DataFrame:
    """Score logits: which images a classifier gets, under a matching rule.

    A frame from :meth:`Run.logits` knows how its run scores it: its label space, the definitions of
    its categories, which ones there are to choose from and how. That is taken unless something
    else is given, and what pandas makes of such a frame usually knows it, too. Where pandas has
    forgotten it (in frames of different models that were joined, and in CSV files), all of it must
    be given: a frame whose index has the levels ``category`` and ``image``, or whose columns are
    called ``class``, is taken for one of a run.

    Args:
        logits: one row for each image and one column for each class: a frame from
            :meth:`Run.logits`, another frame (its index names the images), or an array. A frame's
            columns are the numbers of the classes, from 0, or their names, in any order.
        category: what the images show, one name for all or one for each; a series goes by its
            index, which for an array must be 0, 1, 2, ... None to take it from the frame's index,
            which frames from :meth:`Run.logits` have.
        labels: the label space, or a file with one line for each class; None for the run's or
            ``imagenet-1k``.
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

    Warns:
        UserWarning: no class counts for one of the categories, the index says otherwise than
            ``category``, an argument counts for nothing under the rule, or the definitions given
            leave out what the run knows of categories.

    Raises:
        ApiError: shapes or names do not fit together, there is no such rule, a logit is not finite,
            there is nothing to choose from, the run that the logits are from has no such category,
            or a frame of a run does not know how it is scored.
        synthsight.labels.definitions.DefinitionError: the definitions do not follow their schema.
        synthsight.classifiers.score.ScoreError: the number of classes is not that of the labels.
        synthsight.files.FileError: the run's label file has changed.
    """
    frame = logits if isinstance(logits, pd.DataFrame) else rows_of(logits)
    if arguments.text("`rule`", rule) not in rules():
        known = did_you_mean(rule, rules()) or f"; available: {', '.join(rules())}"
        raise ApiError(f"no matching rule {rule!r}{known}")
    named = None if among is None else arguments.texts("`among`", among)
    given: dict[str, object] = {"labels": labels, "definitions": definitions}
    if find_rule(rule).choice:
        given |= {"among": named, "aggregation": aggregation}
    of_run = _scoring_of(frame, given)
    if labels is None:
        labels = _labels_of(of_run)
    how = of_run.aggregation if aggregation is None else aggregation
    if how not in ("max", "mean"):
        raise ApiError(f"no aggregation {how!r}; available: max, mean")
    space = load_labels(arguments.path("`labels`", labels))
    for note in space.notes:
        warnings.warn(f"{space.name}: {note}", stacklevel=2)
    values = by_class(frame, space)
    if not np.isfinite(values).all():
        raise ApiError("a logit is NaN or infinite")
    images = [str(name) for name in level(frame, "image", -1)]
    shown = categories(frame, category, isinstance(logits, pd.DataFrame))
    if twice := [key for key, n in Counter(zip(shown, images, strict=True)).items() if n > 1]:
        raise ApiError(
            f"the image {twice[0][1]!r} occurs twice: score the logits of each model by themselves"
        )
    own = of_run.definitions
    names = sorted({*shown, *((own or ()) if named is None else named)})
    _check_names(names, own if definitions is None else None)
    defined = Defined("", _read_definitions(own if definitions is None else definitions))
    targets = {name: defined.of(name).target(name) for name in names}
    if find_rule(rule).choice:
        _check_choice(rule, targets, named or (), space)
    count = names if find_rule(rule).choice else sorted({*shown})
    for doubt in (
        otherwise(frame, shown),
        _unused(rule, {"among": among, "aggregation": aggregation}),
        None if not definitions else _undefined(count, targets, own or {}),
        _without_class(rule, [targets[name] for name in sorted({*shown})], space),
    ):
        if doubt is not None:
            warnings.warn(doubt, stacklevel=2)
    of = np.array(shown, dtype=object)
    with TemporaryDirectory(prefix="synthsight-") as folder:
        files: dict[str, Path] = {}
        sources = []
        for number, name in enumerate(names):
            rows = np.flatnonzero(of == name)
            shown_here = [images[row] for row in rows]
            sources.append(describe(name, shown_here, [None] * len(rows)))
            files[name] = Path(folder, f"{number}.logits")
            _store(files[name], shown_here, values[rows])
        scored = score_files(files, sources, targets, space, [rule], how, Path(folder))
    order = {key: row for row, key in enumerate(zip(shown, images, strict=True))}
    keys = zip(scored["category"], scored["image"], strict=True)
    return scored.iloc[np.argsort([order[key] for key in keys])].reset_index(drop=True)


def score_files(
    logits: Mapping[str, Path],
    sources: Iterable[pa.Table],
    targets: Mapping[str, Target],
    labels: LabelSpace,
    wanted: Sequence[str],
    aggregation: str,
    folder: Path,
) -> pd.DataFrame:
    """Score logits from files, by category, as the workflow does."""
    output, described = folder / "scores", folder / "sources"
    write_sources(described, sources)
    scoring.score(logits, described, targets, labels, wanted, output, aggregation)
    return read_scores(output)


def read_scores(path: Path) -> pd.DataFrame:
    """A file from :func:`synthsight.classifiers.score.score` as a frame, with class names."""
    table = pq.read_table(path)
    names = class_names(table.schema)
    frame: pd.DataFrame = table.to_pandas().rename(columns={"predicted": "classes"})
    predicted = [
        None if numbers is None else [names[number] for number in numbers]
        for numbers in frame["classes"]
    ]
    frame.insert(list(frame).index("classes"), "predicted", predicted)
    return frame


def class_names(schema: pa.Schema) -> tuple[str, ...]:
    """One name for each class of a model, from the schema of its scores."""
    return tuple(json.loads(schema.metadata[b"class_names"]))


def _scoring_of(frame: pd.DataFrame, given: Mapping[str, object]) -> AsScored:
    """How to score where nothing is given: as the frame's run does, or as logits of no run.

    Args:
        frame: the logits.
        given: the arguments that count, by name.

    Raises:
        ApiError: the frame is a run's and knows nothing, so that defaults would be others' than the
            run's.
    """
    of_run = as_scored(frame)
    missing = [name for name, value in given.items() if value is None]
    if of_run is None and missing and is_of_run(frame):
        raise ApiError(
            "the frame has the form of one from `run.logits`, but does not say how its run scores "
            "it: pandas forgets that where frames of different models or runs are joined, and in "
            "CSV files. Score each frame by itself and join the scores, or give "
            f"{' and '.join(f'`{name}`' for name in missing)}"
        )
    return of_run or AsScored()


def _labels_of(of_run: AsScored) -> str:
    """The labels that a run scores with, which must be there as they were."""
    if of_run.content is not None:
        if not is_file(of_run.labels):
            raise ApiError(
                f"{of_run.labels} is missing, the label file of the run that the logits are from: "
                "give it as `labels`, or open the run in its project"
            )
        check_unchanged(of_run.labels, of_run.content)
    return of_run.labels


def _check_names(names: Sequence[str], of_run: Mapping[str, Definition] | None) -> None:
    """Refuse names of categories that mean nothing, or not what they seem to.

    Args:
        names: those that images show or that are to choose from.
        of_run: the definitions of the run's categories, if these are the ones to score with.
    """
    for name in names:
        if not words(name):
            raise ApiError(f"the category {name!r} has no word in its name")
    if twice := written_twice(names):
        raise ApiError(f"{twice}: give them one name")
    if of_run is None:
        return
    known = {words(name) for name in of_run}
    for name in names:
        if words(name) not in known:
            close = did_you_mean(name, of_run) or f"; it has {one_line(', '.join(of_run), 200)}."
            raise ApiError(
                f"the run that the logits are from has no category {name!r}, so nothing defines "
                f"it{close} Give `definitions`, if it is meant"
            )


def _unused(rule: str, given: Mapping[str, object]) -> str | None:
    """Words on arguments that only a choice among categories asks for, under another rule."""
    unused = [f"`{name}`" for name, value in given.items() if value is not None]
    if not unused or find_rule(rule).choice:
        return None
    choices = " or ".join(repr(each.name) for each in RULES.values() if each.choice)
    return f"{' and '.join(unused)} counts for nothing under {rule!r}, only under {choices}"


def _undefined(
    names: Sequence[str], targets: Mapping[str, Target], of_run: Mapping[str, Definition]
) -> str | None:
    """Words on what a run knows of categories and is not in the definitions given instead."""
    lost = [
        name
        for name in names
        if of_run.get(name, Definition()) != Definition() and targets[name] == Target(name)
    ]
    if not lost:
        return None
    return (
        "`definitions` counts instead of all that the run knows of its categories, and says "
        f"nothing of {one_line(', '.join(map(repr, lost)), 200)}: these go by their names alone"
    )


def _without_class(rule: str, shown: Iterable[Target], labels: LabelSpace) -> str | None:
    """Words on categories that images show and nobody can be right about, if there are any.

    Those of which a person has said that no class shows them are as they are meant to be.
    """
    found = [
        each.name
        for each in shown
        if each.classes != () and not accepted_classes(each, labels, rule).any()
    ]
    if not found:
        return None
    known = sorted({each for names in labels.lemmas for each in names})
    first = f"{found[0]!r}{did_you_mean(found[0], known)}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return (
        f"under {rule!r} no class of {labels.name} counts for the category {first}{more}: none of "
        "its images can be right"
    )


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


def _read_definitions(definitions: Definitions | None) -> Mapping[str, Definition]:
    """Definitions from a file or a mapping; those in a mapping may have been made already."""
    if not isinstance(definitions, Mapping):
        if definitions is None:
            return read_definitions(definitions_file())
        return read_definitions(Path(arguments.path("`definitions`, if no mapping,", definitions)))
    if other := next((name for name in definitions if not isinstance(name, str)), None):
        raise DefinitionError(f"`definitions`: the category {other!r} is not a text")
    empty = {name for name, each in definitions.items() if each == Definition()}
    plain = {name: _plain(each) for name, each in definitions.items() if name not in empty}
    found = definitions_in(plain, "`definitions`") | dict.fromkeys(empty, Definition())
    if twice := written_twice(found):
        raise DefinitionError(f"`definitions`: {twice}. Keep one of them")
    return found


def _plain(definition: Definition | Mapping[str, Any]) -> Any:
    """A definition as in a file of them."""
    if not isinstance(definition, Definition):
        return definition
    also = definition.also
    about = {"also": list(also) if isinstance(also, tuple) else also}
    return about if definition.classes is None else {**about, "classes": definition.classes}
