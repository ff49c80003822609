#!/usr/bin/env python3
"""Write a page on which people rate pictures: one HTML file that opens from disk.

In: the pictures, Parquet, with what is asked about them. Out: the page.
The spec holds ``categories`` to choose from, or null if questions are asked; ``instructions`` for
raters and the ``consent`` that they give, or null.
"""

from __future__ import annotations

from synthsight import origin
from synthsight.clone import own_version
from synthsight.files import atomic
from synthsight.program import Arguments, one, program
from synthsight.rating.page import Page, render
from synthsight.rating.pictures import read_pictures


@program(one("pictures", "Parquet: name, webp, questions"), spec=True, outputs=["output"])
def main(args: Arguments) -> None:
    """Run the program."""
    page = Page(
        pictures=read_pictures(args.pictures),
        categories=args.spec["categories"],
        instructions=args.spec["instructions"],
        consent=args.spec["consent"],
        mark=origin.mark(args.output),
        version=own_version(),
    )
    text = render(page)
    with atomic(args.output) as temporary:
        temporary.write_bytes(text.encode())
    print(f"{args.output}: {len(page.pictures)} pictures, {len(text.encode()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
