"""Pairs of duplicates in words: the worst of them, how they differ, what is doubtful with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from synthsight.images.hashing import BITS

#: Pairs that the report shows as pictures, at most.
SHOWN = 50

#: Pairs that a message names.
NAMED = 3

#: Generators, and places without images, that a sentence names.
_LISTED = 10

#: From this share of images on that look like an earlier one, intervals are said to be too narrow.
_MANY = 0.05


def across(pairs: pd.DataFrame, what: str) -> pd.Series:
    """Which pairs are of two categories, or of two generators, bool.

    Args:
        pairs: the table ``duplicates``.
        what: ``category`` or ``generator``.
    """
    one, other = pairs[f"{what}_a"].fillna(""), pairs[f"{what}_b"].fillna("")
    return one != other


def mixed(pairs: pd.DataFrame) -> pd.Series:
    """Which pairs are of a real photograph and a generated image, bool.

    Args:
        pairs: the table ``duplicates``.
    """
    return pairs["real_a"].astype(bool) != pairs["real_b"].astype(bool)


def worst_pairs(pairs: pd.DataFrame, limit: int) -> pd.DataFrame:
    """The pairs to look at first.

    Those across categories come first, then those of a photograph and a generated image, the same
    file, those across generators, the most alike.

    Args:
        pairs: the table ``duplicates``.
        limit: at most how many.
    """
    keys = {
        "_category": ~across(pairs, "category"),
        "_mixed": ~mixed(pairs),
        "_kind": pairs["kind"] != "exact",
        "_generator": ~across(pairs, "generator"),
    }
    order = [*keys, "bits", "a", "b"]
    worst = pairs.assign(**keys).sort_values(order, ignore_index=True).head(limit)
    return worst[pairs.columns]


def named(pairs: pd.DataFrame) -> str:
    """The worst of some pairs in words, and whether there are more.

    Args:
        pairs: rows of the table ``duplicates``.
    """
    worst = worst_pairs(pairs, NAMED).to_dict("records")
    each = (f"{pair['a']} and {pair['b']} ({difference(pair)})" for pair in worst)
    return "; ".join(each) + ("; ..." if len(pairs) > NAMED else "")


def difference(pair: Mapping[Any, Any]) -> str:
    """How the images of a pair differ, in words.

    Args:
        pair: a row of the table ``duplicates``.
    """
    if pair["kind"] == "exact":
        return "the same file"
    mirrored = "mirrored, " if pair["mirrored"] else ""
    return f"{mirrored}{pair['bits']} of {BITS} bits"


def described(pair: Mapping[Any, Any], excluded: Collection[str] = ()) -> str:
    """What is to be said below the two pictures of a pair.

    Args:
        pair: a row of the table ``duplicates``.
        excluded: the images that are left out as duplicates.
    """
    said = [difference(pair)]
    if pair["real_a"] != pair["real_b"]:
        said.append("a photograph and a generated image")
    match pair["a"] in excluded, pair["b"] in excluded:
        case True, True:
            said.append("both are left out")
        case True, False:
            said.append("the first is left out")
        case False, True:
            said.append("the second is left out")
    return "; ".join(said)


def across_categories(pairs: pd.DataFrame) -> str | None:
    """A sentence on pictures that are in several categories; None if there are none.

    One of their labels is most likely wrong.

    Args:
        pairs: the table ``duplicates``.
    """
    found = pairs[across(pairs, "category")]
    if found.empty:
        return None
    what = "pair of images is" if len(found) == 1 else "pairs of images are"
    return (
        f"{len(found):,} {what} of two categories and the same picture, or nearly, so that one "
        f"label of each is most likely wrong: {named(found)}. "
        "Remove the wrong ones (tables/duplicates.csv has all)"
    )


def across_photographs(pairs: pd.DataFrame) -> str | None:
    """A sentence on generated images that are nearly photographs; None if there are none.

    Args:
        pairs: the table ``duplicates``.
    """
    found = pairs[mixed(pairs)]
    if found.empty:
        return None
    what = "pair of images is" if len(found) == 1 else "pairs of images are"
    return (
        f"{len(found):,} {what} of a photograph and a generated image, and the same picture, or "
        f"nearly: {named(found)}. Either a generator reproduces a photograph, or a file is in the "
        "wrong folder; the measured drop is too small with them (tables/duplicates.csv has all)"
    )


def within_categories(pairs: pd.DataFrame, images: int) -> str | None:
    """A sentence on images that are no draws of their own, if there are many; else None.

    Args:
        pairs: the table ``duplicates``.
        images: how many images the run has.
    """
    alike = ~across(pairs, "category") & ~mixed(pairs)  # photographs are in cells of their own
    copies = pairs.loc[alike, "b"].nunique()
    if not images or copies < _MANY * images:
        return None
    return (
        f"{copies:,} of {images:,} images are nearly the same as another one of their category "
        "(tables/duplicates.csv), so intervals, which count each as one more picture, are too "
        "narrow"
    )


def left_out(
    usable: Mapping[tuple[str | None, str], int], lost: Mapping[tuple[str | None, str], int]
) -> str | None:
    """A sentence on duplicates that are left out, so that no mean is silently about fewer images.

    Args:
        usable: how many images there are with them, by generator and category.
        lost: how many of them are left out.

    Returns:
        It; None if none is left out.
    """
    if not lost:
        return None
    before, less = Counter[str | None](), Counter[str | None]()
    for counts, found in ((before, usable), (less, lost)):
        for (generator, _), number in found.items():
            counts[generator] += number
    makers = sorted(less, key=lambda maker: (maker is None, maker or ""))
    each = [
        f"{less[maker]:,} of {before[maker]:,} "
        + ("without a generator" if maker is None else f"of {maker!r}")
        for maker in makers
    ]
    empty = [
        f"{category!r}" if maker is None else f"{category!r} by {maker!r}"
        for maker, category in sorted(lost, key=lambda key: (key[0] is None, key[0] or "", key[1]))
        if lost[maker, category] == usable[maker, category]
    ]
    number, total = less.total(), before.total()
    what = "are left out as duplicates or near duplicates"
    if number == 1:
        what = "is left out as a duplicate or near duplicate"
    return (
        f"{number:,} of {total:,} images {what} (images.duplicates: exclude; "
        "tables/excluded.csv says of what)"
        + ("" if [*before] == [None] else f": {_listed(each)}")
        + (f"; no image is left of {_listed(empty)}" if empty else "")
    )


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:_LISTED]) + (", ..." if len(items) > _LISTED else "")
