"""The hardest and the easiest images across all models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from synthsight.figures import style
from synthsight.figures.counted import uncounted

SHOWN = 12
"""Maximum number of images of each kind."""

_COLUMNS, _NARROW = 6, 4  # thumbnails side by side, and in a narrow figure
_GAP = 0.08  # inches between thumbnails
_UNDER = 0.03 + 3 * style.LINE + 0.06  # inches under a thumbnail
_HEAD = 0.17  # inches for the title of a block
_BETWEEN = 0.06  # inches between the blocks


def choose(images: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose the hardest and the easiest images, the same ones every time.

    The fewer models get an image top-1, the harder it is, regardless of category. Among images that
    equally many models get, categories alternate, each with its hardest image by top-5 first; ties
    are broken by name. The easiest are chosen likewise from the other end. No image is on both
    sides, none that all models get is among the hardest, and none that no model gets among the
    easiest.

    Args:
        images: Rows of the images table under one rule.

    Returns:
        At most :data:`SHOWN` of the hardest, hardest first, and of the easiest, easiest first.
    """
    missed, got = images["top1"] < images["models"], images["top1"] > 0
    number = min(SHOWN, len(images) // 2) if len(images) > 1 else len(images)
    hardest = _order(images[missed], ascending=True).head(number)
    easiest = _order(images[got].drop(index=hardest.index, errors="ignore"), ascending=False)
    return hardest, easiest.head(number)


def _order(images: pd.DataFrame, ascending: bool) -> pd.DataFrame:
    by_name = images.sort_values(["top5", "image"], ascending=[ascending, True])
    turns = by_name.groupby(["top1", "category"]).cumcount()
    return by_name.assign(turn=turns).sort_values(
        ["top1", "turn", "top5", "category", "image"],
        ascending=[ascending, True, ascending, True, True],
    )


def gallery(
    images: pd.DataFrame,
    rule: str,
    read: Callable[[str], Image.Image],
    adapted: Sequence[str] = (),
) -> Figure:
    """Draw the hardest and the easiest images with the number of models that get each.

    Real photographs are left out.

    Args:
        images: The images table.
        rule: Matching rule, such as ``words/simple``.
        read: Returns the RGB image of the table's ``image``.
        adapted: Models that were trained on the images, and are not counted.

    Raises:
        ValueError: If the table has no row under this rule.
    """
    real = images["real"].astype(bool)
    found = style.of_rule(images[~real], rule, "images").reset_index(drop=True)
    hardest, easiest = choose(found)
    models = int(found["models"].max())
    who = (
        "the one model misses and gets"
        if models == 1
        else f"the fewest and the most of {models} models get"
    )
    title = "The hardest and the easiest generated images across all models"
    subtitle = (
        f"Images that {who} with the first prediction; rule {style.plain(rule)}. Among equals the "
        "categories take turns."
        + ("" if (found["top1"] < models).any() else " No image is missed.")
        + ("" if (found["top1"] > 0).any() else " No image is got.")
        + uncounted(adapted)
    )
    top = style.heading_height(title, subtitle, 2 + bool(adapted)) + 0.12
    blocks = [
        (head, shown) for head, shown in (("Hardest", hardest), ("Easiest", easiest)) if len(shown)
    ]
    columns = _NARROW if style.narrow() else _COLUMNS
    side = (style.room() - _GAP * (columns - 1)) / columns
    pitch = side + _UNDER
    height = sum(_HEAD + pitch * -(-len(shown) // columns) + _BETWEEN for _, shown in blocks)

    with style.style():
        figure = style.sheet(top + height + style.MARGIN)
        style.heading(figure, title, subtitle, 2 + bool(adapted))
        axes = style.canvas(figure)
        for head, shown in blocks:
            tied = int((found["top1"] == shown["top1"].iloc[0]).sum())
            style.write(figure, style.MARGIN, top, head, weight="bold")
            said = (
                f"{tied:,} of {style.count(len(found), 'image')} {'is' if tied == 1 else 'are'} as "
                f"{'hard' if head == 'Hardest' else 'easy'} as the first"
            )
            start = style.MARGIN + style.text_width(head, bold=True) + 0.08
            style.write(figure, start, top, said, color=style.FAINT)
            top += _HEAD
            for number, image in enumerate(shown.to_dict("records")):
                line, column = divmod(number, columns)
                left = style.MARGIN + column * (side + _GAP)
                above = top + line * pitch
                style.thumbnail(axes, read(str(image["image"])), left, above, side)
                above += side + 0.03
                name = style.elide(style.plain(image["category"]), side, bold=True)
                style.write(figure, left, above, name, weight="bold")
                got = int(image["top1"])
                count = f"{got} of {models} models" if models > 1 else "got" if got else "missed"
                if style.text_width(count) > side:
                    count = f"{got} of {models}"
                style.write(figure, left, above + style.LINE, count)
                style.write(
                    figure,
                    left,
                    above + 2 * style.LINE,
                    style.elide(style.plain(image["image"]), side, style.SMALL),
                    fontsize=style.SMALL,
                    color=style.FAINT,
                )
            top += pitch * -(-len(shown) // columns) + _BETWEEN
    return figure
