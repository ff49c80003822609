"""Numbers as the report's sentences say them."""

from __future__ import annotations


def percent(fraction: float) -> str:
    """A fraction as a percentage with one decimal.

    With more, where all or nothing would be said of less than all or more than nothing.
    """
    return f"{hundredths(fraction)}%"


def hundredths(fraction: float) -> str:
    """The same without its sign."""
    digits = 1
    while digits < 6 and 0 < fraction < 1 and round(fraction, digits + 2) in (0, 1):
        digits += 1
    return f"{100 * fraction:.{digits}f}"


def points(difference: float) -> str:
    """A difference of fractions in percentage points."""
    return f"{signed(difference)} points"


def signed(difference: float) -> str:
    """A difference of fractions, in hundredths with one decimal; there is no negative zero."""
    return f"{round(100 * difference, 1) + 0.0:.1f}"


def interval(low: float, high: float, level: float) -> str:
    """The bounds of a fraction with their level, in brackets."""
    return f"({100 * level:g}% interval {hundredths(low)} to {percent(high)})"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 image``, ``1,862 images``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
