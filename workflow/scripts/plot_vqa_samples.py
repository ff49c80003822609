#!/usr/bin/env python3
"""Draw one page of images with their yes/no questions and one model's answers.

In: the model's answers and the images below ``--root``. Out: one figure as PDF and as PNG.
The spec holds ``page``, counted from 1, and ``per_page``, the number of images on a page.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.figures import style
from synthsight.figures.vqa_samples import vqa_samples
from synthsight.images.reading import open_checked
from synthsight.program import Arguments, one, program
from synthsight.tables import metadata_of, read_parquet

#: What the figure takes from the answers.
COLUMNS = ["image", "number", "question", "answer", "p_yes", "predicted", "correct"]


@program(
    one("answers", "the model's scored answers, Parquet"),
    one("root", "the images' root folder"),
    spec=True,
    outputs=["pdf", "png"],
)
def main(args: Arguments) -> None:
    """Read the answers, draw, write."""
    answers = read_parquet(args.answers, COLUMNS)
    figure = vqa_samples(
        answers.to_pandas(),
        metadata_of(answers.schema, "model", args.answers),
        int(args.spec["page"]),
        int(args.spec["per_page"]),
        lambda image: open_checked(Path(args.root), image),
    )
    style.save(figure, args.pdf, args.png)


if __name__ == "__main__":
    main()
