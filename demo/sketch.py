"""Vector parts in unit coordinates, and the pen that collects them into a sketch.

A thing is drawn once as a list of filled parts, back to front, in a frame where x grows to the
right, y grows downwards and the thing spans about -1..1. A style then decides what a fill, an
inked edge or a rounded relief looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Colour = tuple[float, float, float]
Points = np.ndarray
Path = Sequence[tuple[float, float]] | np.ndarray
Material = Literal["matte", "glossy", "fur"]
Setting = Literal["sky", "field", "table", "wall", "sea"]


@dataclass(frozen=True)
class Part:
    """One filled region.

    boundary: (n, 2) closed outline; holes: outlines cut out of it; ink: the polylines that a
    style with outlines draws; relief: 0 for something flat, 1 for something fully rounded.
    """

    boundary: Points
    colour: Colour
    holes: tuple[Points, ...] = ()
    ink: tuple[Points, ...] = ()
    relief: float = 0.6
    material: Material = "matte"

    def mapped(self, matrix: np.ndarray, shift: np.ndarray) -> Part:
        """The part with every point p moved to ``matrix @ p + shift``."""

        def move(points: Points) -> Points:
            return points @ matrix.T + shift

        return replace(
            self,
            boundary=move(self.boundary),
            holes=tuple(move(hole) for hole in self.holes),
            ink=tuple(move(line) for line in self.ink),
        )


@dataclass
class Sketch:
    """A pen and the parts it has drawn so far.

    setting: where such a thing is usually seen; spin: largest rotation in degrees that looks
    natural; mirror: whether a mirror image looks natural (not for things with digits).
    """

    setting: Setting = "table"
    spin: float = 8.0
    mirror: bool = True
    parts: list[Part] = field(default_factory=list)

    def shape(
        self,
        boundary: Path,
        colour: Colour,
        *,
        holes: Sequence[Points] = (),
        relief: float = 0.6,
        material: Material = "matte",
        inked: bool = True,
    ) -> None:
        """Fill a closed outline given by its corners."""
        outline = np.asarray(boundary, dtype=float)
        ink = tuple(closed(line) for line in (outline, *holes)) if inked else ()
        self.parts.append(Part(outline, colour, tuple(holes), ink, relief, material))

    def blob(self, knots: Path, colour: Colour, **options) -> None:
        """Fill the smooth closed curve through the given knots."""
        self.shape(smooth(knots, loop=True), colour, **options)

    def oval(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        tilt: float = 0.0,
        **options,
    ) -> None:
        """Fill an ellipse; tilt in degrees, clockwise on the picture."""
        self.shape(ellipse(centre, radii, tilt), colour, **options)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour,
        radius: float = 0.0,
        **options,
    ) -> None:
        """Fill an upright rectangle with rounded corners."""
        self.shape(rounded_box(left, top, right, bottom, radius), colour, **options)

    def limb(
        self,
        knots: Path,
        widths: Sequence[float],
        colour: Colour,
        *,
        open_ends: bool = False,
        **options,
    ) -> None:
        """Fill a tube along a smooth path; its widths are spread evenly over the path.

        With open_ends only the two sides are inked, so that the tube runs on into its neighbour.
        """
        left, right, outline = tube(smooth(knots), widths)
        self.shape(outline, colour, **options)
        if open_ends:
            self.parts[-1] = replace(self.parts[-1], ink=(left, right))

    def stroke(self, knots: Path, width: float, colour: Colour, straight: bool = False) -> None:
        """Draw a thin line of constant width: a detail that gets no outline of its own."""
        path = np.asarray(knots, dtype=float) if straight else smooth(knots)
        self.shape(tube(path, [width])[2], colour, relief=0.0, inked=False)

    def dot(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        """Fill a small circle without an outline."""
        self.oval(centre, (radius, radius), colour, relief=0.0, inked=False)

    def add(self, other: Sketch, scale: float, shift: tuple[float, float]) -> None:
        """Put a scaled copy of another sketch on top of this one."""
        matrix = np.eye(2) * scale
        self.parts.extend(part.mapped(matrix, np.asarray(shift)) for part in other.parts)


def rgb(code: str) -> Colour:
    """'#rrggbb' as three floats in 0..1."""
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (factor below 1) or lighter (above 1, towards white) version of a colour."""
    values = np.asarray(colour)
    values = values * factor if factor <= 1 else 1 - (1 - values) / factor
    return tuple(np.clip(values, 0, 1))


def vary(rng: np.random.Generator, code: str, spread: float = 0.05) -> Colour:
    """A colour near the given one: a little lighter or darker, a little off in hue."""
    values = np.asarray(rgb(code)) + rng.normal(0, spread) + rng.normal(0, spread / 2, 3)
    return tuple(np.clip(values, 0.02, 0.98))


def one_of(rng: np.random.Generator, codes: Sequence[str], spread: float = 0.05) -> Colour:
    """A colour near one of those given."""
    return vary(rng, codes[rng.integers(len(codes))], spread)


def closed(points: Points) -> Points:
    """The polyline that returns to its first point."""
    return np.vstack([points, points[:1]])


def smooth(knots: Path, loop: bool = False, steps: int = 9) -> Points:
    """Catmull-Rom curve through the knots, `steps` points a span."""
    knots = np.asarray(knots, dtype=float)
    if len(knots) == 2 and not loop:
        return np.linspace(knots[0], knots[1], steps)
    if loop:
        padded = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        spans.append(
            b
            + 0.5 * t * (c - a)
            + t**2 * (a - 2.5 * b + 2 * c - 0.5 * d)
            + t**3 * (1.5 * (b - c) + 0.5 * (d - a))
        )
    curve = np.vstack(spans)
    return curve if loop else np.vstack([curve, knots[-1:]])


def ellipse(
    centre: tuple[float, float],
    radii: tuple[float, float],
    tilt: float = 0.0,
    start: float = 0.0,
    stop: float = 360.0,
    points: int = 48,
) -> Points:
    """Points on an ellipse or on an arc of it; angles in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, stop, points, endpoint=stop - start < 360))
    arc = np.column_stack([np.cos(angles) * radii[0], np.sin(angles) * radii[1]])
    return arc @ rotation(tilt).T + np.asarray(centre)


def rotation(degrees: float) -> np.ndarray:
    """The 2x2 matrix that turns a picture clockwise."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def rounded_box(left: float, top: float, right: float, bottom: float, radius: float) -> Points:
    """The outline of an upright rectangle with rounded corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    if radius <= 0:
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    corners = [
        ((right - radius, top + radius), -90),
        ((right - radius, bottom - radius), 0),
        ((left + radius, bottom - radius), 90),
        ((left + radius, top + radius), 180),
    ]
    arcs = [ellipse(at, (radius, radius), 0, turn, turn + 90, 8) for at, turn in corners]
    return np.vstack(arcs)


def tube(path: Points, widths: Sequence[float]) -> tuple[Points, Points, Points]:
    """Left side, right side and round-capped outline of a tube along a path."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    places = np.linspace(0, 1, len(path))
    half = 0.5 * np.interp(places, np.linspace(0, 1, len(widths)), widths)[:, None]
    left, right = path + half * normal, path - half * normal
    turns = np.linspace(np.pi / 2, -np.pi / 2, 9)[1:-1, None]

    def cap(end: int, sign: float) -> Points:
        outward, side = sign * along[end], sign * normal[end]
        return path[end] + half[end] * (np.cos(turns) * outward + np.sin(turns) * side)

    return left, right, np.vstack([left, cap(-1, 1.0), right[::-1], cap(0, -1.0)])


def ragged(rng: np.random.Generator, points: Points, amount: float) -> Points:
    """An outline made slightly uneven by a few low waves around its middle."""
    middle = points.mean(axis=0)
    angles = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    waves = sum(
        rng.normal(0, amount / k) * np.cos(k * angles + rng.uniform(0, 2 * np.pi))
        for k in range(2, 7)
    )
    return middle + (points - middle) * (1 + np.asarray(waves))[:, None]
