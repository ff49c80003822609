"""The fan-in at scale: time and memory of the programs that read logits and scores.

    python benchmarks/fan_in.py [--images 100000 1000000] [--models 10] [--only ...]

For each number of images: `score` for one model with 1000 classes, four rules, 100 categories; then
each rule that reads the scores of all models. Every program is a process of its own, the one that
the workflow runs, with its settings. Printed are the processor's seconds, the peak memory, and
how both grew: time must not grow faster than the images, memory must stay under 4 GB. Exits with 1
if one of these is missed.

The logits are noise, generated once for a category: all categories are links to the same files, so
the disk holds 1/100 of what `score` reads. The scores are generated, too: models of unlike accuracy
that often fail on the same images, two generators. They take some 80 MB a model and 1,000,000
images.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from command_lines import tabulate_arguments

from synthsight.classifiers.score import SCHEMA
from synthsight.labels import matching
from synthsight.labels.spaces import load_labels

ROOT = Path(__file__).parents[1]
RULES = tuple(sorted(matching.RULES))
GENERATORS = ("dream", "muse")
CATEGORIES = 100
GIGABYTES = 4


def run(program: str, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak GB of a program of the workflow, which must succeed."""
    script = ROOT / "workflow" / "scripts" / f"{program}.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, script, *arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{program} failed")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e9


def apart(function: Callable[..., list[str]], *arguments: object) -> list[str]:
    """Call a function in a process of its own: a child's peak memory begins with its parent's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def write_logits(folder: Path, images: int) -> list[str]:
    """Logits and manifest of one category, linked to for all of them; arguments of `score`."""
    from synthsight.classifiers import classify  # torch, which is to stay out of the parent

    rng = np.random.default_rng(0)
    labels = imagenet_1k_names()
    names = [f"{GENERATORS[n % 2]}/thing/{n:08}.png" for n in range(images // CATEGORIES)]
    names.sort()
    logits = rng.standard_normal((len(names), 1000), np.float32)
    classify.write_logits(folder / "logits", names, logits, {"model": "model0"})
    generators = [name.split("/")[0] for name in names]
    manifest = {"image": names, "generator": generators, "status": ["ok"] * len(names)}
    pq.write_table(pa.table(manifest), folder / "manifest")
    spec = {
        "labels": "imagenet-1k",
        "rules": RULES,
        "aggregation": "max",
        "categories": {name: {"also": [], "classes": None} for name in labels},
    }
    return [
        *("--logits", *[str(folder / "logits")] * CATEGORIES),
        *("--manifests", *[str(folder / "manifest")] * CATEGORIES),
        *("--spec", json.dumps(spec), "--output", str(folder / "scored")),
    ]


def imagenet_1k_names() -> list[str]:
    """Categories that have a class each."""
    return sorted(set(load_labels("imagenet-1k").simple))[:CATEGORIES]


def write_scores(folder: Path, images: int, models: int) -> list[str]:
    """Scores of some models, laid out as `score` does; the paths."""
    difficulty = np.random.default_rng(1).standard_normal(images)
    paths = []
    for model in range(models):
        rng = np.random.default_rng([2, model])
        path = folder / f"model{model}.parquet"
        names = json.dumps([f"class {number}" for number in range(1000)])
        schema = SCHEMA.with_metadata({"model": path.stem, "class_names": names})
        with pq.ParquetWriter(path, schema, compression="zstd") as file:
            for category in range(CATEGORIES):
                of_category = images // CATEGORIES
                for start in range(0, of_category, 8192):
                    first = category * of_category + start
                    n = min(8192, of_category - start)
                    own = difficulty[first : first + n] + rng.standard_normal(n)
                    for table in blocks(rng, own - 0.1 * model, category, first, schema):
                        file.write_table(table)
        paths.append(str(path))
    return paths


def blocks(
    rng: np.random.Generator, difficulty: np.ndarray, category: int, first: int, schema: pa.Schema
) -> list[pa.Table]:
    """A block of images of a category, rule by rule."""
    n = len(difficulty)
    generators = [GENERATORS[number % 2] for number in range(n)]
    images = [f"{g}/thing{category:02}/{first + m:08}.png" for m, g in enumerate(generators)]
    offsets = pa.array(np.arange(0, 5 * n + 1, 5, np.int32))
    # Half of the mistakes are one of ten, as they are with real models.
    classes = np.where(
        rng.random((n, 5)) < 0.5,
        (category * 7 + rng.integers(10, size=(n, 5))) % 1000,
        rng.integers(1000, size=(n, 5)),
    )
    predicted = pa.ListArray.from_arrays(offsets, pa.array(classes.ravel(), pa.int32()))
    values = -np.sort(-rng.random((n, 5)), axis=1)
    probability = pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), pa.float32()))
    tables = []
    for number, rule in enumerate(RULES):
        top1 = difficulty < -0.4 + 0.2 * number
        columns = [
            pa.array(images),
            pa.array([f"thing{category:02}"] * n),
            pa.array(generators),
            pa.nulls(n, pa.string()),
            pa.array([False] * n),
            pa.array([rule] * n),
            pa.array(top1),
            pa.array(top1 | (difficulty < 0.6)),
            predicted,
            probability,
        ]
        tables.append(pa.table(columns, schema=schema))
    return tables


def programs(folder: Path, scores: Sequence[str], resamples: int) -> dict[str, list[str]]:
    """The arguments of each rule that reads scores, for ``tabulate.py``."""
    level = {"level": 0.95}
    intervals = {**level, "resamples": resamples, "seed": 0}
    specs: dict[str, dict[str, float]] = {
        "accuracy": intervals,
        "agreement": level,
        "confusions": {},
        "generators": intervals,
        "compare": intervals,
    }
    return {
        rule: tabulate_arguments(rule, folder, spec, scores=scores)[0]
        for rule, spec in specs.items()
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", help="these rules")
    args = parser.parse_args()
    measured: dict[str, list[tuple[float, float]]] = {}
    for images in args.images:
        with tempfile.TemporaryDirectory(prefix="fan_in") as name:
            folder = Path(name)
            todo = {}
            if not args.only or "score" in args.only:
                todo["score"] = apart(write_logits, folder, images)
            if set(args.only or ["all"]) != {"score"}:
                scores = apart(write_scores, folder, images, args.models)
                todo |= programs(folder, scores, args.resamples)
            for program, arguments in todo.items():
                if args.only and program not in args.only:
                    continue
                seconds, gigabytes = run("score" if program == "score" else "tabulate", *arguments)
                measured.setdefault(program, []).append((seconds, gigabytes))
                print(
                    f"{program:12} {images:>10,} images: {seconds:8.1f} s, {gigabytes:.2f} GB",
                    flush=True,
                )
    missed = []
    for program, found in measured.items():
        if max(gigabytes for _, gigabytes in found) > GIGABYTES:
            missed.append(f"{program} takes more than {GIGABYTES} GB")
        growth = args.images[-1] / args.images[0]
        longer = found[-1][0] / found[0][0]
        print(f"{program:12} {growth:.0f} x the images: {longer:.1f} x the time")
        # A tenth for noise: the machine may be doing other things.
        if longer > 1.1 * growth:
            missed.append(f"{program} takes {longer:.1f} times as long")
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
