"""The range of versions that is stated is the one that is tested; what `make gpu` installs."""

from __future__ import annotations

import re

import pytest

from tests import missing
from tests.support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "gpu.md").read_text(encoding="utf-8")


def pins(file: str) -> dict[str, str]:
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE))


def test_the_oldest_versions_are_those_that_are_tested() -> None:
    oldest, bounds = pins("requirements-oldest.txt"), missing.bounds()
    stated = {name: least for name, least in bounds.items() if least != "0" and name in oldest}
    assert {"torch", "torchvision", "transformers", "pandas"} <= stated.keys()
    for name, least in stated.items():
        found = missing.numbers(oldest[name])
        assert found[: len(missing.numbers(least))] == missing.numbers(least), name
        assert not any(found[len(missing.numbers(least)) :]), f"{name}: the bound is below {found}"
    assert oldest.keys() & bounds.keys() == stated.keys()


def test_the_page_states_the_range() -> None:
    oldest, newest = pins("requirements-oldest.txt"), pins("requirements.txt")
    stated = {}
    for line in PAGE.splitlines():
        if line.startswith("| ") and re.search(r"\d", line):
            names, *versions = ([*map(str.strip, part.split(","))] for part in line.split("|")[1:4])
            for place, name in enumerate(names):
                stated[name.lower()] = [column[place] for column in versions]
    assert stated == {name: [oldest[name], newest[name]] for name in oldest if name in needs()}


def needs() -> list[str]:
    return list(missing.bounds())


@pytest.mark.parametrize(
    ("installed", "least", "wrong"),
    [
        ("2.11.0+cu130", "2.11", None),
        ("2.9.1", "2.11", "2.9.1, and 2.11 is the oldest"),
        ("3.0.0rc1", "3.0", None),
        ("7", "0", None),
        (None, "0", "missing"),
    ],
)
def test_what_is_too_old_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, least: str, wrong: str | None
) -> None:
    def version(name: str) -> str:
        if installed is None:
            raise missing.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(missing, "version", version)
    assert missing.wanting("any", least) == wrong


def listed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    installed: dict[str, str],
    *arguments: str,
) -> list[str]:
    def version(name: str) -> str:
        if name not in installed:
            raise missing.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(missing, "version", version)
    monkeypatch.setattr(missing.sys, "argv", ["missing.py", *arguments])
    missing.main()
    return capsys.readouterr().out.split()


def test_what_is_listed_is_missing_and_never_torch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    machine = {**pinned, "torch": "2.11.0", "torchvision": "0.26.0+cu130", "pandas": "2.3.3"}
    for name in ("triton", "snakemake", "pytest"):
        del machine[name]
    found = listed(monkeypatch, capsys, machine)
    assert found == [f"{name}=={pinned[name]}" for name in ("pandas", "snakemake", "pytest")]
    everything = listed(monkeypatch, capsys, {}, "--all")
    assert {*found, f"setuptools=={pinned['setuptools']}"} <= {*everything}
    assert not any(line.startswith(("torch", "nvidia", "triton", "cuda-")) for line in everything)


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_a_machine_without_a_torch_that_will_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    machine = {**pins("requirements.txt"), name: "0.20.0"}
    with pytest.raises(SystemExit, match=f"{name} of .* is 0.20.0, and .* is the oldest"):
        listed(monkeypatch, capsys, machine)
