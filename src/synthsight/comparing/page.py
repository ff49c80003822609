"""The page that compares two runs, as one string: everything escaped, nothing loaded."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from synthsight.clone import own_version
from synthsight.comparing import assets
from synthsight.comparing.answer import answers, main, means
from synthsight.comparing.comparison import Comparison
from synthsight.comparing.configuration import PARTS
from synthsight.comparing.forest import Forest, forest
from synthsight.labels.matching import find_rule
from synthsight.pages.assets import templates
from synthsight.pages.embed import content_security_policy, script_json, script_text
from synthsight.report.tables import page_table
from synthsight.tables import ALL

#: Rows of a chart, and of what differs in a part: the tables have all.
_ROWS, _LINES = 60, 60

#: The two kinds of hit, in words.
_MEASURES = {"top1": "First guess right", "top5": "Right within five guesses"}


def render(found: Comparison) -> str:
    """The page's HTML; equal comparisons give equal text."""
    programs = [script_text(assets.library()), script_text(assets.program())]
    tables = {
        "comparison": found.differences,
        "questions": found.questions,
        "configuration": found.configuration,
    }
    data = {
        "folder": "",
        "tables": {
            name: page_table(table.astype(object).where(table.notna(), None), found.rule)
            for name, table in tables.items()
        },
    }
    rule = find_rule(found.rule) if found.rule else None
    return (
        templates(assets.TEMPLATES)
        .get_template("comparison.html.j2")
        .render(
            found=found,
            policy=content_security_policy(programs),
            style=assets.style(),
            programs=programs,
            data=script_json(data),
            version=own_version(),
            answers=answers(found),
            rule=rule,
            level=f"{100 * found.level:g}%",
            models=_of_models(found),
            sources=_of_sources(found),
            categories=_of_categories(found),
            questions=_of_questions(found),
            parts=_parts(found.configuration),
            lines=_LINES,
            tables=tables,
        )
    )


def _of_models(found: Comparison) -> list[Forest]:
    charts = []
    for measure, title in _MEASURES.items():
        rows = means(found, measure)
        if len(rows):
            of = "generated images" if rows["generator"].iloc[0] == ALL else "photographs"
            charts.append(forest(f"{title}, {of}", rows, "model", "images", found.level, _ROWS))
    return charts


def _of_sources(found: Comparison) -> list[Forest]:
    """A chart for each source but the one that the first charts are about."""
    rows = _under_rule(found)
    shown = means(found, "top1")["generator"].unique()
    rows = rows[(rows["category"] == ALL) & ~rows["generator"].isin(list(shown))]
    return [
        forest(f"{name}: first guess right", part, "model", "images", found.level, _ROWS)
        for name, part in rows.groupby("generator")
    ]


def _of_categories(found: Comparison) -> list[tuple[str, Forest]]:
    """A chart of categories for each model, those that differ most first."""
    rows = _under_rule(found)
    shown = means(found, "top1")
    rows = rows[(rows["category"] != ALL) & rows["generator"].isin(list(shown["generator"]))]
    overall = main(shown).set_index("model")["difference"].abs()
    order = overall.sort_values(ascending=False, kind="stable").index
    return [
        (
            str(model),
            forest("", rows[rows["model"] == model], "category", "images", found.level, _ROWS),
        )
        for model in order
    ]


def _under_rule(found: Comparison) -> pd.DataFrame:
    rows = found.differences
    return rows[(rows["rule"] == found.rule) & (rows["measure"] == "top1")]


def _of_questions(found: Comparison) -> Forest | None:
    if found.questions.empty:
        return None
    title = "Questions answered right"
    return forest(title, found.questions, "model", "questions", found.level, _ROWS)


def _parts(configuration: pd.DataFrame) -> list[tuple[str, list[dict[Hashable, Any]]]]:
    """What differs, by part."""
    by = dict(list(configuration.groupby("part")))
    return [(part, by[part].to_dict("records")) for part in PARTS if part in by]
