"""A configuration without Snakemake: read from its file, completed by the schema, checked.

Snakemake hands the workflow a configuration that it has read itself. Whoever wants to know what the
workflow would say of one, the command ``synthsight check`` and the library, starts here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import synthsight
from synthsight.errors import SynthsightError
from synthsight.plan.config import schema as config_schema
from synthsight.plan.experiment import Experiment, load_experiment
from synthsight.wording import one_line

#: Where the schema lies in a clone of synthsight.
_SCHEMA = Path("workflow", "schemas", "config.schema.yaml")


class ConfigFileError(SynthsightError):
    """A file that holds no configuration; the message has a line for each fault."""


class RepositoryError(SynthsightError):
    """The files of synthsight that lie beside the package are not to be found."""


def repository() -> Path:
    """The clone of synthsight that the workflow, its schema and its resources lie in.

    It is the one that the package is imported from (``make venv`` installs it so that it stays
    there); for a package that was copied elsewhere, the current folder.

    Raises:
        RepositoryError: neither holds the schema.
    """
    places = [Path(str(synthsight.__file__)).resolve().parents[2], Path.cwd()]
    for place in places:
        if (place / _SCHEMA).is_file():
            return place
    looked = " or ".join(map(str, dict.fromkeys(places)))
    raise RepositoryError(
        f"no {_SCHEMA.as_posix()} in {looked}. It lies in synthsight's repository: run this in a "
        "clone of it, or install the clone with `pip install --editable`"
    )


def read_schema() -> dict[str, Any]:
    """The configuration's JSON schema.

    Raises:
        RepositoryError: see :func:`repository`.
    """
    return config_schema.read_schema(repository() / _SCHEMA)


def definitions_file() -> Path:
    """What the project knows of categories: the default of a configuration.

    Raises:
        RepositoryError: see :func:`repository`.
    """
    return repository() / "resources" / "categories.yaml"


def cache_folder() -> Path:
    """Where what was found out or fetched outside of a run is kept between calls.

    ``$XDG_CACHE_HOME/synthsight``, as a rule ``~/.cache/synthsight``.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "synthsight"


def check(
    config: Mapping[str, Any], files: Sequence[Path] = (), cache: Path | None = None
) -> Experiment:
    """Find what the workflow would find of a configuration.

    Args:
        config: as read from YAML.
        files: the files it was read from, for messages.
        cache: folder for what is found out about models; None for :func:`cache_folder`.

    Raises:
        synthsight.plan.config.messages.ConfigError: with everything that is wrong.
        RepositoryError: see :func:`repository`.
    """
    return load_experiment(config, read_schema(), files, cache or cache_folder())


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration, YAML or JSON, with an eye on what YAML passes over in silence.

    Raises:
        ConfigFileError: the file cannot be read or is not YAML, with line and column; a key stands
            in it twice, of which YAML would take the later one, with both lines; or it is no
            mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigFileError(f"no file {str(path)!r}") from None
    except OSError as error:
        raise ConfigFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line, column = _position(error.object, error.start)
        raise ConfigFileError(
            f"{path}, line {line}, column {column}: not UTF-8 text; save the file in that encoding"
        ) from None
    try:
        content = _load(text)
        repeated = [] if _is_json(text) else list(_repeated(yaml.compose(text, yaml.SafeLoader)))
    except yaml.reader.ReaderError as error:
        line, column = _position(text, error.position)
        raise ConfigFileError(
            f"{path}, line {line}, column {column}: a character that YAML does not allow"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigFileError(f"{path}{_explain(error)}") from None
    except RecursionError:
        raise ConfigFileError(f"{path}: nested too deeply") from None
    except ValueError as error:  # of a date or number in the form of one that cannot be
        raise ConfigFileError(f"{path}: {one_line(error)}") from None
    if repeated:
        lines = [
            f"{path}, line {later}: the key {name!r} stands on line {earlier}, too, and YAML takes "
            "the later one only; remove one of them"
            for name, earlier, later in repeated
        ]
        raise ConfigFileError("\n".join(lines))
    if not isinstance(content, dict):
        found = "is empty" if content is None else "holds no mapping"
        raise ConfigFileError(
            f"{path} {found}: write keys and values, as `run: NAME` and `models: [...]`"
        )
    return content


def merge(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several configurations as one, as ``snakemake --configfile A B`` has it.

    Mappings are merged key by key; of all else the last one counts.
    """
    merged: dict[str, Any] = {}
    for config in configs:
        for key, value in config.items():
            earlier = merged.get(key)
            if isinstance(earlier, Mapping) and isinstance(value, Mapping):
                value = merge([earlier, value])
            merged[key] = value
    return merged


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _load(text: str) -> Any:
    # Snakemake tries JSON first, in which blanks may be tabs.
    return json.loads(text) if _is_json(text) else yaml.safe_load(text)


def _explain(error: yaml.MarkedYAMLError) -> str:
    """Where and what, for people: ``, line 3, column 7: ...``."""
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
        message += "; YAML is indented by blanks, not tabs"
    return f"{place}: {message}"


def _position(text: str | bytes, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a place in a text."""
    before = text[:offset]
    lines = before.split("\n") if isinstance(before, str) else before.split(b"\n")
    return len(lines), len(lines[-1]) + 1


def _repeated(root: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Keys that a mapping holds more than once, each with the lines of two occurrences."""
    waiting = [] if root is None else [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # what an alias repeats, or a structure that holds itself
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[Hashable, int] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    line = key.start_mark.line + 1
                    if (key.tag, key.value) in lines:
                        yield key.value, lines[key.tag, key.value], line
                    lines[key.tag, key.value] = line
            waiting += [value for _, value in reversed(node.value)]
