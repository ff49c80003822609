"""A table of images at scale: time and memory of a start of the workflow with `images.table`.

    python benchmarks/table.py [--rows 1000000] [--categories 1000] [--formats csv parquet]

For each format: a table with a row for each of so many empty files, of ten generators, with a
prompt and a group, in no order. What a start does with it, up to the digests of all categories'
rows, is run in a process of its own: for the first time, when nothing has changed, and after one
row has been edited. Beside it stands the listing of the same files as folders. Printed are seconds
of the processor, the peak memory, and how many files of rows were made. Exits with 1 if a start
takes 60 s or more, or 1 GB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from synthsight.images.manifest import list_folders
from synthsight.labels.matching import admit_rules
from synthsight.plan.config.messages import Problem
from synthsight.plan.config.schema import fill_defaults
from synthsight.plan.config.table import load_rows
from synthsight.plan.experiment import load_settings
from synthsight.plan.standalone import read_schema

GENERATORS = 10
Found = TypeVar("Found")
SECONDS, GIGABYTES = 60, 1.0


def lay_out(folder: Path, rows: int, categories: int) -> None:
    """The files, and a table of them as CSV."""
    rng = random.Random(0)
    lines = []
    each = rows // categories // GENERATORS
    for category in range(categories):
        for generator in range(GENERATORS):
            place = Path(f"g{generator}", f"thing{category}")
            (folder / "images" / place).mkdir(parents=True)
            for number in range(each):
                image = f"{place}/{number:06}.png"
                os.close(os.open(folder / "images" / image, os.O_CREAT))
                prompt = f"a drawing of thing {category} in the manner of painter {number // 4}"
                lines.append(f"{image},thing{category},g{generator},{number // 4},{prompt}\n")
    rng.shuffle(lines)
    with open(folder / "table.csv", "w", encoding="utf-8") as table:
        table.write("image,category,generator,group,prompt\n")
        table.writelines(lines)


def write(folder: Path, ending: str, edited: bool) -> None:
    """The table in a format; edited, one row has another prompt."""
    text = (folder / "table.csv").read_text(encoding="utf-8")
    if edited:
        first = text.index("\n") + 1
        row = text[first : text.index("\n", first)]
        text = text.replace(row, f"{row} again", 1)
    (folder / "now.csv").write_text(text, encoding="utf-8")
    if ending == "parquet":
        pq.write_table(pa_csv.read_csv(folder / "now.csv"), folder / f"{edited}.parquet")
        os.replace(folder / f"{edited}.parquet", folder / "of.parquet")
    else:
        os.replace(folder / "now.csv", folder / "of.csv")


def start(folder: Path, table: str) -> tuple[float, float]:
    """Seconds and peak GB of a start, with what it keeps for the next one."""
    schema = admit_rules(read_schema())
    config = {
        "run": "table",
        "images": {"root": str(folder / "images"), "table": str(folder / table)},
        "models": ["torchvision/alexnet"],
    }
    settings = load_settings(fill_defaults(config, schema), schema)
    problems: list[Problem] = []
    begin = time.process_time()
    looked, _ = load_rows(settings, folder / f"kept-{table}", problems, [])
    seconds = time.process_time() - begin
    if problems or not looked:
        sys.exit(f"the table was refused: {problems}")
    return seconds, peak()


def folders(folder: Path) -> tuple[float, float]:
    """Likewise of listing the files as folders."""
    begin = time.process_time()
    list_folders(sorted((folder / "images").glob("*/*")))
    return time.process_time() - begin, peak()


def apart(function: Callable[..., Found], *arguments: object) -> Found:
    """Call a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def peak() -> float:
    """Peak memory of this process in GB. Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=1000)
    parser.add_argument("--formats", nargs="+", default=["csv", "parquet"])
    args = parser.parse_args()
    worst = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A child's peak memory begins with its parent's, so that this process stays small.
        apart(lay_out, folder, args.rows, args.categories)
        print(f"{args.rows:,} rows of {args.categories:,} categories", flush=True)
        for ending in args.formats:
            kept = folder / f"kept-of.{ending}" / "tables"
            for what in ("first", "unchanged", "edited"):
                if what != "unchanged":
                    apart(write, folder, ending, what == "edited")
                before = len(list(kept.glob("*.parquet")))
                seconds, memory = apart(start, folder, f"of.{ending}")
                made = len(list(kept.glob("*.parquet"))) - before
                row = f"{ending:8} {what:10} {seconds:6.1f} s {memory:6.2f} GB, {made} files made"
                print(row, flush=True)
                worst = [max(worst[0], seconds), max(worst[1], memory)]
        seconds, memory = apart(folders, folder)
        print(f"folders  listed     {seconds:6.1f} s {memory:6.2f} GB")
    sys.exit(worst[0] >= SECONDS or worst[1] >= GIGABYTES)


if __name__ == "__main__":
    main()
