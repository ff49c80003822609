#!/usr/bin/env python3
"""Download an archive of images, or files with images, check and unpack them into the images' root.

In: their URLs, in the environment, since command lines are recorded and visible to others. Out: the
folder, with a JSON marker that names the source (see synthsight.archives.fetch).
"""

from __future__ import annotations

import os
from pathlib import Path

from synthsight.archives.archive import URL_VARIABLE, Archive
from synthsight.archives.fetch import fetch_images
from synthsight.program import Arguments, program
from synthsight.wording import printable


@program(spec=True)
def main(args: Arguments) -> None:
    """Run the program."""
    urls = tuple(os.environ[URL_VARIABLE].split("\n"))
    sums = args.spec["sha256"]
    archive = Archive(
        urls if len(urls) > 1 else urls[0],
        tuple(sums) if isinstance(sums, list) else sums,
        Path(args.spec["root"]),
        args.spec.get("reading", {}),
    )
    fetch_images(archive, lambda line: print(printable(line), flush=True))


if __name__ == "__main__":
    main()
