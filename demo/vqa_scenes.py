"""Pictures of several things whose content is known: what the yes/no questions are about.

A picture is a loose grid of three by three places. One kind of thing comes once to four times,
three or four others come once. Kinds, colours, sizes and places are drawn independently of each
other, so that no one of them tells another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from demo.scene import Draw, Scene, place
from demo.shapes import animals, food, toys
from demo.sketch import Colour, Part, Sketch, rgb, shade
from demo.styles import STYLES
from demo.world import random_for

IMAGES_PER_GENERATOR = 25
SIDE = 176
# Shares of the picture's side: the root of the area of a thing's box, and the longest side of it.
LARGE, SMALL, LONGEST = (0.255, 0.275), (0.155, 0.17), 0.315

COLOURS = {
    "red": "#d02c2a",
    "yellow": "#efcb2c",
    "green": "#37a04a",
    "blue": "#2d66cc",
    "purple": "#8238a8",
    "black": "#1d1d1f",
}

# What has one of those colours, and what has its own.
PAINTED: dict[str, Callable[[np.random.Generator, Colour], Sketch]] = {
    "ball": toys.ball,
    "balloon": toys.balloon,
    "car": toys.car,
    "cup": toys.cup,
    "house": toys.house,
    "umbrella": toys.umbrella,
}
NATURAL: dict[str, tuple[Draw, ...]] = {
    "elephant": (animals.african_elephant, animals.indian_elephant),
    "pizza": (food.pizza,),
    "rabbit": (animals.wood_rabbit,),
    "teddy bear": (animals.teddy,),
    "tree": (toys.tree,),
    "turtle": (animals.box_turtle, animals.mud_turtle, animals.terrapin),
}
KINDS = (*PAINTED, *NATURAL)


@dataclass(frozen=True)
class Item:
    """One thing in a picture.

    colour: a name in COLOURS, or None for what is not painted; x, y: its middle, 0..1 from the
    upper left; size: the root of its box's area; both as shares of the picture's side.
    """

    kind: str
    colour: str | None
    x: float
    y: float
    size: float

    @property
    def large(self) -> bool:
        """Whether it is one of the large things; nothing is in between."""
        return self.size >= LARGE[0]


@dataclass(frozen=True)
class Picture:
    """An image and what is in it."""

    image: Image.Image
    items: tuple[Item, ...]


def furnish(rng: np.random.Generator) -> tuple[Item, ...]:
    """Choose what a picture shows: a painted and a natural thing at the least, 4 to 7 in all."""
    painted = [str(kind) for kind in rng.permutation(list(PAINTED))]
    natural = [str(kind) for kind in rng.permutation(list(NATURAL))]
    repeats = int(rng.integers(1, 5))
    spare = [str(kind) for kind in rng.permutation(painted[1:] + natural[1:])]
    kinds = [painted[0], natural[0], *spare[: 2 + (repeats <= 3 and rng.random() < 0.5)]]
    # The last of them is the one that may come several times.
    large = [True, False, *(rng.random(4 + repeats) < 0.5)][: len(kinds) - 1]
    sizes = [*rng.permutation(large), *(rng.random(repeats) < 0.5)]
    everything = [*kinds[:-1], *[kinds[-1]] * repeats]
    shared = str(rng.choice(list(COLOURS))) if rng.random() < 0.5 else None
    cells = rng.permutation(9)[: len(everything)]
    items = []
    for kind, is_large, cell in zip(everything, sizes, cells, strict=True):
        colour = str(rng.choice(list(COLOURS)))
        if kind == kinds[-1]:
            colour = shared or colour
        size = rng.uniform(*(LARGE if is_large else SMALL))
        play = 0.012 if is_large else 0.05
        x, y = (np.array([cell % 3, cell // 3]) + 0.5) / 3 + rng.uniform(-play, play, 2)
        items.append(
            Item(kind, colour if kind in PAINTED else None, float(x), float(y), float(size))
        )
    return tuple(items)


def lay_out(items: tuple[Item, ...], rng: np.random.Generator) -> Scene:
    """The things as parts on a square picture."""
    things = []
    for item in items:
        if item.colour is not None:
            paint = shade(rgb(COLOURS[item.colour]), rng.uniform(0.94, 1.06))
            sketch = PAINTED[item.kind](rng, paint)
        else:
            draws = NATURAL[item.kind]
            sketch = draws[rng.integers(len(draws))](rng)
        middle = SIDE * np.array([item.x, item.y])
        things.append(resized(place(sketch, rng, np.full(2, SIDE), middle, 1.0), item, middle))
    setting = rng.choice(["field", "table", "wall"])
    return Scene(SIDE, SIDE, setting, things)


def resized(parts: list[Part], item: Item, middle: np.ndarray) -> list[Part]:
    """The parts of a thing, scaled around its middle to the item's size."""
    corners = np.vstack([part.boundary for part in parts])
    box = np.ptp(corners, axis=0) / SIDE
    scale = min(item.size / np.sqrt(box.prod()), LONGEST / box.max())
    return [part.mapped(np.eye(2) * scale, (1 - scale) * middle) for part in parts]


def picture(style: str, split: str, number: int) -> Picture:
    """Picture `number` of a split in a style; the splits share no picture."""
    rng = random_for("questions", style, split, number)
    items = furnish(rng)
    return Picture(STYLES[style](lay_out(items, rng), rng), items)
