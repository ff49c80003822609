"""The configurations that come with the project."""

from __future__ import annotations

import re

import jsonschema
import pytest
import yaml

from synthsight.labels.matching import admit_rules
from tests.support import REPOSITORY

SCHEMA = admit_rules(
    yaml.safe_load(
        (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
    )
)


@pytest.mark.parametrize("name", ["config.yaml", "config/paper.yaml", "config/smoke_hub.yaml"])
def test_a_configuration_satisfies_the_schema(name: str) -> None:
    config = yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))
    jsonschema.validate(config, SCHEMA)


def test_the_readme_s_configuration_satisfies_the_schema() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    example, *further = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL))
    jsonschema.validate(example, SCHEMA)
    assert further
    for addition in further:
        jsonschema.validate({**example, **addition}, SCHEMA)


def test_the_documentation_explains_every_key_with_its_default() -> None:
    text = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")

    def check(schema: dict, prefix: str, text: str) -> None:
        for key, about in schema["properties"].items():
            if "properties" in about and about.get("type") == "object":
                check(about, f"{prefix}{key}.", text)
                continue
            (row,) = re.findall(rf"^\| [^|]*`{re.escape(prefix + key)}`.*$", text, re.M)
            default = about.get("default")
            if isinstance(default, int | float | str):
                written = str(default).lower() if isinstance(default, bool) else str(default)
                assert written in row, f"{key}: the default is {written}"

    experiment, _, rest = text.partition("\n## Models\n")
    models, _, questions = rest.partition("\n## Questions\n")
    vqa = SCHEMA["properties"]["vqa"]
    check(SCHEMA, "", experiment)
    archive = SCHEMA["properties"]["images"]["properties"]["archive"]
    check(archive, "images.archive.", experiment)
    check(SCHEMA["properties"]["models"]["items"], "", models)
    check(vqa, "vqa.", questions)
    check(SCHEMA["properties"]["people"], "people.", questions)
    check(vqa["properties"]["models"]["items"], "", questions)


def test_everything_is_pinned_and_no_registry_is_named() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"#.*|[a-z0-9._-]+==[^ ;]+( ?; .*)?", line), line


def test_direct_dependencies_are_in_the_lock_file() -> None:
    pinned = {
        line.split("==")[0]
        for line in (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    }
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^dependencies = \[\n(.*?)\]", project, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r'"([a-z0-9_-]+)"', block)) <= pinned
