#!/usr/bin/env python3
"""Download an archive of images, check it and unpack it into the images' root.

In: its URL, in the environment, since a command line is recorded and seen by others. Out: the
folder, with a JSON note of the source (see synthsight.archives.fetch).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

from synthsight.archives.archive import URL_VARIABLE, Archive, ArchiveError
from synthsight.archives.fetch import fetch_images


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True)
    args = parser.parse_args()
    archive = Archive(os.environ[URL_VARIABLE], args.spec["sha256"], Path(args.spec["root"]))
    try:
        fetch_images(archive, partial(print, flush=True))
    except ArchiveError as error:
        sys.exit(f"fetch_images: {error}")


if __name__ == "__main__":
    main()
