"""What the page says of answers that a server gave."""

from __future__ import annotations

from typing import Any

from synthsight.report.endpoints import asked_how, of_endpoint


def facts(**changed: Any) -> dict[str, Any]:
    usual = {
        "served": {"m-2026": 20},
        "fingerprints": {"(not stated)": 20},
        "temperature": {"0": 20},
        "kinds": {"p_yes": 20},
        "first": "2026-01-31T23:59:00+00:00",
        "last": "2026-02-01T00:10:00+00:00",
    }
    return {**usual, **changed}


def note(blind: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    return {
        "name": "sure",
        "endpoint": {"url": "http://localhost/v1", "model": "m"},
        "settings": {"prompt": "{question} Yes or no?", "max_side": 1024},
        "asked": facts(**changed),
        "blind": blind,
    }


def test_how_a_server_was_asked_is_said_in_a_line() -> None:
    assert asked_how(note()) == (
        "asked “{question} Yes or no?”; by P(yes) of the first token; pictures of up to 1024 "
        "pixels; 2026-01-31 to 2026-02-01"
    )
    text = note(kinds={"text": 19, "unparsed": 1}, last="2026-01-31T23:59:30+00:00")
    text["settings"]["max_side"] = None
    assert asked_how(text) == (
        "asked “{question} Yes or no?”; by the text; pictures as they are; 2026-01-31"
    )
    assert asked_how({"name": "ofa", "family": "ofa"}) is None


def test_a_server_of_one_model_needs_no_remark() -> None:
    assert of_endpoint(note(blind=facts())) == []
    assert of_endpoint({"name": "ofa", "family": "ofa"}) == []


def test_answers_of_several_models_are_said() -> None:
    said = of_endpoint(note(blind=facts(served={"m-2027": 20})))
    assert said == [
        "The server calls what answered as sure by several names, so its answers may be of several "
        "models: m-2026 (20), m-2027 (20)"
    ]
    (versions,) = of_endpoint(note(fingerprints={f"fp_{n}": n for n in range(1, 7)}))
    assert versions.endswith("fp_6 (6), fp_5 (5), fp_4 (4), fp_3 (3) and 2 more")


def test_answers_of_two_kinds_and_answers_by_chance_are_said() -> None:
    (mixed,) = of_endpoint(note(kinds={"p_yes": 15, "text": 5}))
    assert mixed.startswith(
        "Of sure, 15 answers are by P(yes) of the first token and 5 by the text"
    )
    (warm,) = of_endpoint(note(temperature={"0": 5, "the server's own": 15}))
    assert "15 answers are drawn by chance" in warm
