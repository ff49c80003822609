"""``synthsight speed``: how many images a second each model took, as a run's logs say."""

from __future__ import annotations

import argparse

from synthsight.commands.text import count, paragraph
from synthsight.library.runs import open_run
from synthsight.library.speeds import read_speeds
from synthsight.wording import printable

ABOUT = """\
print how many images a second each model of a run took

With the device. That is about the machine, and so it stands in the logs of the
run's jobs and in none of its tables."""

_HOW = (
    "Images a second: the median over jobs, with the slowest and the fastest; each is one "
    "category. The time is that of reading stored pixels, normalising them and the network, "
    "without loading it. A job of few images is mostly its first batch; where several ran at "
    "once, they shared the machine."
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its name, as in `run:` of the configuration, or its folder")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each model, the fastest first; 1 if no log says anything."""
    found = open_run(arguments.run)
    speeds = read_speeds(found.folder)
    if not speeds:
        print("\n".join(paragraph(f"No log of the run {found.name!r} says how fast a model was.")))
        return 1
    wide = max(len(printable(each.model)) for each in speeds)
    for each in speeds:
        about = f"{each.device}, {count(each.jobs, 'job')}, {count(each.images, 'image')}"
        bounds = f"({each.slowest:,.0f} to {each.fastest:,.0f})"
        print(f"{printable(each.model):{wide}}  {each.rate:>8,.0f}  {bounds:<20} {about}")
    print()
    print("\n".join(paragraph(_HOW)))
    return 0
