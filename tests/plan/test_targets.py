"""Targets that nobody makes are answered with those that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthsight.plan.targets import NAMED, TargetError, require_files
from tests.support import Project


class Made:
    """A rule that makes files with one ending."""

    def __init__(self, name: str, ending: str) -> None:
        self.name, self._ending = name, ending

    def is_producer(self, requested_output: str) -> bool:
        return requested_output.endswith(self._ending)


RULES = [Made("score", ".scores"), Made("classify", ".logits")]


def test_files_that_a_rule_makes_or_that_exist_are_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    require_files(["a.scores", "b.logits", "there"], RULES, "results/r")


@pytest.mark.parametrize(
    ("target", "close"),
    [("scorse", "'score'"), ("tabels", "'tables'"), ("clasify", "'classify'"), ("x/y.csv", None)],
)
def test_a_misspelt_target_is_answered_with_targets(target: str, close: str | None) -> None:
    with pytest.raises(TargetError) as caught:
        require_files(["a.scores", target], RULES, "results/r")
    said = str(caught.value)
    assert said.startswith(f"nothing makes {target!r}")
    assert (f"did you mean {close}?" in said) if close else ("did you mean" not in said)
    assert all(name in said for name in NAMED)
    assert "results/r/tables/accuracy.csv" in said


@pytest.mark.parametrize("target", ["tabels", "results/small/tables/acuracy.csv"])
def test_the_plain_command_says_so_on_one_line(finished: Project, target: str) -> None:
    completed = finished.snakemake("--dry-run", target)
    assert completed.returncode == 1
    said = completed.stdout + completed.stderr
    assert f"nothing makes {target!r}" in said and "Traceback" not in said
    assert "MissingRuleException" not in said and "File " not in said


@pytest.mark.long
def test_every_named_target_is_one(finished: Project) -> None:
    for target in NAMED:
        assert finished.plan(target) <= {(target,)}, target
