"""What it costs to divide a category into parts: at each start, and where parts are joined.

    python benchmarks/parts.py [--images 40000] [--parts 4] [--classes 1000]

Printed are the time to list the files of a category without and with parts, the time and the peak
memory of joining manifests and logits of these parts, and the bytes of the joined logits. Files are
empty and logits random: nothing is decoded or classified.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from synthsight.features.join_vectors import join_vectors
from synthsight.images.join_manifests import join_manifests
from synthsight.images.manifest import ImageRecord, list_folders, write_manifest
from synthsight.images.parts import part_of
from synthsight.tables import write_parquet, write_vectors


def write_parts(folder: Path, names: list[str], parts: int, classes: int) -> None:
    """Manifests and logits of all parts."""
    rng = np.random.default_rng(0)
    divided: dict[str, list[str]] = {}
    for name in names:
        divided.setdefault(part_of(name.encode(), parts), []).append(name)
    for part, images in divided.items():
        records = [
            ImageRecord(f"x/{name}", "x", None, f"{rng.bytes(32).hex()}", 64, 64, "ok", None)
            for name in images
        ]
        write_manifest(folder / f"{part}.manifest.parquet", records)
        logits = rng.normal(size=(len(images), classes)).astype(np.float32)
        keys = [record.image for record in records]
        write_vectors(folder / f"{part}.logits.parquet", "logits", keys, logits, {})


def join_all_manifests(folder: Path) -> None:
    """The manifest of the category."""
    parts = sorted(folder.glob("*.manifest.parquet"))
    write_parquet(folder / "manifest.parquet", join_manifests(parts), compression="zstd")


def join_all_logits(folder: Path) -> None:
    """The logits of the category."""
    parts = sorted(folder.glob("*.logits.parquet"))
    join_vectors(parts, folder / "manifest.parquet", "logits", folder / "logits.parquet")


def timed(function: Callable[[Path], None], folder: Path) -> str:
    """The time and the peak memory of a function, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, peak = pool.apply(_timed, (function, folder))
    return f"{seconds:.1f} s, {peak / 2**20:.2f} GiB"


def _timed(function: Callable[[Path], None], folder: Path) -> tuple[float, int]:
    began = time.process_time()
    function(folder)
    return time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Measure, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--classes", type=int, default=1000)
    args = parser.parse_args()
    names = [f"{number:07}.png" for number in range(args.images)]
    with tempfile.TemporaryDirectory() as temporary:
        folder, images = Path(temporary), Path(temporary) / "x"
        images.mkdir()
        for name in names:
            (images / name).touch()
        for most in (None, args.images // args.parts):
            began = time.process_time()
            found = list_folders([images], most)
            print(f"listing, {len(found.parts)} parts: {time.process_time() - began:.2f} s")
        write_parts(folder, names, args.parts, args.classes)
        print(f"joining manifests: {timed(join_all_manifests, folder)}")
        print(f"joining logits: {timed(join_all_logits, folder)}")
        print(f"joined logits: {(folder / 'logits.parquet').stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
