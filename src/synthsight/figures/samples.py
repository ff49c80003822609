"""Sample images of every category (Borji 2022, Figure 1)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain, zip_longest

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from synthsight.figures import style

_GAP = 0.04  # inches between thumbnails
_GUTTER = 0.2  # inches between blocks of categories
_LABEL = 0.14  # inches for the name above a row of thumbnails
_UNDER = 0.08  # inches below a row
_LAYOUTS = ((8, 1, 8), (24, 2, 5), (48, 3, 4), (10**9, 4, 4))
"""Up to so many categories: blocks side by side, and thumbnails in a row."""
_NARROW = ((8, 1, 5), (24, 2, 3), (10**9, 3, 2))
"""The same in a narrow figure."""
_SMALLEST = 0.36  # a thumbnail smaller than this shows nothing in print
_KEY_LINES = 20  # lines for the names of the generators
_TAGS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Grid:
    """How the categories are laid out.

    Attributes:
        blocks: Columns of categories.
        samples: Thumbnails in a row.
        side: Side of a thumbnail in inches.
    """

    blocks: int
    samples: int
    side: float


def grid(categories: int, generators: int) -> Grid:
    """Choose the layout: the more categories, the more blocks of fewer and smaller thumbnails.

    A row has room for one thumbnail of each generator, unless they would become too small: then
    generators alternate from one category to the next.
    """
    layouts = _NARROW if style.narrow() else _LAYOUTS
    blocks, samples = next(
        (blocks, samples) for most, blocks, samples in layouts if categories <= most
    )
    samples = max(samples, generators)
    while samples > 1 and _side(blocks, samples) < _SMALLEST:
        samples -= 1
    return Grid(blocks, samples, _side(blocks, samples))


def _side(blocks: int, samples: int) -> float:
    block = (style.room() - _GUTTER * (blocks - 1)) / blocks
    return (block - _GAP * (samples - 1)) / samples


def choose(images: pd.DataFrame, number: int, first: int = 0) -> pd.DataFrame:
    """Choose sample images of one category, the same ones every time.

    Generators alternate; the images of each are evenly spaced over its sorted list.

    Args:
        images: Rows of one category's manifest with columns ``image`` and ``generator``.
        number: How many to choose; fewer are returned if there are fewer.
        first: Index of the generator to begin with, so that each is seen somewhere even if there
            are more generators than samples.
    """
    generators = images["generator"].astype(object)
    lists = [
        rows.sort_values("image")
        for _, rows in images.groupby(generators.where(generators.notna(), ""), sort=True)
    ]
    if not lists:
        return images
    lists = lists[first % len(lists) :] + lists[: first % len(lists)]
    quotas = [0] * len(lists)
    while sum(quotas) < min(number, len(images)):
        for position, rows in enumerate(lists):
            if quotas[position] < len(rows) and sum(quotas) < number:
                quotas[position] += 1
    # The middle of each of `quota` equal segments of the list.
    spaced = [
        [rows.index[(2 * step + 1) * len(rows) // (2 * quota)] for step in range(quota)]
        for rows, quota in zip(lists, quotas, strict=True)
    ]
    turns = chain.from_iterable(zip_longest(*spaced))
    return images.loc[[index for index in turns if index is not None]]


def samples(
    manifest: pd.DataFrame, photographs: Collection[str], read: Callable[[str], Image.Image]
) -> Figure:
    """Draw a row of sample images for every category; real photographs are left out.

    With several generators each image carries a letter that the heading explains.

    Args:
        manifest: The manifests of all categories, one after the other, with unique rows.
        photographs: The sources of real photographs.
        read: Returns the RGB image of a manifest's ``image``.
    """
    categories = sorted(set(manifest["category"]))
    generated = ~manifest["generator"].isin(photographs)
    usable = manifest[(manifest["status"] == "ok") & generated].reset_index(drop=True)
    generators = sorted(usable["generator"].dropna().unique())
    kinds = len(generators) + bool(usable["generator"].isna().any())
    layout = grid(len(categories), kinds)
    tagged = len(generators) > 1 or kinds > len(generators) > 0
    tags = {name: _tag(index) for index, name in enumerate(generators)} if tagged else {}

    title = "Sample images of " + style.count(len(categories), "category", "categories")
    which = "generated images" if len(photographs) else "images"
    subtitle = f"Up to {layout.samples} of each category's {which}, evenly spaced over the list"
    if tags:
        named = ", ".join(f"{tag}\u00a0{style.plain(name)}" for name, tag in tags.items())
        subtitle += f"; the generators take turns: {named}."
    elif generators:
        subtitle += f"; all from {style.plain(generators[0])}."
    else:
        subtitle += "."

    none = "  no generated image" if len(photographs) else "  no usable image"
    lengths = -(-len(categories) // layout.blocks)
    pitch = _LABEL + layout.side + _UNDER
    top = style.heading_height(title, subtitle, _KEY_LINES) + 0.1
    block_width = (style.room() - _GUTTER * (layout.blocks - 1)) / layout.blocks

    with style.style():
        figure = style.sheet(top + lengths * pitch + style.MARGIN)
        style.heading(figure, title, subtitle, _KEY_LINES)
        axes = style.canvas(figure)
        for number, category in enumerate(categories):
            block, row = divmod(number, lengths)
            left = style.MARGIN + block * (block_width + _GUTTER)
            above = top + row * pitch
            images = usable[usable["category"] == category]
            total = f"  {len(images):,}"
            name = style.elide(
                style.plain(category),
                block_width - style.text_width(total, style.SMALL) - 0.05,
                bold=True,
            )
            style.write(figure, left, above, name, weight="bold")
            style.write(
                figure,
                left + style.text_width(name, bold=True),
                above,
                total if len(images) else none,
                fontsize=style.SMALL,
                color=style.FAINT,
            )
            for place, sample in enumerate(
                choose(images, layout.samples, number).itertuples(index=False)
            ):
                x = left + place * (layout.side + _GAP)
                style.thumbnail(axes, read(str(sample.image)), x, above + _LABEL, layout.side)
                tag = tags.get(sample.generator)
                if tag:
                    axes.text(
                        x + 0.03,
                        above + _LABEL + layout.side - 0.03,
                        tag,
                        fontsize=style.SMALL,
                        va="bottom",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                        zorder=4,
                    )
    return figure


def _tag(index: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    return (_tag(index // len(_TAGS) - 1) if index >= len(_TAGS) else "") + _TAGS[
        index % len(_TAGS)
    ]
