"""The error of comparisons."""

from __future__ import annotations

from synthsight.errors import SynthsightError


class CompareError(SynthsightError):
    """Two runs that cannot be compared, or a folder that cannot take the comparison."""
