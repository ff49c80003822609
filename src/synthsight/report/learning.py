"""What was learned from the images, in sentences: see :mod:`synthsight.report.answer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from synthsight.report.phrases import count, hundredths, interval, percent, points, signed
from synthsight.statistics.trained import (
    at_most,
    best_first,
    of_generated,
    photographs,
    sources,
)
from synthsight.tables import ALL


def transfer_answer(table: pd.DataFrame, level: float) -> str | None:
    """What a classifier trained on the generated images would know of photographs.

    It is said of the features in which as many photographs teach most, at the largest number of
    images; how many other models' features say the same comes after. Without photographs it is
    about the generated images alone.

    Args:
        table: the table ``transfer``.
        level: confidence level of the intervals.

    Returns:
        None where nothing was trained on generated images.
    """
    largest = at_most(table)
    source = of_generated(table)
    models = best_first(table)
    if source is None or not models:
        return None
    of_best = largest[largest["model"] == models[0]]
    if photographs(table) is None:
        return _without_photographs(of_best, models, level)
    found = largest[(largest["train"] == source) & (largest["measure"] == "GAN-train")]
    found = found[found["top1"].notna()]
    of_model = found[found["model"] == models[0]]
    if of_model.empty:
        return None
    row = of_model.iloc[0]
    real = of_best[of_best["measure"] == "real"]
    sentence = (
        f"A classifier trained on {_each(row, 'generated image')} (features of {models[0]}) gets "
        f"{_part(row, level)} of real photographs"
    )
    if pd.notna(row["difference"]) and len(real):
        sentence += f", {_compared(row, real.iloc[0])}"
    return f"{sentence}; chance is {percent(row['chance'])}.{_others(found, models[0])}"


def _compared(row: pd.Series, real: pd.Series) -> str:
    """How an accuracy on photographs compares with that of one trained on photographs.

    Args:
        row: the accuracy, and its difference.
        real: of photographs on photographs.
    """
    apart, low, high = (row[name] for name in ("difference", "difference_low", "difference_high"))
    known = low == low and high == high
    other = f"one trained on as many photographs ({percent(real['top1'])}"
    if points(apart) == points(0.0):
        said = f"as much as {other}"
        said += f"; the difference may be {signed(low)} to {signed(high)} points)" if known else ")"
    else:
        less = bool(apart < 0)
        by = (-apart, -high, -low) if less else (apart, low, high)
        bounds = f"{signed(by[1])} to {signed(by[2])}" if known else ""
        if known and low <= 0 <= high:
            bounds += ", so it may be chance"
        said = (
            f"{points(by[0])} {'less' if less else 'more'}{f' ({bounds})' * bool(bounds)} than "
            f"{other})"
        )
    if real["low"] <= real["chance"] <= real["high"]:
        said += ", which may itself be no better than chance, so that this says little"
    return said


def _each(row: pd.Series, noun: str) -> str:
    """How many images a classifier was trained on."""
    categories = int(row["categories"])
    of = f"of each of {categories:,} categories" if categories > 1 else "of 1 category"
    return f"{count(int(row['per_category']), noun)} {of}"


def _part(row: pd.Series, level: float) -> str:
    """An accuracy with its interval, if there is one."""
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return percent(row["top1"])
    return f"{percent(row['top1'])} {interval(row['low'], row['high'], level)}"


def _others(found: pd.DataFrame, best: str) -> str:
    """Whether it is so in the features of the other models; a sentence after a blank, or nothing.

    Args:
        found: the row of each model.
        best: the model that has been spoken of.
    """
    apart = found.set_index("model")["difference"].dropna()
    if best not in apart.index or len(apart) < 2 or points(apart[best]) == points(0.0):
        return ""
    less = bool(apart[best] < 0)
    same = int(((apart < 0) == less).sum())
    said = (
        f" Generated images teach {'less' if less else 'more'} than photographs in the features of"
    )
    if same == len(apart):
        return f"{said} {_all(len(apart))}."
    return f"{said} {same} of {len(apart)} models."


def _all(models: int) -> str:
    return "both models" if models == 2 else f"all {models} models"


def _without_photographs(rows: pd.DataFrame, models: Sequence[str], level: float) -> str | None:
    """The same about generators among themselves, from the rows of one model.

    All generated images together are left out, since each generator is a part of them.
    """
    single = rows[(rows["train"] != ALL) & (rows["test"] != ALL) & rows["top1"].notna()]
    within, across = (single[single["measure"] == each] for each in ("within", "across"))
    if within.empty:
        within = rows[(rows["measure"] == "within") & rows["top1"].notna()]
    if within.empty:
        return None
    first = within.iloc[0]
    images = _each(first, "generated image" if len(within) == 1 else "image")
    of_one = "" if len(within) == 1 else ", all of one generator"
    sentence = f"A classifier trained on {images}{of_one} (features of {models[0]}) gets "
    if len(within) == 1:
        sentence += f"{_part(first, level)} of others like them"
    else:
        sentence += f"{_span(within)} of other images of that generator"
    if len(across):
        sentence += f" and {_span(across)} of those of another one"
    return (
        f"{sentence}; chance is {percent(first['chance'])}. What it would know of real photographs "
        "is not known: there are none, or too few."
    )


def _span(rows: pd.DataFrame) -> str:
    """The accuracies of some pairs of sources, from the lowest to the highest."""
    low, high = float(rows["top1"].min()), float(rows["top1"].max())
    if percent(low) == percent(high):
        return percent(low)
    return f"{hundredths(low)} to {percent(high)}"


def learning_section(tables: Mapping[str, pd.DataFrame], level: float) -> dict[str, Any] | None:
    """What the section on learning from the images says and holds; None without such tables.

    Args:
        tables: by name, perhaps ``transfer`` and ``distances``.
        level: confidence level of the intervals.

    Returns:
        ``sentences``: what was found. ``notes``: what to bear in mind. ``models``: whose features
        are used, those first that tell most. ``sources``: in the order in which they are shown.
        ``real``: the source of photographs, or None. ``test``: the source that learning curves are
        tested on, or None. ``numbers``: of images of each category.
    """
    transfer, away = tables.get("transfer"), tables.get("distances")
    if transfer is None and away is None:
        return None
    first = [] if transfer is None else best_first(transfer)
    featured = dict.fromkeys(
        [*first, *(sorted(away["model"].unique()) if away is not None else ())]
    )
    said = [
        transfer_answer(transfer, level) if transfer is not None else None,
        *(_further(transfer) if transfer is not None else ()),
        _distance(away, list(featured), level) if away is not None else None,
    ]
    real = None if transfer is None else photographs(transfer)
    return {
        "sentences": [each for each in said if each is not None],
        "notes": _notes(set(featured), _classifiers(tables)),
        "models": list(featured),
        "sources": [] if transfer is None else sources(transfer),
        "real": real,
        "test": real if transfer is None or real is not None else of_generated(transfer),
        "numbers": [] if transfer is None else sorted(set(map(int, transfer["per_category"]))),
    }


def drawn_first(table: pd.DataFrame) -> list[int]:
    """Which rows of the table ``transfer`` the page needs most; the lowest number most.

    First the rows of learning curves, of all models, then those of the matrix at the largest number
    of images, of the models whose features tell most first. These are drawn at first: their numbers
    are below 0. Then the matrices at other numbers, the largest first.
    """
    models = {name: place for place, name in enumerate(best_first(table))}
    test = photographs(table) or of_generated(table)
    sizes = sorted(set(table["per_category"]), reverse=True)
    size = table["per_category"].map({of: place for place, of in enumerate(sizes)})
    largest = table["per_category"] == table.groupby("model")["per_category"].transform("max")
    rank = size * len(models) + table["model"].map(models)
    rank = rank.mask(largest, table["model"].map(models) - len(models))
    return [int(each) for each in rank.mask(table["test"] == test, -len(models) - 1)]


def _further(table: pd.DataFrame) -> list[str]:
    """Which generator teaches most about photographs, and whether more images would teach more.

    Both are said of the features that the page shows first.
    """
    models = best_first(table)
    rows = table[(table["measure"] == "GAN-train") & table["top1"].notna()]
    largest = at_most(rows)
    single = {
        model: largest[(largest["model"] == model) & (largest["train"] != ALL)].sort_values(
            ["top1", "train"], ascending=[False, True]
        )
        for model in models
    }
    said = []
    if len(single[models[0]]) > 1:
        first, last = single[models[0]].iloc[0], single[models[0]].iloc[-1]
        others = {model: _leader(found, "train", "top1") for model, found in single.items()}
        said.append(_extremes(first, last) + _elsewhere(others, models[0], "teaches most"))
    source = of_generated(table)
    curve = rows[(rows["train"] == source) & (rows["model"] == models[0])]
    curve = curve.sort_values("per_category")
    if len(curve) > 1:
        start, end = curve.iloc[0], curve.iloc[-1]
        said.append(
            f"In the features of {models[0]} a classifier gets {percent(start['top1'])} of "
            f"photographs with {count(int(start['per_category']), 'generated image')} of each "
            f"category, and {percent(end['top1'])} with {int(end['per_category']):,}."
        )
    return said


def _extremes(first: pd.Series, last: pd.Series) -> str:
    """Which generator teaches most about photographs, and which least."""
    where = f"in the features of {first['model']}"
    if percent(first["top1"]) == percent(last["top1"]):
        return (
            f"All single generators teach as much about photographs {where} "
            f"({percent(first['top1'])})."
        )
    near = ", with intervals that overlap" if last["high"] >= first["low"] else ""
    return (
        f"Of single generators {first['train']} teaches most about photographs {where} "
        f"({percent(first['top1'])}), {last['train']} least ({percent(last['top1'])}){near}."
    )


def _leader(rows: pd.DataFrame, name: str, value: str) -> str | None:
    """The generator with the highest value as it is printed; None where several have it.

    Args:
        rows: of one model, a row a generator.
        name: the column with the generators' names.
        value: the column that counts.
    """
    if rows.empty:
        return None
    highest = rows[rows[value].map(percent) == percent(rows[value].max())]
    return str(highest[name].iloc[0]) if len(highest) == 1 else None


def _elsewhere(leaders: Mapping[str, str | None], model: str, does: str) -> str:
    """Whether the generator that leads does so in other features; a sentence, or nothing.

    Args:
        leaders: by model, as from :func:`_leader`.
        model: the one that was spoken of.
        does: what the leader does, as ``teaches most``.
    """
    others = {name: found for name, found in leaders.items() if name != model}
    if not others or leaders[model] is None:
        return ""
    if len(others) == 1:
        ((name, found),) = others.items()
        if found is None:
            return f" In those of {name} no single one {does}."
        return f" In those of {name} {found} {does}{', too' * (found == leaders[model])}."
    same = sum(found == leaders[model] for found in others.values())
    if same == len(others):
        return f" In those of {_all_other(same)} it {does}, too."
    return f" It {does} in those of {same or 'none'} of {len(others)} other models."


def _all_other(models: int) -> str:
    return "both other models" if models == 2 else f"all {models} other models"


def _distance(table: pd.DataFrame, models: Sequence[str], level: float) -> str | None:
    """Which generator covers most of the photographs, and whether it does in other features.

    Args:
        table: the table ``distances``.
        models: in the page's order; the first with a coverage is spoken of.
        level: confidence level of the intervals.
    """
    half = table["generator"] == table["reference"]
    known = table[~half & table["coverage"].notna()]
    if (known["generator"] != ALL).any():  # all of them together cover more than any, of course
        known = known[known["generator"] != ALL]
    if known.empty:
        return None
    ranked = known.sort_values(["coverage", "generator"], ascending=[False, True])
    by_model = {model: rows for model in models if len(rows := ranked[ranked["model"] == model])}
    leaders = {model: _leader(rows, "generator", "coverage") for model, rows in by_model.items()}
    model, rows = next(iter(by_model.items()))
    row = rows.iloc[0]
    tied = rows.loc[rows["coverage"].map(percent) == percent(row["coverage"]), "generator"]
    covered = f"{_covered(row, level)} of the photographs"
    sentence = (
        f"{covered} have an image of {row['generator']} near them (coverage)"
        if len(tied) == 1
        else f"{' and '.join(map(str, tied))} each have an image near {covered} (coverage)"
    )
    sentence = f"In the features of {model}, {sentence}"
    ranks = len(set(known["generator"])) > 1
    if ranks and leaders[model] is not None:
        sentence += ", the most of any generator"
    floor = table[half & (table["model"] == model)]["coverage"].dropna()
    if len(floor):
        sentence += f"; of half of the photographs the other half covers {percent(floor.iloc[0])}"
    return f"{sentence}." + (_elsewhere(leaders, model, "covers most") if ranks else "")


def _covered(row: pd.Series, level: float) -> str:
    """A coverage with its interval, if there is one."""
    if pd.isna(row["coverage_low"]) or pd.isna(row["coverage_high"]):
        return percent(row["coverage"])
    bounds = interval(row["coverage_low"], row["coverage_high"], level)
    return f"{percent(row['coverage'])} {bounds}"


def _classifiers(tables: Mapping[str, pd.DataFrame]) -> set[str]:
    """The run's classifiers but for zero-shot ones, which learned from texts, not categories."""
    known = tables.get("models")
    asked = set() if known is None else set(known.loc[known["library"] == "zeroshot", "model"])
    return {*map(str, tables["accuracy"]["model"])} - asked


def _notes(featured: set[str], classifiers: set[str]) -> list[str]:
    """What to bear in mind about the models whose features are used."""
    trained = sorted(featured & classifiers)
    if not trained:
        return []
    who = trained[0] if len(trained) == 1 else f"{len(trained)} of these models"
    said = (
        f"{who} {'is a classifier' if len(trained) == 1 else 'are classifiers'}: features that "
        "were learned from photographs with their categories, as most are, favour the photographs' "
        "side."
    )
    if len(trained) == len(featured):
        said += (
            " An encoder that learned without categories (encoders:) would tell whether it is so."
        )
    return [said]
