#!/usr/bin/env python3
"""Time and memory that questions take at each start of a run, before any job.

Three kinds: a CSV file; a pair of files of VQA v2, first and when what it holds has been kept; a
Parquet file with an image in each row, which is refused, and a table with images as base64, refused
until the images are files. Measured are reading, looking for the images, and the digests of shards.
The bounds are 60 s of processor time and 1 GB. Exits with 1 if one is exceeded.

    python benchmarks/questions.py [--questions 10000 200000]
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthsight.tabular import TableError
from synthsight.vqa.questions import read_questions
from synthsight.vqa.shards import deal, shard_digest

SECONDS, GIGABYTES = 60, 1

#: Questions about an image, as in VQA v2.
EACH = 5

COLUMNS = {name: name for name in ("image", "question", "answer", "generator", "objects", "group")}

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF"


def plan(name: str, folder: Path, file: str, annotations: Sequence[str]) -> None:
    """Do what a start does, in a process of its own, and print what it took."""
    start = time.process_time()
    paths = [folder / each for each in annotations]
    try:
        asked = read_questions(
            folder / file, COLUMNS, folder / "images", [], paths, folder / "kept"
        )
        for part in deal(asked, 4).values():
            shard_digest(part, folder / "images")
        found = f"{len(asked):,} questions"
    except TableError:
        found = "refused"
    seconds = time.process_time() - start
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    print(f"{name:<32} {found:<18} {seconds:6.2f} s  {memory:5.2f} GB", flush=True)
    sys.exit(int(seconds > SECONDS or memory > GIGABYTES))


def write(folder: Path, questions: int) -> None:
    """A CSV file of questions, the same as a pair of VQA v2, and their images."""
    images = questions // EACH
    (folder / "images").mkdir()
    for image in range(images):
        (folder / "images" / f"COCO_val2014_{image:012d}.jpg").write_bytes(JPEG)
    asked, answered = [], []
    with open(folder / "q.csv", "w", encoding="utf-8") as lines:
        lines.write("image,question,answer\n")
        for number in range(questions):
            image, text = number % images, f"Is there something of the kind {number} in it?"
            truth = "yes" if number % 3 else "no"
            lines.write(f"COCO_val2014_{image:012d}.jpg,{text},{truth}\n")
            about = {"image_id": image, "question_id": number}
            asked.append({**about, "question": text})
            people = [
                {"answer": truth, "answer_confidence": "yes", "answer_id": n} for n in range(10)
            ]
            kind = {"answer_type": "yes/no", "multiple_choice_answer": truth}
            answered.append({**about, **kind, "question_type": "is there", "answers": people})
    (folder / "v2.json").write_text(json.dumps({"questions": asked}))
    (folder / "told.json").write_text(json.dumps({"annotations": answered}))


def embedded(folder: Path, rows: int = 2000) -> None:
    """A Parquet file and a table with an image of 160 kB in each row, 320 MB and 430 MB."""
    pictures = [JPEG + os.urandom(160_000) for _ in range(100)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("question", pa.string()), ("answer", pa.string())])
    with pq.ParquetWriter(folder / "hub.parquet", schema) as writer:
        for start in range(0, rows, 100):
            images = [{"bytes": each, "path": None} for each in pictures]
            texts = [f"Is it {start + number}?" for number in range(100)]
            columns = [pa.array(images, kind), pa.array(texts), pa.array(["yes"] * 100)]
            writer.write_table(pa.table(columns, schema=schema))
    with open(folder / "kit.tsv", "w", encoding="ascii") as lines:
        lines.write("index\timage\tquestion\tanswer\n")
        for row in range(rows):
            code = base64.b64encode(pictures[row % 100]).decode()
            lines.write(f"{row}\t{code}\tIs it {row}?\tYes\n")


def apart(function: Callable[..., None], *arguments: object) -> int:
    """Call a function in a process of its own, which counts its own memory; its exit status."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    return process.exitcode or 0


def measured(folder: Path, questions: Sequence[int]) -> Iterator[int]:
    """The exit statuses of all cases."""
    cases = []
    for number in questions:
        own = folder / str(number)
        own.mkdir()
        apart(write, own, number)
        cases.append((f"CSV, {number:,}", own, "q.csv"))
        cases += [(f"VQA v2, {number:,}{kept}", own, "v2.json") for kept in ("", ", kept")]
    apart(embedded, folder)
    (folder / "images").mkdir()
    cases += [("Parquet with images", folder, "hub.parquet"), ("base64", folder, "kit.tsv")]
    cases.append(("base64, kept", folder, "kit.tsv"))
    for name, own, file in cases:
        paths = ["told.json"] if file == "v2.json" else []
        yield apart(plan, name, own, file, paths)


def main() -> int:
    """Measure; 1 if a bound is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, nargs="+", default=[10_000, 200_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return max(measured(Path(folder), arguments.questions))


if __name__ == "__main__":
    sys.exit(main())
