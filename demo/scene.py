"""Composition: how many things a picture shows, how large, where and how turned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.sketch import Part, Setting, Sketch, rotation

Draw = Callable[[np.random.Generator], Sketch]

SHAPES = ((1.0, 1.0), (1.0, 1.0), (1.25, 1.0), (1.15, 1.0), (1.0, 1.15), (1.0, 1.25))


@dataclass(frozen=True)
class Scene:
    """Things placed on a picture: one list of parts a thing, in pixels, back to front."""

    width: int
    height: int
    setting: Setting
    things: list[list[Part]]

    @property
    def short(self) -> int:
        """The shorter side in pixels."""
        return min(self.width, self.height)


def compose(draw: Draw, rng: np.random.Generator) -> Scene:
    """One thing in the middle of the picture, or two of the kind, the smaller one behind."""
    aspect = np.array(SHAPES[rng.integers(len(SHAPES))])
    width, height = (int(side) for side in np.round(rng.uniform(176, 204) * aspect))
    frame = np.array([width, height])
    sketch = draw(rng)
    things = []
    if rng.random() < 0.2:
        side = rng.choice([-1, 1])
        middle = frame * (0.5 + side * rng.uniform(0.2, 0.24), rng.uniform(0.36, 0.46))
        things.append(place(draw(rng), rng, frame, middle, rng.uniform(0.4, 0.5)))
        middle = frame * (0.5 - side * rng.uniform(0.12, 0.18), rng.uniform(0.54, 0.6))
        things.append(place(sketch, rng, frame, middle, rng.uniform(0.62, 0.7)))
    else:
        middle = frame * rng.uniform(0.45, 0.55, 2)
        things.append(place(sketch, rng, frame, middle, rng.uniform(0.6, 0.94)))
    return Scene(width, height, sketch.setting, things)


def place(
    sketch: Sketch, rng: np.random.Generator, frame: np.ndarray, middle: np.ndarray, fill: float
) -> list[Part]:
    """Turn, perhaps mirror, and scale a sketch so that it fills that share of the frame."""
    turn = rotation(np.clip(rng.normal(0, sketch.spin / 2), -sketch.spin, sketch.spin))
    if sketch.mirror and rng.random() < 0.5:
        turn = turn @ np.diag([-1.0, 1.0])
    turned = [part.mapped(turn, np.zeros(2)) for part in sketch.parts]
    corners = np.vstack([part.boundary for part in turned])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = fill * (frame / (high - low)).min()
    shift = middle - scale * (low + high) / 2
    return [part.mapped(np.eye(2) * scale, shift) for part in turned]
