#!/usr/bin/env python3
"""List every file that was left out, with its reason.

In: the manifests of all categories. Out: a table, as CSV and as Parquet, with image, category,
generator, sha256 and reason, sorted by image.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from synthsight.images.manifest import ImageRecord, read_manifest
from synthsight.program import Arguments, many, program
from synthsight.statistics.columns import EXCLUDED
from synthsight.tables import write_records

COLUMNS = [(name, pa.string()) for name in EXCLUDED]


@program(many("manifests", "the manifests of all categories"), outputs=["csv", "parquet"])
def main(args: Arguments) -> None:
    """Run the program."""
    records = [record for path in args.manifests for record in read_manifest(path)]
    excluded = sorted(
        (record for record in records if record.status != "ok"), key=lambda record: record.image
    )
    write_records(args.csv, args.parquet, COLUMNS, excluded)
    print(f"{len(records)} files, {len(excluded)} of them excluded")
    for category, count in sorted(Counter(record.category for record in excluded).items()):
        print(f"{category}: {count} excluded")
    _report_shared(records)


def _report_shared(records: list[ImageRecord]) -> None:
    """Name files that are in several categories: one of their labels is most likely wrong."""
    categories: dict[str, set[str]] = {}
    for record in records:
        if record.status == "ok" and record.sha256 is not None:
            categories.setdefault(record.sha256, set()).add(record.category)
    for record in records:
        if record.status == "ok" and len(categories.get(str(record.sha256), ())) > 1:
            print(f"the same picture is in several categories: {record.image!r}")


if __name__ == "__main__":
    main()
