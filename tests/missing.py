"""Print the pinned packages that this Python lacks, or has in too old a version, for `make gpu`.

    python tests/missing.py [--all]

A line for each, as pip takes it: of requirements.txt, and pytest's and hypothesis' of
requirements-dev.txt. A version is too old if pyproject.toml says so. torch and what belongs to it
are never among them; the program ends with an error where these are missing or too old. With --all
it prints all that it might, whatever is installed, for `make wheels`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: What comes with the machine: never replaced.
OF_THE_MACHINE = re.compile(r"torch|torchvision|triton|nvidia-.*|cuda-.*")

#: What the tests need besides.
FOR_TESTS = re.compile(r"hypothesis|iniconfig|pluggy|pytest|sortedcontainers")

ROOT = Path(__file__).parents[1]


def numbers(text: str) -> list[int]:
    """The numbers of a version: of 2.11.0+cu130 these are 2, 11 and 0."""
    return [int(part) for part in re.findall(r"\d+", text.partition("+")[0])]


def bounds() -> dict[str, str]:
    """The oldest version of each direct need that is supported, by name; "0" if any will do."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = [*told["project"]["dependencies"], *told["build-system"]["requires"]]
    return {name: least or "0" for name, _, least in (need.partition(">=") for need in needs)}


def pinned() -> Iterator[tuple[str, str]]:
    """Name and line of each package that may have to be installed."""
    for file, chosen in (("requirements.txt", None), ("requirements-dev.txt", FOR_TESTS)):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            name, equals, _ = line.partition("==")
            if equals and (chosen is None or chosen.fullmatch(name)):
                yield name, line


def wanting(name: str, least: str) -> str | None:
    """What is wrong with the installed version of a package; None if it can be used."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return "missing"
    return None if numbers(found) >= numbers(least) else f"{found}, and {least} is the oldest"


def main() -> None:
    """Print the lines."""
    oldest, everything = bounds(), sys.argv[1:] == ["--all"]
    for name in ("torch", "torchvision"):
        if not everything and (wrong := wanting(name, oldest[name])):
            sys.exit(f"make gpu: {name} of {sys.executable} is {wrong}: name another with PYTHON=")
    for name, line in pinned():
        if OF_THE_MACHINE.fullmatch(name):
            continue
        if everything or wanting(name, oldest.get(name, "0")):
            print(line)


if __name__ == "__main__":
    main()
