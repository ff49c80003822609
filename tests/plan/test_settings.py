"""The typed settings have the schema's keys, all of them, and lose nothing."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any

import pytest

from synthsight.plan.config.schema import fill_defaults, read_schema
from synthsight.plan.experiment import load_settings
from synthsight.plan.settings import MatchingSettings, Settings, as_dict, typed
from tests.support import REPOSITORY

SCHEMA = read_schema(REPOSITORY / "workflow" / "schemas" / "config.schema.yaml")


def fields(kind: Any, path: str = "") -> set[str]:
    """The keys that settings have, nested ones with dots and items of lists with brackets."""
    found = set()
    for name, hint in typing.get_type_hints(kind).items():
        found.add(f"{path}{name}")
        for option in typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,):
            inner, mark = option, "."
            if typing.get_origin(option) is tuple:
                inner, mark = typing.get_args(option)[0], "[]."
            if dataclasses.is_dataclass(inner):
                found |= fields(inner, f"{path}{name}{mark}")
    return found


def keys(schema: Any, path: str = "") -> set[str]:
    found = set()
    for name, inner in schema.get("properties", {}).items():
        found |= {f"{path}{name}", *keys(inner, f"{path}{name}.")}
        found |= keys(inner.get("items", {}), f"{path}{name}[].")
    return found


def test_settings_have_a_field_for_each_key_of_the_schema_and_no_other() -> None:
    assert fields(Settings) == keys(SCHEMA)


def test_settings_hold_what_was_written_and_the_defaults() -> None:
    model = {"model": "timm/a", "resize": [3, 4], "arguments": {"x": [1]}, "crop": False}
    vqa = {
        "questions": "q.csv",
        "models": ["a/b", {"checkpoint": "c", "reference": {"source": "s"}}],
    }
    config = {"run": "r", "images": {"root": "i"}, "models": [model, "timm/b.tag"], "vqa": vqa}
    config["matching"] = {"rules": ["classes"], "primary": "classes"}
    written = fill_defaults(config, SCHEMA)
    settings = load_settings(written, SCHEMA)
    assert settings.models[0].resize == (3, 4)
    assert settings.models[0].crop is False
    assert settings.models[0].arguments == {"x": [1]}
    assert [each.name for each in settings.models] == ["a", "b.tag"]
    assert settings.vqa is not None and settings.vqa.models[1].reference is not None
    assert settings.vqa.models[1].reference.overall is None
    again = json.loads(json.dumps(as_dict(settings)))
    for name in set(written) - {"models", "vqa"}:
        assert again[name] == written[name], name
    assert again["models"][0] == {**written["models"][0], "name": "a"}
    assert again["vqa"]["models"][0]["model"] == "a/b"
    assert {**again["vqa"], "models": None} == {**written["vqa"], "models": None}


def test_a_key_without_a_field_is_a_fault() -> None:
    content = {"rules": [], "primary": "x", "aggregation": "max"}
    assert typed(MatchingSettings, content).rules == ()
    with pytest.raises(TypeError, match="no field for \\['more'\\]"):
        typed(MatchingSettings, {**content, "more": 1})
