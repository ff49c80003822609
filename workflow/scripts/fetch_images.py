#!/usr/bin/env python3
"""Download an archive of images, check it and unpack it into the images' root.

In: its URL, in the environment, since command lines are recorded and visible to others. Out: the
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
    archive = Archive(os.environ[URL_VARIABLE], args.spec["sha256"], Path(args.spec["root"]))
    fetch_images(archive, lambda line: print(printable(line), flush=True))


if __name__ == "__main__":
    main()
