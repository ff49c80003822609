"""Food, mostly seen from above, and the mushrooms."""

from __future__ import annotations

import numpy as np

from demo.sketch import (
    Colour,
    Points,
    Sketch,
    ellipse,
    one_of,
    ragged,
    rgb,
    rotation,
    shade,
    smooth,
    vary,
)

CREAM = rgb("#f6ecd4")


def bagel(rng: np.random.Generator) -> Sketch:
    """A baked ring with a small hole, seeds on top; sometimes seen at an angle."""
    pen = Sketch("table", spin=180)
    crust = one_of(rng, ("#c98a45", "#b8742f", "#d69a52", "#8a5428"))
    flat = rng.uniform(0.72, 1.0)
    hole = rng.uniform(0.2, 0.3)
    outer = ragged(rng, ellipse((0, 0), (0.92, 0.92 * flat)), 0.012)
    gap = ragged(rng, ellipse((0, -0.02), (hole, hole * flat * 0.9)), 0.03)
    pen.shape(outer, crust, holes=[gap], relief=1, material="glossy")
    halo = ellipse((0, 0), (hole + 0.13, (hole + 0.13) * flat))
    pen.shape(halo, shade(crust, 1.25), holes=[gap], relief=0.3, inked=False)
    crown = ellipse((0, -0.02), (0.66, 0.66 * flat))
    pen.shape(
        crown,
        shade(crust, 0.87),
        holes=[ellipse((0, -0.02), (0.46, 0.46 * flat))],
        relief=0.2,
        inked=False,
    )
    topping = ("#f8ecc8", "#2b2622", "#f8ecc8")[rng.integers(3)]
    for _ in range(rng.integers(26, 44)):
        angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(hole + 0.14, 0.8)
        at = (radius * np.cos(angle), radius * np.sin(angle) * flat)
        size = (0.05, 0.027) if topping != "#2b2622" else (0.026, 0.026)
        pen.oval(at, size, vary(rng, topping, 0.03), rng.uniform(0, 180), relief=0.2, inked=False)
    return pen


def french_loaf(rng: np.random.Generator) -> Sketch:
    """A baguette with slanted cuts."""
    pen = Sketch("table", spin=60)
    crust = one_of(rng, ("#c98a45", "#b8742f", "#d69a52"))
    bend = rng.uniform(-0.1, 0.1)
    pen.limb(
        [(-1.05, bend), (-0.5, 0), (0.5, 0), (1.05, bend)],
        [0.12, 0.34, 0.42, 0.42, 0.34, 0.12],
        crust,
        relief=1,
    )
    for x in np.linspace(-0.72, 0.72, 5):
        cut = [(x - 0.1, 0.12), (x, 0), (x + 0.12, -0.13)]
        pen.limb(cut, [0.02, 0.12, 0.02], shade(crust, 1.8), relief=0.4)
    return pen


def pretzel(rng: np.random.Generator) -> Sketch:
    """The knot: two lobes, a full twist in the middle, both ends on the lower arc."""
    pen = Sketch("table", spin=50)
    crust = one_of(rng, ("#8a4a1e", "#9c5a26", "#b06a2c", "#73401f"))
    thick = rng.uniform(0.2, 0.27)
    knots = np.array(
        [(-0.44, 0.64), (-0.27, 0.4), (0.0, 0.16), (0.1, 0.03), (0.0, -0.1), (-0.24, -0.36),
         (-0.56, -0.58), (-0.88, -0.44), (-0.98, -0.04), (-0.84, 0.36), (-0.5, 0.66), (0.0, 0.78)]
    )  # fmt: skip
    knots += np.column_stack([np.zeros(12), rng.normal(0, 0.012, 12)])
    left = knots[:-1]
    right = left[::-1] * (-1, 1)
    rope = smooth(np.vstack([left, knots[-1:], right]))
    crossing = 9  # curve points per knot
    upper_left, upper_right = 3 * crossing, len(rope) - 1 - 3 * crossing
    reach = [0.8 * thick] + [thick] * 6
    under = rope[upper_left + 2 * crossing : upper_right + 1]
    pen.limb(under[::6], [*([thick] * 9)], crust, relief=1, material="glossy", open_ends=True)
    over = rope[: upper_left + 3 * crossing]
    pen.limb(over[::3], reach, crust, relief=1, material="glossy", open_ends=True)
    last = rope[upper_right - 2 :][::-1]
    pen.limb(last[::3], reach, crust, relief=1, material="glossy", open_ends=True)
    for point in rope[8:-8:5]:
        if rng.random() < 0.75:
            salt(pen, rng, point + rng.normal(0, 0.25 * thick, 2) * 0.6)
    return pen


def salt(pen: Sketch, rng: np.random.Generator, at: Points) -> None:
    """One coarse grain."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * rng.uniform(0.02, 0.032)
    pen.shape(corners @ rotation(rng.uniform(0, 90)).T + at, CREAM, relief=0.3, inked=False)


def pizza(rng: np.random.Generator) -> Sketch:
    """A whole pizza, one with a slice pulled out, or a slice."""
    kind = rng.choice(["whole", "missing slice", "slice"], p=[0.45, 0.3, 0.25])
    if kind == "slice":
        return pizza_slice(rng)
    pen = Sketch("table", spin=180)
    span = (0, 360) if kind == "whole" else (25, 335)
    crust = one_of(rng, ("#d49a4e", "#c4853a", "#b8742f"))
    cheese = one_of(rng, ("#f3c64f", "#f0b93c", "#f7d878"), 0.03)
    for radius, colour, relief in (
        (0.98, crust, 0.8), (0.83, rgb("#c23b22"), 0.1), (0.79, cheese, 0.2),
    ):  # fmt: skip
        pen.shape(sector(rng, radius, span), colour, relief=relief, inked=radius > 0.9)
    toppings(pen, rng, lambda: polar(rng, span, 0.66))
    for angle in np.radians(np.arange(25, 380, 62)):
        reach = (0.8 * np.cos(angle), 0.8 * np.sin(angle))
        pen.stroke([(0, 0), reach], 0.016, shade(cheese, 0.6))
    if kind == "missing slice":
        centre = np.array([0.12, 0.0])
        for radius, colour in ((0.98, crust), (0.82, cheese)):
            pen.shape(sector(rng, radius, (-22, 22)) + centre, colour, inked=radius > 0.9)
        pepperoni(pen, rng, (0.68, 0.05))
    return pen


def sector(rng: np.random.Generator, radius: float, span: tuple[float, float]) -> Points:
    """A slightly uneven disc, or the part of one between two angles."""
    arc = ellipse((0, 0), (radius, radius), 0, *span)
    if span[1] - span[0] >= 360:
        return ragged(rng, arc, 0.01)
    return np.vstack([arc, [(0.0, 0.0)]])


def polar(rng: np.random.Generator, span: tuple[float, float], reach: float) -> Points:
    """A random place on the disc, away from the rim and from the missing slice."""
    inset = 0 if span[1] - span[0] >= 360 else 14
    angle = np.radians(rng.uniform(span[0] + inset, span[1] - inset))
    radius = reach * np.sqrt(rng.uniform(0.06, 1))
    return np.array([radius * np.cos(angle), radius * np.sin(angle)])


def pizza_slice(rng: np.random.Generator) -> Sketch:
    """A triangle with its crust on top."""
    pen = Sketch("table", spin=60)
    crust = one_of(rng, ("#d49a4e", "#c4853a"))
    cheese = one_of(rng, ("#f3c64f", "#f0b93c", "#f7d878"), 0.03)
    pen.shape([(-0.66, -0.66), (0.66, -0.66), (0.03, 0.95), (-0.03, 0.95)], shade(crust, 0.85))
    pen.blob(
        [(-0.58, -0.62), (0, -0.68), (0.58, -0.62), (0.34, 0.02), (0.02, 0.86), (-0.3, 0.02)],
        cheese,
        relief=0.3,
    )
    pen.limb([(-0.7, -0.62), (0, -0.78), (0.7, -0.62)], [0.24, 0.26, 0.24], crust, relief=1)
    for spot in ((-0.26, -0.38), (0.24, -0.3), (0.0, 0.04), (0.02, 0.42)):
        pepperoni(
            pen, rng, np.asarray(spot) + rng.normal(0, 0.03, 2), 0.17 - 0.08 * (spot[1] > 0.3)
        )
    for spot in ((0.05, -0.5), (-0.2, 0.0), (0.22, 0.1), (0.0, 0.24)):
        leaf(pen, rng, np.asarray(spot) + rng.normal(0, 0.04, 2))
    return pen


def toppings(pen: Sketch, rng: np.random.Generator, place) -> None:
    """Pepperoni or tomato, olives and leaves, kept apart from each other."""
    taken: list[Points] = []
    kinds = [pepperoni] * int(rng.integers(7, 11)) + [olive] * int(rng.integers(0, 8))
    kinds += [leaf] * int(rng.integers(2, 9))
    for kind in kinds:
        for _ in range(12):
            at = place()
            if all(np.linalg.norm(at - other) > 0.24 for other in taken):
                taken.append(at)
                kind(pen, rng, at)
                break


def pepperoni(pen: Sketch, rng: np.random.Generator, at, radius: float = 0.145) -> None:
    """A red disc with paler specks."""
    red = vary(rng, "#b3321f", 0.03)
    pen.oval(tuple(at), (radius, radius * rng.uniform(0.88, 1)), red, rng.uniform(0, 90))
    for speck in rng.uniform(-0.5, 0.5, (3, 2)) * radius:
        pen.dot(tuple(np.asarray(at) + speck), 0.2 * radius, shade(red, 1.35))


def olive(pen: Sketch, rng: np.random.Generator, at) -> None:
    """A black ring."""
    del rng  # all olives look alike
    hole = ellipse(tuple(at), (0.03, 0.03), points=16)
    pen.shape(ellipse(tuple(at), (0.075, 0.075)), rgb("#2f2b2a"), holes=[hole], inked=False)


def leaf(pen: Sketch, rng: np.random.Generator, at) -> None:
    """A basil leaf."""
    along = np.array([0.11, 0]) @ rotation(rng.uniform(0, 180)).T
    pen.limb([at - along, at, at + along], [0.01, 0.11, 0.01], vary(rng, "#3f8a37"), relief=0.3)


def plate(rng: np.random.Generator) -> Sketch:
    """A dinner plate with a rim, a little food on it, a fork and a knife beside it."""
    pen = Sketch("table", spin=25)
    china = one_of(rng, ("#f4f1ea", "#e6edf2", "#dfe8e2", "#f3e3d0"), 0.02)
    rim = one_of(rng, ("#3a6ea5", "#b5473c", "#c9a227", "#4c8c6b"))
    steel = rgb("#aab0b6")
    pen.oval((0, 0), (0.76, 0.76), china, relief=0.5, material="glossy")
    pen.shape(ellipse((0, 0), (0.71, 0.71)), rim, holes=[ellipse((0, 0), (0.66, 0.66))], relief=0)
    pen.oval((0, 0), (0.5, 0.5), shade(china, 0.93), relief=0.2)
    if rng.random() < 0.75:
        meal(pen, rng)
    for tine in (-0.07, 0, 0.07):
        pen.limb([(-0.95 + tine, -0.5), (-0.95 + tine, -0.2)], [0.035], steel, relief=0.3)
    pen.limb([(-0.95, -0.22), (-0.95, 0.6)], [0.16, 0.05, 0.06, 0.07], steel, relief=0.5)
    pen.blob([(0.9, -0.55), (1.03, -0.4), (1.0, 0.05), (0.92, 0.05)], steel, relief=0.3)
    pen.limb([(0.96, 0.0), (0.96, 0.6)], [0.06, 0.08], rgb("#4a3a30"), relief=0.5)
    return pen


def meal(pen: Sketch, rng: np.random.Generator) -> None:
    """Meat, mash and peas."""
    turn = rotation(rng.uniform(0, 360)).T
    meat = np.array([(-0.3, -0.05), (-0.2, -0.25), (0.05, -0.3), (0.16, -0.12), (-0.08, 0.02)])
    pen.blob(meat @ turn, vary(rng, "#7a4326"), relief=0.9)
    mash = np.array([(0.06, 0.02), (0.3, -0.02), (0.34, 0.2), (0.12, 0.24)])
    pen.blob(mash @ turn, vary(rng, "#f0dc8c"), relief=0.9)
    for spot in rng.normal((-0.14, 0.2), 0.07, (14, 2)) @ turn:
        pen.oval(tuple(spot), (0.042, 0.042), vary(rng, "#5c9a3a"), relief=0.6)


def mushroom(rng: np.random.Generator) -> Sketch:
    """A thin stem under a domed cap with gills; one to three of them."""
    pen = Sketch("field", spin=8)
    cap = one_of(rng, ("#c9a27a", "#e8dcc6", "#b5482f", "#8a6a4a", "#d98c3a"))
    stands = [(0.9, 0.05, 0.0)]
    if rng.random() < 0.5:
        stands = [(0.55, -0.62, 0.42), *stands]
    if rng.random() < 0.35:
        stands = [(0.45, 0.66, 0.52), *stands]
    for size, x, drop in stands:
        pen.add(gilled(rng, cap), size, (x, drop))
    return pen


def gilled(rng: np.random.Generator, cap: Colour) -> Sketch:
    """One mushroom with gills."""
    pen = Sketch()
    stem = vary(rng, "#efe3cc", 0.03)
    lean = rng.uniform(-0.1, 0.1)
    dome = rng.uniform(0.62, 0.85)
    pen.limb([(0, -0.1), (lean, 0.4), (0.6 * lean, 0.96)], [0.3, 0.24, 0.26, 0.34], stem, relief=1)
    pen.oval((0, -0.08), (0.82, 0.2), shade(stem, 0.78), relief=0.1)
    for x in np.linspace(-0.66, 0.66, 13):
        pen.stroke([(0.45 * x, -0.12), (x, 0.06 - 0.1 * x * x)], 0.016, shade(stem, 0.5))
    pen.limb([(-0.17, 0.16), (0, 0.22), (0.17, 0.16)], [0.05, 0.1, 0.05], stem, relief=0.5)
    pen.blob(
        [(-0.9, -0.04), (-0.82, -0.36), (-0.45, -0.1 - 0.9 * dome), (0, -0.16 - dome),
         (0.45, -0.1 - 0.9 * dome), (0.82, -0.36), (0.9, -0.04), (0.45, -0.14), (0, -0.17),
         (-0.45, -0.14)],
        cap,
        relief=1,
    )  # fmt: skip
    if rng.random() < 0.6:
        for x, y, r in ((-0.4, -0.45, 0.11), (0.06, -0.68, 0.13), (0.42, -0.4, 0.1),
                        (0.0, -0.32, 0.08), (-0.64, -0.24, 0.07), (0.68, -0.22, 0.06)):  # fmt: skip
            pen.oval((x, y * (0.5 + dome * 0.65)), (r, 0.8 * r), CREAM, relief=0.3)
    return pen


def bolete(rng: np.random.Generator) -> Sketch:
    """A bulbous stem under a thick bun of a cap, without gills."""
    pen = Sketch("field", spin=8)
    cap = one_of(rng, ("#6f4326", "#7d4a2a", "#5a3a26"))
    stem = vary(rng, "#e3cfa5", 0.03)
    pen.blob(
        [(-0.26, -0.2), (0.26, -0.2), (0.36, 0.3), (0.5, 0.75), (0.3, 0.96), (-0.3, 0.96),
         (-0.5, 0.75), (-0.36, 0.3)],
        stem,
        relief=1,
    )  # fmt: skip
    for x in (-0.24, -0.08, 0.08, 0.24):
        pen.stroke([(x, 0.1), (1.25 * x, 0.5), (1.4 * x, 0.8)], 0.014, shade(stem, 0.7))
    height = rng.uniform(0.6, 0.8)
    pen.limb([(-0.66, -0.14), (0, -0.06), (0.66, -0.14)], [0.18, 0.24, 0.18], vary(rng, "#cdb45e"))
    pen.blob(
        [(-0.84, -0.2), (-0.72, -0.5), (-0.35, -0.22 - height), (0.35, -0.22 - height),
         (0.72, -0.5), (0.84, -0.2), (0.4, -0.14), (-0.4, -0.14)],
        cap,
        relief=1,
        material="glossy",
    )  # fmt: skip
    return pen
