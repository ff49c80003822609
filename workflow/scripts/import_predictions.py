#!/usr/bin/env python3
"""Import predictions that were made elsewhere, joined with the run's images.

In: the manifests of all categories. Out: Parquet with a row per usable image, and a JSON note (see
synthsight.predictions); on standard output what was recognised and what is missing.
The spec holds the model's ``name``; ``predictions``, the file, and ``content``, its sha256;
``labels``, whose classes are meant, with ``labels_content``, the sha256 of a label file; what
becomes of ``missing`` ones; the names of ``columns`` by what they hold; and the model's stated
``reference``, or null.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.files import check_unchanged
from synthsight.labels.spaces import load_labels, packages_of
from synthsight.origin import made_with
from synthsight.predictions.importing import Wanted, import_predictions
from synthsight.program import Arguments, many, program


@program(
    many("manifests", "the manifests of all categories, in their sorted order"),
    spec=True,
    outputs=["output", "note"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec = args.spec
    check_unchanged(spec["predictions"], spec["content"])
    if "labels_content" in spec:
        check_unchanged(spec["labels"], spec["labels_content"])
    made_with(*packages_of(spec["labels"]))
    wanted = Wanted(
        spec["name"],
        Path(spec["predictions"]),
        load_labels(spec["labels"]),
        spec["missing"],
        spec["columns"],
        spec["reference"],
    )
    for sentence in import_predictions(wanted, args.manifests, args.output, args.note):
        print(sentence)


if __name__ == "__main__":
    main()
