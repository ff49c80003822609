#!/usr/bin/env python3
"""How large and how quick a report of many images is.

Makes scores of random models on pictures of noise that compress like photographs, every table that
follows from them, and the page; prints times and sizes. With Chromium and Playwright it opens the
page from disk and times what a person does there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from command_lines import tabulate_arguments
from PIL import Image

from synthsight.classifiers.score import SCHEMA
from synthsight.images.manifest import ImageRecord, write_manifest
from synthsight.labels import matching
from synthsight.report.thumbnails import write_thumbnails
from synthsight.statistics.columns import EXCLUDED_QUESTIONS
from synthsight.vqa.score import SCHEMA as VQA_SCHEMA

REPOSITORY = Path(__file__).parents[1]
RULES = tuple(sorted(matching.RULES))
GENERATORS = ("dalle", "midjourney", "stable")
CLASSES = 1000
KINDS = ("colour", "comparison", "counting", "negation", "presence", "spatial relation")

#: What a person does, as the page's own controls do it.
ACTIONS = {
    "filter by category": ("category", "category 3"),
    "filter by outcome": ("outcome", "none"),
    "sort by confidence": ("sort", "confident"),
    "another rule": ("rule", "classes"),
    "grid of hits": ("view", "grid"),
    "sort the questions": ("qsort", "hardest"),
}


def picture(seed: int) -> Image.Image:
    """Noise with the spectrum of photographs, which takes as many bytes as they do."""
    rng = np.random.default_rng(seed)
    across, down = np.meshgrid(np.fft.rfftfreq(256), np.fft.fftfreq(256))
    frequency = np.hypot(across, down)
    frequency[0, 0] = 1
    channels = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * rng.random(frequency.shape)) / frequency**1.65
        field = np.fft.irfft2(phases)
        channels.append(128 + 50 * (field - field.mean()) / field.std())
    return Image.fromarray(np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8))


def run(program: str, *given: str, **options: object) -> None:
    """Run one of the workflow's programs."""
    words = list(given)
    for name, value in options.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [str(each) for each in value] if isinstance(value, list) else [str(value)]
    script = REPOSITORY / "workflow" / "scripts" / f"{program}.py"
    subprocess.run([sys.executable, script, *words], check=True, stdout=subprocess.DEVNULL)


def make(folder: Path, images: int, models: int, questions: int, categories: int = 17) -> Path:
    """Make the page; returns it."""
    rng = np.random.default_rng(0)
    names = [f"{GENERATORS[i % 3]}/category {i % categories}/{i:05}.png" for i in range(images)]
    pictures = {name: number for number, name in enumerate(names)}
    manifests, thumbnails = [], []
    for category in range(categories):
        of = sorted(names[category::categories])
        manifests.append(folder / f"images-{category}.parquet")
        records = [
            ImageRecord(
                *(n, f"category {category}", n.split("/")[0], f"{pictures[n]:064x}"),
                *(1024, 1024, "ok", None),
            )
            for n in of
        ]
        write_manifest(manifests[-1], records)
        thumbnails.append(folder / f"pictures-{category}.parquet")
        write_thumbnails(of, lambda name: picture(pictures[name]), 240, thumbnails[-1])
    scores, notes = [], []
    easy = rng.random(images)
    order = np.argsort(np.array([f"{i % categories:03}{name}" for i, name in enumerate(names)]))
    for model in range(models):
        name = f"model_{model:02}.with_a_name"
        columns: dict[str, list[object]] = {field: [] for field in SCHEMA.names}
        top1 = rng.random(images) < 0.7 * easy + 0.02 * model
        top5 = top1 | (rng.random(images) < 0.4)
        predicted = rng.integers(0, CLASSES, (images, 5))
        parts = np.sort(rng.dirichlet(np.full(6, 0.5), images)[:, :5])[:, ::-1]
        for image in order:
            for rule in RULES:
                values = (
                    names[image],
                    f"category {image % categories}",
                    names[image].split("/")[0],
                    None,
                    False,
                )
                hit = bool(top1[image]), bool(top5[image])
                of_rule = predicted[image] + matching.RULES[rule].choice
                row = (*values, rule, *hit, of_rule % CLASSES, parts[image])
                for field, value in zip(columns, row, strict=True):
                    columns[field].append(value)
        metadata = {
            "model": name,
            "class_names": json.dumps([f"class number {i}" for i in range(CLASSES)]),
        }
        scores.append(folder / f"scores-{model}.parquet")
        pq.write_table(pa.table(columns, schema=SCHEMA.with_metadata(metadata)), scores[-1])
        notes.append(folder / f"note-{model}.json")
        note = {
            "name": name,
            "architecture": {"library": "timm", "name": "any"},
            "parameters": int(4e6 * 1.09**model),
            "source": "a benchmark",
            "safetensors_sha256": "0" * 64,
            "license": None,
            "reference": {"top1": 0.8, "top5": 0.95, "source": "a benchmark"},
        }
        notes[-1].write_text(json.dumps(note), encoding="utf-8")
    vqa_scores, vqa_notes = [], []
    about = sorted(rng.choice(names, questions).tolist())
    answer = np.where(rng.random(questions) < 0.5, "yes", "no")
    for model in range(models if questions else 0):
        name = f"asked_{model:02}"
        p_yes = rng.random(questions)
        said = np.where(p_yes > 0.5, "yes", "no")
        kinds = [KINDS[i % len(KINDS)] for i in range(questions)]
        numbers = list(range(questions))
        texts = [f"Is there a thing of number {i} in the picture?" for i in numbers]
        table = [about, numbers, texts, answer.tolist(), [n.split("/")[0] for n in about]]
        table += [["is"] * questions, kinds, p_yes, [None] * questions, said.tolist()]
        table += [said == answer, [None] * questions, [f"{pictures[n]:064x}" for n in about]]
        vqa_scores.append(folder / f"asked-{model}.parquet")
        schema = VQA_SCHEMA.with_metadata({"model": name})
        arrays = [pa.array(c, f.type) for c, f in zip(table, schema, strict=True)]
        pq.write_table(pa.table(arrays, schema=schema), vqa_scores[-1])
        vqa_notes.append(folder / f"asked-note-{model}.json")
        note = {"name": name, "family": "ofa", "source": "a benchmark", "license": None}
        note |= {"safetensors_sha256": "0" * 64, "reference": None}
        vqa_notes[-1].write_text(json.dumps(note), encoding="utf-8")

    tables: dict[str, Path] = {}

    def tabulate(rule: str, spec: dict[str, object], **inputs: list[Path]) -> None:
        words, made = tabulate_arguments(rule, folder, spec, **inputs)
        tables.update(made)
        run("tabulate", *words)

    level = {"level": 0.95}
    intervals = {**level, "resamples": 200, "seed": 0}
    tabulate("accuracy", level, scores=scores)
    tabulate("compare", intervals, scores=scores)
    tabulate("generators", level, scores=scores)
    tabulate("agreement", level, scores=scores)
    tabulate("confusions", {}, scores=scores)
    tabulate("calibration", {**level, "seed": 0}, scores=scores)
    models_of = {json.loads(n.read_text())["name"]: [224, 224] for n in notes}
    tabulate("models", {"inputs": models_of}, notes=notes, vqa_notes=vqa_notes)
    tabulate("reference", level, accuracy=[tables["accuracy"]], notes=notes, scores=scores)
    audit = {"labels": ["imagenet-1k"], "rules": list(RULES), "categories": {}}
    audit["categories"] = {
        f"category {c}": {"also": [], "classes": None} for c in range(categories)
    }
    tables["label_audit"] = folder / "label_audit.parquet"
    csv = folder / "label_audit.csv"
    run("label_audit", spec=json.dumps(audit), csv=csv, parquet=tables["label_audit"])
    for program, name in (("list_excluded", "excluded"), ("find_duplicates", "duplicates")):
        tables[name] = folder / f"{name}.parquet"
        csv = folder / f"{name}.csv"
        run(program, manifests=manifests, spec="{}", csv=csv, parquet=tables[name])
    duplicates = folder / "pictures-duplicates.parquet"
    run(
        "thumbnails_duplicates",
        duplicates=tables["duplicates"],
        manifests=manifests,
        root=folder,
        spec=json.dumps({"side": 240}),
        output=duplicates,
    )
    if questions:
        tabulate("vqa", level, answers=vqa_scores, notes=vqa_notes)
        tables["excluded_questions"] = folder / "excluded_questions.parquet"
        pd.DataFrame(columns=EXCLUDED_QUESTIONS).to_parquet(tables["excluded_questions"])
    geometry = {"resize": 256, "crop": [224, 224], "interpolation": "bilinear"}
    geometry |= {"mean": [0, 0, 0], "std": [1, 1, 1]}
    report = {
        **{"run": "benchmark", "rule": "words/simple", "level": 0.95, "images": 2000},
        "preprocessing": {json.loads(n.read_text())["name"]: geometry for n in notes},
        "labels": {json.loads(n.read_text())["name"]: "imagenet-1k" for n in notes},
        "roots": {"images": str(folder), "questions": None},
        "questions": None,
        "settings": {"images": {}, "report": {"thumbnail": 240}},
    }
    page = folder / "report.html"
    start = time.perf_counter()
    run(
        "report",
        tables=list(tables.values()),
        manifests=manifests,
        scores=scores,
        notes=notes,
        pictures=thumbnails,
        duplicate_pictures=duplicates,
        vqa_scores=vqa_scores,
        vqa_notes=vqa_notes,
        vqa_pictures=thumbnails if questions else [],
        spec=json.dumps(report),
        output=page,
    )
    print(f"report.py: {time.perf_counter() - start:.1f} s, {page.stat().st_size / 1e6:.1f} MB")
    return page


def look(page: Path, chromium: str) -> None:
    """Time opening, filtering and sorting, in the page: from the event to the next frame."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(
            executable_path=chromium, args=arguments, chromium_sandbox=os.geteuid() != 0
        )
        tab = browser.new_page(viewport={"width": 1400, "height": 1000})
        start = time.perf_counter()
        tab.goto(page.as_uri())
        print(f"{'open':<20} {1000 * (time.perf_counter() - start):.0f} ms")
        for name, (key, value) in ACTIONS.items():
            taken = tab.evaluate(
                """async ([key, value]) => {
                    const control = document.querySelector(`[data-key=${key}]`);
                    if (!control) return null;
                    const times = [];
                    const original = control.value;
                    for (const each of [value, original, value, original, value]) {
                        control.value = each;
                        const start = performance.now();
                        control.dispatchEvent(new Event("change"));
                        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                        times.push(performance.now() - start);
                    }
                    control.value = original;
                    control.dispatchEvent(new Event("change"));
                    return times.sort((a, b) => a - b)[2];
                }""",
                [key, value],
            )
            if taken is not None:
                print(f"{name:<20} {taken:.0f} ms")
        heap = tab.evaluate("performance.memory.usedJSHeapSize")
        print(f"{'memory':<20} {heap / 1e6:.0f} MB")
        browser.close()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--categories", type=int, default=17)
    parser.add_argument("--folder", type=Path, default=Path("results/benchmark-report"))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    page = make(args.folder, args.images, args.models, args.questions, args.categories)
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no Chromium: the page is not opened")
    else:
        look(page, chromium)


if __name__ == "__main__":
    main()
