"""Simple things whose colour is asked for, and a tree: what the pictures with questions show."""

from __future__ import annotations

import numpy as np

from demo.shapes.things import canopy
from demo.sketch import Colour, Sketch, ellipse, one_of, rgb, shade, smooth, vary

PALE = rgb("#f7f3ea")
TYRE = rgb("#2c2c30")
GLASS = rgb("#cfe6ee")


def ball(rng: np.random.Generator, paint: Colour) -> Sketch:
    """A beach ball with a pale band."""
    pen = Sketch("table", spin=40)
    pen.oval((0, 0), (0.95, 0.95), paint, relief=1, material="glossy")
    sag = rng.uniform(0.15, 0.3)
    upper = smooth([(-0.92, -0.2), (0, sag - 0.2), (0.92, -0.2)])
    lower = smooth([(0.94, 0.08), (0, sag + 0.14), (-0.94, 0.08)])
    pen.shape(np.vstack([upper, lower]), PALE, relief=0.3)
    return pen


def balloon(rng: np.random.Generator, paint: Colour) -> Sketch:
    """A party balloon on a string."""
    pen = Sketch("sky", spin=12)
    swing = rng.uniform(0.06, 0.16) * rng.choice([-1, 1])
    pen.stroke([(0, 0.4), (swing, 0.62), (-swing, 0.84), (0.3 * swing, 1.05)], 0.05, TYRE)
    pen.shape([(0, 0.26), (0.13, 0.46), (-0.13, 0.46)], shade(paint, 0.8), relief=0.3)
    pen.blob(
        [(0, -1.0), (0.5, -0.82), (0.66, -0.36), (0.42, 0.1), (0, 0.34), (-0.42, 0.1),
         (-0.66, -0.36), (-0.5, -0.82)],
        paint,
        relief=1,
        material="glossy",
    )  # fmt: skip
    pen.limb([(-0.42, -0.42), (-0.36, -0.66), (-0.18, -0.8)], [0.03, 0.11, 0.03], PALE, inked=False)
    return pen


def car(rng: np.random.Generator, paint: Colour) -> Sketch:
    """A small car from the side."""
    pen = Sketch("field", spin=4)
    roof = rng.uniform(-0.62, -0.52)
    pen.blob(
        [(-0.66, -0.06), (-0.46, roof + 0.06), (-0.1, roof), (0.26, roof + 0.06), (0.56, -0.06)],
        paint,
        relief=0.5,
    )
    pen.shape([(-0.5, -0.1), (-0.36, roof + 0.16), (-0.08, roof + 0.12), (-0.08, -0.1)], GLASS)
    pen.shape([(0.02, -0.1), (0.02, roof + 0.12), (0.2, roof + 0.16), (0.4, -0.1)], GLASS)
    pen.blob(
        [(-1.0, 0.1), (-0.94, -0.1), (-0.4, -0.14), (0.5, -0.14), (0.9, -0.04), (1.02, 0.14),
         (1.0, 0.34), (0.5, 0.4), (-0.5, 0.4), (-1.0, 0.34)],
        paint,
        relief=0.8,
        material="glossy",
    )  # fmt: skip
    pen.dot((0.93, 0.08), 0.07, rgb("#f6e7a0"))
    for x in (-0.54, 0.56):
        pen.oval((x, 0.36), (0.25, 0.25), TYRE, relief=0.5)
        pen.oval((x, 0.36), (0.12, 0.12), rgb("#b8bdc2"), relief=0.3)
    return pen


def cup(rng: np.random.Generator, paint: Colour) -> Sketch:
    """A mug with its handle."""
    pen = Sketch("table", spin=5)
    foot = rng.uniform(0.44, 0.54)
    grip = ellipse((0.58, 0.02), (0.4, 0.42))
    pen.shape(grip, shade(paint, 0.85), holes=[ellipse((0.58, 0.02), (0.23, 0.25))], relief=0.6)
    side = smooth([(0.62, -0.66), (0.6, 0.1), (foot, 0.82)])
    pen.shape(np.vstack([side, side[::-1] * (-1, 1)]), paint, relief=0.9, material="glossy")
    pen.oval((0, -0.66), (0.62, 0.17), shade(paint, 1.3), relief=0.1)
    pen.oval((0, -0.64), (0.52, 0.12), rgb("#5a3a26"), relief=0)
    return pen


def house(rng: np.random.Generator, paint: Colour) -> Sketch:
    """Painted walls under a grey gable, a door and two windows."""
    pen = Sketch("field", spin=2)
    ridge = rng.uniform(-0.98, -0.84)
    slate = rgb("#8d8a86")
    pen.box(0.36, ridge + 0.08, 0.56, -0.3, shade(slate, 0.75), relief=0.3)
    pen.box(-0.74, -0.3, 0.74, 0.9, paint, relief=0.3)
    pen.shape([(-0.95, -0.22), (0, ridge), (0.95, -0.22)], slate, relief=0.4)
    pen.box(-0.16, 0.26, 0.18, 0.9, rgb("#e0cfae"), 0.03, relief=0.2)
    for x in (-0.46, 0.48):
        pen.box(x - 0.16, 0.02, x + 0.16, 0.36, GLASS, relief=0.1)
    return pen


def umbrella(rng: np.random.Generator, paint: Colour) -> Sketch:
    """Open, seen from the side, in two shades of one colour."""
    pen = Sketch("field", spin=16)
    wood = one_of(rng, ("#5c3920", "#9b6a3c"))
    pen.limb([(0, -0.9), (0, -0.74)], [0.05, 0.07], wood)
    pen.limb([(0, -0.3), (0, 0.76)], [0.08], wood)
    pen.limb([(0, 0.74), (0.03, 0.92), (0.15, 0.98), (0.27, 0.88), (0.27, 0.78)], [0.11], wood)
    canopy(pen, np.linspace(-0.98, 0.98, 6), 0.06, 0.84, [paint, shade(paint, 0.82)])
    return pen


def tree(rng: np.random.Generator) -> Sketch:
    """A trunk and a round leafy crown."""
    pen = Sketch("field", spin=4)
    leaves = one_of(rng, ("#3f8a37", "#4f9440", "#2f7a3c"))
    bark = vary(rng, "#7a5230", 0.03)
    pen.limb([(0, 0.0), (0.02, 0.5), (0, 1.0)], [0.2, 0.22, 0.34], bark, relief=0.8)
    for x, y, r in ((-0.4, -0.14, 0.42), (0.42, -0.16, 0.4), (0.0, -0.5, 0.52), (0.02, -0.1, 0.4)):
        at = (x + rng.normal(0, 0.03), y + rng.normal(0, 0.03))
        pen.oval(at, (r, 0.92 * r), shade(leaves, rng.uniform(0.88, 1.1)), material="fur")
    return pen
