"""What one new image costs: a run of everything, then one more image, then nothing.

    python benchmarks/rerun.py [--models 10] [--categories 17] [--images 60]

A project of small networks with random weights and drawn images goes through the real command up
to the tables, three times: from nothing, after one image more in one category, and with nothing
new. Printed are the jobs, the processor's seconds of each run, and the ratio to the run from
nothing. The networks are tiny, so this measures the workflow: with real ones the first run takes
longer, and the second runs each model on one category of all.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from processes import snakemake
from projects import draw, lay_out


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--categories", type=int, default=17)
    parser.add_argument("--images", type=int, default=60, help="of each category")
    args = parser.parse_args()
    names = [f"thing{number}" for number in range(args.categories)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, names, args.models, {"root": "pictures"}, {}, run="rerun")
        for number in range(args.categories * args.images):
            of = names[number % args.categories]
            draw(folder / "pictures" / of / f"{number}.png", number)
        found = {"from nothing": snakemake(folder, "tables")}
        draw(folder / "pictures" / "thing0" / "new.png", args.categories * args.images)
        found["one new image"] = snakemake(folder, "tables")
        found["nothing new"] = snakemake(folder, "tables")
    print(f"{args.models} models, {args.categories} categories, {args.images} images each")
    whole = found["from nothing"].processor
    for what, run in found.items():
        share = run.processor / whole
        print(f"{what:14} {run.jobs:5} jobs {run.processor:8.1f} s   {share:6.1%}")


if __name__ == "__main__":
    main()
