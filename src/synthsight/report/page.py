"""The page as one string: text rendered by Jinja2, data as JSON, everything escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from synthsight.labels.audit import messages
from synthsight.labels.matching import RULES, find_rule
from synthsight.pages.assets import chunks, templates
from synthsight.pages.embed import content_security_policy, script_json, script_text
from synthsight.report import answer, assets
from synthsight.report.adapted import adapted_answers
from synthsight.report.attributes import uncompared
from synthsight.report.endpoints import asked_how
from synthsight.report.learning import drawn_first, learning_section
from synthsight.report.line import line_caption, robustness_answer
from synthsight.report.people import people_section
from synthsight.report.phrases import percent
from synthsight.report.plain import plain_tables
from synthsight.report.sizes import have_sizes, sizes
from synthsight.report.tables import drawn_rows, page_table
from synthsight.statistics.adapted import uncounted
from synthsight.statistics.attributes import MOST
from synthsight.statistics.reference import MEASURED, of_models
from synthsight.tables import ALL

#: Pictures per script element; each element is parsed when the first of its pictures is needed.
CHUNK = 100


@dataclass(frozen=True)
class Pair:
    """Two images that are the same, or nearly.

    Attributes:
        a: name of the first.
        b: name of the second.
        picture_a: the first, as WebP.
        picture_b: the second, as WebP.
        difference: what is different, in words, and what else is to be said.
    """

    a: str
    b: str
    picture_a: bytes
    picture_b: bytes
    difference: str


@dataclass(frozen=True)
class Page:
    """Everything that the page shows.

    Attributes:
        run: name of the run.
        rule: the primary matching rule.
        level: confidence level of the intervals, in 0..1.
        date: date of the newest scores, in ISO format.
        tables: tables by name, as their files below ``tables/`` are called, and ``images``, the
            number of models that get each image.
        notes: notes about the classifiers' weights.
        vqa_notes: notes about the VQA models' weights.
        preprocessing: each classifier's preprocessing, in words.
        counts: number of usable images by generator; None stands for images without one.
        made_with: versions of the libraries behind the numbers, and devices, as the results state
            them; several where results were made with different ones.
        versions: versions of the software that made tables and page, by name.
        digests: what else identifies the inputs, by name.
        configuration: the settings as YAML.
        explorer: data from :func:`synthsight.report.explorer.image_data`.
        questions: data from :func:`synthsight.report.explorer.question_data`, or None.
        side: bound on the long side of a picture, in pixels.
        pictures: WebP files, by the numbers that ``explorer`` and ``questions`` use.
        roots: where the files of ``images`` and ``questions`` lie, addresses relative to the page
            or absolute: ``root`` and, for generators with folders of their own, ``elsewhere``; None
            if that is not known.
        duplicates: pairs of images that are the same, or nearly, the worst first; perhaps not all.
        excludes_duplicates: whether of such images one alone is used.
        sampled: total numbers of ``images`` and ``questions``, shown or not.
        mark: text for the page's metadata that says how it was made, or None.
        remarks: sentences on what makes numbers doubtful.
        without: what captions say of models that failed, or nothing.
        units: sentences on what is drawn by chance, where images come in groups.
    """

    run: str
    rule: str
    level: float
    date: str
    tables: Mapping[str, pd.DataFrame]
    notes: Sequence[Mapping[str, Any]]
    vqa_notes: Sequence[Mapping[str, Any]]
    preprocessing: Mapping[str, str]
    counts: Mapping[str | None, int]
    made_with: Mapping[str, Sequence[str]]
    versions: Mapping[str, str]
    digests: Mapping[str, str]
    configuration: str
    explorer: Mapping[str, Any]
    questions: Mapping[str, Any] | None
    side: int
    pictures: Sequence[bytes]
    roots: Mapping[str, Any] = field(default_factory=lambda: {"images": None, "questions": None})
    duplicates: Sequence[Pair] = ()
    excludes_duplicates: bool = False
    sampled: Mapping[str, int] = field(default_factory=dict)
    mark: str | None = None
    remarks: Sequence[str] = ()
    without: str = ""
    units: Sequence[str] = ()


def render(page: Page) -> str:
    """The page's HTML; equal pages give equal text."""
    tables = page.tables
    programs = [script_text(assets.library(name)) for name in assets.LIBRARIES]
    programs.append(script_text(assets.program()))
    ranked = answer.means(tables["accuracy"], page.rule)
    vqa = tables.get("vqa")
    names = sorted(page.explorer["rules"], key=lambda name: (name != page.rule, name))
    rules = [find_rule(name) for name in names]  # in the order of the figure
    data = {
        "run": page.run,
        "rule": page.rule,
        "level": page.level,
        "best": answer.best_model(tables["accuracy"], page.rule),
        "answers": _answers(tables, names, page.level),
        "order": ranked["model"].tolist(),
        "adapted": uncounted(tables["accuracy"]),
        "marks": {
            rule.name: {
                "symbol": rule.mark.symbol,
                "sign": rule.mark.sign,
                "stroke": rule.mark.stroke,
            }
            for rule in rules
        },
        "explorer": page.explorer,
        "questions": page.questions,
        "roots": page.roots,
        "chunk": CHUNK,
        "side": page.side,
        "tables": {
            name: page_table(
                *(table, page.rule),
                drawn_first(table) if name == "transfer" else drawn_rows(name, table, page.rule),
            )
            for name, table in tables.items()
            if name != "images"  # in the explorer, image by image
        },
    }
    learning = learning_section(tables, page.level)
    if learning is not None:
        of_page = ("models", "sources", "numbers", "real", "test")
        data["learning"] = {key: learning[key] for key in of_page}
    environment = templates(assets.TEMPLATES)
    environment.filters["percent"] = percent
    environment.filters["asked_how"] = asked_how
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return environment.get_template("report.html.j2").render(
        page=page,
        policy=content_security_policy(programs),
        style=assets.style(),
        programs=programs,
        data=script_json(data),
        chunks=chunks(page.pictures, CHUNK),
        answers=answer.answers(tables, page.rule, page.level),
        rules=[rule for rule in RULES.values() if rule in rules],
        flags=messages(tables["label_audit"]),
        ranked=ranked.to_dict("records"),
        imported=sum("predictions" in note for note in page.notes),
        references=_references(tables["reference"], page.rule),
        measured=(of_models(tables["reference"], page.rule)["kind"] == MEASURED).any(),
        partly=_partly(tables["accuracy"], tables["reference"], page.rule),
        robust=robustness_answer(tables.get("robustness"), page.rule),
        line=line_caption(tables.get("robustness"), page.rule),
        adapted=adapted_answers(tables.get("adaptation")),
        uncounted=uncounted(tables["accuracy"]),
        people=people_section(tables, page.rule),
        learning=learning,
        vqa=None if vqa is None else vqa.to_dict("records"),
        tables=tables,
        sizes=sizes(tables),
        have_sizes=have_sizes(tables),
        plain=plain_tables(tables, page.rule, ranked["model"].tolist()),
        most_values=MOST,
        uncompared=uncompared(page.explorer, tables.get("attributes")),
        here={"images": len(page.explorer["images"]), "questions": _asked(page.questions)},
    )


def _answers(
    tables: Mapping[str, pd.DataFrame], rules: Sequence[str], level: float
) -> dict[str, dict[str, dict[str, Any]]]:
    """What the head says, and which model is the best, by rule and by what counts as right."""
    return {
        rule: {
            hit: {
                "said": answer.answers(tables, rule, level, hit),
                "best": answer.best_model(tables["accuracy"], rule, hit),
            }
            for hit in answer.GUESSES
        }
        for rule in rules
    }


def _references(reference: pd.DataFrame, rule: str) -> dict[str, dict[str, Any]]:
    """The reference table's row of each model whose reference is known."""
    rows = of_models(reference, rule)
    stated = rows[rows["reference_top1"].notna()]
    return {
        str(row["model"]): {str(key): value for key, value in row.items()}
        for row in stated.to_dict("records")
    }


def _partly(accuracy: pd.DataFrame, reference: pd.DataFrame, rule: str) -> int | None:
    """How many categories have photographs; None if those of all generated images do, or none."""
    of_rule = accuracy[(accuracy["rule"] == rule) & (accuracy["generator"] == ALL)]
    categories = of_rule.loc[of_rule["category"] != ALL, "category"].nunique()
    measured = of_models(reference, rule)
    common = measured.loc[measured["kind"] == MEASURED, "categories"]
    return int(common.iloc[0]) if len(common) and common.iloc[0] < categories else None


def _asked(questions: Mapping[str, Any] | None) -> int:
    return 0 if questions is None else len(questions["question"])
