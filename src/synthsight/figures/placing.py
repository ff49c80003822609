"""Where to write names beside points, so that none covers another name or a point."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: From a point to the nearest edge of its name, in inches.
_GAP = 0.045
#: How far off a name may be that a line leads to, in inches.
_FURTHER = (0.15, 0.25, 0.35, 0.5, 0.7)

#: A box: left, bottom, right, top.
Box = tuple[float, float, float, float]


def place(
    points: Sequence[tuple[float, float]],
    widths: Sequence[float],
    order: Sequence[int],
    height: float,
    room: Box,
    better_free: Sequence[Box] = (),
    further: bool = False,
) -> dict[int, tuple[float, float]]:
    """Find a place beside its point for as many names as there is room for.

    Names are placed one after the other, each in the first of twelve places around its point that
    is free: right, left, above and below first, then further away. So the first names in ``order``
    are the likeliest to be placed. Where lines may lead to names, one that has no place of its own
    beside its point goes further off, and covers less.

    Args:
        points: All points as x, y in inches, y upwards; no name covers any of them.
        widths: Width in inches of each point's name.
        order: Indices of the points that are to be named, the most important first.
        height: Height in inches of a name.
        room: What the names must stay within.
        better_free: What they cover only where there is no other place.
        further: Whether a line may lead from a point to its name, see :func:`leader`.

    Returns:
        For each index that has found a place, the left bottom corner of its name; the others have
        none.
    """
    half = _GAP - 0.01
    taken = [(x - half, y - half, x + half, y + half) for x, y in points]
    found = {}
    for index in order:
        boxes = [
            (left, bottom, left + widths[index], bottom + height)
            for left, bottom in _around(*points[index], widths[index], height)
        ]
        free = [box for box in boxes if _within(box, room) and not _covers(box, taken)]
        best = [box for box in free if not _covers(box, better_free)]
        if further and not best:
            others = [box for number, box in enumerate(taken) if number != index]
            off = [
                (left, bottom, left + widths[index], bottom + height)
                for left, bottom in _far(*points[index], widths[index], height)
            ]
            best = [
                box
                for box in off
                if _within(box, room)
                and not _covers(box, [*taken, *better_free])
                and not _covers_line(points[index], box, others)
            ]
        best = best or free
        if best:
            found[index] = best[0][:2]
            taken.append(best[0])
    return found


def _around(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Left bottom corners of a name around a point, the best first."""
    right, left, middle = x + _GAP, x - _GAP - width, x - width / 2
    level, above, below = y - height / 2, y + _GAP, y - _GAP - height
    higher, lower = y + 0.75 * height, y - 1.75 * height
    return [
        *((right, level), (left, level), (middle, above), (middle, below)),
        *((right, above - _GAP), (right, below + _GAP), (left, above - _GAP), (left, below + _GAP)),
        *((right, higher), (right, lower), (left, higher), (left, lower)),
    ]


def _far(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Left bottom corners of a name whose nearest edge is off its point, the nearest first."""
    found = []
    for off in _FURTHER:
        for turn in range(16):
            angle = math.tau * turn / 16
            across, up = off * math.cos(angle), off * math.sin(angle)
            left = x + across - (width if across < -1e-6 else width / 2 if across < 1e-6 else 0)
            bottom = y + up - (height if up < -1e-6 else height / 2 if up < 1e-6 else 0)
            found.append((left, bottom))
    return found


def leader(point: tuple[float, float], box: Box) -> tuple[float, float] | None:
    """Where a line from a point to its name ends; None for a name right beside its point."""
    end = (min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3]))
    return end if math.dist(point, end) > _FURTHER[0] - 0.01 else None


def _covers_line(point: tuple[float, float], box: Box, others: Sequence[Box]) -> bool:
    """Whether the line to a name crosses another name or a point."""
    end = leader(point, box) or point
    steps = [step / 20 for step in range(21)]
    at = [tuple(a + step * (b - a) for a, b in zip(point, end, strict=True)) for step in steps]
    return any(_covers((x, y, x, y), others) for x, y in at)


def _within(box: Box, room: Box) -> bool:
    return box[0] >= room[0] and box[1] >= room[1] and box[2] <= room[2] and box[3] <= room[3]


def _covers(box: Box, others: Sequence[Box]) -> bool:
    return any(
        box[0] < right and left < box[2] and box[1] < top and bottom < box[3]
        for left, bottom, right, top in others
    )
