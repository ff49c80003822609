#!/usr/bin/env python3
"""List every file that was left out, with its reason.

In: the manifests of all categories; where duplicates are left out, the table of these; where images
without a prediction are left out, the predictions of each model that these are of; files of marks,
whose images are left out. Out: a table, as CSV and as Parquet, with image, category, generator,
sha256 and reason, sorted by image; on standard output how many there are.
The spec holds ``real``, the generators whose images are real photographs, where it decides which
duplicates are left out; ``marks``, the sha256 of the files of marks, with ``root``, where the paths
in these start.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from synthsight.files import check_unchanged
from synthsight.images.exclusion import exclude_duplicates
from synthsight.images.manifest import read_manifest
from synthsight.people.marks import marked, read_marks
from synthsight.predictions.stored import REASON, without_prediction
from synthsight.program import Arguments, many, program
from synthsight.statistics.columns import EXCLUDED
from synthsight.tables import write_records

#: Categories of which the number of excluded files is printed.
SHOWN = 10

COLUMNS = [(name, pa.string()) for name in EXCLUDED]


@program(
    many("manifests", "the manifests of all categories"),
    many("duplicates", "the table of duplicates, Parquet, to leave these out", required=False),
    many("predictions", "imported predictions, to leave out images without", required=False),
    many("marks", "files of marks, whose images are left out", required=False),
    spec=True,
    outputs=["csv", "parquet"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    records = [record for path in args.manifests for record in read_manifest(path)]
    reasons: dict[str, str] = {}
    sentences: list[str] = []
    for path in args.marks:
        check_unchanged(path, args.spec["marks"][path])
    if args.marks:
        marks = [mark for path in args.marks for mark in read_marks(Path(path))]
        known = {record.image: record.reason for record in records}
        reasons, sentences = marked(marks, known, args.spec["root"])
    for table in args.duplicates:  # one, or none
        real = args.spec.get("real", ())
        found, said = exclude_duplicates(args.manifests, table, real, reasons)
        reasons |= found
        sentences += said
    for path in args.predictions:
        model, images = without_prediction(args.manifests, path)
        reasons |= {image: f"{REASON}{model}" for image in images if image not in reasons}
        if images:
            sentences.append(f"{len(images):,} images have no prediction of {model}")
    excluded = [
        replace(record, reason=reasons.get(record.image, record.reason))
        for record in records
        if record.status != "ok" or record.image in reasons
    ]
    excluded.sort(key=lambda record: record.image)
    write_records(args.csv, args.parquet, COLUMNS, excluded)
    print(f"{len(records)} files, {len(excluded)} of them excluded")
    counted = sorted(Counter(record.category for record in excluded).items())
    for category, count in counted[:SHOWN]:
        print(f"{category}: {count} excluded")
    if len(counted) > SHOWN:
        print(f"and others in {len(counted) - SHOWN} more categories: see {args.csv}")
    for sentence in sentences:
        print(sentence)


if __name__ == "__main__":
    main()
