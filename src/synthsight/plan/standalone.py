"""Checking a configuration without Snakemake: read from its file, completed by the schema, checked.

Snakemake passes the workflow a configuration that it has read itself. The command ``synthsight
check`` and the library, which need the workflow's verdict on one, start here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import synthsight
from synthsight.clone import PACKAGE
from synthsight.errors import SynthsightError
from synthsight.files import can_be_written
from synthsight.keys import repeated_keys
from synthsight.plan.config import schema as config_schema
from synthsight.plan.experiment import Experiment, load_experiment
from synthsight.wording import one_line

#: Where the schema is in a clone of synthsight.
_SCHEMA = Path("workflow", "schemas", "config.schema.yaml")


class ConfigFileError(SynthsightError):
    """A file that is not a configuration; the message has a line for each problem."""


class RepositoryError(SynthsightError):
    """The files of synthsight outside the package cannot be found."""


def repository() -> Path:
    """The clone of synthsight that contains the workflow, its schema and its resources.

    It is the one that the package is imported from (``make venv`` makes an editable install); for a
    package that was copied elsewhere, the current folder.

    Raises:
        RepositoryError: neither contains the schema.
    """
    places = [Path(str(synthsight.__file__)).resolve().parents[2], Path.cwd()]
    for place in places:
        if (place / _SCHEMA).is_file():
            return place
    looked = " or ".join(map(str, dict.fromkeys(places)))
    raise RepositoryError(
        f"no {_SCHEMA.as_posix()} in {looked}. It is in synthsight's repository: run this in a "
        "clone of it, or install the clone with `pip install --editable`"
    )


def read_schema() -> dict[str, Any]:
    """The configuration's JSON schema.

    Raises:
        RepositoryError: see :func:`repository`.
    """
    return config_schema.read_schema(repository() / _SCHEMA)


def definitions_file() -> Path:
    """The project's category definitions, the default in a configuration.

    Raises:
        RepositoryError: see :func:`repository`.
    """
    return repository() / "resources" / "categories.yaml"


def cache_folder() -> Path:
    """The folder that caches, between calls, what was resolved or fetched outside of a run.

    ``$XDG_CACHE_HOME/synthsight``, by default ``~/.cache/synthsight``; where that cannot be
    written, the one of a workflow in the current folder.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    own = Path(home) / "synthsight"
    return own if can_be_written(own) else Path(".snakemake", "synthsight")


def check(
    config: Mapping[str, Any], files: Sequence[Path] = (), cache: Path | None = None
) -> Experiment:
    """Check a configuration as the workflow would.

    Args:
        config: the configuration, as read from YAML.
        files: the files it was read from, for messages.
        cache: folder that caches what models resolve to; None for :func:`cache_folder`.

    Raises:
        synthsight.plan.config.messages.ConfigError: with everything that is wrong.
        RepositoryError: see :func:`repository`.
    """
    return load_experiment(config, read_schema(), files, cache or cache_folder())


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration, YAML or JSON, and catch duplicate keys, which both silently accept.

    Raises:
        ConfigFileError: the file cannot be read or is not YAML, with line and column; a key occurs
            twice, with both lines; or it is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigFileError(
            f"no file {str(path)!r} (relative paths start at {Path.cwd()}){_beside(path)}; name "
            "another with --configfile, or write one: `synthsight init FOLDER`"
        ) from None
    except OSError as error:
        raise ConfigFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line, column = _position(error.object, error.start)
        raise ConfigFileError(
            f"{path}, line {line}, column {column}: not UTF-8 text{_other_encoding(error.object)}; "
            "save the file as UTF-8"
        ) from None
    try:
        content = _load(text)
        repeated = repeated_keys(text)
    except yaml.reader.ReaderError as error:
        line, column = _position(text, error.position)
        raise ConfigFileError(
            f"{path}, line {line}, column {column}: a character that YAML does not allow"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigFileError(f"{path}{_explain(error)}") from None
    except RecursionError:
        raise ConfigFileError(f"{path}: nested too deeply") from None
    except ValueError as error:  # from an impossible date or number
        raise ConfigFileError(f"{path}: {one_line(error)}") from None
    if repeated:
        raise ConfigFileError("\n".join(f"{path}, {message}" for message in repeated))
    if not isinstance(content, dict):
        found = "is empty" if content is None else "is not a mapping"
        raise ConfigFileError(
            f"{path} {found}: write keys and values, such as `run: NAME` and `models: [...]`"
        )
    return content


def _beside(path: Path) -> str:
    """Where a file is instead that is missing here: in the project, whose demo runs there."""
    home = PACKAGE.parents[1]
    return f"; there is one in {home}: run it in that folder" if (home / path).is_file() else ""


def merge(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge several configurations into one, as ``snakemake --configfile A B`` does.

    Mappings are merged key by key; for everything else, the last value counts.
    """
    merged: dict[str, Any] = {}
    for config in configs:
        for key, value in config.items():
            earlier = merged.get(key)
            if isinstance(earlier, Mapping) and isinstance(value, Mapping):
                value = merge([earlier, value])
            merged[key] = value
    return merged


def _other_encoding(content: bytes) -> str:
    """What a file that is not UTF-8 is instead, if its first bytes say so."""
    return " but UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _load(text: str) -> Any:
    # Snakemake tries JSON first, in which whitespace may be tabs.
    return json.loads(text) if _is_json(text) else yaml.safe_load(text)


def _explain(error: yaml.MarkedYAMLError) -> str:
    """The position and message of an error, for users: ``, line 3, column 7: ...``."""
    mark = error.problem_mark or error.context_mark
    place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
    message = one_line(error.problem or error.context or "not YAML")
    if error.problem and error.context:
        message += f" ({one_line(error.context)}"
        begun = error.context_mark
        if begun is not None and mark is not None and begun.line != mark.line:
            message += f" that begins on line {begun.line + 1}"
        message += ")"
    if "\\t" in message:
        message += "; YAML is indented with spaces, not tabs"
    return f"{place}: {message}"


def _position(text: str | bytes, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset in a text."""
    before = text[:offset]
    lines = before.split("\n") if isinstance(before, str) else before.split(b"\n")
    return len(lines), len(lines[-1]) + 1
