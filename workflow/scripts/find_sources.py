#!/usr/bin/env python3
"""Tell where the usable images come from, and which belong together.

In: the manifests of all categories; where duplicates are left out, the table of what is excluded.
Out: a Parquet file with image, category, generator, group and real, where a table or a set says
more also prompt and split (see synthsight.images.sources); on standard output what of groups has
been found.
The spec holds ``real``, the generators whose images are real photographs, and ``group``, the
pattern, with ``table`` where a table says what images show; none of them where it is not set. Where
a table says more of images, or the set that they were unpacked from, ``rows`` is what of it was
kept by the plan, and ``by`` what of it tells groups, in words, if anything does. ``duplicates``
says that duplicates are left out.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.rows import KNOWN, known_of, read_kept_rows, read_list
from synthsight.images.sources import Known, Sources, find_sources
from synthsight.program import Arguments, many, one, program
from synthsight.tables import read_excluded


@program(
    many("manifests", "the manifests of all categories, in their sorted order"),
    many("excluded", "the table of what is excluded, Parquet", required=False),
    one("kept", "folder of what is kept of tables of images", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec, known = args.spec, None
    sources = Sources(frozenset(spec.get("real", ())), spec.get("group"), spec.get("table", False))
    if "rows" in spec:
        folder = Path(args.kept)
        rows = read_list(folder, spec["rows"])

        def known(category: str) -> Known:
            return known_of(read_kept_rows(folder, rows[category], KNOWN))

    excluded = read_excluded(args.excluded)
    for sentence in find_sources(
        args.manifests, sources, args.output, known, spec.get("by"), excluded
    ):
        print(sentence)


if __name__ == "__main__":
    main()
