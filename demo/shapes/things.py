"""Made things: clocks, helmets, glasses, vehicles, vessels and what hangs in the sky."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from demo.sketch import (
    Colour,
    Path,
    Points,
    Sketch,
    ellipse,
    one_of,
    rgb,
    rotation,
    rounded_box,
    shade,
    smooth,
    vary,
)

INK = rgb("#23242a")
IVORY = rgb("#f8f4e6")
STEEL = rgb("#aeb4ba")
BRIGHT = ("#d5342c", "#e8a31c", "#2f73b8", "#2e8f5b", "#7b3f98", "#e2703a", "#e6d13c", "#1f9aa8")

# Seven-segment places (x, y in a 1 x 2 cell) and the segments that each digit lights.
SEGMENTS = {
    "a": ((0.1, 0), (0.9, 0)), "b": ((1, 0.1), (1, 0.9)), "c": ((1, 1.1), (1, 1.9)),
    "d": ((0.1, 2), (0.9, 2)), "e": ((0, 1.1), (0, 1.9)), "f": ((0, 0.1), (0, 0.9)),
    "g": ((0.1, 1), (0.9, 1)),
}  # fmt: skip
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")

# Pen strokes of the digits 0-9 in a 1 x 2 cell, for dials.
DIGITS: dict[str, list[Path]] = {
    "1": [[(0.2, 0.4), (0.6, 0), (0.6, 2)]],
    "2": [[(0, 0.4), (0.3, 0), (0.8, 0.1), (0.95, 0.6), (0.1, 2)], [(0.1, 2), (1, 2)]],
    "3": [[(0, 0.2), (0.5, 0), (0.95, 0.5), (0.4, 0.95)],
          [(0.4, 0.95), (1, 1.4), (0.5, 2), (0, 1.75)]],
    "6": [[(0.85, 0.1), (0.2, 0.7), (0, 1.4), (0.5, 2), (1, 1.45), (0.5, 1.0), (0.05, 1.4)]],
    "9": [[(0.95, 0.6), (0.5, 1.05), (0.02, 0.55), (0.5, 0), (0.97, 0.5), (0.85, 1.3), (0.2, 2)]],
}  # fmt: skip


def analog_clock(rng: np.random.Generator) -> Sketch:
    """A round dial on a stand: an alarm clock with two bells, or a plain desk clock."""
    pen = Sketch("table", spin=7, mirror=False)
    case = one_of(rng, BRIGHT)
    if rng.random() < 0.65:
        for side in (-1, 1):
            pen.limb([(0.4 * side, 0.6), (0.62 * side, 0.96)], [0.14, 0.1], shade(case, 0.7))
            bell = ellipse((0, 0), (0.3, 0.25), 0, 180, 360, 20)
            pen.shape(
                bell @ rotation(36 * side).T + (0.48 * side, -0.7),
                shade(STEEL, 1.2),
                material="glossy",
            )
        pen.limb([(0, -0.72), (0, -0.92)], [0.06, 0.16], shade(case, 0.7))
    else:
        pen.shape([(-0.66, 0.95), (-0.4, 0.5), (0.4, 0.5), (0.66, 0.95)], shade(case, 0.7))
    pen.oval((0, 0.05), (0.78, 0.78), case, relief=0.8, material="glossy")
    pen.oval((0, 0.05), (0.66, 0.66), vary(rng, "#f8f4e6", 0.02), relief=0.1)
    dial(pen, rng, (0, 0.05), 0.66, numerals=True)
    return pen


def wall_clock(rng: np.random.Generator) -> Sketch:
    """A dial that hangs: thin rim, square frame, or wooden case with a pendulum."""
    pen = Sketch("wall", spin=3, mirror=False)
    wood = one_of(rng, ("#7a4a28", "#5c3920", "#9b6a3c", "#3c4048", "#b3372f", "#2f73b8"))
    kind = rng.choice(["round", "square", "pendulum"])
    face, centre, radius = vary(rng, "#f6f1e2", 0.02), (0.0, 0.0), 0.8
    if kind == "round":
        pen.oval(centre, (0.95, 0.95), wood, relief=0.8, material="glossy")
    elif kind == "square":
        pen.box(-0.95, -0.95, 0.95, 0.95, wood, 0.12, relief=0.5)
    else:
        centre, radius = (0.0, -0.42), 0.42
        pen.shape([(-0.6, -0.9), (0, -1.18), (0.6, -0.9)], shade(wood, 0.8))
        pen.box(-0.54, -0.92, 0.54, 1.0, wood, 0.04, relief=0.4)
        pen.box(-0.34, 0.16, 0.34, 0.9, shade(wood, 0.35), 0.03, relief=0.1)
        swing = rng.uniform(-0.18, 0.18)
        pen.stroke([(0, 0.16), (swing, 0.68)], 0.04, rgb("#d9b13b"))
        pen.oval((swing, 0.7), (0.14, 0.14), rgb("#e3bd45"), material="glossy")
    pen.oval(centre, (radius, radius), face, relief=0.15)
    dial(pen, rng, centre, radius, numerals=rng.random() < 0.6)
    return pen


def dial(
    pen: Sketch,
    rng: np.random.Generator,
    centre: tuple[float, float],
    radius: float,
    numerals: bool,
) -> None:
    """Hour marks, the numerals 12, 3, 6 and 9, and two hands at some time of day."""
    middle = np.asarray(centre)
    for hour in range(12):
        out = np.array([np.sin(hour * np.pi / 6), -np.cos(hour * np.pi / 6)]) * radius
        if numerals and hour % 3 == 0:
            numeral(pen, str(hour or 12), middle + 0.74 * out, 0.13 * radius)
        else:
            pen.stroke([middle + 0.8 * out, middle + 0.92 * out], 0.06 * radius, INK)
    minutes = rng.integers(0, 60)
    hours = rng.integers(0, 12) + minutes / 60
    for turn, length, width in ((hours / 12, 0.46, 0.1), (minutes / 60, 0.68, 0.07)):
        out = np.array([np.sin(turn * 2 * np.pi), -np.cos(turn * 2 * np.pi)]) * radius
        pen.stroke([middle - 0.1 * out, middle + length * out], width * radius, INK)
    pen.dot(centre, 0.07 * radius, rgb("#c23b22"))


def numeral(pen: Sketch, text: str, at: Points, size: float) -> None:
    """One or two digits around a point; size is a digit's width."""
    for place, digit in enumerate(text):
        corner = at + size * np.array([1.35 * (place - len(text) / 2) + 0.17, -1])
        for line in DIGITS[digit]:
            pen.stroke(corner + np.asarray(line) * size, 0.32 * size, INK)


def digital_clock(rng: np.random.Generator) -> Sketch:
    """A box with four lit seven-segment digits."""
    pen = Sketch("table", spin=4, mirror=False)
    case = one_of(rng, ("#2e3138", "#7a7f86", "#d8d4c8", "#7a4a28", "#b3372f"))
    glow = one_of(rng, ("#ff4a35", "#57e86b", "#5ad4ff", "#ffb52e"), 0.02)
    for x in (-0.7, 0.7):
        pen.box(x - 0.12, 0.42, x + 0.12, 0.58, shade(case, 0.6), 0.04)
    for x in (-0.4, -0.13, 0.14, 0.41):
        pen.box(x - 0.09, -0.58, x + 0.09, -0.42, shade(case, 0.7), 0.03)
    pen.box(-1.05, -0.5, 1.05, 0.5, case, 0.13, relief=0.7)
    pen.box(-0.92, -0.37, 0.92, 0.37, rgb("#101418"), 0.06, relief=0.1)
    hour, minute = rng.integers(0, 24), rng.integers(0, 60)
    for x, digit in zip((-0.74, -0.36, 0.14, 0.52), f"{hour:02d}{minute:02d}", strict=True):
        for segment in LIT[int(digit)]:
            line = np.asarray(SEGMENTS[segment]) * 0.24 + (x, -0.24)
            pen.stroke(line, 0.062, glow, straight=True)
    for y in (-0.1, 0.12):
        pen.dot((0.015, y), 0.042, glow)
    return pen


def stopwatch(rng: np.random.Generator) -> Sketch:
    """A steel watch with a crown, a ring and a single long hand."""
    pen = Sketch("table", spin=25, mirror=False)
    case = one_of(rng, ("#b8bdc2", "#c9a94a", "#3a3d44"))
    pen.shape(
        ellipse((0, -1.0), (0.22, 0.2)), shade(case, 0.8), holes=[ellipse((0, -1.0), (0.14, 0.12))]
    )
    pen.box(-0.1, -0.98, 0.1, -0.6, shade(case, 0.8), 0.03)
    for turn in (-42, 42):
        knob = rounded_box(-0.08, -0.9, 0.08, -0.66, 0.03) @ rotation(turn).T
        pen.shape(np.add(knob, (0, 0.18)), shade(case, 0.7))
    pen.oval((0, 0.18), (0.76, 0.76), case, relief=0.9, material="glossy")
    pen.oval((0, 0.18), (0.63, 0.63), IVORY, relief=0.1)
    for mark in range(60):
        out = np.array([np.sin(mark * np.pi / 30), -np.cos(mark * np.pi / 30)])
        start = 0.5 if mark % 5 == 0 else 0.56
        pen.stroke([start * out + (0, 0.18), 0.61 * out + (0, 0.18)], 0.018, INK)
    small = (0.0, 0.42)
    pen.oval(small, (0.17, 0.17), shade(IVORY, 0.9), relief=0)
    pen.stroke([small, (0.06, 0.32)], 0.025, INK)
    turn = rng.uniform(0, 2 * np.pi)
    hand = np.array([np.sin(turn), -np.cos(turn)])
    pen.stroke([(0, 0.18) - 0.16 * hand, (0, 0.18) + 0.54 * hand], 0.036, rgb("#c23b22"))
    pen.dot((0, 0.18), 0.055, INK)
    return pen


def crash_helmet(rng: np.random.Generator) -> Sketch:
    """A full-face motorcycle helmet, side view, with a dark visor and a stripe."""
    pen = Sketch("table", spin=10)
    shell = one_of(rng, (*BRIGHT, "#f0efe9", "#2b2d33"))
    stripe = one_of(rng, ("#f4f2ea", "#22252b", "#e8b92c"))
    pen.blob([(-0.5, 0.68), (0.3, 0.72), (0.1, 0.9), (-0.4, 0.86)], rgb("#2b2b30"), relief=0.3)
    pen.blob(
        [(-0.86, 0.05), (-0.76, -0.5), (-0.3, -0.88), (0.3, -0.84), (0.76, -0.48), (0.9, 0.0),
         (0.95, 0.38), (0.78, 0.72), (0.3, 0.76), (-0.46, 0.74), (-0.76, 0.5)],
        shell,
        relief=1,
        material="glossy",
    )  # fmt: skip
    pen.limb(
        [(-0.78, -0.22), (-0.45, -0.52), (0.1, -0.66), (0.6, -0.54)], [0.06, 0.16, 0.13], stripe
    )
    pen.limb([(-0.7, 0.32), (-0.3, 0.5), (0.3, 0.56)], [0.04, 0.12, 0.04], stripe)
    visor = one_of(rng, ("#23272f", "#2d4256", "#5a3b22"), 0.03)
    pen.blob(
        [(0.08, -0.12), (0.24, -0.4), (0.6, -0.46), (0.86, -0.3), (0.96, 0.02), (0.92, 0.22),
         (0.5, 0.24), (0.14, 0.14)],
        visor,
        relief=0.8,
        material="glossy",
    )  # fmt: skip
    pen.limb([(0.3, -0.24), (0.56, -0.33), (0.76, -0.24)], [0.02, 0.09, 0.02], shade(visor, 2.2))
    pen.oval((0.02, 0.02), (0.11, 0.11), shade(shell, 0.6))
    for y in (0.46, 0.55):
        pen.stroke([(0.66, y), (0.86, y - 0.03)], 0.03, shade(shell, 0.4))
    return pen


def football_helmet(rng: np.random.Generator) -> Sketch:
    """Open at the front with a cage of bars, an ear hole and a stripe over the crown."""
    pen = Sketch("field", spin=10)
    shell = one_of(rng, (*BRIGHT, "#f0efe9", "#c9a23a"))
    stripe = one_of(rng, ("#f4f2ea", "#22252b"))
    bars = one_of(rng, ("#e8e8e4", "#30333a", "#8d9299"))
    pen.blob([(-0.1, 0.2), (0.44, -0.2), (0.5, 0.3), (0.1, 0.74)], rgb("#2a2624"), relief=0.2)
    pen.blob(
        [(-0.9, -0.02), (-0.76, -0.56), (-0.3, -0.88), (0.24, -0.84), (0.6, -0.56), (0.68, -0.18),
         (0.36, -0.08), (0.26, 0.2), (0.32, 0.56), (0.1, 0.76), (-0.3, 0.6), (-0.66, 0.62),
         (-0.84, 0.4)],
        shell,
        relief=1,
        material="glossy",
    )  # fmt: skip
    pen.limb(
        [(-0.84, -0.2), (-0.6, -0.62), (-0.1, -0.82), (0.4, -0.68)], [0.08, 0.13, 0.11], stripe
    )
    pen.oval((-0.12, 0.22), (0.14, 0.14), shade(shell, 0.4), relief=0.2)
    pen.oval((-0.12, 0.22), (0.08, 0.08), INK, relief=0)
    paths: list[Path] = [
        [(0.3, 0.1), (0.7, 0.06), (1.0, 0.12)],
        [(0.28, 0.42), (0.7, 0.4), (1.02, 0.4)],
        [(0.14, 0.66), (0.6, 0.72), (0.98, 0.66)],
        [(0.98, 0.08), (1.06, 0.4), (0.98, 0.68)],
        [(0.64, 0.06), (0.72, 0.4), (0.62, 0.72)],
    ]
    for path in paths:
        pen.limb(path, [0.085], bars, material="glossy")
    return pen


def toy_kite(rng: np.random.Generator) -> Sketch:
    """The toy on a string: a four-coloured diamond with crossed spars and a bow-tied tail."""
    pen = Sketch("sky", spin=25)
    first, second = rng.choice(len(BRIGHT), 2, replace=False)
    colours = (vary(rng, BRIGHT[first]), vary(rng, BRIGHT[second]))
    wide = rng.uniform(0.5, 0.64)
    top, left, right, foot, mid = (0, -1.0), (-wide, -0.36), (wide, -0.36), (0, 0.42), (0, -0.36)
    swing = rng.uniform(0.12, 0.3) * rng.choice([-1, 1])
    tail = smooth([foot, (swing, 0.58), (-0.6 * swing, 0.76), (0.7 * swing, 1.0)])
    pen.stroke(tail, 0.024, INK, straight=True)
    for place, index in enumerate((7, 14, 21)):
        x, y = tail[index]
        for side in (-1, 1):
            bow = [(x, y), (x + 0.15 * side, y - 0.07), (x + 0.15 * side, y + 0.08)]
            pen.shape(bow, colours[place % 2], relief=0.2)
    pen.stroke([mid, (0.5 * swing - 0.2, 0.3), (-0.6, 1.0)], 0.014, shade(INK, 1.6))
    quarters = ((top, left), (right, top), (left, foot), (foot, right))
    pattern = colours if rng.random() < 0.7 else (colours[0], colours[0])
    for place, (start, stop) in enumerate(quarters):
        pen.shape([mid, start, stop], pattern[int(place in (1, 2))], relief=0.25)
    for start, stop in ((top, foot), (left, right)):
        pen.stroke([start, stop], 0.03, rgb("#6b4a2c"))
    return pen


def balloon(rng: np.random.Generator) -> Sketch:
    """A striped hot-air balloon with its basket."""
    pen = Sketch("sky", spin=6)
    picks = rng.choice(len(BRIGHT), 2, replace=False)
    colours = [vary(rng, BRIGHT[pick]) for pick in picks]
    basket = rgb("#8a5a30")
    for x in (-0.22, -0.08, 0.08, 0.22):
        pen.stroke([(x, 0.46), (0.55 * x, 0.84)], 0.018, INK)
    pen.box(-0.15, 0.8, 0.15, 1.04, basket, 0.03)
    for y in (0.88, 0.96):
        pen.stroke([(-0.14, y), (0.14, y)], 0.016, shade(basket, 0.55))
    profile = np.array([(0.72, -0.32), (0.66, -0.02), (0.44, 0.28), (0.2, 0.52)])
    edges = np.linspace(-1, 1, 8)
    for left, right, place in zip(edges[:-1], edges[1:], range(7), strict=True):
        stripe = np.vstack([gore(profile, left), gore(profile, right)[::-1]])
        pen.shape(stripe, colours[place % 2], relief=0.35, material="glossy")
    pen.box(-0.2, 0.48, 0.2, 0.56, shade(colours[0], 0.6), 0.02)
    return pen


def gore(profile: Points, place: float) -> Points:
    """The seam of a balloon at a place from -1 (left edge) to 1 (right edge)."""
    bulge = np.sin(place * np.pi / 2)
    knots = np.vstack([[(0.0, -1.02)], [(0.52, -0.82)], profile]) * (bulge, 1)
    return smooth(knots)


def parachute(rng: np.random.Generator) -> Sketch:
    """A scalloped canopy, lines that meet at a jumper."""
    pen = Sketch("sky", spin=12)
    picks = rng.choice(len(BRIGHT), 2, replace=False)
    colours = [vary(rng, BRIGHT[pick]) for pick in picks]
    cells = int(rng.integers(5, 8))
    edges = np.linspace(-0.98, 0.98, cells + 1)
    for x in edges:
        pen.stroke([(x, -0.16), (0.08 * np.sign(x), 0.58)], 0.014, INK)
    canopy(pen, edges, -0.16, 0.78, colours)
    suit = one_of(rng, ("#2f3e55", "#5a3a2a", "#3c5a3a"))
    for side in (-1, 1):
        pen.limb([(0.03 * side, 0.82), (0.09 * side, 1.04)], [0.085, 0.06], suit)
        pen.limb([(0.05 * side, 0.68), (0.14 * side, 0.54)], [0.06], suit)
    pen.box(-0.08, 0.62, 0.08, 0.86, suit, 0.04)
    pen.oval((0, 0.55), (0.075, 0.08), rgb("#d9a47c"))
    return pen


def canopy(pen: Sketch, edges: Points, rim: float, height: float, colours: list[Colour]) -> None:
    """Cells of a dome between the given places on its rim, scalloped below."""
    top = np.array([0.0, rim - height])
    wide = np.abs(edges).max()
    for place, (left, right) in enumerate(pairwise(edges)):
        sides = []
        for x in (left, right):
            shoulder = (wide * np.sin(x / wide * 1.35) * 0.78, rim - 0.72 * height)
            sides.append(smooth([top, shoulder, (x, rim)]))
        scallop = smooth([(right, rim), ((left + right) / 2, rim - 0.09), (left, rim)])
        cell = np.vstack([sides[1], scallop[1:-1], sides[0][::-1]])
        pen.shape(cell, colours[place % len(colours)], relief=0.45)


def umbrella(rng: np.random.Generator) -> Sketch:
    """Open, seen from the side: ribs, a shaft and a crook."""
    pen = Sketch("field", spin=28)
    picks = rng.choice(len(BRIGHT), 2, replace=False)
    colours = [vary(rng, BRIGHT[pick]) for pick in picks]
    if rng.random() < 0.6:
        colours = [colours[0], shade(colours[0], 0.82)]
    wood = one_of(rng, ("#5c3920", "#2b2b30", "#9b6a3c"))
    pen.limb([(0, -0.9), (0, -0.76)], [0.03, 0.05], wood)
    pen.limb([(0, -0.3), (0, 0.78)], [0.055], wood)
    pen.limb([(0, 0.76), (0.02, 0.94), (0.14, 1.0), (0.25, 0.9), (0.25, 0.8)], [0.09], wood)
    canopy(pen, np.linspace(-0.98, 0.98, 6), 0.06, 0.84, colours)
    return pen


def lampshade(rng: np.random.Generator) -> Sketch:
    """A shade on a table lamp."""
    pen = Sketch("table", spin=5)
    cloth = one_of(rng, ("#efd9a8", "#d9b48a", "#c96f5a", "#8fae9a", "#e8e2d2"))
    foot = one_of(rng, ("#7a4a28", "#3c4048", "#b99a4a", "#2f73b8"))
    if rng.random() < 0.5:
        pen.blob(
            [(-0.1, 0.1), (0.1, 0.1), (0.28, 0.5), (0.12, 0.84), (-0.12, 0.84), (-0.28, 0.5)],
            foot,
            relief=1,
            material="glossy",
        )
    else:
        pen.limb([(0, 0.0), (0, 0.9)], [0.1], foot, material="glossy")
    pen.box(-0.36, 0.84, 0.36, 0.97, foot, 0.05)
    top, low = rng.uniform(0.3, 0.45), rng.uniform(0.72, 0.88)
    rim = ellipse((0, 0.12), (low, 0.1), 0, 0, 180, 20)
    crown = ellipse((0, -0.86), (top, 0.05), 0, 180, 360, 20)
    pen.shape(np.vstack([rim, crown]), cloth, relief=0.8)
    for x in np.linspace(-0.8, 0.8, 7):
        pen.stroke([(top * x, -0.86), (low * x, 0.18)], 0.014, shade(cloth, 0.75))
    pen.limb(ellipse((0, 0.12), (low, 0.1), 0, 0, 180, 8), [0.06], shade(cloth, 0.7))
    return pen


def aviators(rng: np.random.Generator) -> Sketch:
    """Drop-shaped tinted lenses in thin wire with a double bridge."""
    pen = Sketch("table", spin=14)
    wire = one_of(rng, ("#c9a23a", "#9aa0a6", "#2b2b30"))
    tint = one_of(rng, ("#3b2f2a", "#24403a", "#2b3550", "#5a3320"), 0.03)
    for side in (-1, 1):
        pen.limb([(0.92 * side, -0.3), (1.12 * side, -0.24), (1.16 * side, 0.02)], [0.05], wire)
        lens = [(0.12, -0.2), (0.3, -0.36), (0.7, -0.36), (0.93, -0.24), (0.9, 0.14), (0.66, 0.42),
                (0.36, 0.36), (0.18, 0.08)]  # fmt: skip
        framed_lens(pen, np.asarray(lens) * (side, 1), tint, wire, 0.05, side)
    pen.limb([(-0.16, -0.14), (0, -0.2), (0.16, -0.14)], [0.055], wire)
    pen.limb([(-0.28, -0.35), (0, -0.37), (0.28, -0.35)], [0.05], wire)
    return pen


def wayfarers(rng: np.random.Generator) -> Sketch:
    """Trapezoid lenses in a thick coloured frame."""
    pen = Sketch("table", spin=14)
    frame = one_of(rng, ("#1f1f24", "#6b3a22", "#c8312f", "#2f73b8", "#e8e2d2", "#2e8f5b"))
    tint = one_of(rng, ("#2b2b30", "#1f3a5a", "#4a2f22"), 0.03)
    for side in (-1, 1):
        pen.shape(
            np.array([(0.96, -0.34), (1.18, -0.3), (1.2, 0.04), (1.1, 0.04), (1.06, -0.16)])
            * (side, 1),
            shade(frame, 0.8),
        )
        lens = [(0.13, -0.22), (0.5, -0.33), (0.96, -0.33), (0.93, 0.06), (0.76, 0.3),
                (0.36, 0.3), (0.18, 0.1)]  # fmt: skip
        framed_lens(pen, np.asarray(lens) * (side, 1), tint, frame, 0.13, side)
    pen.limb([(-0.2, -0.16), (0, -0.22), (0.2, -0.16)], [0.14, 0.11, 0.14], frame)
    return pen


def framed_lens(
    pen: Sketch, knots: Points, tint: Colour, frame: Colour, rim: float, side: int
) -> None:
    """One tinted lens inside its rim, with a slanted reflection."""
    outline = smooth(knots, loop=True)
    middle = outline.mean(axis=0)
    pen.shape(middle + (outline - middle) * (1 + rim), frame, relief=0.6, material="glossy")
    pen.shape(middle + (outline - middle) * (1 - rim), tint, relief=0.5, material="glossy")
    for offset, width in ((-0.06, 0.07), (0.07, 0.035)):
        start = np.add(middle, (offset - 0.08, 0.14))
        pen.stroke([start, np.add(start, (0.16, -0.28))], width, shade(tint, 1.6 + 0.1 * side))


def bow_tie(rng: np.random.Generator) -> Sketch:
    """Two wings and a knot, often with dots."""
    pen = Sketch("wall", spin=20)
    cloth = one_of(rng, BRIGHT)
    droop = rng.uniform(0.36, 0.5)
    for side in (-1, 1):
        pen.blob(
            np.array([(0.06, -0.1), (0.5, -droop), (0.95, -droop - 0.04), (0.9, 0), (0.95, droop),
                      (0.5, droop), (0.06, 0.1)]) * (side, 1),
            cloth,
            relief=0.8,
        )  # fmt: skip
        for y in (-0.08, 0.08):
            fold = [(0.12 * side, 0.3 * y), (0.45 * side, 1.3 * y)]
            pen.stroke(fold, 0.025, shade(cloth, 0.55))
    if rng.random() < 0.6:
        dots = one_of(rng, ("#f8f4e6", "#23242a", "#f0d23c"))
        for side in (-1, 1):
            for x, y in ((0.5, -0.24), (0.72, -0.3), (0.72, 0.0), (0.52, 0.24), (0.74, 0.3)):
                pen.dot((x * side, y), 0.055, dots)
    pen.box(-0.15, -0.2, 0.15, 0.2, shade(cloth, 0.85), 0.08, relief=0.9)
    return pen


def toilet_seat(rng: np.random.Generator) -> Sketch:
    """The ring of a seat on its bowl, lid up, seen from the front and above."""
    pen = Sketch("wall", spin=3)
    china = vary(rng, "#f2f1ec", 0.02)
    seat = one_of(rng, ("#f4f2ea", "#b5763a", "#2b2d33", "#5aa0c8", "#d98aa0", "#8a5a34"))
    if rng.random() < 0.55:
        pen.box(-0.58, -1.1, 0.58, -0.42, china, 0.08, relief=0.6)
        pen.box(-0.64, -1.18, 0.64, -1.04, shade(china, 0.94), 0.05)
        pen.limb([(-0.44, -0.92), (-0.26, -0.92)], [0.06], STEEL, material="glossy")
    lid = [(-0.5, 0.0), (-0.57, -0.5), (-0.42, -0.9), (0, -1.0), (0.42, -0.9), (0.57, -0.5),
           (0.5, 0.0)]  # fmt: skip
    pen.blob(lid, shade(seat, 0.92), relief=0.5, material="glossy")
    pen.shape(
        [(-0.5, 0.3), (0.5, 0.3), (0.32, 0.72), (0.36, 1.08), (-0.36, 1.08), (-0.32, 0.72)],
        shade(china, 0.9),
        relief=0.9,
    )
    pen.oval((0, 0.32), (0.68, 0.46), shade(china, 0.86), relief=0.7)
    pen.oval((0, 0.22), (0.46, 0.28), shade(china, 0.62), relief=0)
    pen.oval((0, 0.28), (0.24, 0.12), vary(rng, "#9cc8d8", 0.02), relief=0, inked=False)
    squeeze = rng.uniform(0.94, 1.05)
    ring, gap = ellipse((0, 0.2), (0.7, 0.46 * squeeze)), ellipse((0, 0.21), (0.43, 0.26 * squeeze))
    pen.shape(ring, seat, holes=[gap], relief=0.8, material="glossy")
    for x in (-0.22, 0.22):
        pen.box(x - 0.08, -0.3, x + 0.08, -0.19, STEEL, 0.03)
    return pen


def tractor(rng: np.random.Generator) -> Sketch:
    """A farm tractor: huge rear wheel, small front wheel, cab, hood and exhaust."""
    pen = Sketch("field", spin=4)
    paint = one_of(rng, ("#2e8f3b", "#c8312f", "#2f6fb5", "#e0a020", "#d9602a"))
    pen.limb([(0.5, -0.2), (0.5, -0.72)], [0.07, 0.06], rgb("#3a3a3e"))
    pen.limb([(0.49, -0.74), (0.55, -0.8)], [0.09], rgb("#3a3a3e"))
    glass = vary(rng, "#bfe0ea", 0.02)
    if rng.random() < 0.7:
        pen.shape([(-0.62, 0.0), (-0.52, -0.72), (0.08, -0.72), (0.14, -0.1)], paint, relief=0.2)
        pen.shape([(-0.46, -0.14), (-0.4, -0.62), (-0.18, -0.62), (-0.18, -0.1)], glass, relief=0.1)
        pen.shape([(-0.12, -0.1), (-0.12, -0.62), (0.0, -0.62), (0.05, -0.1)], glass, relief=0.1)
        pen.box(-0.66, -0.86, 0.18, -0.7, shade(paint, 0.8), 0.06)
    else:
        pen.limb([(-0.3, 0.0), (-0.34, -0.3)], [0.3, 0.12], rgb("#3a3a3e"))
        pen.limb([(0.06, -0.1), (-0.08, -0.38)], [0.045], rgb("#3a3a3e"))
        pen.limb([(-0.2, -0.34), (-0.08, -0.38), (0.0, -0.5)], [0.05], rgb("#3a3a3e"))
    pen.blob(
        [(0.02, -0.16), (0.3, -0.26), (0.8, -0.24), (0.98, -0.12), (1.0, 0.22), (0.5, 0.32),
         (0.04, 0.32)],
        paint,
        relief=0.8,
        material="glossy",
    )  # fmt: skip
    for y in (-0.08, 0.02, 0.12):
        pen.stroke([(0.3, y), (0.7, y)], 0.035, shade(paint, 0.45))
    pen.box(0.92, -0.12, 1.03, 0.2, rgb("#3a3a3e"), 0.03)
    pen.dot((0.9, -0.12), 0.055, rgb("#f6e7a0"))
    pen.box(-0.5, 0.2, 0.75, 0.42, rgb("#46464c"), 0.05)
    wheel(pen, rng, (-0.42, 0.36), 0.58, paint)
    pen.limb(ellipse((-0.42, 0.36), (0.66, 0.66), 0, 200, 320, 8), [0.12], shade(paint, 0.85))
    wheel(pen, rng, (0.7, 0.6), 0.33, paint)
    return pen


def wheel(
    pen: Sketch, rng: np.random.Generator, centre: tuple[float, float], radius: float, hub: Colour
) -> None:
    """A lugged tyre around a painted rim."""
    middle, tyre = np.asarray(centre), rgb("#2c2c30")
    start = rng.uniform(0, 24)
    for turn in np.arange(start, start + 359, 24):
        out = np.array([1.0, 0.0]) @ rotation(turn).T
        side = np.array([0.0, 1.0]) @ rotation(turn).T
        pen.shape(
            [middle + radius * (a * out + b * side) for a, b in
             ((0.9, -0.12), (1.06, -0.04), (1.06, 0.08), (0.9, 0.12))],
            tyre,
            relief=0.2,
        )  # fmt: skip
    pen.oval(centre, (radius, radius), tyre, relief=0.6)
    pen.oval(centre, (0.58 * radius, 0.58 * radius), shade(hub, 1.15), relief=0.4)
    pen.oval(centre, (0.4 * radius, 0.4 * radius), shade(hub, 0.8), relief=0.4)
    for turn in range(0, 360, 60):
        bolt = middle + np.array([0.27 * radius, 0]) @ rotation(turn + start).T
        pen.dot(tuple(bolt), 0.05 * radius, INK)
    pen.oval(centre, (0.14 * radius, 0.14 * radius), STEEL, relief=0.4)


def trailer_truck(rng: np.random.Generator) -> Sketch:
    """A cab with its long box trailer on many wheels."""
    pen = Sketch("field", spin=3)
    paint = one_of(rng, BRIGHT)
    box = one_of(rng, ("#e8e6df", "#c9ccd0", "#d9c9a2", "#8fb0c8", "#b85a4a"))
    pen.box(-1.25, 0.26, 1.05, 0.38, rgb("#3c3c42"), 0.02)
    pen.limb([(0.5, 0.1), (0.5, -0.56)], [0.06], STEEL, material="glossy")
    pen.box(-1.28, -0.5, 0.42, 0.28, box, 0.03, relief=0.25)
    for x in np.arange(-1.1, 0.4, 0.24):
        pen.stroke([(x, -0.46), (x, 0.24)], 0.016, shade(box, 0.75))
    if rng.random() < 0.6:
        pen.box(-1.28, -0.2, 0.42, -0.02, paint, 0.0, relief=0.1)
    pen.blob(
        [(0.54, 0.34), (0.54, -0.3), (0.6, -0.4), (0.86, -0.4), (0.98, -0.1), (1.22, 0.0),
         (1.26, 0.34)],
        paint,
        relief=0.7,
        material="glossy",
    )  # fmt: skip
    pen.shape(
        [(0.68, -0.3), (0.84, -0.3), (0.93, -0.06), (0.68, -0.06)], rgb("#bfe0ea"), relief=0.1
    )
    pen.dot((1.2, 0.14), 0.05, rgb("#f6e7a0"))
    for x in (-1.05, -0.77, -0.49, 0.3, 0.62, 1.04):
        pen.oval((x, 0.42), (0.15, 0.15), rgb("#2c2c30"), relief=0.6)
        pen.oval((x, 0.42), (0.075, 0.075), STEEL, relief=0.4)
    return pen


def vase(rng: np.random.Generator) -> Sketch:
    """A turned vessel with painted bands, most often with flowers in it."""
    pen = Sketch("table", spin=4)
    glaze = one_of(rng, ("#2f6fb5", "#c96f4a", "#e8e2d2", "#3f8f7a", "#8a3f5a", "#d9a93a"))
    paint = one_of(rng, ("#f4f0e2", "#23345a", "#7a2f22", "#e0b83c"))
    neck, belly, foot = rng.uniform(0.12, 0.26), rng.uniform(0.36, 0.62), rng.uniform(0.18, 0.32)
    waist = rng.uniform(0.26, 0.48)
    lip = neck + rng.uniform(0.06, 0.16)
    profile = smooth(
        [(lip, -0.26), (neck, -0.12), (1.1 * neck, 0.06), (belly, waist),
         (0.86 * belly, waist + 0.3), (foot, 0.92), (1.1 * foot, 1.0)]
    )  # fmt: skip
    if rng.random() < 0.7:
        flowers(pen, rng, lip)
    if rng.random() < 0.35:
        for side in (-1, 1):
            handle = [(neck * side, -0.1), (0.46 * side, -0.14), (0.85 * belly * side, 0.28)]
            pen.limb(handle, [0.09], shade(glaze, 0.85), material="glossy")
    outline = np.vstack([profile, profile[::-1] * (-1, 1)])
    pen.shape(outline, glaze, relief=1, material="glossy")
    for start, stop in ((20, 24), (33, 36)):
        band = np.vstack([profile[start:stop], profile[start:stop][::-1] * (-1, 1)])
        pen.shape(band, paint, relief=0.2, inked=False)
    for x in np.linspace(-0.7, 0.7, 5):
        pen.dot((x * belly, waist + 0.06), 0.05, paint)
    pen.oval((0, -0.26), (lip, 0.055), shade(glaze, 0.5), relief=0.1)
    return pen


def flowers(pen: Sketch, rng: np.random.Generator, lip: float) -> None:
    """A bunch of blossoms on stems."""
    for place in np.linspace(-1, 1, int(rng.integers(3, 6))):
        head = np.array([0.48 * place, -0.86 + 0.16 * abs(place)]) + rng.normal(0, 0.04, 2)
        green = vary(rng, "#3f8a37")
        root = (0.6 * place * lip, -0.26)
        bend = (0.26 * place, -0.5)
        pen.stroke([root, bend, tuple(head)], 0.034, green)
        pen.limb([bend, (bend[0] + 0.12, -0.56), (bend[0] + 0.2, -0.66)], [0.02, 0.09, 0.01], green)
        petal = one_of(rng, ("#d5342c", "#e8a31c", "#e86a9a", "#f4f0e2", "#8a5ac8"))
        for turn in range(0, 360, 60):
            at = head + np.array([0.1, 0]) @ rotation(turn).T
            pen.oval(tuple(at), (0.085, 0.06), petal, turn, relief=0.4)
        pen.oval(tuple(head), (0.065, 0.065), rgb("#e8c53c"), relief=0.4)


def pot(rng: np.random.Generator) -> Sketch:
    """A tapered clay flowerpot with a leafy plant."""
    pen = Sketch("table", spin=4)
    clay = one_of(rng, ("#b8623a", "#c9784a", "#8a8f94", "#e0d8c6"))
    for turn in rng.permutation(np.linspace(-74, 74, 9)):
        out = np.array([0, -1]) @ rotation(turn).T
        length = rng.uniform(0.7, 0.95)
        tip = np.array([0, 0.1]) + length * out
        mid = np.array([0, 0.1]) + 0.5 * length * out + (0, -0.08)
        green = vary(rng, "#3f8a37")
        pen.limb([(0, 0.14), tuple(mid), tuple(tip)], [0.06, 0.24, 0.02], green, relief=0.5)
        pen.stroke([(0, 0.14), tuple(mid), tuple(tip)], 0.016, shade(green, 0.65))
    wide = rng.uniform(0.46, 0.56)
    pen.shape(
        [(-wide, 0.22), (wide, 0.22), (0.7 * wide, 1.0), (-0.7 * wide, 1.0)], clay, relief=0.9
    )
    pen.box(-wide - 0.08, 0.1, wide + 0.08, 0.32, shade(clay, 1.08), 0.03, relief=0.8)
    return pen


def pitcher(rng: np.random.Generator) -> Sketch:
    """A bellied jug with a spout and a big handle."""
    pen = Sketch("table", spin=6)
    glaze = one_of(rng, ("#e8e2d2", "#7fa8c8", "#c96f4a", "#d9a93a", "#9aa0a6"))
    band = one_of(rng, ("#2f6fb5", "#7a2f22", "#f4f0e2"))
    pen.limb(
        [(-0.28, -0.56), (-0.72, -0.6), (-0.82, -0.1), (-0.4, 0.38)], [0.12, 0.13, 0.12], glaze
    )
    pen.blob(
        [(-0.34, -0.82), (0.3, -0.84), (0.62, -0.98), (0.4, -0.56), (0.34, -0.3), (0.56, 0.2),
         (0.46, 0.74), (0.34, 0.94), (-0.34, 0.94), (-0.46, 0.74), (-0.56, 0.2), (-0.34, -0.3)],
        glaze,
        relief=1,
        material="glossy",
    )  # fmt: skip
    pen.oval((0.02, -0.83), (0.38, 0.06), shade(glaze, 0.5), -4, relief=0.1)
    pen.limb([(-0.53, 0.24), (0, 0.3), (0.53, 0.24)], [0.13], band, relief=0.3)
    for x in (-0.3, 0.0, 0.3):
        pen.dot((x, 0.52 - 0.1 * abs(x)), 0.06, band)
    return pen
