#!/usr/bin/env python3
"""Decode, resize and crop the images of one category.

In: a manifest, and the images below the root. Out: an Arrow file with image, height, width and
pixels (uint8 RGB; see synthsight.images.pixels).
"""

from __future__ import annotations

from pathlib import Path

from synthsight.images.geometry import Geometry
from synthsight.images.manifest import read_manifest
from synthsight.images.pixels import prepare_pixels
from synthsight.images.roots import roots_of
from synthsight.origin import made_with
from synthsight.program import Arguments, one, program


@program(
    one("manifest", "the manifest of the category"),
    spec=True,
    outputs=["output"],
    counts={"threads": 1},
)
def main(args: Arguments) -> None:
    """Run the program."""
    records = [record for record in read_manifest(args.manifest) if record.status == "ok"]
    usable = [
        (record.image, record.width, record.height)
        for record in records
        if record.width is not None and record.height is not None
    ]
    made_with("pillow")
    prepare_pixels(
        usable,
        roots_of(Path(args.spec["root"]), args.manifest),
        Geometry.from_dict(args.spec["geometry"]),
        args.output,
        args.spec["max_pixels"],
        args.threads,
        {record.image: record.sha256 for record in records},
    )
    print(f"{len(usable)} images, {Path(args.output).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
