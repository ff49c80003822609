"""How long Snakemake thinks: a plan and a no-op of experiments of growing size, nothing classified.

    python benchmarks/dag.py [--shapes demo 10x17 20x50 100x100] [--images 60] [--rounds 5]

For each shape, models x categories: a project with the real rules, small files for weights, empty
ones for images. A plan of a first run is timed (nothing is there), then all outputs are made as
empty files, and the no-op is timed: a run with all there. Below 500 jobs of classification programs
that do nothing make them, so that the no-op compares what Snakemake noted of each job; above, the
files are touched, and it compares times alone. `demo` is the demo, run for real. A no-op is timed
with the whole plan, as it is after any change, and as it is where nothing was touched since, each
beside an empty Snakefile, in turns; printed are medians of the ratios. Seconds are the processor's
(Snakemake plans on one core, so on an idle machine they are those of the clock). Exits with 1 if
the no-op of an untouched run takes longer than it should.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from synthsight.canonical import canonical_json
from synthsight.origin import KEY, Origin, making, mark
from synthsight.plan.record import name_of, read_record
from synthsight.plan.unchanged import UNCHANGED

ROOT = Path(__file__).parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PARTS = ("Snakefile", "rules", "workflow", "profiles", "src")
PLANNED = "Nothing to be done (all requested files"

#: A no-op that nothing was touched before, an empty Snakefile being 1: the demo's, and any other's.
DEMO, BOUND = 1.25, 2.0


def run(folder: Path, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command of Snakemake, which must succeed."""
    with open(folder / "said", "w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [SNAKEMAKE, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit((folder / "said").read_text(encoding="utf-8"))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def lay_out(folder: Path, models: int, categories: int, images: int) -> None:
    """A project of a shape, with the real rules."""
    for part in PARTS:
        (folder / part).symlink_to(ROOT / part)
    names = [f"thing{number}" for number in range(categories)]
    (folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    for name in names:
        inside = folder / "pictures" / name
        inside.mkdir(parents=True)
        for number in range(images):
            (inside / f"{number}.png").touch()
    (folder / "weights.pt").touch()
    (folder / "categories.yaml").write_text("{}\n", encoding="utf-8")
    config = {
        "run": "dag",
        "images": {"root": "pictures"},
        "category_definitions": "categories.yaml",
        "models": [
            {
                "name": f"model{number}",
                "model": "timm/test_resnet",
                "checkpoint": "weights.pt",
                "labels": "labels.txt",
                # As in the paper: most models share a geometry, and there are three in all.
                "resize": 256 + 16 * max(0, 2 - number),
                "crop": 224,
                "interpolation": "bilinear",
                "mean": [0.5, 0.5, 0.5],
                "std": [0.5, 0.5, 0.5],
            }
            for number in range(models)
        ],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


STUB = """#!/bin/sh
# Makes what is named and not there.
for path; do case $path in results/*|resources/weights/*) [ -e "$path" ] || : >"$path" ;; esac; done
"""


def finish(folder: Path, real: bool) -> int:
    """Make all outputs as empty files and have Snakemake take them for done; their number.

    Args:
        folder: the project.
        real: run every job, with programs that do nothing, so that Snakemake notes what each
            depends on; otherwise only touch the files, which is quick.
    """
    run(folder, "--summary", "--cores", "1")
    rows = (folder / "said").read_text(encoding="utf-8").splitlines()
    columns = [row.split("\t") for row in rows]
    outputs = [folder / row[0] for row in columns if len(row) > 3 and row[0] != "output_file"]
    if real:
        stubs = folder / "stubs"
        stubs.mkdir()
        for program in (ROOT / "workflow" / "scripts").glob("*.py"):
            (stubs / program.name).write_text(STUB, encoding="utf-8")
            (stubs / program.name).chmod(0o755)
        rules, common = folder / "rules", folder / "rules" / "common.smk"
        rules.unlink()
        shutil.copytree(ROOT / "rules", rules)
        text = common.read_text(encoding="utf-8")
        there = "export PATH={shlex.quote(str(SCRIPTS))}:"
        assert there in text
        common.write_text(text.replace(there, f"export PATH={stubs}:"), encoding="utf-8")
        run(folder, "--cores", "all", "--quiet", "all")
    else:
        for output in outputs:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.touch()
        run(folder, "--touch", "--cores", "1", "--quiet", "all")
    vouch(folder)
    return len(outputs)


def vouch(folder: Path) -> None:
    """Have each file say that it was made as the plan says: otherwise it would be made again."""
    results = folder / "results" / "dag"
    planned = {
        name_of(each.program, path): (each, path)
        for each in read_record(results).wanted
        for path in each.paths
    }

    @cache
    def origin_of(name: str) -> Origin:
        each, path = planned[name]
        inputs = {of: origin_of(of).chain for of in each.inputs_of(path) if of in planned}
        return each.origin(path, "any", inputs)

    now = time.time_ns()
    for name, (_, path) in planned.items():
        file = folder / path
        if file.exists():
            write_empty(file, origin_of(name))
    for file in (*results.rglob("*"), *(folder / "resources").rglob("*")):
        os.utime(file, ns=(now, now))


def write_empty(file: Path, origin: Origin) -> None:
    """A file without content that says how it was made."""
    metadata = {KEY: canonical_json(origin.as_dict())}
    if file.suffix == ".parquet":
        pq.write_table(pa.table({}).replace_schema_metadata(metadata), file)
    elif file.suffix == ".arrow":
        schema = pa.schema([], metadata=metadata)
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema):
            pass
    elif file.suffix == ".json":
        file.write_text(canonical_json({KEY: origin.as_dict()}), encoding="utf-8")
    else:
        with making(origin.program, json.loads(origin.spec), origin.code):
            file.write_text(mark(origin.file) or "", encoding="utf-8")


def rounds(folder: Path, empty: Path, number: int) -> tuple[list[float], list[float], float]:
    """A finished project's no-op beside an empty Snakefile, in turns.

    Returns:
        How many times as long as an empty Snakefile it took, in each round: with the whole plan, as
        after a change, and where nothing was touched since. And peak MiB of the former.
    """
    seals = folder / ".snakemake" / "synthsight" / "unchanged"
    planned, unchanged, memory = [], [], 0.0
    for _ in range(30):  # until files are old enough to be relied on
        run(folder, "--cores", "1")
        said = (folder / "said").read_text(encoding="utf-8")
        if UNCHANGED in said:
            break
        time.sleep(1)
    assert UNCHANGED in said, said
    for _ in range(number):
        nothing, _ = run(empty, "--cores", "1", "--quiet", "all")
        shutil.rmtree(seals)
        seconds, memory = run(folder, "--cores", "1")
        assert PLANNED in (folder / "said").read_text(encoding="utf-8")
        planned.append(seconds / nothing)
        seconds, _ = run(folder, "--cores", "1")
        assert UNCHANGED in (folder / "said").read_text(encoding="utf-8")
        unchanged.append(seconds / nothing)
    return planned, unchanged, memory


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shapes", nargs="+", default=["demo", "10x17", "20x50", "100x100"])
    parser.add_argument("--images", type=int, default=60, help="of each category")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        (empty / "Snakefile").write_text("rule all:\n", encoding="utf-8")
        late = [shape for shape in args.shapes if not measure(shape, empty, args)]
    if late:
        sys.exit(f"the no-op of {', '.join(late)} takes too long")


def measure(shape: str, empty: Path, args: argparse.Namespace) -> bool:
    """Print a row; whether its no-op is within the bound."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shape == "demo":
            for part in PARTS:
                (folder / part).symlink_to(ROOT / part)
            (folder / "resources").mkdir()
            for resource in (ROOT / "resources").iterdir():
                if resource.name != "weights":
                    (folder / "resources" / resource.name).symlink_to(resource)
            shutil.copy(ROOT / "config.yaml", folder)
            plan, _ = run(folder, "--dry-run", "--quiet", "all")
            run(folder, "--cores", "all", "--quiet", "all")
            about = "its real files"
        else:
            models, categories = map(int, shape.split("x"))
            lay_out(folder, models, categories, args.images)
            run(folder, "--list-rules")  # resolves the models, once for all
            plan, _ = run(folder, "--dry-run", "--quiet", "all")
            about = f"{finish(folder, real=models * categories < 500):,} files"
        planned, unchanged, memory = rounds(folder, empty, args.rounds)
    ratio = median(unchanged)
    print(
        f"{shape}, {about}: plan of a first run {plan:.1f} s; no-op, an empty Snakefile = 1: with "
        f"the whole plan {median(planned):.2f} ({memory:.0f} MiB), untouched since {ratio:.2f} "
        f"({min(unchanged):.2f} to {max(unchanged):.2f})",
        flush=True,
    )
    return ratio <= (DEMO if shape == "demo" else BOUND)


if __name__ == "__main__":
    main()
