"""What a reader should know about answers that a server gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Names that a sentence has room for.
_NAMED = 4

#: What stands in counts for what the server does not state.
_UNNAMED = "(not stated)"


def asked_how(note: Mapping[str, Any]) -> str | None:
    """How an endpoint was asked, in a line; None of another model.

    Args:
        note: about the model.
    """
    if "endpoint" not in note:
        return None
    settings, asked = note["settings"], note["asked"]
    side = settings["max_side"]
    counted = _ways(asked["kinds"])
    days = sorted({str(each)[:10] for each in (asked["first"], asked["last"]) if each})
    return "; ".join(
        [
            f"asked “{settings['prompt']}”",
            f"by {' or '.join(counted)}" if counted else "without an answer",
            "pictures as they are" if side is None else f"pictures of up to {side} pixels",
            *([f"answered by {_named(others)}"] if (others := _other_names(note)) else []),
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
    elif any(note["endpoint"]["model"] not in served_as for served_as in _other_names(note)):
        said.append(
            f"What answered as {name} was asked for as {note['endpoint']['model']}, but the server "
            f"calls it {_named(served)}"
        )
    versions = _together(parts, "fingerprints")
    if len(versions) > 1:
        said.append(
            f"The server states several versions (system_fingerprint) of what answered as {name}: "
            f"{_named(versions)}"
        )
    kinds = note["asked"]["kinds"]
    without = (note["blind"] or {"kinds": {}})["kinds"]
    if {*_ways(kinds)} != {*_ways(without)} and _ways(kinds) and _ways(without):
        said.append(
            f"What {name} gains by seeing compares two measures: its answers are by "
            f"{' and '.join(_ways(kinds))}, those without the images by "
            f"{' and '.join(_ways(without))}"
        )
    if against := sum(part["contradictions"] for part in parts):
        said.append(
            f"{against:,} answers of {name} are by P(yes) of the first token although their text "
            "says the other word"
        )
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


def _ways(kinds: Mapping[str, int]) -> list[str]:
    """What answers are by."""
    by = {"p_yes": "P(yes) of the first token", "text": "the text"}
    return [name for kind, name in by.items() if kinds.get(kind)]


def _other_names(note: Mapping[str, Any]) -> dict[str, int]:
    """What the server calls the model, other than it was asked for, if it says so."""
    parts = [note["asked"], *([note["blind"]] if note["blind"] else [])]
    asked = {note["endpoint"]["model"], _UNNAMED}
    return {name: n for name, n in _together(parts, "served").items() if name not in asked}


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
