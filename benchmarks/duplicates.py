#!/usr/bin/env python3
"""Time and memory of looking for near duplicates, and what hashing an image costs.

Hashes are drawn at random, as unlike images have them; every hundredth is that of a copy, with some
bits turned over, half of them mirrored. The dense case is that of frames of one film: all alike.
The bounds are 300 s of processor time and 2 GB for a million unlike images, and that every copy is
found. Exits with 1 if one is missed.

    python benchmarks/duplicates.py [--images 1000 10000 100000 1000000]
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import time

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthsight.images.hashing import BITS, BYTES, MIRROR, perceptual_hash
from synthsight.images.neighbours import MOST_BITS, near_pairs
from synthsight.images.reading import decode_rgb

SECONDS = 300
GIGABYTES = 2


def unlike(images: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Hashes of unlike images, the last hundredth of them copies of the first."""
    hashes = rng.integers(0, 256, (images, BYTES), np.uint8)
    hashes[:, -1] &= 0xFE
    copies = images // 100
    turned = np.zeros((copies, BITS), bool)
    for row in turned:
        row[rng.choice(BITS, rng.integers(0, MOST_BITS + 1), replace=False)] = True
    hashes[-copies:] = hashes[:copies] ^ np.packbits(turned, axis=1)
    hashes[-copies::2] ^= MIRROR
    return hashes


def dense(images: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Hashes that are all alike."""
    one = rng.random(BITS) < 0.5
    return np.packbits(one ^ (rng.random((images, BITS)) < 0.03), axis=1)


def used() -> float:
    """The most memory used so far, in GB."""
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def hashing() -> None:
    """Print what hashing costs beside decoding."""
    rng = np.random.default_rng(0)
    for side in (256, 512, 1024):
        small = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).resize((side, side)).save(buffer, "JPEG", quality=90)
        content = buffer.getvalue()
        start = time.process_time()
        for _ in range(50):
            picture = decode_rgb(content)
        decoded = time.process_time()
        for _ in range(50):
            perceptual_hash(picture)
        hashed = time.process_time()
        costs = [20 * (decoded - start), 20 * (hashed - decoded)]
        print(f"{side} x {side}: decoding {costs[0]:.1f} ms, hashing {costs[1]:.1f} ms")


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    hashing()
    missed = False
    for images in sorted(args.images):
        rng = np.random.default_rng(1)
        hashes = unlike(images, rng)
        start = time.process_time()
        pairs = near_pairs(hashes)
        seconds, memory = time.process_time() - start, used()
        print(f"{images:,} unlike: {seconds:.1f} s, {len(pairs.first):,} pairs, {memory:.2f} GB")
        missed |= len(pairs.first) != images // 100 or seconds > SECONDS or memory > GIGABYTES
    for images in [each for each in sorted(args.images) if each <= 100_000]:
        hashes = dense(images, np.random.default_rng(2))
        start = time.process_time()
        pairs = near_pairs(hashes)
        seconds = time.process_time() - start
        print(f"{images:,} alike: {seconds:.1f} s, {len(pairs.first):,} pairs, {used():.2f} GB")
    sys.exit(missed)


if __name__ == "__main__":
    main()
