"""The profiles for clusters and clouds: what they say of rules, and that they can be read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from snakemake.profiles import ProfileConfigFileParser

from tests.support import REPOSITORY

PROFILES = REPOSITORY / "profiles"
SUBMITTING = ("slurm", "cluster-generic", "kubernetes", "aws-batch")

#: What does not depend on how jobs are submitted.
COMMON = (
    *("group-components", "resources", "scheduler", "rerun-triggers", "rerun-incomplete"),
    *("keep-going", "show-failed-logs", "quiet"),
)


def read(profile: str) -> dict[str, Any]:
    """A profile as Snakemake reads it: the options that it stands for."""
    with open(PROFILES / profile / "profile.yaml", encoding="utf-8") as handle:
        parsed: dict[str, Any] = dict(ProfileConfigFileParser().parse(handle))
    return parsed


def rules() -> dict[str, str]:
    """The text of each rule, by its name; a rule made of another has that one's text, too."""
    found, made_of = {}, {}
    for file in (REPOSITORY / "rules").glob("*.smk"):
        text = file.read_text(encoding="utf-8")
        begins = r"^ *(?:rule (\w+)|use rule (\w+) as (\w+) with):\n"
        parts = re.split(begins, text, flags=re.MULTILINE)[1:]
        for own, of, name, body in zip(*(parts[n::4] for n in range(4)), strict=True):
            found[own or name] = body
            if of:
                made_of[name] = of
    return {name: "".join(found[each] for each in _line(name, made_of)) for name in found}


def _line(name: str, made_of: dict[str, str]) -> list[str]:
    """A rule, what it is made of, and so on."""
    return [name, *(_line(made_of[name], made_of) if name in made_of else [])]


@pytest.mark.parametrize("profile", SUBMITTING)
def test_a_profile_is_of_rules_that_there_are(profile: str) -> None:
    content, known = read(profile), rules()
    named = [*content["set-threads"], *content["set-resources"]]
    assert named
    assert {re.split("[:=]", name)[0] for name in named} <= set(known)


@pytest.mark.parametrize("profile", SUBMITTING[1:])
def test_profiles_differ_by_what_they_submit_to_alone(profile: str) -> None:
    slurm, other = read("slurm"), read(profile)
    assert {key: other[key] for key in COMMON} == {key: slurm[key] for key in COMMON}


def test_the_profile_of_commands_asks_for_what_that_of_slurm_does() -> None:
    slurm, commands = read("slurm"), read("cluster-generic")
    for key in ("cores", "set-threads", "set-resources", "retries", "latency-wait", "jobs"):
        assert commands[key] == slurm[key], key


def test_every_rule_with_a_gpu_asks_aws_for_one_and_fits_what_it_offers() -> None:
    content = read("aws-batch")
    asks = re.compile(r"^ +gpu=1,$", re.MULTILINE)
    asking = {name for name, text in rules().items() if asks.search(text)}
    assert asking
    assert {f"{name}:_gpus=1" for name in asking} <= set(content["set-resources"])
    # Cores and MB that the plugin takes as they are; of others it takes its own smallest.
    known = {1: range(2048, 8193, 1024), 2: range(4096, 16385, 1024)}
    threads = dict(item.split("=") for item in content["set-threads"])
    (default,) = memory_of(content["default-resources"]).values()
    memory = memory_of(content["set-resources"])
    for name in rules():
        cores, megabytes = int(threads.get(name, 1)), memory.get(name, default)
        for attempt in range(1, int(content["retries"]) + 2):
            for at_once in range(1, int(content["cores"]) // cores + 1):
                assert megabytes * attempt * at_once in known[cores * at_once], name


def memory_of(resources: list[str]) -> dict[str, int]:
    """MB of a first attempt, by rule; of default resources by an empty name."""
    found = re.findall(r"^(\w*):?mem_mb=attempt \* (\d+)$", "\n".join(resources), re.MULTILINE)
    return {rule: int(megabytes) for rule, megabytes in found}
