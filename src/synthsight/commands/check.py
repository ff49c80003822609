"""``synthsight check``: everything wrong with a configuration, before Snakemake is started."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthsight.commands.text import count, listed, paragraph
from synthsight.errors import SynthsightError
from synthsight.plan.experiment import Experiment
from synthsight.plan.standalone import check, merge, read_config

ABOUT = """\
find what is wrong with configurations

Reports everything that the workflow would report before it starts a job, with
the line and what to write: unknown keys, missing images, models that do not
exist, categories that no class of a model can hit, questions that cannot be
asked. Also reports YAML errors with line and column, and duplicate keys, of
which YAML silently takes the last one.

Valid configurations are summed up in a few lines. The exit status is 0 if all
files are valid, else 1."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("configs", nargs="+", type=Path, metavar="CONFIG", help="YAML or JSON")
    parser.add_argument(
        "--together",
        action="store_true",
        help="take the files as one configuration, in which later files override earlier ones, as "
        "`snakemake --configfile A B` does",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the configurations; return 1 if anything is wrong with one of them."""
    files: list[Path] = arguments.configs
    status = 0
    for group in [files] if arguments.together else [[file] for file in files]:
        name = ", ".join(map(str, group))
        try:
            config = merge([read_config(file) for file in group])
            print("\n".join(_summary(name, config, check(config, group))))
        except SynthsightError as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = 1
    return status


def _summary(name: str, config: Mapping[str, Any], found: Experiment) -> list[str]:
    """A summary, in lines, of what a valid configuration would run."""
    lines = [f"{name} is valid: a run called {config['run']!r}"]
    lines += _row("models", listed(list(found.models)))
    if found.imported:
        files = [f"{name} from {each.predictions}" for name, each in found.imported.items()]
        lines += _row("predictions", listed(files))
    if found.adapted:
        made = [f"{name} from {each.base}" for name, each in found.adapted.items()]
        lines += _row("adapted", listed(made))
    if found.embedded:
        lines += _row("features", f"of {listed(list(found.embedded))}")
    if found.pending and found.archive is not None:
        lines += _row("images", f"from {found.archive.name}, to be fetched by the run")
    else:
        lines += _row("images", _images(found))
        if found.real:
            lines += _row("photographs", _photographs(found))
        lines += _row("categories", listed(list(found.categories)))
    if found.settings.images.group is not None:
        lines += _row("groups", f"of images, by {found.settings.images.group!r} in their names")
    elif found.grouping is not None:
        lines += _row("groups", f"of images, by {found.grouping}")
    if found.excludes_duplicates:
        lines += _row("duplicates", "left out, each with the reason in tables/excluded.csv")
    if found.marks:
        lines += _row("marked", f"left out, by {listed(list(found.marks))}")
    if found.vqa is not None:
        asked = f"put to {listed(list(found.vqa.models))}"
        if not found.pending:
            asked = f"about {count(found.vqa.images, 'image')}, {asked}"
        lines += _row("questions", asked)
    for warning in found.warnings:
        lines += _row("note", warning)
    return lines


def _photographs(found: Experiment) -> str:
    names, table = sorted(found.real), found.settings.images.table
    having = [each for each in found.categories.values() if each.generators & found.real]
    number = f"{len(having)} {'category' if len(having) == 1 else 'categories'}"
    if table is not None:
        return f"real ones of {number}, called {listed(names)} in {table}"
    folders = [str(found.roots.elsewhere.get(name, found.roots.root / name)) for name in names]
    return f"real ones of {number}, in {listed(folders)}"


def _images(found: Experiment) -> str:
    total = sum(category.listing.images for category in found.categories.values())
    generators = sorted(found.generators - found.real)
    images = count(total, "image")
    rest = " and photographs" if found.real else ""
    return (
        f"{images} of {count(len(generators), 'generator')}{rest}: {listed(generators)}"
        if generators
        else images
    )


def _row(label: str, text: str) -> list[str]:
    return paragraph(text, f"  {label:<12}")
