"""What is wrong with a configuration, and where: file, line and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from synthsight.bounds import Key
from synthsight.errors import SynthsightError

#: Maximum number of problems that a message lists.
_SHOWN = 50


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the key concerned, and a message."""

    key: Key
    message: str


class ConfigError(SynthsightError):
    """Everything wrong with a configuration, each problem with its file, line and key."""

    def __init__(self, problems: Sequence[Problem], files: Sequence[Path]) -> None:
        shown = problems[:_SHOWN]
        lines = [f"{place(problem.key, files)}: {problem.message}" for problem in shown]
        if len(problems) > _SHOWN:
            lines.append(f"... and {len(problems) - _SHOWN} more")
        count = "an error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(f"The configuration has {count}.\n  " + "\n  ".join(lines))


def place(key: Key, files: Sequence[Path]) -> str:
    """File, line and key, such as ``config.yaml, line 12, models[2].model``.

    Args:
        key: key of the configuration.
        files: the files it was read from; if a key is in several, the last one counts.
    """
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    path = path.removeprefix(".") or "the configuration"
    # Snakemake merges the mappings of several files and lets the last one's lists replace others.
    mappings = next((i for i, part in enumerate(key) if isinstance(part, int)), len(key))
    for length in range(mappings, 0, -1):
        for file in reversed(files):
            if _line(file, key[:length]) is not None:
                lines = (_line(file, key[:end]) for end in range(len(key), 0, -1))
                line = next(line for line in lines if line is not None)
                return f"{file}, line {line}, {path}"
    return path


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
