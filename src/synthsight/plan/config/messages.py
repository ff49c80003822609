"""What is wrong with a configuration, and where: file, line and key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthsight.bounds import Key
from synthsight.errors import SynthsightError

#: What a configuration was read from: a file, or the values of ``--config``.
Source = Path | Mapping[str, Any]

#: Maximum number of problems that a message lists.
_SHOWN = 50

#: Maximum number of characters of a value of ``--config`` that a message repeats.
_VALUE = 60


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the key concerned, and a message."""

    key: Key
    message: str


class ConfigError(SynthsightError):
    """Everything wrong with a configuration, each problem with its file, line and key."""

    def __init__(self, problems: Sequence[Problem], files: Sequence[Source]) -> None:
        self.problems = tuple(problems)
        shown = problems[:_SHOWN]
        lines = [f"{place(problem.key, files)}: {problem.message}" for problem in shown]
        if len(problems) > _SHOWN:
            lines.append(f"... and {len(problems) - _SHOWN} more")
        count = "an error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(f"The configuration has {count}.\n  " + "\n  ".join(lines))


def place(key: Key, files: Sequence[Source]) -> str:
    """File, line and key, such as ``config.yaml, line 12, models[2].model``.

    Or what was given on the command line, such as ``--config precision=fp31``.

    Args:
        key: key of the configuration.
        files: what it was read from; if a key is in several, the last one counts.
    """
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    path = path.removeprefix(".") or "the configuration"
    # Snakemake merges the mappings of several files and lets the last one's lists replace others.
    mappings = next((i for i, part in enumerate(key) if isinstance(part, int)), len(key))
    for length in range(mappings, 0, -1):
        for file in reversed(files):
            if isinstance(file, Mapping):
                if _has(file, key[:length]):
                    return _given(file[str(key[0])], key, path)
            elif _line(file, key[:length]) is not None:
                lines = (_line(file, key[:end]) for end in range(len(key), 0, -1))
                line = next(line for line in lines if line is not None)
                return f"{file}, line {line}, {path}"
    return path


def _given(value: Any, key: Key, path: str) -> str:
    """What was written on the command line to set a key."""
    is_text = isinstance(value, str)
    text = value if is_text else json.dumps(value, ensure_ascii=False, default=str)
    shown = text if len(text) <= _VALUE else f"{text[:_VALUE]}..."
    inner = value
    for part in key[1:]:
        inner = inner[part] if isinstance(inner, Mapping) and part in inner else None
    # Snakemake makes text of what is nested there.
    hint = " (numbers need a file, by --configfile)" if key[1:] and isinstance(inner, str) else ""
    return f"--config {key[0]}={shown}" + (f", {path}{hint}" if key[1:] else "")


def _has(given: Any, key: Key) -> bool:
    """Whether a key is in a mapping of mappings."""
    for part in key:
        if not isinstance(given, Mapping) or part not in given:
            return False
        given = given[part]
    return True


def _line(file: Path, key: Key) -> int | None:
    """The line, from 1, of a key in a YAML file; None if it is not there."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    line = None
    for part in key:
        if isinstance(node, yaml.MappingNode):
            matches = [(k, v) for k, v in node.value if k.value == part]
            if not matches:
                return None
            name, node = matches[-1]
            line = name.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return None
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return None
    return line
