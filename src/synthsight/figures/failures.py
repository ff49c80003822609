"""What the best model predicts instead of a category (Borji 2022, Figure 3 and Appendix B)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from synthsight.errors import SynthsightError
from synthsight.figures import style
from synthsight.files import MAKE_AGAIN
from synthsight.tables import metadata_of, read_parquet, read_schema

MOST = 24
"""Maximum number of images on a figure; on a narrow one there are fewer."""

_COLUMNS = 3
_NARROW = 6  # images on a narrow figure
_GAP = 0.12
_SIDE = 0.95  # inches of a thumbnail
_PITCH = _SIDE + 0.14 + 0.13
_TEXT = 0.07  # inches between a thumbnail and its predictions
_PROBABILITY = 0.27  # inches for a probability
_LINES = 8  # lines of text beside a thumbnail


#: Columns of the scores that the figure needs.
_TAKEN = ["image", "category", "real", "rule", "top1_hit", "top5_hit", "predicted", "probability"]


class ScoresError(SynthsightError):
    """A model's scores are not among those given."""


def failures(
    scores: pd.DataFrame,
    class_names: Sequence[str],
    model: str,
    category: str,
    rule: str,
    read: Callable[[str], Image.Image],
) -> Figure:
    """Draw the images whose top five predictions all miss the category.

    The most confident mistakes come first, ties by name. Where five predictions are not known, the
    first one decides.

    Args:
        scores: The model's scores of this category under this rule: ``image, top1_hit, top5_hit``,
            ``predicted`` (class indices, best first) and ``probability``, whose values may be
            missing.
        class_names: Name of each class index.
        model: Name of the model.
        category: Name of the category.
        rule: Matching rule, such as ``words/simple``.
        read: Returns the RGB image of a score's ``image``.
    """
    # Of predictions made elsewhere there may be fewer than five; hits are known of all images, or
    # of none.
    five = bool(scores["top5_hit"].notna().all())
    columns = 1 if style.narrow() else _COLUMNS
    cell = (style.room() - _GAP * (columns - 1)) / columns
    missed = scores[~scores["top5_hit" if five else "top1_hit"].astype(bool)]
    confidence = missed["probability"].map(_first)
    shown = (
        missed.assign(confidence=confidence)
        .sort_values(["confidence", "image"], ascending=[False, True])
        .head(_NARROW if style.narrow() else MOST)
    )
    name = style.plain(category)
    title = f"{name}: {_outcome(len(missed), len(scores), len(shown), five)}"
    which = "Top five predictions" if five else "Predictions"
    stated = bool((shown["confidence"] > 0).any())
    subtitle = f"{which} of {style.plain(model)} under rule {style.plain(rule)}"
    if not len(shown):
        subtitle += "."
    elif stated:
        subtitle += ", with their probabilities; the most confident mistakes first."
    else:
        subtitle += "; their probabilities are not known."
    if not five:
        subtitle += " Top-5 is not known."
    top = style.heading_height(title, subtitle) + 0.1
    lines = -(-len(shown) // columns)

    with style.style():
        figure = style.sheet(top + lines * _PITCH + style.MARGIN)
        style.heading(figure, title, subtitle)
        axes = style.canvas(figure)
        mistakes = zip(shown["image"], shown["predicted"], shown["probability"], strict=True)
        for number, (image, predicted, probabilities) in enumerate(mistakes):
            line, column = divmod(number, columns)
            left = style.MARGIN + column * (cell + _GAP)
            above = top + line * _PITCH
            style.thumbnail(axes, read(str(image)), left, above, _SIDE)
            names = [style.plain(class_names[index]) for index in predicted]
            room = cell - _SIDE - _TEXT - _PROBABILITY
            at = (left + _SIDE + _TEXT, above)
            _predictions(figure, at, room, names, list(probabilities))
            style.write(
                figure,
                left,
                above + _SIDE + 0.03,
                style.elide(style.plain(image), cell, style.SMALL),
                fontsize=style.SMALL,
                color=style.FAINT,
            )
    return figure


def _first(probabilities: Sequence[float | None]) -> float:
    """The first probability, 0 where there is none.

    A choice among categories of which none has a class predicts nothing.
    """
    found = probabilities[0] if len(probabilities) else None
    return 0.0 if found is None or found != found else float(found)


def _outcome(missed: int, total: int, shown: int, five: bool) -> str:
    """Describe how many images are missed and how many of those are shown."""
    if not total:
        return "no usable generated image"
    images = style.count(total, "generated image")
    if not missed:
        of = "the one image" if total == 1 else f"all {images}"
        return f"no failure: the {'top five' if five else 'first guess'} of {of} " + (
            "hold the category" if five else "is right"
        )
    within = "within five guesses" if five else "with the first guess"
    share = f"missed {within} in {missed:,} of {images}"
    return share if shown == missed else f"{share}; {shown} of {missed:,} shown"


def _predictions(
    figure: Figure,
    at: tuple[float, float],
    room: float,
    names: Sequence[str],
    probabilities: Sequence[float | None],
) -> None:
    """Write the predictions, the first in bold; long names wrap while there are lines left."""
    left, top = at
    spare = _LINES - len(names)
    for rank, (name, probability) in enumerate(zip(names, probabilities, strict=True)):
        first = rank == 0
        weight = "bold" if first else "normal"
        broken = style.wrap(name, room, style.SMALL, bold=first, lines=1 + min(spare, 1))
        spare -= len(broken) - 1
        style.write(
            figure,
            left + _PROBABILITY - 0.06,
            top,
            "" if probability is None or probability != probability else f"{probability:.2f}",
            fontsize=style.SMALL,
            weight=weight,
            ha="right",
        )
        for line in broken:
            style.write(figure, left + _PROBABILITY, top, line, fontsize=style.SMALL, weight=weight)
            top += style.LINE


def failures_of_best(
    accuracy: pd.DataFrame,
    scores: Sequence[str],
    category: str,
    rule: str,
    read: Callable[[str], Image.Image],
) -> Figure:
    """Draw :func:`failures` for the model with the highest mean top-1 accuracy.

    Real photographs are left out.

    Args:
        accuracy: The accuracy table.
        scores: Parquet files of the scores of all models, in any order.
        category: Name of the category.
        rule: Matching rule.
        read: Returns the RGB image of a score's ``image``.

    Raises:
        ScoresError: None of the files holds the best model's scores.
    """
    best = style.best_model(accuracy, rule)
    found = []
    for path in scores:
        schema = read_schema(path)
        name = metadata_of(schema, "model", path)
        if name == best:
            names = json.loads(metadata_of(schema, "class_names", path))
            filters = [("rule", "=", rule), ("category", "=", category)]
            table = read_parquet(path, _TAKEN, filters=filters).to_pandas()
            generated = table[~table["real"].astype(bool)]
            return failures(generated, names, best, category, rule, read)
        found.append(name)
    raise ScoresError(
        f"no scores of {best!r}, the best model of the accuracy table, among those of "
        f"{', '.join(found)}; {MAKE_AGAIN}"
    )
