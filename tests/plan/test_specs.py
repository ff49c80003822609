"""What decides a rerun: the specs that rules record, for the demo as they have always been."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthsight.plan import specs
from synthsight.plan.config import models
from synthsight.plan.experiment import Experiment
from synthsight.plan.files import Files
from tests import warm
from tests.plan.test_config import RESOLVED, images, load, write
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
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--dry-run", "--forceall", "-p", "--quiet=host", "all", "rating"]
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


@pytest.mark.long
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


def test_what_a_label_file_holds_is_in_what_depends_on_names_and_in_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same names in another order each model would be scored as another."""
    monkeypatch.chdir(tmp_path)
    images("pizza/a.png", "rabbit/a.png")
    answer = {"model": RESOLVED}
    monkeypatch.setattr(models, "resolve_cached", lambda asked, *_: [answer for _ in asked])
    Path("net.pth").write_bytes(b"weights")
    own = "{model: timm/b, name: own, checkpoint: net.pth, labels: labels.txt}"
    config = write(models=f"models: [{own}, {{model: timm/a, name: published}}]")

    def planned(text: str) -> tuple[Experiment, str]:
        Path("labels.txt").write_text(text)
        return load(config), hashlib.sha256(text.encode()).hexdigest()

    first, digest = planned("pizza\nrabbit\n")
    second, other = planned("rabbit\npizza\n")
    for found, expected in ((first, digest), (second, other)):
        assert {name: model.labels_content for name, model in found.models.items()} == {
            "own": expected,
            "published": None,
        }
        assert specs.score(found, "own")["content"] == expected
        assert "content" not in specs.score(found, "published")
        assert specs.label_audit(found)["content"] == {"labels.txt": expected}
        assert Files(found).label_files == Files(found).label_file_of("own") == ["labels.txt"]
        assert Files(found).label_file_of("published") == []
    for same in (specs.classify, specs.fetch_weights):
        assert same(first, "own") == same(second, "own")
    Path("net.pth").write_bytes(b"others")
    third, _ = planned("rabbit\npizza\n")
    assert specs.score(third, "own") == specs.score(second, "own")
    assert specs.fetch_weights(third, "own") != specs.fetch_weights(second, "own")
