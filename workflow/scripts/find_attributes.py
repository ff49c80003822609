#!/usr/bin/env python3
"""Tell what is said of the usable images besides what they show.

In: the sources of the images, which perhaps have prompts; if there is one, the file that says more.
Out: a Parquet file with image and a text for each attribute; on standard output what of the file
cannot count.
The spec holds ``content``, the sha256 of the file, ``image``, its column with the images' paths,
``columns``, those that are attributes, and ``root``, where the paths start; nothing without a file.
"""

from __future__ import annotations

from synthsight.files import check_unchanged
from synthsight.images.attributes import Told, find_attributes
from synthsight.program import Arguments, many, one, program


@program(
    one("sources", "where the images come from, Parquet"),
    many("table", "the file that says more, if there is one", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    told = Told(None)
    for path in args.table:  # one, or none
        check_unchanged(path, args.spec["content"])
        columns = tuple(args.spec["columns"])
        told = Told(path, args.spec["image"], columns, args.spec["root"])
    for sentence in find_attributes(told, args.sources, args.output):
        print(sentence)


if __name__ == "__main__":
    main()
