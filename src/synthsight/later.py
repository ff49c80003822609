"""What servers say when they may answer later."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime


def answers_later(status: int) -> bool:
    """Whether a server that answers with a status may answer otherwise later."""
    return status in (408, 409, 425, 429) or status >= 500


def retry_after(stated: str | None, now: datetime) -> float | None:
    """The seconds that a ``Retry-After`` asks to wait, by number or by date.

    Args:
        stated: the header, or None.
        now: the time.

    Returns:
        The seconds, at least 0; None if it says nothing.
    """
    if stated is None:
        return None
    try:
        seconds = float(stated)
        return max(0.0, seconds) if seconds < float("inf") else None
    except ValueError:
        pass
    try:
        date = email.utils.parsedate_to_datetime(stated)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # no date, or one of a year that there is not
        return None
