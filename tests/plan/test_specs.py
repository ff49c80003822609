"""What decides a rerun: the specs that rules record, for the demo as they have always been."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.support import REPOSITORY

#: Of one job of each rule an output and its spec, as Snakemake recorded them when the demo was run
#: by rules that were written out one by one. What depends on files' times stands as DIGEST.
RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))

#: A digest of a listing or of questions, which goes by files' times.
_DIGEST = re.compile("[0-9a-f]{16,64}")


@pytest.fixture(scope="module", name="planned")
def planned_(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Any]]:
    """The rule and the spec of each output of the demo, from a dry run of the real command."""
    folder = tmp_path_factory.mktemp("demo")
    for part in ("Snakefile", "rules", "workflow", "profiles", "src", "resources", "config.yaml"):
        (folder / part).symlink_to(REPOSITORY / part)
    command = [Path(sys.executable).with_name("snakemake"), "--dry-run", "--forceall", "-p"]
    done = warm.run(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(_jobs(done.stdout))


def _jobs(text: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    for block in re.split(r"\n(?=(?:local)?rule )", text):
        rule = re.match(r"(?:local)?rule (\w+):", block)
        outputs = re.search(r"\n    output: (.*)", block)
        spec = re.search(r"--spec (?:@<\(printf '%s\\n' )?'(\{.*?\})'[ )]", block)
        if rule and outputs:
            content = json.loads(spec[1].replace("'\"'\"'", "'")) if spec else None
            for path in outputs[1].split(", "):
                yield path.strip(), (rule[1], content)


@pytest.mark.slow
@pytest.mark.parametrize("output", sorted(RECORDED))
def test_specs_are_setting_by_setting_what_they_were(
    planned: dict[str, tuple[str, Any]], output: str
) -> None:
    rule, spec = planned[output]
    assert rule == RECORDED[output]["rule"]
    assert spec.keys() == RECORDED[output]["spec"].keys()
    for key, recorded in RECORDED[output]["spec"].items():
        if recorded == "DIGEST":
            assert _DIGEST.fullmatch(spec[key])
        else:
            assert spec[key] == recorded, key


@pytest.mark.slow
def test_every_rule_with_a_spec_is_recorded(planned: dict[str, tuple[str, Any]]) -> None:
    assert {rule for rule, spec in planned.values() if spec} == {
        about["rule"] for about in RECORDED.values()
    }
