#!/usr/bin/env python3
"""Audit what each category accepts under each rule, and say what looks wrong.

In: the definitions of the run's categories and the label spaces of its models. Out: the same table
as CSV and as Parquet (see synthsight.labels.audit); the flags, in sentences, on standard output.
"""

from __future__ import annotations

import argparse
import json

from synthsight.labels.audit import label_audit, messages
from synthsight.labels.definitions import Definition
from synthsight.labels.spaces import load_labels
from synthsight.tables import write_table


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--parquet", required=True)
    args = parser.parse_args()
    definitions = {
        name: Definition(tuple(about["also"]), about["classes"])
        for name, about in args.spec["categories"].items()
    }
    spaces = [load_labels(name) for name in args.spec["labels"]]
    audit = label_audit(definitions, spaces, args.spec["rules"])
    write_table(audit, args.csv, args.parquet)
    said = messages(audit)
    print(f"Label audit: {len(said)} flags (results in {args.csv})")
    for sentence in said:
        print(f"  {sentence}")


if __name__ == "__main__":
    main()
