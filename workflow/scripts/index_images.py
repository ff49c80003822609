#!/usr/bin/env python3
"""Write the manifest of one category: a row for every file found.

In: the images' root. Out: a Parquet file with image, category, generator, sha256, width, height,
status and reason (see synthsight.images.manifest). Fails if no image of the category is usable.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from synthsight.images.manifest import index_images, write_manifest


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    spec = args.spec
    records = index_images(
        Path(spec["root"]),
        spec["category"],
        [(generator, folder) for generator, folder in spec["folders"]],
        spec["max_pixels"],
        args.threads,
    )
    excluded = [record for record in records if record.status != "ok"]
    print(f"{len(records)} files, {len(records) - len(excluded)} usable, {len(excluded)} excluded")
    for record in excluded:
        print(f"excluded: {record.image!r}: {record.reason}")
    if len(excluded) == len(records):
        sys.exit(
            f"index_images: no usable image in category {spec['category']!r}; the reasons stand "
            "above. Mend or add images, or leave it out of `categories` in the configuration"
        )
    write_manifest(args.output, records)


if __name__ == "__main__":
    main()
