"""What a reader should know about answers that a server gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Names that a sentence has room for.
_NAMED = 4


def asked_how(note: Mapping[str, Any]) -> str | None:
    """How an endpoint was asked, in a line; None of another model.

    Args:
        note: about the model.
    """
    if "endpoint" not in note:
        return None
    settings, asked = note["settings"], note["asked"]
    side = settings["max_side"]
    kinds = asked["kinds"]
    by = {"p_yes": "P(yes) of the first token", "text": "the text"}
    counted = [name for kind, name in by.items() if kinds.get(kind)]
    days = sorted({str(each)[:10] for each in (asked["first"], asked["last"]) if each})
    return "; ".join(
        [
            f"asked “{settings['prompt']}”",
            f"by {' or '.join(counted)}" if counted else "without an answer",
            "pictures as they are" if side is None else f"pictures of up to {side} pixels",
            *([" to ".join(days)] if days else []),
        ]
    )


def of_endpoint(note: Mapping[str, Any]) -> list[str]:
    """Sentences on what makes a server's answers doubtful; nothing of another model.

    Args:
        note: about the model.
    """
    if "endpoint" not in note:
        return []
    name, said = note["name"], []
    parts = [note["asked"], *([note["blind"]] if note["blind"] else [])]
    served = _together(parts, "served")
    if len(served) > 1:
        said.append(
            f"The server calls what answered as {name} by several names, so its answers may be of "
            f"several models: {_named(served)}"
        )
    versions = _together(parts, "fingerprints")
    if len(versions) > 1:
        said.append(
            f"The server states several versions (system_fingerprint) of what answered as {name}: "
            f"{_named(versions)}"
        )
    kinds = note["asked"]["kinds"]
    if kinds.get("p_yes") and kinds.get("text"):
        said.append(
            f"Of {name}, {kinds['p_yes']:,} answers are by P(yes) of the first token and "
            f"{kinds['text']:,} by the text, where the server states no probabilities or the "
            "answer begins with something else"
        )
    if warm := sum(n for how, n in _together(parts, "temperature").items() if how != "0"):
        said.append(
            f"The server of {name} does not take temperature 0: {warm:,} answers are drawn by "
            "chance, and would be others another time"
        )
    return said


def _together(parts: list[Mapping[str, Any]], key: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for name, number in part[key].items():
            found[name] = found.get(name, 0) + number
    return found


def _named(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{name} ({number:,})" for name, number in ranked[:_NAMED]]
    more = len(ranked) - _NAMED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
