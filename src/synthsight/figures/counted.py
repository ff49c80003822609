"""Who is counted in what a figure says of all models."""

from __future__ import annotations

from collections.abc import Sequence


def uncounted(adapted: Sequence[str]) -> str:
    """That some models have no part in what is counted over all, as the end of a subtitle.

    Args:
        adapted: models that were trained on the images, where there are others.
    """
    if not adapted:
        return ""
    many = f"{len(adapted)} models that were" if len(adapted) > 1 else "One model that was"
    return f" {many} trained on such images {'are' if len(adapted) > 1 else 'is'} not counted."
