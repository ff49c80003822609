"""Keys that stand twice are an error, wherever people write YAML or JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.keys import repeated_keys
from synthsight.labels.definitions import DefinitionError, read_definitions
from synthsight.plan.standalone import ConfigFileError, read_config


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", [(3, 1)]),
        ("a:\n  - {x: 1}\n  - b: 1\n    b: 2\n", [(4, 3)]),
        ("a: 1\n'a': 2\n", [(2, 1)]),
        ('{"a": 1,\n "a": 2}', [(2, 1)]),
        ("a: 1\na: 2\na: 3\n", [(2, 1), (3, 2)]),
        ("base: &b {x: 1}\nmore:\n  <<: *b\n  x: 2\n", []),
        ("a: &a {x: 1}\nb: *a\nc: *a\n", []),
        ("1: a\n'1': b\n", []),
        ("", []),
    ],
)
def test_both_lines_are_named(text: str, lines: list[tuple[int, int]]) -> None:
    found = repeated_keys(text)
    assert len(found) == len(lines)
    for message, (later, earlier) in zip(found, lines, strict=True):
        assert message.startswith(f"line {later}: ") and f"on line {earlier}," in message


def test_json_with_tabs_is_looked_through_as_well() -> None:
    assert repeated_keys('{\n\t"a": 1,\n\t"a": 2\n}') == [
        "the key 'a' stands twice; remove one of them"
    ]


def test_a_configuration_in_json_and_category_definitions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"run": "a",\n"run": "b"}')
    with pytest.raises(ConfigFileError, match=r"c\.json, line 2: the key 'run' is also on line 1"):
        read_config(tmp_path / "c.json")
    (tmp_path / "d.yaml").write_text("hare: {also: [rabbit]}\nhare: {also: [bunny]}\n")
    with pytest.raises(DefinitionError, match=r"d\.yaml, line 2: the key 'hare' is also on line 1"):
        read_definitions(tmp_path / "d.yaml")
