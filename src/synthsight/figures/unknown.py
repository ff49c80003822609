"""What to say where a table does not hold what a figure would show."""

from __future__ import annotations

import pandas as pd

from synthsight.errors import SynthsightError


class NotKnownError(SynthsightError, ValueError):
    """There is nothing that a figure could show."""


def no_row(table: pd.DataFrame, what: str, rule: str) -> NotKnownError:
    """The error of a table that has nothing under a rule.

    Args:
        table: The table, with its rules.
        what: What it lacks, such as ``the accuracy table has no mean``.
        rule: The matching rule.
    """
    found = ", ".join(sorted(map(str, table["rule"].unique()))) or "none"
    return NotKnownError(f"{what} under rule {rule!r}; rules found: {found}")


def no_hits(rule: str) -> NotKnownError:
    """The error of a rule under which no model's best guess can be judged."""
    return NotKnownError(
        f"no model's hits are known under {rule!r}, which ranked classes leave open: choose "
        "another `matching.primary`, or give predictions with `logits`"
    )
