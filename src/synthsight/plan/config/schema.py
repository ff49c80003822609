"""The schema: which keys exist, their allowed values and their defaults."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from synthsight.bounds import Key
from synthsight.plan.config.messages import Problem
from synthsight.wording import did_you_mean


def _is_integer(_: Any, value: Any) -> bool:
    """Whether it is an integer in YAML; 64.0, which JSON schema also accepts, is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    """Whether it is a finite number: YAML has .nan and .inf, which no setting may be."""
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)

#: The types of JSON schema, in words.
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text (in quotes, if it looks like a number or a truth value)",
}


#: libyaml's where it is there: every start of the workflow waits for this.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_schema(path: Path) -> dict[str, Any]:
    """Read the schema from its YAML file."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    assert isinstance(content, dict)
    return content


def schema_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Problem]:
    """Everything in a configuration, as read from YAML, that its schema does not allow."""
    validator = _Validator(schema)
    problems = []
    for error in sorted(validator.iter_errors(config), key=lambda error: list(error.path)):
        key: Key = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for name in sorted(set(error.instance) - set(known), key=str):
                hint = did_you_mean(str(name), known) or f"; known keys: {', '.join(known)}"
                problems.append(Problem((*key, str(name)), f"unknown key{hint}"))
        elif error.validator == "required":
            for name in sorted(set(error.schema["required"]) - set(error.instance)):
                about = error.schema["properties"][name]["description"]
                problems.append(Problem((*key, name), f"missing. {about}"))
        else:
            problems.append(Problem(key, _describe(error)))
    return list(dict.fromkeys(problems))


def _describe(error: Any) -> str:
    """An error of jsonschema in words: what was found and what to write."""
    found = f"found {_shown(error.instance)}"
    if error.validator == "enum":
        allowed = [str(value) for value in error.validator_value if value is not None]
        hint = did_you_mean(str(error.instance), allowed)
        return f"{found}; write one of {', '.join(allowed)}{hint}"
    if error.validator == "type":
        types = error.validator_value
        wanted = [_TYPES[name] for name in ([types] if isinstance(types, str) else types)]
        found += f"; write {' or '.join(wanted)}"
    elif error.validator in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        found += f"; {error.message}"
    elif error.validator in ("minItems", "maxItems") and error.schema.get("maxItems"):
        found += f"; write {error.validator_value} values"
    about = error.schema.get("description") or error.message
    return found if about in found else f"{found}. {about}"


def _shown(value: Any, most: int = 200) -> str:
    """The value found, as JSON if possible, truncated if it is long."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError):  # keys that are not text
        text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def fill_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of a value in which missing keys, also nested ones, have the schema's defaults."""
    if isinstance(value, Mapping):
        filled = {key: copy.deepcopy(inner) for key, inner in value.items()}
        for key, inner in schema.get("properties", {}).items():
            if key not in filled and "default" in inner:
                filled[key] = copy.deepcopy(inner["default"])
            if key in filled:
                filled[key] = fill_defaults(filled[key], inner)
        return filled
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [fill_defaults(item, schema["items"]) for item in value]
    return value
