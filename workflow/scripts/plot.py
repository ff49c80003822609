#!/usr/bin/env python3
"""Draw the figure of one row of synthsight.plan.figures.

In: what the row's function reads and, if it shows images, the folder they are in and the files that
hold their sha256. Out: a figure, in one file for each format. The spec holds the function's
settings by name, and under `look` how all figures of the run look, where that is not as usual.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthsight.doors import load
from synthsight.figures import style
from synthsight.figures.inputs import READERS
from synthsight.figures.look import look_of, looking
from synthsight.images.reading import open_checked
from synthsight.images.roots import roots_of
from synthsight.inputs import INDEXED, deal
from synthsight.program import Arguments, many, one, program


@program(
    one("function", "the row's function, as module:name"),
    many("inputs", "what the files are, in their order: PARAMETER=KIND:COUNT"),
    many("files", "the inputs"),
    one("root", "folder of the images that the figure shows, if it shows any", required=False),
    many("figures", "the files to write: .pdf, .png or .svg"),
    spec=True,
)
def main(args: Arguments) -> None:
    """Run the program."""
    given = deal(args.inputs, args.files)
    inputs: dict[str, Any] = {
        parameter: READERS[kind](files) for parameter, (kind, files) in given.items()
    }
    if args.root:
        sha256, root = inputs.pop(INDEXED), roots_of(Path(args.root), *given[INDEXED][1])
        inputs["read"] = lambda image: open_checked(root, image, sha256(image))
    spec = dict(args.spec)
    with looking(look_of(spec.pop("look", {}))):
        style.save(load(args.function)(**inputs, **spec), *args.figures)


if __name__ == "__main__":
    main()
