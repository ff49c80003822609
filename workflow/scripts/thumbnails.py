#!/usr/bin/env python3
"""Make thumbnails for the report.

In: the manifest of a category or a shard of questions, and the images below ``--root``. Out: one
Parquet file with the columns image and webp.
The spec holds ``side``, the maximum length of the long side in pixels, and ``limit``, the maximum
number of images in the report: no more are made than it may show of a category or a shard.
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.reading import open_checked
from synthsight.images.roots import roots_of
from synthsight.images.sampling import may_be_shown, sample
from synthsight.program import Arguments, one, program
from synthsight.report.thumbnails import write_thumbnails
from synthsight.tables import read_parquet, read_schema


@program(
    one("images", "Parquet: image, generator, sha256, status"),
    one("root", "the images' root"),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    table = read_parquet(
        args.images, ["image", "generator", "sha256", "status"], filters=[("status", "=", "ok")]
    ).to_pydict()
    sha256 = dict(zip(table["image"], table["sha256"], strict=True))
    root = roots_of(Path(args.root), args.images)
    limit = args.spec["limit"]
    if "category" in read_schema(args.images).names:
        by_source: dict[str | None, list[str]] = {}
        for image, source in zip(table["image"], table["generator"], strict=True):
            by_source.setdefault(source, []).append(image)
        images = may_be_shown(by_source, limit)
    else:  # a shard, which holds an image once for each question
        images = sample(sha256, limit)
    write_thumbnails(
        images,
        lambda image: open_checked(root, image, sha256[image]),
        args.spec["side"],
        args.output,
    )
    print(f"{len(images)} thumbnails")


if __name__ == "__main__":
    main()
