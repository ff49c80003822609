#!/usr/bin/env python3
"""Write one shard of the questions, and check its images.

In: the questions file and the images. Out: a Parquet file with number, image, question, answer,
generator, objects, status and reason (see synthsight.vqa.shards).
"""

from __future__ import annotations

from pathlib import Path

from synthsight.origin import made_with
from synthsight.program import Arguments, one, program
from synthsight.vqa.questions import read_stated
from synthsight.vqa.shards import deal, index_questions, write_shard


@program(
    one("kept", "folder of what is kept of files of questions", required=False),
    spec=True,
    outputs=["output"],
)
def main(args: Arguments) -> None:
    """Run the program."""
    spec, root = args.spec, Path(args.spec["root"])
    dealt = deal(read_stated(spec, args.kept), spec["shards"])
    rows = index_questions(dealt[spec["shard"]], root, spec["max_pixels"])
    excluded = {row.image: row.reason for row in rows if row.status != "ok"}
    images = {row.image for row in rows}
    print(f"{len(rows)} questions about {len(images)} images, {len(excluded)} of them not usable")
    for image, reason in excluded.items():
        print(f"excluded: {image!r}: {reason}")
    made_with("pillow")
    write_shard(args.output, rows)


if __name__ == "__main__":
    main()
