"""The run's answer in a few sentences, from its tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from synthsight.report.adapted import adapted_answers
from synthsight.report.asked import questions_answer
from synthsight.report.learning import transfer_answer
from synthsight.report.people import source_of
from synthsight.report.phrases import count, interval, percent, points, signed
from synthsight.statistics.adapted import of_others, uncounted
from synthsight.statistics.people import MEAN, MODEL
from synthsight.statistics.reference import MEASURED, of_models
from synthsight.tables import ALL

#: From this share of draws on a model is called the best without saying how often it is.
SURE = 0.95

#: What counts as right, in words.
GUESSES = {"top1": "with its first guess", "top5": "within five guesses"}
_OPEN = {"top1": "which category they choose", "top5": "which five are best"}


def answers(
    tables: Mapping[str, pd.DataFrame], rule: str, level: float, hit: str = "top1"
) -> list[str]:
    """The answer of a run, a sentence or two for each of its parts.

    Args:
        tables: by name: ``accuracy``, ``reference``, ``ranking``, ``images`` and, if
            questions were asked, ``vqa``; if classifiers were trained on the images, ``transfer``,
            and if models were adapted to them, ``adaptation``.
        rule: the matching rule.
        level: confidence level of the intervals.
        hit: ``top1`` or ``top5``, for what is said of models and images. People say one thing of an
            image, so beside them models have one guess, too.
    """
    adapted = uncounted(tables["accuracy"])
    known = int(means(of_others(tables["accuracy"]), rule, hit)[hit].notna().sum())
    sentences = [
        images_answer(tables["accuracy"], tables["reference"], tables["ranking"], rule, level, hit),
        agreement_answer(tables["images"], rule, adapted, hit, known),
    ]
    if "people" in tables:
        sentences.append(people_answer(tables["people"], rule, level, adapted))
    if "transfer" in tables:
        sentences.append(transfer_answer(tables["transfer"], level))
    sentences += adapted_answers(tables.get("adaptation"))[:1]
    if "vqa" in tables:
        sentences.append(questions_answer(tables["vqa"], level, tables.get("vqa_comparisons")))
    if "people_answers" in tables:
        sentences.append(people_questions_answer(tables["people_answers"], level))
    return [each for each in sentences if each is not None]


def best_model(accuracy: pd.DataFrame, rule: str, hit: str = "top1") -> str:
    """The model with the highest mean accuracy under a rule, ties by name."""
    return str(means(of_others(accuracy), rule, hit).iloc[0]["model"])


def means(accuracy: pd.DataFrame, rule: str, hit: str = "top1") -> pd.DataFrame:
    """The accuracy table's rows with means over categories, best model first, unknown ones last."""
    chosen = (accuracy[["category", "generator"]] == ALL).all(axis=1) & (accuracy["rule"] == rule)
    return accuracy[chosen].sort_values([hit, "model"], ascending=[False, True])


def images_answer(
    accuracy: pd.DataFrame,
    reference: pd.DataFrame,
    ranking: pd.DataFrame,
    rule: str,
    level: float,
    hit: str = "top1",
) -> str:
    """How well the best classifier does, compared with its reference, mostly real photographs.

    Args:
        accuracy: the table from :func:`synthsight.statistics.accuracy.aggregate`.
        reference: the table from :func:`synthsight.statistics.reference.reference`.
        ranking: the table from :func:`synthsight.statistics.compare.compare`.
        rule: the matching rule.
        level: confidence level of the intervals.
        hit: ``top1`` or ``top5``, by which models are ranked.
    """
    others = of_others(accuracy)
    ranked = means(others, rule, hit)
    best = ranked.iloc[0]
    ranked = ranked[ranked[hit].notna()]
    of_best = accuracy[(accuracy["model"] == best["model"]) & (accuracy["rule"] == rule)]
    categories = of_best.loc[of_best["category"] != ALL, "category"].nunique()
    sentence = (
        f"Shown {count(int(best['n']), 'generated image')} of "
        f"{count(categories, 'category', 'categories')}, "
    )
    if ranked.empty:
        return (
            f"{sentence}how often a model is right {GUESSES[hit]} is not known under {rule}: the "
            f"predictions leave open {_OPEN[hit]}."
        )
    if len(ranked) > 1:
        unseen = " that were not trained on such images" if uncounted(accuracy) else ""
        sentence += f"{best['model']}, {_place(ranking, ranked, rule, hit, unseen)}, "
    else:
        sentence += f"{best['model']} "
    sentence += (
        f"is right {GUESSES[hit]} on {percent(best[hit])} "
        f"{interval(best[f'{hit}_low'], best[f'{hit}_high'], level)}"
    )
    other, short = ("top5", "within five") if hit == "top1" else ("top1", "with its first")
    if pd.notna(best[other]):  # known of it
        bounds = interval(best[f"{other}_low"], best[f"{other}_high"], level)
        sentence += f" and {short} on {percent(best[other])} {bounds}"
    references = of_models(reference, rule).set_index("model")
    if best["model"] not in references.index:
        return sentence + "."  # the photographs are of other categories
    row = references.loc[best["model"]]
    if pd.notna(row[f"drop_{hit}"]):
        drop = row[f"drop_{hit}"]
        low, high = row[f"drop_{hit}_low"], row[f"drop_{hit}_high"]
        if drop < 0:
            drop, low, high = -drop, -high, -low
        if row["kind"] == MEASURED:
            sentence += f"; on {count(int(row['n_reference']), 'real photograph')} "
            if row["categories"] < categories:
                sentence += f"of {count(int(row['categories']), 'category', 'categories')} "
            sentence += "it gets "
        else:
            sentence += f"; on its reference ({row['source']}) it is stated to get "
        sentence += (
            f"{percent(row[f'reference_{hit}'])}, "
            f"{points(drop)} {'more' if row[f'drop_{hit}'] >= 0 else 'less'} "
            f"({signed(low)} to {signed(high)})"
        )
        if row["kind"] == MEASURED and row["categories"] < categories:
            sentence += " than on generated ones of these"
    return sentence + "."


def _place(ranking: pd.DataFrame, ranked: pd.DataFrame, rule: str, hit: str, unseen: str) -> str:
    """Whether the best model is the only one, and how surely, as an apposition."""
    tied = int((ranked[hit] == ranked[hit].iloc[0]).sum())
    if tied > 1:
        return f"one of {tied} models that share the first place of {len(ranked)}{unseen}"
    first = ranking[
        (ranking["generator"] == ALL)
        & (ranking["rule"] == rule)
        & (ranking["hit"] == hit)
        & (ranking["rank"] == 1)
    ].set_index("model")["share"]
    share = float(first[ranked["model"].iloc[0]])
    if share >= SURE:
        return f"the best of {len(ranked)} models{unseen}"
    return (
        f"the best of {len(ranked)} models{unseen or ' here'}, and of {percent(share)} of draws of "
        "other images like these"
    )


def agreement_answer(
    images: pd.DataFrame,
    rule: str,
    adapted: Collection[str] = (),
    hit: str = "top1",
    known: int | None = None,
) -> str | None:
    """How many images all models get and none gets; None for one model, or where it is not known.

    Args:
        images: the table of images, from :mod:`synthsight.statistics.agreement`.
        rule: the matching rule.
        adapted: models that were trained on the images, which are not counted in the table.
        hit: ``top1`` or ``top5``.
        known: number of models whose hits are known; as many as the table says for ``top1``.
    """
    chosen = images[(images["rule"] == rule) & ~images["real"].astype(bool)]
    models = int(chosen["models"].iloc[0]) if known is None else known
    if models < 2 or chosen[hit].isna().any():
        return None
    unseen = " that were not trained on such images" if adapted else ""
    one, several = (
        ("its first guess", "their first guess") if hit == "top1" else ("five guesses",) * 2
    )
    how = "with" if hit == "top1" else "within"
    every = int((chosen[hit] == models).sum())
    none = int((chosen[hit] == 0).sum())
    total = len(chosen)
    if total == 1:
        if none:
            who = f"No model{unseen.replace('were', 'was')}"
            return f"{who} gets the only image {how} {one}."
        if every:
            return f"{_all(models)}{unseen} get the only image {how} {several}."
        right = int(chosen[hit].iloc[0])
        gets = (
            f"gets the only image {how} {one}"
            if right == 1
            else f"get the only image {how} {several}"
        )
        return f"{right} of {models} models{unseen} {gets}."
    return (
        f"{_all(models)}{unseen} get {every:,} of the {total:,} generated images "
        f"({percent(every / total)}) {how} {several}, "
        + (f"none gets {none:,} ({percent(none / total)})." if none else "one at least gets each.")
    )


def _all(models: int) -> str:
    return "Both models" if models == 2 else f"All {models} models"


def people_answer(
    people: pd.DataFrame, rule: str, level: float, adapted: Collection[str] = ()
) -> str:
    """How well people recognise the images that they rated, and the best model the same ones.

    Args:
        people: the table of this name.
        rule: the matching rule.
        level: confidence level of the intervals.
        adapted: models that were trained on the images, of which none is the best.
    """
    source = source_of(people)
    found = people[(people["generator"] == source) & (people["category"] == ALL)]
    mean = found[found["kind"] == MEAN].iloc[0]
    what = "generated image" if source == ALL else f"image of {source}"
    many = count(int(mean["n"]), what, what.replace("image", "images", 1))
    models = found[(found["kind"] == MODEL) & (found["rule"] == rule)]
    models = models[~models["name"].isin(list(adapted))]
    unseen = " of those that were not trained on such images" if adapted else ""
    return _people_beside(mean, models, many, "rated", level, unseen)


def people_questions_answer(table: pd.DataFrame, level: float) -> str | None:
    """The same, of the yes/no questions that people answered; None if none of them counts.

    Args:
        table: the table ``people_answers``.
        level: confidence level of the intervals.
    """
    means = table[table["kind"] == MEAN]
    if means.empty:
        return None
    many = count(int(means.iloc[0]["n"]), "yes/no question")
    models = table[table["kind"] == MODEL]
    return _people_beside(means.iloc[0], models, many, "answered", level)


def _people_beside(
    mean: pd.Series, models: pd.DataFrame, what: str, did: str, level: float, unseen: str = ""
) -> str:
    """What a person gets on average, and by how much the best model gets more, or less.

    Args:
        mean: the row of the mean over people.
        models: the models' rows.
        what: how many images, or questions, in words.
        did: what people did with them.
        unseen: which models are meant, if not all.
        level: confidence level of the intervals.
    """
    who = "people" if mean["raters"] > 1 else "person"
    sentence = (
        f"Of {what} that {int(mean['raters']):,} {who} {did}, "
        + ("a person gets on average " if mean["raters"] > 1 else "this one gets ")
        + f"{percent(mean['accuracy'])} {interval(mean['low'], mean['high'], level)}"
    )
    if models.empty:
        return f"{sentence}."
    best = models.sort_values(["accuracy", "name"], ascending=[False, True]).iloc[0]
    by, low, high = best["difference"], best["difference_low"], best["difference_high"]
    if by < 0:
        by, low, high = -by, -high, -low
    return (
        f"{sentence}; {best['name']}, {'the best model' if len(models) > 1 else 'the model'} on "
        f"these{unseen if len(models) > 1 else ''}, gets {percent(best['accuracy'])}, {points(by)} "
        f"{'more' if best['difference'] >= 0 else 'less'} ({signed(low)} to {signed(high)})."
    )
