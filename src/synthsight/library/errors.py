"""The error of the library."""

from __future__ import annotations

from synthsight.errors import SynthsightError


class ApiError(SynthsightError):
    """Something requested does not exist or cannot be used; close names are suggested."""
