"""The error of the library."""

from __future__ import annotations

from synthsight.errors import SynthsightError


class ApiError(SynthsightError):
    """Something that was asked for is not there or cannot be used; close names are offered."""
