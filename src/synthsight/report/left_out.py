"""Models that a run left out since they failed, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def of_left_out(left: Iterable[Mapping[str, str]]) -> list[str]:
    """Remarks on the models that are in no table, no figure and no sentence of a run.

    Args:
        left: of each the name (``model``), the ``rule`` of the job that failed, and ``why``: the
            last line of its log.
    """
    return [
        f"{each['model']} is left out of everything here, since it failed in {each['rule']}: "
        f"{each['why'].rstrip('.')}."
        for each in left
    ]


def without(left: Iterable[Mapping[str, str]]) -> str:
    """What captions say of these models: their names; nothing if there are none."""
    names = [each["model"] for each in left]
    return f"Without {', '.join(names)}, which failed." if names else ""
