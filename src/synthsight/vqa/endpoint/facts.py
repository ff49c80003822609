"""What is known of an endpoint's answers besides what they are: who gave them, when, and how."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthsight import origin
from synthsight.files import MAKE_AGAIN, FileError, atomic
from synthsight.tables import read_schema
from synthsight.vqa.endpoint.addresses import host_of
from synthsight.vqa.endpoint.asking import Known
from synthsight.vqa.endpoint.reply import answer_of

#: In counts by name, what has none.
_UNNAMED = "(not stated)"


def facts_of(known: Known, max_tokens: int) -> dict[str, Any]:
    """What is known of the answers to a shard's questions, ready for JSON.

    Args:
        known: the entries and the reasons.
        max_tokens: how long a reply could be.

    Returns:
        ``served``, ``fingerprints``, ``pictures``, ``top`` and ``temperature``: how many answers
        there are by each name of the model, version, way of sending the picture, number of
        likeliest first tokens asked for, and whether temperature 0 was; ``kinds``: how many are
        ``p_yes``, ``text``, ``unparsed`` or ``unanswered``; ``first`` and ``last``: when.
    """
    entries = [entry for entry in known.entries if entry is not None]
    kinds = Counter("unanswered" for entry in known.entries if entry is None)
    for entry in entries:
        answer = answer_of(entry.reply, max_tokens)
        if answer.reason is not None:
            kinds["unanswered" if answer.said is None else "unparsed"] += 1
        else:
            kinds["text" if answer.p_yes is None else "p_yes"] += 1
    return {
        "served": _counts(entry.reply.served for entry in entries),
        "fingerprints": _counts(entry.reply.fingerprint for entry in entries),
        "pictures": _counts(entry.picture for entry in entries),
        "top": _counts(entry.dialect["top"] for entry in entries),
        "temperature": _counts(
            "0" if entry.dialect["temperature"] else "the server's own" for entry in entries
        ),
        "kinds": dict(sorted(kinds.items())),
        "first": min((entry.at for entry in entries), default=None),
        "last": max((entry.at for entry in entries), default=None),
    }


def _counts(values: Iterable[object]) -> dict[str, int]:
    found = Counter(_UNNAMED if value is None else str(value) for value in values)
    return dict(sorted(found.items()))


def note_on(
    spec: Mapping[str, Any],
    answers: Sequence[str | os.PathLike[str]],
    blind: Sequence[str | os.PathLike[str]],
) -> dict[str, Any]:
    """The note on a model that an endpoint answers for, in the place of one about weights.

    Args:
        spec: ``model``, its name, and ``reference``.
        answers: the model's answers, shard by shard.
        blind: those without seeing the images; none if nobody asked.

    Returns:
        ``name``, ``family``, ``source``, ``license``, ``reference``, ``settings`` and
        ``endpoint``; under ``asked`` and ``blind`` the facts of :func:`facts_of`, added up.

    Raises:
        FileError: answers of another model or of several endpoints, or no answers of one.
    """
    told = {path: _told(path) for path in (*answers, *blind)}
    first, about = next(iter(told.items()))
    for path, each in told.items():
        if each["model"] != spec["model"]:
            raise FileError(
                f"{path} holds answers of {each['model']!r}, not {spec['model']!r}; {MAKE_AGAIN}"
            )
        if (each["endpoint"], each["prompt"]) != (about["endpoint"], about["prompt"]):
            raise FileError(f"{path} and {first} were asked for in two ways; {MAKE_AGAIN}")
    endpoint = about["endpoint"]
    return {
        "name": spec["model"],
        "family": "endpoint",
        "source": f"{endpoint['model']} at {host_of(endpoint['url'])}",
        "license": None,
        "reference": spec["reference"],
        "settings": {
            "prompt": about["prompt"],
            **{key: endpoint[key] for key in ("logprobs", "max_side", "max_tokens")},
        },
        "endpoint": {key: endpoint[key] for key in ("url", "model")},
        "asked": _sum([told[path]["facts"] for path in answers]),
        "blind": _sum([told[path]["facts"] for path in blind]) if blind else None,
    }


def write_note(note: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a note as JSON, atomically, with its origin."""
    with atomic(path) as temporary:
        text = json.dumps({**note, **origin.entry(path)}, indent=2) + "\n"
        temporary.write_text(text, encoding="utf-8")


def _told(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file of an endpoint's answers says of itself."""
    schema = read_schema(path)
    found: dict[str, Any] = json.loads((schema.metadata or {}).get(b"synthsight", b"{}"))
    if not {"facts", "endpoint"} <= found.keys() or "p_yes" not in schema.names:
        raise FileError(f"{path} holds no answers of an endpoint; {MAKE_AGAIN}")
    return found


def _sum(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for key in ("served", "fingerprints", "pictures", "top", "temperature", "kinds"):
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part[key])
        total[key] = dict(sorted(counts.items()))
    total["first"] = min((part["first"] for part in parts if part["first"]), default=None)
    total["last"] = max((part["last"] for part in parts if part["last"]), default=None)
    return total
