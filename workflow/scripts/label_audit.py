#!/usr/bin/env python3
"""Audit what each category accepts under each rule, and say what looks wrong.

In: the definitions of the run's categories and the label spaces of its models. Out: the same table
as CSV and as Parquet (see synthsight.labels.audit), and on standard output a sentence per flag, and
which names were put to zero-shot classifiers.
"""

from __future__ import annotations

from synthsight.files import check_unchanged
from synthsight.labels.audit import label_audit, messages, names_asked
from synthsight.labels.definitions import Definition
from synthsight.labels.prompts import names_put
from synthsight.labels.spaces import load_labels, packages_of
from synthsight.origin import made_with
from synthsight.program import Arguments, program
from synthsight.tables import write_table


@program(spec=True, outputs=["csv", "parquet"])
def main(args: Arguments) -> None:
    """Run the program."""
    for file, planned in args.spec.get("content", {}).items():
        check_unchanged(file, planned)
    definitions = {
        name: Definition(tuple(about["also"]), about["classes"])
        for name, about in args.spec["categories"].items()
    }
    spaces = [load_labels(name) for name in args.spec["labels"]]
    for name in args.spec["labels"]:
        made_with(*packages_of(name))
    audit = label_audit(definitions, spaces, args.spec["rules"])
    write_table(audit, args.csv, args.parquet)
    sentences = messages(audit)
    print(f"Label audit: {len(sentences)} flags (results in {args.csv})")
    by_name = {space.name: space for space in spaces}
    put = {
        model: (labels, names_put(by_name[labels], kind))
        for model, (labels, kind) in args.spec.get("names", {}).items()
    }
    for sentence in [*sentences, *names_asked(audit, put)]:
        print(f"  {sentence}")


if __name__ == "__main__":
    main()
