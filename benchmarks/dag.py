"""How long Snakemake thinks: a plan and a no-op of experiments of growing size, nothing classified.

    python benchmarks/dag.py [--shapes 10x17 20x50 100x100] [--images 60]

For each shape, models x categories: a project with the real rules, small files for weights, empty
ones for images. A plan of a first run is timed (nothing is there), then all outputs are made as
empty files, and the no-op is timed: a run with all there. Below 500 jobs of classification programs
that do nothing make them, so that the no-op compares what Snakemake noted of each job; above, the
files are touched, and it compares times alone. Beside it stand `snakemake --version`, an empty
Snakefile and a part of the no-op: reading the rules, with the configuration and the listing of the
images, without a plan. Seconds are the processor's, the best of some runs (Snakemake plans on one
core, so on an idle machine they are those of the clock). Exits with 1 if the no-op of the paper's
shape, 10x17, takes 2 s or more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
BOUND = 2.0


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


def best(folder: Path, *arguments: str, repeats: int = 3) -> tuple[float, float]:
    """The fastest of some runs."""
    return min(run(folder, *arguments) for _ in range(repeats))


def lay_out(folder: Path, models: int, categories: int, images: int) -> None:
    """A project of a shape, with the real rules."""
    for part in ("Snakefile", "rules", "workflow", "profiles"):
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
    return len(outputs)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shapes", nargs="+", default=["10x17", "20x50", "100x100"])
    parser.add_argument("--images", type=int, default=60, help="of each category")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        (empty / "Snakefile").write_text("rule all:\n", encoding="utf-8")
        version, _ = best(empty, "--version")
        nothing, _ = best(empty, "--dry-run", "--quiet", "all")
    print(f"snakemake --version {version:.2f} s; an empty Snakefile {nothing:.2f} s")
    late = False
    for shape in args.shapes:
        models, categories = map(int, shape.split("x"))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, models, categories, args.images)
            run(folder, "--list-rules")  # resolves the models, once for all
            repeats = 3 if models * categories < 5000 else 1
            rules, _ = best(folder, "--list-rules", repeats=repeats)
            plan, plan_memory = best(folder, "--dry-run", "--quiet", "all", repeats=repeats)
            outputs = finish(folder, real=models * categories < 500)
            noop, memory = best(folder, "--cores", "1", repeats=repeats)
            said = (folder / "said").read_text(encoding="utf-8")
            assert "Nothing to be done" in said, said
        late |= shape == "10x17" and noop >= BOUND
        print(
            f"{shape}, {args.images} images each, {outputs} files: rules read {rules:.2f} s; "
            f"plan of a first run {plan:.2f} s, {plan_memory:.0f} MiB; no-op {noop:.2f} s, "
            f"{memory:.0f} MiB, {noop / nothing:.1f} x an empty Snakefile"
        )
    if late:
        sys.exit(f"the no-op of 10x17 takes more than {BOUND} s")


if __name__ == "__main__":
    main()
