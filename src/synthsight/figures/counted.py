"""Who is counted in what a figure says of all models."""

from __future__ import annotations

from collections.abc import Sequence


def uncounted(adapted: Sequence[str], done: str = "counted", where: str = "") -> str:
    """That some models have no part in what is counted over all, as the end of a subtitle.

    Args:
        adapted: models that were trained on the images, where there are others.
        done: what is not done with them.
        where: in what they have no part, as the end of the sentence.
    """
    if not adapted:
        return ""
    many = f"{len(adapted)} models that were" if len(adapted) > 1 else "One model that was"
    verb = "are" if len(adapted) > 1 else "is"
    return f" {many} trained on such images {verb} not {done}{where and ' ' + where}."
