"""``synthsight init``: a commented configuration for a folder or a table of images."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthsight.commands.draft import next_steps, total, write
from synthsight.commands.survey import InitError, survey
from synthsight.commands.text import listed, paragraph
from synthsight.files import atomic, hint_at_home
from synthsight.plan.config.definitions import DEFINITIONS, definitions_at
from synthsight.plan.standalone import read_schema
from synthsight.tabular import FORMATS

ABOUT = """\
write a configuration for a folder or a table of images

Looks at the names of folders and files and writes a commented YAML file to
start from: the layout that was found, the categories with what the matching
rules make of their names, and four published models. The layout is

  FOLDER/<category>/<file>   or   FOLDER/<generator>/<category>/<file>

Folders around these, or splits such as train, are noticed. A table (CSV, TSV,
JSON, JSONL or Parquet) says in the place of folders what each image shows.

A category whose name matches no class of ImageNet is left out, with the
reason next to it, since no model could get it right."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of images, or a table of them")
    parser.add_argument("--run", metavar="NAME", help="name of the run; by default FOLDER's")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the file to write; by default NAME.yaml"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration, and print the next steps."""
    folder: Path = arguments.folder
    name = _run_name(arguments.run, folder)
    output: Path = arguments.output or Path(f"{name}.yaml")
    if home := hint_at_home(output):
        raise InitError(f"{output}: {home}")
    if output.exists() and not arguments.force:
        raise InitError(
            f"{output} already exists: choose another --output, or replace it (--force)"
        )
    looked = survey(folder, definitions_at(DEFINITIONS))
    text = write(looked, name, output)
    try:
        with atomic(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InitError(f"{output} cannot be written: {error.strerror}") from None
    left_out = [category.name for category in looked.refused]
    print("\n".join(paragraph(f"{output}: {total(looked.taken)}")))
    if left_out:
        print("\n".join(paragraph(f"Left out: {listed(left_out)}; {output} says why.")))
    for note in looked.notes:
        print("\n".join(paragraph(note, "Note: ")))
    if Path("results", name).exists():
        print(f"Note: a run of this name exists; new results would be added to results/{name}.")
    print("\nReview it, choose models, then run:\n")
    for command in next_steps(output):
        print(f"  {command}")
    return 0


def _run_name(wanted: str | None, folder: Path) -> str:
    """The run's name: the one wanted, if it is valid, or one derived from the folder's."""
    about: Mapping[str, Any] = read_schema()["properties"]["run"]
    if wanted is None:
        whole = folder.resolve()
        named = whole.stem if whole.suffix.lower() in FORMATS and whole.is_file() else whole.name
        wanted = re.sub(r"[^A-Za-z0-9]+", "_", named).strip("_") or "mine"
        return wanted[: about["maxLength"]]
    if not re.search(about["pattern"], wanted) or len(wanted) > about["maxLength"]:
        raise InitError(f"{wanted!r} cannot be the name of a run. {about['description']}")
    return wanted
