"""The comparison of two runs: its tables, and what is to be said beside their numbers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from synthsight.comparing.configuration import aspects, what_differs
from synthsight.comparing.differences import COMPARISON, compare_hits
from synthsight.comparing.errors import CompareError
from synthsight.comparing.questions import QUESTIONS, compare_answers
from synthsight.comparing.sides import Side, open_sides
from synthsight.labels.matching import RULES
from synthsight.report.phrases import count
from synthsight.tables import ALL
from synthsight.wording import did_you_mean, one_line


@dataclass(frozen=True)
class Comparison:
    """What comes of comparing two runs.

    Attributes:
        a: name of the first run.
        b: name of the second.
        rule: the matching rule that sentences and charts are about; empty if none is common.
        level: confidence level of the intervals, in 0..1.
        differences: columns :data:`synthsight.comparing.differences.COMPARISON`.
        questions: columns :data:`synthsight.comparing.questions.QUESTIONS`.
        configuration: columns :data:`synthsight.comparing.configuration.CONFIGURATION`.
        adapted: models that were trained on their run's images, which are not counted.
        remarks: sentences on what makes the differences doubtful, or is not compared.
    """

    a: str
    b: str
    rule: str
    level: float
    differences: pd.DataFrame
    questions: pd.DataFrame
    configuration: pd.DataFrame
    adapted: frozenset[str]
    remarks: tuple[str, ...]


def compare_runs(
    a: str | os.PathLike[str], b: str | os.PathLike[str], rule: str | None = None
) -> Comparison:
    """Compare two finished runs; differences are of the second from the first, b - a.

    Args:
        a: the first: its name, if it is in ``results/``, or its folder.
        b: the second.
        rule: the matching rule of sentences and charts; None for the runs' primary one.

    Raises:
        ApiError: there is no such run.
        CompareError: a run is not finished, the two are the same or have nothing in common, or not
            both have the rule.
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        first, second = open_sides(a, b)
        found = _compare(first, second, rule)
    said = dict.fromkeys(str(each.message) for each in warned)
    told = tuple(f"{text[:1].upper()}{text[1:]}." for text in said)
    return Comparison(**{**vars(found), "remarks": (*found.remarks, *told)})


def _compare(a: Side, b: Side, rule: str | None) -> Comparison:
    models = sorted({*a.models} & {*b.models})
    vqa = sorted({*a.vqa_models} & {*b.vqa_models})
    if not models and not vqa:
        raise CompareError(
            f"the runs have no model in common: {a.name!r} has "
            f"{one_line(', '.join((*a.models, *a.vqa_models)), 200)}, {b.name!r} "
            f"{one_line(', '.join((*b.models, *b.vqa_models)), 200)}. Models are the same if they "
            "have the same `name`"
        )
    rules = sorted({*a.rules} & {*b.rules})
    chosen, doubt = _primary(a, b, rules, rule)
    level = max(a.run.level, b.run.level)
    differences = compare_hits(models, a.scored, b.scored, level, rules)
    differences["note"] = _notes(a, b, differences)
    questions = compare_answers(a.answers, b.answers, level)
    questions["note"] = [_of_model(a, b, name) for name in questions["model"]]
    remarks = [doubt, _levels(a, b, level), *_only(a, b), *_uncompared(a, b)]
    remarks += _differing(a, b, models, vqa)
    return Comparison(
        *(a.name, b.name, chosen, level),
        differences[list(COMPARISON)].astype(COMPARISON),
        questions[list(QUESTIONS)].astype(QUESTIONS),
        what_differs(a, b),
        a.adapted | b.adapted,
        tuple(f"{each}." for each in remarks if each),
    )


def _primary(a: Side, b: Side, rules: list[str], rule: str | None) -> tuple[str, str]:
    """The rule of sentences and charts, and what to say of the choice."""
    if rule is not None:
        if rule not in rules:
            hint = did_you_mean(rule, rules) or f"; both have {', '.join(rules) or 'none'}"
            raise CompareError(f"not both runs have the matching rule {rule!r}{hint}")
        return rule, ""
    if not rules:
        return "", "The runs have no matching rule in common, so that no hits are compared"
    wanted = [side.run.rule for side in (a, b)]
    chosen = next((each for each in wanted if each in rules), rules[0])
    if wanted[0] == wanted[1]:
        return chosen, ""
    return chosen, (
        f"The primary rule of {a.name} is {wanted[0]}, that of {b.name} {wanted[1]}: sentences and "
        f"charts are about {chosen}"
    )


def _levels(a: Side, b: Side, level: float) -> str:
    if a.run.level == b.run.level:
        return ""
    return (
        f"The intervals of {a.name} are at {a.run.level:.0%}, those of {b.name} at "
        f"{b.run.level:.0%}: differences have intervals at {level:.0%}"
    )


def _only(a: Side, b: Side) -> list[str]:
    """What one run has alone, so that it is in no row."""
    said = []
    for noun, plural, names_of in _LISTED:
        for side, names, others in ((a, names_of(a), names_of(b)), (b, names_of(b), names_of(a))):
            if alone := sorted({*names} - {*others}):
                named = one_line(", ".join(alone), 200)
                said.append(
                    f"Only {side.name} has the {noun if len(alone) == 1 else plural} {named}"
                )
    return said


#: What one run may have alone: what it is called, one and several, and the names.
_LISTED: tuple[tuple[str, str, Callable[[Side], Iterable[str]]], ...] = (
    ("model", "models", lambda side: side.models),
    ("model that answers questions", "models that answer questions", lambda side: side.vqa_models),
    ("category", "categories", lambda side: side.definitions),
    ("rule", "rules", lambda side: side.rules),
    ("source", "sources", lambda side: side.images["generator"].dropna().unique()),
)


def _uncompared(a: Side, b: Side) -> list[str]:
    """What both runs have and no row is about."""
    said = []
    sides = [side.images[["generator", "real"]].drop_duplicates() for side in (a, b)]
    kinds = [dict(zip(side["generator"], side["real"], strict=True)) for side in sides]
    for name in sorted(map(str, kinds[0].keys() & kinds[1].keys())):
        if name in kinds[0] and kinds[0][name] != kinds[1][name]:
            said.append(f"{name} is real in one run and generated in the other: it has no rows")
    if any(side.planned.wanted("people") for side in (a, b)):
        said.append("What people said is in the runs' own tables, and is not compared")
    return said


def _differing(a: Side, b: Side, models: list[str], vqa: list[str]) -> list[str]:
    """Models, categories and rules that do not mean the same in both runs."""
    said = []
    found = {name: aspects(a, b, name) for name in (*models, *vqa)}
    for aspect in dict.fromkeys(each for of in found.values() for each in of):
        if changed := [name for name, of in found.items() if aspect in of]:
            has = "has" if len(changed) == 1 else "have"
            said.append(f"{one_line(', '.join(changed), 200)} {has} other {aspect} in {b.name}")
    unknown = [name for name in vqa if name not in a.abouts or name not in b.abouts]
    if unknown:
        names = one_line(", ".join(unknown), 200)
        said.append(f"Whether {names} had the same weights cannot be told: a note on them is gone")
    if trained := sorted((a.adapted | b.adapted) & {*models}):
        was = "was" if len(trained) == 1 else "were"
        said.append(
            f"{one_line(', '.join(trained), 200)} {was} trained on each run's own images, and not "
            "counted in sentences"
        )
    if categories := _redefined(a, b):
        accepts = "accepts" if len(categories) == 1 else "accept"
        said.append(
            f"{one_line(', '.join(categories), 200)} {accepts} other classes in {b.name}: what "
            "counts as a hit there is not the same"
        )
    if choices := _choices(a, b):
        said.append(
            f"Under {' and '.join(choices)} a model chooses among the run's categories, which are "
            "not the same: the choice is easier where there are fewer"
        )
    if models and len({side.scoring(models[0]).get("aggregation") for side in (a, b)}) > 1:
        said.append("Under rules of choice, probabilities of classes are joined otherwise")
    return said


def _redefined(a: Side, b: Side) -> list[str]:
    """Categories of both runs that accept other names or classes."""
    common = sorted({*a.definitions} & {*b.definitions})
    return [name for name in common if a.definitions[name] != b.definitions[name]]


def _choices(a: Side, b: Side) -> list[str]:
    """Common rules that choose among categories, where these differ."""
    if {*a.definitions} == {*b.definitions} and not _redefined(a, b):
        return []
    return [name for name in sorted({*a.rules} & {*b.rules}) if RULES[name].choice]


def _of_model(a: Side, b: Side, model: str) -> str:
    """What differs of a model, for the rows about it."""
    found = aspects(a, b, model)
    said = [f"other {' and '.join(found)}"] if found else []
    if model in a.adapted | b.adapted:
        said.append("trained on each run's own images")
    return "; ".join(said)


def _notes(a: Side, b: Side, rows: pd.DataFrame) -> list[str]:
    """What is to be said beside each row; empty where nothing is."""
    models = {name: _of_model(a, b, name) for name in rows["model"].unique()}
    redefined, choices = {*_redefined(a, b)}, _choices(a, b)
    common = redefined & {*rows["category"]}
    told = []
    columns = (rows[name] for name in ("model", "category", "rule"))
    for model, category, rule in zip(*columns, strict=True):
        said = [models[model]]
        if category in redefined:
            said.append("the category accepts other classes")
        elif category == ALL and common:
            said.append(f"{count(len(common), 'category', 'categories')} accept other classes")
        if rule in choices:
            said.append("a choice among other categories")
        told.append("; ".join(filter(None, said)))
    return told
