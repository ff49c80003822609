"""``synthsight compare``: what differs between two runs, and what that does to the numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthsight.commands.text import paragraph
from synthsight.comparing.answer import answers
from synthsight.comparing.comparison import compare_runs
from synthsight.comparing.sides import name_of
from synthsight.comparing.writing import PAGE, TABLES, check_folder, write

ABOUT = """\
compare two finished runs, such as two versions of a generator

Writes tables and one page, and prints what they say: differences of B from A
for the models that both have, paired where the images are the same."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = "its name, as in `run:` of the configuration, or its folder"
    parser.add_argument("a", metavar="A", help=f"the first run: {what}")
    parser.add_argument("b", metavar="B", help="the second, likewise")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where to write; by default results/compare-A-B. What a comparison wrote there is "
        "replaced, and nothing else",
    )
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="the matching rule of sentences and charts; by default the primary one. The tables "
        "have all that both runs have",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare, write, and print the answer."""
    folder = arguments.output
    if folder is None:
        folder = Path("results", f"compare-{name_of(arguments.a)}-{name_of(arguments.b)}")
    check_folder(folder)
    found = compare_runs(arguments.a, arguments.b, arguments.rule)
    write(found, folder)
    for text in answers(found):
        print("\n".join(paragraph(text)), end="\n\n")
    if found.remarks:
        print("Before you trust these numbers:")
        lines = (line for text in found.remarks for line in paragraph(text, "- ", "  "))
        print("\n".join(lines), end="\n\n")
    print(folder / PAGE)
    print("  everything on one page: open it in a browser")
    print(folder)
    print("\n".join(paragraph(f"CSV and Parquet: {', '.join(TABLES)}", "  ")))
    return 0
